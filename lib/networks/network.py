"""The networks: torchvision's AlexNet and VGGs with two outputs, and FE-AlexNet, AlexNet with
an attention stage.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from lib.backbones import outside, weights
from lib.backbones.inputs import preprocess
from lib.backbones.libraries import own_classifier
from lib.backbones.outside import Body
from lib.backbones.vision import torchvision
from lib.backbones.weight_files import is_outside, short_name
from lib.morphs.hiding import box_regions
from lib.networks.attention import Attention, make_block
from lib.networks.design import Cell, cells
from lib.networks.layers import block_channels, grid_size, layer_at, relu_index
from lib.networks.part_maps import guidance_loss, guide_map, region_prior
from lib.settings.options import ARCHITECTURES, Morphs, Study

__all__ = [
    "Attention",
    "Cell",
    "Network",
    "build_cell",
    "build_network",
    "cells",
    "layer_at",
    "parameter_counts",
    "preprocess",
]

PRETRAININGS = ("imagenet", "face", "untrained", "objects", "faces", "own")


class Network(nn.Module):
    """Frozen convolutions, an attention block among them or none, and a classifier that is trained.

    ``features`` and ``classifier`` are torchvision's. ``cut`` splits the way of an image: ``front``
    is what never changes (the convolutions up to the block, or all of them), ``back`` is the rest,
    beginning with the block.
    ``location`` names where the block sits; None where the network has none.
    """

    def __init__(
        self,
        features: nn.Sequential,
        classifier: nn.Sequential,
        block: nn.Module,
        location: str | None = None,
    ):
        super().__init__()
        self.features = features.requires_grad_(False)
        self.block = block
        self.classifier = classifier
        self.location = location
        self.cut = len(features) if location is None else relu_index(features, location) + 1
        self.maps = not isinstance(features[-1], Body)  # whether its layers can be looked into
        widths = [layer.out_channels for layer in features if isinstance(layer, nn.Conv2d)]
        channels = widths[-1] if self.maps else features[-1].shape[0]
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("spread", torch.ones(channels, 1, 1))
        self.register_buffer("prior", None)
        self.register_buffer("guide", None, persistent=False)
        self.guidance = 0.0

    def train(self, mode: bool = True) -> Network:
        """Training mode for block and classifier; the frozen convolutions stay as they are."""
        super().train(mode)
        self.features.eval()
        return self

    def forward(self, x: Tensor, prior: Tensor | None = None, *, start: int = 0) -> Tensor:
        """Logits (B, 2), order negative, positive.

        Parameters
        ----------
        x : ``preprocess``-ed pictures (B, 3, 224, 224), or what the first ``start`` modules of the
            features made of them, (B, C, H, W).
        prior : (B or 1, H * W), takes the place of the network's own.
        """
        x = self.block(self.features[start : self.cut](x), self.prior if prior is None else prior)
        x = self.features[self.cut :](x)  # (B, C, 6, 6) in AlexNet, (B, C, 7, 7) in a VGG
        x = ((x - self.mean) / self.spread).flatten(1)
        x = self.classifier[:-1](x)
        with torch.autocast(
            x.device.type, enabled=False
        ):  # the answer itself in fp32: bf16 has three digits
            return self.classifier[-1](x.float())

    def attention_map(self, images: Tensor) -> Tensor:
        """How much each place attends to each other, (B, heads, N, N); ValueError without
        self-attention.
        """
        if not hasattr(self.block, "attention_map"):
            raise ValueError(
                f"this network's block is {type(self.block).__name__}; only kind 'self' has a map"
            )
        return self.block.attention_map(self.features[: self.cut](images), self.prior)

    def standardise(self, mean: Tensor, spread: Tensor) -> None:
        """Set the channels' mean and standard deviation, (C,), taken off in front of the
        classifier.
        """
        self.mean.copy_(mean.view_as(self.mean))
        self.spread.copy_(spread.clamp_min(1e-6).view_as(self.spread))

    def set_regions(self, attention: Attention, regions: Mapping[str, Tensor]) -> None:
        """Turn part masks into the attention's prior, and into where a guide draws it.

        Masks are (height, width), or (n, height, width), which are averaged.
        """
        size = tuple(min(side, attention.grid) for side in grid_size(self.features, self.cut))
        shared = {
            part: torch.as_tensor(mask).float().reshape(-1, *mask.shape[-2:]).mean(0)
            for part, mask in regions.items()
        }
        prior = region_prior(attention.region_weights(), shared, size)
        self.prior = None if prior is None else prior.to(self.mean.device)
        self.guidance = attention.guidance if attention.guide else 0.0
        self.guide = None
        if attention.guide:
            self.guide = guide_map(attention.guide, shared, size).to(self.mean.device)

    def guidance_loss(self, cached: Tensor) -> Tensor | float:
        """What a guide adds to the loss: how far attention is from where people look.

        0 without a guide; see ``lib.networks.part_maps.guidance_loss``.
        """
        if self.guide is None:
            return 0.0
        weights = self.block.attention_map(cached, self.prior)
        return self.guidance * guidance_loss(weights, self.guide)

    def trained(self) -> dict[str, nn.Parameter]:
        """The parameters that training changes, by name."""
        return {name: p for name, p in self.named_parameters() if p.requires_grad}


def build_network(
    architecture: str,
    *,
    pretraining: str,
    attention: Attention | None = None,
    n_classes: int = 2,
    weights_dir: str | Path | None = None,
    seed: int | None = 0,
    face_weights: str | Path | None = None,
    dropout: float = 0.5,
    layer: str | None = None,
    pooling: str = "pooled",
) -> Network:
    """An untrained head on frozen convolutions.

    Parameters
    ----------
    architecture : ``alexnet``, ``vgg11``, ``vgg13``, ``vgg16`` or ``fe_alexnet``, which is AlexNet
        with attention; or a network from outside, see ``lib.backbones.outside.load``.
    pretraining : ``imagenet``, ``face`` (the file ``face_weights``), ``objects``, ``faces``,
        ``untrained``; ``own`` for a function in a file.
    attention : None is the default ``Attention()`` for ``fe_alexnet`` and no attention for the
        others.
    weights_dir : where pretrained weights are looked for first.
    layer, pooling : from outside: what the head reads.
    seed : decides the head and the block; None leaves the head empty, to be loaded. The head does
        not depend on the block, so that at gain 0 FE-AlexNet and AlexNet of one seed are the same
        function.

    Raises
    ------
    ValueError : a name that is not known, with the allowed ones.
    lib.backbones.weights.MissingWeights : the weights are not at hand, with the remedies.
    lib.backbones.weights.WeightsError : the weights cannot be used.
    """
    files = {"weights_dir": weights_dir, "face_weights": face_weights}
    _among("pretraining", pretraining, PRETRAININGS)
    if is_outside(architecture):
        loaded = outside.load(architecture, pretraining, layer=layer, pooling=pooling, **files)
        head = outside_head(architecture, loaded.features[0], layer, n_classes, seed, dropout)
        return Network(loaded.features, head, make_block(None, 0, None)).eval()
    _among("architecture", architecture, ARCHITECTURES)
    backbone = "alexnet" if architecture == "fe_alexnet" else architecture
    if architecture == "fe_alexnet" and attention is None:
        attention = Attention()
    features = weights.load(backbone, pretraining, **files).features
    network = Network(
        features,
        make_classifier(backbone, n_classes, seed, dropout),
        *_place(attention, features, seed),
    )
    if attention is not None and (attention.region_prior or attention.guide):
        network.set_regions(attention, box_regions(Morphs().boxes))
    return network.eval()


def build_cell(cell: Cell, study: Study, *, empty: bool = False) -> Network:
    """The untrained network of a cell, with the study's weights, dropout and face boxes;
    ``empty`` to be loaded.
    """
    own = cell.architecture in ARCHITECTURES
    architecture = cell.architecture if own else cell.backbone
    network = build_network(
        architecture,
        pretraining=cell.pretraining,
        attention=cell.attention,
        seed=None if empty else cell.seed,
        weights_dir=study.weights_dir,
        face_weights=study.networks.face_weights,
        dropout=study.training.dropout,
        layer=study.networks.layer,
        pooling=study.networks.pooling,
    )
    if cell.attention is not None:
        network.set_regions(cell.attention, box_regions(study.morphs.boxes))
    return network


def _among(what: str, given: str, allowed: tuple[str, ...]) -> None:
    if given not in allowed:
        raise ValueError(f"{what} {given!r} given; allowed: {', '.join(allowed)}")


def outside_head(
    architecture: str,
    body: Body,
    layer: str | None,
    n_classes: int,
    seed: int | None,
    dropout: float,
) -> nn.Sequential:
    """The head of a network from outside: one linear layer; of AlexNet and the VGGs their own."""
    if own_classifier(architecture) and layer is None:
        return make_classifier(short_name(architecture), n_classes, seed, dropout)
    linear = nn.Linear(math.prod(body.shape), n_classes)
    default_linear(linear, torch.Generator().manual_seed(seed or 0))
    return nn.Sequential(nn.Dropout(dropout), linear)


def default_linear(layer: nn.Linear, generator: torch.Generator) -> None:
    """torch's own initialisation of a linear layer, from a generator."""
    bound = layer.in_features**-0.5
    nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
    nn.init.uniform_(layer.bias, -bound, bound, generator=generator)


def _place(
    attention: Attention | None, features: nn.Sequential, seed: int | None
) -> tuple[nn.Module, str | None]:
    """The block and its location, from a generator of its own."""
    if attention is None:
        return make_block(None, 0, None), None
    channels = block_channels(features, attention.location)
    generator = torch.Generator().manual_seed(1_000_003 + (seed or 0))
    return make_block(attention, channels, generator), attention.location


def make_classifier(
    backbone: str, n_classes: int, seed: int | None, dropout: float
) -> nn.Sequential:
    """torchvision's classifier with ``n_classes`` outputs, initialised as torchvision does,
    from ``seed``.
    """
    with torch.device("meta"):  # neither memory nor time for what is not wanted or written anew
        classifier = getattr(torchvision.models, backbone)(
            num_classes=n_classes, dropout=dropout
        ).classifier
    classifier = classifier.to_empty(device="cpu")
    if seed is None:
        return classifier
    generator = torch.Generator().manual_seed(seed)
    for layer in classifier:
        if not isinstance(layer, nn.Linear):
            continue
        if backbone == "alexnet":  # torch's default for a linear layer
            default_linear(layer, generator)
        else:
            nn.init.normal_(layer.weight, 0, 0.01, generator=generator)
            nn.init.zeros_(layer.bias)
    return classifier


def parameter_counts(network: nn.Module) -> dict[str, int]:
    """How many parameters each stage has, and how many of all are trained."""
    stages = {
        name: sum(p.numel() for p in getattr(network, name).parameters())
        for name in ("features", "block", "classifier")
    }
    trained = sum(p.numel() for p in network.parameters() if p.requires_grad)
    return {**stages, "all": sum(stages.values()), "trained": trained}
