"""The test pictures of a study: morphs x levels x conditions, one file each."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from operator import itemgetter
from pathlib import Path

import numpy as np
import pandas as pd

from lib.faces.render import make_identity, part_regions
from lib.morphs.hiding import box_regions, control_patch, occlude
from lib.morphs.landmarks import between, landmark_regions, read_landmarked
from lib.morphs.sources import Morph, find_morphs
from lib.pictures.builtin import drawing_version
from lib.pictures.listing import counted
from lib.pictures.reading import ImageError, keep_pictures
from lib.settings.options import ROOT, Study, resolve
from lib.storage.files import file_hash, file_hashes, settings_hash
from lib.storage.runs import relative

__all__ = ["control_patch", "make_stimuli", "occlude", "regions_of"]

COLUMNS = ["stimulus", "path", "identity", "level", "condition"]


def make_stimuli(
    study: Study, images: pd.DataFrame, folder: str | Path | None = None
) -> pd.DataFrame:
    """The table ``stimuli`` of a study; what is not drawn yet is drawn.

    Parameters
    ----------
    images : the table ``images``; its test split makes pairs and averages.
    folder : where the pictures are kept; None is data/derived.

    Returns
    -------
    Columns stimulus (unique, such as ``id003_full_0.50``), path, identity, level, condition; and
    the pictures that a morph was made from (negative, positive, correlation), where there are any.
    Sorted by identity, condition and level. ``attrs["notes"]`` says what was passed over.

    Raises
    ------
    ImageError : too few images or files that do not fit.
    """
    folder = ROOT / "data/derived" if folder is None else Path(folder)
    notes: list[str] = []
    morphs = find_morphs(study, images, notes)
    rows = pd.DataFrame([row for one in morphs for row in _plan(one, study, notes)])
    place = folder / "morphs" / settings_hash(asdict(study.morphs), _made_from(study, morphs))
    drawn = rows["path"].isna()
    if drawn.any():
        rows.loc[drawn, "file"] = rows.loc[drawn, "stimulus"] + ".png"
        keep_pictures(
            place, rows[drawn], _drawer(study, {m.identity: m for m in morphs}), "drawing morphs"
        )
        rows.loc[drawn, "path"] = [str(place / file) for file in rows.loc[drawn, "file"]]
    rows["path"] = [relative(p) for p in rows["path"]]
    rows = rows.drop(columns="file", errors="ignore")
    order = {condition: k for k, condition in enumerate(study.morphs.conditions)}
    rows = rows.sort_values(
        ["identity", "condition", "level"],
        ignore_index=True,
        kind="stable",
        key=lambda c: c.map(order) if c.name == "condition" else c,
    )
    rows.attrs["notes"] = notes
    return rows


def planned(study: Study) -> tuple[pd.DataFrame, list[str]]:
    """The stimuli of a study with morphs of its own, without drawing any.

    Returns
    -------
    rows : as ``make_stimuli``; path is missing where a picture would be drawn.
    notes : what is passed over.

    Raises
    ------
    ImageError : files that do not fit, or that cannot be read.
    """
    notes: list[str] = []
    morphs = find_morphs(study, pd.DataFrame(), notes)
    rows = [row for one in morphs for row in _plan(one, study, notes)]
    return pd.DataFrame(rows), notes


def levels_of(study: Study) -> np.ndarray:
    """The study's equal steps from fully negative to fully positive."""
    return np.linspace(0, 1, study.morphs.levels).round(6)


def _plan(one: Morph, study: Study, notes: list[str]) -> list[dict]:
    """One row for each level and condition of a morph; ``path`` is None where the picture must
    be drawn.
    """
    given = sorted({level for condition, level in one.ready if condition == "full"})
    levels = np.array(given) if given else levels_of(study)
    digits = 2 if np.allclose(np.round(levels, 2), levels) else 4
    rows = [
        {
            "stimulus": f"{one.identity}_{condition}_{level:.{digits}f}",
            "path": one.ready.get((condition, level)),
            "identity": one.identity,
            "level": float(level),
            "condition": condition,
            **one.members,
        }
        for condition in study.morphs.conditions
        for level in _levels_of_condition(one, condition, levels, study, notes)
    ]
    return sorted(rows, key=itemgetter("level"))  # a level's conditions share what is drawn


def _levels_of_condition(
    one: Morph, condition: str, levels: np.ndarray, study: Study, notes: list[str]
) -> np.ndarray:
    """Whole faces at all levels; parts that are hidden here at those nearest to equal steps."""
    own = sorted({level for c, level in one.ready if c == condition})
    if condition == "full" or not one.ready:
        return levels
    if own:
        gone = [f"{one.identity} at {level:g}" for level in levels if level not in own]
        notes += counted(gone, f"levels without a picture of the condition {condition!r}")
        return np.intersect1d(own, levels)
    nearest = np.abs(levels[None] - levels_of(study)[:, None]).argmin(1)
    return levels[np.unique(nearest)]


def _made_from(study: Study, morphs: list[Morph]) -> list:
    """What the pictures depend on beyond the settings: the drawing code, or the files they are
    made from.
    """
    if study.morphs.source == "builtin":
        return [drawing_version(), study.images.diagnosticity, [m.identity for m in morphs]]
    names = ("sources.py", "folder.py", "landmarks.py", "hiding.py")
    paths = [*(ROOT / "lib/morphs" / name for name in names), ROOT / "lib/pictures/reading.py"]
    code = [file_hash(path) for path in paths]
    used = {
        path
        for m in morphs
        for path in (m.members.get("negative"), m.members.get("positive"), *m.ready.values())
        if path
    }
    tems = (
        {str(Path(p).with_suffix(".tem")) for p in used}
        if study.morphs.source == "landmarks"
        else set()
    )
    files = [p for p in sorted(used | tems) if resolve(p).is_file()]
    return [
        code,
        list(zip(files, file_hashes(map(resolve, files)), strict=True)),
        [m.members for m in morphs],
    ]


def _drawer(study: Study, morphs: dict[str, Morph]):
    """Draws one row; the full picture and the regions of a level are shared by its conditions."""
    boxes = box_regions(study.morphs.boxes)

    @lru_cache(maxsize=2)
    def full(identity: str, level: float) -> np.ndarray:
        return morphs[identity].picture(level)

    @lru_cache(maxsize=2)
    def regions(identity: str, level: float) -> dict[str, np.ndarray]:
        find = morphs[identity].regions
        return boxes if study.morphs.regions == "boxes" or find is None else find(level)

    def draw(row) -> np.ndarray:
        picture = full(row.identity, row.level)
        if row.condition != "full":
            picture = occlude(picture, regions(row.identity, row.level)[row.condition])
        grey = (picture[..., 0] == picture[..., 1]).all() and (
            picture[..., 1] == picture[..., 2]
        ).all()
        return picture[..., 0] if grey else picture

    return draw


def regions_of(study: Study, stimuli: pd.DataFrame, size: int = 224) -> dict[str, np.ndarray]:
    """Where the parts are in the stimuli.

    Returns
    -------
    For each part, bool (n, size, size) in the stimuli's order, or one shared (size, size) mask
    where the parts are fixed boxes.

    Raises
    ------
    ImageError : landmarks wanted for stimuli that were not made from landmarks.
    """
    if study.morphs.regions == "boxes":
        return box_regions(study.morphs.boxes, size)
    if study.morphs.regions == "truth":
        names = sorted(set(stimuli["identity"]))
        found = [
            part_regions(make_identity(int(name.removeprefix("id"))), size=size) for name in names
        ]
        return _stacked(found, stimuli["identity"].map({name: k for k, name in enumerate(names)}))
    if not {"negative", "positive"} <= set(stimuli.columns):
        raise ImageError(
            "morphs.regions=landmarks given; these stimuli were not made from landmarked pictures. "
            "Use morphs.regions=boxes"
        )
    keys = list(stimuli[["negative", "positive", "level"]].itertuples(index=False, name=None))
    ends = lru_cache(maxsize=8)(lambda path: read_landmarked(resolve(path), size))
    each = list(dict.fromkeys(keys))
    found = [
        landmark_regions(between(ends(negative), ends(positive), level), size)
        for negative, positive, level in each
    ]
    index = {key: k for k, key in enumerate(each)}
    return _stacked(found, [index[key] for key in keys])


def _stacked(found: list[dict[str, np.ndarray]], index) -> dict[str, np.ndarray]:
    return {
        part: np.stack([regions[part] for regions in found])[np.asarray(index)] for part in found[0]
    }
