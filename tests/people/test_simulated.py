"""Simulated people: parameters come back, parts do what they are set to do, everybody sees
everything.
"""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import norm

from lib.people.simulated import (
    chance_of_happy,
    count_table,
    people,
    simulate_people,
    simulated_parameters,
)
from lib.settings.loading import load_study

LEVELS = np.linspace(0, 1, 11).round(2)


def stimuli(conditions=("full", "eyes", "nose", "mouth"), identities=3):
    rows = [
        (f"id{i:02d}_{c}_{x:.2f}", f"id{i:02d}", x, c)
        for i in range(identities)
        for c in conditions
        for x in LEVELS
    ]
    return pd.DataFrame(rows, columns=["stimulus", "identity", "level", "condition"])


def study(**simulated):
    return load_study(
        "data/studies/smoke.yaml", {f"observers.simulated.{k}": v for k, v in simulated.items()}
    )


def fitted(counts):
    """Location and scale of a cumulative Gaussian by maximum likelihood: an independent fit."""

    def loss(parameters):
        p = norm.cdf((counts["level"] - parameters[0]) / np.exp(parameters[1])).clip(1e-6, 1 - 1e-6)
        return -(
            counts["n_happy"] * np.log(p) + (counts["n"] - counts["n_happy"]) * np.log(1 - p)
        ).sum()

    best = minimize(loss, [0.5, np.log(0.1)], method="Nelder-Mead")
    return best.x[0], np.exp(best.x[1])


def test_pse_and_scale_come_back_for_the_whole_face_and_for_hidden_parts():
    chosen = study(
        n=4,
        trials_per_level=600,
        pse_mean=0.47,
        pse_sd=0,
        scale_mean=0.11,
        scale_log_sd=0,
        lapse_max=0,
        part_pse_shift={"mouth": 0.09},
        part_scale_factor={"mouth": 1.7, "eyes": 1.2},
    )
    trials = simulate_people(chosen, stimuli())
    for condition, shift, factor in (
        ("full", 0, 1),
        ("nose", 0, 1),
        ("eyes", 0, 1.2),
        ("mouth", 0.09, 1.7),
    ):
        pse, scale = fitted(count_table(trials[trials["condition"] == condition]))
        assert pse == pytest.approx(0.47 + shift, abs=0.01), condition
        assert scale == pytest.approx(0.11 * factor, rel=0.06), condition


def test_the_group_has_the_asked_mean_and_spread():
    persons = simulated_parameters(
        study(n=4000, pse_mean=0.514, pse_sd=0.092).observers.simulated, np.random.default_rng(0)
    )
    assert persons["pse"].mean() == pytest.approx(0.514, abs=0.005)
    assert persons["pse"].std() == pytest.approx(0.092, abs=0.004)
    assert persons["lapse"].between(0, 0.04).all() and persons["observer"].is_unique


def test_the_pse_is_where_the_curve_crosses_one_half_whatever_the_lapses():
    for guess, lapse in ((0, 0), (0.04, 0.0), (0.01, 0.2)):
        assert chance_of_happy(0.42, 0.42, 0.1, guess, lapse) == pytest.approx(0.5, abs=1e-12)
    assert chance_of_happy(-5, 0.5, 0.1, 0.03, 0.1) == pytest.approx(0.03)
    assert chance_of_happy(5, 0.5, 0.1, 0.03, 0.1) == pytest.approx(0.9)


@pytest.mark.parametrize("per_level", [2, 3, 7])
def test_everyone_answers_every_level_equally_often_spread_over_the_identities(per_level):
    trials = simulate_people(study(n=5, trials_per_level=per_level), stimuli())
    assert (trials.groupby(["observer", "condition", "level"]).size() == per_level).all()
    shown = (
        trials.groupby(["observer", "condition", "level", "identity"]).size().unstack(fill_value=0)
    )
    assert (shown.max(axis=1) - shown.min(axis=1) <= 1).all()
    assert trials.groupby("identity").size().min() > 0


def test_the_same_seed_gives_the_same_people_and_another_does_not():
    one, again, other = (simulate_people(study(n=3, seed=seed), stimuli()) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, again)
    assert not one["response"].equals(other["response"])


def test_without_a_file_the_people_are_simulated_and_say_so():
    trials, report = people(study(n=3), stimuli())
    assert set(trials["kind"]) == {"simulated"} and report["rule"].tolist() == ["simulated"]
    assert (trials["architecture"] == "").all() and trials["p_happy"].isna().all()
    assert report["trials"].item() == len(trials)
