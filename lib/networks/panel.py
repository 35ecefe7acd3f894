"""Pictures on their way through frozen convolutions: what several networks share is computed once.

All seeds of an architecture, and FE-AlexNet and AlexNet, have the same convolutions. A ``Panel``
takes its pictures through them once and keeps where they were; each network goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.backbones.weights import features_hash
from lib.networks.answers import Halfway, answer, evaluating, logits
from lib.networks.devices import Device
from lib.networks.network import Network, preprocess, relu_index
from lib.settings.options import LOCATIONS

SUMMARY = 6  # each layer's map is averaged down to 6 x 6 places for read-out and similarity


@dataclass
class Tape:
    """What one layer did in the last forward pass: its output as a leaf, (B, C, h, w)."""

    activations: list[Tensor] = field(default_factory=list)

    @property
    def activation(self) -> Tensor:
        """The output in the last pass, (B, C, h, w)."""
        return self.activations[-1]


@contextmanager
def recording(module: nn.Module) -> Iterator[Tape]:
    """Let the layer's output be a leaf that requires a gradient, while the block lasts.

    Everything after it sees a copy, so that an in-place ReLU cannot overwrite the record; gradients
    stop at the leaf, so that frozen layers in front need none. The hook is removed however the
    block ends.
    """
    tape = Tape()

    def keep(_module: nn.Module, _inputs: tuple, output: Tensor) -> Tensor:
        leaf = output.detach().clone().requires_grad_()
        tape.activations[:] = [leaf]
        return leaf.clone()

    handle = module.register_forward_hook(keep)
    try:
        yield tape
    finally:
        handle.remove()
        tape.activations.clear()


def start_of(networks: Sequence[Network], location: str) -> int:
    """How far networks of one architecture may share the way to a layer: to just before its
    ReLU, or less.
    """
    return min(relu_index(networks[0].features, location), *(network.cut for network in networks))


def shared_log_odds(networks: Sequence[Network], images: Tensor) -> Tensor:
    """Log-odds of networks with the same convolutions, (n_networks, B); the convolutions run once.

    Raises
    ------
    ValueError : convolutions that differ.
    """
    hashes = {features_hash(network.features) for network in networks}
    if len(hashes) > 1:
        raise ValueError(
            f"networks with {len(hashes)} different sets of convolutions given; allowed: one. "
            "Ask them in turn"
        )
    return log_odds_together(networks, images)


def log_odds_together(networks: Sequence[Network], images: Tensor) -> Tensor:
    """Without the comparison of weights, which would cost more than a small batch."""
    start = start_of(networks, LOCATIONS[-1])
    with torch.inference_mode():
        halfway = Halfway(networks[0].features[:start](images), start)
    found = [answer(network, halfway).log_odds for network in networks]
    return torch.from_numpy(np.stack(found))


def _pooled(x: Tensor, places: int) -> Tensor:
    """A map (B, C, H, W) averaged to places x places, flattened; Apple's GPU lacks some sizes."""
    x = x.cpu() if x.device.type == "mps" else x
    return F.adaptive_avg_pool2d(x, places).flatten(1)


class Panel:
    """A set of pictures for many networks.

    Parameters
    ----------
    images : uint8 (n, H, W, 3), RGB.
    batch : pictures computed together.
    device : where and in which precision the shared convolutions are computed; the processor and
        fp32 unless one is given. What follows them is computed on the processor.
    """

    def __init__(self, images: np.ndarray, batch: int = 21, device: Device | None = None):
        self.images = images
        self.batch = batch
        self.device = device or Device()
        self._halfway: dict[tuple[str, int], Halfway] = {}
        self._summaries: dict[str, dict[str, np.ndarray]] = {}

    def __len__(self) -> int:
        return len(self.images)

    def batches(self) -> Iterator[Tensor]:
        """Preprocessed images, ``batch`` at a time."""
        for first in range(0, len(self.images), self.batch):
            yield preprocess(self.images[first : first + self.batch])

    def at(self, network: Network, location: str = "conv5") -> Halfway:
        """The pictures on their way to ``location``, computed once for all networks with these
        convolutions.
        """
        key = features_hash(network.features), start_of([network], location)
        if key not in self._halfway:
            self._walk(network, *key)
        return self._halfway[key]

    def summaries(self, network: Network) -> dict[str, np.ndarray]:
        """Each convolutional layer's activity averaged to 6 x 6 places: conv1 … conv5 -> float32
        (n, C * 36).

        What an attention block changes is not in it: this is what the frozen convolutions offer.
        """
        key = features_hash(network.features)
        if key not in self._summaries:
            self._walk(network, key, start_of([network], LOCATIONS[-1]))
        return self._summaries[key]

    def outputs(
        self, network: Network, layers: Mapping[str, nn.Module], places: int
    ) -> dict[str, np.ndarray]:
        """Some of a network's own layers, behind the convolutions, in one pass: name -> float32 (n,
        units).

        Maps are averaged to places x places (1: one number a channel).
        """
        halfway = self.at(network)
        parts = {name: [] for name in layers}
        with evaluating(network), torch.no_grad(), ExitStack() as hooks:
            tapes = {name: hooks.enter_context(recording(layer)) for name, layer in layers.items()}
            for first in range(0, len(self), 4 * self.batch):
                logits(network, halfway.take(slice(first, first + 4 * self.batch)))
                for name, tape in tapes.items():
                    output = tape.activation.detach()
                    parts[name].append(
                        F.adaptive_avg_pool2d(output, places).flatten(1)
                        if output.ndim == 4
                        else output
                    )
        return {name: torch.cat(values).numpy() for name, values in parts.items()}

    def _walk(self, network: Network, key: str, start: int) -> None:
        """Once through the convolutions: keep the activity at ``start`` and every layer's
        summary.
        """
        layers = {relu_index(network.features, location): location for location in LOCATIONS}
        kept = []
        found = {location: [] for location in LOCATIONS}
        features = network.features
        if self.device.name != "cpu":
            features = deepcopy(features).to(self.device.name)
        with torch.inference_mode(), self.device.autocast():
            for x in self.batches():
                x = x.to(self.device.name)
                for index, layer in enumerate(features):
                    if index == start:
                        kept.append(x.to("cpu", torch.float32, copy=True))
                    x = layer(x)
                    if index in layers:
                        found[layers[index]].append(_pooled(x.float(), SUMMARY).cpu())
        # made outside inference mode, so that gradients may pass through what comes next
        self._halfway[key, start] = Halfway(torch.cat(kept), start)
        self._summaries[key] = {name: torch.cat(parts).numpy() for name, parts in found.items()}

    def log_odds(self, network: Network) -> np.ndarray:
        """The network's log-odds of every picture, float (n,)."""
        return answer(network, self.at(network)).log_odds
