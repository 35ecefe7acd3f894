"""Pretrained convolutions: where they are found, what is refused, and the proof that they are in
the network.

``python -m lib.weights`` (``make weights``) gets torchvision's ImageNet weights once; nothing else
here uses the network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from lib.backbones.inputs import INPUTS, OtherInput
from lib.backbones.packing import unpack
from lib.backbones.state_dicts import is_vgg_face, read_state, vgg_names
from lib.backbones.vision import torchvision
from lib.backbones.weight_files import (
    BACKBONES,
    FEATURES_SET,
    MissingWeights,
    WeightsError,
    WrongArchitecture,
    find,
    missing_message,
)
from lib.settings.options import ROOT
from lib.storage.files import file_hash

INIT_SEED = 0  # one initialisation for all untrained networks: the head's seeds are the replicates


@dataclass(frozen=True)
class Loaded:
    """Convolutions and the proof of where they come from (a row of table ``weights`` without
    its first columns).
    """

    features: nn.Sequential
    proof: dict


def load(
    backbone: str,
    pretraining: str,
    *,
    weights_dir: str | Path | None = None,
    face_weights: str | Path | None = None,
) -> Loaded:
    """Convolutions with their weights, and the proof.

    Parameters
    ----------
    backbone : ``alexnet``, ``vgg11``, ``vgg13`` or ``vgg16``.
    pretraining : ``untrained`` is He initialisation from one fixed seed; the others read a file.

    Raises
    ------
    MissingWeights : no file, with the remedies. WeightsError : a file that cannot be used.
    """
    features = new_features(backbone)
    if pretraining == "untrained":
        source = f"He initialisation, seed {INIT_SEED}"
        return Loaded(features, proof_of(source, features_hash(features), "untrained"))
    path = find(backbone, pretraining, weights_dir=weights_dir, face_weights=face_weights)
    if path is None:
        raise MissingWeights(missing_message(backbone, pretraining, face_weights))
    tensors, name = read_set(path, pretraining)
    check(tensors, features, path)
    features.load_state_dict(tensors)
    if name in INPUTS:
        features[0] = OtherInput(features[0], name).requires_grad_(False).eval()
    return Loaded(features, prove(features, tensors, path, backbone, name))


def proof_of(source: str, sha256: str, name: str, loaded: int = 0, differs: int = 0) -> dict:
    """A row of table ``weights`` without its first columns."""
    return {
        "source": source,
        "weights_set": name,
        "sha256": sha256,
        "loaded_keys": loaded,
        "missing": "",
        "unexpected": "",
        "differs_from_init": differs,
    }


def prove(
    features: nn.Sequential, tensors: Mapping[str, Tensor], path: Path, backbone: str, name: str
) -> dict:
    """What is in the network, looked up in the network itself after loading.

    ``loaded_keys`` counts its tensors that equal the file's; ``differs_from_init`` those that
    differ from a fresh initialisation; ``weights_set`` is ``name``.

    Raises
    ------
    WeightsError : not every tensor is loaded, or not one differs from a fresh initialisation.
    """
    inside = features.state_dict()
    fresh = new_features(backbone).state_dict()
    loaded = sum(torch.equal(inside[k], v) for k, v in tensors.items())
    differs = sum(not torch.equal(inside[k], fresh[k]) for k in inside)
    if loaded != len(inside) or differs != len(inside):
        raise WeightsError(
            f"{path.name}: of {len(inside)} convolutional tensors in the network {loaded} equal "
            f"the file's and {differs} differ from a fresh initialisation; both must be all of them"
        )
    return proof_of(shown(path), file_hash(path), name, loaded, differs)


def read(path: str | Path) -> dict[str, Tensor]:
    """The convolutional tensors of a file; see ``read_set``."""
    return read_set(Path(path))[0]


def read_set(path: Path, pretraining: str = "file") -> tuple[dict[str, Tensor], str]:
    """The convolutional tensors of a file, and what the set is called in table ``weights``.

    Returns
    -------
    fp32 tensors named ``N.weight``, ``N.bias`` (N: index among the features); int8 weights are
    multiplied by their scales (``lib.backbones.packing``).

    Raises
    ------
    WeightsError : a file that ``lib.backbones.state_dicts`` refuses, or without such tensors.
    """
    named = read_state(path)
    name = set_name(path, named, pretraining)
    named = vgg_names(named) if is_vgg_face(named) else named
    try:
        whole = unpack({k: v for k, v in named.items() if k.startswith("features.")})
    except ValueError as error:
        raise WeightsError(f"{path}: {error}") from None
    tensors = {k.removeprefix("features."): v for k, v in whole.items()}
    if not tensors:
        raise WeightsError(
            f"{path}: holds no tensor named features.N.weight; found "
            f"{', '.join(list(named)[:3])}; allowed: torchvision's names, or VGG-Face's conv1_1 …"
        )
    return tensors, name


def set_name(path: Path, named: Mapping[str, Tensor], pretraining: str) -> str:
    """``IMAGENET1K_V1``, ``IMAGENET1K_FEATURES``, ``VGG-Face``, or the pretraining's own name."""
    if is_vgg_face(named):
        return "VGG-Face"
    if "_features-" in path.name or FEATURES_SET.lower() in path.name:
        return FEATURES_SET
    return "IMAGENET1K_V1" if pretraining == "imagenet" else pretraining


def check(tensors: Mapping[str, Tensor], features: nn.Sequential, path: Path) -> None:
    """WrongArchitecture unless names and shapes are exactly those of ``features``."""
    wanted = features.state_dict()
    problems = [f"features.{k} is missing" for k in wanted if k not in tensors]
    problems += [f"features.{k} is unexpected" for k in tensors if k not in wanted]
    problems += [
        f"features.{k} has shape {tuple(v.shape)}, needed is {tuple(wanted[k].shape)}"
        for k, v in tensors.items()
        if k in wanted and v.shape != wanted[k].shape
    ]
    if problems:
        more = f", and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise WrongArchitecture(
            f"{path}: weights of another network: {'; '.join(problems[:3])}{more}"
        )


def new_features(backbone: str, seed: int = INIT_SEED) -> nn.Sequential:
    """torchvision's convolutions, He-initialised (He et al. 2015, fan-in) with zero biases, in
    eval mode.
    """
    if backbone not in BACKBONES:
        raise ValueError(f"backbone {backbone!r} given; allowed: {', '.join(BACKBONES)}")
    with torch.device("meta"):
        features = getattr(torchvision.models, backbone)().features
    features = features.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(seed)
    for layer in features:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            nn.init.zeros_(layer.bias)
    return features.requires_grad_(False).eval()


def features_hash(features: nn.Sequential) -> str:
    """SHA-256 of the tensors' names, shapes and bytes: the same whichever file they came from.

    Modules that tell a ``name`` (another input, a network from outside) have it in the hash.
    """
    tensors = sorted(features.state_dict().items())
    names = [module.name for module in features.modules() if hasattr(module, "name")]
    version = [(name, tensor.data_ptr(), tensor._version) for name, tensor in tensors]
    known, digest = _hashes.get(features, (None, ""))
    if (
        known != version
    ):  # hashing a VGG's 60 MB takes long for what every batch of pictures may ask
        whole = hashlib.sha256("".join(names).encode())
        for name, tensor in tensors:
            whole.update(f"{name}{tuple(tensor.shape)}".encode())
            whole.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        digest = whole.hexdigest()
        _hashes[features] = version, digest
    return digest


_hashes: WeakKeyDictionary[nn.Module, tuple[list, str]] = WeakKeyDictionary()


def torchvision_weights(backbone: str) -> torchvision.models.WeightsEnum:
    """torchvision's own record of its ImageNet weights, which knows their address."""
    return torchvision.models.get_model_weights(backbone).IMAGENET1K_V1


def shown(path: Path) -> str:
    """A file's path from the project's root, or its name alone where it lies elsewhere."""
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
