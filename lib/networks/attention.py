"""The attention stage of FE-AlexNet: every kind of block, each as ``x + gain * f(x)``.

``gain`` is a learned number that starts at 0 by default, so that a new block changes nothing:
FE-AlexNet starts as exactly AlexNet and moves away from it only as far as training (or the reader)
turns the gain up.

Shapes: B images, C channels, H x W places, N tokens, h heads, d channels a head.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from numbers import Integral, Real

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.networks.maps import Weighted, coarse, enlarged, over_places
from lib.settings.options import KINDS, LOCATIONS, PARTS, AttentionSettings


@dataclass(frozen=True)
class Attention:
    """Which attention, where, how strong.

    Parameters
    ----------
    kind : ``self`` (spatial dot-product self-attention), ``se`` (squeeze-and-excitation, Hu et al.
        2018),
        ``cbam`` (Woo et al. 2018), ``matched`` (as many parameters as ``self``, but every place for
        itself), ``none``.
    location : ``conv1`` to ``conv5``, after the ReLU of that convolution (of that block's last in a
        VGG).
    reduction : 1 to 32, by what the channels are divided inside the block.
    heads : 1 to 16, ``self`` alone: how many attention maps share the inner channels.
    temperature : above 1 the attention is more even, below 1 it is sharper.
    gain : residual gain before training, any finite number; 0 leaves the network as it was.
    region_prior : log-weight of ``eyes``, ``nose``, ``mouth`` as places to attend to, ``self``
        alone. Only differences between the three count: a part not named has 0, and their mean is
        taken off.
    grid : 2 to 56, ``self`` alone: places a side that attend, at most; a finer map is averaged down
        to them. At the default of 14, conv3 to conv5 of AlexNet (13 places a side) and conv5 of the
        VGGs are as they are.

    Raises
    ------
    ValueError : what was given, what is allowed.
    """

    kind: str = "self"
    location: str = "conv5"
    reduction: int = 8
    heads: int = 1
    temperature: float = 1.0
    gain: float = 0.0
    region_prior: Mapping[str, float] | None = field(default=None, hash=False)  # a dict has no hash
    grid: int = 14

    def __post_init__(self):
        _among("attention kind", self.kind, KINDS)
        _among("attention location", self.location, LOCATIONS)
        _within("attention reduction", self.reduction, 1, 32, Integral)
        _within("attention heads", self.heads, 1, 16, Integral)
        _within("attention grid", self.grid, 2, 56, Integral)
        _within("attention temperature", self.temperature, 0.01, 100)
        _finite("attention gain", self.gain)
        for part, weight in (self.region_prior or {}).items():
            _among("region_prior part", part, PARTS)
            _finite(f"region_prior of {part}", weight)
        if self.kind != "self" and any(self.region_weights().values()):
            raise ValueError(
                f"region_prior given with attention kind {self.kind!r}; allowed: "
                "kind 'self', the only "
                "one that chooses among places by a softmax"
            )

    @classmethod
    def of(cls, settings: AttentionSettings, **changes) -> Attention:
        """From a study's ``attention`` section, with changes such as ``kind="matched"``."""
        values = {name: getattr(settings, name) for name in cls.__dataclass_fields__}
        return cls(**{**values, **changes})

    @property
    def name(self) -> str:
        """What tables call it, such as ``self@conv5``."""
        return "none" if self.kind == "none" else f"{self.kind}@{self.location}"

    def region_weights(self) -> dict[str, float]:
        """The log-weight of each part less their mean: all 0 where no prior or an even one is
        given.
        """
        given = {part: float((self.region_prior or {}).get(part, 0.0)) for part in PARTS}
        mean = sum(given.values()) / len(given)
        return {part: value - mean for part, value in given.items()}


def make_block(attention: Attention | None, channels: int, generator: torch.Generator) -> nn.Module:
    """The block for a feature map of ``channels``; ValueError where the heads do not divide the
    inner channels.
    """
    if attention is None or attention.kind == "none":
        return NoBlock()
    inner = max(channels // attention.reduction, 1)
    if attention.kind == "self":
        block = SelfAttention(
            channels, inner, attention.heads, attention.temperature, attention.gain, attention.grid
        )
    else:
        block = {"se": SqueezeExcitation, "cbam": CBAM, "matched": Matched}[attention.kind](
            channels, inner, attention.gain
        )
    for layer in block.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)
    return block


class NoBlock(nn.Module):
    """Kind ``none``: the identity."""

    def forward(self, x: Tensor, prior: Tensor | None = None) -> Tensor:
        return x


class Block(nn.Module):
    """``x + gain * f(x)``; each kind below says in ``change`` what ``gain * f(x)`` is.

    Each takes the gain into something smaller than the map, because at conv1 every pass over it
    costs.
    """

    def __init__(self, gain: float):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(float(gain)))

    def forward(self, x: Tensor, prior: Tensor | None = None) -> Tensor:
        """Feature map (B, C, H, W) to one of the same shape; ``prior`` is log-weights (B or 1,
        N) of the tokens.
        """
        change = self.change(x, prior)
        # in its place, where autocast has not made it coarser than x: at conv1 a new map costs as
        # much as a sum
        return change.add_(x) if change.dtype == x.dtype else x + change

    def times_gain(self, layer: nn.Conv2d, y: Tensor) -> Tensor:
        """``gain * layer(y)`` of a 1x1 convolution."""
        return F.conv2d(y, self.gain * layer.weight, self.gain * layer.bias)


class SelfAttention(Block):
    """Spatial dot-product self-attention (Vaswani et al. 2017; as a residual block: Wang et al.
    2018).

    Each token asks (query), is asked (key) and answers (value), all by 1x1 convolutions to
    C/reduction channels; a last 1x1 convolution leads back to C. A token is a place of the map, or
    of the map averaged down to ``grid`` places a side where it is finer (a subsampling as in Wang
    et al. 2018, section 3.3); the answer is then interpolated.
    """

    def __init__(
        self, channels: int, inner: int, heads: int, temperature: float, gain: float, grid: int
    ):
        super().__init__(gain)
        if inner % heads:
            raise ValueError(
                f"attention heads {heads} given for {inner} inner channels "
                f"({channels} channels over the "
                f"reduction); allowed: a divisor of {inner}"
            )
        self.heads, self.temperature, self.grid = heads, temperature, grid
        self.query, self.key, self.value = (nn.Conv2d(channels, inner, 1) for _ in range(3))
        self.out = nn.Conv2d(inner, channels, 1)

    def change(self, x: Tensor, prior: Tensor | None = None) -> Tensor:
        small = coarse(x, self.grid)  # (B, C, H', W') with N = H' * W' tokens
        q, k, v = (
            self.tokens(layer, small) for layer in (self.query, self.key, self.value)
        )  # each (B, h, N, d)
        mask = None if prior is None else _on_keys(prior).to(q.dtype)
        y = F.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, scale=self.scale()
        )  # (B, h, N, d)
        y = y.transpose(2, 3).flatten(1, 2).unflatten(2, small.shape[2:])  # (B, C/r, H', W')
        y = self.times_gain(self.out, y)  # (B, C, H', W')
        return y if y.shape == x.shape else enlarged(y, tuple(x.shape[2:]))  # (B, C, H, W)

    def tokens(self, layer: nn.Conv2d, x: Tensor) -> Tensor:
        """(B, h, N, d)"""
        y = layer(x).flatten(2)  # (B, h*d, N)
        return y.unflatten(1, (self.heads, -1)).transpose(2, 3)

    def scale(self) -> float:
        """What the dot products are multiplied by: 1 / (temperature * sqrt(d))."""
        return 1 / (self.temperature * (self.query.out_channels // self.heads) ** 0.5)

    def attention_map(self, x: Tensor, prior: Tensor | None = None) -> Tensor:
        """How much each token (third axis) attends to each token (last axis): (B, h, N, N),
        each row sums to 1.
        """
        small = coarse(x, self.grid)
        q, k = self.tokens(self.query, small), self.tokens(self.key, small)
        logits = q @ k.transpose(2, 3) * self.scale()  # (B, h, N, N)
        return torch.softmax(logits if prior is None else logits + _on_keys(prior), dim=-1)


class SqueezeExcitation(Block):
    """Channel attention: each channel times a weight in 0..1 that the map's mean over places
    decides.
    """

    def __init__(self, channels: int, inner: int, gain: float):
        super().__init__(gain)
        self.down, self.up = nn.Linear(channels, inner), nn.Linear(inner, channels)

    def excite(self, squeezed: Tensor) -> Tensor:
        return self.up(F.relu(self.down(squeezed)))  # (B, C), before the sigmoid

    def change(self, x: Tensor, prior: Tensor | None = None) -> Tensor:
        weight = self.gain * torch.sigmoid(self.excite(over_places(x)).float())  # (B, C)
        return Weighted.apply(x, weight.to(x.dtype))


class CBAM(SqueezeExcitation):
    """Channel attention from the mean and the maximum over places, then one spatial mask for
    all channels.
    """

    def __init__(self, channels: int, inner: int, gain: float):
        super().__init__(channels, inner, gain)
        self.spatial = nn.Conv2d(2, 1, 7, padding=3)

    def change(self, x: Tensor, prior: Tensor | None = None) -> Tensor:
        weight = torch.sigmoid(self.excite(over_places(x)) + self.excite(x.amax(dim=(2, 3)))).to(
            x.dtype
        )  # (B, C)
        y = (x * weight[:, :, None, None]).detach()
        top = y.max(dim=1, keepdim=True).indices  # (B, 1, H, W)
        largest = x.gather(1, top) * weight.gather(1, top.flatten(1)).view_as(top)
        mean = (weight[:, None] @ x.flatten(2)).view_as(top) / x.shape[1]
        summary = torch.cat([mean, largest], dim=1).contiguous(
            memory_format=torch.channels_last
        )  # (B, 2, H, W)
        mask = self.gain * torch.sigmoid(self.spatial(summary).float())  # (B, 1, H, W)
        return Weighted.apply(x, weight, mask.to(x.dtype), y)


class Matched(Block):
    """The control: as many weights as ``self``, in 1x1 convolutions that never mix places.

    ``self`` has four C x C/r matrices; this has two of C x 2C/r with a ReLU between them.
    """

    def __init__(self, channels: int, inner: int, gain: float):
        super().__init__(gain)
        self.down, self.up = nn.Conv2d(channels, 2 * inner, 1), nn.Conv2d(2 * inner, channels, 1)

    def change(self, x: Tensor, prior: Tensor | None = None) -> Tensor:
        return self.times_gain(self.up, F.relu(self.down(x)))


def region_prior(
    weights: Mapping[str, float], regions: Mapping[str, Tensor], size: tuple[int, int]
) -> Tensor | None:
    """Log-weights of the tokens.

    Parameters
    ----------
    weights : log-weight of each part.
    regions : masks of the parts, (B, height, width) or (height, width) for all images, 0..1.
    size : the tokens' grid (H, W).

    Returns
    -------
    float (B or 1, H * W): the sum over parts of log-weight times the share of the token that the
    part covers. None where all weights are 0.
    """
    if not any(weights.values()):
        return None
    parts = [part for part, weight in weights.items() if weight]
    if missing := [part for part in parts if part not in regions]:
        raise ValueError(
            f"no mask of {', '.join(missing)} among the regions {sorted(regions)}; "
            "a region_prior needs a "
            "mask of each part it weighs"
        )
    total = sum(weights[part] * _cover(regions[part], size) for part in parts)
    return total.flatten(1)


def _cover(mask: Tensor, size: tuple[int, int]) -> Tensor:
    mask = torch.as_tensor(mask).float()
    mask = mask[None] if mask.ndim == 2 else mask
    return F.adaptive_avg_pool2d(mask[:, None], size)[:, 0]  # (B or 1, H, W)


def _on_keys(prior: Tensor) -> Tensor:
    return prior[:, None, None, :]  # (B or 1, 1, 1, N), the same for every query


def _among(what: str, given, allowed) -> None:
    if given not in allowed:
        raise ValueError(f"{what} {given!r} given; allowed: {', '.join(allowed)}")


def _within(what: str, given, low, high, kind: type = Real) -> None:
    if not isinstance(given, kind) or not low <= given <= high:
        whole = ", a whole number" if kind is Integral else ""
        raise ValueError(f"{what} {given!r} given; allowed: {low} to {high}{whole}")


def _finite(what: str, given) -> None:
    if not isinstance(given, Real) or not isfinite(given):
        raise ValueError(f"{what} {given!r} given; allowed: a finite number")
