"""The start page, run headless on a finished run and on a fresh clone that has none."""

import nbformat
import papermill
import pytest
from smoke_run import SMOKE

from lib.settings.options import ROOT

pytestmark = pytest.mark.slow


def start_page(tmp_path, monkeypatch, output) -> str:
    """What it shows, with one line for a figure."""
    monkeypatch.setenv("WORKBOOK_HEADLESS", "1")
    done = tmp_path / "00.ipynb"
    papermill.execute_notebook(
        ROOT / "notebooks/00_start.ipynb",
        done,
        parameters={"study": str(ROOT / SMOKE), "overrides": f"output='{output}'"},
        cwd=ROOT / "notebooks",
        kernel_name="python3",
        progress_bar=False,
    )
    outputs = [o for cell in nbformat.read(done, 4).cells for o in cell.get("outputs", [])]
    data = [output.get("data", {}) for output in outputs]
    return "\n".join("FIGURE" if "image/png" in d else d.get("text/markdown", "") for d in data)


def test_after_a_run_it_tells_that_runs_answer_and_links_its_report(tmp_path, monkeypatch, smoke):
    text = start_page(tmp_path, monkeypatch, smoke.folder.parent)
    assert "Run **smoke**" in text and "claims: " in text and "FIGURE" in text
    assert "report.html)" in text and "took" in text and text.count(".ipynb)") == 5


def test_on_a_fresh_clone_it_shows_the_published_figure_and_says_how_to_go_on(
    tmp_path, monkeypatch
):
    text = start_page(tmp_path, monkeypatch, tmp_path / "none")
    assert "FIGURE" in text and text.count(".ipynb)") == 5
    assert "make workbook" in text or "Published run" in text
