"""Which column of a table of answers is which, and what its codes and units mean: a guess for a
person to check.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from lib.people.exports import COLUMN_WORDS, Export, bag, candidates, export_of, words_of
from lib.people.files import SUFFIXES, read_answers
from lib.settings.options import CONDITIONS
from lib.settings.words import POLES
from lib.storage.table_cells import code_key, is_missing, numbers, plain

HAPPY_CODES = ("happy", "h", "happiness", "joy", "positive", "1", "right", "j", "yes", "true")
SAD_CODES = ("sad", "s", "sadness", "negative", "0", "left", "f", "no", "false")
# words and numbers that stand for no answer where they stand among two others
NO_ANSWER = bag(
    "- -- ? undefined timeout timed_out no_response noresponse no_answer no_key nokey missed miss "
    "missing too_slow late -1 -9 -99 -999 99 888 999 9999"
)
# columns that say what a row is, and words in them for rows that are no trials of the study
KINDS_OF_ROWS = bag(
    "type task phase stage practice zone component display screen procedure running block event "
    "condition part section"
)
PRACTICE = bag("practice practise prac training warmup exercise übung uebung demo")
MOST_KINDS = 12


@dataclass(frozen=True)
class Guess:
    """The keys of ``observers`` that say how to read a table."""

    columns: dict[str, str | None]
    codes: dict[str, int]
    level_range: list[float]
    rt_unit: str
    covariates: list[str]
    rows: dict[str, list[str]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    file_pattern: str | None = None
    program: str = ""  # that wrote the table, as far as its columns tell
    codes_from: str = ""  # where the codes' meaning was taken from the answers: how


def guess_people(
    path: Path,
    columns: dict[str, str | None],
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
    export = export_of(table.columns)
    columns = _columns(table, export, dict(columns), poles)
    level = columns.get("level")
    trials = table[~is_missing(table[level])] if level in table else table
    answers = trials.get(columns.get("response"))
    found, no_answer, how = _codes(trials, level, answers, codes, poles)
    rows = _rows(trials, answers, found, columns)
    for name, values in rows.items():
        trials = trials[trials[name].isin(values)]
    rest = [c for c in trials if c not in columns.values() and trials[c].nunique() > 1]
    times = columns.get("rt_s")
    pattern = guess_file_pattern(path) if "observer" not in columns and path.is_dir() else None
    return Guess(
        columns,
        found,
        _range(trials, level, poles),
        _unit(numbers(plain(trials[times])).dropna(), times) if times in trials else "s",
        [c for c in rest if c.lower() in ("group", "session", "block", "cue", "trial", "age")],
        rows,
        no_answer,
        pattern,
        export.program if export else "",
        how,
    )


# ---- columns


def _columns(
    table: pd.DataFrame,
    export: Export | None,
    columns: dict[str, str | None],
    poles: Sequence[str],
) -> dict[str, str | None]:
    """A column for each role, each for one role only; the level first, for it tells trials."""
    for ours in COLUMN_WORDS:
        if ours in columns:
            continue
        level = columns.get("level")
        trials = table[~is_missing(table[level])] if level in table else table
        free = [c for c in table if c not in columns.values()]
        there = [c for c in candidates(export, ours, free) if _fits(trials[c], ours)]
        if ours == "response":
            asked = [c for c in free if poles[1].lower() in words_of(c)]  # such as said_happy
            there += [c for c in asked if c not in there and _both_known(trials[c], poles)]
            there.sort(key=lambda c: not _both_known(trials[c], poles))
        if ours == "rt_s" and (response := columns.get("response")):
            there.sort(key=lambda c: not _same_item(c, response))
        if there:
            columns[ours] = there[0]
    order = ("observer", "level", "response", *COLUMN_WORDS)
    return {ours: columns[ours] for ours in dict.fromkeys([*order, *columns]) if ours in columns}


def _same_item(name: str, response: str) -> bool:
    """Whether both names are of one item: ``key_resp.rt`` and ``key_resp.keys``."""
    if "." in response:
        return name.lower().startswith(f"{response.rpartition('.')[0].lower()}.")
    return name.lower() == response.lower().replace("response", "response_time")


def _fits(values: pd.Series, ours: str) -> bool:
    """Whether a column can be what its name suggests."""
    present = plain(values)[~is_missing(plain(values))]
    if ours in ("level", "rt_s"):
        shown = numbers(present.str.removesuffix("%") if ours == "level" else present)
        known = shown.notna() | present.map(_no_answer)
        return len(present) > 0 and known.all() and shown.notna().any()
    if ours == "condition":
        return present.str.lower().isin(CONDITIONS).all()
    return len(present) > 0


# ---- codes


def _no_answer(value: str) -> bool:
    return value.lower().replace(" ", "_") in NO_ANSWER


def _meaning(value: str, poles: Sequence[str]) -> int | None:
    """1 or 0 where a code is known."""
    negative, positive = (pole.lower() for pole in poles)
    word = code_key(value).lower()
    if word in {*HAPPY_CODES, positive}:
        return 1
    return 0 if word in {*SAD_CODES, negative, negative[:1]} else None


def _both_known(values: pd.Series, poles: Sequence[str]) -> bool:
    return {0, 1} <= {_meaning(value, poles) for value in plain(values).unique()}


def _codes(
    trials: pd.DataFrame,
    level: str | None,
    answers: pd.Series | None,
    given: dict[str, str],
    poles: Sequence[str],
) -> tuple[dict[str, int], list[str], str]:
    """The answers that occur with their meaning, the words for none, and how it was found."""
    negative, positive = (pole.lower() for pole in poles)
    usual = {poles[1]: 1, poles[0]: 0, "1": 1, "0": 0}
    shown = pd.Series(dtype=str) if answers is None else plain(answers)
    values = list(dict.fromkeys(shown[~is_missing(shown)]))
    if given:
        meanings = {positive: 1, "1": 1, negative: 0, "0": 0}
        codes = {code: meanings.get(meaning.lower(), meaning) for code, meaning in given.items()}
        return codes, [v for v in values if _no_answer(v) and v not in codes], ""
    known = {value: _meaning(value, poles) for value in values}
    no_answer = [v for v in values if _no_answer(v) and (known[v] is None or len(values) > 2)]
    codes = {v: meaning for v, meaning in known.items() if v not in no_answer}
    if {0, 1} <= set(codes.values()):
        return {v: m for v, m in codes.items() if m is not None}, no_answer, ""
    if len(codes) != 2 or level not in trials:
        return usual, no_answer, ""
    (first, second), (a, b) = codes, codes.values()
    if any(m is not None and not code_key(v).isdecimal() for v, m in codes.items()):
        codes = {first: a, second: 1 - a} if a is not None else {first: 1 - b, second: b}
        return codes, no_answer, "one of the two words"
    means = numbers(plain(trials[level]).str.removesuffix("%")).groupby(shown).mean()
    if means.nunique() < 2:
        return usual, no_answer, ""
    codes = {first: int(means[first] > means[second]), second: int(means[second] > means[first])}
    return codes, no_answer, "which is answered at higher levels"


# ---- rows, ranges, units, files


def _rows(
    trials: pd.DataFrame, answers: pd.Series | None, codes: dict[str, int], columns: dict
) -> dict[str, list[str]]:
    """Columns that part trials from practice and from rows that nobody answers, and their values
    for trials.
    """
    if answers is None:
        return {}
    answered = plain(answers).map(code_key).isin({code_key(code) for code in codes})
    roles = [theirs for ours, theirs in columns.items() if ours != "condition"]
    kinds = [c for c in trials if c not in roles and set(words_of(c)) & KINDS_OF_ROWS]
    found: dict[str, list[str]] = {}
    for name in kinds:
        shares = answered.groupby(trials[name]).mean()
        if 1 < len(shares) <= MOST_KINDS and shares.min() == 0 and shares.max() > 0.5:
            found[name] = [value for value in trials[name].unique() if shares[value] > 0]
            trials = trials[trials[name].isin(found[name])]
            break
    for name in kinds:
        values = trials[name].unique()
        kept = [value for value in values if not _is_practice(value, set(words_of(name)))]
        if 0 < len(kept) < len(values) <= MOST_KINDS:
            found[name] = kept
            trials = trials[trials[name].isin(kept)]
    return found


def _is_practice(value: str, name: set[str]) -> bool:
    if name & PRACTICE and value.lower() in ("1", "true", "yes", "y"):
        return True
    return bool(set(words_of(value)) & PRACTICE)


def _range(trials: pd.DataFrame, level: str | None, poles: Sequence[str]) -> list[float]:
    """0 to 1, 0 to 100 (per cent), or the smallest to the largest value of other scales; turned
    round where the column is called after the negative pole.
    """
    if level not in trials:
        return [0, 1]
    shown = plain(trials[level])
    levels = numbers(shown.str.removesuffix("%")).dropna()
    low, high = (levels.min(), levels.max()) if len(levels) else (0, 1)
    if low >= 0 and (50 < high <= 100 or shown.str.endswith("%").any()):
        ends = [0, 100]
    else:
        ends = [0, 1] if low >= 0 and high <= 1 else [float(low), float(high)]
    named = set(words_of(level))
    return ends[::-1] if poles[0].lower() in named and poles[1].lower() not in named else ends


def _unit(times: pd.Series, name: str) -> str:
    """Reaction times above 20 can only be milliseconds."""
    return "ms" if "ms" in words_of(name) or (len(times) and times.median() > 20) else "s"


def guess_file_pattern(folder: Path) -> str | None:
    """``{observer}`` where the names of a folder's files differ first; None where that does not
    tell them apart.
    """
    names = [path.name for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]
    parts = [re.split(r"([-_. ])", name) for name in names if not name.startswith((".", "~$"))]
    if len(parts) < 2:
        return None
    at = next((k for k, column in enumerate(_across(parts)) if len(set(column)) > 1), None)
    if at is None or len({row[at] for row in parts}) < len(parts):
        return None
    rest = {"".join(row[at + 1 :]) for row in parts}
    if len(rest) == 1:
        return "".join(parts[0][:at]) + "{observer}" + rest.pop()
    backwards = [set(column) for column in _across([row[::-1] for row in parts])]
    same = next(k for k, words in enumerate(backwards) if len(words) > 1)
    ends = parts[0][len(parts[0]) - same :]
    return "".join([*parts[0][:at], "{observer}", parts[0][at + 1], "*", *ends])


def _across(rows: Iterable[Sequence[str]]) -> Iterable[tuple[str, ...]]:
    return zip(*rows, strict=False)
