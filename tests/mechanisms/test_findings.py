"""Sentences of notebook 05: what the tables say, in words, with their intervals."""

import numpy as np
import pandas as pd
import pytest
from part_answers import CONDITIONS, trials

from lib.mechanisms import findings
from lib.mechanisms.looks import Looks
from lib.parts.profile_tables import part_profiles, profile_differences

WHO = {"architecture": "alexnet", "pretraining": "objects"}
GAINS = dict(zip(CONDITIONS, (6, 6, 1, 6, 5), strict=True))


def networks(gains, offsets=None, **who):
    table = trials(gains, identities=6, offsets=offsets)
    return table.assign(kind="cnn", response=np.nan, **{**WHO, **who})


@pytest.fixture(scope="module")
def profiles():
    return part_profiles(networks(GAINS))


def looks(**tables):
    without = pd.DataFrame(
        [("resnet18", "imagenet", "no maps")], columns=["architecture", "pretraining", "reason"]
    )
    return Looks(tables, {}, {}, {}, None, without)


def test_words_are_listed_as_one_says_them():
    assert findings.listed([]) == "" and findings.listed(["a"]) == "a"
    assert (
        findings.listed(["a", "b"]) == "a and b"
        and findings.listed(["a", "b", "c"]) == "a, b and c"
    )


def test_networks_are_named_with_their_accuracy_and_simulated_people_called_so():
    accuracy = pd.DataFrame(
        [{**WHO, "split": s, "accuracy": v} for s, v in (("test", 0.9), ("validation", 0.1))]
    )
    text = findings.networks_text(accuracy, "simulated")
    assert "AlexNet (objects) 0.90" in text and "**simulated**" in text
    assert "simulated" not in findings.networks_text(accuracy, "human")


def test_a_network_without_maps_is_named_with_the_reason():
    assert findings.without_text(looks()) == "- resnet18: no maps."


def test_profiles_are_told_with_d_prime_and_losses(profiles):
    text = findings.profile_text(profiles)
    assert "The people saw whole faces alone" in text and "AlexNet (objects): d′" in text
    assert (
        "lost when hidden: eyes" in text and "mouth" in text and "not told from a flat" not in text
    )
    scope = findings.scope_text(profiles)
    assert scope.startswith("6 faces at 9 levels, 3 training runs") and "seeds and faces" in scope


def test_differences_are_called_clear_alike_or_open():
    rows = pd.DataFrame(
        [
            {**WHO, "against": "people", "part": part, "value": v, "low": low, "high": high}
            for part, v, low, high in (
                ("eyes", 0.5, 0.3, 0.7),
                ("nose", 0.0, -0.1, 0.1),
                ("mouth", 0.2, -0.1, 0.5),
            )
        ]
    ).assign(compared="hidden part alone", reason="over seeds and people")
    text = findings.difference_text(rows, 0.25)
    assert "eyes +0.50 [+0.30, +0.70] (differs)" in text
    assert "nose +0.00 [-0.10, +0.10] (alike, within the margin)" in text and "(open)" in text
    assert "less people (hidden part alone; over seeds and people):" in text
    assert "nobody" in findings.difference_text(rows[:0], 0.25)
    rows[["value", "low", "high"]] = float("nan")
    unknown = findings.difference_text(rows, 0.25)
    assert unknown.endswith(": not known.") and "nan" not in unknown


def test_the_part_that_pushes_is_named_with_the_pole_that_it_speaks_for():
    table = networks(dict.fromkeys(CONDITIONS, 4.0), offsets={"mouth": -3.0, "eyes": 3.0})
    text = findings.shift_text(part_profiles(table), ("angry", "happy"))
    mouth, eyes = text.index("hiding the mouth"), text.index("hiding the eyes")
    assert "it speaks for happy" in text[mouth:] and "it speaks for angry" in text[eyes:mouth]
    assert "fully angry faces" in text and "sad" not in text


def test_bubbles_say_how_many_trials_and_whether_they_name_the_part_that_costs_most(profiles):
    rows = pd.DataFrame([{**WHO, "n_trials": 1200, "smallest": 0.11}])
    marks = pd.DataFrame(
        [
            {**WHO, "part": part, "mean": z, "n_marked": n, "n_units": 3}
            for part, z, n in (("eyes", 0.5, 0), ("mouth", 4.0, 3))
        ]
    )
    text = findings.bubble_text(rows, marks, profiles)
    assert "1,200 trials" in text and "0.11" in text and "mouth in 3 of 3 seeds" in text
    assert "hiding it costs most" in text
    other = findings.bubble_text(rows, marks.assign(mean=[5.0, 4.0]), profiles)
    assert "most on the eyes; hiding it costs less than hiding the mouth" in other
    assert "No network" in findings.bubble_text(rows[:0], marks[:0], profiles)


def test_read_outs_name_the_best_layer_and_say_where_there_is_nothing():
    rows = pd.DataFrame(
        [
            {**WHO, "layer": layer, "accuracy": value, "chance_high": 0.6, "n": 200}
            for layer, value in (("conv1", 0.55), ("fc6", 0.9))
        ]
    )
    assert (
        "best read from fc6 (0.90; chance reaches 0.60), from conv1 0.55"
        in findings.readout_text(rows)
    )
    assert "nowhere beyond chance" in findings.readout_text(rows.assign(accuracy=0.5))


def test_put_in_and_found_have_ticks_and_crosses():
    rows = pd.DataFrame(
        {"what": ["a", "b"], "put_in": "x", "found": "y", "ok": [True, False], "note": ["", "why"]}
    )
    assert "| a | x | y | ✓ |  |" in findings.truth_text(rows) and "✗ | why" in findings.truth_text(
        rows
    )


def test_the_finding_names_parts_comparison_and_verdict(profiles):
    claim = pd.DataFrame([{"verdict": "partly"}])
    fe = dict(zip(CONDITIONS, (6, 1, 6, 5, 6), strict=True))
    table = pd.concat([networks(GAINS), networks(fe, architecture="fe_alexnet")])
    both, apart = part_profiles(table), profile_differences(table)
    text = findings.found_text(both, apart, claim, simulated=True)
    assert "AlexNet (objects) the mouth" in text and "FE-AlexNet (objects) the eyes" in text
    assert "2 of 2 parts of profiles differ from AlexNet's" in text and "**partly**" in text
    flat = part_profiles(networks(dict.fromkeys(CONDITIONS, 4.0)))
    assert "told from a flat one" in findings.found_text(flat, apart[:0], claim, simulated=True)
