"""The rows of a file, whatever program wrote it: text, Excel or JSON, every cell as text."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

SEPARATORS = ("\t", ";", ",", "|")
LOOKED_AT = 50  # rows that the separator is found out from
LOOKED_IN = 1_000_000  # letters that they are looked for in
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
csv.field_size_limit(2**31 - 1)  # a picture's pixels may be one cell

Rows = list[tuple[int, list[str]]]  # the row as a spreadsheet counts it, its cells


def rows_of(path: Path, sheet: str | None, notes: list[str]) -> Rows:
    """The rows of a file by what is in it, not by its suffix: ``.xls`` is often text.

    Parameters
    ----------
    sheet : of a workbook; None takes the first that holds two rows.
    notes : gets a sentence where several sheets are there.

    Raises
    ------
    ValueError : a damaged or old workbook, a sheet that is not there, or no text.
    """
    data = path.read_bytes()
    if data[:4] == OLD_EXCEL:
        raise ValueError("it is a workbook of Excel 2003 or before; save it as .xlsx or .csv")
    if data[:2] == b"PK":
        return _excel(data, sheet, notes)
    text = decoded(data)
    if re.match(r"\s*(\[\s*)*\{", text):
        records = records_of(text)
        names = list(dict.fromkeys(name for record in records for name in record))
        cells = [[cell_text(record.get(name)) for name in names] for record in records]
        return list(enumerate([[name.strip() for name in names], *cells], start=1))
    return text_rows(text)


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


def text_rows(text: str) -> Rows:
    """Rows of separated text, by the separator that a first line ``sep=;`` says or the rows have.

    Spreadsheets do not show the line ``sep=``, so it is not counted.
    """
    said = re.match(r"sep=(.)[ \t]*(\r\n|\r|\n)", text, re.IGNORECASE)
    body = text[said.end() :] if said else text
    separator = said[1] if said else separator_of(body)
    if body.count('"') % 2 and _is_open(body, separator):
        raise ValueError("a quote is opened and never closed")
    try:
        return list(enumerate(_read(body, separator), start=1))
    except csv.Error as error:
        raise ValueError(str(error)) from None


def _is_open(text: str, separator: str) -> bool:
    """Whether a quote takes in the rest of the file."""
    try:
        return not list(_read(text, separator, strict=True))
    except csv.Error as error:
        return "end of data" in str(error)


def separator_of(text: str) -> str:
    """The separator that cuts most rows alike, in two or more; else a comma."""
    best = (0.0, 1)
    found = ","
    for separator in SEPARATORS:
        rows = [row for row in _first(text, separator) if any(row)]
        width, alike = Counter(map(len, rows)).most_common(1)[0] if rows else (0, 0)
        if width > 1 and (alike / len(rows), width) > best:
            best = (alike / len(rows), width)
            found = separator
    return found


def _first(text: str, separator: str) -> list[list[str]]:
    return list(itertools.islice(_read(text[:LOOKED_IN], separator), LOOKED_AT))


def _read(text: str, separator: str, strict: bool = False) -> Iterable[list[str]]:
    lines = io.StringIO(text, newline="")
    for row in csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=strict):
        yield [cell.strip() for cell in row]


def records_of(text: str) -> list[dict]:
    """The records of JSON: a list of them, lists in lists (one a person), one a line, or columns.

    Raises
    ------
    ValueError : no JSON, or no records in it.
    """
    try:
        try:
            values = [json.loads(text)]
        except json.JSONDecodeError:
            values = [json.loads(line) for line in text.splitlines() if line.strip()]
        records = [record for value in values for part in _parts(value) for record in _flat(part)]
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it begins as JSON and is none ({error})") from None
    if not records:
        raise ValueError("its JSON holds no records, such as [{...}, {...}]")
    return records


def _parts(value: object) -> list[object]:
    """What is under the keys of an object of objects: one a record, or one a column (pandas)."""
    if not isinstance(value, dict) or not all(isinstance(one, dict) for one in value.values()):
        return [value]
    rows = dict.fromkeys(key for one in value.values() for key in one)
    if not all(key.isdecimal() for key in rows):
        return list(value.values())
    return [{name: one.get(row) for name, one in value.items()} for row in rows]


def _flat(value: object) -> list[dict]:
    if isinstance(value, list):
        return [record for one in value for record in _flat(one)]
    if not isinstance(value, dict):
        return []
    columns = [one for one in value.values() if isinstance(one, list)]
    if columns and all(isinstance(one, dict | list) for column in columns for one in column):
        return [record for column in columns for record in _flat(column)]  # {"trials": [{...}]}
    if len(columns) == len(value) and len({len(column) for column in columns}) == 1:
        return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]
    return [value]


def _excel(data: bytes, sheet: str | None, notes: list[str]) -> Rows:
    from openpyxl import load_workbook  # here, because few files are such

    try:
        book = load_workbook(io.BytesIO(data), data_only=True)
        sheets = {one.title: one for one in book.worksheets}
        names = list(sheets) if sheet is None else [sheet] if sheet in sheets else []
        grids = ((name, _grid(sheets[name])) for name in names)
        name, rows = next(((n, g) for n, g in grids if len(_filled(g)) > 1), (None, []))
    except Exception as error:  # a damaged workbook makes the reader stumble in many ways
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ValueError(f"the workbook is damaged: {reason}") from None
    if not names:
        raise ValueError(
            f"it has no sheet {sheet!r}; found: {', '.join(sheets)}. Name one in observers.sheet"
        )
    if sheet is None and len(sheets) > 1 and name is not None:
        notes.append(f"sheet {name!r} of {len(sheets)} is read; observers.sheet names another")
    return rows


def _filled(rows: Rows) -> Rows:
    return [row for row in rows if any(row[1])]


def _grid(sheet) -> Rows:
    rows = sheet.iter_rows()
    return [(n, [_excel_text(cell) for cell in row]) for n, row in enumerate(rows, start=1)]


def _excel_text(cell) -> str:
    number = isinstance(cell.value, int | float) and not isinstance(cell.value, bool)
    if number and "%" in str(cell.number_format):
        return f"{cell_text(round(float(cell.value) * 100, 9))}%"
    return cell_text(cell.value).strip()


def cell_text(value: object) -> str:
    """A cell as a spreadsheet would show it: whole numbers without a point, NaN and None empty."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, dict | list | bool):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(float(value))
    return str(value)
