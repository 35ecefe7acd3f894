"""Batch normalisation that helps in pretraining and is gone afterwards.

Behind every convolution y = W x + b stands a normalisation (Ioffe & Szegedy 2015) that in eval mode
is one more linear step, s (y - m) + t with s = gamma / sqrt(variance + eps). Both are one
convolution: weights s W, bias s (b - m) + t.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def normalised(features: nn.Sequential) -> nn.Sequential:
    """The same layers, trainable, with a batch normalisation behind every convolution."""
    layers: list[nn.Module] = []
    for layer in features:
        layers.append(layer)
        if isinstance(layer, nn.Conv2d):
            layers.append(nn.BatchNorm2d(layer.out_channels))
    return nn.Sequential(*layers).requires_grad_(True).train()


def folded(features: nn.Sequential) -> dict[str, Tensor]:
    """The tensors of plain convolutions that do what ``features`` do in eval mode.

    Parameters
    ----------
    features : of ``normalised``: every convolution is followed by its normalisation.

    Returns
    -------
    ``N.weight`` and ``N.bias``, fp32, N counted without the normalisations, as torchvision's plain
    networks do.
    """
    tensors = {}
    place = 0
    layers = list(features)
    for i, layer in enumerate(layers):
        if isinstance(layer, nn.BatchNorm2d):
            continue
        if isinstance(layer, nn.Conv2d):
            weight, bias = _fold(layer, layers[i + 1])
            tensors[f"{place}.weight"] = weight
            tensors[f"{place}.bias"] = bias
        place += 1
    return tensors


@torch.no_grad()
def _fold(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weight = convolution.weight * scale.view(-1, 1, 1, 1)
    bias = (convolution.bias - norm.running_mean) * scale + norm.bias
    return weight.float().cpu().contiguous(), bias.float().cpu().contiguous()
