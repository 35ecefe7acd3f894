"""Trials that stand twice in a table, by their numbers or cell by cell; and repetitions counted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lib.people.files import Note
from lib.people.trials import SESSION_WORDS, TrialError, repeats
from lib.settings.options import Observers
from lib.storage.table_cells import is_missing, numbers

# reaction times of a person that differ: with fewer, rows that are all there twice may be chance
SEVERAL_TIMES = 8


def count_repeats(
    trials: pd.DataFrame,
    table: pd.DataFrame,
    found: Mapping[str, pd.Series],
    settings: Observers,
    notes: list[Note],
) -> pd.Series:
    """Which repetition of its picture each trial is: the file's own number, or counted from 1.

    The file's numbers are taken where all are whole, from 1, and none is there twice.

    Parameters
    ----------
    table : the file's rows of the trials. found : its columns by our names, as they are used.
    notes : gets a sentence for numbers that start again and were not mapped, which are not used.

    Raises
    ------
    TrialError : the same trial number twice for one person (and session), or the same repetition
        of a picture, where the study maps the column or the rows are copies; and rows that are all
        there twice.
    """
    sessions = [c for c in SESSION_WORDS if c in settings.covariates]
    person = ["observer", *sessions]
    picture = [*person, "identity", "stimulus", "level", "condition"]
    usable = {}
    for name, group, each in (
        ("trial", person, "each trial"),
        ("repeat", picture, "each repetition of a picture or level"),
    ):
        if name not in found or (missing := is_missing(found[name], settings.missing)).all():
            continue
        given = found[name].where(~missing)
        kept = ~missing if name == "repeat" else slice(None)
        key = trials.loc[kept, group].assign(**{name: given})
        again = key.duplicated()
        if again.any() and (settings.columns.get(name) or _are_copies(table, trials, again)):
            raise TrialError(_twice(key, again, name, each))
        if again.any():
            notes.append(
                (
                    f"column {found[name].name!r} is not used: it counts again from the start for "
                    f"one person ({again.sum():,} rows); keep it or what tells sessions apart as a "
                    f"covariate, or map it in observers.columns ({name})",
                    str(again.index[again.to_numpy()][0]),
                )
            )
        else:
            usable[name] = given
    if not usable and "rt_s" in found:
        _refuse_copies(table, trials, found["rt_s"])
    whole = numbers(usable.get("repeat", pd.Series("", trials.index)).fillna(""))
    is_count = np.isfinite(whole) & (whole >= 1) & (whole % 1 == 0)
    return whole.astype(int) if is_count.all() else repeats(trials, picture)


def _are_copies(table: pd.DataFrame, trials: pd.DataFrame, again: pd.Series) -> bool:
    """Whether most rows whose number was there before are the same in all cells, time included."""
    copies = table.duplicated() & trials["rt_s"].notna()
    return copies[again.index[again.to_numpy()]].mean() >= 0.5


def _twice(key: pd.DataFrame, again: pd.Series, name: str, each: str) -> str:
    row = int(np.flatnonzero(again)[0])
    first = int(np.flatnonzero((key == key.iloc[row]).all(axis=1))[0])
    return (
        f"{key.index[row]}: observer {key['observer'].iloc[row]!r} has {name} "
        f"{key[name].iloc[row]!r} already in {_short(key.index[first], key.index[row])} "
        f"({again.sum()} such rows); allowed: {each} once for each person and session. Remove the "
        f"copies, or name the column that tells sessions apart ({', '.join(SESSION_WORDS)}) in "
        f"observers.covariates, or the one that counts in observers.columns ({name}), or null "
        "there where none does"
    )


def _short(place: str, other: str) -> str:
    """``row 5`` where it is the same file, else with the file."""
    file, _, row = place.rpartition(", ")
    return row if other.rpartition(", ")[0] == file else place


def _refuse_copies(table: pd.DataFrame, trials: pd.DataFrame, times: pd.Series) -> None:
    """Rows with a reaction time, without numbers of trials: all of a person's are there k times,
    cell by cell.

    Single rows are twice by chance where times are in ms or coarser; that each is, at several
    times, is no chance.
    """
    timed = table[trials["rt_s"].notna()]
    for person, rows in timed.groupby(trials["observer"].loc[timed.index], sort=False):
        count = int(np.gcd.reduce(rows.value_counts(dropna=False).to_numpy()))
        if count > 1 and times.loc[rows.index].nunique() >= SEVERAL_TIMES:
            row = int(np.flatnonzero(rows.duplicated())[0])
            first = int(np.flatnonzero((rows == rows.iloc[row]).all(axis=1))[0])
            raise TrialError(
                f"{rows.index[row]}: observer {person!r} has this row, reaction time included, "
                f"already in {_short(rows.index[first], rows.index[row])}, and so each of "
                f"{len(rows)} rows with a time {count} times; allowed: each trial once. Remove the "
                "copies, or name a column that numbers the trials in observers.columns (trial or "
                "repeat)"
            )
