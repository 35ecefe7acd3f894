"""Notebooks of a few lines that declare what the real ones declare, to test the runner in
seconds.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from lib.storage.runs import NOTEBOOKS, TABLES

PARAMETERS = 'study = ""\noverrides = ""'
SET_UP = (
    "from lib.storage.runs import open_run\nimport pandas as "
    "pd\nrun = open_run({number!r}, study, overrides)"
)
FIGURE = (
    "import matplotlib.pyplot as plt\nfigure, axes = plt.subplots(figsize=(2, 1))\n"
    "axes.plot([0, 1], [0, run.study.training.epochs])\naxes.set_xlabel('level')\n"
    "run.save_figure(figure, 'line')"
)

# columns that manifest and report read, one word in each
WORDS = {
    word: [word]
    for word in (
        "path",
        "label",
        "split",
        "architecture",
        "pretraining",
        "source",
        "sha256",
        "kind",
        "claim",
        "evidence",
        "verdict",
    )
} | {"low": [0.25], "high": [0.75], "simulated": [True]}


def table_cell(number: str) -> str:
    """Code that writes every table declared by a notebook, with values that follow from the
    settings.
    """
    lines = [
        f"run.write_table({name!r}, pd.DataFrame({{'notebook': [{number!r}], 'id': ['C{place}'], "
        f"'value': [run.study.training.epochs / 7], **{WORDS}}}))"
        for place, name in enumerate(TABLES[number], 1)
    ]
    return "\n".join(lines)


def write_notebook(folder: Path, name: str, *cells: str, parameters: str = PARAMETERS) -> Path:
    """A notebook whose second cell is tagged ``parameters``, followed by ``cells``."""
    tagged = new_code_cell(parameters, metadata={"tags": ["parameters"]})
    code = [new_code_cell(source) for source in cells]
    book = new_notebook(cells=[new_markdown_cell(f"# {name}"), tagged, *code])
    book.metadata["kernelspec"] = {
        "name": "no-such-kernel",
        "display_name": "gone",
        "language": "python",
    }
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, folder / f"{name}.ipynb")
    return folder / f"{name}.ipynb"


def write_notebooks(folder: Path, numbers: str = "12345", **replaced: str) -> Path:
    """Tiny notebooks 01 to 05, or some of them; ``replaced={"n02": code}`` swaps the code of
    one's tables.
    """
    for name in NOTEBOOKS:
        if name[1] in numbers:
            number = name[:2]
            code = replaced.get(f"n{number}", table_cell(number))
            write_notebook(folder, name, SET_UP.format(number=number), code, FIGURE)
    return folder
