"""The reader as an observer: answers found again, and a stand-in that is called one."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from lib.observers.tables import fit_table
from lib.people.simulated import simulate_people
from lib.people.trial_file import TrialFile
from lib.psychometrics import result
from lib.settings.loading import load_study
from lib.storage.runs import Run
from lib.widgets.reader import (
    ME,
    answers_file,
    fit_reader,
    place_of_reader,
    plot_reader,
    read_reader,
    reader_task,
    why_no_curve,
)

LEVELS = np.linspace(0, 1, 9)


@pytest.fixture
def run(tmp_path):
    return Run(load_study("data/studies/smoke.yaml", {"output": str(tmp_path)}), "04")


@pytest.fixture(scope="module")
def stimuli():
    return pd.DataFrame(
        [
            {
                "stimulus": f"id{i}_full_{level:.3f}",
                "path": "",
                "identity": f"id{i}",
                "level": level,
                "condition": "full",
            }
            for i in range(4)
            for level in LEVELS
        ]
    )


@pytest.fixture
def table(run, stimuli):
    """Table psychometrics of simulated people alone."""
    return fit_table(simulate_people(run.study, stimuli), run.study.statistics)


def answer(run, stimuli, pse=0.4, repeats=5):
    """The reader answers as a cumulative Gaussian with this PSE says."""
    file, rng = TrialFile(answers_file(run)), np.random.default_rng(3)
    for repeat in range(1, repeats + 1):
        for row in stimuli.itertuples():
            happy = rng.random() < norm.cdf((row.level - pse) / 0.1)
            file.append(
                {
                    "observer": ME,
                    "stimulus": row.stimulus,
                    "identity": row.identity,
                    "level": row.level,
                    "condition": "full",
                    "repeat": repeat,
                    "response": int(happy),
                }
            )


def test_before_any_answer_a_simulated_person_stands_in_and_is_called_so(run, stimuli, table):
    reader = read_reader(run, stimuli, run.rng("reader"))
    assert (
        reader.rehearsal
        and set(reader.trials["kind"]) == {"simulated"}
        and "SIMULATED" in reader.name
    )
    assert place_of_reader(reader, table).startswith("A simulated person's PSE is")
    assert not answers_file(run).exists()


def test_the_readers_own_answers_take_its_place_and_are_found_again(run, stimuli, table):
    answer(run, stimuli, pse=0.4)
    reader = read_reader(run, stimuli, run.rng("reader"))
    low, high = reader.ends["pse"]
    assert (
        not reader.rehearsal
        and set(reader.trials["kind"]) == {"human"}
        and len(reader.trials) == 180
    )
    assert low < 0.4 < high and high - low < 0.15
    text = place_of_reader(reader, table)
    assert text.startswith("Your PSE is") and "simulated people have a lower one" in text


def test_the_interval_of_the_curve_holds_the_curve(run, stimuli):
    reader = read_reader(run, stimuli, run.rng("reader"))
    curve, (low, high) = reader.fit.curve(np.linspace(0, 1, 101)), reader.ends["curve"]
    assert (
        (low <= curve + 0.02).all() and (curve <= high + 0.02).all() and (high - low).max() > 0.02
    )


def test_the_nearest_single_network_is_named_not_the_nearest_mean(run, stimuli, table):
    """AlexNet's seeds average to 0.4, but VGG11's second seed lies nearer than either."""
    answer(run, stimuli)
    networks = [
        table.iloc[[0]].assign(
            kind="cnn", architecture=name, pretraining="imagenet", seed=seed, pse=pse
        )
        for name, seed, pse in (
            ("alexnet", 0, 0.1),
            ("alexnet", 1, 0.7),
            ("vgg11", 0, 0.9),
            ("vgg11", 1, 0.45),
            ("vgg13", 0, np.nan),
        )
    ]
    everyone = pd.concat([table, *networks], ignore_index=True)
    text = place_of_reader(read_reader(run, stimuli, run.rng("reader")), everyone)
    assert "of the 4 trained networks, VGG11, seed 1, is nearest (PSE 0.450)" in text


def test_answers_that_do_not_depend_on_the_face_give_a_reason_and_still_a_figure(
    run, stimuli, table
):
    trials = simulate_people(run.study, stimuli).query("observer == 'sim01'").assign(response=1.0)
    reader = fit_reader(trials, run.study.statistics, run.rng("reader"), rehearsal=False)
    assert place_of_reader(reader, table).startswith(
        "Your answers have no boundary (PSE) yet: all answers are the same"
    )
    plt.close(plot_reader(reader, table).figure)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (result.EMPTY, "no answers yet"),
        (result.HAPPY, "all answers are the same"),
        (result.ONE, "one level"),
        (result.REVERSED, "“calm” was pressed more often on the more angry faces"),
        (result.FLAT, "hardly follow the faces"),
        ("pse: the curve does not cross 0.5", "does not cross one half"),
        ("pse 1.2 lies outside the levels tested (0 to 1)", "does not cross one half"),
    ],
)
def test_a_person_is_told_in_words_why_there_is_no_boundary(reason, words):
    assert words in why_no_curve(reason, ("angry", "calm"))


def test_the_figure_shows_each_share_and_says_who_it_is(run, stimuli, table):
    reader = read_reader(run, stimuli, run.rng("reader"))
    ax = plot_reader(reader, table)
    squares = next(line for line in ax.lines if line.get_marker() == "s")
    assert list(squares.get_xdata()) == list(LEVELS)
    assert list(squares.get_ydata()) == list(reader.trials.groupby("level")["response"].mean())
    assert "SIMULATED" in ax.get_title()
    plt.close(ax.figure)


def test_the_task_asks_for_what_can_be_done_in_minutes(run, stimuli, table, tmp_path):
    import cv2

    picture = tmp_path / "grey.png"
    cv2.imwrite(str(picture), np.full((8, 8, 3), 128, np.uint8))
    box = reader_task(run, stimuli.assign(path=str(picture)), table)
    assert box.children[0].total == 72 and answers_file(run).is_file()
