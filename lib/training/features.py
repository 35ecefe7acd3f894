"""What the frozen convolutions make of each image, computed once and kept on disk.

A cache entry is one memory-mapped array for one list of images, one set of weights, one layer, one
transform and one precision: ``data/derived/features/<hash>/features.bin`` and ``entry.json``, which
is written last and makes it whole. A killed computation goes on behind the last chunk that reached
the disk.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from lib.backbones.weights import features_hash
from lib.networks.devices import PROCESSOR, Device
from lib.networks.network import preprocess
from lib.pictures.reading import read_image
from lib.settings.options import ROOT, resolve
from lib.storage.files import file_hashes, settings_hash, threads, write_json
from lib.storage.locks import locked
from lib.storage.progress import Progress

FOLDER = ROOT / "data/derived/features"
# a killed computation loses about this much; syncing each chunk would cost a GPU more than its work
COUNT_S = 1.0
# images; fixed, because a convolution's last digit may depend on how many are computed together
CHUNK = 64
AT_ONCE = (
    8  # of them, where a processor's first maps are large: those of 64 images in a VGG fill 800 MB
)
TRANSFORM = "224 bilinear, ImageNet mean and SD"


@dataclass(frozen=True)
class Entry:
    """One array of the cache: ``n`` images behind ``features[:cut]``."""

    folder: Path
    n: int
    cut: int
    dtype: torch.dtype

    @property
    def data(self) -> Path:
        """The file of the maps themselves."""
        return self.folder / "features.bin"

    def complete(self) -> bool:
        """Whether all is there: the description, and as many bytes as it says."""
        return self._read("entry.json").get("bytes", -1) == (
            self.data.stat().st_size if self.data.is_file() else -2
        )

    def done(self) -> int:
        """How many images are safely on disk: those counted, if the file still holds them."""
        if self.complete():
            return self.n
        progress = self._read("progress.json")
        needed = progress.get("done", 0) * progress.get("bytes", 0) // self.n
        return (
            progress.get("done", 0)
            if self.data.is_file() and self.data.stat().st_size >= needed
            else 0
        )

    def append(self, start: int, values: Tensor, *, count: bool) -> None:
        """Put the images from ``start`` into the file; ``count`` syncs it, and all in it count
        from then on.
        """
        rows = values.to("cpu", self.dtype).contiguous()
        rows = rows.view(len(values), -1).view(torch.uint8).numpy()
        done = start + len(values)
        with open(self.data, "r+b" if self.data.is_file() else "w+b") as handle:
            handle.seek(start * rows.shape[1])
            handle.truncate()
            handle.write(rows.data)
            if not count and done < self.n:
                return
            handle.flush()
            os.fsync(handle.fileno())
        whole = {
            "done": done,
            "n": self.n,
            "bytes": self.n * rows.shape[1],
            "shape": list(values.shape[1:]),
        }
        write_json(self.folder / ("entry.json" if done == self.n else "progress.json"), whole)

    def tensor(self) -> Tensor:
        """(n, C, H, W), memory-mapped: read from disk where it is used."""
        shape = (self.n, *self._read("entry.json")["shape"])
        flat = torch.from_file(
            str(self.data), shared=False, size=int(np.prod(shape)), dtype=self.dtype
        )
        return flat.view(shape)

    def _read(self, name: str) -> dict:
        path = self.folder / name
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def cached_features(
    features: nn.Sequential,
    paths: Sequence[str],
    cuts: Iterable[int],
    device: Device,
    *,
    name: str = "network",
    folder: Path | None = None,
) -> dict[int, Tensor]:
    """The images' feature maps behind ``features[:cut]`` for each cut, from disk where they are
    there already.

    Parameters
    ----------
    features : frozen convolutions. paths : image files, in this order (relative to the project's
        root, or absolute).
    cuts : several cost no more than the deepest, all in one pass over the images.

    Returns
    -------
    cut: tensor (n, C, H, W) in the device's dtype, memory-mapped.
    """
    return compute_features({name: (features, cuts)}, paths, device, folder=folder)[name]


def compute_features(
    networks: Mapping[str, tuple[nn.Sequential, Iterable[int]]],
    paths: Sequence[str],
    device: Device,
    *,
    folder: Path | None = None,
) -> dict[str, dict[int, Tensor]]:
    """``cached_features`` of several networks, given as name: (features, cuts); each image is
    read once for all.
    """
    folder = folder or FOLDER
    where = (
        [] if device.name == "cpu" else [device.name]
    )  # the same numbers but for the last digits
    read = file_hashes(map(resolve, paths))
    keys = {
        name: (read, features_hash(features), TRANSFORM, device.precision, *where)
        for name, (features, _) in networks.items()
    }
    entries = {
        name: {
            cut: Entry(folder / settings_hash(*keys[name], cut), len(paths), cut, device.dtype)
            for cut in cuts
        }
        for name, (_, cuts) in networks.items()
    }
    with ExitStack() as locks:
        for key in sorted(
            {settings_hash(*key) for key in keys.values()}
        ):  # in one order, so that none wait in a ring
            locks.enter_context(
                locked(folder / key, wait=True)
            )  # one process computes, others wait
        missing = {
            name: (networks[name][0], [entry for entry in own.values() if not entry.complete()])
            for name, own in entries.items()
        }
        missing = {name: work for name, work in missing.items() if work[1]}
        if missing:
            _compute(missing, paths, device)
    return {
        name: {cut: entry.tensor() for cut, entry in own.items()} for name, own in entries.items()
    }


def _compute(
    missing: Mapping[str, tuple[nn.Sequential, Sequence[Entry]]],
    paths: Sequence[str],
    device: Device,
) -> None:
    for features, entries in missing.values():
        features.to(device.name, memory_format=torch.channels_last)
        for entry in entries:
            entry.folder.mkdir(parents=True, exist_ok=True)
    done = {
        entry: entry.done() // CHUNK * CHUNK for _, entries in missing.values() for entry in entries
    }
    starts = range(min(done.values()), len(paths), CHUNK)
    counted = time.monotonic()
    ahead = loaded([paths[s : s + CHUNK] for s in starts])
    with Progress(f"features of {', '.join(missing)}", len(paths) - starts.start) as progress:
        for start, images in zip(starts, ahead, strict=True):
            count = time.monotonic() - counted >= COUNT_S
            for features, entries in missing.values():
                if waiting := [entry for entry in entries if done[entry] <= start]:
                    maps = forward(features, images, [entry.cut for entry in waiting], device)
                    for entry in waiting:
                        _refuse_nan(maps[entry.cut], paths[start : start + CHUNK], missing)
                        entry.append(start, maps[entry.cut], count=count)
            counted = time.monotonic() if count else counted
            progress.step(len(images))


def _refuse_nan(maps: Tensor, paths: Sequence[str], names: Iterable[str]) -> None:
    """ValueError for features that are no numbers, with the first such image."""
    whole = torch.isfinite(maps).flatten(1).all(1)
    if not whole.all():
        raise ValueError(
            f"features of {', '.join(names)} hold NaN or infinite numbers, first for "
            f"{paths[int(whole.int().argmin())]}; the weights may be broken, or the layer "
            "overflows in bf16 (training.precision=fp32)"
        )


def loaded(
    chunks: Sequence[Sequence[str]],
    read: Callable[[str], np.ndarray] = read_image,
) -> Iterator[np.ndarray]:
    """Each chunk of files as uint8 (n, 224, 224, 3); the next is decoded while the last is worked
    on.
    """
    with ThreadPoolExecutor(threads()) as pool:

        def start(chunk):
            return [pool.submit(read, resolve(path)) for path in chunk]

        ahead = start(chunks[0]) if chunks else []
        for following in [*chunks[1:], ()]:
            waiting = ahead
            ahead = start(following)
            yield np.stack([future.result() for future in waiting])


def forward(
    features: nn.Sequential, images: np.ndarray, cuts: Iterable[int], device: Device
) -> dict[int, Tensor]:
    """Feature maps of uint8 images (n, 224, 224, 3) behind each cut, in one pass."""
    wanted = set(cuts)
    size = group_size(features, device)
    parts = [
        _forward(features, images[k : k + size], wanted, device)
        for k in range(0, len(images), size)
    ]
    return {cut: torch.cat([part[cut] for part in parts]) for cut in wanted}


def group_size(features: nn.Sequential, device: Device) -> int:
    """How many images go through together: fewer on a processor where first maps are large.

    AlexNet's first layer takes every fourth pixel, most others every one.
    """
    coarse = getattr(features[0], "stride", None) == (4, 4)
    return CHUNK if coarse or device.name != "cpu" else AT_ONCE


@torch.no_grad()
def _forward(
    features: nn.Sequential, images: np.ndarray, cuts: set[int], device: Device
) -> dict[int, Tensor]:
    x = preprocess(images, device.name).contiguous(memory_format=torch.channels_last)
    results = {0: x} if 0 in cuts else {}
    with device.autocast():
        for i, layer in enumerate(features[: max(cuts)], start=1):
            x = layer(x)
            if i in cuts:
                results[i] = x.clone()  # the next layer may write in place
    return results


def channel_statistics(
    maps: Tensor, rows: np.ndarray, device: Device = PROCESSOR
) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel, (C,), over the given rows of (n, C, H, W)
    and all places.
    """
    total = squares = torch.zeros(maps.shape[1], dtype=torch.float64)
    for chunk in np.array_split(np.sort(rows), max(len(rows) // 256, 1)):
        x = maps[torch.from_numpy(chunk)].to(device.name).float()
        total = total + x.sum(dim=(0, 2, 3)).cpu().double()
        squares = squares + x.square().sum(dim=(0, 2, 3)).cpu().double()
    n = len(rows) * maps.shape[2] * maps.shape[3]
    mean = total / n
    return mean.float(), (squares / n - mean.square()).clamp_min(0).sqrt().float()
