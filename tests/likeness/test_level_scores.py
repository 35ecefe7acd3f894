"""Distance of PSEs and ratio of slopes, and what they are without each person and identity."""

import numpy as np
import pandas as pd
import pytest
from made_trials import stimuli

from lib.likeness import human_likeness
from lib.likeness.level_scores import NetworksCurves, PeoplesCurves, delta_pse_z, slope_ratio
from lib.people.simulated import simulate_people
from lib.people.trials import trial_table
from lib.settings.loading import load_study

SEEDS = np.array(["0", "1"])
NONE = np.empty((0, 2))


def people(pse, slope=(1.0,)):
    return PeoplesCurves(np.array(pse, float), np.array(slope, float), None)


def networks(pse=(0.5, 0.5), slope=(2.0, 2.0), pse_without=NONE):
    chance = np.empty((2, 2, 0))
    return NetworksCurves(SEEDS, np.array(pse), np.array(slope), chance, pse_without, NONE, None)


def test_delta_pse_z_by_hand():
    found = delta_pse_z(people([0.4, 0.5, 0.6, np.nan]), networks([0.55, 0.6]))
    assert found.value == pytest.approx([0.5, 1.0])
    # without the first person: mean .55, SD .0707
    assert found.people[0] == pytest.approx([0, 0.05 / np.std([0.5, 0.6], ddof=1)])
    assert len(found.people) == 3


def test_slope_ratio_goes_by_the_geometric_mean():
    found = slope_ratio(people([0.5] * 3, [1.0, 2.0, 4.0]), networks())
    assert found.value == pytest.approx([1.0, 1.0])
    assert found.people[:, 0] == pytest.approx([2 / 8**0.5, 2 / 2, 2 / 2**0.5])


def test_identities_are_left_out_of_the_networks_alone():
    left = np.array([[0.6, 0.6], [0.4, 0.5]])
    found = delta_pse_z(people([0.4, 0.5, 0.6]), networks(pse_without=left))
    assert found.identities == pytest.approx((left - 0.5) / 0.1)


def test_fault_9_a_missing_slope_stays_missing():
    found = slope_ratio(people([0.5] * 3, [1.0, 2.0, np.nan]), networks(slope=(1.0, np.nan)))
    assert np.isnan(found.value[1]) and np.isnan(found.interval().low)
    assert found.mean == pytest.approx(1 / 2**0.5)
    assert found.interval().reason == "1 of 2 seeds have no value"


@pytest.mark.parametrize("steep", [3.0, 30.0])
def test_a_network_that_knows_the_level_is_as_steep_as_people_together(steep):
    """The noise that is fitted to people's choices holds how far their PSEs lie apart."""
    pictures = stimuli(identities=4, levels=21, conditions=("full",))
    study = load_study("data/studies/demo.yaml", "observers.simulated.n=60")
    people = simulate_people(study, pictures).assign(kind="human")
    z = steep * (pictures["level"] - 0.5)
    names = {"kind": "cnn", "architecture": "alexnet", "pretraining": "objects", "seed": 0}
    answers = {"log_odds": z, "p_happy": 1 / (1 + np.exp(-z)), "response": (z > 0) * 1.0}
    network = trial_table(**pictures, observer="alexnet-s0", **names, **answers)
    trials = pd.concat([people, network], ignore_index=True)
    scores = human_likeness(trials, study.statistics).set_index("metric")
    assert scores.loc["slope_ratio", "value"] == pytest.approx(1, abs=0.1)
