"""tables.xlsx."""

import re

import numpy as np
import openpyxl
import pandas as pd
import pytest

from lib.report import spreadsheet
from lib.report.spreadsheet import write_excel


def test_in_excel_text_stays_text_numbers_numbers_and_gaps_gaps(tmp_path):
    table = pd.DataFrame(
        {"observer": ["=LINK(1)", "p\x07", "+1"], "value": [1 / 3, np.nan, 3], "n": [1, 2, 3]}
    )
    write_excel(tmp_path / "t.xlsx", {"trials": table, "a" * 40: table})
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    assert book.sheetnames == ["trials", "a" * 31]
    rows = list(book["trials"].iter_rows(values_only=True))
    assert rows == [
        ("observer", "value", "n"),
        ("=LINK(1)", pytest.approx(1 / 3), 1),
        ("p", None, 2),
        ("+1", 3, 3),
    ]
    assert book["trials"]["A2"].data_type == "s"


def test_a_table_longer_than_a_sheet_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(spreadsheet, "EXCEL_ROWS", 2)
    write_excel(tmp_path / "t.xlsx", {"trials": pd.DataFrame({"n": range(5)})})
    last = list(openpyxl.load_workbook(tmp_path / "t.xlsx")["trials"].values)[-1]
    assert re.match(r"3 more rows .* tables/trials\.csv", last[0])
