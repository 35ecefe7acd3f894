"""Tables in the forms that programs write: read with the same cells, or refused with the row."""

import json

import pandas as pd
import pytest
from openpyxl import Workbook
from openpyxl.styles import numbers

from lib.storage.tables import read_table

HEADER = ["who", "morph level", "answer"]
ROWS = [["p1", "0.5", "grün"], ["p1", "1", "rot"], ["p2", "0", "grün"]]


def text(separator=",", rows=ROWS, header=HEADER):
    return "\n".join(separator.join(row) for row in [header, *rows]) + "\n"


def write(tmp_path, content, name="a.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|", ", "])
def test_separators_and_encodings(tmp_path, separator, encoding):
    table = read_table(write(tmp_path, text(separator), encoding=encoding))
    assert list(table.columns) == HEADER and table.to_numpy().tolist() == ROWS
    assert table.index.tolist() == [0, 1, 2] and table.attrs["notes"] == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_ends_of_lines_and_a_line_that_says_the_separator(tmp_path, end):
    content = ("sep=;\n" + text(";", [["p,1", "0,5", "x"], *ROWS])).replace("\n", end)
    table = read_table(write(tmp_path, content))
    assert table.iloc[0].tolist() == ["p,1", "0,5", "x"] and table.index.tolist() == [0, 1, 2, 3]


def test_decimal_commas_do_not_make_a_comma_the_separator(tmp_path):
    rows = [["p1", f"{k},5", "x"] for k in range(9)]
    assert read_table(write(tmp_path, text(";", rows))).to_numpy().tolist() == rows


@pytest.mark.parametrize(
    ("above", "first"),
    [
        ("C:\\Data\\Morph.emrg2\n", 1),
        ("Scenario - morph\nLogfile written - 03/12/2024 10:11:12\n\n", 3),
        ("My study;;\n;;\n", 2),
    ],
)
def test_a_header_below_a_preamble_is_found_and_said(tmp_path, above, first):
    separator = ";" if ";" in above else "\t"
    table = read_table(write(tmp_path, above + text(separator)))
    assert list(table.columns) == HEADER and table.index.tolist() == [first, first + 1, first + 2]
    assert table.attrs["notes"][0].startswith(f"the header is in row {first + 1};")


def test_qualtrics_three_headers(tmp_path):
    ids = ",".join(f'"{{""ImportId"":""QID{k}""}}"' for k in range(3))
    lines = text().split("\n")
    content = "\n".join([lines[0], '"Who, please?",How much,What', ids, *lines[1:]])
    table = read_table(write(tmp_path, content))
    assert table.to_numpy().tolist() == ROWS and table.index.tolist() == [2, 3, 4]
    assert "rows to 3 are further headers of Qualtrics" in table.attrs["notes"][0]


def test_trailing_commas_row_names_and_headers_without_a_name(tmp_path):
    for content in (
        text().replace("\n", ",\n"),
        text().replace("\n", ",\n").replace("answer,", "answer"),
        "\n".join(
            ["who,morph level,answer", *(f"{3 * k},{','.join(r)}" for k, r in enumerate(ROWS))]
        ),
        "\n".join(
            ['"",who,morph level,answer', *(f"{k},{','.join(r)}" for k, r in enumerate(ROWS))]
        ),
    ):
        assert read_table(write(tmp_path, content)).to_numpy().tolist() == ROWS
    named = read_table(write(tmp_path, ",a,b\nx,1,2\nx,2,3\n"))
    assert list(named.columns) == ["column 1", "a", "b"]


def test_a_header_once_more_is_no_row(tmp_path):
    table = read_table(write(tmp_path, text() + text()))
    assert len(table) == 6 and "1 rows repeat the header" in table.attrs["notes"][0]


def test_rows_with_more_cells_than_names_and_open_quotes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="row 3: rows have more cells"):
        read_table(write(tmp_path, "a,b\n1,2\n1,2,3\n"))
    with pytest.raises(ValueError, match="never closed"):
        read_table(write(tmp_path, 'a;b\n1;"2\n3;4\n'))
    with pytest.raises(ValueError, match="empty"):
        read_table(write(tmp_path, "\n\n"))


RECORDS = [dict(zip(HEADER, row, strict=True)) for row in ROWS]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(RECORDS),
        json.dumps([RECORDS[:1], RECORDS[1:]]),
        json.dumps({"trials": RECORDS, "version": 8}),
        "\n".join(json.dumps(part) for part in (RECORDS[:2], RECORDS[2:])),
        "\n".join(map(json.dumps, RECORDS)),
        json.dumps({name: [r[name] for r in RECORDS] for name in HEADER}),
        json.dumps({name: {str(k): r[name] for k, r in enumerate(RECORDS)} for name in HEADER}),
        json.dumps({"-Nx1": RECORDS[0], "-Nx2": RECORDS[1], "-Nx3": RECORDS[2]}),
    ],
)
def test_json_of_records(tmp_path, content):
    assert read_table(write(tmp_path, content, "a.json")).to_numpy().tolist() == ROWS


def test_values_in_json_are_text_as_a_table_shows_them(tmp_path):
    records = [{"a": 1.0, "b": None, "c": {"Q0": 3}}, {"a": 0.25, "d": True, "c": ["x"]}]
    table = read_table(write(tmp_path, json.dumps(records), "a.json"))
    assert table.to_numpy().tolist() == [["1", "", '{"Q0": 3}', ""], ["0.25", "", '["x"]', "true"]]
    with pytest.raises(ValueError, match="begins as JSON and is none"):
        read_table(write(tmp_path, '[{"a": 1}, {"a"', "a.json"))


def test_excel_as_it_shows_its_cells(tmp_path):
    book = Workbook()
    book.active.title = "notes"
    book.active["A1"] = "nothing"
    sheet = book.create_sheet("data")
    for row in ([], ["A title"], ["who", "level", "rt"], ["p1", 0.3, 412.0], [], ["p2", 1, 0.5]):
        sheet.append(row)
    sheet["B4"].number_format = numbers.FORMAT_PERCENTAGE
    book.save(tmp_path / "a.xlsx")
    table = read_table(tmp_path / "a.xlsx")
    assert table.to_numpy().tolist() == [["p1", "30%", "412"], ["p2", "1", "0.5"]]
    assert table.index.tolist() == [2, 4]  # rows 4 and 6 of the sheet
    assert any("sheet 'data' of 2" in note for note in table.attrs["notes"])
    with pytest.raises(ValueError, match="no sheet 'x'; found: notes, data"):
        read_table(tmp_path / "a.xlsx", "x")


def test_text_that_calls_itself_excel_and_excel_that_is_too_old(tmp_path):
    table = read_table(write(tmp_path, text("\t"), "a.xls"))
    assert table.to_numpy().tolist() == ROWS
    with pytest.raises(ValueError, match=r"Excel 2003 or before; save it as \.xlsx"):
        read_table(write(tmp_path, b"\xd0\xcf\x11\xe0\xa1\xb1", "b.xls"))


def test_pandas_reads_the_same_from_what_it_wrote(tmp_path):
    frame = pd.DataFrame({"a": ['say "no"', "x, y", "two\nlines"], "b": ["1", "", "3"]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    assert read_table(tmp_path / "a.csv").to_dict("list") == frame.to_dict("list")
