"""Which images are for training, validation and test: as the set says, or made by person."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from lib.pictures.reading import ImageError
from lib.settings.options import Images

SPLIT_WORDS = {
    "train": ("train", "training", "learn", "tr"),
    "validation": ("validation", "validate", "valid", "val", "dev", "devel", "publictest"),
    "test": ("test", "testing", "tst", "holdout", "privatetest"),
    "eval": ("eval", "evaluation"),  # validation beside a test split, else the test split
}
_SPLIT_OF = {word: split for split, words in SPLIT_WORDS.items() for word in words}
_FILLERS = {"set", "split", "data", "images", "imgs", "faces", "pictures"}
_SHARES = {"train": 0.7, "validation": 0.15, "test": 0.15}


def split_word(name: str) -> str:
    """``train``, ``validation``, ``test`` or ``eval`` for a word; empty for another one."""
    words = [w for w in re.split(r"[\W_]+", name.casefold()) if w and w not in _FILLERS]
    joined = "".join(words)
    return _SPLIT_OF.get(joined) or _SPLIT_OF.get(re.sub(r"set$", "", joined), "")


def with_splits(found: pd.DataFrame, images: Images, notes: list[str]) -> pd.DataFrame:
    """Splits by their names; those that a set lacks are made by person, or by file where no
    person is known.

    Parameters
    ----------
    found : path, label, split (empty where none is given), identity.
    notes : what was done is added.

    Raises
    ------
    ImageError : a word that is no split, images with and without one, no train split.
    """
    given = found["split"].fillna("").astype(str).str.strip()
    split = given.map({word: split_word(word) for word in given.unique()})
    if unknown := sorted(set(given[split == ""]) - {""}):
        words = "; ".join(f"{ours}: {', '.join(w)}" for ours, w in SPLIT_WORDS.items())
        raise ImageError(
            f"split {', '.join(map(repr, unknown[:5]))}; allowed: {words}; or an empty column: "
            "the workbook then splits"
        )
    split = _eval_as(split, notes)
    if (split == "").any() and (split != "").any():
        first = found["path"][split == ""].iloc[0]
        raise ImageError(
            f"{(split == '').sum()} images have no split (such as {first}) and "
            f"{(split != '').sum()} have one; allowed: all or none"
        )
    have = set(split) - {""}
    if have and "train" not in have:
        raise ImageError(
            f"the set has the splits {', '.join(sorted(have))} and no train split; needed: train"
        )
    lacking = [s for s in _SHARES if s not in have]
    if lacking:
        source = split.isin(["", "train"])
        wanted = {s: _SHARES[s] for s in ("train", *lacking)} if have else _SHARES
        split = split.mask(source, _made(found[source], wanted, images.split_seed))
        notes.append(
            f"{' and '.join(s for s in lacking if s != 'train')} split made from the images "
            f"without one, by {'person' if found['identity'].ne('').any() else 'file'} "
            f"(images.split_seed={images.split_seed})"
        )
    return found.assign(split=split)


def _eval_as(split: pd.Series, notes: list[str]) -> pd.Series:
    """Evaluation is the validation split beside a test split, and else the test split."""
    have = set(split)
    if "eval" not in have:
        return split
    if {"validation", "test"} <= have:
        raise ImageError(
            "the set has the splits validation, test and evaluation; allowed: one of each. Rename "
            "or remove one"
        )
    meant = "validation" if "test" in have else "test"
    notes.append(f"the split evaluation is taken as {meant}")
    return split.replace("eval", meant)


def _made(rows: pd.DataFrame, shares: dict[str, float], seed: int) -> pd.Series:
    """A split for each row: whole people, or files of each class in proportion."""
    rng = np.random.default_rng([15, seed])
    ends = np.cumsum([share / sum(shares.values()) for share in shares.values()])
    names = np.array(list(shares))
    result = pd.Series("", index=rows.index)
    groups = rows["identity"].where(rows["identity"].ne(""), rows["path"])
    strata = (
        [groups] if rows["identity"].ne("").any() else [g for _, g in groups.groupby(rows["label"])]
    )
    for stratum in strata:
        units = np.array(sorted(stratum.unique()))
        places = (rng.permutation(len(units)) + 0.5) / len(units)
        chosen = dict(zip(units, names[np.searchsorted(ends - 1e-9, places)], strict=True))
        result[stratum.index] = stratum.map(chosen)
    return result
