"""A step of training on a GPU, recorded once and replayed.

Launched one by one, a step's many kernels keep a processor busy for longer than they do the GPU:
2.4 ms a step of AlexNet's head against 0.8 ms recorded, in an earlier revision. For the published
protocol with five networks and seeds, 219,000 steps, that is 15 minutes against 10
(tests/benchmarks/README.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor

# first steps with a shape of batch that are not replayed: libraries set up, Adam makes its averages
WARM_UP = 2


class Recorded:
    """A function of maps and labels as a CUDA graph for each shape of batch.

    The numbers are those of the function itself, random ones included.
    """

    def __init__(self, step: Callable[[Tensor, Tensor], Tensor]):
        self.step = step
        self.made = Counter()
        self.recorded = {}
        self.stream = torch.cuda.Stream()  # nothing of it may run on the default stream
        self.pool = torch.cuda.graph_pool_handle()  # one memory for all shapes

    def __call__(self, x: Tensor, labels: Tensor) -> Tensor:
        self.made[x.shape] += 1
        if self.made[x.shape] <= WARM_UP:
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
        # other threads, such as a notebook's widgets, may go on using the GPU
        with torch.cuda.graph(graph, self.pool, self.stream, capture_error_mode="thread_local"):
            loss = self.step(x, labels)
        return graph, (x, labels), loss
