"""Figures of notebook 01: what they show is what the tables hold."""

import matplotlib
import numpy as np
import pandas as pd
import pytest

from lib.figures.data import (
    GAP,
    plot_confounds,
    plot_contact_sheet,
    plot_morphs,
    plot_parts,
    plot_raw_answers,
    raw_curves,
    tile,
)
from lib.people.trials import trial_table
from lib.pictures.reading import encode_png
from lib.settings.words import people_label

matplotlib.use("Agg")


@pytest.fixture
def files(tmp_path):
    """Paths of pictures of one grey each, by grey."""
    paths = {}
    for grey in range(0, 250, 10):
        (tmp_path / f"{grey}.png").write_bytes(encode_png(np.full((16, 16), grey, np.uint8)))
        paths[grey] = str(tmp_path / f"{grey}.png")
    return paths


def shown(ax):
    return ax.images[0].get_array()


def test_tiles_stand_in_reading_order_with_white_gaps():
    sheet = tile([np.full((4, 4, 3), v, np.uint8) for v in (10, 20, 30)], 2)
    assert sheet.shape == (8 + GAP, 8 + GAP, 3)
    assert (sheet[0, 0, 0], sheet[0, 4 + GAP, 0], sheet[4 + GAP, 0, 0], sheet[-1, -1, 0]) == (
        10,
        20,
        30,
        255,
    )
    assert (sheet[:, 4 : 4 + GAP] == 255).all()


def test_the_contact_sheet_has_happy_above_sad_and_no_test_image(files):
    images = pd.DataFrame(
        {
            "path": [files[200]] * 6 + [files[40]] * 6 + [files[120]] * 2,
            "label": ["happy"] * 6 + ["sad"] * 6 + ["happy", "sad"],
            "split": ["train"] * 12 + ["test"] * 2,
        }
    )
    sheet = shown(plot_contact_sheet(images, columns=3, side=16))
    assert set(np.unique(sheet[: 32 + GAP])) == {200, 255} and set(
        np.unique(sheet[-32 - GAP :])
    ) == {40, 255}


def test_morphs_run_from_sad_to_happy_in_each_row(files):
    rows = [
        (f"a_{c}_{k}", files[100 * (c == "eyes") + 10 * k], "a", k / 8, c)
        for k in range(9)
        for c in ("full", "eyes")
    ]
    stimuli = pd.DataFrame(rows, columns=["stimulus", "path", "identity", "level", "condition"])
    ax = plot_morphs(stimuli, "a", columns=3, side=16)
    greys = [shown(ax)[y, x, 0] for y in (2, 18 + GAP) for x in (2, 18 + GAP, 34 + 2 * GAP)]
    assert greys == [0, 40, 80, 100, 140, 180]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["whole face", "eyes hidden"]


def test_parts_are_outlined_in_their_colours():
    mask = np.zeros((40, 40), bool)
    mask[10:30, 10:30] = True
    picture = np.full((40, 40, 3), 77, np.uint8)
    sheet = shown(plot_parts({"whole": picture}, {"mouth": mask}))
    assert tuple(sheet[10, 20]) == (0xD5, 0x5E, 0x00) and tuple(sheet[20, 20]) == (77, 77, 77)
    assert (picture == 77).all()


def answers(kind="human"):
    rows = [
        ("a", 0.0, 0),
        ("a", 0.0, 1),
        ("a", 1.0, 1),
        ("b", 0.0, 0),
        ("b", 1.0, 1),
        ("b", 1.0, np.nan),
    ]
    observer, level, response = zip(*rows, strict=True)
    return trial_table(
        observer=observer, kind=kind, level=level, response=response, repeat=[1, 2, 1, 1, 1, 2]
    )


def test_raw_curves_by_hand():
    curves = raw_curves(answers())
    assert curves["share"].tolist() == [0.25, 1.0] and curves["n"].tolist() == [2, 2]
    # mean 0.25, standard deviation 0.3536, t(1) = 12.706: 0.25 -+ 12.706 * 0.3536 / sqrt(2)
    assert curves["low"][0] == pytest.approx(0.25 - 3.1766, abs=1e-3)
    assert raw_curves(answers().query("observer == 'a'"))["low"].isna().all()


@pytest.mark.parametrize("kind, said", [("human", False), ("simulated", True)])
def test_simulated_people_are_called_so_in_the_title(kind, said):
    ax = plot_raw_answers(answers(kind))
    assert ("SIMULATED" in ax.get_title()) is said and people_label(kind, 2) in ax.get_title()
    assert "95 % interval over people" in ax.get_title()


def test_own_levels_are_counted_in_steps_that_several_people_saw():
    """Forty levels, two a person: steps of 0.05, without the one that a single person saw."""
    rows = [(f"p{k}", level, 1.0) for k in range(30) for level in (0.3 + k / 1000, 0.7 + k / 1000)]
    rows += [("p0", 0.05, 0.0)]
    trials = trial_table(
        observer=[r[0] for r in rows],
        kind="human",
        level=[r[1] for r in rows],
        response=[r[2] for r in rows],
    )
    table = raw_curves(trials)
    # above 0.325 four people are at 0.35, and above 0.725 at 0.75
    assert table["level"].tolist() == [0.3, 0.7] and table["n"].tolist() == [26, 26]


def test_the_cues_stand_with_their_margins_and_a_warned_one_is_filled():
    rows = [
        ("training images", "traces of JPEG", 0.9, 0.88, 0.92, 0.1, True),
        ("training images", "spectrum", 0.6, 0.57, 0.63, 0.25, False),
        ("ends of the morphs", "spectrum", np.nan, np.nan, np.nan, 0.25, False),
    ]
    names = ["compared", "cue", "accuracy", "low", "high", "margin", "warning"]
    ax = plot_confounds(pd.DataFrame(rows, columns=names))
    assert [t.get_text() for t in ax.get_yticklabels()] == [
        "spectrum (training images)",
        "traces of JPEG (training images)",
    ]
    points = [line for line in ax.lines if line.get_marker() == "o"]
    assert [p.get_xdata()[0] for p in points] == [0.6, 0.9]
    assert [p.get_markerfacecolor() == "white" for p in points] == [True, False]


def test_morphs_are_shown_at_levels_that_all_conditions_have(files):
    rows = [(files[10 * k], "A", k / 10, "full") for k in range(11)]
    rows += [(files[10 * k], "A", k / 10, "eyes") for k in (0, 5, 10)]
    stimuli = pd.DataFrame(rows, columns=["path", "identity", "level", "condition"])
    ax = plot_morphs(stimuli, "A", ("angry", "happy"), side=16)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0.00", "0.50", "1.00"]
    assert ax.get_xlabel() == "level (0 angry, 1 happy)"
