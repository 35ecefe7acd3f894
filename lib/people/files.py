"""A table of people's answers as text: one file, or a folder with one such file for each person."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from lib.people.exports import as_trials
from lib.people.mat_files import read_mat
from lib.people.trials import TRIAL_COLUMNS, TrialError
from lib.settings.options import Observers
from lib.storage.tables import read_table

SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".json", ".mat")
RARER = (".log", ".dat", ".tab", ".xls")  # read where a folder holds none of the others
MANY_COLUMNS = 30  # more are counted, not listed
NEEDED = ("observer", "level", "response")

Note = tuple[str, str]  # what was done with rows or files, and an example of them


def read_answers(
    path: Path,
    sheet: str | None = None,
    pattern: str | None = None,
    needed: Sequence[str] = (),
    others: Sequence[str] = (),
) -> pd.DataFrame:
    """The rows of a file, or of the files of a folder, every cell as text without spaces around it.

    In a folder, the files at its top are read, or the shallowest that hold the needed columns;
    what is hidden, empty, damaged, of another kind or form, or deeper is passed over.

    Parameters
    ----------
    pattern : ``observers.file_pattern``; its ``{names}`` become columns, and files that do not fit
        it are passed over.
    needed : columns without which a file does not belong to the others; none given: half of those
        of the commonest form.
    others : columns that are used where they are; it is said where a file of a folder lacks one.

    Returns
    -------
    The table; its index says where each row stands, such as ``a.csv, row 5``, as a spreadsheet
    counts. ``attrs["notes"]`` lists what was passed over, each with an example.

    Raises
    ------
    TrialError : nothing there, not a table, or no rows.
    """
    if path.is_dir():
        return _read_folder(path, sheet, pattern, needed, others)
    if not path.is_file():
        raise TrialError(
            f"observers.file: no such file: {path}. Give its path, relative to the project's root "
            "or absolute; without a file the people are simulated"
        )
    table = _named(_read_one(path, sheet, path.name), pattern, path.name)
    if table is None:
        raise TrialError(
            f"observers.file_pattern: {pattern!r} does not fit {path.name}; allowed: a pattern "
            "such as '{observer}_*.csv'"
        )
    return table


def _read_one(path: Path, sheet: str | None, name: str) -> pd.DataFrame:
    try:
        table = read_mat(path) if path.suffix.lower() == ".mat" else read_table(path, sheet)
    except TrialError:
        raise
    except (ValueError, OSError) as error:
        raise TrialError(
            f"{name} cannot be read as a table: {' '.join(str(error).split())}. Allowed: .csv, "
            ".tsv, .txt, .xlsx, .json or .mat, with a header and one row a trial"
        ) from None
    if table.empty:
        raise TrialError(f"{name} has a header and no rows; needed: one row a trial")
    notes = table.attrs.get("notes", [])
    table, more = as_trials(table.set_axis([f"{name}, row {n + 2}" for n in table.index]))
    table.attrs["notes"] = [(note, name) for note in [*notes, *more]]
    return table


def _read_folder(
    folder: Path,
    sheet: str | None,
    pattern: str | None,
    needed: Sequence[str],
    others: Sequence[str],
) -> pd.DataFrame:
    """The files of the shallowest level that belongs together, one below the other."""
    files, passed = _candidates(folder)
    tables: dict[str, pd.DataFrame] = {}
    for path in files:
        name = path.relative_to(folder).as_posix()
        try:
            table = _named(_read_one(path, sheet, name), pattern, name)
        except TrialError as error:
            passed.append((_reason(str(error), name), name))
            continue
        if table is None:
            passed.append((f"observers.file_pattern {pattern!r} does not fit", name))
        else:
            tables[name] = table
    if not tables:
        why = "".join(f"; {text}" for text in _counted(passed))
        raise TrialError(
            f"observers.file: no {', '.join(SUFFIXES[:3])} or .xlsx file that can be read in the "
            f"folder {folder}; needed: at least one{why}"
        )
    kept, odd = _alike(tables, needed)
    table = pd.concat(kept.values()).fillna("")
    notes = [note for one in kept.values() for note in one.attrs["notes"]]
    lacking = {name: [c for c in others if c in table and c not in kept[name]] for name in kept}
    notes += [(f"no column {c!r}, empty there", name) for name, cs in lacking.items() for c in cs]
    table.attrs["notes"] = _grouped([*passed, *odd], "files passed over ({n}): ")
    table.attrs["notes"] += _grouped(notes, "in {n} files: " if len(kept) > 1 else "")
    return table


def _candidates(folder: Path) -> tuple[list[Path], list[Note]]:
    """Files that may be tables, and the others with the reason."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    hidden = [path for path in found if _is_hidden(path.relative_to(folder))]
    rest = [path for path in found if path not in set(hidden)]
    files = [path for path in rest if path.suffix.lower() in SUFFIXES]
    files = files or [path for path in rest if path.suffix.lower() in RARER]
    other = [path for path in rest if path not in set(files)]
    passed = [("hidden, or the lock of an open workbook", path) for path in hidden]
    passed += [(f"no table by the suffix {path.suffix or 'none'}", path) for path in other]
    return files, [(why, path.relative_to(folder).as_posix()) for why, path in passed]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "~$")) or part == "__MACOSX" for part in path.parts)


def _alike(
    tables: dict[str, pd.DataFrame], needed: Sequence[str]
) -> tuple[dict[str, pd.DataFrame], list[Note]]:
    """The tables of the shallowest level that has some with the needed columns, and the others."""
    fits = _has(needed) if needed else _like_most(tables)
    right = {name: table for name, table in tables.items() if fits(table)} or tables
    depth = min(name.count("/") for name in right)
    kept = {name: table for name, table in right.items() if name.count("/") == depth}
    others = [(f"deeper in the folder than {next(iter(kept))}", n) for n in right if n not in kept]
    for name in tables:
        if name not in right:
            missing = [column for column in needed if column not in tables[name]]
            others.append((f"without {', '.join(map(repr, missing)) or 'their columns'}", name))
    return kept, others


def _has(needed: Sequence[str]) -> Callable[[pd.DataFrame], bool]:
    return lambda table: set(needed) <= set(table.columns)


def _like_most(tables: dict[str, pd.DataFrame]) -> Callable[[pd.DataFrame], bool]:
    """Whether a table has more than half of the columns of the commonest form."""
    forms = Counter(frozenset(table.columns) for table in tables.values())
    common = forms.most_common(1)[0][0]
    return lambda table: 2 * len(common & set(table.columns)) > len(common)


def _reason(message: str, name: str) -> str:
    """An error's words without the file's name and the remedy, so that equal ones are counted."""
    return message.removeprefix(f"{name} ").partition(". Allowed")[0].partition("; needed")[0]


def _grouped(notes: Sequence[Note], what: str) -> list[Note]:
    """Equal notes once, with how many there are and the first example."""
    first: dict[str, str] = {}
    for text, example in notes:
        first.setdefault(text, example)
    counts = Counter(text for text, _ in notes)
    return [(what.format(n=counts[text]) + text, example) for text, example in first.items()]


def _counted(notes: Sequence[Note]) -> list[str]:
    return [f"{text} (such as {one})" for text, one in _grouped(notes, "files passed over ({n}): ")]


def check_columns(table: pd.DataFrame, settings: Observers, wanted: Mapping[str, str]) -> None:
    """Whether a study's columns are there.

    Parameters
    ----------
    wanted : the file's name of each column that has to be there, by ours.

    Raises
    ------
    TrialError : a name that is none of ours, or a column that is missing, with those that are
        there.
    """
    ours = {"kind", "architecture", "pretraining", "seed", "p_happy", "log_odds"}
    allowed = [c for c in TRIAL_COLUMNS if c not in ours]
    if wrong := [c for c in settings.columns if c not in (*allowed, "trial", *settings.covariates)]:
        raise TrialError(
            f"observers.columns: {', '.join(wrong)} given; allowed: "
            f"{', '.join([*allowed, 'trial'])} and the covariates"
        )
    if none := [c for c in NEEDED if settings.columns.get(c, c) is None]:
        raise TrialError(f"observers.columns: null given for {', '.join(none)}, which is needed")
    if taken := [c for c in settings.covariates if c in TRIAL_COLUMNS]:
        raise TrialError(
            f"observers.covariates: {', '.join(taken)} given; those columns are in the trial table "
            "already. Map them in observers.columns"
        )
    where = Path(settings.file).name
    found = f"found: {_listed(table.columns)}"
    if missing := [f"{theirs!r} (for {o})" for o, theirs in wanted.items() if theirs not in table]:
        if table.shape[1] > MANY_COLUMNS and table.shape[1] > len(table):
            found += ". It seems to have a column for each trial: make it long, one row a trial"
        pattern = ". If files' names say who it was: observers.file_pattern='{observer}_*.csv'"
        raise TrialError(
            f"{where} has no column {', '.join(missing)}; {found}. Say which column is which in "
            "observers.columns, such as observers.columns='{observer: participant, level: percent, "
            f"response: answer}}'{pattern if wanted['observer'] not in table else ''}"
        )
    if missing := [repr(name) for name in settings.rows if name not in table]:
        raise TrialError(f"observers.rows: {where} has no column {', '.join(missing)}; {found}")


def _listed(names: pd.Index) -> str:
    more = f" and {len(names) - MANY_COLUMNS} more" if len(names) > MANY_COLUMNS else ""
    return ", ".join(names[:MANY_COLUMNS]) + more


# ---- who it was, from the file's name


def _named(table: pd.DataFrame, pattern: str | None, name: str) -> pd.DataFrame | None:
    """The table with a column for each ``{name}`` of the pattern; None where it does not fit."""
    if pattern is None:
        return table
    match = name_pattern(pattern).fullmatch(name if "/" in pattern else name.rsplit("/")[-1])
    return None if match is None else table.assign(**match.groupdict())


def name_pattern(pattern: str) -> re.Pattern:
    """``{observer}_*.csv`` as a regular expression: each name as short as fits, ``*`` any text."""
    parts = re.split(r"(\{\w+\}|\*)", pattern)
    return re.compile("".join(_part(part) for part in parts))


def _part(part: str) -> str:
    if re.fullmatch(r"\{\w+\}", part):
        return f"(?P<{part[1:-1]}>[^/]+?)"
    return "[^/]*" if part == "*" else re.escape(part)
