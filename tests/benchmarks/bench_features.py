"""Feature extraction against a bare forward pass at the same precision, bf16 against fp32, small
groups of images against a chunk at once, and reading alone.

``python tests/benchmarks/bench_features.py [--architectures alexnet,vgg16] [--images 256]``
"""

from __future__ import annotations

import argparse
import tempfile
import time
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from lib.networks.devices import Device, choose_device
from lib.networks.network import build_network, preprocess
from lib.pictures.reading import encode_png
from lib.settings.options import Training
from lib.training.features import CHUNK, cached_features, forward, group_size, loaded


def write_pictures(folder: Path, n: int, side: int = 224, *, compressed: bool = True) -> list[str]:
    """Blurred noise, as large as the built-in faces: compressed, so that it takes as long to read
    as a photograph, or as the workbook keeps what it draws."""
    rng, paths = np.random.default_rng(0), [str(folder / f"{k:05d}.png") for k in range(n)]
    for path in paths:
        picture = cv2.GaussianBlur(rng.integers(0, 256, (side, side, 3), dtype=np.uint8), (0, 0), 3)
        Path(path).write_bytes(
            cv2.imencode(".png", picture)[1].tobytes() if compressed else encode_png(picture)
        )
    return paths


def seconds(work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def bare(
    features: nn.Sequential, images: np.ndarray, device: Device, rounds: int, at_once: int
) -> float:
    """Seconds of the convolutions alone on as many chunks of images, preprocessed before."""
    x = preprocess(images).to(device.name).contiguous(memory_format=torch.channels_last)
    parts = x.split(at_once)

    def work():
        with torch.inference_mode(), device.autocast():
            for _ in range(rounds):
                for part in parts:
                    features(part)

    with torch.inference_mode(), device.autocast():
        features(parts[0])  # warms up
    return seconds(work)


def agreement(features: nn.Sequential, images: np.ndarray, low: Device) -> str:
    """How far bf16 features lie from fp32 ones."""
    cut = len(features)
    exact, rounded = (
        forward(features, images, {cut}, device)[cut].float().flatten(1)
        for device in (Device(), low)
    )
    cosine = torch.nn.functional.cosine_similarity(exact, rounded)
    error = (rounded - exact).norm(dim=1) / exact.norm(dim=1)
    return (
        f"relative difference {float(error.mean()):.1e}, smallest cosine {float(cosine.min()):.6f}"
    )


def measure(name: str, paths: list[str], devices: list[Device], kind: str) -> None:
    """``kind`` of the pictures' files."""
    features = build_network(name, pretraining="untrained").features
    features.to(memory_format=torch.channels_last)
    sample, n, pace = next(loaded([paths[:CHUNK]])), len(paths), {}
    for device in devices:
        with tempfile.TemporaryDirectory() as cache:
            read = partial(cached_features, features, paths, {len(features)}, device)
            took = seconds(partial(read, folder=Path(cache)))
        group, rounds = group_size(features, device), -(-n // CHUNK)
        alone, whole = (
            bare(features, sample, device, rounds, size) * n / (rounds * len(sample))
            for size in (group, CHUNK)
        )
        pace[device.precision] = n / took
        print(
            f"{name}, {device.precision}: {n / took:.1f} images a second "
            f"with {kind} PNGs read and maps written, "
            f"{n / alone:.1f} in a bare forward pass: {alone / took:.0%} of it",
            flush=True,
        )
        if group < CHUNK:
            print(
                f"{name}, {device.precision}, groups of {group}: {whole / alone:.2f} "
                f"times as fast as {CHUNK} at "
                "once",
                flush=True,
            )
    if len(pace) == 2:
        print(
            f"{name}: bf16 {pace['bf16'] / pace['fp32']:.2f} times as fast as fp32; "
            f"{agreement(features, sample, devices[1])}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architectures", default="alexnet,vgg11,vgg13,vgg16")
    parser.add_argument("--images", type=int, default=256, help="for AlexNet four times as many")
    options = parser.parse_args()
    best = choose_device(Training())
    devices = [Device(best.name)] + [best] * (best.precision == "bf16")
    print(f"{best.describe()}, chunks of {CHUNK}")
    for kind in ("compressed", "uncompressed"):
        with tempfile.TemporaryDirectory() as folder:
            paths = write_pictures(
                Path(folder), 4 * options.images, compressed=kind == "compressed"
            )
            chunks = [paths[k : k + CHUNK] for k in range(0, len(paths), CHUNK)]
            took = seconds(lambda: list(map(len, loaded(chunks))))  # noqa: B023
            print(f"reading {kind} PNGs alone: {len(paths) / took:.0f} images a second", flush=True)
            for name in options.architectures.split(","):
                if name == "alexnet":  # the only one that is as fast as reading
                    measure(name, paths, devices, kind)
                elif kind == "compressed":
                    measure(name, paths[: options.images], devices, kind)


if __name__ == "__main__":
    main()
