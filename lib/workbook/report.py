"""report.html, one self-contained file to hand on, and tables.xlsx, made from a run's folder
alone.
"""

from __future__ import annotations

import base64
import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import openpyxl
import pandas as pd
import yaml
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from lib.storage.files import threads, write_text, write_with
from lib.storage.progress import clock
from lib.storage.runs import read_csv
from lib.workbook.report_cells import render_notebook, shrink
from lib.workbook.report_page import page

LARGEST = 10_000_000  # bytes: what passes as a mail attachment
GZIP_FROM = 100_000
PREVIEW_ROWS = 10
EXCEL_ROWS = 1_048_574  # of 1,048,576: without the line of names and a note at the end


@dataclass(frozen=True)
class Attached:
    """A table as the report shows it."""

    name: str
    rows: int
    columns: list[str]
    preview: list[list[str]]
    file: str
    link: str  # data URI; empty where the table is left out
    private: bool = False  # left out because it holds single answers of people


def write_report(folder: Path) -> Path:
    """Write ``report.html`` and ``tables.xlsx`` into a run's folder; returns the report's path.

    The page is kept under 10 MB: first figures are made smaller, then the largest tables are left
    out, which it says.
    """
    tables = read_tables(folder)
    write_with(folder / "tables.xlsx", lambda path: write_excel(path, tables))
    manifest = json.loads((folder / "manifest.json").read_text())
    attached = [
        attach(folder / "tables" / f"{name}.csv", table, private=single_answers(table))
        for name, table in tables.items()
    ]
    for scale in (1.0, 0.7, 0.5, 0.35):
        with ThreadPoolExecutor(
            threads()
        ) as pool:  # what takes the time, side by side: the results are remembered
            list(pool.map(partial(_shrink, scale), (folder / "figures").glob("*.png")))
        sections = [
            render_notebook(path, folder / "figures", scale)
            for path in sorted((folder / "notebooks").glob("*.ipynb"))
        ]
        text = _page(manifest, tables, sections, attached)
        if len(text.encode()) <= LARGEST:
            return write_text(folder / "report.html", text)
    return write_text(
        folder / "report.html", _without_largest(manifest, tables, sections, attached)
    )


def _shrink(scale: float, path: Path) -> None:
    shrink(path.read_bytes(), scale)


def _without_largest(manifest: dict, tables: dict, sections: list, attached: list[Attached]) -> str:
    """The page without the links of as many tables, largest first, as it takes."""
    for largest in sorted(attached, key=lambda table: -len(table.link)):
        attached = [
            Attached(**{**vars(table), "link": ""}) if table is largest else table
            for table in attached
        ]
        text = _page(manifest, tables, sections, attached)
        if len(text.encode()) <= LARGEST:
            break
    return text


def _page(manifest: dict, tables: dict, sections: list, attached: list[Attached]) -> str:
    study = manifest["study"]
    settings = study["settings"]
    return page(
        name=settings["name"],
        about=settings["about"],
        status=manifest["status"],
        sections=sections,
        simulated=_simulated(tables),
        claims=claims(tables),
        tables=attached,
        study_file=study["file"],
        overrides=" ".join(study["overrides"]),
        settings=_yaml(settings),
        origin=_origin(manifest),
        costs=_costs(manifest),
        packages=", ".join(f"{name} {version}" for name, version in manifest["versions"].items()),
    )


def _yaml(settings: dict) -> str:
    """As in a study file, with short lists on one line."""
    return yaml.safe_dump(
        settings, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100
    )


def read_tables(folder: Path) -> dict[str, pd.DataFrame]:
    """Every table of a run, in the order of their names."""
    return {path.stem: read_csv(path) for path in sorted((folder / "tables").glob("*.csv"))}


def _simulated(tables: dict[str, pd.DataFrame]) -> bool:
    return "trials" in tables and bool((tables["trials"]["kind"] == "simulated").any())


def claims(tables: dict[str, pd.DataFrame]) -> list[dict]:
    """The ledger grouped by claim, values as text with their intervals."""
    if "claims" not in tables:
        return []
    ledger = tables["claims"].astype(object).where(tables["claims"].notna(), None)
    return [
        {
            "id": key,
            "claim": rows["claim"].iloc[0],
            "rows": [{**row, "value": _interval(row)} for row in rows.to_dict("records")],
        }
        for key, rows in ledger.sort_values("id", kind="stable").groupby("id", sort=True)
    ]


def _interval(row: dict) -> str:
    if row["value"] is None:
        return ""
    ends = (
        ""
        if row["low"] is None or row["high"] is None
        else f" [{row['low']:.3f}, {row['high']:.3f}]"
    )
    return f"{row['value']:.3f}{ends}"


def single_answers(table: pd.DataFrame) -> bool:
    """Whether the rows are answers of real people, which a page to hand on must not carry."""
    return {"kind", "response"} <= set(table) and bool(table["kind"].eq("human").any())


def attach(path: Path, table: pd.DataFrame, *, private: bool = False) -> Attached:
    """A table's first rows as text, and the whole as a data URI, compressed where it is large;
    ``private``: neither.
    """
    if private:
        return Attached(path.stem, len(table), list(table.columns), [], path.name, "", private)
    data, suffix, kind = path.read_bytes(), "", "text/csv"
    if len(data) > GZIP_FROM:
        data, suffix, kind = gzip.compress(data, mtime=0), ".gz", "application/gzip"
    preview = [
        [_text(value) for value in row] for row in table.head(PREVIEW_ROWS).itertuples(index=False)
    ]
    return Attached(
        path.stem,
        len(table),
        list(table.columns),
        preview,
        f"{path.name}{suffix}",
        f"data:{kind};base64,{base64.b64encode(data).decode()}",
    )


def _text(value) -> str:
    if pd.isna(value):
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _origin(manifest: dict) -> list[tuple[str, str]]:
    data, machine = manifest["data"], manifest["machine"]
    rows = [
        ("git revision", manifest["revision"] or "not a git repository"),
        (
            "machine",
            ", ".join(f"{key} {value}" for key, value in machine.items() if value is not None),
        ),
        ("seeds", json.dumps(manifest["seeds"])),
        (
            f"{data.get('images', 0)} images, SHA-256 of their list",
            data.get("images_sha256", "none yet"),
        ),
        ("people's file, SHA-256", data["people_sha256"] or "none: simulated people"),
    ]
    rows += [
        (
            f"weights, {row['architecture']} ({row['pretraining']})",
            f"{row['source']} {row['sha256']}",
        )
        for row in manifest["weights"]
    ]
    return rows + [
        (f"table {name}, SHA-256", table["sha256"]) for name, table in manifest["tables"].items()
    ]


def _costs(manifest: dict) -> list[tuple[str, str, str]]:
    rows = [
        (name, cost["seconds"], cost["peak_memory_mb"])
        for name, cost in manifest["notebooks"].items()
    ]
    rows.append(("all", manifest["seconds"], manifest["peak_memory_mb"]))
    return [(name, clock(seconds), f"{memory / 1024:.2f} GB") for name, seconds, memory in rows]


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
