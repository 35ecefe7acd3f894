"""Somebody's table, as spreadsheets, laboratories and public sets write them, as plain text."""

from __future__ import annotations

import csv
import io
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pandas as pd

SEPARATORS = ("\t", ";", ",", "|")
LOOKED_AT = 50  # rows that the separator is found out from
csv.field_size_limit(2**31 - 1)  # a picture's pixels may be one cell


def read_table(path: str | Path) -> pd.DataFrame:
    """A table, every cell as text without spaces around it.

    Comma, semicolon, tab or bar, as the rows have it or a first line ``sep=;`` says; UTF-8 with or
    without byte order mark, UTF-16, Windows-1252. Names of columns lose their spaces; columns
    without a name that only count the rows (R's row names) and empty ones at the end (trailing
    commas) are left out; rows that are empty are, too.

    Returns
    -------
    The table; its index is the row as a spreadsheet counts it, less 2, so that 0 is the first row
    below a header in row 1.

    Raises
    ------
    ValueError : not text, empty, or a row with more cells than there are names, with the row.
    """
    text = decoded(Path(path).read_bytes())
    first, _, rest = text.partition("\n")
    said = first.strip().lower().removeprefix("sep=") if first.lower().startswith("sep=") else ""
    separator, skipped = (said or "\t", 1) if first.lower().startswith("sep=") else ("", 0)
    body = rest if skipped else text
    _refuse_open_quote(body)
    rows = list(enumerate(_rows(body, separator or separator_of(body)), start=skipped + 1))
    filled = [(number, cells) for number, cells in rows if any(cells)]
    if not filled:
        raise ValueError("the file is empty; needed: a header and rows below it")
    (_, header), *below = filled
    width = max([len(header), *(len(cells) for _, cells in below)])
    names = _named(header, below, width)
    cells = [row + [""] * (width - len(row)) for _, row in below]
    table = pd.DataFrame(cells, columns=range(width), index=[number - 2 for number, _ in below])
    kept = [k for k, name in enumerate(names) if name is not None]
    return table[kept].set_axis([names[k] for k in kept], axis=1)


def _refuse_open_quote(text: str) -> None:
    """ValueError for a quote that is never closed: the rest of the file would be one cell."""
    try:
        for _ in csv.reader(io.StringIO(text, newline=""), strict=True):
            pass
    except csv.Error as error:
        if "end of data" in str(error):
            raise ValueError("a quote is opened and never closed") from None


def decoded(data: bytes) -> str:
    """Bytes as text: by the byte order mark, else UTF-8, else Windows-1252."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    if data[1:400:2].count(0) > len(data[:400]) // 4:  # UTF-16 without its mark
        return data.decode("utf-16-le")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252")


def separator_of(text: str) -> str:
    """The separator that cuts the header in two or more, and most rows alike; else a comma."""
    best = (0.0, 0)
    found = ","
    for separator in SEPARATORS:
        rows = [row for row in _rows(text, separator, LOOKED_AT) if any(row)]
        if not rows or len(rows[0]) < 2:
            continue
        alike = Counter(map(len, rows)).most_common(1)[0]
        score = (alike[1] / len(rows), len(rows[0]))
        if score > best:
            best = score
            found = separator
    return found


def _rows(text: str, separator: str, most: int | None = None) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    rows = []
    for row in reader:
        rows.append([cell.strip() for cell in row])
        if len(rows) == most:
            break
    return rows


def _named(header: list[str], below: list[tuple[int, list[str]]], width: int) -> list[str | None]:
    """A name for each column, None for one that is left out."""
    names: list[str | None] = [*header, *[""] * (width - len(header))]
    if width == len(header) + 1 and _counts([row[0] for _, row in below if row]):
        names = ["", *header]  # R writes no name above its row names
    for k, name in enumerate(names):
        column = [row[k] if k < len(row) else "" for _, row in below]
        if name == "" and (not any(column) or _counts(column)):
            names[k] = None
        elif name == "" and k >= len(header):
            number = next(number for number, row in below if len(row) > k and row[k])
            raise ValueError(
                f"row {number}: rows have more cells than the header has names; put cells that "
                "hold the separator in quotes"
            )
    return _told_apart(names)


def _counts(column: list[str]) -> bool:
    """Whether a column only numbers the rows."""
    whole = [int(cell) for cell in column if cell.isdecimal()]
    steps = {after - before for before, after in pairwise(whole)}
    return len(whole) == len(column) > 1 and steps == {1}


def _told_apart(names: list[str | None]) -> list[str | None]:
    """Names, the second of a kind with .1 behind it."""
    seen: Counter = Counter()
    result = []
    for name in names:
        result.append(f"{name}.{seen[name]}" if name is not None and seen[name] else name)
        seen[name] += 1
    return result
