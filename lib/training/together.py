"""Several trainings at once on one GPU: a step of each in turn, each on a stream of its own.

Most of a step is Adam, which waits for memory; another training's matrix products go on meanwhile.
A training is a generator that yields after every step. It has random numbers of its own, so that it
ends with the same ones as alone.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import torch

from lib.networks.devices import PROCESSOR, Device

MOST = 5  # more gain nothing: three already keep an H200's memory busy
# bytes for one: the head, its gradient and averages, and what a block at conv1 keeps for its
# gradient
ROOM = 6e9

S = TypeVar("S")
T = TypeVar("T")
Training = Generator[None, None, T]


def at_once(device: Device) -> int:
    """How many trainings at a time: one on a processor, on a GPU as many as half of its free
    memory holds.
    """
    if device.name != "cuda":
        return 1
    torch.cuda.empty_cache()  # memory that torch keeps for later counts as taken
    return max(1, min(MOST, int(0.5 * torch.cuda.mem_get_info()[0] / ROOM)))


def parted(items: Sequence[T], n: int) -> list[Sequence[T]]:
    """The items in their order, ``n`` at a time."""
    return [items[k : k + n] for k in range(0, len(items), n)]


def side_by_side(make: Callable[[S], T], items: Sequence[S]) -> list[T]:
    """What ``make`` makes of each item, by threads: a network's first weights or file take a
    processor a second.
    """
    with ThreadPoolExecutor(len(items)) as pool:
        return list(pool.map(make, items))


def finished(training: Training[T]) -> T:
    """Run one training to its end: what it returns."""
    return together([training], PROCESSOR)[0]


def together(trainings: Sequence[Training[T]], device: Device) -> list[T]:
    """Run trainings to their ends, a step of each in turn: what each returns. An exception in
    one ends all.
    """
    results: dict[int, T] = {}
    running = {k: (training, _stream(device)) for k, training in enumerate(trainings)}
    try:
        while running:
            for k, (training, stream) in list(running.items()):
                try:
                    with _on(stream):
                        next(training)
                except StopIteration as end:
                    results[k] = end.value
                    del running[k]
    finally:
        for training in trainings:
            training.close()
    return [results[k] for k in range(len(trainings))]


def _stream(device: Device) -> torch.cuda.Stream | None:
    """A stream that begins behind all that was asked for so far; None on a processor."""
    if device.name != "cuda":
        return None
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    return stream


def _on(stream: torch.cuda.Stream | None) -> AbstractContextManager:
    return torch.cuda.stream(stream) if stream else nullcontext()
