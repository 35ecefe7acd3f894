"""Sentences of notebook 01 say what their tables hold."""

import numpy as np
import pandas as pd

from lib.people import words
from lib.people.trials import trial_table
from lib.settings.loading import load_study
from lib.statistics.precision import precision_table

IMAGES = pd.DataFrame(
    {
        "path": list("abcdef"),
        "label": ["sad", "happy"] * 3,
        "split": ["train", "train", "validation", "validation", "test", "test"],
        "identity": ["p1", "p1", "p2", "p2", "p3", "p3"],
    }
)
STIMULI = pd.DataFrame(
    [(f"{w}_{c}_{x}", w, x, c) for w in "AB" for c in ("full", "eyes") for x in (0.0, 0.5, 1.0)],
    columns=["stimulus", "identity", "level", "condition"],
)


def answers(stimulus, people=3):
    """Each person sees A at 0, 0.5 and 1, and says no, yes and yes."""
    rows = [(f"p{k}", x, float(x > 0)) for k in range(people) for x in (0.0, 0.5, 1.0)]
    return trial_table(
        observer=[r[0] for r in rows],
        kind="human",
        level=[r[1] for r in rows],
        response=[r[2] for r in rows],
        stimulus=[stimulus.format(r[1]) for r in rows],
    )


def test_people_in_two_splits_are_counted():
    assert "3 people, 0 of them in more" in words.images_in_words(IMAGES, "folder")
    moved = IMAGES.assign(identity=["p1", "p2", "p2", "p2", "p3", "p3"])
    assert "3 people, 1 of them in more" in words.images_in_words(moved, "folder")
    assert "not known" in words.images_in_words(IMAGES.assign(identity=""), "folder")
    assert words.counts_of(IMAGES)["people"].tolist() == [1, 1, 1]


def test_whole_and_hidden_pictures_are_counted_apart():
    fewer = STIMULI[(STIMULI["condition"] == "full") | (STIMULI["level"] != 0.5)]
    text = words.stimuli_in_words(fewer, IMAGES)
    assert text.startswith("10 pictures: 6 whole faces (2 identities, 3 levels), and 4 with eyes")
    assert text.endswith("0 of the identities were in the training split.")
    known = STIMULI.assign(identity="p1")
    assert "1 of the identities were" in words.stimuli_in_words(known, IMAGES)


def test_the_same_pictures_are_told_from_other_ones():
    same = words.levels_in_words(answers("A_full_{}"), STIMULI)
    assert "3 levels from 0 to 1" in same and "networks' own pictures** (3 of them)" in same
    assert "on level alone" in words.levels_in_words(answers("x{}"), STIMULI)


def test_few_levels_are_said_to_be_few():
    assert words.few_levels_in_words(answers("x{}")).startswith("**3 levels a person**")
    many = trial_table(
        observer="p", kind="human", level=np.linspace(0, 1, 11), response=np.ones(11)
    )
    assert words.few_levels_in_words(many) == ""


def test_the_findings_name_the_poles_and_the_warned_cue():
    study = load_study("data/studies/smoke.yaml", {"poles": ["angry", "happy"]})
    confounds = pd.DataFrame({"cue": ["traces of JPEG", "spectrum"], "warning": [True, False]})
    precision = precision_table(961, 27, 99, 7)
    given = (IMAGES, answers("A_full_{}"), STIMULI, confounds, precision)
    first, people, same, size = words.found_in_data(study, *given)
    assert "2 faces; **traces of JPEG tell angry from happy without a face**" in first
    assert (
        "3 people called 0% of the faces at the angry end and 100% at the happy end happy" in people
    )
    assert "the same pictures" in same and "2.0%" in size
    calm = confounds.assign(warning=False)
    assert "no cue" in words.found_in_data(study, *given[:3], calm, precision)[0]
