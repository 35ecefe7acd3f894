"""Labelled images that a table names: a manifest of paths, or the official fer2013.csv."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from lib.pictures.listing import composed, is_picture_name
from lib.pictures.reading import ImageError, keep_pictures
from lib.settings.options import Images
from lib.storage.files import file_hash, settings_hash
from lib.storage.table_files import decoded
from lib.storage.tables import read_table

FER_EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # codes 0 to 6
FER_USAGES = ("Training", "PublicTest", "PrivateTest")
# what the columns of manifests are called, ours first
NAMES = {
    "path": ("path", "filename", "file", "image", "img", "filepath", "image_path", "file_name"),
    "label": ("label", "class", "emotion", "expression", "category"),
    "split": ("split", "set", "partition", "subset", "usage"),
    "identity": ("identity", "person", "subject", "subject_id", "person_id", "actor", "model"),
}


def manifest(images: Images, root: Path) -> pd.DataFrame:
    """A table of paths and labels, and splits and people where given.

    Paths are relative to the table and stay below its folder; ``\\`` counts as ``/``.

    Returns
    -------
    Columns path, label, split, identity, row (where it stands in the table).

    Raises
    ------
    ImageError : not a table, columns missing, or a path that leads nowhere or out of the folder.
    """
    table = read_manifest(root)
    base = root.parent.resolve()
    paths = [_path(p, base, f"{root.name}, row {row + 2}") for row, p in table["path"].items()]
    given = Path(images.root).parent.expanduser()
    table["path"] = [(given / path).as_posix() for path in paths]
    table["row"] = [f"row {row + 2}" for row in table.index]
    return table.reindex(columns=["path", "label", "split", "identity", "row"], fill_value="")


def read_manifest(root: Path) -> pd.DataFrame:
    """The table as it stands, with our names for its columns.

    Raises
    ------
    ImageError : not a table, empty, or without paths or labels.
    """
    return _with_names(_read(root), root)


def _with_names(table: pd.DataFrame, root: Path) -> pd.DataFrame:
    """The columns under our names; a list without a header, path and label, gets one."""
    if _is_headless(table):
        table = _headless(root)
    lower = {str(c).lower().replace(" ", "_"): c for c in reversed(table.columns)}
    found = {
        ours: next((lower[word] for word in words if word in lower), None)
        for ours, words in NAMES.items()
    }
    if missing := [ours for ours in ("path", "label") if found[ours] is None]:
        raise ImageError(
            f"{root.name} has no column {', '.join(missing)}; found: "
            f"{', '.join(map(str, table.columns))}; needed: path, label (or "
            f"{', '.join(NAMES['path'][1:4])}; {', '.join(NAMES['label'][1:4])})"
        )
    return table.rename(columns={theirs: ours for ours, theirs in found.items() if theirs})


def _is_headless(table: pd.DataFrame) -> bool:
    """Whether the first line names a picture, and no columns."""
    first = [word for name in table.columns[:1] for word in str(name).split()[:1]]
    return len(table.columns) <= 2 and any(is_picture_name(Path(word)) for word in first)


def _headless(root: Path) -> pd.DataFrame:
    """``img/happy0.png 4``, a line an image, as RAF-DB and others have it."""
    lines = decoded(root.read_bytes()).splitlines()
    cells = {k: line.replace(",", " ").split() for k, line in enumerate(lines) if line.strip()}
    for k, row in cells.items():
        if len(row) != 2:
            raise ImageError(
                f"{root.name}, row {k + 1}: {lines[k]!r}; allowed without a header: a path and a "
                "label in each row. Write a header path,label where there is more, or spaces in a "
                "path"
            )
    return pd.DataFrame(cells.values(), columns=["path", "label"], index=[k - 1 for k in cells])


def _path(path: str, base: Path, where: str) -> str:
    """A path below ``base``, as its system writes it; ImageError unless it is a file there."""
    try:
        ways = [path, path.replace("\\", "/"), composed(path.replace("\\", "/"))]
        there = next((way for way in ways if (base / way).is_file()), None)
        inside = (base / ways[1]).resolve().is_relative_to(base)
    except (OSError, ValueError) as error:  # too long, or with a zero byte
        raise ImageError(
            f"{where}: path {path[:60]!r} can be no file's name ({error.args[-1]})"
        ) from None
    if not inside:
        raise ImageError(
            f"{where}: path {path!r} leads out of the manifest's folder; allowed: paths relative "
            f"to {base}. Move the image below it"
        )
    if there is None:
        raise ImageError(
            f"{where}: no such image: {base / ways[1]}. Paths are relative to the manifest's folder"
        )
    return Path(there).as_posix()


def _read(path: Path) -> pd.DataFrame:
    try:
        table = read_table(path)
    except ValueError as error:
        raise ImageError(
            f"{path.name} cannot be read as CSV: {' '.join(str(error).split())}"
        ) from None
    if table.empty and not _is_headless(table):
        raise ImageError(f"{path.name} has a header and no rows; needed: one row an image")
    return table


def fer_csv(images: Images, root: Path) -> pd.DataFrame:
    """The rows of the official fer2013.csv, of icml_face_data.csv, or of the contest's train.csv.

    Returns
    -------
    Columns path (the file's name once unpacked), label, split (empty in train.csv), identity, row,
    pixels.

    Raises
    ------
    ImageError : a column that is missing, or a row with another code or usage.
    """
    table = _read(root)
    if missing := [c for c in ("emotion", "pixels") if c not in table]:
        raise ImageError(
            f"{root.name} has no column {', '.join(missing)}; found: {', '.join(table.columns)}; "
            "needed: emotion, pixels, and Usage where it has splits"
        )
    usage = table.get("Usage", pd.Series("", index=table.index))
    _only(table["emotion"], list("0123456"), f"0 to 6 ({', '.join(FER_EMOTIONS)})", root)
    _only(usage, FER_USAGES if "Usage" in table else ("",), ", ".join(FER_USAGES), root)
    return pd.DataFrame(
        {
            "path": [f"{word or 'row'}_{n:05d}.png" for n, word in usage.items()],
            "label": table["emotion"].astype(int).map(dict(enumerate(FER_EMOTIONS))),
            "split": usage,
            "identity": "",
            "row": [f"{root.name}, row {n + 2}" for n in table.index],
            "pixels": table["pixels"],
        }
    )


def unpacked(found: pd.DataFrame, images: Images, root: Path, folder: Path | None) -> pd.DataFrame:
    """``found`` with its pictures as PNG below ``folder``, and their SHA-256.

    None unpacks nothing: the paths do not exist, and the hashes are those of the rows' pixels.
    """
    if folder is None:
        hashes = [hashlib.sha256(_pixels(r)).hexdigest() for r in found.itertuples()]
        return found.assign(sha256=hashes).drop(columns="pixels")
    place = folder / "fer2013" / settings_hash(file_hash(root), sorted(images.labels))
    rows = found.rename(columns={"path": "file"})
    rows = keep_pictures(place, rows, _pixels, "unpacking fer2013.csv")
    paths = [str(place / file) for file in rows["file"]]
    return rows.assign(path=paths).drop(columns=["pixels", "file"])


def _only(column: pd.Series, words: Iterable[str], allowed: str, source: Path) -> None:
    """ImageError that names the first row with another word."""
    for k in np.flatnonzero(~column.isin(list(words))):
        raise ImageError(
            f"{source.name}, row {column.index[k] + 2}: {column.name} {column.iloc[k]!r}; allowed: "
            f"{allowed}"
        )


def _pixels(row) -> np.ndarray:
    """The 48 x 48 grey picture of one row."""
    values = row.pixels.split()
    if len(values) != 48 * 48 or not all(v.isdecimal() and int(v) < 256 for v in values):
        raise ImageError(
            f"{row.row}: {len(values)} pixel values; allowed: 2304 whole numbers from 0 to 255. "
            "The file may be truncated: fetch it again"
        )
    return np.array(values, np.uint8).reshape(48, 48)
