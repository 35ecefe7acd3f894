"""The constants of ``lib.study.costs``, measured here: ``python tests/benchmarks/bench_costs.py``.

Processor time over the number of cores, so that other programs matter less; next to each the value
in use.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from lib.faces.render import make_identity, render_face
from lib.networks.devices import choose_device
from lib.networks.network import build_network
from lib.observers.tables import fit_table
from lib.people.simulated import simulate_people
from lib.pictures.reading import encode_png
from lib.settings.loading import load_study
from lib.settings.options import Training
from lib.study import costs
from lib.training.heads import make_optimiser, make_step

CORES = len(os.sched_getaffinity(0))


def seconds(step, repeats: int = 3) -> float:
    """The quickest of some calls, the first not counted."""
    times = []
    for _ in range(repeats + 1):
        start = time.process_time()
        step()
        times.append((time.process_time() - start) / CORES)
    return min(times[1:])


def convolution_rate(backbone: str, device, n: int = 16) -> float:
    """10^9 multiplications a second."""
    features = build_network(backbone, pretraining="untrained").features.to(
        memory_format=torch.channels_last
    )
    images = torch.randn(n, 3, 224, 224).to(memory_format=torch.channels_last)

    def forward():
        with torch.inference_mode(), device.autocast():
            features(images)

    return n * costs.WORK[backbone] / seconds(forward)


def step_seconds(
    backbone: str, device, batches: tuple[int, int] = (32, 128)
) -> tuple[float, float]:
    """Seconds of 10^6 head parameters: the products of one image, and what no image adds to."""
    network = build_network(backbone, pretraining="untrained").train()
    step = make_step(network, make_optimiser(network, Training()), device)
    side = 6 if backbone == "alexnet" else 7
    took = []
    for n in batches:
        maps = torch.randn(n, costs.NUMBERS[backbone] // side**2, side, side).to(device.dtype)
        labels = torch.arange(n) % 2
        took.append(seconds(lambda x=maps, y=labels: step(x, y)) / costs.HEAD[backbone])
    products = (took[1] - took[0]) / (batches[1] - batches[0])
    return products, took[0] - batches[0] * products


def draw_seconds() -> float:
    """One built-in face, drawn and written."""
    with tempfile.TemporaryDirectory() as folder:

        def draw():
            for k in range(10):
                (Path(folder) / f"{k}.png").write_bytes(
                    encode_png(render_face(make_identity(k), 0.5))
                )

        return seconds(draw) / 10


def bootstrap_seconds() -> float:
    """One curve of one bootstrap sample, goodness of fit included."""
    study = load_study("data/studies/demo.yaml")
    stimuli = pd.DataFrame(
        [
            {"stimulus": f"{i}{level}", "identity": i, "level": level, "condition": "full"}
            for i in "abcd"
            for level in np.linspace(0, 1, 21).round(6)
        ]
    )
    trials = simulate_people(study, stimuli)
    curves = trials["observer"].nunique()
    return seconds(lambda: fit_table(trials, study.statistics, np.random.default_rng(0)), 1) / (
        curves * study.statistics.n_boot
    )


def main() -> None:
    device = choose_device(Training())
    print(f"{CORES} cores, {device.describe()}")
    for backbone in ("alexnet", "vgg16"):
        print(
            f"CONVOLUTION_RATE {backbone:8} {convolution_rate(backbone, device):8.0f}   in use "
            f"{costs.CONVOLUTION_RATE[device.precision]}"
        )
        products, update = step_seconds(backbone, device)
        used = costs.PRODUCTS_S[device.precision]
        print(f"PRODUCTS_S       {backbone:8} {products:8.1e}   in use {used}")
        print(f"UPDATE_S         {backbone:8} {update:8.1e}   in use {costs.UPDATE_S}")
    print(f"DRAW_S           {draw_seconds():17.4f}   in use {costs.DRAW_S}")
    print(f"BOOTSTRAP_S      {bootstrap_seconds():17.2e}   in use {costs.BOOTSTRAP_S}")


if __name__ == "__main__":
    main()
