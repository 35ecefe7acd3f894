"""The report: one safe page with everything in it, and the tables as a workbook of sheets."""

import base64
import gzip
import io
import json
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import openpyxl
import pandas as pd
import pytest
from browser_tools import chromium
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from lib.report import page as report
from lib.report.page import attach, write_report
from lib.report.rendering import render_notebook
from lib.settings.loading import load_study
from lib.storage.runs import Run

EVIL = '<script>alert("x")</script><img src=x onerror=alert(1)>'
CLAIMS = pd.DataFrame(
    {
        "id": ["C2", "C1", "C1"],
        "claim": ["outperforms", "partly performs", "partly performs"],
        "evidence": ["accuracy", "PSE", EVIL],
        "value": [0.1, 0.5, np.nan],
        "low": [-0.2, 0.4, np.nan],
        "high": [0.3, 0.6, np.nan],
        "verdict": ["not supported", "partly", "not testable here"],
        "simulated": [False, True, True],
    }
)


class Page(HTMLParser):
    """Tags and attributes of a page, and its visible text."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


def png(axes_title: str = "") -> bytes:
    buffer = io.BytesIO()
    figure, axes = plt.subplots(figsize=(3, 2))
    axes.plot([0, 1])
    axes.set_title(axes_title)
    figure.savefig(buffer, format="png")
    plt.close(figure)
    return buffer.getvalue()


@pytest.fixture
def run(tmp_path):
    """A run folder as the runner leaves it, with one notebook, whose data holds what attacks a
    page.
    """
    study = load_study("data/studies/smoke.yaml", {"output": str(tmp_path), "about": EVIL})
    run = Run(study, "04")
    run.write_table("claims", CLAIMS)
    run.write_table(
        "trials",
        pd.DataFrame({"observer": [EVIL, "=1+1"], "kind": "simulated", "response": [1, np.nan]}),
    )
    figure, axes = plt.subplots(figsize=(3, 2))
    axes.set(xlabel="level", ylabel=EVIL)
    run.save_figure(figure, "curves")
    plt.close(figure)
    inline = base64.b64encode(png()).decode()
    cells = [
        new_markdown_cell(
            "# Human *vs* network\nNext: [05](05_mechanisms.ipynb), [file](../data/x.csv), "
            "[paper](https://arxiv.org/abs/2310.13674). $\\psi(x) = \\frac{1}{2}$"
        ),
        new_code_cell(
            "run.save_figure(fig, 'curves')\nsecret_code()",
            outputs=[new_output("display_data", {"image/png": inline, "text/plain": "<Figure>"})],
        ),
        new_markdown_cell("## Other"),
        new_code_cell(
            "x",
            outputs=[
                new_output("display_data", {"image/png": inline}),
                new_output("display_data", {"text/markdown": f"say {EVIL} **bold**"}),
                new_output(
                    "display_data", {"text/html": f"<style>a{{}}</style><table><td>{EVIL}</table>"}
                ),
                new_output("stream", name="stdout", text=f"training: 1 of 2, 3 s left\n{EVIL}\n"),
                new_output("stream", name="stderr", text="a warning"),
                new_output(
                    "display_data",
                    {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "Box()"},
                ),
                new_output("display_data", {"application/javascript": "alert(1)"}),
            ],
        ),
    ]
    (study.folder / "notebooks").mkdir()
    nbformat.write(new_notebook(cells=cells), study.folder / "notebooks" / "04_human_vs_cnn.ipynb")
    manifest = {
        "status": "complete",
        "study": {"file": "smoke.yaml", "overrides": [], "settings": study.to_dict()},
        "revision": None,
        "versions": {"python": "3.11"},
        "machine": {"processors": 2, "gpu": None},
        "seeds": {},
        "data": {"people_sha256": None, "images": 3, "images_sha256": "ab" * 32},
        "weights": [
            {"architecture": "alexnet", "pretraining": "untrained", "source": "x", "sha256": ""}
        ],
        "tables": {"claims": {"rows": 3, "sha256": "cd" * 32}},
        "notebooks": {"04": {"seconds": 61, "peak_memory_mb": 512.0}},
        "seconds": 61,
        "peak_memory_mb": 512.0,
    }
    (study.folder / "manifest.json").write_text(json.dumps(manifest))
    return run


def test_nothing_from_data_becomes_markup_and_nothing_is_fetched_or_run(run):
    text = write_report(run.folder).read_text()
    page = Page(text)
    assert not page.all("script") and not page.all("iframe") and not page.all("link")
    assert not [a for _, a in page.tags for name in a if name.startswith("on")]
    assert page.text.count('alert("x")') >= 4  # shown as the text it is
    assert all(image["src"].startswith("data:image/") for image in page.all("img"))
    assert "default-src 'none'" in next(m["content"] for m in page.all("meta") if "http-equiv" in m)
    outside = {
        a["href"] for a in page.all("a") if not a.get("href", "#").startswith(("#", "data:"))
    }
    assert outside == {"https://arxiv.org/abs/2310.13674"}
    assert "url(" not in text.split("</style>")[0]


def test_a_page_that_grows_too_large_gets_smaller_figures_then_says_which_tables_it_leaves_out(
    run, monkeypatch
):
    rng = np.random.default_rng(0)
    run.write_table("saliency", pd.DataFrame(rng.normal(size=(20_000, 2)), columns=["a", "b"]))
    whole = len(write_report(run.folder).read_bytes())
    monkeypatch.setattr(report, "LARGEST", whole - 100_000)
    page = write_report(run.folder).read_text()
    assert len(page.encode()) <= whole - 100_000
    assert "too large to attach: see\n<code>tables/saliency.csv</code>" in page
    assert 'download="claims.csv"' in page


WIDE = pd.DataFrame(
    [[f"value_{k}" for k in range(30)]], columns=[f"quantity_{k}" for k in range(30)]
)


@pytest.mark.browser
def test_on_a_phone_only_tables_and_wide_figures_move_sideways_and_their_letters_stay_large(run):
    run.write_table("comparison", WIDE)
    figure, _ = plt.subplots(1, 4, figsize=(16, 3))
    run.save_figure(figure, "curves")  # at its own size 1,600 pixels wide
    plt.close(figure)
    url = write_report(run.folder).as_uri()
    with chromium() as context:
        page = context.new_page()
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        widths = page.locator("figure img").evaluate_all(
            "all => all.map(i => i.getBoundingClientRect().width / i.getAttribute('width'))"
        )
        assert all(share >= 0.59 for share in widths)
        page.set_viewport_size({"width": 1200, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == 1200


@pytest.mark.browser
def test_on_paper_nothing_is_wider_than_the_page(run):
    run.write_table("comparison", WIDE)
    run.write_table(
        "images", pd.DataFrame([["data/" + 100 * "x", "train", "ab" * 32]], columns=["a", "b", "c"])
    )
    with chromium() as context:
        page = context.new_page()
        page.goto(write_report(run.folder).as_uri())
        page.emulate_media(media="print")
        page.set_viewport_size(
            {"width": 680, "height": 900}
        )  # A4 less its margins, at 96 dots an inch
        assert page.evaluate("document.documentElement.scrollWidth") == 680
        assert page.locator("a[download]").first.is_hidden()
        assert len(page.pdf(format="A4")) > 0


def test_headings_go_one_level_down_and_the_title_is_the_sections(run):
    section = render_notebook(run.folder / "notebooks" / "04_human_vs_cnn.ipynb")
    assert section.title == "Human vs network" and section.number == "04"
    assert "<h2>" not in section.body and "<h3>Other</h3>" in section.body


def test_the_answer_comes_first_then_cards_limits_folded_notebooks_and_an_appendix(run):
    page = Page(write_report(run.folder).read_text(encoding="utf-8"))
    places = [a["id"] for tag, a in page.tags if "id" in a]
    assert places == [
        "verdicts",
        "limits",
        "notebooks",
        "notebook-04",
        "appendix",
        "tables",
        "settings",
        "origin",
    ]
    assert not [a for a in page.all("details") if "open" in a]
    assert "demonstration" in page.text and "people in this report are simulated" in page.text
    assert "epochs: 3" in page.text and "1 min 01 s" in page.text and "ab" * 32 in page.text
    hidden = ("secret_code", "a warning", "s left")
    assert not [word for word in hidden if word in page.text]


def test_every_figure_says_what_it_shows(run):
    images = Page(write_report(run.folder).read_text(encoding="utf-8")).all("img")
    assert all(image["alt"] for image in images)
    assert images[0]["alt"] == f"{EVIL} against level"  # the key figure opens the page


def test_a_table_can_be_saved_from_the_page_whole():
    rng = np.random.default_rng(0)
    for rows, kind in ((3, "text/csv"), (20_000, "application/gzip")):
        frame = pd.DataFrame({"x": rng.normal(size=rows), "word": "a"})
        table = attach("trials", frame)
        head, data = table.link.split(";base64,")
        data = base64.b64decode(data)
        text = gzip.decompress(data) if rows > 3 else data
        assert head == f"data:{kind}" and (table.rows, table.columns) == (rows, 2)
        pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(text)), frame)


def test_no_row_of_a_single_person_leaves_the_runs_folder(run):
    """Neither trials nor a table with one row a person; rows of networks and group rows do."""
    person = {"observer": "secret-code", "kind": "human"}
    network = {"observer": "alexnet-0", "kind": "cnn"}
    group = {"observer": np.nan, "kind": "human"}
    run.write_table("trials", pd.DataFrame([person | {"rt_s": 0.123456}, network]))
    run.write_table("psychometrics", pd.DataFrame([person | {"pse": 0.7654}, network, group]))
    run.write_table("exclusions", pd.DataFrame([{"rule": "missed", "who": "secret-code"}]))
    text = write_report(run.folder).read_text(encoding="utf-8")
    sheets = openpyxl.load_workbook(run.folder / "tables.xlsx")
    cells = [c for sheet in sheets for row in sheet.values for c in row]
    assert "secret-code" in (run.folder / "tables" / "trials.csv").read_text(encoding="utf-8")
    assert "secret-code" not in cells and 0.7654 not in cells and "alexnet-0" in cells
    table = next(t for t in Page(text).all("a") if t.get("download") == "psychometrics.csv")
    rows = base64.b64decode(table["href"].split("base64,")[1]).decode()
    assert "secret-code" not in text + rows and rows.count("\n") == 3
    assert "stay in the run's folder" in text


def test_single_people_are_in_the_report_where_the_study_asks_for_it(run):
    study = load_study("data/studies/smoke.yaml", {"observers.share_people": True})
    assert (
        study.observers.share_people
        and not load_study("data/studies/smoke.yaml").observers.share_people
    )
    path = run.folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["study"]["settings"]["observers"] = study.to_dict()["observers"]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    person = {"observer": "own-code", "kind": "human", "rt_s": 0.123456}
    run.write_table("trials", pd.DataFrame([person]))
    run.write_table("exclusions", pd.DataFrame([{"rule": "missed", "who": "other-code"}]))
    text = write_report(run.folder).read_text(encoding="utf-8")
    sheets = openpyxl.load_workbook(run.folder / "tables.xlsx")
    cells = [c for sheet in sheets for row in sheet.values for c in row]
    assert {"own-code", "other-code", 0.123456} <= set(cells)
    assert "stay in the run's folder" not in text
