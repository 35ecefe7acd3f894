"""What training costs, as ratios from one run: ``python tests/benchmarks/bench_training.py``.

Attention at conv1 ... conv5 against the same network without attention and with the same cached
point (at most 2), in the precision that the machine computes in.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch

from lib.networks.attention import Attention
from lib.networks.devices import choose_device
from lib.networks.network import build_network, relu_index
from lib.settings.options import LOCATIONS, Training
from lib.training.heads import make_optimiser, make_step
from lib.training.recorded import WARM_UP

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
    step = make_step(network, optimiser, device)
    for _ in range(WARM_UP if device.name == "cuda" else 0):
        step(x, labels)
    return seconds(lambda: step(x, labels))


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


if __name__ == "__main__":
    main()
