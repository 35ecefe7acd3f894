"""How a user's images are laid out, and which of their labels mean which pole: a guess to check."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from lib.pictures.labelled import survey_images
from lib.pictures.listing import SUFFIXES
from lib.pictures.reading import ImageError
from lib.settings.options import ROOT, Images, Study, resolve
from lib.settings.words import POLES
from lib.storage.files import read_text_table

POSITIVE = (
    "happy",
    "happiness",
    "joy",
    "joyful",
    "positive",
    "pos",
    "smile",
    "smiling",
    "ha",
    "hap",
)
# words in common use for the negative end, by what a study calls it; the first that is found counts
NEGATIVE = {
    "sad": ("sad", "sadness", "grief", "negative", "neg", "sa", "frown"),
    "angry": ("angry", "anger", "rage", "an", "ang"),
    "fearful": ("fearful", "fear", "afraid", "scared", "af"),
    "disgusted": ("disgusted", "disgust", "di"),
}
KNOWN = {*POSITIVE, *(word for words in NEGATIVE.values() for word in words)}
MOST_CLASSES = 12  # more folders are those of people, as in KDEF
MOST_TRAIN = 5000  # what runs in minutes; more is a matter of a number in the file
MOST_PAIRS = 20


def stored(path: str) -> str:
    """A path as it stands in a study: relative to the root where it is below it, else absolute."""
    there = Path(path).expanduser()
    if not there.is_absolute() and not there.exists():
        return path
    whole = there.resolve()
    return whole.relative_to(ROOT).as_posix() if whole.is_relative_to(ROOT) else whole.as_posix()


def guess_source(path: str) -> str:
    """How a set is laid out: a CSV with pixels, a manifest, class folders, or file names."""
    root = resolve(stored(path))
    if root.is_file():
        with open(root, encoding="utf-8-sig", errors="replace") as handle:
            return "fer2013_csv" if "pixels" in handle.readline() else "manifest"
    folders = _class_folders(root)
    known = {name for name in folders if name.lower() in KNOWN}
    return "folder" if len(known) >= 2 or 2 <= len(folders) <= MOST_CLASSES else "filenames"


def guess_labels(path: str, source: str, poles: Sequence[str] | None) -> dict[str, str]:
    """The set's words and the poles that they mean, the negative ones last.

    Parameters
    ----------
    poles : the study's words; None takes the first negative emotion that the set has, sadness
        before the others.

    Returns
    -------
    the set's label: a pole's word. The poles' own words where nothing is recognised.
    """
    names = _names(resolve(stored(path)), source)
    positive = poles[1] if poles else POLES[1]
    found = {name: positive for name in names if name.lower() in {*POSITIVE, positive}}
    for negative, words in NEGATIVE.items():
        if poles and poles[0] != negative:
            continue
        meant = {name: negative for name in names if name.lower() in words}
        if found and meant:
            return found | meant
    return {word: word for word in reversed(poles or POLES)}


def _names(root: Path, source: str) -> list[str]:
    if source == "folder":
        return _class_folders(root)
    return _manifest_labels(root) if source == "manifest" else []


def _class_folders(root: Path) -> list[str]:
    """Names of the folders that hold images directly."""
    images = root.rglob("*") if root.is_dir() else ()
    return sorted(
        {
            path.parent.name
            for path in images
            if path.suffix.lower() in SUFFIXES and path.parent != root
        }
    )


def _manifest_labels(root: Path) -> list[str]:
    """The labels of a manifest; none where it cannot be read, which the check behind ``new``
    puts into words.
    """
    try:
        table = read_text_table(root)
    except (ValueError, OSError):
        return []
    return sorted(table["label"].unique()) if "label" in table else []


def with_limits(images: dict, poles: Sequence[str]) -> tuple[dict, int]:
    """The section with a limit where the set is large, and how many pairs it allows to morph."""
    try:
        counts, problems = survey_images(Study(poles=tuple(poles), images=Images(**images)))
    except (ImageError, re.error):
        return images, MOST_PAIRS
    if problems:
        return images, MOST_PAIRS
    smallest = counts.groupby("split")["n"].min()
    if 2 * smallest["train"] > MOST_TRAIN:
        images = images | {"n_train": MOST_TRAIN}
    return images, max(1, min(MOST_PAIRS, int(smallest["test"])))
