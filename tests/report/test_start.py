"""The start page's answer: of the newest finished run, else the published one, else how to get
one.
"""

import json
import os

import pandas as pd
import pytest
from PIL import Image

from lib.report.start import (
    NO_ANSWER,
    answer_in_words,
    cards_in_words,
    newest_run,
    report_in_words,
    so_far,
)
from lib.settings.loading import load_study
from lib.settings.options import ROOT
from lib.storage.runs import MissingResult, Run

FITS = pd.DataFrame(
    {
        "observer": ["p1", "p2", "net"],
        "kind": ["human", "human", "cnn"],
        "condition": "full",
        "pse": [0.4, 0.6, 0.5],
    }
)
SUMMARY = pd.DataFrame([{"quantity": "pse", "n": 2, "mean": 0.5, "low": 0.3, "high": 0.7}])
CLAIMS = pd.DataFrame(
    {
        "id": ["C1", "C2"],
        "claim": ["partly perform as people do", "outperforms all four"],
        "evidence": "evidence",
        "value": 0.1,
        "low": 0.0,
        "high": 0.2,
        "verdict": ["partly", "inconclusive"],
    }
)


def study_of(tmp_path, name="mine"):
    return load_study("data/studies/smoke.yaml", {"output": str(tmp_path / "runs"), "name": name})


def finish(study, status="complete", kind="human"):
    run = Run(study, "04")
    run.write_table("psychometrics", FITS.replace({"kind": {"human": kind}}))
    run.write_table("people_summary", SUMMARY)
    run.write_table("claims", CLAIMS)
    manifest = {
        "status": status,
        "study": {"settings": {"name": study.name, "poles": ["angry", "happy"]}},
        "notebooks": {"01_data_preparation": {"seconds": 75.0}},
    }
    (study.folder / "manifest.json").write_text(json.dumps(manifest))
    (study.folder / "figures").mkdir()
    Image.new("RGB", (8, 8)).save(study.folder / "figures/04_whole_face.png")
    return study.folder


def test_the_own_run_comes_before_a_newer_one_and_that_before_an_unfinished_one(tmp_path):
    own, other, torn = (
        finish(study_of(tmp_path, n), s)
        for n, s in (("own", "complete"), ("other", "complete"), ("torn", "running"))
    )
    os.utime(own / "manifest.json", (1, 1))
    assert newest_run(own) == own and newest_run(torn) == other
    assert newest_run(tmp_path / "none" / "none") is None


def test_the_answer_names_boundary_networks_and_verdicts_in_the_poles_own_words(tmp_path):
    finish(study_of(tmp_path))
    text = answer_in_words(so_far(study_of(tmp_path)))
    assert "call a face happy as often as angry at level 0.500 [0.300, 0.700]" in text
    assert "Of 1 trained networks 1 have such a boundary, 1 within" in text
    assert "Of the paper's 2 claims: 1 partly, 1 inconclusive." in text
    assert "outperforms all four. *This run:* **inconclusive**" in text
    assert "people are real" in text and "Demonstration" not in text


def test_simulated_people_make_it_a_demonstration(tmp_path):
    finish(study_of(tmp_path), kind="simulated")
    assert "**Demonstration:**" in answer_in_words(so_far(study_of(tmp_path)))


def test_without_a_run_the_published_answer_or_the_command_is_told(tmp_path):
    (tmp_path / "figures").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "figures/04_whole_face.png")
    found = so_far(study_of(tmp_path), tmp_path)
    assert answer_in_words(found) == NO_ANSWER and found.figure.is_file() and found.published
    assert "is written when" in report_in_words(found, tmp_path)


def test_the_published_run_of_real_people_comes_before_the_demonstration(tmp_path):
    for name in ("demo", "real"):
        folder = tmp_path / "data/reference" / name
        (finish(study_of(tmp_path / "elsewhere", name)) / "tables").rename(make(folder))
        (folder / "run.json").write_text(json.dumps({"notebooks": {}, "poles": ["angry", "glad"]}))
    text = answer_in_words(so_far(study_of(tmp_path), tmp_path))
    assert text.startswith("Published run **real**") and "glad as often as angry" in text


def make(folder):
    """A folder that may be renamed onto: its parent is there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder


def test_the_report_is_linked_from_where_the_notebooks_lie(tmp_path):
    folder = finish(study_of(tmp_path))
    (folder / "report.html").write_text("x")
    text = report_in_words(so_far(study_of(tmp_path)), folder / "lab")
    assert "(../report.html)" in text


def test_five_cards_tell_question_and_times_and_link_to_the_notebooks(tmp_path):
    finish(study_of(tmp_path))
    lines = cards_in_words(so_far(study_of(tmp_path)), ROOT / "notebooks").splitlines()[2:]
    assert len(lines) == 5
    for line, path in zip(lines, sorted((ROOT / "notebooks").glob("[0-9][1-9]_*")), strict=True):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert f"({path.name})" in cells[0] and cells[1].endswith("?") and all(cells)
        assert " min" in cells[3]
    assert "took 1 min 15 s" in lines[0] and "took" not in lines[1]
    with pytest.raises(MissingResult, match="make lab"):
        cards_in_words(so_far(study_of(tmp_path)), tmp_path)
