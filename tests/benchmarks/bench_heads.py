"""What a step of training a head costs here: ``python tests/benchmarks/bench_heads.py``.

Processor seconds of one thread, so that other programs matter less; AlexNet's and a VGG's head, in
fp32 and, where the hardware has it, in bf16, with batches of the default study and of the paper.
"""

from __future__ import annotations

import time

import torch

from lib.networks.attention import NoBlock
from lib.networks.devices import Device, has_bf16
from lib.networks.network import Network, make_classifier
from lib.settings.options import Training
from lib.training.heads import make_optimiser, make_step

SHAPES = {"alexnet": (256, 6, 6), "vgg16": (512, 7, 7)}
REPEATS = 5


def step_seconds(backbone: str, batch: int, device: Device) -> float:
    """The quickest of some steps, the first two not counted."""
    features = torch.nn.Sequential(torch.nn.Conv2d(3, SHAPES[backbone][0], 1))
    head = make_classifier(backbone, 2, 0, 0.5)
    network = Network(features, head, NoBlock()).train()
    step = make_step(network, make_optimiser(network, Training()), device)
    x = torch.randn(batch, *SHAPES[backbone]).abs().to(device.dtype)
    labels = torch.arange(batch) % 2
    times = []
    for _ in range(REPEATS + 2):
        started = time.process_time()
        step(x, labels)
        times.append(time.process_time() - started)
    return min(times[2:])


def main() -> None:
    """Print a line for each head, batch and precision."""
    torch.set_num_threads(1)
    kinds = [torch.float32] + [torch.bfloat16] * has_bf16("cpu")
    for backbone in SHAPES:
        for batch in (40, 128):
            for dtype in kinds:
                device = Device("cpu", dtype)
                seconds = step_seconds(backbone, batch, device)
                print(f"{backbone}, batch {batch}, {device.precision}: {seconds:.2f} s", flush=True)


if __name__ == "__main__":
    main()
