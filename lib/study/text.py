"""A study file in words: every section with a comment for each key."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from lib.people.guess import Guess
from lib.settings.options import ARCHITECTURES, Study

Line = tuple[str, object, str]  # key, value, comment
COMMENT_AT = 40


def head(name: str, poles: Sequence[str]) -> str:
    """What the file is, its name and the words for the ends of the morph."""
    return (
        "# A study: the single description of a run. Check it with  "
        "python -m lib.study check <this file>\n"
        "# Every key and its default is in lib/settings/inputs.py and options.py; recipes are in "
        "data/README.md.\n"
        f"name: {_plain(name)}  # also the run's folder, runs/{name}\n"
        'about: ""  # one sentence for the report\n'
        f"poles: {_plain(list(poles))}  # the ends of the morph, the negative one first\n"
    )


def images(section: dict | None, poles: Sequence[str]) -> str:
    """The section images; None is the built-in faces."""
    if section is None:
        return _section(
            "images",
            [
                ("source", "builtin", "drawn; yours: folder, fer2013_csv, manifest, filenames"),
                ("n_train", 400, "images for training, half of each class"),
            ],
        )
    comments = {
        "source": "folder, fer2013_csv, manifest or filenames",
        "root": "relative to the project's root, or absolute",
        "labels": f"your label: {poles[1]} or {poles[0]}; other labels are left out",
        "pattern": "(?P<label>...) and (?P<identity>...) in the file's name",
        "n_train": "images in all, half of each class; null takes all there are",
    }
    return _section("images", [(k, value, comments.get(k, "")) for k, value in section.items()])


def own_morphs(root: str, pattern: str | None, poles: Sequence[str]) -> str:
    """The section morphs for a folder of the user's own."""
    usual = Study().morphs.pattern
    ends = f"the smallest step is fully {poles[0]}, the largest fully {poles[1]}"
    return _section(
        "morphs",
        [
            ("source", "folder", f"your own morphs; {ends}"),
            ("root", root, ""),
            ("pattern", pattern or usual, "{identity}, {condition}, {step}"),
            *_boxes(),
        ],
    )


def made_morphs(pairs: int | None, poles: Sequence[str]) -> str:
    """The section morphs for morphs that the workbook makes; without pairs, of built-in faces."""
    negative, positive = poles
    levels = ("levels", 21, f"equal steps from {negative} to {positive}")
    if pairs is None:
        drawn = [("source", "builtin", "drawn faces"), ("identities", 6, "how many faces"), levels]
        return _section("morphs", drawn)
    similar = f"similar {negative} and {positive} test images, cross-faded"
    each = f"pairs; each needs a {negative} and a {positive} image of the test split"
    return _section(
        "morphs",
        [
            ("source", "matched_pairs", f"{similar}; or averages, landmarks, folder"),
            ("identities", pairs, each),
            levels,
            *_boxes(),
        ],
    )


def _boxes() -> list[Line]:
    boxes = {part: list(ends) for part, ends in Study().morphs.boxes.items()}
    look = "look at the figure 01_parts of a run, and move them until they lie on the parts"
    return [
        ("regions", "boxes", "where the parts are: the same boxes in all pictures; else landmarks"),
        ("boxes", boxes, f"first and last column, first and last row, of 224: {look}"),
    ]


def people(file: str | None, guess: Guess | None, poles: Sequence[str]) -> str:
    """The section observers: simulated people, or a table and how it is read."""
    if file is None or guess is None:
        none = "your people's answers (.csv, .tsv, .xlsx); none: simulated"
        return _section("observers", [("file", None, none)])
    by = f", as {guess.program} writes them" if guess.program else ""
    how = f"; GUESSED by {guess.codes_from}: check" if guess.codes_from else ""
    comments = {
        "columns": f"trial-table column: your column{by}",
        "codes": f"your code: 1 {poles[1]}, 0 {poles[0]}{how}",
        "level_range": f"your value at fully {poles[0]} and at fully {poles[1]}",
        "rt_unit": "s or ms",
        "covariates": "further columns to keep",
        "rows": "the rows that are trials: a column and its values",
        "missing": "words for no answer, beside NA, nan, null, none, ., and empty cells",
        "file_pattern": "who it was, from the files' names",
    }
    found = [(key, getattr(guess, key), comments[key]) for key in comments]
    usual = ("rows", "missing", "file_pattern")
    kept = [line for line in found if line[1] or line[0] not in usual]
    return _section("observers", [("file", file, ""), *kept])


def networks() -> str:
    """The sections networks and training, at what runs in minutes."""
    missing = "without `make weights`: objects (the project's own), untrained, leave_out, error"
    return _section(
        "networks",
        [
            ("architectures", list(ARCHITECTURES), "also torchvision:NAME, timm:NAME, file.py:f"),
            ("missing_weights", "objects", missing),
            ("controls", ["untrained"], "also: matched, se, guided, shuffled"),
        ],
    ) + _section(
        "training",
        [
            ("seeds", 3, "networks of each kind; statements are about their distribution"),
            ("epochs", 6, ""),
        ],
    )


def _section(name: str, lines: Sequence[Line]) -> str:
    """``name:`` and one commented line for each key."""
    rows = []
    for key, value, comment in lines:
        text = f"  {key}: {_plain(value)}"
        rows.append(f"{text:<{COMMENT_AT}}  # {comment}" if comment else text)
    return "\n".join([f"{name}:", *rows]) + "\n"


def _plain(value: object) -> str:
    """A value as YAML on one line."""
    text = yaml.safe_dump(
        value, default_flow_style=True, width=10_000, allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("...\n").strip()
