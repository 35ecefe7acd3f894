"""A run: its study, its folder, and the tables and figures that the notebooks exchange."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from PIL import Image

from lib.settings.loading import ROOT, Study, load_study
from lib.storage.alt_text import describe
from lib.storage.files import write_csv, write_with

if TYPE_CHECKING:  # a command that draws nothing does without
    from matplotlib.figure import Figure

NOTEBOOKS = (
    "01_data_preparation",
    "02_transfer_training",
    "03_fe_alexnet",
    "04_human_vs_cnn",
    "05_mechanisms",
)

# What each notebook must leave behind; a table that several notebooks write is put together from
# their parts.
TABLES = {
    "01": ("images", "stimuli", "trials"),
    "02": ("accuracy", "weights", "history", "trials"),
    "03": ("accuracy", "weights", "history", "trials"),
    "04": ("psychometrics", "human_likeness", "claims"),
    "05": ("saliency", "part_profiles", "claims"),
}

DOTS = 150  # an inch of a saved figure, which is shown at 100

# columns that stay text where they hold digits alone
NAMES = ("observer", "identity", "stimulus", "path")


class Stopped(RuntimeError):
    """A run that cannot go on; its text is all that a reader needs."""


class MissingResult(FileNotFoundError):
    """A notebook needs what an earlier one has not made yet."""


@dataclass(frozen=True)
class Run:
    """One run as one notebook sees it. ``notebook`` is its number, "01" to "05"."""

    study: Study
    notebook: str

    @property
    def folder(self) -> Path:
        """The run folder, ``<output>/<name>``."""
        return self.study.folder

    def write_table(self, name: str, frame: pd.DataFrame) -> pd.DataFrame:
        """Write this notebook's part of a table and rebuild ``tables/<name>.csv`` from all
        parts, in order.
        """
        write_csv(self.folder / "tables" / "parts" / f"{name}.{self.notebook}.csv", frame)
        put_together(self.folder / "tables", name)
        return frame

    def read_table(self, name: str, before: str | None = None) -> pd.DataFrame:
        """A table, or only the parts of notebooks before ``before``; MissingResult names the
        remedy.
        """
        paths = [self.folder / "tables" / f"{name}.csv"]
        if before is not None:
            paths = [
                p
                for p in sorted((self.folder / "tables" / "parts").glob(f"{name}.??.csv"))
                if p.name.split(".")[1] < before
            ]
        if not paths or not paths[0].is_file():
            makers = [n for n in TABLES if name in TABLES[n]]
            made = f"; it is made by notebook {makers[0]}" if makers else ""
            raise MissingResult(
                f"run {self.study.name!r} has no table {name!r} yet{made}. "
                "Run the notebooks in order, or `make workbook` once"
            )
        return pd.concat([read_csv(p) for p in paths], ignore_index=True)

    def save_figure(self, figure: Figure, name: str, alt: str = "", *, show: bool = True) -> Path:
        """``figures/<NN>_<name>.png`` in the run's folder, at 150 dots an inch, and the same in the
        notebook.

        ``alt`` says in words what it shows; without it, titles, axes and legend are put into words.
        ``show=False`` leaves it out of the notebook, such as beside a live figure.
        The figure is closed: the notebook need not draw it again.
        """
        import matplotlib.pyplot as plt  # commands that draw nothing start a second sooner
        from IPython import display

        path = self.folder / "figures" / f"{self.notebook}_{name}.png"
        alt = alt or describe(figure)
        # no Software or date tag: the same study gives the same bytes
        words = {"Software": None, "Description": alt}
        write_with(path, lambda p: figure.savefig(p, dpi=DOTS, bbox_inches="tight", metadata=words))
        plt.close(figure)
        if not show:
            return path
        with Image.open(path) as picture:
            width = 100 * picture.width // DOTS
        display.display(display.Image(path.read_bytes(), width=width, alt=alt))
        return path

    def rng(self, *key: object) -> np.random.Generator:
        """A generator for one named purpose, the same in every run of the study."""
        words = "/".join(map(str, (self.notebook, *key)))
        return np.random.default_rng(list(words.encode()))


def put_together(tables: Path, name: str) -> None:
    """Rebuild ``tables/<name>.csv`` from the notebooks' parts, in order; without parts there is
    no table.
    """
    parts = sorted((tables / "parts").glob(f"{name}.??.csv"))
    if not parts:
        (tables / f"{name}.csv").unlink(missing_ok=True)
        return
    # as text, so that no number changes on the way
    whole = pd.concat(
        [pd.read_csv(p, dtype=str, keep_default_na=False) for p in parts], ignore_index=True
    )
    write_csv(tables / f"{name}.csv", whole.fillna(""))


def read_csv(path: str | Path) -> pd.DataFrame:
    """A table of the workbook; only an empty cell is missing (not the word NA), and a name is
    text: 01 is not 1.
    """
    return pd.read_csv(
        path,
        keep_default_na=False,
        na_values=[""],
        low_memory=False,
        dtype=dict.fromkeys(NAMES, str),
    )


def read_tables(folder: Path) -> dict[str, pd.DataFrame]:
    """Every table in ``folder``, in the order of their names."""
    return {path.stem: read_csv(path) for path in sorted(folder.glob("*.csv"))}


def open_run(notebook: str, study: str = "", overrides: str = "") -> Run:
    """The run that a notebook works on.

    Parameters
    ----------
    notebook : "01" to "05".
    study : a study file; empty takes the environment's WORKBOOK_STUDY, then data/studies/demo.yaml.
    overrides : ``"training.epochs=10 name=mine"``; empty takes WORKBOOK_SET when study is empty
        too.
    """
    if not study:
        overrides = overrides or os.environ.get("WORKBOOK_SET", "")
        study = os.environ.get("WORKBOOK_STUDY", "") or "data/studies/demo.yaml"
    return Run(load_study(study, overrides), notebook)


def say(text: str) -> None:
    """Show a sentence with computed numbers as prose."""
    from IPython import display

    display.display(display.Markdown(text))


def reserve() -> Callable[[str], None]:
    """A place on the page for a sentence that is known later: what is returned fills it."""
    from IPython import display

    waiting = "*What was found is written here when the notebook has run to its end.*"
    handle = display.display(display.Markdown(waiting), display_id=True)

    def fill(text: str) -> None:
        if handle is not None:  # outside a notebook there is no page
            handle.update(display.Markdown(text))

    return fill


def relative(path: str | Path) -> str:
    """A path as shown to readers: relative to the project's root where it lies inside."""
    path = Path(path)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
