"""tables.xlsx: the tables of a run as sheets of one Excel file."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

EXCEL_ROWS = 1_048_574  # of 1,048,576: without the line of names and a note at the end


def write_excel(path: Path, tables: dict[str, pd.DataFrame]) -> None:
    """All tables as sheets of one Excel file; text that begins with ``=`` stays text and is
    never computed.
    """
    book = openpyxl.Workbook(write_only=True)
    for name, table in tables.items():
        sheet = book.create_sheet(name[:31])
        sheet.freeze_panes = "A2"
        sheet.append([_cell(sheet, column, bold=True) for column in table.columns])
        columns = [_excel_column(sheet, table[column]) for column in table.columns]
        for row in zip(*(column[:EXCEL_ROWS] for column in columns), strict=True):
            sheet.append(row)
        if len(table) > EXCEL_ROWS:
            sheet.append(
                [
                    (
                        f"{len(table) - EXCEL_ROWS} more rows than a sheet can hold: "
                        f"see tables/{name}.csv"
                    )
                ]
            )
    if not tables:
        book.create_sheet("no tables yet")
    book.save(path)


def _excel_column(sheet, column: pd.Series) -> list:
    values = column.astype(object).where(column.notna(), None).tolist()
    return [_cell(sheet, value) if isinstance(value, str) else value for value in values]


def _cell(sheet, value: str, *, bold: bool = False) -> WriteOnlyCell | str:
    """Text for a sheet: as it is where it is harmless, which is quicker, else as a cell marked
    as text.
    """
    clean = ILLEGAL_CHARACTERS_RE.sub("", value)
    if not bold and not clean.startswith("="):
        return clean
    cell = WriteOnlyCell(sheet, clean)
    cell.data_type, cell.font = "s", Font(bold=bold)
    return cell
