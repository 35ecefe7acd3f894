"""Files of weights as people have them: which are read, which are refused, and plain names.

A file is read as plain tensors only, never as code. What training scripts wrap around them
(``state_dict``, ``model``, ``ema``) and put before their names (``module.``, ``_orig_mod.``) is
taken off.
"""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from lib.backbones.weight_files import WeightsError

# the weights themselves come before their running average
WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "network")
AVERAGES = ("state_dict_ema", "model_ema", "ema_state_dict", "ema", "shadow_params")
PREFIXES = ("module.", "_orig_mod.", "model.", "ema_model.", "ema.")
REFUSED = {
    ".h5": "a Keras file",
    ".hdf5": "a Keras file",
    ".keras": "a Keras file",
    ".onnx": "an ONNX graph",
    ".pb": "a TensorFlow graph",
    ".mat": "a MATLAB file",
    ".caffemodel": "a Caffe file",
}
REMEDY = "allowed: a state dict of plain tensors, as torch.save(model.state_dict(), path) writes it"
_VGG_NAME = re.compile(r"(?:features\.|base\.)?conv(\d)_(\d)\.(weight|bias)")


def read_state(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors or .pth file, as they are stored, by their plain names.

    Raises
    ------
    WeightsError : another kind of file, code among the tensors, a broken file, no tensors.
    """
    path = Path(path)
    _refuse_other_kinds(path)
    try:
        state = (
            load_file(path)
            if path.suffix == ".safetensors"
            else torch.load(path, "cpu", weights_only=True)
        )
    except pickle.UnpicklingError:
        raise WeightsError(
            f"{path}: refused, because it holds code or other objects beside tensors; {REMEDY}"
        ) from None
    except Exception as error:  # a broken file makes the readers stumble in many ways
        raise WeightsError(
            f"{path}: not readable ({' '.join(str(error).split())[:120]}); it may be cut short. "
            "Get it again; allowed: .safetensors, or .pth with a state dict"
        ) from None
    found = plain_names(unwrap(state))
    if not found:
        raise WeightsError(f"{path}: holds no tensors by name; {REMEDY}")
    return found


def unwrap(state: object) -> Mapping[str, object]:
    """What a training script's wrappings hold; the weights rather than their average."""
    while isinstance(state, Mapping):
        inner = [state[w] for w in (*WRAPPERS, *AVERAGES) if isinstance(state.get(w), Mapping)]
        if not inner:
            return state
        state = inner[0]
    return {}


def plain_names(state: Mapping[str, object]) -> dict[str, Tensor]:
    """The tensors among the values, their names without what training scripts put before them."""
    plain = {}
    for name, value in state.items():
        if not isinstance(value, Tensor):
            continue
        while prefix := next((p for p in PREFIXES if name.startswith(p)), ""):
            name = name.removeprefix(prefix)
        plain[name.replace("features.module.", "features.")] = value
    return plain


def is_vgg_face(names: Mapping[str, object]) -> bool:
    """Whether convolutions are named as the VGG group names them: conv1_1, conv1_2, conv2_1 …"""
    return any(_VGG_NAME.fullmatch(name) for name in names)


def vgg_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """conv1_1 … conv5_3 renamed to torchvision's features.0 … features.28.

    In torchvision each convolution is followed by a ReLU, and each block by a pooling. Other
    names (fc6 …) stay.
    """
    found = {name: _VGG_NAME.fullmatch(name) for name in state}
    places = sorted({(int(m[1]), int(m[2])) for m in found.values() if m})
    index = {place: 2 * k + place[0] - 1 for k, place in enumerate(places)}
    return {
        f"features.{index[int(match[1]), int(match[2])]}.{match[3]}" if match else name: state[name]
        for name, match in found.items()
    }


def _refuse_other_kinds(path: Path) -> None:
    """WeightsError for what another program wrote, and for programs instead of weights."""
    if kind := REFUSED.get(path.suffix.lower()):
        raise WeightsError(f"{path}: refused, because it is {kind}; {REMEDY}")
    if path.is_file() and zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                script = any("/code/" in f"/{name}" for name in archive.namelist())
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise WeightsError(f"{path}: not readable, the file is damaged ({error})") from None
        if script:
            raise WeightsError(
                f"{path}: refused, because it is TorchScript, a program with weights; {REMEDY}. "
                "In Python: torch.save(torch.jit.load(path).state_dict(), 'weights.pth')"
            )
