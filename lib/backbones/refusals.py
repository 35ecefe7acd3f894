"""What networks from outside get wrong, refused before hours are spent."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lib.backbones.inputs import MEAN, SPREAD
from lib.backbones.weight_files import WeightsError

SIZE = 224


class OutsideError(WeightsError):
    """A network from outside that cannot be used; the message names the remedy."""


def layers_message(module: nn.Module) -> str:
    """The layers that there are, the last ones where they are many."""
    names = [name for name, _ in module.named_modules() if name]
    shown = ", ".join(names[-40:])
    return f"there are {len(names)} layers{', the last 40' * (len(names) > 40)}: {shown}"


def refuse_unknown_layer(module: nn.Module, layer: str | None, architecture: str) -> None:
    """OutsideError for a layer that the module does not have."""
    names = dict(module.named_modules())
    if layer is not None and (not layer or layer not in names):
        raise OutsideError(f"{architecture} has no layer {layer!r}; {layers_message(module)}")


def refuse_training_mode(module: nn.Module, architecture: str) -> None:
    """OutsideError for batch normalisation or dropout left in training mode."""
    kinds = nn.modules.batchnorm._BatchNorm | nn.modules.dropout._DropoutNd
    left = [name for name, m in module.named_modules() if isinstance(m, kinds) and m.training]
    if left:
        raise OutsideError(
            f"{architecture}: {len(left)} layers are in training mode ({', '.join(left[:3])}), so "
            "features would change with the pictures beside them; return module.eval()"
        )


@torch.no_grad()
def check(body: nn.Module, architecture: str) -> None:
    """Refuse what would make features wrong, on a handful of pictures.

    Raises
    ------
    OutsideError : pictures of the wrong size, range or number, features that are no numbers,
        change from pass to pass, or are the same for every picture.
    """
    pictures = torch.rand(4, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    pictures[0] = 0  # black and white
    pictures[1] = 1
    mean, spread = (torch.tensor(numbers).view(3, 1, 1) for numbers in (MEAN, SPREAD))
    x = (pictures - mean) / spread
    wanted = _call(body.wanted, x, architecture, "the transform refuses float (4, 3, 224, 224)")
    _check_wanted(wanted, architecture)
    what = f"the network does not take pictures {tuple(wanted.shape)} (a transform may resize)"
    once = _call(body, x, architecture, what)
    for problem, wrong in {
        "features hold NaN or infinite numbers; weights may be broken": not once.isfinite().all(),
        "features change from one pass to the next; is dropout called with training=True?": (
            not torch.equal(body(x), once)
        ),
        "features of a picture change with the pictures beside it": (
            not torch.allclose(body(x[:2]), once[:2], rtol=1e-2, atol=1e-3)
        ),
        "features are the same for every picture": once.flatten(1).std(0).max() == 0,
    }.items():
        if wrong:
            raise OutsideError(f"{architecture}: {problem}")
    body.shape = tuple(once.shape[1:])


def _call(function: Callable, x: Tensor, architecture: str, what: str) -> Tensor:
    """``function(x)``; its errors, and anything but a tensor, with ``what`` in front."""
    try:
        result = function(x)
    except OutsideError:
        raise
    except Exception as error:  # somebody else's code
        raise OutsideError(
            f"{architecture}: {what}: {type(error).__name__}: {str(error)[:300]}"
        ) from error
    if not isinstance(result, Tensor):
        raise OutsideError(f"{architecture}: {type(result).__name__} where a tensor is wanted")
    return result


def _check_wanted(wanted: Tensor, architecture: str) -> None:
    """OutsideError for transformed pictures (black, white, two of noise) of no plausible range."""
    if not wanted.is_floating_point() or wanted.ndim != 4 or wanted.shape[:2] != (4, 3):
        raise OutsideError(
            f"{architecture}: the transform makes {wanted.dtype} {tuple(wanted.shape)} of float "
            "(4, 3, 224, 224); allowed: float (4, 3, height, width)"
        )
    black = wanted[0].mean().item()
    white = wanted[1].mean().item()
    contrast = abs(white - black)
    level = abs(white + black) / 2
    if not contrast > max(0.05, 0.1 * level):  # also where it is NaN
        raise OutsideError(
            f"{architecture}: the transform makes {black:.3g} of black and {white:.3g} of white: "
            "next to no contrast. It gets RGB in 0 … 1, not 0 … 255: do not divide by 255 again, "
            "and give mean and SD for 0 … 1"
        )
