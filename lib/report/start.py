"""What the start page says: the answer so far, and the way to the five notebooks and the report."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from lib.observers.sentences import found_in_words
from lib.report.cards import answer_sentence, claim_cards, key_figure
from lib.settings.options import ROOT, Study
from lib.settings.words import POLES, Poles
from lib.storage.progress import clock
from lib.storage.runs import MissingResult, read_tables

ANSWER = ("people_summary", "psychometrics", "claims")  # its tables
NO_ANSWER = (
    "No run has finished here yet, so there is no answer of your own. The figure is of the run "
    "that was published with the workbook. `make workbook` (on Windows "
    "`python -m lib.workbook run`) computes yours."
)


@dataclass(frozen=True)
class SoFar:
    """The newest answer. ``seconds`` that the run's notebooks took, by name; ``published`` where it
    is the one that came with the workbook, and not computed here.
    """

    name: str
    tables: dict[str, pd.DataFrame]
    figure: Path | None
    report: Path | None
    poles: Poles = POLES
    seconds: dict[str, float] = field(default_factory=dict)
    published: bool = False


def so_far(study: Study, root: Path = ROOT) -> SoFar:
    """The study's own run where it is finished, else the newest finished run beside it, else the
    published one.

    Parameters
    ----------
    root : of the project, with the published ``figures`` and ``data/reference``.
    """
    folder = newest_run(study.folder)
    return _published(root) if folder is None else _run(folder)


def _run(folder: Path) -> SoFar:
    manifest, report = _json(folder / "manifest.json"), folder / "report.html"
    settings = manifest["study"]["settings"]
    return SoFar(
        settings["name"],
        read_tables(folder / "tables"),
        key_figure(folder / "figures"),
        report if report.is_file() else None,
        tuple(settings.get("poles", POLES)),
        _seconds(manifest),
    )


def _published(root: Path) -> SoFar:
    """The published run: of real people where there is one, else the demonstration."""
    folders = [path.parent for path in sorted(root.glob("data/reference/*/run.json"))]
    whole = [f for f in folders if all((f / f"{name}.csv").is_file() for name in ANSWER)]
    folder = min(whole, key=lambda f: f.name == "demo", default=None)
    if folder is None:
        return SoFar("", {}, key_figure(root / "figures"), None, published=True)
    about = _json(folder / "run.json")
    own = root / "figures" / folder.name
    return SoFar(
        folder.name,
        read_tables(folder),
        key_figure(own if own.is_dir() else root / "figures"),
        None,
        tuple(about.get("poles", POLES)),
        _seconds(about),
        published=True,
    )


def _seconds(about: dict) -> dict[str, float]:
    return {name: cost["seconds"] for name, cost in about["notebooks"].items()}


def newest_run(own: Path) -> Path | None:
    """``own`` where it is a finished run, else the newest finished one in the folder around it."""
    if _finished(own):
        return own
    others = [path.parent for path in own.parent.glob("*/manifest.json")]
    done = [folder for folder in others if _finished(folder)]
    return max(done, key=lambda folder: (folder / "manifest.json").stat().st_mtime, default=None)


def _finished(folder: Path) -> bool:
    tables = [folder / "tables" / f"{name}.csv" for name in ANSWER]
    return _json(folder / "manifest.json").get("status") == "complete" and all(
        t.is_file() for t in tables
    )


def _json(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def show_figure(found: SoFar, width: int = 760) -> None:
    """The answer's figure on the page, with what it shows in words for those who cannot see it."""
    from IPython import display

    from lib.storage.alt_text import read_alt_text

    if found.figure is not None:
        alt = read_alt_text(found.figure) or "people's and networks' curves along the morph"
        display.display(display.Image(found.figure.read_bytes(), width=width, alt=alt))


def answer_in_words(found: SoFar) -> str:
    """Three sentences and the four verdicts, from the run's tables; or how to get an answer."""
    if not set(ANSWER) <= set(found.tables):
        return NO_ANSWER
    summary, fits, claims = (found.tables[name] for name in ANSWER)
    cards = claim_cards(found.tables)
    told = found_in_words(summary, fits, claims, found.poles).split("\n")[:2]
    simulated = (fits["kind"] == "simulated").any()
    whose = (
        "**Demonstration:** these people are simulated, so it says nothing about people."
        if simulated
        else "The people are real."
    )
    sentences = [line.partition(". ")[2] for line in told] + [answer_sentence(cards)]
    lines = [f"- *The paper claims:* {c.claim}. *This run:* **{c.verdict}**." for c in cards]
    run = f"{'Published run' if found.published else 'Run'} **{found.name}**."
    return f"{run} {whose} {' '.join(sentences)}\n\n" + "\n".join(lines)


def report_in_words(found: SoFar, here: Path) -> str:
    """A link to the report that works from the folder ``here``, or when there will be one."""
    if found.report is None:
        return "A report to hand on, `report.html`, is written when all notebooks have run."
    link = Path(os.path.relpath(found.report, here)).as_posix()
    return f"**[The report of run {found.name}]({link})**: two pages, with the notebooks folded in."


def cards_in_words(found: SoFar, here: Path) -> str:
    """Five cards: what each notebook asks, how long it takes to run and to read, with its link.

    Parameters
    ----------
    here : folder of the notebooks, from which the links lead.

    Raises
    ------
    MissingResult : there are none.
    """
    paths = sorted(here.glob("[0-9][1-9]_*.ipynb"))
    if not paths:
        raise MissingResult(f"no notebooks in {here}; open the start page with `make lab`")
    rows = [_card(path, found.seconds.get(path.stem)) for path in paths]
    head = "| notebook | what it asks | run time | reading time |\n|---|---|---|---|"
    return "\n".join([head, *rows])


def _card(path: Path, seconds: float | None) -> str:
    """One row, from what the notebook's first cell says of itself and the time it took."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "".join(cells[0]["source"])
    stated = f"took {clock(seconds)}" if seconds else _first(r"\| run time \| ([^,;(|]+)", text)
    asks = _first(r"\*\*Question\.\*\*\s+([^?]+\?)", text)
    title, reading = _first(r"^# (.+)$", text), _first(r"\| reading time \| ([^,;(|]+)", text)
    return f"| **[{title}]({path.name})** | {asks} | {stated} | {reading} |"


def _first(pattern: str, text: str) -> str:
    """What the pattern's group finds first, on one line; empty where it finds nothing."""
    found = re.search(pattern, text, re.M)
    return " ".join(found[1].split()) if found else ""
