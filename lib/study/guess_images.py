"""How a user's images are laid out, and which of their labels mean which pole: a guess to check."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from lib.morphs.folder import guess_pattern
from lib.pictures.labelled import survey_images
from lib.pictures.listing import NAMING, list_files, naming_of
from lib.pictures.manifests import read_manifest
from lib.pictures.reading import ImageError
from lib.settings.options import ROOT, Images, Study, resolve
from lib.settings.words import POLES
from lib.storage.tables import read_table

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
    "h",
)
# words in common use for the negative end, by what a study calls it; the first that is found counts
NEGATIVE = {
    "sad": ("sad", "sadness", "grief", "negative", "neg", "sa", "s", "frown"),
    "angry": ("angry", "anger", "rage", "an", "ang", "a"),
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
        return "fer2013_csv" if "pixels" in _columns(root) else "manifest"
    names = _file_names(root)
    if (known := naming_of(names)) and "(?P<label>" in NAMING[known]:
        return "filenames"
    folders = _class_folders(root)
    if len({name for name in folders if name.lower() in KNOWN}) >= 2:
        return "folder"
    if guess_names(path) or not 2 <= len(folders) <= MOST_CLASSES:
        return "filenames"
    return "folder"


def guess_names(path: str) -> str | None:
    """A regular expression for the file names: that of a known set, or one that finds words for
    emotions between other characters; None where nine in ten names fit none.
    """
    names = _file_names(resolve(stored(path)))
    if (known := naming_of(names)) and "(?P<label>" in NAMING[known]:
        return f"(?i){NAMING[known]}"
    words = "|".join(sorted((word for word in KNOWN if len(word) > 2), key=len, reverse=True))
    pattern = rf"(?i)(?:^|[\W\d_])(?P<label>{words})(?:[\W\d_]|$)"
    told = [match["label"].lower() for name in names if (match := re.search(pattern, name))]
    return pattern if len(set(told)) > 1 and len(told) >= 0.9 * len(names) else None


def guess_morphs(path: str) -> str | None:
    """The usual pattern that all names of a folder of morphs fit; None where none does."""
    root = resolve(stored(path))
    if not root.is_dir():
        return None
    return guess_pattern(p.relative_to(root).as_posix() for p in list_files(root).pictures)


def _file_names(root: Path) -> list[str]:
    """Names of the pictures below a folder, and of Yale's, which have labels for suffixes."""
    if not root.is_dir():
        return []
    listing = list_files(root)
    return [p.name for p in listing.pictures or listing.others]


def _columns(root: Path) -> list[str]:
    try:
        return [str(name) for name in read_table(root).columns]
    except (ValueError, OSError):
        return []


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
    names = _names(path, source)
    positive = poles[1] if poles else POLES[1]
    found = {name: positive for name in names if name.lower() in {*POSITIVE, positive}}
    for negative, words in NEGATIVE.items():
        if poles and poles[0] != negative:
            continue
        meant = {name: negative for name in names if name.lower() in words}
        if found and meant:
            return found | meant
    return {word: word for word in reversed(poles or POLES)}


def _names(path: str, source: str) -> list[str]:
    """The labels of a set as it writes them; none where it cannot be read, which the check behind
    ``new`` puts into words.
    """
    root = resolve(stored(path))
    if source == "folder":
        return _class_folders(root)
    if source == "filenames" and (pattern := guess_names(path)):
        found = (re.search(pattern, name) for name in _file_names(root))
        return sorted({match["label"] for match in found if match})
    try:
        return sorted(read_manifest(root)["label"].unique()) if source == "manifest" else []
    except (ImageError, OSError):
        return []


def _class_folders(root: Path) -> list[str]:
    """Names of the folders that hold images directly."""
    pictures = list_files(root).pictures if root.is_dir() else ()
    return sorted({path.parent.name for path in pictures if path.parent != root})


def with_limits(images: dict, poles: Sequence[str]) -> tuple[dict, int]:
    """The section with a limit where the set is large, and how many pairs it allows to morph."""
    if images["source"] == "filenames" and "pattern" not in images:
        return images, MOST_PAIRS
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
