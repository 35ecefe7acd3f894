"""Where a user's labelled images are: class folders, the official fer2013.csv, a manifest, or
file names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lib.pictures.reading import SUFFIXES, ImageError, keep_pictures
from lib.settings.options import Images, resolve
from lib.storage.files import file_hash, read_text_table, settings_hash

LABELS = ("happy", "sad")
FER_EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # codes 0 to 6
FER_USAGES = ("Training", "PublicTest", "PrivateTest")
_SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "publictest": "validation",
    "test": "test",
    "testing": "test",
    "privatetest": "test",
}
_SHARES = {"train": 0.7, "validation": 0.15, "test": 0.15}

Found = tuple[pd.DataFrame, list[str]]  # path, label, split, identity; and notes


def find_images(images: Images, folder: Path | None) -> Found:
    """All images of the two classes, unchecked, with a split each.

    Parameters
    ----------
    folder : where the pictures of fer2013.csv are unpacked; None unpacks nothing (paths then do not
        exist).

    Returns
    -------
    Columns path, label, split, identity (empty where unknown); and notes on what was left out.

    Raises
    ------
    ImageError : nothing there or nothing usable, with what was found and the remedy.
    """
    root = resolve(images.root)
    wants_file = images.source in ("fer2013_csv", "manifest")
    if wants_file and not root.is_file():
        raise ImageError(
            f"images.root: no such file: {root}; images.source {images.source!r} needs a CSV file. "
            "Give its path, relative to the project's root or absolute"
        )
    if not wants_file and not root.is_dir():
        raise ImageError(
            f"images.root: no such folder: {root}; images.source "
            f"{images.source!r} needs a folder of "
            "images. Give its path, relative to the project's root or absolute, such as "
            "images.root=data/raw/fer2013"
        )
    found, notes = {
        "folder": _class_folders,
        "fer2013_csv": _fer_csv,
        "manifest": _manifest,
        "filenames": _file_names,
    }[images.source](images, root, folder)
    found = found.assign(identity=found["identity"].fillna("").astype(str))
    return _with_splits(found.sort_values("path", ignore_index=True), images, notes), notes


def _class_folders(images: Images, root: Path, folder: Path | None) -> Found:
    """``split/class/file`` or ``class/file``."""
    tops = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    splits = {p: _SPLIT_NAMES[p.name.lower()] for p in tops if p.name.lower() in _SPLIT_NAMES}
    classes = {
        (d, split) for top, split in splits.items() for d in top.iterdir() if d.is_dir()
    } or {(d, "") for d in tops}
    names = sorted({d.name for d, _ in classes})
    known = [n for n in names if n in images.labels]
    if missing := sorted(set(images.labels) - set(known)):
        raise ImageError(
            f"{root} has no class folder {', '.join(missing)}; found: "
            f"{', '.join(names) or 'none'}. "
            "Name your folders' classes in images.labels, such as "
            "images.labels='{joy: happy, grief: sad}'"
            " (the folders are split/class or class)"
        )
    rows, others = [], 0
    for d, split in sorted(classes):
        files = sorted(p for p in d.rglob("*") if p.is_file() and not p.name.startswith("."))
        pictures = [p for p in files if p.suffix.lower() in SUFFIXES]
        others += len(files) - len(pictures)
        rows += [(_given(p, root, images), d.name, split, "") for p in pictures]
    found = pd.DataFrame(rows, columns=["path", "label", "split", "identity"])
    notes = [f"{others} files that are no images were passed over"] if others else []
    return _labelled(found, images, notes), notes


def _file_names(images: Images, root: Path, folder: Path | None) -> Found:
    """Label and person from each file's path by a regular expression, as in KDEF's
    ``AF01HAS.JPG``.
    """
    pattern = re.compile(images.pattern)
    files = sorted(p for p in root.rglob("*") if p.is_file() and p.suffix.lower() in SUFFIXES)
    matches = [(p, pattern.search(p.relative_to(root).as_posix())) for p in files]
    rows = [
        (
            _given(p, root, images),
            m["label"],
            m.groupdict().get("split") or "",
            m.groupdict().get("identity") or "",
        )
        for p, m in matches
        if m
    ]
    if not rows:
        example = files[0].relative_to(root).as_posix() if files else "none"
        raise ImageError(
            f"images.pattern {images.pattern!r} matches none of the "
            f"{len(files)} images in {root} (the "
            f"first is {example!r}); allowed: a regular expression with (?P<label>...)"
        )
    notes = (
        [
            (
                f"{len(files) - len(rows)} images whose names do not match "
                "images.pattern were passed over"
            )
        ]
        if (len(rows) < len(files))
        else []
    )
    return _labelled(
        pd.DataFrame(rows, columns=["path", "label", "split", "identity"]), images, notes
    ), notes


def _manifest(images: Images, root: Path, folder: Path | None) -> Found:
    """A CSV ``path,label,split[,identity]``; paths are relative to the CSV and stay below its
    folder.
    """
    table = _read_csv(root, ("path", "label"))
    base = root.parent.resolve()
    for row, path in enumerate(table["path"], start=2):
        _refuse_path(path, base, f"{root.name}, row {row}")
    table = table.reindex(columns=["path", "label", "split", "identity"], fill_value="")
    table["path"] = [_given(base / p, base, images, root.parent) for p in table["path"]]
    notes: list[str] = []
    return _labelled(table, images, notes), notes


def _refuse_path(path: str, base: Path, where: str) -> None:
    """ImageError unless ``path`` is a file below ``base``, links followed."""
    try:
        inside, there = (base / path).resolve().is_relative_to(base), (base / path).is_file()
    except (OSError, ValueError) as error:  # too long, or with a zero byte
        raise ImageError(
            f"{where}: path {path[:60]!r} can be no file's name ({error.args[-1]})"
        ) from None
    if not inside:
        raise ImageError(
            f"{where}: path {path!r} leads out of the manifest's folder; "
            "allowed: paths relative to "
            f"{base}. Move the image below it"
        )
    if not there:
        raise ImageError(
            f"{where}: no such image: {base / path}. Paths are relative to the manifest's folder"
        )


def _read_csv(path: Path, needed: tuple[str, ...]) -> pd.DataFrame:
    try:
        table = read_text_table(path)
    except ValueError as error:
        raise ImageError(
            f"{path.name} cannot be read as CSV: {' '.join(str(error).split())}"
        ) from None
    if missing := [c for c in needed if c not in table.columns]:
        raise ImageError(
            f"{path.name} has no column {', '.join(missing)}; found: "
            f"{', '.join(table.columns)}; needed: "
            f"{', '.join(needed)}"
        )
    if table.empty:
        raise ImageError(f"{path.name} has a header and no rows; needed: one row an image")
    return table


def _fer_csv(images: Images, root: Path, folder: Path | None) -> Found:
    """The official fer2013.csv: ``emotion,pixels,Usage``; the used classes are unpacked to PNG."""
    table = _read_csv(root, ("emotion", "pixels", "Usage"))
    codes, usage = table["emotion"].str.strip(), table["Usage"].str.strip()
    _refuse_words(codes, [str(k) for k in range(7)], f"0 to 6 ({', '.join(FER_EMOTIONS)})", root)
    _refuse_words(usage, FER_USAGES, ", ".join(FER_USAGES), root)
    names = codes.astype(int).map(dict(enumerate(FER_EMOTIONS)))
    place = (
        None
        if folder is None
        else folder / "fer2013" / settings_hash(file_hash(root), sorted(images.labels))
    )
    files = [f"{word}_{row:05d}.png" for row, word in enumerate(usage)]
    found = pd.DataFrame(
        {
            "path": files,
            "label": names,
            "split": usage,
            "identity": "",
            "pixels": table["pixels"],
            "row": np.arange(len(table)) + 2,
        }
    )
    notes: list[str] = []
    found = _labelled(found, images, notes).rename(columns={"path": "file"})
    if place is not None:
        found = keep_pictures(place, found, lambda row: _pixels(row, root), "unpacking fer2013.csv")
    found["path"] = [str(place / f) if place else f for f in found["file"]]
    return found[["path", "label", "split", "identity"]], notes


def _refuse_words(column: pd.Series, words: Sequence[str], allowed: str, source: Path) -> None:
    """ImageError that names the first row with another word."""
    for row in np.flatnonzero(~column.isin(words)):
        raise ImageError(
            f"{source.name}, row {row + 2}: {column.name} {column.iloc[row]!r}; allowed: {allowed}"
        )


def _pixels(row, source: Path) -> np.ndarray:
    """The 48 x 48 grey picture of one row."""
    values = row.pixels.split()
    if len(values) != 48 * 48 or not all(v.isdigit() and int(v) < 256 for v in values):
        raise ImageError(
            f"{source.name}, row {row.row}: {len(values)} pixel values; "
            "allowed: 2304 whole numbers from "
            "0 to 255. The file may be truncated: fetch it again"
        )
    return np.array(values, np.uint8).reshape(48, 48)


def _given(path: Path, root: Path, images: Images, given: Path | None = None) -> str:
    """A path as the study gave its root: relative where that was relative."""
    base = Path(images.root) if given is None else Path(images.root).parent
    return (base.expanduser() / path.relative_to(root)).as_posix()


def _labelled(found: pd.DataFrame, images: Images, notes: list[str]) -> pd.DataFrame:
    """Keep the rows whose label the study names, under the two words happy and sad; count the
    others.
    """
    meant = found["label"].map(images.labels)
    if meant.notna().sum() == 0:
        labels = ", ".join(sorted(map(str, found["label"].unique()))[:12]) or "none"
        raise ImageError(
            f"no image carries a label of images.labels ({', '.join(images.labels)}); "
            f"found: {labels}. "
            "Name your set's labels, such as images.labels='{positive: happy, negative: sad}'"
        )
    left_out = found["label"][meant.isna()].value_counts()
    if len(left_out):
        notes.append(
            "left out, as images.labels does not name them: "
            + ", ".join(f"{n} {label}" for label, n in left_out.sort_index().items())
        )
    if found["label"][meant.notna()].map(images.labels).nunique() < 2:
        only = meant.dropna().iloc[0]
        raise ImageError(
            f"all {meant.notna().sum()} images are {only}; needed: both happy and sad. Check "
            "images.labels and the set"
        )
    return found.assign(label=meant)[meant.notna()].reset_index(drop=True)


def _with_splits(found: pd.DataFrame, images: Images, notes: list[str]) -> pd.DataFrame:
    """Splits by their names; those that a set lacks are made by person, or by file where no
    person is known.
    """
    given = found["split"].fillna("").astype(str).str.strip().str.lower()
    if unknown := sorted(set(given) - set(_SPLIT_NAMES) - {""}):
        raise ImageError(
            f"split {', '.join(map(repr, unknown[:5]))}; allowed: train, "
            "validation, test (or an empty "
            "column: the workbook then splits)"
        )
    split = given.map(_SPLIT_NAMES | {"": ""})
    if (split == "").any() and (split != "").any():
        raise ImageError(
            f"{(split == '').sum()} images have no split and {(split != '').sum()} "
            "have one; allowed: all "
            "or none"
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
            f"{' and '.join(s for s in lacking if s != 'train')} split made "
            "from the images without one, by "
            f"{'person' if found['identity'].ne('').any() else 'file'} (images.split_seed="
            f"{images.split_seed})"
        )
    return found.assign(split=split)


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
