"""People's answers from any long table: a study's own columns, codes and units to the trial
table, and exclusion.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from lib.people.exclusion import _exclude
from lib.people.files import read_answers
from lib.people.matching import on_pictures
from lib.people.trials import SESSION_WORDS, TRIAL_COLUMNS, TrialError, repeats, trial_table
from lib.settings.options import CONDITIONS, Observers, Study, resolve

# reaction times of a person that differ: with fewer, rows that are all there twice may be chance
SEVERAL_TIMES = 8


def read_people(
    study: Study, stimuli: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read ``observers.file`` and apply the study's exclusion rules.

    Parameters
    ----------
    stimuli : the study's pictures; the names in the table's column ``stimulus`` are matched to
        them.

    Returns
    -------
    trials : the trial table of those who stay, kind ``human``, and the covariates.
    report : one row for each step: what the file held, what each rule removed, and what is left.

    Raises
    ------
    TrialError : a missing file or column, an unknown code, a level or time that is none, trials
        twice, no rows, or nobody left; naming row and column, what is allowed and the remedy.
    """
    settings = study.observers
    table = read_answers(resolve(settings.file), settings.sheet)
    _check_columns(table, settings)
    where = Path(settings.file).name
    blank = _missing(_theirs(table, settings, "level"), settings) & _missing(
        _theirs(table, settings, "response"), settings
    )
    table = table[~blank]  # PsychoPy writes such rows for instructions and breaks
    trials = trial_table(
        observer=_named(table, settings, "observer", where),
        kind="human",
        level=_levels(table, settings, where),
        response=_responses(table, settings, where),
        rt_s=_times(table, settings, where),
        condition=_conditions(table, settings, where),
        identity=_text(table, settings, "identity"),
        stimulus=_text(table, settings, "stimulus"),
        **{name: _covariate(table, settings, name) for name in settings.covariates},
    )
    trials = on_pictures(trials, stimuli, study, where)
    _refuse_twice(trials, table, settings, where)
    trials["repeat"] = _repeats(trials, table, settings)
    return _exclude(trials, settings.exclude, no_trials=int(blank.sum()))


def _check_columns(table: pd.DataFrame, settings: Observers) -> None:
    ours = {"kind", "architecture", "pretraining", "seed", "p_happy", "log_odds"}
    allowed = [c for c in TRIAL_COLUMNS if c not in ours]
    if wrong := [c for c in settings.columns if c not in (*allowed, "trial", *settings.covariates)]:
        raise TrialError(
            f"observers.columns: {', '.join(wrong)} given; allowed: "
            f"{', '.join([*allowed, 'trial'])} and "
            "the covariates"
        )
    if taken := [c for c in settings.covariates if c in TRIAL_COLUMNS]:
        raise TrialError(
            f"observers.covariates: {', '.join(taken)} given; those columns are in the trial table "
            "already. Map them in observers.columns"
        )
    wanted = {
        c: settings.columns.get(c, c)
        for c in ("observer", "level", "response", *settings.columns, *settings.covariates)
    }
    if missing := [
        f"{theirs!r} (for {ours})" for ours, theirs in wanted.items() if theirs not in table
    ]:
        raise TrialError(
            f"{Path(settings.file).name} has no column {', '.join(missing)}; found: "
            f"{', '.join(map(str, table.columns))}. Say which column is "
            "which in observers.columns, such "
            "as observers.columns='{observer: participant, level: percent, response: answer}'"
        )


def _theirs(table: pd.DataFrame, settings: Observers, name: str) -> pd.Series | None:
    """The file's column for one of ours, or None."""
    return table.get(settings.columns.get(name, name))


def _missing(column: pd.Series, settings: Observers) -> pd.Series:
    return column.isin(["", *settings.missing])


def _refuse(wrong: pd.Series, column: pd.Series, where: str, allowed: str) -> None:
    """An error that names the first wrong row (as a spreadsheet counts them) and how many there
    are.
    """
    if wrong.any():
        row = int(np.flatnonzero(wrong.to_numpy(bool))[0])
        others = sorted({repr(v) for v in column[wrong]})[:6]
        raise TrialError(
            f"{where}, row {column.index[row] + 2}, column {column.name!r}: "
            f"{column.iloc[row]!r} found "
            f"({wrong.sum()} such rows: {', '.join(others)}); allowed: {allowed}"
        )


def _named(table: pd.DataFrame, settings: Observers, name: str, where: str) -> pd.Series:
    column = _theirs(table, settings, name)
    _refuse(_missing(column, settings), column, where, "a name or code in every row")
    return column


def _text(table: pd.DataFrame, settings: Observers, name: str) -> pd.Series | str:
    column = _theirs(table, settings, name)
    return "" if column is None else column


def _numbers(column: pd.Series, settings: Observers, where: str, allowed: str) -> pd.Series:
    """Numbers, NaN where missing; a decimal comma counts as a point."""
    missing = _missing(column, settings)
    values = pd.to_numeric(column.str.replace(",", ".", regex=False).mask(missing), errors="coerce")
    _refuse(~missing & ~np.isfinite(values.astype(float)), column, where, allowed)
    return values.astype(float)


def _levels(table: pd.DataFrame, settings: Observers, where: str) -> pd.Series:
    column, (low, high) = _theirs(table, settings, "level"), settings.level_range
    allowed = f"a number from {min(low, high):g} to {max(low, high):g} (observers.level_range)"
    values = _numbers(column, settings, where, allowed)
    levels = ((values - low) / (high - low)).round(9)
    _refuse(~levels.between(0, 1), column, where, allowed)
    return levels


def _responses(table: pd.DataFrame, settings: Observers, where: str) -> pd.Series:
    column = _theirs(table, settings, "response")
    # a spreadsheet writes the code 1 as 1.0
    plain = column.str.replace(r"^(\d+)\.0+$", r"\1", regex=True)
    missing = _missing(column, settings)
    known = ", ".join(
        f"{code} ({'happy' if value else 'sad'})" for code, value in settings.codes.items()
    )
    _refuse(
        ~missing & ~plain.isin(list(settings.codes)),
        column,
        where,
        f"{known}, or missing: empty, {', '.join(m for m in settings.missing if m)}. "
        "Name the file's codes in "
        "observers.codes",
    )
    return plain.mask(missing).map(settings.codes).astype(float)


def _times(table: pd.DataFrame, settings: Observers, where: str) -> pd.Series | float:
    column = _theirs(table, settings, "rt_s")
    if column is None:
        return np.nan
    allowed = f"a reaction time of 0 {settings.rt_unit} or more (observers.rt_unit), or missing"
    values = _numbers(column, settings, where, allowed)
    _refuse(values < 0, column, where, allowed)
    return (values / 1000 if settings.rt_unit == "ms" else values).round(9)


def _conditions(table: pd.DataFrame, settings: Observers, where: str) -> pd.Series | str:
    column = _theirs(table, settings, "condition")
    if column is None:
        return "full"
    values = column.str.lower()
    _refuse(
        ~values.isin(CONDITIONS),
        column,
        where,
        f"{', '.join(CONDITIONS)} (the part that was hidden)",
    )
    return values


def _covariate(table: pd.DataFrame, settings: Observers, name: str) -> pd.Series:
    """A further column as it is: numbers where all of it is numbers, NaN where missing."""
    column = _theirs(table, settings, name)
    present = column.mask(_missing(column, settings))
    numbers = pd.to_numeric(present, errors="coerce")
    return numbers if numbers.notna().sum() == present.notna().sum() else present


def _picture(settings: Observers) -> list[str]:
    """The columns within which repetitions are counted: one person's (and session's) answers to
    one picture.
    """
    return [
        "observer",
        *[c for c in SESSION_WORDS if c in settings.covariates],
        "identity",
        "stimulus",
        "level",
        "condition",
    ]


def _repeats(trials: pd.DataFrame, table: pd.DataFrame, settings: Observers) -> pd.Series:
    """The file's own numbers of the repetitions where all are whole and from 1, otherwise
    counted.
    """
    column = _theirs(table, settings, "repeat")
    given = (
        pd.Series(np.nan, trials.index)
        if column is None
        else pd.to_numeric(column, errors="coerce")
    )
    whole = np.isfinite(given) & (given >= 1) & (given % 1 == 0)
    return given.astype(int) if whole.all() else repeats(trials, _picture(settings))


def _refuse_twice(
    trials: pd.DataFrame, table: pd.DataFrame, settings: Observers, where: str
) -> None:
    """The same trial number twice for one person (and session), or the same repetition of a
    picture.
    """
    picture = _picture(settings)
    groups = {
        "trial": ([c for c in picture if c in ("observer", *SESSION_WORDS)], "each trial"),
        "repeat": (picture, "each repetition of a picture or level"),
    }
    known = False
    for name, (group, each) in groups.items():
        numbers = _theirs(table, settings, name)
        if numbers is not None and not (missing := _missing(numbers, settings)).all():
            known = True
            kept = ~missing if name == "repeat" else slice(None)
            _refuse_again(trials.loc[kept, group].assign(**{name: numbers}), where, name, each)
    if not known:
        _refuse_copies(table[trials["rt_s"].notna()], settings, where)


def _refuse_again(key: pd.DataFrame, where: str, name: str, each: str) -> None:
    again = key.duplicated()
    if again.any():
        row = int(np.flatnonzero(again)[0])
        first = int(np.flatnonzero((key == key.iloc[row]).all(axis=1))[0])
        raise TrialError(
            f"{where}, row {key.index[row] + 2}: observer {key['observer'].iloc[row]!r} has {name} "
            f"{key[name].iloc[row]!r} already in row {key.index[first] + 2} "
            f"({again.sum()} such rows); "
            f"allowed: {each} once for each person and session. Remove the "
            "copies, or name the column "
            f"that tells sessions apart ({', '.join(SESSION_WORDS)}) in "
            "observers.covariates, or the one "
            f"that counts in observers.columns ({name})"
        )


def _refuse_copies(timed: pd.DataFrame, settings: Observers, where: str) -> None:
    """Rows with a reaction time, without numbers of trials: all of a person's are there k times,
    cell by cell.

    Single rows are twice by chance where times are in ms or coarser; that each is, at several
    times, is no chance.
    """
    for person, rows in timed.groupby(_theirs(timed, settings, "observer"), sort=False):
        times = int(np.gcd.reduce(rows.value_counts(dropna=False).to_numpy()))
        if times > 1 and _theirs(rows, settings, "rt_s").nunique() >= SEVERAL_TIMES:
            row = int(np.flatnonzero(rows.duplicated())[0])
            first = int(np.flatnonzero((rows == rows.iloc[row]).all(axis=1))[0])
            raise TrialError(
                f"{where}, row {rows.index[row] + 2}: observer {person!r} has "
                "this row, reaction time "
                f"included, already in row {rows.index[first] + 2}, and so each "
                f"of {len(rows)} rows with "
                f"a time {times} times; allowed: each trial once. Remove the "
                "copies, or name a column "
                "that numbers the trials in observers.columns (trial or repeat)"
            )
