"""report.html, one self-contained file to hand on, and tables.xlsx, made from a run's folder."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lib.report.cards import answer_sentence, claim_cards, key_figure, limits
from lib.report.rendering import TEMPLATES, Section, figure_html, render_notebook
from lib.report.spreadsheet import write_excel
from lib.storage.alt_text import read_alt_text
from lib.storage.files import write_text, write_with
from lib.storage.progress import clock
from lib.storage.runs import read_tables

LARGEST = 10_000_000  # bytes: what passes as a mail attachment
GZIP_FROM = 100_000


@dataclass(frozen=True)
class Attached:
    """A table as the report lists it."""

    name: str
    rows: int
    columns: int
    file: str
    link: str  # data URI; empty where the table is too large


def write_report(folder: Path) -> Path:
    """Write ``report.html`` and ``tables.xlsx`` into a run's folder; returns the report's path.

    Rows of single people leave the folder in neither file unless the study asks for it
    (``observers.share_people``). The page is kept under 10 MB: figures are made smaller first,
    then the largest tables are left out, which it says.
    """
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    everything = read_tables(folder / "tables")
    shares = manifest["study"]["settings"]["observers"].get("share_people", False)
    people = people_of(everything)
    tables = everything if shares else {k: shareable(t, people) for k, t in everything.items()}
    private = [name for name, table in tables.items() if len(table) < len(everything[name])]
    write_with(folder / "tables.xlsx", lambda path: write_excel(path, tables))
    attached = [attach(name, table) for name, table in tables.items()]
    for scale in (1.0, 0.7, 0.5, 0.35):
        sections = [
            render_notebook(path, scale) for path in sorted((folder / "notebooks").glob("*.ipynb"))
        ]
        text = _page(folder, manifest, tables, sections, attached, private)
        if len(text.encode()) <= LARGEST:
            return write_text(folder / "report.html", text)
    for largest in sorted(attached, key=lambda table: -len(table.link)):
        attached[attached.index(largest)] = replace(largest, link="")
        text = _page(folder, manifest, tables, sections, attached, private)
        if len(text.encode()) <= LARGEST:
            break
    return write_text(folder / "report.html", text)


def _page(
    folder: Path,
    manifest: dict,
    tables: dict[str, pd.DataFrame],
    sections: list[Section],
    attached: list[Attached],
    private: list[str],
) -> str:
    study = manifest["study"]
    settings = study["settings"]
    cards = claim_cards(tables)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template("page.html.j2").render(
        style=(TEMPLATES / "report.css").read_text(encoding="utf-8"),
        name=settings["name"],
        about=settings["about"],
        status=manifest["status"],
        simulated=_simulated(tables),
        answer=answer_sentence(cards),
        figure=_key_figure(folder),
        cards=cards,
        limits=limits(tables, settings),
        sections=sections,
        tables=attached,
        private=private,
        study_file=study["file"],
        overrides=" ".join(study["overrides"]),
        settings=_yaml(settings),
        origin=_origin(manifest),
    )


def _key_figure(folder: Path) -> str:
    path = key_figure(folder / "figures")
    return "" if path is None else figure_html(path.read_bytes(), read_alt_text(path) or path.stem)


def _yaml(settings: dict) -> str:
    """As in a study file, with short lists on one line."""
    return yaml.safe_dump(
        settings, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100
    )


def _simulated(tables: dict[str, pd.DataFrame]) -> bool:
    return "trials" in tables and bool((tables["trials"]["kind"] == "simulated").any())


def people_of(tables: dict[str, pd.DataFrame]) -> frozenset[str]:
    """The codes of the real people in a run's tables."""
    codes = [
        table.loc[table["kind"].eq("human"), "observer"].dropna().astype(str)
        for table in tables.values()
        if {"observer", "kind"} <= set(table)
    ]
    return frozenset(pd.concat(codes)) if codes else frozenset()


def shareable(table: pd.DataFrame, people: frozenset[str]) -> pd.DataFrame:
    """A table without the rows of single real people: those with one of their codes in any column
    that names an observer; and without their codes in ``who``, which lists those excluded.
    """
    table = table.assign(who="") if "who" in table else table
    named = table[[column for column in table if "observer" in str(column)]]
    return table[~named.astype(str).isin(people).any(axis=1)]


def attach(name: str, table: pd.DataFrame) -> Attached:
    """A table as a data URI, compressed where it is large."""
    data = table.to_csv(index=False).encode()
    suffix, kind = ".csv", "text/csv"
    if len(data) > GZIP_FROM:
        data = gzip.compress(data, mtime=0)
        suffix, kind = ".csv.gz", "application/gzip"
    link = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    return Attached(name, len(table), len(table.columns), f"{name}{suffix}", link)


def _origin(manifest: dict) -> list[tuple[str, str]]:
    data, machine = manifest["data"], manifest["machine"]
    told = [f"{key} {value}" for key, value in machine.items() if value is not None]
    packages = [f"{name} {version}" for name, version in manifest["versions"].items()]
    rows = [
        ("git revision", manifest["revision"] or "not a git repository"),
        ("machine", ", ".join(told)),
        ("packages", ", ".join(packages)),
        ("seeds", json.dumps(manifest["seeds"])),
        (f"{data.get('images', 0)} images, SHA-256 of their list", data.get("images_sha256", "")),
        ("people's file, SHA-256", data["people_sha256"] or "none: simulated people"),
    ]
    for row in manifest["weights"]:
        name = f"weights, {row['architecture']} ({row['pretraining']})"
        rows.append((name, f"{row['source']} {row['sha256']}"))
    for name, table in manifest["tables"].items():
        rows.append((f"table {name}, SHA-256", table["sha256"]))
    for name, cost in manifest["notebooks"].items():
        memory = cost["peak_memory_mb"] / 1024
        rows.append((f"notebook {name}", f"{clock(cost['seconds'])}, {memory:.2f} GB"))
    return rows
