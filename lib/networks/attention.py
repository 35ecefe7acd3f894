"""The attention stage of FE-AlexNet: every kind of block, each as ``x + gain * change(x)``.

The last layer of every block starts at zero and the gain is 1, so that an untrained FE-AlexNet
is exactly AlexNet and learns from its first step (Wang et al. 2018, section 4.1, start theirs the
same way). The gain is a setting and is not learned: at 0 the block is out.

Shapes: B images, C channels, H x W places, N tokens, h heads, d channels a head.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.networks.attention_options import Attention
from lib.networks.maps import coarse, enlarged


def make_block(attention: Attention | None, channels: int, generator: torch.Generator) -> nn.Module:
    """The block for a feature map of ``channels``.

    Raises
    ------
    ValueError : heads that do not divide the inner channels.
    """
    if attention is None or attention.kind == "none":
        return NoBlock()
    block = BLOCKS[attention.kind](attention, channels)
    for layer in block.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)
    for layer in block.last_layers():
        nn.init.zeros_(layer.weight)
    return block


class NoBlock(nn.Module):
    """Kind ``none``: the identity."""

    def forward(self, x: Tensor, prior: Tensor | None = None) -> Tensor:
        return x


class Block(nn.Module):
    """``x + gain * change(x)``; each kind below says what ``change`` is: 0 before training.

    ``last_layers`` of each are those that start at zero, so that this is so.
    """

    def __init__(self, attention: Attention, channels: int):
        super().__init__()
        self.inner = max(channels // attention.reduction, 1)
        self.register_buffer("gain", torch.tensor(float(attention.gain)))

    def forward(self, x: Tensor, prior: Tensor | None = None) -> Tensor:
        """Feature map (B, C, H, W) to one of the same shape.

        ``prior`` is log-weights (B or 1, N) of the tokens.
        """
        return x + self.gain.to(x.dtype) * self.change(x, prior).to(x.dtype)


class SelfAttention(Block):
    """Spatial dot-product self-attention with positions (Vaswani et al. 2017; Wang et al. 2018).

    Each token asks (query), is asked (key) and answers (value), all by 1x1 convolutions to
    C/reduction channels; a last 1x1 convolution leads back to C. Each head adds a learned number
    for how far down and across the asked place lies (relative-position bias, as in Liu et al. 2021,
    eq. 4; 0 at the start): without it brow and mouth differ by their content alone. A token is a
    place of the map, or of the map averaged down to ``grid`` places a side where it is finer; the
    answer is then interpolated (a subsampling as in Wang et al. 2018, section 3.3).
    """

    def __init__(self, attention: Attention, channels: int):
        super().__init__(attention, channels)
        if self.inner % attention.heads:
            raise ValueError(
                f"attention heads {attention.heads} given for {self.inner} inner channels "
                f"({channels} channels over the reduction); allowed: a divisor of {self.inner}"
            )
        self.heads = attention.heads
        self.temperature = attention.temperature
        self.grid = attention.grid
        self.query, self.key, self.value = (nn.Conv2d(channels, self.inner, 1) for _ in range(3))
        self.position = nn.Parameter(torch.zeros(self.heads, 2 * self.grid - 1, 2 * self.grid - 1))
        self.out = nn.Conv2d(self.inner, channels, 1)

    def last_layers(self) -> list[nn.Module]:
        """What starts at zero: the block then changes nothing."""
        return [self.out]

    def change(self, x: Tensor, prior: Tensor | None = None) -> Tensor:
        """What is added to the map, (B, C, H, W)."""
        small = coarse(x, self.grid)  # (B, C, H', W') with N = H' * W' tokens
        y = self._weights(small, prior) @ self._tokens(self.value, small)  # (B, h, N, d)
        y = y.transpose(2, 3).flatten(1, 2).unflatten(2, small.shape[2:])  # (B, C/r, H', W')
        y = self.out(y)  # (B, C, H', W')
        return y if y.shape == x.shape else enlarged(y, tuple(x.shape[2:]))  # (B, C, H, W)

    def attention_map(self, x: Tensor, prior: Tensor | None = None) -> Tensor:
        """How much each token (third axis) attends to each token (last axis).

        (B, h, N, N); each row sums to 1.
        """
        return self._weights(coarse(x, self.grid), prior)

    def _weights(self, small: Tensor, prior: Tensor | None) -> Tensor:
        q = self._tokens(self.query, small) * self._scale()
        logits = q @ self._tokens(self.key, small).transpose(2, 3)  # (B, h, N, N)
        bias = self.position_bias(tuple(small.shape[2:]))  # (h, N, N)
        if prior is not None:
            bias = bias + prior[:, None, None, :]  # (B or 1, h, N, N): the same for every query
        return torch.softmax(logits + bias.to(logits.dtype), dim=-1)

    def _tokens(self, layer: nn.Conv2d, x: Tensor) -> Tensor:
        """(B, h, N, d)"""
        y = layer(x).flatten(2)  # (B, h*d, N)
        return y.unflatten(1, (self.heads, -1)).transpose(2, 3)

    def _scale(self) -> float:
        """What the dot products are multiplied by: 1 / (temperature * sqrt(d))."""
        return 1 / (self.temperature * (self.inner // self.heads) ** 0.5)

    def position_bias(self, size: tuple[int, int]) -> Tensor:
        """(h, N, N): for each token, what is added for each token that it asks.

        It depends on how far down and across the asked token lies, and on nothing else.
        """
        down, across = (_offsets(n, self.grid, self.position.device) for n in size)
        table = self.position[:, down[:, None, :, None], across[None, :, None, :]]
        return table.flatten(3, 4).flatten(1, 2)  # (h, H, W, H, W) -> (h, N, N)


def _offsets(n: int, grid: int, device: torch.device) -> Tensor:
    """(n, n): asked less asking place along one side, counted from the table's first row."""
    places = torch.arange(n, device=device)
    return places[None, :] - places[:, None] + grid - 1


class SqueezeExcitation(Block):
    """Channel attention: each channel times a weight that the map's mean over places decides.

    The weight is 2 * sigmoid and not the published sigmoid, so that it is 1 before training.
    """

    def __init__(self, attention: Attention, channels: int):
        super().__init__(attention, channels)
        self.down = nn.Linear(channels, self.inner)
        self.up = nn.Linear(self.inner, channels)

    def last_layers(self) -> list[nn.Module]:
        """What starts at zero: the block then changes nothing."""
        return [self.up]

    def excite(self, squeezed: Tensor) -> Tensor:
        """(B, C) to (B, C): the weights before the sigmoid."""
        return self.up(F.relu(self.down(squeezed)))

    def change(self, x: Tensor, prior: Tensor | None = None) -> Tensor:
        """What is added to the map, (B, C, H, W)."""
        weight = 2 * torch.sigmoid(self.excite(x.mean(dim=(2, 3))))  # (B, C)
        return x * (weight - 1).to(x.dtype)[:, :, None, None]


class CBAM(SqueezeExcitation):
    """Channel attention from the mean and the maximum over places, then one mask for all channels.

    Both are 1 before training, as in ``SqueezeExcitation``.
    """

    def __init__(self, attention: Attention, channels: int):
        super().__init__(attention, channels)
        self.spatial = nn.Conv2d(2, 1, 7, padding=3)

    def last_layers(self) -> list[nn.Module]:
        """What starts at zero: the block then changes nothing."""
        return [self.up, self.spatial]

    def change(self, x: Tensor, prior: Tensor | None = None) -> Tensor:
        """What is added to the map, (B, C, H, W)."""
        pooled = self.excite(x.mean(dim=(2, 3))) + self.excite(x.amax(dim=(2, 3)))  # (B, C)
        y = x * (2 * torch.sigmoid(pooled)).to(x.dtype)[:, :, None, None]
        summary = torch.cat([y.mean(1, keepdim=True), y.amax(1, keepdim=True)], dim=1)
        mask = 2 * torch.sigmoid(self.spatial(summary))  # (B, 1, H, W)
        return y * mask.to(x.dtype) - x


class Matched(Block):
    """The control: as many weights as ``self``, in 1x1 convolutions that never mix places.

    Two layers with a ReLU between them, as wide as it takes for the count of ``self``.
    """

    def __init__(self, attention: Attention, channels: int):
        super().__init__(attention, channels)
        wanted = 4 * channels * self.inner + 3 * self.inner
        wanted += attention.heads * (2 * attention.grid - 1) ** 2
        width = max(round(wanted / (2 * channels + 1)), 1)
        self.down = nn.Conv2d(channels, width, 1)
        self.up = nn.Conv2d(width, channels, 1)

    def last_layers(self) -> list[nn.Module]:
        """What starts at zero: the block then changes nothing."""
        return [self.up]

    def change(self, x: Tensor, prior: Tensor | None = None) -> Tensor:
        """What is added to the map, (B, C, H, W)."""
        return self.up(F.relu(self.down(x)))


BLOCKS = {"self": SelfAttention, "se": SqueezeExcitation, "cbam": CBAM, "matched": Matched}
