"""A notebook as safe HTML: Markdown, formulas, frames, figures."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from report.test_page import EVIL, Page, png

from lib.report.prose import render_markdown
from lib.report.rendering import prose_html, shrink, table_html


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
    assert page.all("img")[0]["alt"] == r"\frac{x}{2}"
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


def test_a_folded_part_of_a_notebook_stays_folded_and_scripts_are_taken_out():
    safe = prose_html(f"<details><summary>Departures</summary>\n\n**we** {EVIL}\n\n</details>")
    page = Page(safe)
    assert [tag for tag, _ in page.tags] == ["details", "summary", "p", "strong", "img"]
    assert page.all("img") == [{"src": "x"}]  # which the page's policy does not load
