"""Networks from outside: torchvision's and timm's by name, anybody's by a function in a file.

``torchvision:resnet50``, ``timm:NAME``, ``path/to/file.py:function``. Each becomes frozen features
that take the same pictures as the workbook's own networks and end in one map, (B, C, h, w), that a
new head reads. What such networks get wrong is refused before anything is trained.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn

from lib.backbones import weights
from lib.backbones.inputs import MEAN, SPREAD
from lib.backbones.libraries import Found, by_name, own_classifier
from lib.backbones.refusals import (
    OutsideError,
    check,
    layers_message,
    refuse_training_mode,
    refuse_unknown_layer,
)
from lib.backbones.weight_files import OWN, from_file, is_outside
from lib.settings.options import Study, resolve
from lib.storage.files import file_hash


class Body(nn.Module):
    """A network up to the layer that the head reads, from ``preprocess``-ed pictures on."""

    def __init__(self, found: Found, pooling: str, name: str):
        """``name`` is part of the features' hash; ``pooling`` is ``pooled`` or ``flattened``."""
        super().__init__()
        self.module = found.module
        self.transform = found.transform
        self.layer = found.layer
        self.pooling = pooling
        self.name = f"{name} {found.layer} {pooling}"

    def forward(self, x: Tensor) -> Tensor:
        """Pictures (B, 3, 224, 224) to a map (B, C, h, w); h = w = 1 where places are pooled."""
        return as_map(self.output(self.wanted(x)), self.pooling)

    def wanted(self, x: Tensor) -> Tensor:
        """The pictures as the module wants them."""
        if self.transform is None:
            return x
        mean, spread = (x.new_tensor(numbers).view(3, 1, 1) for numbers in (MEAN, SPREAD))
        return self.transform((x * spread + mean).clamp(0, 1))

    def output(self, x: Tensor) -> Tensor:
        """What the layer makes of pictures that the module wants."""
        if self.layer is None:
            return self.module(x)
        kept = []
        handle = self.module.get_submodule(self.layer).register_forward_hook(
            lambda _module, _inputs, output: kept.append(output)
        )
        try:
            self.module(x)
        finally:
            handle.remove()
        if not kept:
            raise OutsideError(f"layer {self.layer!r} is never run; {layers_message(self.module)}")
        return kept[-1]


def as_map(output: Tensor, pooling: str) -> Tensor:
    """A layer's output as (B, C, h, w).

    Maps are (B, C, h, w), or (B, h, w, C) where that is the square one; tokens are (B, N, C).
    """
    if output.ndim == 4 and output.shape[1] == output.shape[2] != output.shape[3]:
        output = output.permute(0, 3, 1, 2)
    if output.ndim == 3:
        output = output.transpose(1, 2)[..., None]  # (B, C, N, 1)
    output = output.flatten(1)[..., None, None] if output.ndim == 2 else output
    return F.adaptive_avg_pool2d(output, 1) if pooling == "pooled" else output


def load_backbone(study: Study, backbone: str, pretraining: str) -> weights.Loaded:
    """Frozen features by name, as a study asks for them: the workbook's own or from outside."""
    files = {"weights_dir": study.weights_dir, "face_weights": study.networks.face_weights}
    if not is_outside(backbone):
        return weights.load(backbone, pretraining, **files)
    reading = {"layer": study.networks.layer, "pooling": study.networks.pooling}
    return load(backbone, pretraining, **reading, **files)


def load(
    architecture: str,
    pretraining: str,
    *,
    layer: str | None = None,
    pooling: str = "pooled",
    weights_dir: str | Path | None = None,
    face_weights: str | Path | None = None,
) -> weights.Loaded:
    """Frozen features of a network from outside, checked, with the proof of their weights.

    Parameters
    ----------
    architecture : ``torchvision:NAME``, ``timm:NAME``, ``path/to/file.py:function``.
    pretraining : ``own`` for a file's function; else as for the workbook's own networks.
    layer : of torchvision's and timm's; None takes what the last linear layer gets (AlexNet, the
        VGGs: what their classifier gets, all places).
    pooling : ``pooled`` (mean over places or tokens) or ``flattened``.

    Raises
    ------
    OutsideError : a network that cannot be used, with the remedy.
    lib.backbones.weights.MissingWeights : no file of weights, with the remedies.
    """
    if from_file(architecture):
        found = call_function(architecture)
        name = f"{architecture} {file_hash(resolve(architecture.rpartition(':')[0]))}"
    else:
        found = by_name(architecture, pretraining, layer, weights_dir, face_weights)
        name = architecture
    if own_classifier(architecture) and layer is None:
        pooling = "flattened"
    body = Body(found, pooling, name).requires_grad_(False)
    check(body, architecture)
    return weights.Loaded(nn.Sequential(body).eval(), found.proof)


def call_function(architecture: str) -> Found:
    """What a file's function returns: module, layer's name, transform."""
    place, _, function = architecture.rpartition(":")
    path = resolve(place)
    if not path.is_file():
        raise OutsideError(f"networks.architectures {architecture!r}: there is no file {path}")
    spec = importlib.util.spec_from_file_location(f"network_{path.stem}", path)
    code = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(code)
        made = getattr(code, function)()
    except Exception as error:  # anything may go wrong in somebody's file
        raise OutsideError(
            f"networks.architectures {architecture!r}: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(made, tuple) or len(made) != 3 or not isinstance(made[0], nn.Module):
        raise OutsideError(
            f"{architecture}: the function returns {type(made).__name__}; wanted: a module, the "
            "name of the layer that the head reads, and the transform of pictures (RGB in 0 … 1, "
            "float (B, 3, 224, 224)) or None for ImageNet's mean and SD"
        )
    module, layer, transform = made
    refuse_training_mode(module, architecture)
    refuse_unknown_layer(module, layer, architecture)
    digest = weights.features_hash(nn.Sequential(module))
    proof = weights.proof_of(architecture, digest, OWN, len(module.state_dict()))
    return Found(module.eval(), layer, tensors_alone(transform), proof)


def tensors_alone(transform: Callable | None) -> Callable | None:
    """A torchvision Compose without the steps that make tensors of pictures: they are tensors."""
    steps = getattr(transform, "transforms", None)
    if steps is None:
        return transform
    made = ("ToTensor", "PILToTensor", "ToPILImage", "ToImage", "MaybeToTensor")
    kept = [step for step in steps if type(step).__name__ not in made]
    return nn.Sequential(*kept) if all(isinstance(s, nn.Module) for s in kept) else _all(kept)


def _all(steps: list[Callable]) -> Callable[[Tensor], Tensor]:
    def run(x: Tensor) -> Tensor:
        for step in steps:
            x = step(x)
        return x

    return run
