"""What stands in one cell of somebody's table: nothing, a number in any notation, a code."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import pandas as pd

# words for nothing that need not be named, in any letters
MISSING = frozenset({"", ".", "na", "n/a", "#n/a", "<na>", "nan", "null", "#null!", "none"})
_LIST = re.compile(r"""\[\s*(["']?)([^\[\],"']*)\1\s*\]""")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_SPACE = re.compile(r"(?<=\d)[ \u00a0\u202f'’](?=\d{3}(?!\d))")


def plain(column: pd.Series) -> pd.Series:
    """Cells with lists of one opened: ``['left']`` is ``left``, as PsychoPy has it."""
    return column.str.replace(_LIST, r"\2", regex=True).str.strip()


def is_missing(column: pd.Series, words: Iterable[str] = ()) -> pd.Series:
    """Which cells hold nothing: empty, ``NA``, ``nan``, ``null``, ``.`` … or one of ``words``."""
    return column.str.casefold().isin(MISSING) | column.isin(list(words))


def code_key(code: str) -> str:
    """What two ways of writing one code have in common: ``1``, ``1.0`` and ``01`` are the same."""
    return f"{float(code):.15g}" if _NUMBER.fullmatch(code) else code


def number(cell: str, decimal: str = "") -> float:
    """The number in a cell, NaN where there is none.

    Parameters
    ----------
    decimal : ``.`` or ``,``, so that the other one can only stand before groups of three digits.
        Without it a single comma is decimal.
    """
    text = _SPACE.sub("", cell.replace("\u2212", "-").strip())
    mark = decimal or _own_mark(text)
    other = _other(mark)
    whole, point, part = text.partition(mark)
    if other in whole and not re.fullmatch(rf"[+-]?\d{{1,3}}(\{other}\d{{3}})+", whole, re.ASCII):
        return math.nan
    text = whole.replace(other, "") + ("." if point else "") + part
    return float(text) if _NUMBER.fullmatch(text) else math.nan


def numbers(column: pd.Series, decimal: str = "") -> pd.Series:
    """The numbers in a column's cells, NaN where there is none."""
    known = {cell: number(cell, decimal) for cell in column.unique()}
    return column.map(known).astype(float)


def decimal_mark(
    columns: Iterable[pd.Series], decimal: str | None = None, thousands: str | None = None
) -> str:
    """The decimal mark of a table, ``.`` or ``,``; empty where each cell has one reading.

    A mark before exactly three digits (``1,234``) may be either. Other cells decide: ``0,350`` and
    ``12,5`` make the comma decimal, ``1,234.5`` and ``1,234,567`` make it none. A point is decimal
    unless commas are, or whole numbers of three digits stand beside it (``637`` and ``1.382``).

    Parameters
    ----------
    columns : the columns of numbers, without missing cells. decimal, thousands : what is said.

    Raises
    ------
    ValueError : nothing decides; names the first such cell by the index, and what to say.
    """
    if decimal or thousands:
        return decimal or _other(thousands)
    columns = list(columns)
    cells = {cell for column in columns for cell in column.unique()}
    found = ""
    for mark in ",.":
        doubt = {
            cell for cell in cells if re.fullmatch(rf"[+-]?[1-9]\d{{0,2}}\{mark}\d{{3}}", cell)
        }
        if not doubt:
            continue
        is_decimal = any(_decides(cell, mark) for cell in cells - doubt)
        is_thousands = any(_groups(cell, mark) for cell in cells)
        if is_decimal == is_thousands and (
            mark == "," or is_decimal or _odd(columns, cells, doubt)
        ):
            raise ValueError(_question(columns, doubt, mark))
        found = _other(mark) if is_thousands else mark if is_decimal or not found else found
    return found


def _other(mark: str) -> str:
    return "." if mark == "," else ","


def _own_mark(text: str) -> str:
    """The decimal mark that one cell shows."""
    if "," in text and "." in text:
        return max(",.", key=text.rfind)
    return "," if text.count(",") == 1 or text.count(".") > 1 else "."


def _decides(cell: str, mark: str) -> bool:
    """Whether a mark can only be decimal in a cell, as in ``0,350``, ``12,5`` and ``1.234,5``."""
    return cell.count(mark) == 1 and _own_mark(cell) == mark and not math.isnan(number(cell, mark))


def _groups(cell: str, mark: str) -> bool:
    """Whether a mark can only part groups of digits, as in ``1,234,567`` and ``1,234.5``."""
    several = cell.count(mark) > 1 or _other(mark) in cell
    return several and mark in cell and not math.isnan(number(cell, _other(mark)))


def _odd(columns: list[pd.Series], cells: set[str], doubt: set[str]) -> bool:
    """Whether points before three digits may part groups: decimal commas elsewhere, or whole
    numbers of three digits in the same column, as in 637 and 1.382.
    """
    if any(_decides(cell, ",") for cell in cells):
        return True
    beside = [set(column.unique()) for column in columns]
    return any(
        column & doubt and any(re.fullmatch(r"[1-9]\d\d", cell) for cell in column)
        for column in beside
    )


def _question(columns: list[pd.Series], doubt: set[str], mark: str) -> str:
    column = next(column for column in columns if column.isin(doubt).any())
    wrong = column[column.isin(doubt)]
    large = f"{number(wrong.iloc[0], _other(mark)):g}"
    small = f"{number(wrong.iloc[0], mark):g}"
    return (
        f"{wrong.index[0]}, column {column.name!r}: {wrong.iloc[0]!r} can be {large} or {small} "
        f"({len(wrong)} such cells), and no other cell decides. Say in the study which it is: "
        f"observers.thousands: {mark!r} ({large}) or observers.decimal: {mark!r} ({small})"
    )
