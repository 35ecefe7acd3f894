"""The reader as an observer of the workbook: their own answers, their curve, and where it lies
among the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display
from ipywidgets import Output, VBox
from matplotlib.axes import Axes

from lib.figures.curves import X, people_kind, plot_people
from lib.people.simulated import simulate_people
from lib.people.trial_file import TrialFile
from lib.people.trials import count_table
from lib.psychometrics.fitting import PsychometricFit, fit_psychometric
from lib.psychometrics.resampling import expanded_tail
from lib.settings.options import Statistics
from lib.settings.words import POLES, Poles, label, people_label, title_note
from lib.storage.runs import Run, say
from lib.widgets.observer_task import TaskSettings, choose_stimuli, observer_task

ME = "me"
# why answers give no curve, said to the person who gave them; by how the reason begins
WHY = {
    "empty": "there are no answers yet",
    "every answer is": "all answers are the same, so nothing shows where they would change",
    "only one level": "all faces were of one level",
    "reversed": "“{positive}” was pressed more often on the more {negative} faces; perhaps the two "
    "keys were mixed up",
    "flat": "the answers hardly follow the faces; more faces, or another try, may tell",
    "pse": "the curve does not cross one half on the faces that were shown",
}


@dataclass(frozen=True)
class Reader:
    """The reader's answers and the fit to them; ``rehearsal`` where a simulated person stands
    in.
    """

    trials: pd.DataFrame
    fit: PsychometricFit
    ends: dict[str, np.ndarray]  # of the interval: pse (2,), curve (2, len(X))
    rehearsal: bool

    @property
    def name(self) -> str:
        """What figures call the reader."""
        return "rehearsal (SIMULATED)" if self.rehearsal else "you"


def answers_file(run: Run) -> Path:
    """Where the reader's answers are kept: in the run's folder, on this machine alone."""
    return run.folder / "observer" / "answers.csv"


def read_reader(
    run: Run, stimuli: pd.DataFrame, rng: np.random.Generator, least: int = 20
) -> Reader:
    """The reader's answers so far, fitted; with fewer than ``least``, a simulated person stands
    in and is called so.
    """
    path = answers_file(run)
    trials = TrialFile(path).read(ME) if path.is_file() else pd.DataFrame(columns=["response"])
    if trials["response"].notna().sum() >= least:
        return fit_reader(trials, run.study.statistics, rng, rehearsal=False)
    observers = run.study.observers
    one = replace(observers, simulated=replace(observers.simulated, n=1, trials_per_level=8))
    trials = simulate_people(replace(run.study, observers=one), _for_reader(stimuli), rng)
    return fit_reader(trials, run.study.statistics, rng, rehearsal=True)


def fit_reader(
    trials: pd.DataFrame, statistics: Statistics, rng: np.random.Generator, *, rehearsal: bool
) -> Reader:
    """Fit one person's answers to full faces, with intervals by parametric bootstrap."""
    full = trials[trials["condition"] == "full"]
    table = count_table(full)
    options = {
        "sigmoid": statistics.sigmoid,
        "guess": statistics.people.guess,
        "lapse": statistics.people.lapse,
        "penalty": statistics.penalty,
    }
    level, n = table["level"].to_numpy(), table["n"].to_numpy()
    fit = fit_psychometric(level, table["n_happy"], n, **options)
    if not np.isfinite(fit.pse):
        return Reader(
            full, fit, {"pse": np.full(2, np.nan), "curve": np.full((2, len(X)), np.nan)}, rehearsal
        )
    again = rng.binomial(n, np.clip(fit.curve(level), 0, 1), (statistics.n_boot, len(level)))
    refits = fit_psychometric(level, again, n, **options)
    tail = expanded_tail(len(level), statistics.confidence)
    ends = {
        "pse": np.nanpercentile(refits.pse, [tail, 100 - tail]),
        "curve": np.nanpercentile(refits.curve(X), [tail, 100 - tail], axis=0),
    }
    return Reader(full, fit, ends, rehearsal)


def plot_reader(
    reader: Reader,
    table: pd.DataFrame,
    sigmoid: str = "norm",
    ax: Axes | None = None,
    *,
    poles: Poles = POLES,
) -> Axes:
    """The reader's shares, curve and its interval over those of people (table ``psychometrics``,
    full faces).
    """
    table = table[table["condition"] == "full"]
    ax = plot_people(table, sigmoid, ax, poles=poles)
    shares = reader.trials.groupby("level")["response"].mean()
    ax.fill_between(
        X,
        *reader.ends["curve"],
        facecolor="none",
        edgecolor="black",
        hatch="////",
        alpha=0.35,
        lw=0,
        label="interval of that curve",
    )
    ax.plot(X, reader.fit.curve(X), color="black", ls=":", lw=2.5)
    ax.plot(
        shares.index,
        shares,
        "s",
        color="black",
        mfc="white",
        ms=7,
        clip_on=False,
        zorder=5,
        label=reader.name,
    )
    note = title_note(people_kind(table))
    ax.set_title(f"Squares: {reader.name}; black: the others{note}", fontsize="medium")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize="small")
    return ax


def why_no_curve(reason: str, poles: Poles = POLES) -> str:
    """A fit's reason for having no PSE, in words for the person whose answers they are."""
    told = next((words for start, words in WHY.items() if reason.startswith(start)), reason)
    return told.format(negative=poles[0], positive=poles[1])


def place_of_reader(reader: Reader, table: pd.DataFrame, poles: Poles = POLES) -> str:
    """A sentence: the reader's PSE with its interval, among the people, and the single network
    that is nearest.
    """
    who = "A simulated person's" if reader.rehearsal else "Your"
    pse = float(reader.fit.pse)
    if not np.isfinite(pse):
        why = why_no_curve(str(reader.fit.reason), poles)
        return f"{who} answers have no boundary (PSE) yet: {why}."
    low, high = reader.ends["pse"]
    full = table[table["condition"] == "full"]
    people = full.loc[full["kind"] != "cnn", "pse"].dropna()
    text = (
        f"{who} PSE is {pse:.3f} [{low:.3f}, {high:.3f}] from "
        f"{reader.trials['response'].notna().sum()} answers; "
        f"{(people < pse).sum()} of {people_label(people_kind(full), len(people))} have a lower one"
    )
    networks = full[full["kind"] == "cnn"].dropna(subset="pse")
    if networks.empty:
        return f"{text}."
    nearest = networks.loc[
        (networks["pse"] - pse).abs().idxmin()
    ]  # of single networks: a mean of seeds is nobody's
    return (
        f"{text}; of the {len(networks)} trained networks, "
        f"{label(nearest['architecture'], nearest['pretraining'])}, "
        f"seed {float(nearest['seed']):g}, is nearest "
        f"(PSE {nearest['pse']:.3f})."
    )


def reader_task(
    run: Run, stimuli: pd.DataFrame, table: pd.DataFrame, task: TaskSettings | None = None
) -> VBox:
    """The task as a widget, and below it, once it is done, the reader's curve among the others."""
    task = task or TaskSettings(name=run.study.name, poles=run.study.poles)
    return task_and_curve(run, _for_reader(stimuli), table, answers_file(run), task)


def task_and_curve(
    run: Run, stimuli: pd.DataFrame, table: pd.DataFrame, path: Path, task: TaskSettings
) -> VBox:
    """The task on all of ``stimuli``, its answers kept at ``path``; below it the reader's curve
    among those of people (table ``psychometrics``).
    """
    below, poles = Output(), task.poles

    def show(trials: pd.DataFrame) -> None:
        below.clear_output(wait=len(trials) > 0)
        if trials.empty:
            return
        with below:
            reader = fit_reader(trials, run.study.statistics, run.rng("reader"), rehearsal=False)
            ax = plot_reader(reader, table, run.study.statistics.sigmoid, poles=poles)
            display(ax.figure)
            plt.close(ax.figure)
            say(place_of_reader(reader, table, poles))

    return VBox([observer_task(stimuli, path, observer=ME, task=task, on_end=show), below])


def _for_reader(stimuli: pd.DataFrame, conditions: Sequence[str] = ("full",)) -> pd.DataFrame:
    """Nine levels of four faces: with two repeats some three minutes."""
    return choose_stimuli(stimuli, levels=9, identities=4, conditions=conditions)
