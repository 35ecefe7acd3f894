"""Which column of a table of answers is which, and what its codes and units mean: a guess for a
person to check.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lib.people.files import read_answers
from lib.settings.options import CONDITIONS
from lib.settings.words import POLES

# words that columns are named by in common use (PsychoPy, jsPsych, E-Prime and hand-made tables)
COLUMN_WORDS = {
    "observer": ("observer", "participant", "subject", "subj", "sub", "person", "id", "code", "vp"),
    "level": (
        "level",
        "morph",
        "percent",
        "happy_percent",
        "intensity",
        "step",
        "proportion",
        "strength",
    ),
    "response": (
        "response",
        "resp",
        "answer",
        "choice",
        "key_resp",
        "keys",
        "judgement",
        "judgment",
    ),
    "rt_s": ("rt", "rt_s", "rt_ms", "reaction", "latency"),
    "condition": ("condition", "masked", "occlusion", "part"),
    "identity": ("identity", "face", "model", "actor"),
    "stimulus": ("stimulus", "image", "stim", "file", "picture"),
}
HAPPY_CODES = ("happy", "h", "happiness", "joy", "positive", "1", "right", "j", "yes")
SAD_CODES = ("sad", "s", "sadness", "negative", "0", "left", "f", "no")
MISSING = ("", "na", "nan", "none", "null", "n/a")


@dataclass(frozen=True)
class Guess:
    """The keys of ``observers`` that say how to read a table."""

    columns: dict[str, str]
    codes: dict[str, int]
    level_range: list[float]
    rt_unit: str
    covariates: list[str]


def guess_people(
    path: Path,
    columns: dict[str, str],
    codes: dict[str, str],
    poles: Sequence[str] = POLES,
) -> Guess:
    """Guess the mapping of a table.

    Parameters
    ----------
    columns : what the user says already, ``{"observer": "participant"}``; it goes before the guess.
    codes : ``{"h": "happy", "s": "sad"}``, or with 1 and 0.
    poles : the study's two words, the negative one first.

    Raises
    ------
    TrialError : the table cannot be read.
    """
    table = read_answers(path)
    columns = columns | {
        ours: theirs
        for ours in COLUMN_WORDS
        if ours not in columns and (theirs := _column(table, ours, set(columns.values())))
    }
    rest = [
        c
        for c in table.columns
        if c not in columns.values() and table[c].ne(table[c].iloc[0]).any()
    ]
    levels = _numbers(table, columns.get("level"))
    return Guess(
        columns,
        _codes(table.get(columns.get("response")), codes, poles),
        _range(levels),
        _unit(_numbers(table, columns.get("rt_s")), columns.get("rt_s", "")),
        [c for c in rest if c.lower() in ("group", "session", "block", "cue", "trial", "age")],
    )


def _column(table: pd.DataFrame, ours: str, taken: set[str]) -> str | None:
    """The first column whose name is one of our words, or has one as a part between separators."""
    free = [c for c in table.columns if c not in taken]
    for word in COLUMN_WORDS[ours]:
        for name in free:
            plain = name.lower().replace("-", "_").replace(" ", "_").replace(".", "_")
            if (plain == word or word in plain.split("_")) and _fits(table[name], ours):
                return name
    return None


def _fits(values: pd.Series, ours: str) -> bool:
    """Whether a column can be what its name suggests."""
    present = values[~values.str.lower().isin(MISSING)]
    if ours in ("level", "rt_s"):
        return (
            len(present) > 0
            and pd.to_numeric(present.str.replace(",", "."), errors="coerce").notna().all()
        )
    return ours != "condition" or present.str.lower().isin(CONDITIONS).all()


def _numbers(table: pd.DataFrame, column: str | None) -> pd.Series:
    if column not in table:
        return pd.Series(dtype=float)
    return pd.to_numeric(table[column].str.replace(",", "."), errors="coerce").dropna()


def _codes(
    responses: pd.Series | None, given: dict[str, str], poles: Sequence[str]
) -> dict[str, int]:
    """The answers that occur, with their meaning."""
    negative, positive = (pole.lower() for pole in poles)
    if given:
        meanings = {positive: 1, "1": 1, negative: 0, "0": 0}
        return {code: meanings.get(meaning.lower(), meaning) for code, meaning in given.items()}
    found = sorted(set(responses.str.lower()) - set(MISSING)) if responses is not None else []
    plain = {value: value for value in (responses.unique() if responses is not None else [])}
    codes = {value: 1 for value in plain if value.lower() in {*HAPPY_CODES, positive}}
    codes |= {value: 0 for value in plain if value.lower() in {*SAD_CODES, negative, negative[:1]}}
    return (
        codes
        if len(found) == 2 and set(codes.values()) == {0, 1}
        else {poles[1]: 1, poles[0]: 0, "1": 1, "0": 0}
    )


def _range(levels: pd.Series) -> list[float]:
    """0 to 1, 0 to 100 (per cent), or the smallest to the largest value of other scales."""
    if levels.empty or (levels.min() >= 0 and levels.max() <= 1):
        return [0, 1]
    if levels.min() >= 0 and 50 < levels.max() <= 100:
        return [0, 100]
    return [float(levels.min()), float(levels.max())]


def _unit(times: pd.Series, name: str) -> str:
    """Reaction times above 20 can only be milliseconds."""
    return "ms" if "ms" in name.lower().split("_") or (len(times) and times.median() > 20) else "s"
