"""Which files of a folder are pictures, which are passed over, and whose names are known."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path, PurePath

from PIL import Image, UnidentifiedImageError

# what Pillow reads and sets of faces come in; of moving pictures the first frame is taken
_WANTED = tuple(
    f".{word}"
    for line in (
        "png apng jpg jpeg jpe jfif jp2 j2k j2c jpc jpf jpx bmp dib tif tiff webp gif avif",
        "pgm ppm pbm pnm pfm tga pcx sgi rgb rgba bw ras psd ico icns qoi dds fits fit im xbm xpm",
    )
    for word in line.split()
)
HEIC = (".heic", ".heif", ".hif")
HEIC_REMEDY = (
    "install the package pillow-heif (pip install pillow-heif) or save the pictures as JPEG or PNG"
)


# how public sets name their files; the person's code, and the label where the name has it
NAMING = {
    "KDEF": r"[AB](?P<identity>[FM]\d\d)(?P<label>AF|AN|DI|HA|NE|SA|SU)(?:FL|HL|FR|HR|S)",
    "CK+": r"(?P<identity>S\d{3})_\d{3}_\d{8}",
    "RaFD": r"Rafd\d{3}_(?P<identity>\d\d)_\w+?_\w+?_(?P<label>[a-z]+)_\w+",
    "JAFFE": r"(?P<identity>[A-Z]{2})\.(?P<label>AN|DI|FE|HA|NE|SA|SU)\d\.\d+",
    "Yale": r"(?P<identity>subject\d\d)\.(?P<label>[a-z]+)",
    "NimStim": r"(?P<identity>\d\d[FM])_(?P<label>[A-Z]{2})_[OCX]",
    "FACES": r"(?P<identity>\d{3})_[ymo]_[mf]_(?P<label>[nadfhs])_[ab]",
}


def _readable_suffixes() -> tuple[str, ...]:
    Image.init()
    if find_spec("pillow_heif"):
        from pillow_heif import register_heif_opener  # an extra, not in the environment

        register_heif_opener()
        return (*[s for s in _WANTED if s in Image.registered_extensions()], *HEIC)
    return tuple(s for s in _WANTED if s in Image.registered_extensions())


SUFFIXES = _readable_suffixes()


@dataclass
class Listing:
    """The files below a folder, sorted: pictures, and others that are passed over."""

    root: Path
    pictures: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)

    def notes(self) -> list[str]:
        """What was passed over, in sentences with an example each."""
        return passed_over(p.relative_to(self.root) for p in self.others)


def composed(text: str) -> str:
    """Text with composed umlauts and accents: macOS hands out decomposed ones."""
    return unicodedata.normalize("NFC", text)


def is_litter(path: PurePath) -> bool:
    """Whether a system, and no person, put the file there: hidden, AppleDouble, thumbnails."""
    parts = [part.lower() for part in path.parts]
    hidden = any(part.startswith(".") or part == "__macosx" for part in parts)
    return hidden or parts[-1] in ("thumbs.db", "desktop.ini") or parts[-1].startswith("~$")


def list_files(root: Path) -> Listing:
    """The files below ``root``; what systems leave there (``._x``, Thumbs.db) is in neither list.

    Order is that of the composed names, so that it is the same on every system.
    """
    listing = Listing(root)
    files = (p for p in _walked(root) if not is_litter(p.relative_to(root)))
    for path in sorted(files, key=lambda p: composed(p.as_posix())):
        (listing.pictures if is_picture_name(path) else listing.others).append(path)
    return listing


def _walked(root: Path) -> Iterator[Path]:
    """All files below a folder; links to folders are followed, but none that leads back."""
    seen = set()
    for folder, inner, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            inner.clear()
            continue
        seen.add(real)
        yield from (Path(folder, name) for name in files)


def is_picture_name(path: PurePath) -> bool:
    """Whether the suffix is that of a picture."""
    return path.suffix.lower() in SUFFIXES


def is_picture(path: Path) -> bool:
    """Whether the file is a picture by its content, as Yale's ``subject01.happy`` are."""
    try:
        with Image.open(path):
            return True
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError):
        return False


def passed_over(files: Iterable[PurePath]) -> list[str]:
    """One sentence for each kind of file that is no picture: how many, one of them, the remedy."""
    kinds: dict[str, list[PurePath]] = {}
    for path in files:
        kinds.setdefault(path.suffix.lower(), []).append(path)
    notes = []
    for suffix, paths in sorted(kinds.items()):
        kind = f"{suffix} files" if suffix else "files without a suffix"
        remedy = f": {HEIC_REMEDY}" if suffix in HEIC else ", which are no pictures"
        example = paths[0].as_posix()
        notes.append(f"{len(paths)} {kind} were passed over (such as {example}){remedy}")
    return notes


def counted(items: list[str], what: str) -> list[str]:
    """``12 pictures … were passed over, such as x``; nothing for none."""
    return [f"{len(items)} {what} were passed over, such as {items[0]}"] if items else []


def naming_of(names: Iterable[str]) -> str | None:
    """The public set whose file names these are, where nine in ten are; else None."""
    names = list(names)
    for known, pattern in NAMING.items():
        regular = re.compile(rf"{pattern}(?:\.\w+)?", re.IGNORECASE)
        if names and sum(regular.fullmatch(n) is not None for n in names) >= 0.9 * len(names):
            return known
    return None
