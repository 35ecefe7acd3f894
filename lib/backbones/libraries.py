"""Networks of torchvision and timm by name, with weights from files, without their last layer."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.backbones import weights
from lib.backbones.inputs import MEAN, SPREAD
from lib.backbones.refusals import SIZE, OutsideError, layers_message, refuse_unknown_layer
from lib.backbones.state_dicts import read_state
from lib.backbones.vision import torchvision
from lib.backbones.weight_files import (
    BACKBONES,
    FOLDER,
    MissingWeights,
    WrongArchitecture,
    hub_folder,
)
from lib.settings.options import resolve
from lib.storage.files import file_hash


@dataclass(frozen=True)
class Found:
    """A module as its library or function made it, and what it wants."""

    module: nn.Module
    layer: str | None  # whose output the head reads; None: the module's own output
    transform: Callable[[Tensor], Tensor] | None  # of RGB in 0 … 1; None: ImageNet's mean and SD
    proof: dict  # a row of table ``weights``


def own_classifier(architecture: str) -> bool:
    """Whether the head is the network's own classifier, as of AlexNet and the VGGs."""
    return architecture.startswith(("torchvision:alexnet", "torchvision:vgg"))


def by_name(
    architecture: str,
    pretraining: str,
    layer: str | None,
    weights_dir: str | Path | None,
    face_weights: str | Path | None,
) -> Found:
    """torchvision's or timm's network, with its weights, without its last layer."""
    library, _, name = architecture.partition(":")
    make = {"torchvision": torchvision_network, "timm": timm_network}[library]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(weights.INIT_SEED)
        module, transform = make(name)
    initialise(module)
    proof = fill(module, name, architecture, pretraining, weights_dir, face_weights)
    if layer is not None:
        refuse_unknown_layer(module, layer, architecture)
    elif own_classifier(architecture):
        module.classifier = nn.Identity()
        layer = "avgpool"
    else:
        drop_last_linear(module, architecture)
    return Found(module.eval(), layer, transform, proof)


def torchvision_network(name: str) -> tuple[nn.Module, Callable | None]:
    """A classification network of torchvision, fresh, and the transform of its default weights."""
    known = torchvision.models.list_models(module=torchvision.models)
    if name not in known:
        raise OutsideError(f"torchvision has no {name!r}; it has {', '.join(known)}")
    more = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    wanted = torchvision.models.get_model_weights(name).DEFAULT.transforms()
    return torchvision.models.get_model(name, weights=None, **more), normalised(
        wanted.crop_size[0], wanted.mean, wanted.std
    )


def timm_network(name: str) -> tuple[nn.Module, Callable | None]:
    """A network of timm, fresh, and the transform that its configuration names."""
    try:
        import timm  # an extra: most studies need none of its networks
    except ImportError:
        raise OutsideError(
            f"'timm:{name}' needs the package timm, which is not installed: pip install timm. Or "
            "take torchvision:NAME, or a function in a file of your own"
        ) from None
    if not timm.is_model(name):
        close = ", ".join(difflib.get_close_matches(name, timm.list_models(), n=8))
        raise OutsideError(f"timm has no {name!r}; close to it: {close or 'none'}")
    module = timm.create_model(name, pretrained=False)
    wanted = timm.data.resolve_data_config({}, model=module)
    return module, normalised(wanted["input_size"][-1], wanted["mean"], wanted["std"])


def normalised(size: int, mean: tuple, spread: tuple) -> Callable | None:
    """Resize, less the mean, over the SD; None where that is what ``preprocess`` has done."""
    if size == SIZE and tuple(mean) == MEAN and tuple(spread) == SPREAD:
        return None

    def transform(x: Tensor) -> Tensor:
        if size != x.shape[-1]:
            x = F.interpolate(x, (size, size), mode="bilinear", antialias=True)
        return (x - x.new_tensor(mean).view(3, 1, 1)) / x.new_tensor(spread).view(3, 1, 1)

    return transform


def initialise(module: nn.Module) -> None:
    """He initialisation of the convolutions, as of the workbook's own untrained networks."""
    generator = torch.Generator().manual_seed(weights.INIT_SEED)
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def fill(
    module: nn.Module,
    name: str,
    architecture: str,
    pretraining: str,
    weights_dir: str | Path | None,
    face_weights: str | Path | None,
) -> dict:
    """Put the weights of a file into a fresh network, its last layer aside: their proof."""
    if pretraining == "untrained":
        digest = weights.features_hash(nn.Sequential(module))
        return weights.proof_of(f"fresh, seed {weights.INIT_SEED}", digest, "untrained")
    if name in BACKBONES:
        own = {"weights_dir": weights_dir, "face_weights": face_weights}
        loaded = weights.load(name, pretraining, **own)
        module.features = loaded.features
        return loaded.proof
    path = find(name, pretraining, weights_dir, face_weights)
    if path is None:
        raise MissingWeights(
            f"no {pretraining} weights of {architecture}; put them into weights_dir as {name}.pth "
            "(a state dict; a run downloads nothing), or networks.missing_weights=untrained"
        )
    tensors = read_state(path)
    inside = module.state_dict()
    fits = {k: v for k, v in tensors.items() if k in inside and v.shape == inside[k].shape}
    last = set(list(inside)[-2:])  # weight and bias of the last layer, which is replaced
    if missing := [key for key in inside if key not in fits and key not in last]:
        raise WrongArchitecture(
            f"{path}: weights of another network than {architecture}: {len(missing)} of "
            f"{len(inside)} tensors are missing or of another shape, such as {missing[0]}"
        )
    differs = sum(not torch.equal(inside[k], v) for k, v in fits.items())
    module.load_state_dict(inside | fits)
    kept = weights.shown(path), file_hash(path)
    return weights.proof_of(*kept, pretraining, len(fits), differs)


def find(
    name: str, pretraining: str, weights_dir: str | Path | None, face_weights: str | Path | None
) -> Path | None:
    """The file of a whole network's weights: in weights_dir, data/weights, torchvision's cache."""
    if pretraining == "face":
        return resolve(face_weights) if face_weights and resolve(face_weights).is_file() else None
    if pretraining != "imagenet":
        return None
    names = [f"{name}{suffix}" for suffix in (".safetensors", ".pth", ".bin")]
    if name in torchvision.models.list_models():
        entries = torchvision.models.get_model_weights(name)
        names += [entry.url.rsplit("/", 1)[1] for entry in entries]
    folders = [resolve(weights_dir)] if weights_dir else []
    folders += [FOLDER, hub_folder() / "checkpoints"]
    return next((d / n for d in folders for n in names if (d / n).is_file()), None)


def drop_last_linear(module: nn.Module, architecture: str) -> None:
    """Let the network end with what its last linear layer gets."""
    linear = [name for name, layer in module.named_modules() if isinstance(layer, nn.Linear)]
    if not linear:
        raise OutsideError(
            f"{architecture} ends without a linear layer; name the layer that the head reads in "
            f"networks.layer. {layers_message(module)}"
        )
    module.set_submodule(linear[-1], nn.Identity())
