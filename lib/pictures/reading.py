"""Reading one picture of any usual kind, and keeping rendered pictures in a folder that
survives a killed process.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image, ImageOps

from lib.storage.files import FULL, DiskFullError, file_hash, temporary_name, threads, write_csv
from lib.storage.progress import Progress

COMMON = (".png", ".jpg", ".bmp", ".tif", ".webp", ".gif")  # the usual ones, for messages
SIZE = 224  # pixels a side, what the networks get
MOST_PIXELS = 50_000_000  # a damaged header can promise more than the memory holds
BEHIND_ALPHA = 128  # mid-grey shows through transparent pixels
_READ_ERRORS = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)


class ImageError(ValueError):
    """A picture, or a set of them, that cannot be used; the message names the file and the
    remedy.
    """


def read_image(path: str | Path, size: int | None = SIZE) -> np.ndarray:
    """A picture as the networks get it.

    Grey, palette, 16-bit and CMYK pictures become 8-bit RGB; EXIF orientation is applied;
    transparent pixels show mid-grey. The shorter side is fitted to ``size`` (bilinear, antialiased)
    and the middle square is kept.

    Parameters
    ----------
    size : pixels along each side; None keeps the picture's own shape.

    Returns
    -------
    uint8 (size, size, 3), RGB

    Raises
    ------
    ImageError : missing, unreadable or truncated, with the file's name.
    """
    path = Path(path)
    try:
        if (plain := _plain_png(path, size)) is not None:
            return plain
        with opened(path) as picture:
            picture = _eight_bit(ImageOps.exif_transpose(picture))
            if size is not None and picture.size != (size, size):
                picture = ImageOps.fit(picture, (size, size), Image.Resampling.BILINEAR)
            return np.array(picture.convert("RGB"))
    except FileNotFoundError:
        raise ImageError(
            f"no such image: {path}. Check images.root (or the manifest's path column)"
        ) from None
    except _READ_ERRORS as error:
        reason = " ".join(str(error).split())
        raise ImageError(
            f"{path.name} cannot be read as an image: {reason} ({path}). Allowed: whole "
            f"{', '.join(s[1:] for s in COMMON)} files. Replace the file or take it out"
        ) from None


def _plain_png(path: Path, size: int | None) -> np.ndarray | None:
    """A PNG as this workbook writes them, 8-bit grey or RGB of the wanted size and nothing else in
    it; else None.

    Pillow would read the same, but part of its work keeps Python's other threads waiting. None for
    damaged ones, too.
    """
    with open(path, "rb") as file:
        head = file.read(41)  # signature, header, and the name of what comes next
        if (
            head[16:29] not in _plain_headers(size)
            or head[:8] != b"\x89PNG\r\n\x1a\n"
            or head[37:] != b"IDAT"
        ):
            return None
        data = head + file.read()
    return (
        None
        if b"eXIf" in data
        else cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    )


@cache
def _plain_headers(size: int | None) -> list[bytes]:
    """Width, height, bits, kind of colour (0 grey, 2 RGB), and the usual compression, filter
    and order of rows.
    """
    return [struct.pack(">2I5B", size, size, 8, kind, 0, 0, 0) for kind in (0, 2)] if size else []


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """A picture whose header was read; ValueError where it is too large to be a face's
    photograph.
    """
    # an open file, not its name: by name Pillow maps an uncompressed TIFF to memory and scrambles
    # it where it is turned
    with open(path, "rb") as file, Image.open(file) as picture:
        if picture.width * picture.height > MOST_PIXELS:
            raise ValueError(
                f"{picture.width} x {picture.height} pixels; allowed: {MOST_PIXELS:,} in all"
            )
        yield picture


def read_grey(path: str | Path, most: int) -> tuple[np.ndarray, Image.Image]:
    """A picture's grey values as they are stored, neither turned nor resized.

    Parameters
    ----------
    most : pixels a side; of a larger picture the middle is taken, on its grid of 8 x 8 blocks.

    Returns
    -------
    float32 (height, width), and the opened picture for its format, mode and size
    """
    with opened(Path(path)) as picture:
        picture.load()
        width, height = picture.size
        left, top = ((max(0, n - most) // 16) * 8 for n in (width, height))
        middle = picture.crop((left, top, min(width, left + most), min(height, top + most)))
        return np.asarray(_eight_bit(middle).convert("L"), np.float32), picture


def _eight_bit(picture: Image.Image) -> Image.Image:
    """An 8-bit grey or RGB picture."""
    if picture.mode == "F" or picture.mode.startswith("I"):
        values = np.asarray(picture, np.float64)
        low = values.min()
        high = values.max()
        if low < 0 or high > 65535 or (picture.mode == "F" and high > 255):
            raise ValueError(f"pixel values from {low:g} to {high:g}; allowed: 8 or 16 bits")
        white = _white(high)
        if picture.mode == "F":
            white = 255 if high > 1 else 1
        return Image.fromarray(np.round(values * (255 / white)).astype(np.uint8))
    if "A" in picture.getbands() or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        behind = Image.new("RGBA", picture.size, (BEHIND_ALPHA,) * 3 + (255,))
        return Image.alpha_composite(behind, picture).convert("RGB")
    return picture if picture.mode in ("L", "RGB") else picture.convert("RGB")


def _white(highest: float) -> int:
    """White in a picture of 16-bit numbers: many cameras leave 8, 10 or 12 bits in them.

    With a highest value below a sixteenth of 65535 the picture would be black otherwise.
    """
    return next((2**bits - 1 for bits in (8, 10, 12) if highest < 2**bits), 65535)


def listed(items: Iterable, limit: int = 10) -> str:
    """The first few items, one a line, and how many more there are."""
    items = list(items)
    more = [f"  … and {len(items) - limit} more"] if len(items) > limit else []
    return "\n".join([f"  {item}" for item in items[:limit]] + more)


def unreadable(paths: Iterable[Path]) -> list[str]:
    """A message for each file that is no whole picture."""
    with ThreadPoolExecutor(threads()) as pool:
        return [problem for problem in pool.map(_problem, paths) if problem]


def _problem(path: Path) -> str:
    try:
        if _plain_png(path, SIZE) is None:
            with opened(path) as picture:
                picture.load()
    except _READ_ERRORS as error:
        return f"{path}: {' '.join(str(error).split())}"
    return ""


def encode_png(picture: np.ndarray) -> bytes:
    """A grey or RGB picture as PNG; the same picture gives the same bytes.

    It is not compressed: that saves less than half of a face's space and takes several times as
    long.
    """
    rgb = picture if picture.ndim == 2 else picture[..., ::-1]
    plain = cv2.IMWRITE_PNG_FILTER_NONE
    how = [cv2.IMWRITE_PNG_COMPRESSION, 0, cv2.IMWRITE_PNG_FILTER, plain]
    return cv2.imencode(".png", np.ascontiguousarray(rgb), how)[1].tobytes()


def keep_pictures(
    folder: Path, rows: pd.DataFrame, draw: Callable[[pd.Series], np.ndarray], name: str
) -> pd.DataFrame:
    """Draw the pictures that a folder does not hold yet.

    Every picture is put in place whole; ``index.csv`` is written last, with each file's SHA-256. A
    folder with an index is trusted only as far as its hashes agree; without one (a killed process)
    whole pictures are reused.

    Parameters
    ----------
    rows : one row a picture, with ``file``, its name inside the folder.
    draw : makes the picture of one row, uint8 grey or RGB.
    name : what is being drawn, for the progress line.

    Returns
    -------
    ``rows`` with ``sha256``
    """
    known = _index(folder)
    with Progress(name, len(rows)) as progress:
        hashes = []
        for row in rows.itertuples(index=False):
            hashes.append(_keep(folder / row.file, row, draw, known))
            progress.step()
    rows = rows.assign(sha256=hashes)
    if known != dict(zip(rows["file"], hashes, strict=True)):
        write_csv(folder / "index.csv", rows[["file", "sha256"]])
    return rows


def _index(folder: Path) -> dict[str, str]:
    if not (folder / "index.csv").is_file():
        return {}
    index = pd.read_csv(folder / "index.csv", dtype=str)
    return dict(zip(index["file"], index["sha256"], strict=True))


def _keep(path: Path, row, draw, known: dict[str, str]) -> str:
    if path.is_file():
        digest = file_hash(path)
        if digest == known.get(row.file) or (row.file not in known and not _problem(path)):
            return digest
    data = encode_png(draw(row))
    path.parent.mkdir(parents=True, exist_ok=True)
    _put_in_place(path, data)
    return hashlib.sha256(data).hexdigest()


def _put_in_place(path: Path, data: bytes) -> None:
    """Write a file whole or not at all.

    Unlike ``lib.storage.files.replacing`` this does not wait for the disk, thousands of times:
    after a power failure the index's hashes tell which pictures did not reach it.
    """
    temporary = temporary_name(path)
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.errno not in FULL:
            raise
        raise DiskFullError(
            error.errno,
            f"the disk is full while writing {path.name}. The pictures finished before "
            f"are kept: free some space under {path.parent} and run again with --resume",
        ) from None
