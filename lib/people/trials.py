"""The long trial table that people and networks share, and the count table that fits are made
from.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from lib.settings.options import CONDITIONS

TRIAL_COLUMNS = [
    "observer",
    "kind",
    "architecture",
    "pretraining",
    "seed",
    "stimulus",
    "identity",
    "level",
    "condition",
    "repeat",
    "response",
    "p_happy",
    "log_odds",
    "rt_s",
]
SESSION_WORDS = (
    "session",
    "block",
    "run",
    "day",
)  # covariates within which trials are counted from 1 again
KINDS = ("human", "simulated", "cnn")


class TrialError(ValueError):
    """Answers that cannot be used; the message names row and column, what is allowed and the
    remedy.
    """


def trial_table(**columns: object) -> pd.DataFrame:
    """A trial table from its known columns; the others are empty. Further columns come after
    the usual ones.
    """
    table = pd.DataFrame(columns)
    empty = {
        "architecture": "",
        "pretraining": "",
        "seed": "",
        "stimulus": "",
        "identity": "",
        "p_happy": np.nan,
        "log_odds": np.nan,
        "rt_s": np.nan,
        "condition": "full",
        "repeat": 1,
    }
    for name, value in empty.items():
        if name not in table:
            table[name] = value
    return table[[*TRIAL_COLUMNS, *[c for c in table if c not in TRIAL_COLUMNS]]]


def validate_trials(trials: pd.DataFrame) -> pd.DataFrame:
    """The trial table itself, if it is one.

    Raises
    ------
    TrialError : missing columns, an unknown kind or condition, a response other than 0, 1 or
        missing, a level outside [0, 1], or the same trial twice.
    """
    if missing := [c for c in TRIAL_COLUMNS if c not in trials]:
        raise TrialError(
            f"the trial table has no column {', '.join(missing)}; needed: "
            f"{', '.join(TRIAL_COLUMNS)}"
        )
    _only(trials, "kind", trials["kind"].isin(KINDS), ", ".join(KINDS))
    _only(trials, "condition", trials["condition"].isin(CONDITIONS), ", ".join(CONDITIONS))
    _only(
        trials,
        "response",
        trials["response"].isin([0, 1]) | trials["response"].isna(),
        "0, 1 or empty (missed)",
    )
    _only(
        trials, "level", _shares(trials["level"]), "0 (fully sad) to 1 (fully happy), as a number"
    )
    _only(
        trials,
        "p_happy",
        _shares(trials["p_happy"]) | trials["p_happy"].isna(),
        "0 to 1, as a number, or empty",
    )
    key = [c for c in (*TRIAL_COLUMNS[:10], *SESSION_WORDS) if c in trials]
    again = trials.duplicated(key)
    if again.any():
        row = int(np.flatnonzero(again)[0])
        raise TrialError(
            f"{again.sum()} trials are there twice; the first is row {row + 2} (observer "
            f"{trials['observer'].iloc[row]!r}, level {trials['level'].iloc[row]}). Allowed: each "
            "repetition once (column repeat counts them)"
        )
    return trials


def _shares(column: pd.Series) -> pd.Series:
    """Which values are numbers from 0 to 1; text is none, not even '0.5'."""
    if not is_numeric_dtype(column):
        column = column.astype(object).where(column.map(lambda value: isinstance(value, Real)))
    return column.astype(float).between(0, 1)


def _only(trials: pd.DataFrame, column: str, right: pd.Series, allowed: str) -> None:
    if not right.all():
        row = int(np.flatnonzero(~right.to_numpy(bool))[0])
        value = trials[column].iloc[row]
        shown = repr(value.item() if isinstance(value, np.generic) else value)
        raise TrialError(
            f"row {row + 2}, column {column}: {shown} found ({(~right).sum()} such "
            f"rows); allowed: {allowed}"
        )


def count_table(
    trials: pd.DataFrame, by: Sequence[str] = (), answer: str = "response"
) -> pd.DataFrame:
    """Counts of happy answers at each level; missed trials are left out.

    Parameters
    ----------
    by : further columns to count apart, such as ``["observer", "condition"]``.
    answer : ``response``, or ``p_happy`` for a network's summed probabilities (fractional counts).

    Returns
    -------
    Columns of ``by``, level, n_happy, n; sorted. Levels without an answered trial are not in it; an
    empty cell in a column of ``by`` is a group of its own.
    """
    answered = trials[trials[answer].notna()]
    groups = answered.groupby([*by, "level"], sort=True, observed=True, dropna=False)[answer]
    return groups.agg(n_happy="sum", n="size").reset_index()


def repeats(trials: pd.DataFrame, keys: Sequence[str]) -> pd.Series:
    """Which repetition each trial is within its group, counted from 1."""
    return trials.groupby(list(keys), dropna=False).cumcount() + 1
