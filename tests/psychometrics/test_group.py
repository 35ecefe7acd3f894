"""Partial pooling: it recovers the group, helps where trials are few, and leaves well-measured
observers alone.
"""

import numpy as np
import pytest

from lib.psychometrics.fitting import fit_group, fit_psychometric
from lib.psychometrics.group import _error_of_mean
from lib.psychometrics.sigmoids import both_tails

LEVEL = np.linspace(0, 1, 21)
MEAN, SPREAD = np.array([0.514, np.log(0.12)]), np.array([0.092, 0.3])


def group(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Parameters (n, 4) of a group with known mean and spread, and their curves (n, L)."""
    rng = np.random.default_rng(seed)
    parameters = np.concatenate(
        [MEAN + SPREAD * rng.normal(size=(n, 2)), rng.uniform(0, 0.04, (n, 2))], 1
    )
    return parameters, both_tails(parameters, LEVEL, "norm")[0]


def test_mean_and_spread_of_the_group_come_back():
    found = []
    for seed in range(6):
        rng = np.random.default_rng(1000 + seed)
        fit = fit_group(LEVEL, rng.binomial(4, group(60, seed)[1]), 4)
        found.append([*(fit.mean - MEAN) / fit.mean_error, *np.sqrt(np.diag(fit.covariance))])
    found = np.array(found)
    assert np.abs(found[:, 0]).max() < 4 and np.abs(found[:, 0].mean()) < 1.3  # in standard errors
    assert found[:, 2].mean() == pytest.approx(SPREAD[0], rel=0.2)
    assert found[:, 3].mean() == pytest.approx(SPREAD[1], rel=0.3)


@pytest.mark.parametrize("trials", [2, 20])
def test_the_error_of_the_groups_mean_is_what_it_says(trials):
    """Many groups: the mean, in its own standard errors, has a spread of 1, with few trials a
    level as with many.
    """
    away = []
    for seed in range(25):
        fit = fit_group(
            LEVEL, np.random.default_rng(seed).binomial(trials, group(30, seed)[1]), trials
        )
        away.append((fit.mean[0] - MEAN[0]) / fit.mean_error[0])
    assert np.sqrt(np.mean(np.square(away))) == pytest.approx(1, abs=0.35)


def test_the_groups_error_by_hand_in_one_dimension():
    """Spread 1, answers that alone leave variance 3: each person counts 1 / (1 + 3), so 4
    people give an error of 1.
    """
    posterior = np.tile(np.diag([1 / (1 / 3 + 1), 1 / (1 / 3 + 1)]), (4, 1, 1))
    assert _error_of_mean(np.eye(2), posterior) == pytest.approx([1, 1])


def test_resampled_observers_are_drawn_towards_the_group_too():
    """Two trials a level: alone a curve's interval is wide, in its group narrower; and both
    hold the pooled value.
    """
    _, psi = group(40, 7)
    happy = np.random.default_rng(7).binomial(2, psi)
    pooled, alone = fit_group(LEVEL, happy, 2).fit, fit_psychometric(LEVEL, happy, 2)
    ends = [fit.bootstrap(100, np.random.default_rng(8))["pse"] for fit in (pooled, alone)]
    widths = [np.nanmedian(high - low) for low, high in ends]
    assert widths[0] < 0.9 * widths[1]
    assert np.nanmean((ends[0][0] <= pooled.pse) & (pooled.pse <= ends[0][1])) > 0.9
    assert pooled[:3].prior is pooled.prior and alone.prior is None


def test_pooling_halves_the_error_of_the_scale_with_two_trials_a_level():
    parameters, psi = group(200, 0)
    happy = np.random.default_rng(1).binomial(2, psi)
    pooled, alone = fit_group(LEVEL, happy, 2).fit, fit_psychometric(LEVEL, happy, 2)

    def error(fit, column, values):
        return np.sqrt(np.nanmean((values - parameters[:, column]) ** 2))

    assert error(pooled, 0, pooled.location) < 0.93 * error(alone, 0, alone.location)
    assert error(pooled, 1, np.log(pooled.scale)) < 0.75 * error(alone, 1, np.log(alone.scale))


def test_shrinkage_goes_from_all_without_trials_to_none_with_many():
    _, psi = group(12, 2)
    n = np.repeat([[0], [2], [20], [5000]], 3, axis=0) * np.ones(21)
    fit = fit_group(LEVEL, np.round(psi * n), n)
    assert fit.shrinkage[:3] == pytest.approx(1)
    assert (np.diff(fit.shrinkage[[0, 3, 6, 9]]) < 0).all() and fit.shrinkage[9:].max() < 0.01
    assert fit.fit.pse[:3] == pytest.approx(fit.fit.pse[0]) and fit.fit.location[
        0
    ] == pytest.approx(fit.mean[0])
    alone = fit_psychometric(LEVEL, np.round(psi * n)[9:], 5000)
    assert fit.fit.pse[9:] == pytest.approx(alone.pse, abs=2e-3)


def test_alike_observers_have_hardly_any_spread():
    happy = np.tile(np.random.default_rng(3).binomial(40, group(1, 3)[1]), (10, 1))
    fit = fit_group(LEVEL, happy, 40)
    assert np.sqrt(fit.covariance[0, 0]) < 0.01
    assert np.ptp(fit.fit.pse) < 1e-6


def test_a_reversed_observer_is_left_out_with_a_reason():
    happy = np.random.default_rng(4).binomial(10, group(8, 4)[1])
    happy[0] = happy[0][::-1]
    fit = fit_group(LEVEL, happy, 10)
    assert (
        "reversed" in fit.fit.reason[0]
        and np.isnan(fit.fit.pse[0])
        and np.isfinite(fit.fit.pse[1:]).all()
    )


def test_too_small_a_group_is_refused():
    happy = np.random.default_rng(5).binomial(10, group(2, 5)[1])
    with pytest.raises(ValueError, match="at least three"):
        fit_group(LEVEL, happy, 10)
