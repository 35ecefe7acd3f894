"""Arithmetic of feature maps that the attention blocks need, where torch's own is slow."""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor


def coarse(x: Tensor, grid: int) -> Tensor:
    """The map averaged down to at most ``grid`` places a side."""
    return x if max(x.shape[2:]) <= grid else F.adaptive_avg_pool2d(x, grid)


def enlarged(y: Tensor, size: tuple[int, int]) -> Tensor:
    """A map (B, C, h, w) interpolated bilinearly to (B, C, H, W).

    On a GPU by products: the gradient of torch's own, made to repeat itself exactly, took ten times
    as long there as all the rest of a training step.
    """
    return by_products(y, size) if y.is_cuda else F.interpolate(y, size, mode="bilinear")


def by_products(y: Tensor, size: tuple[int, int]) -> Tensor:
    """The same by two matrix products, along columns and then along rows."""
    down, across = (
        bilinear(*ends, y.dtype, y.device) for ends in zip(y.shape[2:], size, strict=True)
    )
    y = (down @ y.permute(0, 2, 3, 1).flatten(2)).unflatten(
        2, (y.shape[3], y.shape[1])
    )  # (B, H, w, C)
    return (across @ y).permute(0, 3, 1, 2)  # (B, C, H, W), channels last in memory


@lru_cache(maxsize=64)
def bilinear(n: int, m: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Weights (m, n) that interpolate n places to m."""
    with torch.inference_mode(False):  # they are kept, for trainings too
        return F.interpolate(torch.eye(n)[None], m, mode="linear")[0].T.to(device, dtype)
