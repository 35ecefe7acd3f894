"""Where the five locations of a study lie among torchvision's layers."""

from __future__ import annotations

from torch import nn

from lib.settings.options import LOCATIONS


def relu_index(features: nn.Sequential, location: str) -> int:
    """Index of the ReLU that a location names: of the k-th convolution in AlexNet, of block k's
    last in a VGG.

    Raises
    ------
    ValueError : a location that is not known.
    """
    if location not in LOCATIONS:
        raise ValueError(f"location {location!r} given; allowed: {', '.join(LOCATIONS)}")
    relus = [i for i, layer in enumerate(features) if isinstance(layer, nn.ReLU)]
    if len(relus) > len(LOCATIONS):  # a VGG: five blocks, each closed by a pooling
        relus = [i - 1 for i, layer in enumerate(features) if isinstance(layer, nn.MaxPool2d)]
    return relus[LOCATIONS.index(location)]


def block_channels(features: nn.Sequential, location: str) -> int:
    """Channels of the feature map at a location."""
    convolutions = [
        x for x in features[: relu_index(features, location)] if isinstance(x, nn.Conv2d)
    ]
    return convolutions[-1].out_channels


def layer_at(network: nn.Module, location: str) -> nn.Module:
    """The layer whose output is the feature map of ``location``, behind an attention block that
    sits there.
    """
    return (
        network.block
        if location == network.location
        else network.features[relu_index(network.features, location)]
    )


def grid_size(features: nn.Sequential, cut: int, size: int = 224) -> tuple[int, int]:
    """(H, W) of the feature map behind ``features[:cut]`` for images of ``size``."""
    for layer in features[:cut]:
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            kernel, stride, padding = map(_one, (layer.kernel_size, layer.stride, layer.padding))
            size = (size + 2 * padding - kernel) // stride + 1
    return size, size


def _one(sides: int | tuple[int, int]) -> int:
    """The first of two sides that are alike."""
    return sides[0] if isinstance(sides, tuple) else sides
