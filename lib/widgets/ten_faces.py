"""The start page's task: ten faces, twice each, and the reader's curve among people's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from ipywidgets import VBox

from lib.morphs.stimuli import make_stimuli
from lib.observers.tables import fit_table
from lib.people.simulated import simulate_people
from lib.settings.loading import load_study, resolve
from lib.storage.runs import MissingResult, Run
from lib.widgets.reader import task_and_curve
from lib.widgets.task_settings import TaskSettings

DEFAULT = "data/studies/demo.yaml"
TASK = TaskSettings(repeats=2, practice=2, break_every=0)


@dataclass(frozen=True)
class Ten:
    """What the start page asks about: pictures, and the people beside whom the reader is put.

    people : their rows of table ``psychometrics``, whole faces.
    """

    run: Run
    stimuli: pd.DataFrame
    people: pd.DataFrame


def choose_ten(stimuli: pd.DataFrame, n: int = 10) -> pd.DataFrame:
    """``n`` whole faces from one end of the morph to the other, the identities in turn.

    Parameters
    ----------
    stimuli : table ``stimuli``; its levels may differ between identities.
    """
    whole = stimuli[stimuli["condition"] == "full"].sort_values(["identity", "level"])
    faces = [rows for _, rows in whole.groupby("identity", sort=True)]
    chosen: list[int] = []
    for place, level in enumerate(np.linspace(whole["level"].min(), whole["level"].max(), n)):
        rows = faces[place % len(faces)]
        free = rows[~rows.index.isin(chosen)]
        free = free if len(free) else whole[~whole.index.isin(chosen)]
        if len(free):
            chosen.append((free["level"] - level).abs().idxmin())
    return whole.loc[chosen].reset_index(drop=True)


def find_ten(run: Run, folder: Path | None = None) -> Ten:
    """The run's own pictures and people, where its notebooks have made them; otherwise drawn faces
    and the simulated people of the default study.

    Parameters
    ----------
    folder : where drawn faces are kept; None is data/derived.
    """
    try:
        stimuli, fits = run.read_table("stimuli"), run.read_table("psychometrics")
    except MissingResult:
        return _drawn(run, folder)
    ten = choose_ten(stimuli)
    if not all(resolve(path).is_file() for path in ten["path"]):
        return _drawn(run, folder)
    return Ten(run, ten, fits[(fits["kind"] != "cnn") & (fits["condition"] == "full")])


def _drawn(run: Run, folder: Path | None) -> Ten:
    study = load_study(DEFAULT, {"output": str(run.study.folder.parent)})
    two = replace(study, morphs=replace(study.morphs, identities=2, conditions=("full",)))
    stimuli = make_stimuli(two, pd.DataFrame(), folder)
    fits = fit_table(simulate_people(two, stimuli), two.statistics)
    return Ten(Run(study, run.notebook), choose_ten(stimuli), fits)


def ten_faces(run: Run) -> VBox:
    """The task as a widget, and below it, once it is done, the reader's curve among people's."""
    ten = find_ten(run)
    study = ten.run.study
    task = replace(TASK, name=study.name, poles=study.poles)
    path = ten.run.folder / "observer" / "start.csv"
    return task_and_curve(ten.run, ten.stimuli, ten.people, path, task)
