"""``make weights``: get torchvision's ImageNet weights once and keep their convolutional layers.

A download that broke off goes on where it stopped. A file whose SHA-256 does not begin with the
eight hexadecimal digits of its name is deleted. Addresses are torchvision's own, read from its
record of each weights file.
"""

from __future__ import annotations

import argparse
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from itertools import filterfalse
from pathlib import Path

from safetensors.torch import save_file

from lib.backbones import weight_files, weights
from lib.storage.files import FULL, file_hash, write_with
from lib.storage.progress import Progress

BLOCK = 1 << 18  # bytes a read
MEGABYTE = 1_000_000


class DownloadError(OSError):
    """A download that failed; what arrived is kept for the next try, unless its hash was wrong."""


def download(
    architectures: Iterable[str] = weights.BACKBONES,
    *,
    folder: Path = weight_files.FOLDER,
    base_url: str | None = None,
) -> list[Path]:
    """Get what is not at hand yet and keep ``<architecture>_features_imagenet1k_v1.safetensors``.

    Parameters
    ----------
    architectures : backbones; ``fe_alexnet`` stands for ``alexnet``; networks from outside are
        passed over, for their weights are their owner's to get.
    base_url : takes the place of everything before the file name in torchvision's address.

    Raises
    ------
    DownloadError : no connection, a full disk, or a file that is not what torchvision published.
    """
    own = filterfalse(weight_files.is_outside, architectures)
    backbones = dict.fromkeys("alexnet" if name == "fe_alexnet" else name for name in own)
    try:
        return [_one(backbone, folder, base_url) for backbone in backbones]
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise DownloadError(
            f"the disk is full ({folder}). What arrived is kept: free some "
            "space, and the same command "
            "goes on from there"
        ) from None


def _one(backbone: str, folder: Path, base_url: str | None) -> Path:
    kept = folder / f"{backbone}_features_imagenet1k_v1.safetensors"
    if kept.is_file():
        print(f"{kept.name}: already here", flush=True)
        return kept
    address = weights.torchvision_weights(backbone).url
    name = address.rpartition("/")[2]
    whole = folder / name
    if not whole.is_file():
        fetch(
            f"{base_url.rstrip('/')}/{name}" if base_url else address,
            whole,
            start_of_hash=name[-12:-4],
        )
    tensors = weights.read(whole)
    weights.check(tensors, weights.new_features(backbone), whole)
    note = {"source": f"torchvision {name}, SHA-256 {file_hash(whole)}, convolutional layers only"}
    tensors = {f"features.{key}": tensor.contiguous() for key, tensor in tensors.items()}
    write_with(kept, lambda path: save_file(tensors, path, metadata=note))
    whole.unlink()
    print(
        (
            f"{kept.name}: {kept.stat().st_size / MEGABYTE:.0f} MB kept, "
            f"SHA-256 {file_hash(kept)[:12]}"
        ),
        flush=True,
    )
    return kept


def fetch(address: str, path: Path, *, start_of_hash: str) -> Path:
    """Download a file, going on behind what an earlier try left in ``<path>.part``.

    Raises
    ------
    DownloadError : no connection or a broken one (run again to go on); a wrong hash (the file is
        deleted).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        _receive(address, part)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        arrived = part.stat().st_size / MEGABYTE if part.is_file() else 0
        raise DownloadError(
            f"{path.name}: the download broke off ({error}). {arrived:.0f} MB are kept; the same "
            "command goes on from there"
        ) from None
    if not (found := file_hash(part)).startswith(start_of_hash):
        part.unlink()
        raise DownloadError(
            f"{path.name}: SHA-256 begins with {found[:8]}, torchvision's "
            f"with {start_of_hash}; the "
            "file is deleted. Try again, and see whether a proxy changes downloads"
        )
    return part.replace(path)


def _receive(address: str, part: Path) -> None:
    have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        if have and error.code == 416:  # nothing is left to send: the hash will tell
            return
        raise
    with response:
        resumed = response.status == 206
        left = int(response.headers["Content-Length"])
        with (
            open(part, "ab" if resumed else "wb") as handle,
            Progress(f"getting {part.stem} (MB)", round(left / MEGABYTE)) as progress,
        ):
            _copy(response, handle, left, progress)


def _copy(response, handle, left: int, progress: Progress) -> None:
    """Write what arrives; ConnectionError where less arrives than announced."""
    arrived = 0
    while block := response.read(BLOCK):
        handle.write(block)
        before = arrived
        arrived = arrived + len(block)
        progress.step(arrived // MEGABYTE - before // MEGABYTE)
    if arrived < left:
        raise ConnectionError(f"{arrived} of {left} bytes arrived")


def main(words: Sequence[str] | None = None) -> int:
    """``python -m lib.weights [alexnet vgg11 ...]``."""
    parser = argparse.ArgumentParser(
        prog="python -m lib.weights", description=__doc__.split("\n\n")[0]
    )
    parser.add_argument(
        "architectures", nargs="*", help=f"of {', '.join(weights.BACKBONES)}; none: all of them"
    )
    parser.add_argument(
        "--folder", type=Path, default=weight_files.FOLDER, help="where they are kept"
    )
    parser.add_argument("--base-url", help="another server that holds torchvision's files")
    given = parser.parse_args(words)
    if unknown := sorted(set(given.architectures) - set(weights.BACKBONES)):
        parser.error(f"{', '.join(unknown)} given; allowed: {', '.join(weights.BACKBONES)}")
    try:
        download(
            given.architectures or weights.BACKBONES, folder=given.folder, base_url=given.base_url
        )
    except (DownloadError, weights.WeightsError) as error:
        parser.exit(1, f"{error}\n")
    return 0
