"""Which of the study's pictures a person saw, from the name that stands in the table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from lib.people.trials import TrialError
from lib.pictures.listing import composed
from lib.settings.options import Study

# how far the level in the table may be from its picture's: per cent are rounded to whole ones
TOLERANCE = 0.0051
# suffixes that a name may have where the picture has another one, or none
_SUFFIX = re.compile(
    r"\.(?:png|jpe?g|jfif|jpe|bmp|tiff?|gif|webp|jp2|pgm|ppm|pnm|tga|heic|avif)$", re.IGNORECASE
)


def on_pictures(trials: pd.DataFrame, stimuli: pd.DataFrame | None, study: Study) -> pd.DataFrame:
    """Trials whose ``stimulus`` is the same id as in the table ``stimuli``.

    A name may be a file's name or path, with or without suffix, with ``/`` or ``\\``, in capitals
    or not, or the workbook's own id. Identity, condition and the level to its last digit are then
    the picture's. Where there is no column ``stimulus``, or no name is a picture's and none has to
    be, people saw other pictures, and the trials stay as they are.

    Parameters
    ----------
    trials : indexed by where each row stands, such as ``a.csv, row 5``.
    stimuli : columns stimulus, path, identity, level, condition; None matches nothing.

    Raises
    ------
    TrialError : names without a picture or of several, or a level or condition that is not its
        picture's; with the rows.
    """
    names = trials["stimulus"].astype(str)
    if stimuli is None or stimuli.empty or (names == "").all():
        return trials
    ids = names.map(pictures_of(names.unique(), stimuli))
    if ids.map(len).eq(0).all() and not _must_match(study):
        return trials
    _refuse(
        ids.map(len) > 1,
        names,
        lambda row: (
            f"it can be {' or '.join(ids[row][:2])}; allowed: names that tell the pictures "
            "apart, such as their paths"
        ),
    )
    _refuse(
        ids.map(len) == 0,
        names,
        lambda row: (
            f"no such picture among {_examples(stimuli)}; allowed: the pictures' file "
            "names. Check morphs.root, or leave stimulus out of observers.columns to compare on "
            "level alone"
        ),
    )
    ids = ids.str[0]
    seen = stimuli.set_index("stimulus").loc[ids].set_axis(trials.index)
    apart = (trials["level"] - seen["level"]).abs() > TOLERANCE
    _refuse(
        apart,
        names,
        lambda row: (
            f"level {trials['level'][row]:.4g} in the table and {seen['level'][row]:.4g} "
            "by the picture's name; allowed: the same. Check observers.level_range and the names"
        ),
    )
    if "condition" in study.observers.columns:
        _refuse(
            trials["condition"] != seen["condition"],
            names,
            lambda row: (
                f"condition {trials['condition'][row]} in the table and "
                f"{seen['condition'][row]} by the picture; allowed: the same"
            ),
        )
    return trials.assign(stimulus=ids, **seen[["identity", "level", "condition"]])


def _must_match(study: Study) -> bool:
    """Whether the study says that people saw the very pictures of its folder."""
    return study.morphs.source == "folder" and "stimulus" in study.observers.columns


def pictures_of(names: Iterable[str], stimuli: pd.DataFrame) -> dict[str, list[str]]:
    """For each name, the ids of the pictures that it can mean."""
    known: dict[str, list[str]] = {}
    for picture in stimuli.itertuples():
        for key in {_plain(picture.stimulus), *_tails(_plain(str(picture.path)))}:
            known.setdefault(key, []).append(picture.stimulus)
    found = {}
    for name in names:
        tails = _tails(_plain(name))
        found[name] = next((known[tail] for tail in tails if tail in known), [])
    return found


def _plain(name: str) -> str:
    """A name without what may differ: kind of slash, suffix, capitals, composed letters."""
    text = composed(name).strip().replace("\\", "/")
    return _SUFFIX.sub("", text).casefold()


def _tails(path: str) -> list[str]:
    """A path and its ends, the longest first."""
    parts = path.split("/")
    return ["/".join(parts[k:]) for k in range(len(parts))]


def _examples(stimuli: pd.DataFrame) -> str:
    """The first and the last picture's name, and how many there are."""
    ends = [str(path).replace("\\", "/").split("/")[-1] for path in stimuli["path"].iloc[[0, -1]]]
    return f"the {len(stimuli):,} of the study ({ends[0]} … {ends[1]})"


def _refuse(wrong: pd.Series, names: pd.Series, what: Callable[[str], str]) -> None:
    """An error that names the first wrong row and how many there are."""
    if wrong.any():
        row = wrong.index[np.flatnonzero(wrong.to_numpy(bool))[0]]
        others = ", ".join(repr(name) for name in names[wrong].unique()[:4])
        raise TrialError(
            f"{row}, stimulus {names[row]!r}: {what(row)} ({wrong.sum()} such rows: {others})"
        )
