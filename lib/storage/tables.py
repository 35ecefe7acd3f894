"""Somebody's table, as spreadsheets, laboratories and public sets write them, as plain text."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pandas as pd

from lib.storage.table_files import LOOKED_AT, Rows, rows_of

QUALTRICS = '{"ImportId"'  # begins the cells of Qualtrics' third header row


def read_table(path: str | Path, sheet: str | None = None) -> pd.DataFrame:
    """A table, every cell as text without spaces around it.

    Text separated by comma, semicolon, tab or bar, as the rows have it or a first line ``sep=;``
    says, in UTF-8 with or without byte order mark, UTF-16 or Windows-1252; Excel, where a cell
    that shows per cent is ``30%``; JSON. The header may stand below a title or preamble: it is the
    first row that fills more than half of the widest one's cells. Names of columns lose their
    spaces; columns without a name that only count the rows (R's row names) and empty ones
    (trailing commas) are left out; so are rows that are empty, or the header once more.

    Returns
    -------
    The table; its index is the row as a spreadsheet counts it, less 2, so that 0 is the first row
    below a header in row 1. ``attrs["notes"]`` lists in sentences what was passed over.

    Raises
    ------
    ValueError : not a table, empty, or a row with more cells than there are names, with the row.
    """
    notes: list[str] = []
    rows = [row for row in rows_of(Path(path), sheet, notes) if any(row[1])]
    if not rows:
        raise ValueError("the file is empty; needed: a header and rows below it")
    at = _header(rows)
    number, header = rows[at]
    if at:
        notes.append(f"the header is in row {number}; what stands above it is passed over")
    below = _data(header, rows[at + 1 :], notes)
    width = max([len(header), *(len(cells) for _, cells in below)])
    names = _named(header, below, width)
    cells = [row + [""] * (width - len(row)) for _, row in below]
    table = pd.DataFrame(
        cells, columns=range(width), index=[row - 2 for row, _ in below], dtype=object
    )
    kept = [k for k, name in enumerate(names) if name is not None]
    table = table[kept].set_axis([names[k] for k in kept], axis=1)
    table.attrs["notes"] = notes
    return table


def _header(rows: Rows) -> int:
    """Which row holds the names: the first that fills more than half of the widest one's cells."""
    filled = [sum(map(bool, cells)) for _, cells in rows[:LOOKED_AT]]
    return next(k for k, n in enumerate(filled) if 2 * n > max(filled))


def _data(header: list[str], rows: Rows, notes: list[str]) -> Rows:
    """The rows without Qualtrics' further headers and without copies of the header."""
    heads = [k for k, (_, cells) in enumerate(rows[:2]) if cells[0].startswith(QUALTRICS)]
    if heads:
        notes.append(f"rows to {rows[heads[0]][0]} are further headers of Qualtrics, no data")
        rows = rows[heads[0] + 1 :]
    again = [number for number, cells in rows if cells == header]
    if again:
        notes.append(f"{len(again)} rows repeat the header and are no data (such as {again[0]})")
    return [row for row in rows if row[1] != header]


def _named(header: list[str], below: Rows, width: int) -> list[str | None]:
    """A name for each column, None for one that is left out."""
    names: list[str | None] = [*header, *[""] * (width - len(header))]
    if width == len(header) + 1 and _counts([row[0] for _, row in below if row]):
        names = ["", *header]  # R writes no name above its row names
    for k, name in enumerate(names):
        if name:
            continue
        column = [row[k] if k < len(row) else "" for _, row in below]
        if not any(column) or _counts(column):
            names[k] = None
        elif k >= len(header):
            number = next(number for number, row in below if len(row) > k and row[k])
            raise ValueError(
                f"row {number}: rows have more cells than the header has names; put cells that "
                "hold the separator in quotes"
            )
        else:
            names[k] = f"column {k + 1}"
    return _told_apart(names)


def _counts(column: list[str]) -> bool:
    """Whether a column only numbers the rows; some may have been taken out."""
    whole = [int(cell) for cell in column if cell.isdecimal()]
    rising = all(after > before for before, after in pairwise(whole))
    return len(whole) == len(column) > 1 and rising


def _told_apart(names: list[str | None]) -> list[str | None]:
    """Names, the second of a kind with .1 behind it."""
    seen: Counter = Counter()
    result = []
    for name in names:
        result.append(f"{name}.{seen[name]}" if name is not None and seen[name] else name)
        seen[name] += 1
    return result
