"""From pictures to a network's answers: the one forward pass that everybody uses.

``answer(network, images)`` gives the probability of the positive pole and the log-odds. Gradients
with respect to pictures or layers go through ``logits`` and ``log_odds`` instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor, nn

from lib.networks.devices import PROCESSOR, Device
from lib.networks.network import Network, preprocess

BATCH = 64  # pictures a forward pass
BATCH_HALFWAY = 256  # of pictures whose convolutions are computed already


class Answer(NamedTuple):
    """What a network says to n pictures."""

    p_happy: np.ndarray  # float64 (n,), softmax over exactly the two classes
    log_odds: np.ndarray  # float64 (n,), positive - negative, before the softmax


@dataclass(frozen=True)
class Halfway:
    """Pictures behind the first ``start`` modules of a network's features: x (B, C, h, w)."""

    x: Tensor
    start: int

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: slice | Tensor | np.ndarray) -> Halfway:
        """Some of the pictures; ``rows`` as in ``x[rows]``."""
        return Halfway(self.x[rows], self.start)


def answer(
    network: Network,
    images: np.ndarray | Tensor | Halfway,
    device: Device = PROCESSOR,
    *,
    rows: np.ndarray | None = None,
) -> Answer:
    """A network's answers to pictures, dropout off, without gradients.

    Parameters
    ----------
    images : uint8 (n, H, W, 3), RGB; or float (n, 3, H, W), preprocessed; or pictures halfway, such
        as cached features.
    device : where and in which precision to compute; the network stays there.
    rows : which pictures, in this order; None takes all.

    Returns
    -------
    Answer : p_happy and log_odds, float64 (n,). The log-odds are exact differences of fp32 logits.
    """
    network.to(device.name)
    rows = np.arange(len(images)) if rows is None else np.asarray(rows)
    size = BATCH_HALFWAY if isinstance(images, Halfway) else BATCH
    found = [torch.zeros(0, 2)]
    with evaluating(network), torch.inference_mode(), device.autocast():
        for first in range(0, len(rows), size):
            some = rows[first : first + size]
            found.append(logits(network, _batch(images, some, device)).float().cpu())
    return answer_of(torch.cat(found))


def answer_of(both: Tensor) -> Answer:
    """The answer that logits (n, 2), order negative, positive, amount to."""
    odds = log_odds(both.double()).numpy()
    return Answer(expit(odds), odds)


def logits(network: Network, images: Tensor | Halfway) -> Tensor:
    """Logits (B, 2) of preprocessed pictures (B, 3, H, W), or of pictures halfway there."""
    if isinstance(images, Halfway):
        # a copy, because the ReLU that comes next works in place
        return network(images.x.clone(), start=images.start)
    return network(images)


def log_odds(both: Tensor) -> Tensor:
    """Positive - negative of two-class logits (B, 2), whose order is negative, positive: (B,)."""
    return both[:, 1] - both[:, 0]


@contextmanager
def evaluating(network: nn.Module) -> Iterator[nn.Module]:
    """Dropout off while the block lasts; every module is then as it was."""
    before = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield network
    finally:
        for module, training in before:
            module.training = training


def _batch(
    images: np.ndarray | Tensor | Halfway, rows: np.ndarray, device: Device
) -> Tensor | Halfway:
    """Some pictures on the device, channels last in memory, as convolutions want them."""
    if isinstance(images, np.ndarray):
        return preprocess(images[rows], device.name).contiguous(memory_format=torch.channels_last)
    x = images.x if isinstance(images, Halfway) else images
    x = x[torch.from_numpy(rows).to(x.device)].to(device.name)
    x = x.contiguous(memory_format=torch.channels_last)
    return Halfway(x, images.start) if isinstance(images, Halfway) else x
