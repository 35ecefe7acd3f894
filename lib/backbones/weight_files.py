"""Files of pretrained convolutions: where they are looked for, and what is said without one.

Nothing here loads torch, so that a study is checked in a moment.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from lib.settings.options import ROOT, resolve

BACKBONES = ("alexnet", "vgg11", "vgg13", "vgg16")
FOLDER = ROOT / "data/weights"
# torchvision's files; the last eight hexadecimal digits begin the SHA-256
TORCHVISION_FILES = {
    "alexnet": "alexnet-owt-7be5be79.pth",
    "vgg11": "vgg11-8a719046.pth",
    "vgg13": "vgg13-19584684.pth",
    "vgg16": "vgg16-397923af.pth",
}
# torchvision's second VGG16 set: the VGG group's own convolutions, for pictures of another range
FEATURES_SET = "IMAGENET1K_FEATURES"
FEATURES_FILES = {"vgg16": "vgg16_features-amdegroot-88682ab5.pth"}
OWN = "own"  # the pretraining of a network from outside whose function brings its weights
LARGEST_HEADER = 2**20
# channels of the convolutions, P a pooling layer behind them (Simonyan & Zisserman 2014, table 1)
VGG = {
    "vgg11": "64 P 128 P 256 256 P 512 512 P 512 512",
    "vgg13": "64 64 P 128 128 P 256 256 P 512 512 P 512 512",
    "vgg16": "64 64 P 128 128 P 256 256 256 P 512 512 512 P 512 512 512",
}
# index among the features: (output channels, input channels, size) of each convolution
ALEXNET = {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3), 8: (256, 384, 3), 10: (256, 256, 3)}


class MissingWeights(FileNotFoundError):
    """Wanted weights are not at hand; the message names the remedies."""


class WeightsError(ValueError):
    """A weights file that cannot be used."""


class WrongArchitecture(WeightsError):
    """Weights of another network: convolutions missing, unexpected, or of another shape."""


def find(
    backbone: str,
    pretraining: str,
    *,
    weights_dir: str | Path | None = None,
    face_weights: str | Path | None = None,
) -> Path | None:
    """The file that would be loaded: in ``weights_dir``, then data/weights, then torchvision's
    cache.
    """
    if pretraining == "face":
        return resolve(face_weights) if face_weights and resolve(face_weights).is_file() else None
    folders = [resolve(weights_dir)] if weights_dir else []
    for folder in [*folders, FOLDER]:
        for pattern in patterns(backbone, pretraining):
            if found := sorted(folder.glob(pattern)):
                return found[0]
    cache = hub_folder() / "checkpoints"
    names = cached_names(backbone) if pretraining == "imagenet" else []
    return next((cache / name for name in names if (cache / name).is_file()), None)


def patterns(backbone: str, pretraining: str) -> list[str]:
    """Names of files that hold a backbone's weights, the first choice first."""
    if pretraining != "imagenet":
        return [f"{backbone}_features_{pretraining}.safetensors"]
    return [
        f"{backbone}_features_imagenet1k_v1.safetensors",
        f"{backbone}_features_{FEATURES_SET.lower()}.safetensors",
        *cached_names(backbone),
        f"{backbone}.pth",
        f"{backbone}-*.pth",
    ]


def cached_names(backbone: str) -> list[str]:
    """torchvision's names of its files of a backbone's ImageNet weights."""
    both = TORCHVISION_FILES.get(backbone), FEATURES_FILES.get(backbone)
    return [name for name in both if name]


def is_outside(architecture: str) -> bool:
    """Whether a name in ``networks.architectures`` is that of a network from outside."""
    return ":" in architecture


def from_file(architecture: str) -> bool:
    """Whether a function in a file makes this network, weights included."""
    return is_outside(architecture) and not architecture.startswith(("torchvision:", "timm:"))


def short_name(architecture: str) -> str:
    """``resnet50`` of ``torchvision:resnet50``, the function of ``file.py:function``."""
    return architecture.rpartition(":")[2]


def missing_message(backbone: str, pretraining: str, face_weights: str | Path | None = None) -> str:
    """What is missing and what helps."""
    untrained = (
        "or networks.missing_weights=untrained to go on with untrained "
        "convolutions (objects: with the "
        "project's own, where it has some)"
    )
    if pretraining == "face":
        return (
            f"no file {face_weights!r} (networks.face_weights); allowed: "
            f"a state-dict file of {backbone}; "
            f"{untrained}"
        )
    if pretraining in ("objects", "faces"):
        make = f"`python -m lib.pretraining {pretraining} --keep` makes them"
        return f"no weights of {backbone} pretrained on {pretraining}; {make}; {untrained}"
    return (
        f"no ImageNet weights of {backbone}: `make weights` gets them "
        "once; or weights_dir=<folder that holds "
        f"{backbone}_features_imagenet1k_v1.safetensors or "
        f"{torchvision_file(backbone)}>; {untrained}"
    )


def hub_folder() -> Path:
    """Where torch keeps what it gets: in TORCH_HOME or XDG_CACHE_HOME, or in ~/.cache."""
    cache = os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")
    return Path(os.environ.get("TORCH_HOME", Path(cache) / "torch")).expanduser() / "hub"


def torchvision_file(backbone: str) -> str:
    """The name of torchvision's file; its last eight hexadecimal digits begin the SHA-256."""
    return TORCHVISION_FILES[backbone]


def convolution_shapes(backbone: str) -> dict[str, tuple[int, ...]]:
    """``features.0.weight`` … and its shape, for every convolution of torchvision's network."""
    shapes = {}
    for index, (outputs, inputs, size) in _convolutions(backbone):
        shapes[f"features.{index}.weight"] = (outputs, inputs, size, size)
        shapes[f"features.{index}.bias"] = (outputs,)
    return shapes


def _convolutions(backbone: str) -> Iterator[tuple[int, tuple[int, int, int]]]:
    if backbone == "alexnet":
        yield from ALEXNET.items()
        return
    index = 0
    inputs = 3
    for word in VGG[backbone].split():
        if word == "P":
            index += 1
            continue
        yield index, (int(word), inputs, 3)
        inputs = int(word)
        index += 2  # a ReLU behind each


def is_whole(path: Path, backbone: str) -> bool:
    """Whether a safetensors file is all there and its header names exactly a backbone's tensors.

    False says nothing but that: only ``lib.backbones.weights.load`` says what is wrong, or reads
    what is wrapped otherwise.
    """
    try:
        header, length = _header(path)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False
    wanted = convolution_shapes(backbone)
    for name in [name for name in wanted if header.get(name, {}).get("dtype") == "I8"]:
        wanted[name.replace(".weight", ".scale")] = wanted[name][:1]
    shapes = {name: tuple(one["shape"]) for name, one in header.items()}
    return shapes == wanted and length == path.stat().st_size


def _header(path: Path) -> tuple[dict, int]:
    """A safetensors file's tensors, and the length that it must have.

    Raises
    ------
    ValueError : no such file.
    """
    with open(path, "rb") as handle:
        size = int.from_bytes(handle.read(8), "little")
        if path.suffix != ".safetensors" or size > LARGEST_HEADER:
            raise ValueError(f"{path}: not a safetensors file")
        header = json.loads(handle.read(size))
    header.pop("__metadata__", None)
    return header, 8 + size + max(one["data_offsets"][1] for one in header.values())
