"""A table of people's answers as text: CSV, TSV or Excel, or a folder with one such file for
each person.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lib.people.mat_files import read_mat
from lib.people.trials import TrialError
from lib.storage.files import read_text_table

EXCEL = (".xlsx", ".xlsm", ".xls")
SUFFIXES = (".csv", ".tsv", ".txt", *EXCEL, ".mat")


def read_answers(path: Path, sheet: str | None = None) -> pd.DataFrame:
    """The rows of a file, or of all files of a folder, every cell as text without spaces around it.

    Raises
    ------
    TrialError : nothing there, not a table, no rows, or files of a folder whose columns differ.
    """
    if path.is_dir():
        return _read_folder(path, sheet)
    if not path.is_file():
        raise TrialError(
            f"observers.file: no such file: {path}. Give its path, relative "
            "to the project's root or "
            "absolute; without a file the people are simulated"
        )
    try:
        if path.suffix.lower() == ".mat":
            table = read_mat(path)
        elif path.suffix.lower() in EXCEL:
            table = _read_excel(path, sheet)
        else:
            table = read_text_table(path, _separator(path), "utf-8-sig")
    except pd.errors.EmptyDataError:
        raise TrialError(f"{path.name} is empty; needed: a header and one row a trial") from None
    except TrialError:
        raise
    except (
        Exception
    ) as error:  # a damaged workbook makes the readers stumble in many ways, KeyError among them
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise TrialError(
            f"{path.name} cannot be read as a table: {reason}. Allowed: "
            ".csv, .tsv or .xlsx in UTF-8"
        ) from None
    if table.empty:
        raise TrialError(f"{path.name} has a header and no rows; needed: one row a trial")
    return table.apply(lambda column: column.str.strip())


def _read_folder(folder: Path, sheet: str | None) -> pd.DataFrame:
    """One file for each person, as PsychoPy or the observer task leaves them; all with the same
    columns.
    """
    files = sorted(
        p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")
    )
    if not files:
        raise TrialError(
            f"observers.file: no {', '.join(SUFFIXES[:2])} or .xlsx file "
            f"in the folder {folder}; needed: "
            "at least one"
        )
    tables = [read_answers(path, sheet) for path in files]
    for path, table in zip(files, tables, strict=True):
        if odd := sorted(set(table.columns) ^ set(tables[0].columns)):
            raise TrialError(
                f"{path.name} and {files[0].name} differ in their columns "
                f"({', '.join(odd)}); allowed: "
                "files of one form in a folder. Take out the file that does not belong"
            )
    return pd.concat(tables, ignore_index=True)


def _read_excel(path: Path, sheet: str | None) -> pd.DataFrame:
    with pd.ExcelFile(path) as book:
        if sheet is not None and sheet not in book.sheet_names:
            raise TrialError(
                f"{path.name} has no sheet {sheet!r}; found: "
                f"{', '.join(map(str, book.sheet_names))}. "
                "Name one in observers.sheet"
            )
        return pd.read_excel(
            book, sheet_name=0 if sheet is None else sheet, dtype=str, keep_default_na=False
        )


def _separator(path: Path) -> str:
    """Tab, semicolon or comma, whichever the header has most of."""
    with open(path, encoding="utf-8-sig", errors="replace") as handle:
        header = handle.readline()
    return max("\t;,", key=header.count) if any(c in header for c in "\t;,") else ","
