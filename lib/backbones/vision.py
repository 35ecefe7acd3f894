"""The one place where torchvision is imported.

A CPU build of torch cannot load torchvision's compiled operators, and ``import torchvision`` then
stops with "operator torchvision::nms does not exist". Models and transforms need neither operator,
so declaring the two names and importing again is enough. Not before the import has failed: where
the operators can be loaded, a second declaration ends the process. Everybody imports torchvision
from here.
"""

from __future__ import annotations

import torch

_OPERATORS = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def _declare_missing() -> list:
    """Declare what is missing; the libraries returned must stay alive as long as the
    declarations.
    """
    libraries = []
    for name, schema in _OPERATORS.items():
        if not hasattr(torch.ops.torchvision, name):
            library = torch.library.Library("torchvision", "FRAGMENT")
            library.define(name + schema)
            libraries.append(library)
    return libraries


try:
    import torchvision
except RuntimeError:
    _declared = _declare_missing()
    import torchvision

__all__ = ["torchvision"]
