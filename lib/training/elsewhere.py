"""Answers of networks that ran elsewhere, from a table: ``networks.answers``.

One row for each network, seed and picture: columns ``observer`` (what the network is called),
``stimulus`` (a picture's name or path), ``p_happy`` (probability of the positive pole), and where
they are known ``seed`` and ``log_odds``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from lib.backbones.weight_files import OWN
from lib.people.matching import pictures_of
from lib.people.trials import TRIAL_COLUMNS, trial_table
from lib.settings.options import Study, resolve
from lib.storage.tables import read_table

NEEDED = ("observer", "stimulus", "p_happy")
TINY = 1e-12  # keeps the log-odds of a probability of 0 or 1 finite
REVERSED = -0.3  # mean p_happy at the upper end less that at the lower


class AnswersError(ValueError):
    """A table of answers that cannot be used; the message names row and remedy."""


def read_answers(study: Study, stimuli: pd.DataFrame) -> pd.DataFrame:
    """Rows of the trial table, without responses; none where the study names no table.

    Parameters
    ----------
    stimuli : the study's test pictures, with columns stimulus, path, identity, level, condition.

    Raises
    ------
    AnswersError : no such file, missing columns, names without a picture or of several, pictures
        without an answer or with two, probabilities outside 0 to 1, log-odds that are not theirs,
        and answers that fall where the level rises (the other class's column).
    """
    if study.networks.answers is None:
        return pd.DataFrame(columns=TRIAL_COLUMNS)
    table, where = answers_table(study)
    p, odds = _numbers(table, where)
    seeds = table["seed"] if "seed" in table else pd.Series("0", table.index)
    _refuse(~seeds.str.fullmatch(r"\d+"), seeds, where, lambda seed: f"seed {seed!r}; allowed: 0 …")
    table = table.assign(seed=seeds.astype(int), p_happy=p, log_odds=odds)
    table = table.assign(stimulus=_pictures(table["stimulus"], stimuli, where))
    _refuse_missing(table, stimuli, where)
    rows = table.merge(stimuli[["stimulus", "identity", "level", "condition"]], on="stimulus")
    _refuse_reversed(rows, study, where)
    return trial_table(
        **rows[["stimulus", "identity", "level", "condition", "seed", "p_happy", "log_odds"]],
        observer=rows["observer"] + "-" + OWN + "-s" + rows["seed"].astype(str),
        kind="cnn",
        architecture=rows["observer"],
        pretraining=OWN,
        response=np.nan,
    )


def answers_table(study: Study) -> tuple[pd.DataFrame, str]:
    """The table as it stands in the file, every cell as text, and what messages call it.

    Raises
    ------
    AnswersError : no such file, or missing columns.
    """
    path = resolve(study.networks.answers)
    where = f"networks.answers, {path.name}"
    if not path.is_file():
        raise AnswersError(f"networks.answers: there is no file {path}")
    try:
        table = read_table(path)
    except (OSError, ValueError) as error:
        raise AnswersError(f"{where}: cannot be read as a table: {error}") from None
    if missing := [name for name in NEEDED if name not in table]:
        raise AnswersError(
            f"{where}: no column {', '.join(missing)}; found: {', '.join(table.columns)}; needed: "
            f"{', '.join(NEEDED)}, one row for each network, seed and picture"
        )
    return table, where


def _numbers(table: pd.DataFrame, where: str) -> tuple[pd.Series, pd.Series]:
    """p_happy and log_odds; each follows from the other, which is only given for its digits."""
    p = pd.to_numeric(table["p_happy"], errors="coerce")
    _refuse(~p.between(0, 1), table["p_happy"], where, lambda v: f"p_happy {v!r}; allowed: 0 to 1")
    if "log_odds" not in table:
        return p, pd.Series(logit(p.clip(TINY, 1 - TINY)), p.index)
    odds = pd.to_numeric(table["log_odds"], errors="coerce")
    apart = ~(np.abs(expit(odds) - p) < 1e-3)
    _refuse(
        apart,
        table["log_odds"],
        where,
        lambda v: f"log_odds {v!r} is not ln(p / (1 - p)) of p_happy; allowed: positive - negative",
    )
    return p, odds


def _pictures(names: pd.Series, stimuli: pd.DataFrame, where: str) -> pd.Series:
    """The pictures' ids."""
    ids = names.map(pictures_of(names.unique(), stimuli))
    _refuse(
        ids.map(len) != 1,
        names,
        where,
        lambda name: (
            f"stimulus {name!r} is {'several' if ids[names == name].iloc[0] else 'none'} of the "
            f"{len(stimuli)} pictures ({stimuli['stimulus'].iloc[0]} …); allowed: column stimulus "
            "or path of the run's table stimuli.csv"
        ),
    )
    return ids.str[0]


def _refuse_missing(table: pd.DataFrame, stimuli: pd.DataFrame, where: str) -> None:
    """AnswersError where a network has not one answer to each picture."""
    key = ["observer", "seed", "stimulus"]
    _refuse(table.duplicated(key), table["stimulus"], where, lambda v: f"{v!r} is answered twice")
    for (name, seed), rows in table.groupby(["observer", "seed"]):
        if missing := sorted(set(stimuli["stimulus"]) - set(rows["stimulus"])):
            raise AnswersError(
                f"{where}: {name}, seed {seed}, has no answer to {len(missing)} of "
                f"{len(stimuli)} pictures, such as {missing[0]}; allowed: one to each picture of "
                "the run's table stimuli.csv"
            )


def _refuse_reversed(rows: pd.DataFrame, study: Study, where: str) -> None:
    """AnswersError where p_happy falls from the lower to the upper end: the classes' order."""
    whole = rows[rows["condition"] == "full"]
    for name, own in whole.groupby("observer"):
        means = own.groupby("level")["p_happy"].mean()
        if means.iloc[-1] - means.iloc[0] < REVERSED:
            raise AnswersError(
                f"{where}: p_happy of {name} falls from {means.iloc[0]:.2f} at fully "
                f"{study.negative} to {means.iloc[-1]:.2f} at fully {study.positive}; is it the "
                f"other class's? Allowed: the probability of {study.positive}"
            )


def _refuse(wrong: pd.Series, values: pd.Series, where: str, what: Callable) -> None:
    """AnswersError for the first wrong row (as a spreadsheet counts them), and how many."""
    if wrong.any():
        row = int(np.flatnonzero(wrong.to_numpy(bool))[0])
        raise AnswersError(
            f"{where}, row {values.index[row] + 2}: {what(values.iloc[row])} ({wrong.sum()} rows)"
        )
