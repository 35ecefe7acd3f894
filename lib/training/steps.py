"""One step of training, and on a GPU one that is recorded once and replayed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from lib.networks.devices import Device
from lib.networks.linear import Linear, clear_gradients
from lib.networks.network import Network

# first steps with a shape of batch that are not replayed: libraries set up, Adam makes its averages
EAGER = 2


def make_step(
    network: Network,
    optimiser: torch.optim.Adam,
    device: Device,
    generator: torch.Generator | None = None,
) -> Callable[[Tensor, Tensor], Tensor]:
    """A function of maps and labels that makes one step and returns the mean loss, a scalar on the
    device.

    ``generator`` is what dropout draws from, if not from torch's own.
    """

    def step(x: Tensor, labels: Tensor) -> Tensor:
        clear_gradients(network)
        with device.products():
            with device.autocast():
                answers = network(x, start=network.cut)
                loss = F.cross_entropy(answers, labels) + network.guidance_loss(x)
            loss.backward()
        optimiser.step()
        for layer in network.classifier:
            if isinstance(layer, Linear):
                layer.refresh()
        return loss.detach()

    return Replayed(step, generator) if device.name == "cuda" else step


class Replayed:
    """A step on a GPU, recorded as a CUDA graph for each shape of batch and replayed from then on.

    Launched one by one, a step's many kernels keep a processor busy for longer than they do the
    GPU. The numbers are those of the step itself, random ones included.
    """

    def __init__(
        self, step: Callable[[Tensor, Tensor], Tensor], generator: torch.Generator | None = None
    ):
        self.step, self.generator, self.made, self.recorded = step, generator, Counter(), {}
        self.stream = (
            torch.cuda.Stream()
        )  # what is recorded must not run on the default stream, nor what leads to it
        self.pool = (
            torch.cuda.graph_pool_handle()
        )  # one memory for all shapes: only one replay runs at a time

    def __call__(self, x: Tensor, labels: Tensor) -> Tensor:
        self.made[x.shape] += 1
        if self.made[x.shape] <= EAGER:
            return self._aside(x, labels)
        if x.shape not in self.recorded:
            self.recorded[x.shape] = self._record(x.clone(), labels.clone())
        graph, inputs, loss = self.recorded[x.shape]
        for room, values in zip(inputs, (x, labels), strict=True):
            room.copy_(values)
        graph.replay()
        return loss  # until the next replay

    def _aside(self, x: Tensor, labels: Tensor) -> Tensor:
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            loss = self.step(x, labels)
        torch.cuda.current_stream().wait_stream(self.stream)
        return loss

    def _record(
        self, x: Tensor, labels: Tensor
    ) -> tuple[torch.cuda.CUDAGraph, tuple[Tensor, Tensor], Tensor]:
        """Recording runs nothing: the step itself is made by the replay that follows."""
        graph = torch.cuda.CUDAGraph()
        if self.generator is not None:
            graph.register_generator_state(self.generator)
        # other threads, such as a notebook's widgets, may go on using the GPU
        with torch.cuda.graph(graph, self.pool, self.stream, capture_error_mode="thread_local"):
            loss = self.step(x, labels)
        return graph, (x, labels), loss
