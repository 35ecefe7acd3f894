"""What ``study check`` calls runnable, notebook 01 can do; what it refuses, a run refuses too."""

import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from lib.morphs.stimuli import control_patch, make_stimuli, regions_of
from lib.people.simulated import people
from lib.people.trials import TrialError, count_table
from lib.people.words import notes_in_words
from lib.pictures.labelled import load_images
from lib.pictures.reading import ImageError
from lib.settings.loading import StudyError, load_study
from lib.study import check_inputs
from lib.study.check import check_study
from lib.study.report import Report

FEW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
WORDS = st.sampled_from(
    ["happy", "sad", "Happy", "train", "val", "dev", "eval", "test", "x", "._a", "p01", "angry"]
)
CONTENT = st.sampled_from(["picture", "picture", "picture", "picture", "same", "broken", "empty"])
ENDS = st.sampled_from([".png", ".PNG", ".bmp", ".txt", ".heic", ""])
FILES = st.tuples(st.lists(WORDS, max_size=3), WORDS, ENDS, CONTENT)
STEPS = st.sampled_from(["0", "50", "100", "-50", "+25", "0,5", "1,000", "x", ""])
NAMES = st.tuples(
    st.sampled_from(["A", "B", "A1", ""]),
    st.sampled_from(["_", "", "-", "_full_", "_eyes_"]),
    STEPS,
)


def write(path: Path, content: str, number: int) -> None:
    """One file; a folder that has its name already keeps it."""
    with suppress(FileExistsError, NotADirectoryError, IsADirectoryError):
        path.parent.mkdir(parents=True, exist_ok=True)
        if content == "empty":
            path.write_bytes(b"")
            return
        seed = 0 if content == "same" else number
        pixels = np.random.default_rng(seed).integers(0, 255, (16, 16), np.uint8)
        Image.fromarray(pixels).save(path, "BMP" if path.suffix.lower() == ".bmp" else "PNG")
        if content == "broken":
            path.write_bytes(path.read_bytes()[:60])


def plain_set(root: Path) -> None:
    """A whole set, into which the odd files are put."""
    for n, split in enumerate(("train", "val", "test")):
        for k in range(3):
            for j, label in enumerate(("happy", "sad")):
                write(root / split / label / f"{k}.png", "picture", 1000 + 100 * n + 10 * k + j)


def compare(study: dict, folder: Path) -> bool:
    """Whether the study can run, by the check; notebook 01's steps agree with it."""
    base = {
        "name": "odd",
        "observers": {"simulated": {"n": 3, "trials_per_level": 1}},
        "networks": {"architectures": ["alexnet"], "missing_weights": "untrained"},
    }
    path = folder / "odd.yaml"
    path.write_text(yaml.safe_dump(base | study), encoding="utf-8")
    found = check_study(path)
    try:
        loaded = load_study(path)
        images = load_images(loaded, folder / "derived")
        stimuli = make_stimuli(loaded, images, folder / "derived")
        regions = regions_of(loaded, stimuli.iloc[:1])
        for part in regions:
            mask = {name: np.squeeze(region) for name, region in regions.items()}
            control_patch(mask[part], mask, np.random.default_rng(0))
        people(loaded, stimuli)
    except (ImageError, TrialError, ValueError) as error:
        assert found.problems, f"called runnable, and then: {error}"
        return False
    assert not found.problems, f"refused, and yet it ran: {found.problems}"
    return True


@pytest.fixture
def place(tmp_path):
    def fresh() -> Path:
        shutil.rmtree(tmp_path / "x", ignore_errors=True)
        (tmp_path / "x").mkdir()
        return tmp_path / "x"

    return fresh


@FEW
@given(files=st.lists(FILES, max_size=6), whole=st.booleans())
def test_folders_of_images(place, files, whole):
    folder = place()
    if whole:
        plain_set(folder / "set")
    (folder / "set").mkdir(exist_ok=True)
    for number, (dirs, stem, suffix, content) in enumerate(files):
        write(folder.joinpath("set", *dirs, stem + suffix), content, number + 1)
    images = {"source": "folder", "root": str(folder / "set"), "n_train": None}
    images |= {"n_validation": None, "n_test": None}
    morphs = {"source": "matched_pairs", "identities": 1, "levels": 3, "regions": "boxes"}
    compare({"images": images, "morphs": morphs}, folder)


@FEW
@given(
    names=st.lists(NAMES, min_size=1, max_size=6, unique=True),
    pattern=st.sampled_from(
        ["{identity}_{step}.png", "{identity}{step}.png", "{identity}_{condition}_{step}.png"]
    ),
    content=CONTENT,
)
def test_folders_of_morphs(place, names, pattern, content):
    folder = place()
    for number, parts in enumerate(names):
        write(folder / "m" / f"{''.join(parts)}.png", content if number == 0 else "picture", number)
    images = {"n_train": 4, "n_validation": 2, "n_test": 2, "identities": 3}
    morphs = {"source": "folder", "root": str(folder / "m"), "pattern": pattern, "levels": 3}
    compare({"images": images, "morphs": morphs | {"regions": "boxes"}}, folder)


@FEW
@given(
    cells=st.lists(
        st.tuples(
            st.sampled_from(["train/happy/0.png", "train/sad/0.png", "no.png", "../x.png", ""]),
            st.sampled_from(["happy", "sad", "Happy", "angry", ""]),
            st.sampled_from(["train", "dev", "test", "", "exam"]),
        ),
        max_size=4,
    ),
    header=st.sampled_from(["path,label,split", "file;class;set", "path,label", "a,b,c"]),
)
def test_tables_of_images(place, cells, header):
    folder = place()
    plain_set(folder)
    separator = ";" if ";" in header else ","
    rows = [
        (path.relative_to(folder).as_posix(), path.parent.name, path.parts[-3])
        for path in sorted(folder.rglob("*.png"))
    ]
    lines = [separator.join(row[: header.count(separator) + 1]) for row in [*rows, *cells]]
    (folder / "list.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    images = {"source": "manifest", "root": str(folder / "list.csv"), "n_train": None}
    images |= {"n_validation": None, "n_test": None}
    morphs = {"source": "matched_pairs", "identities": 1, "levels": 3, "regions": "boxes"}
    compare({"images": images, "morphs": morphs}, folder)


def test_a_whole_set_runs_and_boxes_without_room_do_not(place):
    folder = place()
    plain_set(folder / "set")
    images = {"source": "folder", "root": str(folder / "set"), "n_train": None}
    images |= {"n_validation": None, "n_test": None}
    morphs = {"source": "matched_pairs", "identities": 1, "levels": 3, "regions": "boxes"}
    assert compare({"images": images, "morphs": morphs}, folder)
    boxes = {"eyes": [0, 223, 0, 120], "nose": [0, 223, 100, 150], "mouth": [0, 223, 140, 200]}
    assert not compare({"images": images, "morphs": morphs | {"boxes": boxes}}, folder)


# ---- people's tables

CELLS = st.sampled_from(
    ["0", "50", "100", "0,5", "1,234", "30%", "happy", "sad", "['sad']", "1.0", "NA", "", "-1", "x"]
)
COLUMNS = st.lists(
    st.sampled_from(
        ["who", "level", "response", "rt_s", "condition", "trial", "repeat", "stimulus", ""]
    ),
    min_size=1,
    max_size=5,
    unique=True,
)
HOW = st.fixed_dictionaries(
    {},
    optional={
        "level_range": st.sampled_from([[0, 1], [0, 100], [100, 0], [-1, 50]]),
        "codes": st.sampled_from([{"happy": 1, "sad": 0}, {"1": 1, "0": 0}, {"NA": 1, "x": 0}]),
        "missing": st.sampled_from([["x"], ["-1"]]),
        "decimal": st.sampled_from([",", "."]),
        "thousands": st.sampled_from([",", "."]),
        "rows": st.sampled_from([{"trial": "x"}, {"condition": ["0", "50"]}, {"no": "y"}]),
        "rt_unit": st.sampled_from(["s", "ms"]),
        "covariates": st.sampled_from([["trial"], ["session"], ["who"]]),
        "file_pattern": st.sampled_from(["{observer}.csv", "{observer}_{session}.*"]),
    },
)
OTHER_FILES = st.lists(
    st.sampled_from(["b.csv", "deep/c.csv", "~$d.xlsx", "._e.csv", "f.xlsx", "g_1.json", "h.txt"]),
    max_size=3,
)


@pytest.fixture(scope="module")
def stimuli(tmp_path_factory):
    """The pictures of the smoke study, drawn once."""
    study = load_study("data/studies/smoke.yaml")
    return make_stimuli(study, pd.DataFrame(), tmp_path_factory.mktemp("derived"))


def whole_table(header: list[str], separator: str) -> list[str]:
    """Rows that a study with these columns can use: one person, every level, right at the ends."""
    values = {"who": "p1", "condition": "full", "stimulus": "none.jpg", "rt_s": "0.5"}
    lines = []
    for n, level in enumerate([0, 50, 100] * 3):
        row = values | {"level": str(level), "response": "happy" if level > 40 else "sad"}
        row |= {"trial": str(n), "repeat": str(n // 3 + 1)}
        lines.append(separator.join(row.get(name, "") for name in header))
    return lines


RAN = []  # which made-up tables could be run: a property of nothing but refusals would say little


@settings(FEW, max_examples=150)
@given(
    header=st.one_of(COLUMNS, st.just(["who", "level", "response", "rt_s", "trial"])),
    whole=st.booleans(),
    cells=st.lists(st.lists(CELLS, min_size=1, max_size=6), max_size=3),
    separator=st.sampled_from([",", ";", "\t"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    how=HOW,
    others=st.one_of(st.none(), OTHER_FILES),
)
def test_tables_of_people(place, stimuli, header, whole, cells, separator, encoding, how, others):
    folder = place()
    lines = whole_table(header, separator) if whole else []
    text = "\n".join([separator.join(header), *lines, *map(separator.join, cells)]) + "\n"
    (folder / "people").mkdir()
    (folder / "people/a.csv").write_text(text, encoding=encoding)
    for name in others or []:
        (folder / "people" / name).parent.mkdir(exist_ok=True)
        (folder / "people" / name).write_text(text.replace("p1", name[0]), encoding=encoding)
    where = folder / ("people/a.csv" if others is None else "people")
    columns = {} if "file_pattern" in how else {"observer": "who"}
    base = {"file": str(where), "level_range": [0, 100], "columns": columns}
    given = {f"observers.{name}": value for name, value in (base | how).items()}
    try:
        study = load_study("data/studies/smoke.yaml", given)
    except StudyError:
        return
    report = Report(study.name, [])
    check_inputs.people(study, report)
    try:
        found, exclusions = people(study, stimuli)
    except TrialError as error:
        assert report.problems == [str(error)] and str(error).strip()
        return
    assert not report.problems, f"refused, and yet it ran: {report.problems}"
    assert found["level"].between(0, 1).all() and found["response"].isin([0, 1, np.nan]).all()
    first, last = exclusions.iloc[0], exclusions.iloc[-1]
    assert first["trials"] - exclusions["trials_removed"].sum() == last["trials"] == len(found)
    assert all(notes_in_words(exclusions, examples=True))
    assert count_table(found)["n"].sum() == found["response"].notna().sum()
    RAN.append(whole)


def test_some_of_those_tables_ran():
    """Runs after the property above; alone it says nothing."""
    assert not RAN or sum(RAN) >= 5


def test_a_whole_table_of_people_runs_through_the_whole_check(place):
    folder = place()
    header = ["who", "level", "response", "rt_s", "trial"]
    lines = [",".join(header), *whole_table(header, ",")]
    (folder / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    images = {"n_train": 4, "n_validation": 2, "n_test": 2, "identities": 3}
    morphs = {"identities": 1, "levels": 3}
    observers = {"file": str(folder / "a.csv"), "columns": {"observer": "who"}}
    study = {"images": images, "morphs": morphs, "observers": observers | {"level_range": [0, 100]}}
    assert compare(study, folder)
    assert not compare(study | {"observers": observers}, folder)  # levels of 50 between 0 and 1
