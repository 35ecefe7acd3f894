"""The report: one safe page with everything in it, and the tables as a workbook of sheets."""

import base64
import gzip
import io
import json
import re
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import openpyxl
import pandas as pd
import pytest
from browser_tools import chromium
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from lib.settings.loading import load_study
from lib.storage.runs import Run
from lib.workbook import report
from lib.workbook.report import attach, claims, write_excel, write_report
from lib.workbook.report_cells import render_markdown, render_notebook, shrink, table_html

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
    assert page.text.count('alert("x")') >= 6  # shown as the text it is
    assert all(image["src"].startswith("data:image/") for image in page.all("img"))
    assert "default-src 'none'" in next(m["content"] for m in page.all("meta") if "http-equiv" in m)
    outside = {
        a["href"] for a in page.all("a") if not a.get("href", "#").startswith(("#", "data:"))
    }
    assert outside == {"https://arxiv.org/abs/2310.13674"}
    assert "url(" not in text.split("</style>")[0]


def test_verdicts_come_first_then_notebooks_tables_settings_and_origin(run):
    page = Page(write_report(run.folder).read_text())
    ids = [a["id"] for tag, a in page.tags if tag == "h2"]
    assert ids == ["contents", "verdicts", "notebook-04", "tables", "settings", "origin"]
    targets = {a["href"][1:] for a in page.all("a") if a.get("href", "").startswith("#")}
    assert {"verdicts", "notebook-04", "tables", "settings", "origin"} <= targets
    assert "people in this report are simulated" in page.text
    assert "epochs: 3" in page.text and "1 min 01 s" in page.text and "ab" * 32 in page.text
    assert (
        "secret_code" not in page.text
        and "a warning" not in page.text
        and "s left" not in page.text
    )


def test_every_figure_says_what_it_shows(run):
    images = [
        a
        for a in Page(write_report(run.folder).read_text()).all("img")
        if a.get("class") != "formula"
    ]
    assert [image["alt"] for image in images] == [f"{EVIL} against level", "A figure on: Other"]


def test_the_ledger_is_grouped_by_claim_with_values_and_intervals():
    ledger = claims({"claims": CLAIMS})
    assert [(claim["id"], len(claim["rows"])) for claim in ledger] == [("C1", 2), ("C2", 1)]
    assert [row["value"] for row in ledger[0]["rows"]] == ["0.500 [0.400, 0.600]", ""]
    assert claims({}) == []


def test_a_table_can_be_saved_from_the_page_to_the_last_byte(tmp_path):
    rng = np.random.default_rng(0)
    for rows, kind in ((3, "text/csv"), (20_000, "application/gzip")):
        path = tmp_path / "trials.csv"
        pd.DataFrame({"x": rng.normal(size=rows), "word": "a"}).to_csv(path, index=False)
        table = attach(path, pd.read_csv(path))
        head, data = table.link.split(";base64,")
        data = base64.b64decode(data)
        assert head == f"data:{kind}" and table.rows == rows and len(table.preview) == min(rows, 10)
        assert (gzip.decompress(data) if rows > 3 else data) == path.read_bytes()


def test_single_answers_of_people_are_not_handed_on_with_the_page(run):
    run.write_table(
        "trials",
        pd.DataFrame(
            {"observer": ["secret-code"], "kind": "human", "response": 1, "rt_s": 0.123456}
        ),
    )
    text = write_report(run.folder).read_text()
    assert (
        "secret-code" not in text and "0.1235" not in text and 'download="trials.csv"' not in text
    )
    assert (
        "Single answers of people are not part of this report" in text
        and 'download="claims.csv"' in text
    )


def test_a_page_that_grows_too_large_gets_smaller_figures_then_says_which_tables_it_leaves_out(
    run, monkeypatch
):
    rng = np.random.default_rng(0)
    run.write_table("saliency", pd.DataFrame(rng.normal(size=(20_000, 2)), columns=["a", "b"]))
    whole = len(write_report(run.folder).read_bytes())
    monkeypatch.setattr(report, "LARGEST", whole - 100_000)
    page = write_report(run.folder).read_text()
    assert len(page.encode()) <= whole - 100_000
    assert "Too large to attach: see <code>tables/saliency.csv</code>" in page
    assert 'download="claims.csv"' in page


def test_drawings_stay_exact_and_pictures_get_small():
    kind, small = shrink(drawing := png("curve"), 1.0)
    assert kind == "png" and len(small) < len(drawing)
    before, after = (
        np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float) for data in (drawing, small)
    )
    assert np.abs(before - after).max() < 40 and np.abs(before - after).mean() < 1
    y, x = np.mgrid[:300, :300]
    noisy = np.stack([x % 256, y % 256, (x * y) % 256], -1) + np.random.default_rng(0).integers(
        -9, 9, (300, 300, 3)
    )
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(buffer := io.BytesIO(), "PNG")
    kind, small = shrink(buffer.getvalue(), 0.5)
    assert kind == "jpeg" and Image.open(io.BytesIO(small)).size == (150, 150)


def test_formulas_are_drawn_with_their_tex_as_words_and_impossible_ones_stay_code():
    page = Page(render_markdown("$$a + b,\\qquad\nc$$"))
    assert page.all("img")[0]["alt"] == "a + b,\\qquad\nc"  # a formula of two lines
    page = Page(render_markdown(r"$\frac{x}{2}$ and $\nosuch{x}$ cost 5 $ each"))
    assert page.all("img")[0]["alt"] == r"\frac{x}{2}" and page.all("img")[0]["class"] == "formula"
    assert page.all("code") and r"\nosuch{x}" in page.text and "5 $ each" in page.text


@pytest.mark.parametrize(
    ("markdown", "tags"),
    [
        ("[x](javascript:alert(1))", set()),
        ("<b onclick=f()>x</b>", set()),
        ("![x](https://tracker/p.png)", {"em"}),
        ("[x](data:text/html;base64,AAAA)", set()),
        ("| a |\n|---|\n| b |", {"table", "div", "thead", "tbody", "tr", "th", "td"}),
    ],
)
def test_markdown_yields_only_what_is_harmless(markdown, tags):
    assert {tag for tag, _ in Page(render_markdown(markdown)).tags} - {"p"} == tags


def test_frames_keep_their_cells_and_lose_all_else():
    frame = pd.DataFrame({"share": [0.5], EVIL: ["<b>x</b>"]}).to_html()
    page = Page(table_html(frame))
    assert (
        "0.5" in page.text
        and "<b>x</b>" in page.text
        and {"img", "script"}.isdisjoint(t for t, _ in page.tags)
    )
    assert "border" not in page.all("table")[0]


def test_the_name_of_an_index_stands_in_the_same_line_as_the_columns():
    frame = pd.DataFrame({"happy": [1], "sad": [2]}, index=pd.Index(["train"], name="split"))
    for markup in (
        frame.to_html(),
        frame.style.format("{:,}").to_html(),
    ):  # a styled one's empty cells hold a space
        assert re.findall(r"<th\b[^>]*>(.*?)</th>", table_html(markup)) == [
            "split",
            "happy",
            "sad",
            "train",
        ]
    wide = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_product([["pse"], ["mean", "sd"]]))
    assert re.findall(r"<th\b[^>]*>(.*?)</th>", table_html(wide.to_html())) == [
        "",
        "pse",
        "",
        "mean",
        "sd",
        "0",
    ]


def test_tables_of_many_columns_get_small_print_and_names_that_may_be_broken():
    names = [f"mean_of_{k}" for k in range(12)]
    page = table_html(pd.DataFrame([range(12)], columns=names).to_html())
    assert page.startswith('<div class="wide many"') and "mean_<wbr>of_<wbr>11" in page
    assert 'class="wide"' in table_html(pd.DataFrame({"a": [1]}).to_html())


def test_the_preview_of_a_table_of_many_columns_is_turned_on_its_side(run):
    run.write_table(
        "comparison",
        pd.DataFrame(
            [[k + 100 * row for k in range(12)] for row in range(5)],
            columns=[f"quantity {k}" for k in range(12)],
        ),
    )
    rows = re.findall(
        '<tr><th scope="row">(quantity .*?)</th>(.*?)</tr>', write_report(run.folder).read_text()
    )
    assert len(rows) == 12 and re.findall("<td[^>]*>(.*?)</td>", rows[3][1]) == ["3", "103", "203"]


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
        assert page.locator("nav").is_hidden() and page.locator("a[download]").first.is_hidden()


def test_headings_go_one_level_down_and_the_title_is_the_sections(run):
    section = render_notebook(
        run.folder / "notebooks" / "04_human_vs_cnn.ipynb", run.folder / "figures"
    )
    assert section.title == "Human vs network" and section.number == "04"
    assert "<h2>" not in section.body and "<h3>Other</h3>" in section.body


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
    monkeypatch.setattr(report, "EXCEL_ROWS", 2)
    write_excel(tmp_path / "t.xlsx", {"trials": pd.DataFrame({"n": range(5)})})
    last = list(openpyxl.load_workbook(tmp_path / "t.xlsx")["trials"].values)[-1]
    assert re.match(r"3 more rows .* tables/trials\.csv", last[0])
