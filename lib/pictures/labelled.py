"""The labelled images of a study: found or drawn, checked, freed of duplicates, balanced and
counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lib.pictures.builtin import SPLITS, builtin_set, wanted
from lib.pictures.reading import ImageError, listed, read_image, unreadable
from lib.pictures.sources import find_images
from lib.settings.options import ROOT, Study, resolve
from lib.storage.files import file_hashes
from lib.storage.runs import relative

__all__ = ["ImageError", "load_images", "read_image", "survey_images"]

COLUMNS = ["path", "label", "split", "identity", "level", "sha256"]


def load_images(study: Study, folder: str | Path | None = None) -> pd.DataFrame:
    """The table ``images`` of a study, from any ``images.source``.

    Parameters
    ----------
    folder : where drawn or unpacked pictures are kept; None is data/derived.

    Returns
    -------
    Columns path, label (a pole's word), split (train, validation, test), identity, level (built-in
    faces only), sha256; sorted by split, label and path; each split balanced, with at most
    ``images.n_<split>`` images.
    ``attrs["notes"]`` lists in sentences what was left out and why; ``attrs["duplicates"]`` the
    files removed because the same picture is elsewhere.

    Raises
    ------
    ImageError : nothing usable, one class only, an empty class, unreadable files, conflicting
        labels, or one person in two splits; with the list and the remedy.
    """
    folder = ROOT / "data/derived" if folder is None else Path(folder)
    notes: list[str] = []
    images, duplicates = _distinct(study, folder, notes)
    images = _balanced(images, study, notes)
    _refuse_unreadable(images)
    images["path"] = [relative(p) for p in images["path"]]
    images = images.reindex(columns=[c for c in COLUMNS if c != "level" or "level" in images])
    images.attrs.update(notes=notes, duplicates=duplicates)
    return images


def _distinct(
    study: Study, folder: Path | None, notes: list[str]
) -> tuple[pd.DataFrame, list[dict]]:
    """All images, each once, and the copies that were left out; ``folder`` None draws and unpacks
    nothing.
    """
    if study.images.source == "builtin":
        images = builtin_set(study, folder)
    else:
        images, found = find_images(study, folder)
        notes += found
    if "sha256" not in images:
        images = images.assign(sha256=file_hashes(map(resolve, images["path"])))
    _refuse_conflicts(images)
    images, duplicates = _without_duplicates(images)
    if duplicates:
        notes.append(_duplicate_note(duplicates))
    return images, duplicates


@dataclass(frozen=True)
class Survey:
    """What ``load_images`` would find: counts of split and label, the images that would be used,
    what is left out, and why they cannot be used, where they cannot.
    """

    counts: pd.DataFrame
    images: pd.DataFrame
    notes: list[str]
    problems: list[str]


def survey(study: Study) -> Survey:
    """Everything that ``load_images`` looks at; nothing is drawn, unpacked or written.

    The images of the result are empty where their files do not exist yet (built-in faces,
    fer2013.csv).
    """
    empty = pd.DataFrame(columns=["split", "label", "n"])
    if study.images.source == "builtin":
        rows = [
            (split, label, wanted(study.images, split)) for split in SPLITS for label in study.poles
        ]
        return Survey(pd.DataFrame(rows, columns=empty.columns), pd.DataFrame(), [], [])
    notes: list[str] = []
    there = study.images.source != "fer2013_csv"
    try:
        images, _ = _distinct(study, None, notes)
        chosen = _balanced(images, study, [])
        if there:
            _refuse_unreadable(chosen)
    except ImageError as error:
        return Survey(empty, pd.DataFrame(), notes, [str(error)])
    counts = images.groupby(["split", "label"]).size().rename("n").reset_index()
    return Survey(counts, chosen if there else pd.DataFrame(), notes, [])


def survey_images(study: Study) -> tuple[pd.DataFrame, list[str]]:
    """Counts of a study's images, each picture once, and problems in sentences with the remedy.

    Returns
    -------
    counts : columns split, label, n.
    problems : empty when the images can be used.
    """
    found = survey(study)
    return found.counts, found.problems


def _refuse_conflicts(images: pd.DataFrame) -> None:
    """The same picture under both labels is an error, and so is one person in two splits."""
    labels = images.groupby("sha256")["label"].transform("nunique")
    if (labels > 1).any():
        groups = images[labels > 1].groupby("sha256")
        lines = [" = ".join(f"{_where(r)} ({r.label})" for r in g.itertuples()) for _, g in groups]
        raise ImageError(
            f"{len(lines)} pictures carry both labels; allowed: one label for each picture. Remove "
            f"the wrong copy of each:\n{listed(lines)}"
        )
    named = images[images["identity"].astype(str).ne("")]
    splits = named.groupby("identity")["split"].unique()
    shared = splits[splits.map(len) > 1]
    if len(shared):
        lines = [f"{identity}: {', '.join(where)}" for identity, where in shared.items()]
        raise ImageError(
            f"{len(shared)} people are in more than one split; allowed: each person in one split. "
            "Change the split column, or leave it out and the workbook splits by "
            f"person:\n{listed(lines)}"
        )


def _where(row) -> str:
    """Where a user finds a picture: its row in a table that holds the pixels, else its path."""
    return row.row if getattr(row, "row", "").partition(",")[2] else row.path


def _without_duplicates(images: pd.DataFrame) -> tuple[pd.DataFrame, list[dict]]:
    """Keep each picture once: the test set's copy before the validation set's, and that before
    the training set's.
    """
    rank = images["split"].map({"test": 0, "validation": 1, "train": 2})
    order = images.assign(rank=rank).sort_values(["rank", "path"], kind="stable")
    first = order.drop_duplicates("sha256").set_index("sha256")
    extra = order[order.duplicated("sha256")].sort_values("path")
    removed = [
        {
            "path": row.path,
            "split": row.split,
            "kept": first["path"][row.sha256],
            "kept_split": first["split"][row.sha256],
        }
        for row in extra.itertuples()
    ]
    return images.drop(extra.index), removed


def _duplicate_note(duplicates: list[dict]) -> str:
    across = sum(d["split"] != d["kept_split"] for d in duplicates)
    return (
        f"{len(duplicates)} exact duplicates removed, {across} of them "
        "across splits (the copy in the test set "
        "was kept, then the one in the validation set)"
    )


def _refuse_empty(images: pd.DataFrame, study: Study) -> None:
    for split in SPLITS:
        here = images[images["split"] == split]["label"].value_counts()
        if missing := [label for label in study.poles if not here.get(label, 0)]:
            found = ", ".join(f"{n} {label}" for label, n in here.items()) or "no images at all"
            raise ImageError(
                f"the {split} split has no image labelled {' or '.join(missing)} ({found}); "
                "needed: both classes in every split. Check images.labels and the folders or "
                "splits of your set"
            )


def _balanced(images: pd.DataFrame, study: Study, notes: list[str]) -> pd.DataFrame:
    """As many images of each class as asked for, chosen by ``images.split_seed``; None takes
    all there are.
    """
    _refuse_empty(images, study)
    chosen = []
    for split in SPLITS:
        here = images[images["split"] == split].sort_values(["label", "path"])
        count = getattr(study.images, f"n_{split}")
        have = here["label"].value_counts()
        if study.images.source == "builtin" or count is None:
            chosen.append(here)
            continue
        each = min(count // 2, have.min())
        if each < count // 2:
            notes.append(
                f"images.n_{split}={count} asked for; the {split} split has {have.min()} "
                f"{have.idxmin()} images, so {each} of each class are used"
            )
        rng = np.random.default_rng([14, study.images.split_seed, SPLITS.index(split)])
        for label in sorted(study.poles):
            rows = here[here["label"] == label]
            chosen.append(rows.iloc[np.sort(rng.permutation(len(rows))[:each])])
    return pd.concat(chosen, ignore_index=True)


def _refuse_unreadable(images: pd.DataFrame) -> None:
    problems = unreadable(resolve(p) for p in images["path"])
    if problems:
        raise ImageError(
            f"{len(problems)} images cannot be read; allowed: whole image "
            "files. Replace them or take "
            f"them out:\n{listed(problems)}"
        )
