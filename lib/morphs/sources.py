"""Where morphs come from: built-in faces, matched pairs, averages, landmarks, or a user's own
folder of steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from lib.faces.render import make_identity, part_regions, render_face
from lib.morphs.folder import morph_files, own_morphs
from lib.morphs.landmarks import between, landmark_regions, morph, read_landmarked, triangles
from lib.pictures.builtin import split_identities
from lib.pictures.listing import counted
from lib.pictures.reading import ImageError, listed, read_image, unreadable
from lib.settings.options import Study, resolve


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


def find_morphs(study: Study, images: pd.DataFrame, notes: list[str] | None = None) -> list[Morph]:
    """The morphs of a study.

    Parameters
    ----------
    images : the table ``images``; its test split makes pairs and averages.
    notes : what was passed over is added to it, in sentences.

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
    return make(study, images, [] if notes is None else notes)


def builtin_people(study: Study) -> list[int]:
    """Who is morphed: people of the test split first, then people of no split."""
    own = split_identities(study.images)["test"] if study.images.source == "builtin" else []
    fresh = range(study.images.identities, study.images.identities + study.morphs.count)
    return [*own, *fresh][: study.morphs.count]


def _builtin(study: Study, images: pd.DataFrame, notes: list[str]) -> list[Morph]:
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


def match_pairs(
    negative: np.ndarray, positive: np.ndarray, count: int
) -> list[tuple[int, int, float]]:
    """Pairs of similar layout.

    Every negative face gets a positive one of its own such that the correlations sum to the most
    (linear assignment); the ``count`` best correlated pairs are kept.

    Parameters
    ----------
    negative, positive : unit vectors, (n_negative, k) and (n_positive, k).

    Returns
    -------
    (negative index, positive index, correlation), best first
    """
    correlation = negative @ positive.T
    rows, columns = linear_sum_assignment(correlation, maximize=True)
    order = np.argsort(-correlation[rows, columns], kind="stable")[:count]
    return [(int(rows[k]), int(columns[k]), float(correlation[rows[k], columns[k]])) for k in order]


def _matched(study: Study, images: pd.DataFrame, notes: list[str]) -> list[Morph]:
    count = study.morphs.count
    negative, positive = (_need(images, label, count)["path"] for label in study.poles)
    pairs = match_pairs(
        *[np.stack([layout(p) for p in paths]) for paths in (negative, positive)], count
    )
    return [
        _faded(f"pair{k + 1:02d}", negative[i], positive[j], {"correlation": f"{r:.4f}"})
        for k, (i, j, r) in enumerate(pairs)
    ]


def _faded(identity: str, negative: str, positive: str, extra: dict[str, str]) -> Morph:
    """The cross-fade of two pictures."""

    @lru_cache(maxsize=1)
    def ends() -> tuple[np.ndarray, np.ndarray]:
        return tuple(read_image(resolve(path)).astype(np.float32) for path in (negative, positive))

    members = {"negative": negative, "positive": positive, **extra}
    return Morph(identity, lambda level: fade(*ends(), level), members)


def fade(negative: np.ndarray, positive: np.ndarray, level: float) -> np.ndarray:
    """(1 - level) of the negative picture and ``level`` of the positive one, uint8."""
    return np.round((1 - level) * negative + level * positive).astype(np.uint8)


def _averages(study: Study, images: pd.DataFrame, notes: list[str]) -> list[Morph]:
    """Each identity is the average of its share of the test split's faces of each pole."""
    count = study.morphs.count
    negative, positive = (_need(images, label, count)["path"] for label in study.poles)

    def mean(paths: pd.Series) -> np.ndarray:
        return np.mean([read_image(resolve(p)) for p in paths], 0, dtype=np.float64)

    def one(k: int) -> Morph:
        ends = lru_cache(maxsize=1)(lambda: (mean(negative[k::count]), mean(positive[k::count])))
        return Morph(
            f"average{k + 1:02d}",
            lambda level: fade(*ends(), level),
            {
                "negative": f"mean of {len(negative[k::count])}",
                "positive": f"mean of {len(positive[k::count])}",
            },
        )

    return [one(k) for k in range(count)]


def _landmarks(study: Study, images: pd.DataFrame, notes: list[str]) -> list[Morph]:
    """Pairs of one person's pictures of the two poles, each with a ``.tem`` beside it."""
    labels = study.images.labels
    pattern = study.morphs.pattern
    files = morph_files(study.morphs, ("identity", "label"), "{identity}_{label}.jpg", notes)
    files["pole"] = files["label"].map(labels)
    files = files.dropna(subset="pole")
    again = files.duplicated(["identity", "pole"])
    notes += counted(list(files["name"][again]), "further pictures of a person and pole")
    pairs = files[~again].pivot(index="identity", columns="pole", values="file")
    pairs = pairs.reindex(columns=study.poles)
    notes += counted(
        list(map(str, pairs.index[pairs.isna().any(axis=1)])), "people with a picture of one pole"
    )
    pairs = pairs.dropna()
    count = len(pairs) if study.morphs.identities is None else study.morphs.identities
    if not 0 < count <= len(pairs):
        raise ImageError(
            f"morphs.identities={count or 'all'} given; {len(pairs)} people have both a "
            f"{study.positive} and a {study.negative} picture ({', '.join(labels)} in {pattern!r})"
        )
    pairs = _first(pairs, count, notes)
    parts = study.morphs.regions == "landmarks"
    faults = (_pair_fault(*pair, parts) for pair in pairs.itertuples(index=False, name=None))
    if problems := [fault for fault in faults if fault]:
        raise ImageError(f"{len(problems)} pairs cannot be morphed:\n{listed(problems)}")
    return [_warped(str(who), *pair) for who, *pair in pairs.itertuples(name=None)]


def _pair_fault(negative: str, positive: str, parts: bool) -> str:
    """What a run would stumble over: landmarks that are missing, do not fit, or name no parts."""
    try:
        faces = [read_landmarked(resolve(path)) for path in (negative, positive)]
        points = between(*faces, 0.5)
        triangles(points)
        if parts:
            landmark_regions(points)
    except ImageError as error:
        return str(error)
    return ""


def _first(table: pd.DataFrame, count: int | None, notes: list[str]) -> pd.DataFrame:
    """The first ``count`` rows (None: all), and a note on what is left out."""
    if count is not None:
        left = list(map(str, table.index[count:]))
        notes += counted(left, f"identities beyond morphs.identities={count}")
    return table.iloc[:count]


def _warped(identity: str, negative: str, positive: str) -> Morph:
    @lru_cache(maxsize=1)
    def ends():
        return tuple(read_landmarked(resolve(path)) for path in (negative, positive))

    return Morph(
        identity,
        lambda level: morph(*ends(), level),
        {"negative": negative, "positive": positive},
        regions=lambda level: landmark_regions(between(*ends(), level)),
    )


def _folder(study: Study, images: pd.DataFrame, notes: list[str]) -> list[Morph]:
    """A user's own morphs: all identities there are, unless the study says how many."""
    files = own_morphs(study.morphs, notes)
    names = pd.DataFrame(index=sorted(files["identity"].unique()))
    kept = _first(names, study.morphs.identities, notes).index
    files = files[files["identity"].isin(kept)]
    if problems := unreadable(map(resolve, files["file"])):
        raise ImageError(f"{len(problems)} morphs cannot be read:\n{listed(problems)}")
    return [_given(str(identity), rows) for identity, rows in files.groupby("identity")]


def _given(identity: str, rows: pd.DataFrame) -> Morph:
    ready = {(r.condition, r.level): r.file for r in rows.itertuples()}
    return Morph(identity, lambda level: read_image(resolve(ready["full", level])), ready=ready)
