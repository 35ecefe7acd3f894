"""Dropout with random numbers of its own, so that trainings at the same time do not take each
other's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Dropout(nn.Dropout):
    """``nn.Dropout``, and inside ``own_numbers`` one that draws from a given generator, the
    same numbers.
    """

    generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        kept = torch.empty_like(x).bernoulli_(1 - self.p, generator=self.generator)
        return x * kept.div_(1 - self.p)


@contextmanager
def own_numbers(network: nn.Module, device: str) -> Iterator[torch.Generator]:
    """While the block lasts, every ``Dropout`` of ``network`` draws from the generator that is
    yielded.
    """
    generator = torch.Generator(device)
    layers = [layer for layer in network.modules() if isinstance(layer, Dropout)]
    try:
        for layer in layers:
            layer.generator = generator
        yield generator
    finally:
        for layer in layers:
            layer.generator = None
