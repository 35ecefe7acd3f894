"""Numbers in any notation: read, or asked about where a cell can be two numbers."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.storage.table_cells import code_key, decimal_mark, is_missing, number, numbers, plain


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("12", 12),
        ("-0.5", -0.5),
        ("\u22120,5", -0.5),
        ("+25", 25),
        ("12,5", 12.5),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("1,234,567", 1234567),
        ("1.234.567", 1234567),
        ("1 234", 1234),
        ("1\u00a0234,5", 1234.5),
        (".5", 0.5),
        ("1e-3", 0.001),
    ],
)
def test_a_cell_with_one_reading(cell, value):
    assert number(cell) == value


@pytest.mark.parametrize(
    "cell", ["", "x", "1,2,3", "12,34,567", "1_000", "0x10", "inf", "٣", "1 2"]
)
def test_a_cell_that_is_no_number(cell):
    assert math.isnan(number(cell))


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1,234", "0,350"], [1.234, 0.35]),
        (["1,234", "12,5"], [1.234, 12.5]),
        (["1,234", "1,234.5"], [1234, 1234.5]),
        (["1,234", "1,234,567"], [1234, 1234567]),
        (["1.234", "0.350"], [1.234, 0.35]),
        (["1.234", "2.345"], [1.234, 2.345]),
        (["1.234", "1.234,5"], [1234, 1234.5]),
        (["637", "1382.5"], [637, 1382.5]),
    ],
)
def test_the_other_cells_decide(cells, values):
    column = pd.Series(cells, name="rt")
    assert numbers(column, decimal_mark([column])).tolist() == values


@pytest.mark.parametrize(
    ("cells", "large", "small"),
    [
        (["637", "1,382"], "1382", "1.382"),
        (["0.5", "1,382"], "1382", "1.382"),
        (["1,382"], "1382", "1.382"),
        (["637", "1.382"], "1382", "1.382"),
        (["0,5", "1.382"], "1382", "1.382"),
        (["0,5", "1,382", "1,234.5"], "1382", "1.382"),
    ],
)
def test_where_nothing_decides_it_is_asked(cells, large, small):
    column = pd.Series(cells, [f"a.csv, row {k}" for k in range(len(cells))], name="rt")
    row = next(k for k, cell in enumerate(cells) if cell in ("1,382", "1.382"))
    mark = cells[row][1]
    with pytest.raises(ValueError, match=rf"a\.csv, row {row}, column 'rt'.*thousands: '{mark}'"):
        decimal_mark([column])
    for said, value in (({"thousands": mark}, large), ({"decimal": mark}, small)):
        found = numbers(column, decimal_mark([column], **said)).iloc[row]
        assert f"{found:g}" == value


@given(
    st.lists(st.integers(-(10**7), 10**7), min_size=1, max_size=8),
    st.sampled_from([(",", "."), (".", ","), (",", ""), (".", "")]),
)
def test_a_number_is_never_changed_by_a_guess(thousandths, marks):
    """Whatever a spreadsheet wrote with its marks comes back, or is asked about."""
    decimal, group = marks
    values = [n / 1000 for n in thousandths]
    cells = [f"{v:,.3f}".rstrip("0").rstrip(".") for v in values]
    swap = str.maketrans({",": group, ".": decimal})
    column = pd.Series([cell.translate(swap) for cell in cells], name="x")
    try:
        mark = decimal_mark([column])
    except ValueError as error:
        assert "can be" in str(error)
        return
    found = numbers(column, mark).tolist()
    if decimal == ",":
        assert found == values
    else:  # 1.234 alone, in a table that only parts groups, is read as every program would
        assert found == values or not any("," in cell for cell in column)


def test_lists_of_one_words_for_missing_and_codes():
    column = pd.Series(["['left']", '["f"]', "[0.61]", "[]", "['a', 'b']", "NaN", "N/A", "."])
    assert plain(column).tolist()[:5] == ["left", "f", "0.61", "", "['a', 'b']"]
    assert is_missing(plain(column)).tolist() == [
        False,
        False,
        False,
        True,
        False,
        True,
        True,
        True,
    ]
    assert is_missing(pd.Series(["timeout"]), ["timeout"]).all()
    assert {code_key(code) for code in ("1", "1.0", "01", "+1")} == {"1"} and code_key("f") == "f"
