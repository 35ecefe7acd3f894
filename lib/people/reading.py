"""People's answers from any long table: a study's own columns, codes and units to the trial
table, and exclusion.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lib.people.exclusion import _exclude
from lib.people.files import NEEDED, Note, check_columns, read_answers
from lib.people.matching import on_pictures
from lib.people.trials import TrialError, trial_table
from lib.people.twice import count_repeats
from lib.settings.options import CONDITIONS, Observers, Study, resolve
from lib.storage.table_cells import code_key, decimal_mark, is_missing, number, numbers, plain

LONGEST_S = 600.0  # an answer after more is none to the picture
OTHER_UNIT = (0.02, 20.0)  # median reaction times in s below and above which the unit is another
NARROW = 0.25  # levels that fill less of their range have another unit, or their ends are missing
OPTIONAL = ("rt_s", "condition", "identity", "stimulus", "trial", "repeat")

Columns = Mapping[str, pd.Series]


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
        ``attrs["notes"]`` says what was passed over or set to missing and what looks odd, each
        with an example.

    Raises
    ------
    TrialError : a missing file or column, an unknown code, a level or time that is none, a number
        with two readings, trials twice, no rows, or nobody left; naming file, row and column, what
        is allowed and the remedy.
    """
    settings = study.observers
    wanted = _wanted(settings)
    needed = [wanted[name] for name in NEEDED if not (name == "observer" and settings.file_pattern)]
    path = resolve(settings.file)
    others = [*wanted.values(), *settings.rows]
    table = read_answers(path, settings.sheet, settings.file_pattern, needed, others)
    notes: list[Note] = list(table.attrs["notes"])
    check_columns(table, settings, wanted)
    table, left_out = _trials_of(table, settings, wanted, notes)
    found = _used(table, settings, notes)
    mark = _decimal_mark(found, settings)
    trials = trial_table(
        observer=_named(found["observer"], settings),
        kind="human",
        level=_levels(found["level"], settings, mark, notes, study),
        response=_responses(found["response"], settings),
        rt_s=_times(found, settings, mark, notes),
        condition=_conditions(found),
        identity=found.get("identity", ""),
        stimulus=found.get("stimulus", ""),
        **{name: _covariate(table[wanted[name]], settings, mark) for name in settings.covariates},
    )
    trials = on_pictures(trials, stimuli, study)
    trials["repeat"] = count_repeats(trials, table, found, settings, notes)
    trials, report = _exclude(trials, settings.exclude, left_out)
    report.attrs["notes"] = notes
    return trials, report


# ---- which columns and rows


def _wanted(settings: Observers) -> dict[str, str]:
    """The file's name of each column that has to be there."""
    named = {ours: theirs for ours, theirs in settings.columns.items() if theirs is not None}
    return {name: named.get(name, name) for name in (*NEEDED, *named, *settings.covariates)}


def _trials_of(
    table: pd.DataFrame, settings: Observers, wanted: Mapping[str, str], notes: list[Note]
) -> tuple[pd.DataFrame, list[tuple[str, str, int]]]:
    """The rows that are trials, and what was left out: rule, limit, number of rows."""
    left_out = []
    for name, values in settings.rows.items():
        keys = {code_key(value).casefold() for value in values}
        kept = plain(table[name]).map(code_key).str.casefold().isin(keys)
        if not kept.any():
            there = ", ".join(map(repr, table[name].unique()[:6]))
            raise TrialError(
                f"observers.rows: no row has {' or '.join(values)} in column {name!r}; "
                f"found: {there}"
            )
        limit = f"{name}: {', '.join(values)}"
        left_out.append(("rows that observers.rows leaves out", limit, int((~kept).sum())))
        table = table[kept]
    level = plain(table[wanted["level"]])
    blank = _no_level(level, settings)
    if blank.all():
        raise TrialError(
            f"{table.index[0]}, column {level.name!r}: no row has a level; allowed: a number in "
            "each row that is a trial. Say which column holds them in observers.columns (level)"
        )
    left_out.append(("rows without a level, which are no trials", "", int(blank.sum())))
    answers = plain(table[wanted["response"]])[blank].map(code_key)
    answered = answers.isin({code_key(code) for code in settings.codes})
    if answered.any():
        text = f"{answered.sum():,} rows without a level have an answer, and are no trials"
        notes.append((text, str(answers.index[answered][0])))
    return table[~blank], left_out


def _no_level(level: pd.Series, settings: Observers) -> pd.Series:
    """Which cells say that there is no level; a word for missing that is a level, is one."""
    low, high = sorted(settings.level_range)
    words = [word for word in settings.missing if not low <= number(word) <= high]
    return is_missing(level, words)


def _used(table: pd.DataFrame, settings: Observers, notes: list[Note]) -> dict[str, pd.Series]:
    """The file's columns by our names; one that was not mapped only where its values fit."""
    found = {}
    for ours in (*NEEDED, *OPTIONAL):
        theirs = settings.columns.get(ours, ours)
        if theirs is None or theirs not in table:
            continue
        column = plain(table[theirs]) if ours not in ("identity", "stimulus") else table[theirs]
        wrong = ~_fits(column, ours, settings)
        if ours in settings.columns or ours in NEEDED or not wrong.any():
            found[ours] = column
            continue
        if theirs in settings.rows or theirs in settings.covariates:
            continue
        kind = f"condition ({', '.join(CONDITIONS)})" if ours == "condition" else "number"
        text = (
            f"column {theirs!r} is not used: {column[wrong].iloc[0]!r} is no {kind}. Map another "
            f"one in observers.columns, or {ours}: null"
        )
        notes.append((text, str(column.index[wrong][0])))
    return found


def _fits(column: pd.Series, ours: str, settings: Observers) -> pd.Series:
    """Which cells can be what the column's name says."""
    if ours == "condition":
        return column.str.lower().isin(CONDITIONS)
    if ours in ("identity", "stimulus"):
        return pd.Series(True, column.index)
    return is_missing(column, settings.missing) | np.isfinite(numbers(column))


# ---- their values


def _refuse(wrong: pd.Series, column: pd.Series, allowed: str) -> None:
    """An error that names the first wrong row and how many there are."""
    if wrong.any():
        row = int(np.flatnonzero(wrong.to_numpy(bool))[0])
        others = sorted({repr(v) for v in column[wrong]})[:6]
        raise TrialError(
            f"{column.index[row]}, column {column.name!r}: {column.iloc[row]!r} found "
            f"({wrong.sum()} such rows: {', '.join(others)}); allowed: {allowed}"
        )


def _named(column: pd.Series, settings: Observers) -> pd.Series:
    _refuse(is_missing(column, settings.missing), column, "a name or code in every row")
    return column


def _decimal_mark(found: Columns, settings: Observers) -> str:
    columns = [found[name] for name in ("level", "rt_s") if name in found]
    present = [column[~is_missing(column, settings.missing)] for column in columns]
    try:
        return decimal_mark(present, settings.decimal, settings.thousands)
    except ValueError as error:
        raise TrialError(str(error)) from None


def _levels(
    column: pd.Series, settings: Observers, mark: str, notes: list[Note], study: Study
) -> pd.Series:
    """Levels from 0 to 1; 30% is 30 where the range goes beyond 1, otherwise 0.3."""
    low, high = settings.level_range
    percent = column.str.endswith("%")
    values = numbers(column.str.removesuffix("%"), mark)
    if max(abs(low), abs(high)) <= 1:
        values = values.where(~percent, values / 100)
    ends = f"{values.min():g} to {values.max():g} are there" if values.notna().any() else "none is"
    allowed = (
        f"a number from {min(low, high):g} to {max(low, high):g} (observers.level_range); {ends}. "
        "Rows that are no trials are left out by observers.rows"
    )
    _refuse(~np.isfinite(values), column, allowed)
    levels = ((values - low) / (high - low)).round(9)
    _refuse(~levels.between(0, 1), column, allowed)
    if (share := levels.max() - levels.min()) < NARROW:
        text = (
            f"the levels fill {share:.0%} of observers.level_range [{low:g}, {high:g}]: they go "
            f"from {values.min():g} to {values.max():g}. Set it to your values at fully "
            f"{study.negative} and fully {study.positive}"
        )
        notes.append((text, str(column.index[0])))
    return levels


def _responses(column: pd.Series, settings: Observers) -> pd.Series:
    """1, 0 or missing; 1, 1.0 and 01 are one code, and a code may be a word for missing."""
    codes = {code_key(code): value for code, value in settings.codes.items()} | settings.codes
    answers = column.where(column.isin(list(codes)), column.map(code_key))
    missing = is_missing(column, settings.missing) & ~answers.isin(list(codes))
    known = ", ".join(
        f"{code} ({'happy' if value else 'sad'})" for code, value in settings.codes.items()
    )
    _refuse(
        ~missing & ~answers.isin(list(codes)),
        column,
        f"{known}, or missing: {', '.join(['empty', 'NA', *filter(None, settings.missing)])}. Name "
        "the file's codes in observers.codes, words for no answer in observers.missing, and the "
        "rows that are trials in observers.rows",
    )
    return answers.mask(missing).map(codes).astype(float)


def _times(found: Columns, settings: Observers, mark: str, notes: list[Note]) -> pd.Series | float:
    """Reaction times in s; those of 0 or below and above LONGEST_S are set to missing."""
    if (column := found.get("rt_s")) is None:
        return np.nan
    values = numbers(column, mark).mask(missing := is_missing(column, settings.missing))
    allowed = f"a reaction time in {settings.rt_unit} (observers.rt_unit), or missing"
    _refuse(~missing & ~np.isfinite(values), column, allowed)
    times = (values / 1000 if settings.rt_unit == "ms" else values).round(9)
    low, high = OTHER_UNIT
    middle = times[times > 0].median()
    if middle < low or middle > high:
        other = "s" if settings.rt_unit == "ms" else "ms"
        text = (
            f"half of the reaction times are above {middle:,.4g} s: are they in {other}? Then set "
            f"observers.rt_unit: {other}"
        )
        notes.append((text, str(column.index[0])))
        return times
    odd = (times <= 0) | (times > LONGEST_S)
    if odd.any():
        text = f"{odd.sum():,} reaction times of 0 s or less or above {LONGEST_S:g} s are missing"
        notes.append((text, str(column.index[odd][0])))
    return times.mask(odd)


def _conditions(found: Columns) -> pd.Series | str:
    if (column := found.get("condition")) is None:
        return "full"
    values = column.str.lower()
    _refuse(~values.isin(CONDITIONS), column, f"{', '.join(CONDITIONS)} (the part that was hidden)")
    return values


def _covariate(column: pd.Series, settings: Observers, mark: str) -> pd.Series:
    """A further column as it is: numbers where all of it is numbers, NaN where missing."""
    present = column.mask(is_missing(column, settings.missing))
    values = numbers(present.fillna(""), mark)
    return values if values.notna().sum() == present.notna().sum() else present
