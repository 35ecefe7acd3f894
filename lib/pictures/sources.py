"""Where a user's labelled images are: class folders, a table, or file names; and their splits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from lib.pictures.listing import (
    NAMING,
    Listing,
    composed,
    counted,
    is_picture,
    list_files,
    naming_of,
)
from lib.pictures.manifests import fer_csv, manifest, unpacked
from lib.pictures.reading import ImageError
from lib.pictures.splits import split_word, with_splits
from lib.settings.options import Images, Study, resolve

Found = tuple[pd.DataFrame, list[str]]  # path, label, split, identity, row; and notes


def find_images(study: Study, folder: Path | None) -> Found:
    """All images of the two classes, unchecked, with a split each.

    Parameters
    ----------
    folder : where the pictures of fer2013.csv are unpacked; None unpacks nothing (paths then do not
        exist).

    Returns
    -------
    Columns path, label (a pole's word), split, identity (empty where unknown), row (of a table);
    and notes on what was left out.

    Raises
    ------
    ImageError : nothing there or nothing usable, with what was found and the remedy.
    """
    images = study.images
    root = resolve(images.root)
    _refuse_nowhere(images, root)
    notes: list[str] = []
    if images.source == "fer2013_csv":
        found = _labelled(fer_csv(images, root), study, notes)
        found = unpacked(found, images, root, folder)
    elif images.source == "manifest":
        table = manifest(images, root)
        notes += [f"{root.name}: {note}" for note in table.attrs.get("notes", ())]
        found = _labelled(table, study, notes)
    else:
        read = _class_folders if images.source == "folder" else _file_names
        found = _labelled(read(study, root, notes), study, notes).assign(row="")
    found = found.assign(identity=found["identity"].fillna("").astype(str))
    return with_splits(found.sort_values("path", ignore_index=True), images, notes), notes


def _refuse_nowhere(images: Images, root: Path) -> None:
    wants_file = images.source in ("fer2013_csv", "manifest")
    remedy = "Give its path, relative to the project's root or absolute"
    if wants_file and not root.is_file():
        raise ImageError(
            f"images.root: no such file: {root}; images.source {images.source!r} needs a CSV file. "
            f"{remedy}"
        )
    if not wants_file and not root.is_dir():
        raise ImageError(
            f"images.root: no such folder: {root}; images.source {images.source!r} needs a folder "
            f"of images. {remedy}, such as images.root=data/raw/fer2013"
        )


def _class_folders(study: Study, root: Path, notes: list[str]) -> pd.DataFrame:
    """``split/class/file``, ``class/split/file`` or ``class/file``, below any number of folders."""
    images = study.images
    listing = list_files(root)
    dirs = {p: p.relative_to(root).parts[:-1] for p in listing.pictures}
    skip = _shared_depth(dirs.values(), images.labels)
    rows = []
    loose = []
    strange = []
    splits = {d[skip] for d in dirs.values() if len(d) > skip and split_word(d[skip])}
    for path, whole in dirs.items():
        parts = whole[skip:]
        name = path.relative_to(root).as_posix()
        if splits and parts and parts[0] not in splits:
            strange.append(name)
        elif len(parts) <= bool(splits):
            loose.append(name)
        else:
            split, label = parts[:2] if splits else ("", parts[0])
            if not splits and len(parts) > 1 and split_word(parts[1]):
                split = parts[1]
            rows.append((_given(path, root, images), label, split, ""))
    found = pd.DataFrame(rows, columns=["path", "label", "split", "identity"])
    found = found.assign(label=_as_labelled(found["label"], images.labels))
    _refuse_lacking(found, root, study, listing)
    notes += counted(loose, "pictures outside the class folders")
    notes += counted(strange, "pictures in folders that are neither train, validation nor test")
    notes += listing.notes()
    return _with_people(found, notes)


def _shared_depth(dirs: Iterable[tuple[str, ...]], labels: Mapping[str, str]) -> int:
    """How many leading folders all pictures share that are neither a split's nor a class's."""
    dirs = list(dirs)
    shared = []
    for level in zip(*dirs, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    known = {composed(label).casefold() for label in labels}
    told = [bool(split_word(name)) or composed(name).casefold() in known for name in shared]
    return told.index(True) if any(told) else len(shared)


def _as_labelled(names: pd.Series, labels: Mapping[str, str]) -> pd.Series:
    """Names as the study writes them, where they differ in capitals or kinds of umlauts."""
    ours = {composed(label).casefold(): label for label in labels}
    return names.map(lambda n: n if n in labels else ours.get(composed(n).casefold(), composed(n)))


def _refuse_lacking(found: pd.DataFrame, root: Path, study: Study, listing: Listing) -> None:
    names = sorted(found["label"].unique())
    if missing := sorted(set(study.images.labels) - set(names)):
        passed = "".join(f". {note}" for note in listing.notes())
        raise ImageError(
            f"{root} has no class folder {', '.join(missing)}; found: "
            f"{', '.join(names) or 'none'}. Name your folders' classes in images.labels, such as "
            f"{_example(study)} (the folders are split/class or class){passed}"
        )


def _example(study: Study) -> str:
    return f"images.labels='{{joy: {study.positive}, grief: {study.negative}}}'"


def _with_people(found: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """People from file names of a known form, where no one is in several of the given splits."""
    names = found["path"].str.rsplit("/", n=1).str[-1]
    if (known := naming_of(names)) is None:
        return found
    people = names.str.extract(f"(?i)^{NAMING[known]}")["identity"].fillna("").str.upper()
    splits = found["split"].groupby(people).nunique()
    if shared := list(splits.index[(splits > 1) & (splits.index != "")]):
        notes.append(
            f"**{len(shared)} people are in more than one split**, by their file names ({known}), "
            f"such as {shared[0]}: a network may know them. Take the split folders away, and the "
            "workbook splits by person"
        )
        return found
    notes.append(f"people are told apart by their file names ({known}), such as {people.iloc[0]}")
    return found.assign(identity=people)


def _file_names(study: Study, root: Path, notes: list[str]) -> pd.DataFrame:
    """Label and person from each file's path by a regular expression, as in KDEF's
    ``AF01HAS.JPG``; a file without a picture's suffix counts where the name fits and it is one.
    """
    images = study.images
    listing = list_files(root)
    pattern = re.compile(study.images.pattern)
    matches = {
        p: pattern.search(composed(p.relative_to(root).as_posix())) for p in listing.pictures
    }
    for path in list(listing.others):
        match = pattern.search(composed(path.relative_to(root).as_posix()))
        if match and is_picture(path):
            matches[path] = match
            listing.others.remove(path)
    more = ("split", "identity")
    rows = [
        (_given(p, root, images), m["label"], *(m.groupdict().get(k) or "" for k in more))
        for p, m in matches.items()
        if m
    ]
    if not rows:
        example = next((p.relative_to(root).as_posix() for p in matches), "none")
        raise ImageError(
            f"images.pattern {images.pattern!r} matches none of the {len(matches)} images in "
            f"{root} (the first is {example!r}); allowed: a regular expression with (?P<label>...)"
        )
    left = [p.relative_to(root).as_posix() for p, m in matches.items() if not m]
    notes += counted(left, "images whose names do not match images.pattern")
    notes += listing.notes()
    return pd.DataFrame(rows, columns=["path", "label", *more])


def _given(path: Path, root: Path, images: Images) -> str:
    """A path as the study gave its root: relative where that was relative."""
    return (Path(images.root).expanduser() / path.relative_to(root)).as_posix()


def _labelled(found: pd.DataFrame, study: Study, notes: list[str]) -> pd.DataFrame:
    """Keep the rows whose label the study names, under the two poles' words; count the others."""
    labels = study.images.labels
    names = _as_labelled(found["label"].astype(str), labels)
    meant = names.map(labels)
    if meant.notna().sum() == 0:
        words = ", ".join(sorted(names.unique())[:12]) or "none"
        raise ImageError(
            f"no image carries a label of images.labels ({', '.join(labels)}); found: {words}. "
            f"Name your set's labels, such as {_example(study)}"
        )
    left_out = names[meant.isna()].value_counts()
    if len(left_out):
        notes.append(
            "left out, as images.labels does not name them: "
            + ", ".join(f"{n} {label}" for label, n in left_out.sort_index().items())
        )
    if meant.nunique() < 2:
        raise ImageError(
            f"all {meant.notna().sum()} images are {meant.dropna().iloc[0]}; needed: both "
            f"{study.positive} and {study.negative}. Check images.labels and the set"
        )
    return found.assign(label=meant)[meant.notna()].reset_index(drop=True)
