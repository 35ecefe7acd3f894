"""A linear layer that trains in bf16 on a processor without allocating anything large, and on a GPU
in TF32.

AlexNet's head has 54 million weights, a VGG's 120 million. Autocast makes a bf16 copy of them and
two copies of their gradient at every step; the largest come in freshly allocated memory (see
``lib.networks.memory``). Here the copy and the gradient live in buffers that are written anew; in
fp32 there is no copy. The numbers are autocast's (a test compares them).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Linear(nn.Linear):
    """``nn.Linear``, and inside ``prepared`` one that computes in a given precision from a
    working copy.
    """

    work: Tensor | None = None  # the weight in the precision of the computation
    grad_work: Tensor | None = None  # room for its gradient in that precision

    def forward(self, x: Tensor) -> Tensor:
        if self.work is not None:
            return _InPlaceLinear.apply(x.to(self.work.dtype), self.weight, self.bias, self)
        if x.is_cuda and self.training:  # see Device.products
            with torch.autocast("cuda", enabled=False):
                return F.linear(x.float(), self.weight, self.bias)
        own = not x.is_cuda and not torch.is_autocast_enabled("cpu")
        return affine(x, self.weight, self.bias) if own else super().forward(x)

    def refresh(self) -> None:
        """Take over the weight after an optimiser's step, unless the working copy is the weight
        itself.
        """
        if self.work is not None and self.work.dtype != self.weight.dtype:
            self.work.copy_(self.weight.detach())


def times(x: Tensor, weight: Tensor) -> Tensor:
    """``x @ weight.t()`` of x (B, in) and weight (out, in); in fp32 the large matrix comes first in
    the product.

    On two cores of an AMD EPYC that was 1.2 to 1.6 times as fast, with batches of 16 to 256 and
    layers of AlexNet and VGG.
    """
    return (weight @ x.t()).t() if x.dtype == torch.float32 else x @ weight.t()


def affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """``F.linear`` with that product."""
    return (
        (times(x, weight) + bias).contiguous()
        if x.dtype == torch.float32
        else F.linear(x, weight, bias)
    )


class _InPlaceLinear(torch.autograd.Function):
    """Writes the weight's gradient into ``weight.grad`` itself, replacing what was there."""

    @staticmethod
    def forward(ctx, x, weight, bias, layer):
        ctx.layer = layer
        ctx.save_for_backward(x)
        return affine(x, layer.work, bias.to(x.dtype))  # (B, out)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        layer = ctx.layer
        torch.mm(grad.t(), x, out=layer.grad_work)  # (out, in)
        if layer.grad_work.dtype != layer.weight.dtype:  # otherwise it is the gradient
            layer.weight.grad.copy_(layer.grad_work)
        grad_x = times(grad, layer.work.t()) if ctx.needs_input_grad[0] else None
        return grad_x, None, grad.sum(0).float(), None


def clear_gradients(network: nn.Module) -> None:
    """Before a backward pass: gradients to None, but for those that prepared layers overwrite."""
    layers = [layer for layer in network.modules() if isinstance(layer, Linear)]
    kept = {id(layer.weight) for layer in layers if layer.grad_work is not None}
    for parameter in network.parameters():
        if id(parameter) not in kept:
            parameter.grad = None


@contextmanager
def prepared(network: nn.Module, dtype: torch.dtype, *, train: bool) -> Iterator[None]:
    """While the block lasts, every ``Linear`` of ``network`` computes in ``dtype`` from a working
    copy.

    Parameters
    ----------
    train : also make room for gradients; ``clear_gradients`` then keeps that room.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, Linear)]
    try:
        for layer in layers:
            layer.work = layer.weight.detach().to(dtype)  # in fp32 the weight itself
            if train:
                layer.weight.grad = torch.zeros_like(layer.weight)
                layer.grad_work = (
                    layer.weight.grad if dtype == torch.float32 else torch.empty_like(layer.work)
                )
        yield
    finally:
        for layer in layers:
            layer.work = layer.grad_work = None
            layer.weight.grad = None
