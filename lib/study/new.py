"""Write a commented study from a few answers, with the rest found out from the files themselves."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lib.people.guess import Guess, guess_people
from lib.settings.loading import ROOT, StudyError
from lib.settings.options import resolve
from lib.settings.values import NAME
from lib.settings.words import POLES, SIDES, pole_word, problem_of_poles
from lib.study import text
from lib.study.guess_images import (
    guess_labels,
    guess_morphs,
    guess_names,
    guess_source,
    stored,
    with_limits,
)


class StudyExists(FileExistsError):
    """The file is there already; nothing was changed."""


@dataclass(frozen=True)
class Answers:
    """What the user says; everything else is found out or left at its default."""

    name: str | None = None
    poles: str | None = None
    images: str | None = None
    source: str | None = None
    pattern: str | None = None
    labels: str | None = None
    morphs: str | None = None
    morph_pattern: str | None = None
    people: str | None = None
    columns: str | None = None
    codes: str | None = None
    output: str | None = None


def ask_for(ask: Callable[[str], str]) -> Answers:
    """The few questions of the interactive form; an empty answer leaves the default."""
    questions = {
        "name": "Name of the study [mine]: ",
        "images": "Folder of face images, or a CSV file (empty: built-in faces): ",
        "people": "Table of people's answers, .csv, .tsv or .xlsx (empty: simulated people): ",
        "morphs": "Folder of your own morphs (empty: the workbook makes them): ",
    }
    given = {name: ask(question).strip() for name, question in questions.items()}
    if given["images"] and guess_source(given["images"]) == "filenames":
        guess = guess_names(given["images"])
        given["pattern"] = ask(
            "Regular expression for your file names, with (?P<label>...) and (?P<identity>...)"
            f"{f' [{guess}]' if guess else ''}: "
        ).strip()
    return Answers(**{name: value or None for name, value in given.items()})


def new_study(answers: Answers) -> Path:
    """Write the study.

    Returns
    -------
    The new file.

    Raises
    ------
    StudyExists : the file is there; it is not changed.
    StudyError, TrialError : malformed words, or a people's table that cannot be read at all.
    """
    name = answers.name or "mine"
    if not re.fullmatch(NAME, name):
        raise StudyError([f"name: {name!r} given; allowed: a plain folder name"])
    path = Path(answers.output) if answers.output else ROOT / "data/studies" / f"{name}.yaml"
    images = _images(answers)
    poles = _poles(answers, images)
    pairs = None
    if images is not None:
        images, pairs = with_limits(images, poles)
    morphs = text.made_morphs(pairs, poles)
    if answers.morphs is not None:
        pattern = answers.morph_pattern or guess_morphs(answers.morphs)
        morphs = text.own_morphs(stored(answers.morphs), pattern, poles)
    file = stored(answers.people) if answers.people else None
    sections = [
        text.head(name, poles),
        text.images(images, poles),
        morphs,
        text.people(file, _people(answers, poles), poles),
        text.networks(),
    ]
    _write_new(path, "\n".join(sections))
    return path


def _write_new(path: Path, content: str) -> None:
    """Write a file, never over one that is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(path, "x", encoding="utf-8", newline="") as handle:
            handle.write(content)
    except FileExistsError:
        raise StudyExists(
            f"{path} is there already and was not changed; allowed: a new name (--name, --output), "
            "or remove the old file first"
        ) from None


def _pairs(given: str | None) -> dict[str, str]:
    """``a=b c=d`` as a dict; what holds a space or a comma stands in quotes: ``a="b c"``."""
    lexer = shlex.shlex(given or "", posix=True)
    lexer.whitespace += ","
    lexer.whitespace_split = True
    lexer.commenters = lexer.escape = ""
    try:
        pairs = [word.partition("=") for word in lexer]
    except ValueError:
        raise StudyError([f"{given!r} given; a quote is opened and never closed"]) from None
    wrong = [left for left, sign, right in pairs if not (left and sign and right)]
    if wrong:
        raise StudyError(
            [
                f"{wrong[0]!r} given; allowed: left=right words, such as 'joy=happy grief=sad', "
                "names with spaces in quotes, such as 'observer=\"Participant ID\"'"
            ]
        )
    return {left: right for left, _, right in pairs}


def _given_poles(answers: Answers) -> tuple[str, ...] | None:
    """``angry,happy`` as a pair."""
    if answers.poles is None:
        return None
    poles = tuple(re.split(r"[\s,]+", answers.poles.strip()))
    if problem := problem_of_poles(poles):
        raise StudyError([f"poles: {answers.poles!r} given; {problem}"])
    return poles


def _images(answers: Answers) -> dict | None:
    """The section images, or None for the built-in faces."""
    if answers.images is None:
        return None
    source = answers.source or ("filenames" if answers.pattern else guess_source(answers.images))
    labels = _pairs(answers.labels)
    if not labels:
        labels = guess_labels(answers.images, source, _given_poles(answers))
    section = {"source": source, "root": stored(answers.images), "labels": labels}
    pattern = answers.pattern or (guess_names(answers.images) if source == "filenames" else None)
    if pattern:
        section["pattern"] = pattern
    return section | {"n_train": None, "n_validation": None, "n_test": None}


def _poles(answers: Answers, images: dict | None) -> tuple[str, ...]:
    """The words as given, or those that the labels mean, where ``happy`` is the positive one."""
    given = _given_poles(answers)
    if given is not None or images is None:
        return given or POLES
    meant = [word for word in dict.fromkeys(images["labels"].values()) if word not in SIDES]
    others = [word for word in meant if word != POLES[1]]
    return (others[0], POLES[1]) if len(meant) == 2 and len(others) == 1 else POLES


def _people(answers: Answers, poles: tuple[str, ...]) -> Guess | None:
    """How the table of people's answers is read; None where there is none."""
    if answers.people is None:
        return None
    numbers = {poles[0]: "0", poles[1]: "1"}
    codes = {
        code: numbers.get(pole_word(meaning, poles), meaning)
        for code, meaning in _pairs(answers.codes).items()
    }
    columns = {
        ours: None if theirs in ("null", "None") else theirs
        for ours, theirs in _pairs(answers.columns).items()
    }
    return guess_people(resolve(stored(answers.people)), columns, codes, poles)
