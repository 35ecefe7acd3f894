"""Where morphs come from: built-in faces, matched pairs, averages, landmarks, or a user's own
folder of steps.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from lib.faces.render import make_identity, part_regions, render_face
from lib.pictures.builtin import split_identities
from lib.pictures.landmarks import between, landmark_regions, morph, read_landmarked
from lib.pictures.reading import SUFFIXES, ImageError, read_image
from lib.settings.options import PARTS, Study, resolve


@dataclass(frozen=True)
class Morph:
    """One identity of the test set: its full picture at a level, and what the parts are there.

    ``members`` names the pictures it was made from; ``ready`` holds pictures that exist already, by
    condition and level.
    """

    identity: str
    picture: Callable[[float], np.ndarray] = field(compare=False)
    members: dict[str, str] = field(default_factory=dict)
    regions: Callable[[float], dict[str, np.ndarray]] | None = field(default=None, compare=False)
    ready: dict[tuple[str, float], str] = field(default_factory=dict)


def find_morphs(study: Study, images: pd.DataFrame) -> list[Morph]:
    """The morphs of a study.

    Parameters
    ----------
    images : the table ``images``; its test split makes pairs and averages.

    Raises
    ------
    ImageError : too few images, or files that do not fit the pattern.
    """
    make = {
        "builtin": _builtin,
        "matched_pairs": _matched,
        "averages": _averages,
        "landmarks": _landmarks,
        "folder": _folder,
    }[study.morphs.source]
    return make(study, images)


def builtin_people(study: Study) -> list[int]:
    """Who is morphed: people of the test split first, then people of no split."""
    own = split_identities(study.images)["test"] if study.images.source == "builtin" else []
    fresh = range(study.images.identities, study.images.identities + study.morphs.identities)
    return [*own, *fresh][: study.morphs.identities]


def _builtin(study: Study, images: pd.DataFrame) -> list[Morph]:
    weights = study.images.diagnosticity

    def one(index: int) -> Morph:
        person = make_identity(index)
        return Morph(
            f"id{index:03d}",
            lambda level: render_face(person, level, diagnosticity=weights),
            regions=lambda level: part_regions(person),
        )

    return [one(index) for index in builtin_people(study)]


def _test_split(images: pd.DataFrame, label: str) -> pd.DataFrame:
    return images[(images["split"] == "test") & (images["label"] == label)].sort_values(
        "path", ignore_index=True
    )


def _need(images: pd.DataFrame, label: str, count: int) -> pd.DataFrame:
    rows = _test_split(images, label)
    if len(rows) < count:
        raise ImageError(
            f"morphs.identities={count} given; the test split has {len(rows)} "
            f"{label} images. Allowed: up "
            f"to {len(rows)}, or more test images (images.n_test)"
        )
    return rows


def layout(path: str) -> np.ndarray:
    """A picture's coarse layout: its grey values reduced to 12 x 12, as a unit vector without
    its mean, (144,).
    """
    grey = cv2.cvtColor(read_image(resolve(path)), cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (12, 12), interpolation=cv2.INTER_AREA).astype(float).ravel()
    small -= small.mean()
    return small / max(np.linalg.norm(small), 1e-9)


def match_pairs(sad: np.ndarray, happy: np.ndarray, count: int) -> list[tuple[int, int, float]]:
    """Pairs of similar layout.

    Every sad face gets a happy one of its own such that the correlations sum to the most (linear
    assignment); the
    ``count`` best correlated pairs are kept.

    Parameters
    ----------
    sad, happy : unit vectors, (n_sad, k) and (n_happy, k).

    Returns
    -------
    (sad index, happy index, correlation), best first
    """
    correlation = sad @ happy.T
    rows, columns = linear_sum_assignment(correlation, maximize=True)
    order = np.argsort(-correlation[rows, columns], kind="stable")[:count]
    return [(int(rows[k]), int(columns[k]), float(correlation[rows[k], columns[k]])) for k in order]


def _matched(study: Study, images: pd.DataFrame) -> list[Morph]:
    count = study.morphs.identities
    sad, happy = (_need(images, label, count)["path"] for label in ("sad", "happy"))
    pairs = match_pairs(*[np.stack([layout(p) for p in paths]) for paths in (sad, happy)], count)
    return [
        _faded(f"pair{k + 1:02d}", sad[i], happy[j], {"correlation": f"{r:.4f}"})
        for k, (i, j, r) in enumerate(pairs)
    ]


def _faded(identity: str, sad: str, happy: str, extra: dict[str, str]) -> Morph:
    """The cross-fade of two pictures."""

    @lru_cache(maxsize=1)
    def ends() -> tuple[np.ndarray, np.ndarray]:
        return tuple(read_image(resolve(path)).astype(np.float32) for path in (sad, happy))

    return Morph(
        identity, lambda level: fade(*ends(), level), {"sad": sad, "happy": happy, **extra}
    )


def fade(sad: np.ndarray, happy: np.ndarray, level: float) -> np.ndarray:
    """(1 - level) of the sad picture and ``level`` of the happy one, uint8."""
    return np.round((1 - level) * sad + level * happy).astype(np.uint8)


def _averages(study: Study, images: pd.DataFrame) -> list[Morph]:
    """Each identity is the average of its share of the test split's sad faces, and of the happy
    ones.
    """
    count = study.morphs.identities
    sad, happy = (_need(images, label, count)["path"] for label in ("sad", "happy"))

    def mean(paths: pd.Series) -> np.ndarray:
        return np.mean([read_image(resolve(p)) for p in paths], 0, dtype=np.float64)

    def one(k: int) -> Morph:
        ends = lru_cache(maxsize=1)(lambda: (mean(sad[k::count]), mean(happy[k::count])))
        return Morph(
            f"average{k + 1:02d}",
            lambda level: fade(*ends(), level),
            {"sad": f"mean of {len(sad[k::count])}", "happy": f"mean of {len(happy[k::count])}"},
        )

    return [one(k) for k in range(count)]


def _files(study: Study, needs: tuple[str, ...], example: str) -> pd.DataFrame:
    """Files of ``morphs.root`` that fit ``morphs.pattern``: file and one column for each
    placeholder.
    """
    root, pattern = resolve(study.morphs.root), study.morphs.pattern
    if not root.is_dir():
        raise ImageError(
            f"morphs.root: no such folder: {root}; morphs.source {study.morphs.source!r} needs one"
        )
    if missing := [n for n in needs if f"{{{n}}}" not in pattern]:
        raise ImageError(
            f"morphs.pattern: {pattern!r} has no {' and no '.join(f'{{{n}}}' for n in missing)}; "
            "morphs."
            f"source {study.morphs.source!r} needs it, such as {example!r}"
        )
    regular = re.compile(as_regular(pattern), re.IGNORECASE)
    files = sorted(
        p for p in root.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")
    )
    rows = [
        {"file": (Path(study.morphs.root) / p.relative_to(root)).as_posix(), **m.groupdict()}
        for p in files
        if (m := regular.fullmatch(p.relative_to(root).as_posix()))
    ]
    if not rows:
        first = f" (the first is {files[0].relative_to(root).as_posix()!r})" if files else ""
        raise ImageError(
            f"morphs.pattern {pattern!r} fits none of the {len(files)} "
            f"images in {root}{first}; allowed "
            "placeholders: {identity}, {condition}, {step}, {label}"
        )
    return pd.DataFrame(rows)


def as_regular(pattern: str) -> str:
    """A pattern of placeholders as a regular expression."""
    kinds = {
        "identity": "[^/]+?",
        "condition": "[^/]+?",
        "label": "[^/]+?",
        "step": r"\d+(?:\.\d+)?",
    }
    pieces = re.split(r"\{(identity|condition|label|step)\}", pattern)
    return "".join(
        f"(?P<{piece}>{kinds[piece]})" if k % 2 else re.escape(piece)
        for k, piece in enumerate(pieces)
    )


def _landmarks(study: Study, images: pd.DataFrame) -> list[Morph]:
    """Pairs of one person's sad and happy picture, each with a ``.tem`` beside it."""
    files = _files(study, ("identity", "label"), "{identity}_{label}.jpg")
    files["label"] = files["label"].map(study.images.labels)
    pairs = (
        files.dropna()
        .drop_duplicates(["identity", "label"])
        .pivot_table(index="identity", columns="label", values="file", aggfunc="first")
        .reindex(columns=["sad", "happy"])
        .dropna()
    )
    if len(pairs) < study.morphs.identities:
        raise ImageError(
            f"morphs.identities={study.morphs.identities} given; {len(pairs)} "
            "people have both a happy "
            f"and a sad picture ({', '.join(study.images.labels)} in {study.morphs.pattern!r})"
        )
    return [
        _warped(identity, row["sad"], row["happy"])
        for identity, row in pairs.iloc[: study.morphs.identities].iterrows()
    ]


def _warped(identity: str, sad: str, happy: str) -> Morph:
    @lru_cache(maxsize=1)
    def ends():
        return tuple(read_landmarked(resolve(path)) for path in (sad, happy))

    return Morph(
        identity,
        lambda level: morph(*ends(), level),
        {"sad": sad, "happy": happy},
        regions=lambda level: landmark_regions(between(*ends(), level)),
    )


def _folder(study: Study, images: pd.DataFrame) -> list[Morph]:
    """A user's own morphs in the study's conditions; the smallest step is fully sad, the
    largest fully happy.
    """
    files = _files(study, ("step",), "{identity}_{condition}_{step}.jpg")
    files["identity"] = files.get("identity", "morph01")
    files["condition"] = files["condition"].str.lower() if "condition" in files else "full"
    if "full" not in set(files["condition"]):
        raise ImageError(
            f"morphs.root: found the conditions {', '.join(sorted(set(files['condition'])))}; "
            "allowed: "
            f"full, {', '.join(PARTS)}, and full is needed. Rename the files"
        )
    files = files[files["condition"].isin(study.morphs.conditions)].reset_index(drop=True)
    files["step"] = steps = files["step"].astype(float)
    _once(files)
    if steps.nunique() < 2:
        raise ImageError(
            f"morphs.root: all files are of step {steps.iloc[0]:g}; needed: two steps or more, the "
            "smallest fully sad and the largest fully happy"
        )
    files["level"] = ((steps - steps.min()) / (steps.max() - steps.min())).round(6)
    groups = list(files.groupby("identity"))[: study.morphs.identities]
    if bare := [str(identity) for identity, rows in groups if "full" not in set(rows["condition"])]:
        raise ImageError(
            f"morphs.root: no full pictures of {', '.join(bare)}; needed: "
            "full pictures of each identity, "
            "from which its levels are known. Add them, or take the identity's other files out"
        )
    return [_given(str(identity), rows) for identity, rows in groups]


def _once(files: pd.DataFrame) -> None:
    """ImageError for two files of one picture, such as full_0.jpg and full_00.jpg."""
    key = ["identity", "condition", "step"]
    again = files.duplicated(key)
    if again.any():
        second = files[again].iloc[0]
        first = files[(files[key] == second[key]).all(axis=1)].iloc[0]
        raise ImageError(
            f"morphs.root: {first['file']} and {second['file']} are both "
            f"step {second['step']:g} of "
            f"{second['identity']} {second['condition']} ({again.sum()} "
            "such files); allowed: one file "
            "for each identity, condition and step. Take one of the two out, or rename it"
        )


def _given(identity: str, rows: pd.DataFrame) -> Morph:
    ready = {(r.condition, r.level): r.file for r in rows.itertuples()}
    return Morph(identity, lambda level: read_image(resolve(ready["full", level])), ready=ready)
