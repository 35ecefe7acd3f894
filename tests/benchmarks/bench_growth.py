"""Memory and disk as images grow from 1,000 to 16,000: ``python tests/benchmarks/bench_growth.py``.

Each size runs in a process of its own: features of AlexNet are computed and one epoch of a head is
trained on them. The cache lies on disk, so the process's own memory (Linux: RssAnon at its most,
without mapped files) should stay flat.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

SIZES = (1000, 4000, 16000)


def write_images(folder: Path, n: int) -> list[str]:
    """Small grey pictures of noise, as large as those of FER-2013; each differs from all others."""
    import cv2

    rng = np.random.default_rng(0)
    paths = [str(folder / f"{i:05d}.png") for i in range(n)]
    for path in paths:
        cv2.imwrite(path, rng.integers(0, 256, (48, 48), dtype=np.uint8))
    return paths


class OwnMemory(threading.Thread):
    """The most memory that this process had to itself, in MB."""

    def __init__(self):
        super().__init__(daemon=True)
        self.peak = 0.0

    def run(self) -> None:
        while True:
            line = next(
                x
                for x in Path("/proc/self/status").read_text().splitlines()
                if x.startswith("RssAnon")
            )
            self.peak = max(self.peak, int(line.split()[1]) / 1024)
            time.sleep(0.05)


def one_size(n: int) -> None:
    """Print megabytes of own memory, megabytes on disk, images a second."""
    import torch

    from lib.networks.devices import choose_device
    from lib.networks.network import build_network
    from lib.settings.options import Training
    from lib.training.features import cached_features
    from lib.training.heads import Data, train_head

    memory, training = OwnMemory(), Training(epochs=1, device="cpu")
    memory.start()
    with tempfile.TemporaryDirectory() as scratch:
        paths, device = write_images(Path(scratch), n), choose_device(training)
        network = build_network("alexnet", pretraining="untrained")
        started = time.perf_counter()
        cut, cache = network.cut, Path(scratch) / "cache"
        maps = cached_features(network.features, paths, {cut}, device, folder=cache)[cut]
        pace = n / (time.perf_counter() - started)
        labels = torch.from_numpy(np.arange(n) % 2)
        rows = {"train": np.arange(0, n - 100), "validation": np.arange(n - 100, n)}
        train_head(network, Data(maps, labels, rows), training, seed=0, device=device)
        disk = sum(path.stat().st_size for path in cache.rglob("*.bin")) / 1e6
    print(memory.peak, disk, pace)


def main() -> None:
    first = None
    for n in SIZES:
        done = subprocess.run(
            [sys.executable, __file__, str(n)], capture_output=True, text=True, check=True
        )
        memory, disk, pace = map(float, done.stdout.splitlines()[-1].split())
        first = first or memory
        print(
            f"{n} images: {memory:.0f} MB of own memory ({100 * (memory / first - 1):+.0f} "
            f"% against {SIZES[0]}), "
            f"{disk:.0f} MB on disk, {pace:.0f} images a second",
            flush=True,
        )


if __name__ == "__main__":
    one_size(int(sys.argv[1])) if len(sys.argv) > 1 else main()
