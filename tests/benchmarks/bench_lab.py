"""How soon the attention lab and the explorer answer a key, in JupyterLab in a browser:
``python tests/benchmarks/bench_lab.py [study [settings]]``.

Needs Chromium and a finished run of the study (the demo by default). Told are, from the key on:
when the picture dims, when a new one is there (for a new block the shown face alone), and when the
whole is; then how soon *Train* shows that it works, and how soon *Cancel* is answered.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # the browser's tools are the tests'

import nbformat
from browser_tools import chromium
from lab import NotebookPage, jupyter_lab
from nbformat.v4 import new_code_cell, new_notebook

from lib.settings.options import ROOT

CELL = """
from lib.storage.runs import open_run
from lib.widgets import AttentionLab, attention_lab, saliency_explorer
from lib.networks.design import cells
run = open_run("03")
tables = [run.read_table(name) for name in ("images", "stimuli")]
attention_lab(AttentionLab(run, *tables, run.read_table("trials", before="02")));
"""
EXPLORER = "saliency_explorer(run, tables[1], [c for c in cells(run.study)[0] if c.seed == 0][:1]);"
# watches a picture and its class from the next key on; resolves once all has been still for 2 s
WATCH = """([index]) => { window.told = new Promise((resolve) => {
  const image = document.querySelectorAll('.jupyter-widgets img, img.jupyter-widgets')[index];
  const seen = { busy: null, first: null, whole: null };
  let start = null, source = image.src;
  document.addEventListener('keydown', () => { start = start ?? performance.now(); }, true);
  const look = () => {
    const now = performance.now() - start;
    if (start !== null) {
      if (seen.busy === null && image.classList.contains('workbook-busy')) seen.busy = now;
      if (image.src !== source) {
        source = image.src;
        seen.first = seen.first ?? now;
        seen.whole = now;
      }
      if (now > (seen.whole ?? 20000) + 2000) return resolve(seen);
    }
    requestAnimationFrame(look);
  };
  look();
}); }"""
SINCE = """(text) => new Promise((resolve) => {
  const start = performance.now();
  const look = () => document.body.innerText.includes(text)
    ? resolve(performance.now() - start) : requestAnimationFrame(look);
  look();
})"""


def keys(page: NotebookPage, name: str, index: int, times: int = 5) -> str:
    """Medians and the longest of some presses on the slider of that name."""
    slider = page.page.locator(f".jupyter-widgets:has(> label:text-is('{name}')) .noUi-handle")
    handle, found = slider.nth(0), []
    for _ in range(times):
        handle.scroll_into_view_if_needed()
        handle.focus()
        page.page.evaluate(WATCH, [index])
        handle.press("ArrowLeft")
        found.append(page.page.evaluate("window.told"))
    return ", ".join(f"{what} {_span([one[what] for one in found])}" for what in found[0])


def _span(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{np.median(known):.0f} ms (at most {max(known):.0f})" if known else "never seen"


def train_and_cancel(page: NotebookPage) -> str:
    """A new block on an early layer, which trains slowly."""
    page.choose("sits behind", "conv1")
    page.page.wait_for_selector("text=This block is new")
    page.press("Train")
    begun = page.page.evaluate(SINCE, "preparing the")
    page.page.wait_for_timeout(3000)
    page.press("Cancel")
    ended = page.page.evaluate(SINCE, "cancelled; nothing has changed")
    return (
        f"Train shows that it works after {begun:.0f} ms, Cancel is answered after {ended:.0f} ms"
    )


def main() -> None:
    study = sys.argv[1] if len(sys.argv) > 1 else "data/studies/demo.yaml"
    given = {"WORKBOOK_STUDY": str(ROOT / study), "WORKBOOK_SET": " ".join(sys.argv[2:3])}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        book = new_notebook(cells=[new_code_cell(CELL), new_code_cell(EXPLORER)])
        nbformat.write(book, folder / "lab.ipynb")
        with jupyter_lab(folder, given) as address, chromium() as context:
            page = NotebookPage(context, address, "lab.ipynb")
            page.run_all(timeout_s=300)
            if page.errors():
                print(f"attention lab: not measured; {page.errors()[0]}")
                return
            page.page.wait_for_timeout(5000)
            for name in ("gain", "evenness", "mouth +", "level"):
                print(f"attention lab, {name}: {keys(page, name, 0)}", flush=True)
            explorer = page.page.locator(".jupyter-widgets:has(> label:text-is('level'))").count()
            if explorer > 1:
                print(f"explorer, level: {keys_of_last(page)}", flush=True)
            print(f"attention lab: {train_and_cancel(page)}", flush=True)
            if len(sys.argv) > 3:
                page.screenshot(Path(sys.argv[3]))


def keys_of_last(page: NotebookPage) -> str:
    """The explorer's level: the last slider of the page."""
    page.page.evaluate("""() => { const all = document.querySelectorAll('.jupyter-widgets');
      const one = [...all].filter(e => e.firstElementChild?.textContent === 'level').pop();
      one.firstElementChild.textContent = 'level of the explorer'; }""")
    return keys(page, "level of the explorer", 1)


if __name__ == "__main__":
    main()
