"""Convolutions in a quarter of the bytes: int8 weights with one fp32 scale an output channel.

``features.N.weight`` (int8) times ``features.N.scale`` (out channels) is the weight; biases stay in
floating point. A file without int8 tensors is read as it is.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

SCALE = "scale"
STEPS = 127  # symmetric: -127 to 127, so that 0 stays 0


def pack(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights as int8 and scales; everything else as fp32.

    Parameters
    ----------
    tensors : ``N.weight`` (out, in, height, width) and ``N.bias`` (out,), floating point.

    Returns
    -------
    ``N.weight`` int8, ``N.scale`` fp32 (out,), ``N.bias`` fp32. Each weight is off by at most half
    its channel's scale, which is the channel's largest weight / 127.
    """
    packed = {}
    for name, tensor in tensors.items():
        value = tensor.detach().float().cpu().contiguous()
        if not name.endswith(".weight"):
            packed[name] = value
            continue
        scale = value.abs().amax((1, 2, 3)).clamp_min(torch.finfo(torch.float32).tiny) / STEPS
        packed[name] = torch.round(value / _wide(scale)).to(torch.int8)
        packed[_scale_of(name)] = scale
    return packed


def unpack(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The fp32 tensors, with every int8 weight multiplied by its scales.

    Raises
    ------
    ValueError : an int8 weight without scales, or with another number of them than channels.
    """
    whole = {}
    for name, tensor in tensors.items():
        if name.endswith(f".{SCALE}") and _weight_of(name) in tensors:
            continue
        if tensor.dtype != torch.int8:
            whole[name] = tensor.float()
            continue
        scale = tensors.get(_scale_of(name))
        if scale is None or tuple(scale.shape) != tuple(tensor.shape[:1]):
            found = "none" if scale is None else tuple(scale.shape)
            raise ValueError(
                f"{name} is int8 and needs {_scale_of(name)} of shape {tuple(tensor.shape[:1])}; "
                f"found {found}"
            )
        whole[name] = tensor.float() * _wide(scale.float())
    return whole


def _wide(scale: Tensor) -> Tensor:
    return scale.view(-1, 1, 1, 1)


def _scale_of(name: str) -> str:
    return f"{name.removesuffix('.weight')}.{SCALE}"


def _weight_of(name: str) -> str:
    return f"{name.removesuffix(f'.{SCALE}')}.weight"
