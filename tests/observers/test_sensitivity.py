"""d', AUC and criterion: by hand, against scipy, and on the same scale for people and networks."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from lib.observers.sensitivity import of_choices, of_log_odds, thirds


def test_thirds_of_the_axis():
    low, middle, high = thirds(np.linspace(0, 1, 21))
    assert (low.sum(), middle.sum(), high.sum()) == (7, 7, 7)
    assert [t.sum() for t in thirds([0, 1 / 3, 0.5, 2 / 3, 1])] == [2, 1, 2]


def test_log_odds_by_hand_and_by_sklearn():
    level = np.array([0.0, 0.1, 0.5, 0.5, 0.9, 1.0])
    z = np.array([-1.0, 1.0, 0.5, 1.5, 2.0, 4.0])
    found = of_log_odds(level, z)
    assert found["sensitivity"] == pytest.approx(3 / np.sqrt(2))  # pooled variance (2 + 2) / 2
    assert found["criterion"] == pytest.approx(1 / np.sqrt(2))
    rng = np.random.default_rng(1)
    level, z = rng.uniform(0, 1, 400), rng.normal(0, 1, 400)
    low, _, high = thirds(level)
    ends = low | high
    assert of_log_odds(level, z)["auc"] == pytest.approx(roc_auc_score(high[ends], z[ends]))


def test_a_scale_of_the_log_odds_changes_nothing():
    rng = np.random.default_rng(2)
    level = rng.uniform(0, 1, 200)
    z = 2 * level + rng.normal(0, 1, 200)
    assert of_log_odds(level, z) == pytest.approx(of_log_odds(level, 7 * z))


def test_nothing_to_tell_gives_nan():
    assert np.isnan(list(of_log_odds([0.5, 0.5], [1.0, 2.0]).values())).all()
    constant = of_log_odds([0, 0.1, 0.9, 1], [1.0, 1, 1, 1])
    assert np.isnan(constant["sensitivity"]) and constant["auc"] == 0.5


def test_choices_have_hautus_correction():
    found = of_choices([0, 0.5, 1], [0, 6, 10], [10, 10, 10])
    expected = stats.norm.ppf(10.5 / 11) - stats.norm.ppf(0.5 / 11)
    assert found["sensitivity"] == pytest.approx(expected)
    assert found["criterion"] == pytest.approx(stats.norm.ppf(6.5 / 11))
    assert found["auc"] == pytest.approx(stats.norm.cdf(expected / np.sqrt(2)))
    assert np.isnan(of_choices([0, 1], [0, 10], [10, 10])["criterion"])


def test_intervals_of_choices_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(3)
    happy = rng.binomial(60, np.tile([0.2, 0.5, 0.9], (3000, 1)))
    found = of_choices([0, 0.5, 1], happy, np.full((3000, 3), 60))
    truth = stats.norm.ppf(0.9) - stats.norm.ppf(0.2)
    held = (found["sensitivity_low"] < truth) & (truth < found["sensitivity_high"])
    assert held.mean() == pytest.approx(0.95, abs=0.015)
