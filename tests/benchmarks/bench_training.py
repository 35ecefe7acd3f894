"""What training costs, as ratios from one run: ``python tests/benchmarks/bench_training.py``.

Attention at conv1 ... conv5 against the same network without attention and with the same cached
point (at most 2), and the own linear layers against torch's, in the precision that the machine
computes in.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from lib.networks.attention import Attention
from lib.networks.devices import choose_device
from lib.networks.linear import Linear, clear_gradients, prepared
from lib.networks.network import build_network, relu_index
from lib.settings.options import LOCATIONS, Training
from lib.training.heads import computing, make_optimiser
from lib.training.steps import EAGER, make_step

BATCH, STEPS = 128, 4


def seconds(step) -> float:
    """The quickest of some steps, the first not counted; processor time, so that other programs
    matter less.
    """
    clock = time.process_time if not torch.cuda.is_available() else time.perf_counter
    times = []
    for _ in range(STEPS + 1):
        start = clock()
        step()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(clock() - start)
    return min(times[1:])


def step_time(attention: Attention, device) -> float:
    """One training step of AlexNet with this block, from the cached point on."""
    network = (
        build_network("alexnet", pretraining="untrained", attention=attention)
        .to(device.name)
        .train()
    )
    network.features.to(memory_format=torch.channels_last)
    with torch.no_grad():
        shape = network.features[: relu_index(network.features, attention.location) + 1](
            torch.zeros(1, 3, 224, 224).to(device.name)
        ).shape[1:]
    x = torch.randn(BATCH, *shape, device=device.name, dtype=device.dtype).abs()
    x = x.contiguous(memory_format=torch.channels_last)
    labels = torch.arange(BATCH, device=device.name) % 2
    optimiser = make_optimiser(network, Training())
    with computing(network, device, train=True):
        step = make_step(network, optimiser, device)
        for _ in range(EAGER if device.name == "cuda" else 0):
            step(x, labels)
        return seconds(lambda: step(x, labels))


def head_time(kind: type, inputs: int, dtype: torch.dtype) -> float:
    """One training step of a head of three layers of this kind, on the processor."""
    head = nn.Sequential(
        kind(inputs, 4096), nn.ReLU(), kind(4096, 4096), nn.ReLU(), nn.Linear(4096, 2)
    )
    x, labels = torch.randn(BATCH, inputs), torch.arange(BATCH) % 2
    optimiser = torch.optim.Adam(head.parameters(), fused=True)

    def step():
        clear_gradients(head)
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            F.cross_entropy(head(x), labels).backward()
        optimiser.step()
        for layer in head:
            if isinstance(layer, Linear):
                layer.refresh()

    with prepared(head, dtype, train=True):
        return seconds(step)


def main() -> None:
    device = choose_device(Training())
    print(device.describe())
    for location in sys.argv[1:] or LOCATIONS:
        plain = step_time(Attention("none", location), device)
        ratios = [
            step_time(Attention(kind, location, gain=0.1), device) / plain
            for kind in ("self", "se", "cbam")
        ]
        print(
            f"{location}: {1000 * plain:.0f} ms without; self {ratios[0]:.2f}, se {ratios[1]:.2f}, "
            f"cbam {ratios[2]:.2f} times that",
            flush=True,
        )
        assert np.isfinite(ratios).all()
    for name, inputs in (("AlexNet's head", 9216), ("a VGG's head", 25088)):
        own, theirs = (
            head_time(Linear, inputs, device.dtype),
            head_time(nn.Linear, inputs, device.dtype),
        )
        print(
            f"{name}: {1000 * own:.0f} ms, {own / theirs:.2f} times torch's in {device.precision}",
            flush=True,
        )


if __name__ == "__main__":
    main()
