"""Intervals hold the truth as often as they say, and the goodness-of-fit test is fair and sees
a misfit.
"""

import numpy as np
import pytest

from lib.psychometrics.fitting import compare_fits, fit_psychometric
from lib.psychometrics.likelihood import both_tails
from lib.psychometrics.resampling import _difference, shown
from lib.psychometrics.result import derived

LEVEL = np.linspace(0, 1, 21)


def observers(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """psi (n, L), true PSE and true slope of observers drawn from the published group figures."""
    parameters = np.stack(
        [
            rng.normal(0.514, 0.092, n),
            np.log(0.12) + 0.3 * rng.normal(size=n),
            rng.uniform(0, 0.04, n),
            rng.uniform(0, 0.04, n),
        ],
        1,
    )
    pse, slope, _ = derived(parameters, "norm")
    return both_tails(parameters, LEVEL, "norm")[0], pse, slope


@pytest.mark.slow
@pytest.mark.parametrize("trials", [10, 40])
def test_a_thousand_observers_are_recovered_with_honest_intervals(trials):
    rng = np.random.default_rng(trials)
    psi, pse, _ = observers(rng, 1000)
    fit = fit_psychometric(LEVEL, rng.binomial(trials, psi), trials)
    low, high = fit.bootstrap(200, rng)["pse"]
    assert abs(np.nanmean(fit.pse - pse)) < 0.005
    assert 0.93 <= np.mean((low <= pse) & (pse <= high)) <= 0.97


def test_goodness_of_fit_is_uniform_for_data_of_the_model_and_small_for_asymptotes_out_of_bounds():
    rng = np.random.default_rng(0)
    psi, *_ = observers(rng, 200)
    p = fit_psychometric(LEVEL, rng.binomial(40, psi), 40).goodness_of_fit(100, rng)
    assert 0.01 < (p < 0.05).mean() < 0.11  # 10 of 200 expected
    far = 0.35 + 0.5 / (1 + np.exp(-(LEVEL - 0.5) / 0.02))  # asymptotes at 0.35 and 0.85
    assert fit_psychometric(LEVEL, far * 100, 100).goodness_of_fit(100, rng) < 0.05
    assert (
        fit_psychometric(LEVEL, far * 100, 100, guess=(0, 0.5), lapse=(0, 0.5)).goodness_of_fit(
            100, rng
        )
        > 0.2
    )


def four_levels(rng: np.random.Generator, n: int):
    """People who answered 66 times at 0, at two levels near their own threshold, and at 1: fits,
    and true PSE and slope.
    """
    level = np.linspace(0, 1, 201)
    scale = 0.08 * np.exp(rng.normal(0, 0.3, n))
    place = rng.normal(0.48, 0.075, n)
    gaps = rng.uniform(0, 0.03, (2, n))
    parameters = np.stack([place, np.log(scale), *gaps], 1)
    pse, slope, _ = derived(parameters, "norm")
    asked = np.zeros((n, 201))
    asked[:, [0, -1]] = 66
    for away in (-0.04, 0.04):
        near = np.round(200 * (place + away + rng.normal(0, 0.02, n))).astype(int)
        asked[np.arange(n), np.clip(near, 1, 199)] += 66
    psi = both_tails(parameters, level, "norm")[0]
    return fit_psychometric(level, rng.binomial(asked.astype(int), psi), asked), pse, slope


def test_four_personal_levels_give_honest_intervals_and_nothing_to_test_the_form_with():
    rng = np.random.default_rng(11)
    fit, pse, slope = four_levels(rng, 150)
    ends = fit.bootstrap(150, rng)
    for name, truth in (("pse", pse), ("slope", slope)):
        low, high = ends[name]
        assert 0.9 <= np.mean((low <= truth) & (truth <= high)) <= 0.99
    assert abs(np.mean(fit.pse - pse)) < 0.005
    assert np.isnan(fit.goodness_of_fit(20, rng)).all()


def test_nobody_is_resampled_at_levels_never_shown():
    fit, *_ = four_levels(np.random.default_rng(12), 5)
    own = shown(fit)
    assert own.level.shape == (5, 4) and (own.n > 0).sum() in (19, 20)
    for k in range(5):
        asked = fit.n[k] > 0
        assert set(own.level[k][own.n[k] > 0]) == set(fit.level[asked])
        assert own.happy[k].sum() == fit.n_happy[k].sum()


def test_one_level_has_no_interval_and_no_crash():
    fit = fit_psychometric([0.5], [3], [6])
    assert fit.reason == "only one level has trials"
    assert np.isnan(fit.bootstrap(20, np.random.default_rng(0))["pse"]).all()


def test_samples_without_a_value_count_neither_for_nor_against_a_difference():
    gap = np.array([[1.0], [2.0], [np.nan], [3.0], [np.nan]])
    assert _difference(np.array([2.0]), gap, 2.5)["p"] == pytest.approx(2 / 4)


def test_comparison_finds_a_difference_and_none_in_a_copy():
    rng = np.random.default_rng(1)
    psi, pse, _ = observers(rng, 2)
    a, b = (fit_psychometric(LEVEL, p * 200, 200) for p in psi)
    found = compare_fits(a, b, rng=rng)["pse"]
    assert found["low"] < pse[0] - pse[1] < found["high"]
    same = compare_fits(a, a, rng=rng)["pse"]
    assert same["difference"] == 0 and same["low"] < 0 < same["high"] and same["p"] > 0.5


def test_one_fit_is_compared_with_many_and_other_shapes_are_refused():
    rng = np.random.default_rng(2)
    psi, *_ = observers(rng, 5)
    many, few = fit_psychometric(LEVEL, psi * 40, 40), fit_psychometric(LEVEL, psi[:2] * 40, 40)
    assert compare_fits(fit_psychometric(LEVEL, psi[0] * 40, 40), many, rng=rng, n_boot=50)[
        "slope"
    ]["p"].shape == (5,)
    with pytest.raises(ValueError, match="one shape"):
        compare_fits(many, few, rng=rng)


def test_a_fit_without_value_gets_no_interval():
    fit = fit_psychometric(LEVEL, np.full(21, 5.0), 10)
    ends = fit.bootstrap(20, np.random.default_rng(3))
    assert np.isnan(ends["pse"]).all() and np.isnan(
        fit.goodness_of_fit(20, np.random.default_rng(3))
    )


def test_the_two_kinds_agree_where_the_model_is_true_and_others_are_refused():
    rng = np.random.default_rng(4)
    psi, *_ = observers(rng, 1)
    fit = fit_psychometric(LEVEL, rng.binomial(60, psi), 60)
    widths = [
        np.diff(np.ravel(fit.bootstrap(400, rng, kind=kind)["pse"]))
        for kind in ("parametric", "nonparametric")
    ]
    assert widths[0] == pytest.approx(widths[1], rel=0.4)
    with pytest.raises(ValueError, match="parametric, nonparametric"):
        fit.bootstrap(10, rng, kind="bayes")
