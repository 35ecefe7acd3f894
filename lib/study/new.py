"""Write a commented study from a few answers, with the rest found out from the files themselves."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import yaml

from lib.people.guess import guess_people
from lib.pictures.labelled import survey_images
from lib.pictures.listing import SUFFIXES
from lib.pictures.reading import ImageError
from lib.settings.loading import ROOT, StudyError
from lib.settings.options import Images, Study, resolve
from lib.settings.values import NAME
from lib.storage.files import read_text_table

HAPPY = ("happy", "happiness", "joy", "joyful", "positive", "pos", "smile", "smiling", "ha", "hap")
SAD = ("sad", "sadness", "grief", "negative", "neg", "sa", "frown")


MOST_TRAIN, MOST_PAIRS = 5000, 20  # what runs in minutes; more is a matter of a number in the file


class StudyExists(FileExistsError):
    """The file is there already; nothing was changed."""


@dataclass(frozen=True)
class Answers:
    """What the user says; everything else is found out or left at its default."""

    name: str | None = None
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
    given = {
        "name": ask("Name of the study [mine]: ").strip() or "mine",
        "images": ask("Folder of face images, or a CSV file (empty: built-in faces): ").strip(),
        "people": ask(
            "Table of people's answers, .csv, .tsv or .xlsx (empty: simulated people): "
        ).strip(),
        "morphs": ask("Folder of your own morphs (empty: the workbook makes them): ").strip(),
    }
    if given["images"] and _source(given["images"]) == "filenames":
        given["pattern"] = ask(
            "Regular expression for your file names, with (?P<label>...) and (?P<identity>...): "
        )
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
    images, pairs = _images(answers), 0
    if images is not None:
        images, pairs = _counted(images)
    sections = [
        _head(name),
        _images_text(images),
        _morphs_text(answers, images, pairs),
        _people_text(answers),
        _networks_text(),
    ]
    _write_new(path, "\n".join(sections))
    return path


def _write_new(path: Path, text: str) -> None:
    """Whole or not at all, and never over a file that is there (also not one that appears
    meanwhile).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "w", encoding="utf-8") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        os.link(temporary, path)  # unlike a rename, fails where the name is taken
    except FileExistsError:
        raise StudyExists(
            f"{path} is there already and was not changed; allowed: a new "
            "name (--name, --output), or "
            "remove the old file first"
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def _words(text: str | None) -> dict[str, str]:
    """``a=b c=d`` as a dict."""
    pairs = [word.partition("=") for word in re.split(r"[\s,]+", text or "") if word]
    if wrong := [left for left, sign, right in pairs if not (left and sign and right)]:
        raise StudyError(
            [f"{wrong[0]!r} given; allowed: left=right words, such as 'joy=happy grief=sad'"]
        )
    return {left: right for left, _, right in pairs}


# ---- images
# ------------------------------------------------------------


def _images(answers: Answers) -> dict | None:
    """The section images, or None for the built-in faces."""
    if answers.images is None:
        return None
    source = answers.source or ("filenames" if answers.pattern else _source(answers.images))
    labels = _words(answers.labels) or _guess_labels(answers.images, source)
    section = {"source": source, "root": _stored(answers.images), "labels": labels}
    if answers.pattern:
        section["pattern"] = answers.pattern
    return section | {"n_train": None, "n_validation": None, "n_test": None}


def _stored(path: str) -> str:
    """A path as it stands in a study: relative to the root where it is below it, else as a
    whole.
    """
    there = Path(path).expanduser()
    if not there.is_absolute() and not there.exists():
        return path
    whole = there.resolve()
    return whole.relative_to(ROOT).as_posix() if whole.is_relative_to(ROOT) else whole.as_posix()


def _source(path: str) -> str:
    """How a set is laid out: a CSV with pixels, a manifest, class folders, or file names."""
    root = resolve(_stored(path))
    if root.is_file():
        with open(root, encoding="utf-8-sig", errors="replace") as handle:
            return "fer2013_csv" if "pixels" in handle.readline() else "manifest"
    folders = _class_folders(root)
    known = {name for name in folders if name.lower() in HAPPY + SAD}
    # many folders with other names are those of people, as in KDEF
    return "folder" if len(known) >= 2 or 2 <= len(folders) <= 12 else "filenames"


def _class_folders(root: Path) -> list[str]:
    """Names of the folders that hold images directly."""
    if not root.is_dir():
        return []
    return sorted(
        {
            p.parent.name
            for p in root.rglob("*")
            if p.suffix.lower() in SUFFIXES and p.parent != root
        }
    )


def _guess_labels(path: str, source: str) -> dict[str, str]:
    """The set's words that mean happy and sad; the two usual ones where nothing is recognised."""
    root = resolve(_stored(path))
    names = (
        _class_folders(root)
        if source == "folder"
        else _manifest_labels(root)
        if source == "manifest"
        else []
    )
    found = {name: "happy" for name in names if name.lower() in HAPPY}
    found |= {name: "sad" for name in names if name.lower() in SAD}
    return found if set(found.values()) == {"happy", "sad"} else {"happy": "happy", "sad": "sad"}


def _manifest_labels(root: Path) -> list[str]:
    """The labels of a manifest; none where it cannot be read, which the check behind ``new``
    puts into words.
    """
    try:
        table = read_text_table(root)
    except (ValueError, OSError):
        return []
    return sorted(table["label"].unique()) if "label" in table else []


def _counted(images: dict) -> tuple[dict, int]:
    """The section with a limit where the set is large, and the number of pairs for morphs that
    the set allows.
    """
    try:
        counts, problems = survey_images(Study(images=Images(**images)))
    except (ImageError, re.error):
        counts, problems = pd.DataFrame(), ["unreadable"]
    if problems:
        return images, MOST_PAIRS
    smallest = counts.groupby("split")["n"].min()
    if 2 * smallest["train"] > MOST_TRAIN:
        images = images | {"n_train": MOST_TRAIN}
    return images, max(1, min(MOST_PAIRS, int(smallest["test"])))


# ---- text
# ------------------------------------------------------------


def _plain(value) -> str:
    """A value as YAML on one line."""
    return (
        yaml.safe_dump(
            value, default_flow_style=True, width=10_000, allow_unicode=True, sort_keys=False
        )
        .removesuffix("...\n")
        .strip()
    )


def _section(name: str, lines: list[tuple[str, object, str]]) -> str:
    """``name:`` and one commented line a key; a key that starts with # stays a suggestion."""
    rows = []
    for key, value, comment in lines:
        text = f"  {key}: {_plain(value)}"
        rows.append(f"{text:<40}  # {comment}" if comment else text)
    return "\n".join([f"{name}:", *rows]) + "\n"


def _head(name: str) -> str:
    return (
        "# A study: the single description of a run. Check it with  "
        "python -m lib.study check <this file>\n"
        "# Every key and its default is in lib/settings/options.py; "
        "recipes are in data/README.md.\n"
        f"name: {_plain(name)}  # also the run's folder, runs/{name}\n"
        'about: ""  # one sentence for the report\n'
    )


def _images_text(images: dict | None) -> str:
    if images is None:
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
        "labels": "your label: happy or sad; other labels are left out",
        "pattern": "(?P<label>...) and (?P<identity>...) in the file's name",
        "n_train": "images in all, half of each class; null takes all there are",
    }
    return _section(
        "images", [(key, value, comments.get(key, "")) for key, value in images.items()]
    )


def _morphs_text(answers: Answers, images: dict | None, pairs: int) -> str:
    if answers.morphs is not None:
        return _section(
            "morphs",
            [
                (
                    "source",
                    "folder",
                    "your own morphs; the smallest step is fully sad, the largest fully happy",
                ),
                ("root", _stored(answers.morphs), ""),
                (
                    "pattern",
                    answers.morph_pattern or "{condition}_{step}.jpg",
                    "{identity}, {condition}, {step}",
                ),
                *_boxes(),
            ],
        )
    if images is None:
        return _section(
            "morphs",
            [
                ("source", "builtin", "drawn faces"),
                ("identities", 6, "how many faces"),
                ("levels", 21, "equal steps from sad to happy"),
            ],
        )
    return _section(
        "morphs",
        [
            (
                "source",
                "matched_pairs",
                "similar sad and happy test images, cross-faded; or averages, landmarks, folder",
            ),
            ("identities", pairs, "pairs; each needs a sad and a happy image of the test split"),
            ("levels", 21, "equal steps from sad to happy"),
            *_boxes(),
        ],
    )


def _boxes() -> list[tuple[str, object, str]]:
    boxes = {part: list(ends) for part, ends in Study().morphs.boxes.items()}
    return [
        ("regions", "boxes", "where the parts are: the same boxes in all pictures; else landmarks"),
        (
            "boxes",
            boxes,
            "first and last column, first and last row, of 224: look at "
            "the figure 01_parts of a run, "
            "and move them until they lie on the parts",
        ),
    ]


def _people_text(answers: Answers) -> str:
    if answers.people is None:
        return _section(
            "observers",
            [("file", None, "your people's answers (.csv, .tsv, .xlsx); none: simulated")],
        )
    guess = guess_people(
        resolve(_stored(answers.people)), _words(answers.columns), _words(answers.codes)
    )
    comments = {
        "columns": "trial-table column: your column",
        "codes": "your code: 1 happy, 0 sad",
        "level_range": "your value at fully sad and at fully happy",
        "rt_unit": "s or ms",
        "covariates": "further columns to keep",
    }
    lines = [("file", _stored(answers.people), "")]
    return _section(
        "observers", lines + [(key, value, comments[key]) for key, value in asdict(guess).items()]
    )


def _networks_text() -> str:
    return _section(
        "networks",
        [
            ("architectures", ["alexnet", "vgg11", "vgg13", "vgg16", "fe_alexnet"], ""),
            (
                "missing_weights",
                "objects",
                "without `make weights`: objects (AlexNet alone), untrained, leave_out, error",
            ),
            ("controls", ["untrained"], "also: matched, shuffled"),
        ],
    ) + _section(
        "training",
        [
            ("seeds", 3, "networks of each kind; statements are about their distribution"),
            ("epochs", 6, ""),
        ],
    )
