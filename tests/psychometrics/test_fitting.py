"""Fits against scipy and psignifit, by hand, in recovery, and on data that carry no
psychometric function.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lib.psychometrics import fitting as psychometrics
from lib.psychometrics.fitting import PsychometricFit, fit_psychometric

REFERENCE = Path(__file__).parents[1] / "reference"
LEVEL = np.linspace(0, 1, 21)
SIX = np.linspace(0, 1, 6)


def numbers(text: str) -> np.ndarray:
    return np.array(text.split(), float)


def psi(level, location=0.5, scale=0.12, guess=0.02, lapse=0.03, cdf=stats.norm.cdf) -> np.ndarray:
    return guess + (1 - guess - lapse) * cdf((np.asarray(level) - location) / scale)


# oracle

SCIPY_FILE = REFERENCE / "scipy_fits.csv"  # made by make_scipy_fits.py


@pytest.mark.parametrize("penalty, gap", [(0.0, 0.05), (1.0, 0.05), (0.0, 0.5)])
def test_never_worse_than_many_starts_of_scipy(penalty, gap):
    if not SCIPY_FILE.is_file():
        pytest.skip("scipy_fits.csv is not made yet: python tests/reference/make_scipy_fits.py")
    scipy_fits = pd.read_csv(SCIPY_FILE)
    rows = scipy_fits[(scipy_fits["penalty"] == penalty) & (scipy_fits["gap"] == gap)]
    happy, n = (np.array([numbers(t) for t in rows[name]]) for name in ("happy", "n"))
    fit = fit_psychometric(LEVEL, happy, n, guess=(0, gap), lapse=(0, gap), penalty=penalty)
    assert len(rows) == (100 if gap == 0.5 else 400)
    assert (fit.objective - rows["objective"].to_numpy()).max() < 1e-3
    same = rows["unique"].to_numpy(bool) & np.isfinite(fit.pse)
    assert same.sum() > 0.8 * len(rows)
    assert np.abs(fit.pse - rows["pse"].to_numpy())[same].max() < 0.002


def test_the_objective_is_the_stated_one():
    happy = np.array([0, 1, 0, 2, 3, 3, 6, 8, 10, 9, 10.0])
    level, n = np.linspace(0, 1, 11), 10.0
    fit = fit_psychometric(level, happy, n)
    p = psi(level, fit.location, fit.scale, fit.guess, fit.lapse)
    likelihood = (
        stats.binom.logpmf(happy, n, p).sum() - stats.binom.logpmf(happy, n, happy / n).sum()
    )
    saturated = (
        np.where(happy > 0, happy * np.log(np.maximum(happy, 1) / n), 0).sum()
        + np.where(happy < n, (n - happy) * np.log(np.maximum(n - happy, 1) / n), 0).sum()
    )
    priors = (
        0.5 * (fit.location - 0.5) ** 2
        + 0.5 * np.log(fit.scale / 0.15) ** 2
        - 9 * np.log(1 - fit.guess)
        - 9 * np.log(1 - fit.lapse)
    )
    assert fit.objective == pytest.approx(-likelihood - saturated + priors, abs=1e-9)
    assert fit.deviance == pytest.approx(-2 * likelihood, abs=1e-9)


PSIGNIFIT = pd.read_csv(REFERENCE / "psignifit_fits.csv").to_dict("records")


@pytest.mark.parametrize("row", PSIGNIFIT, ids=[row["name"] for row in PSIGNIFIT])
def test_agrees_with_psignifit(row):
    fit = fit_psychometric(numbers(row["level"]), numbers(row["happy"]), row["n"])
    assert abs(fit.pse - row["threshold"]) < 0.25 * (row["high"] - row["low"])


# recovery


@pytest.mark.parametrize(
    "sigmoid, cdf", [("norm", stats.norm.cdf), ("logistic", stats.logistic.cdf)]
)
@pytest.mark.parametrize(
    "location, scale, guess, lapse",
    [(0.5, 0.1, 0, 0), (0.35, 0.05, 0.04, 0.01), (0.62, 0.2, 0.2, 0.35)],
)
def test_expected_counts_give_the_parameters_back(sigmoid, cdf, location, scale, guess, lapse):
    n = 1e6
    happy = n * psi(LEVEL, location, scale, guess, lapse, cdf)
    fit = fit_psychometric(LEVEL, happy, n, sigmoid=sigmoid, guess=(0, 0.5), lapse=(0, 0.5))
    found = [fit.location, fit.scale, fit.guess, fit.lapse]
    assert found == pytest.approx([location, scale, guess, lapse], abs=2e-3)
    x = np.linspace(0, 1, 100_001)
    curve = fit.curve(x)
    assert np.interp(0.5, curve, x) == pytest.approx(fit.pse, abs=1e-5)
    assert np.interp(fit.pse, x, np.gradient(curve, x)) == pytest.approx(fit.slope, rel=1e-4)
    if guess < 0.25 and lapse < 0.25:
        assert np.diff(np.interp([0.25, 0.75], curve, x))[0] / 2 == pytest.approx(fit.jnd, rel=1e-4)


# hand cases


def test_symmetric_answers_have_their_pse_in_the_middle():
    fit = fit_psychometric(SIX, [1, 2, 8, 24, 30, 31], 32)
    assert fit.pse == pytest.approx(0.5, abs=1e-6) and fit.reason == "" and fit.converged
    assert fit.guess == pytest.approx(fit.lapse, abs=1e-6)


def test_the_pse_is_the_crossing_of_one_half_not_the_location():
    fit = fit_psychometric(LEVEL, 1000 * psi(LEVEL, guess=0.3, lapse=0), 1000, guess=0.3, lapse=0)
    assert fit.location == pytest.approx(0.5, abs=2e-3)
    assert fit.pse == pytest.approx(0.5 + 0.12 * stats.norm.ppf(0.2 / 0.7), abs=2e-3)


@pytest.mark.parametrize(
    "happy, n, why",
    [
        ([16] * 6, 32, "flat"),
        ([20, 12, 18, 14, 17, 15], 32, "flat"),
        ([31, 30, 24, 8, 2, 1], 32, "reversed"),
        ([0] * 6, 0, "no trials"),
        ([32] * 6, 32, "every answer is happy"),
        ([0] * 6, 32, "every answer is sad"),
        ([0, 0, 16, 0, 0, 0], [0, 0, 32, 0, 0, 0], "only one level"),
    ],
)
@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_data_without_a_curve_give_nan_and_a_reason(happy, n, why, penalty):
    fit = fit_psychometric(SIX, happy, n, penalty=penalty)
    assert why in fit.reason
    assert np.isnan([fit.location, fit.scale, fit.pse, fit.slope, fit.jnd, fit.deviance]).all()
    assert np.isnan(fit.curve([0.5])).all() and not np.any(fit.converged)


def test_a_pse_beyond_the_levels_is_not_given():
    fit = fit_psychometric(SIX, [20, 22, 24, 26, 28, 30], 32)
    assert (
        "outside the levels tested" in fit.reason and np.isnan([fit.pse, fit.slope, fit.jnd]).all()
    )
    assert np.isfinite([fit.location, fit.deviance]).all()


def test_a_curve_that_stays_above_one_half_has_no_pse():
    fit = fit_psychometric(
        LEVEL, 200 * psi(LEVEL, guess=0.6, lapse=0.01), 200, guess=(0, 0.7), lapse=(0, 0.1)
    )
    assert "does not cross 0.5" in fit.reason and np.isnan(fit.pse) and np.isnan(fit.slope)


def test_a_jnd_beyond_an_asymptote_is_not_given_but_the_pse_is():
    fit = fit_psychometric(
        LEVEL, 500 * psi(LEVEL, guess=0.3, lapse=0.1), 500, guess=(0, 0.5), lapse=(0, 0.5)
    )
    assert (
        np.isfinite(fit.pse)
        and np.isfinite(fit.slope)
        and np.isnan(fit.jnd)
        and "jnd" in fit.reason
    )


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_step_has_a_pse_but_no_slope(penalty):
    fit = fit_psychometric(SIX, [0, 0, 0, 32, 32, 32], 32, penalty=penalty)
    assert 0.4 < fit.pse < 0.6 and np.isnan(fit.slope) and "step" in fit.reason


# invariants


def test_any_leading_shape_and_each_data_set_as_if_alone():
    rng = np.random.default_rng(0)
    happy = rng.binomial(10, psi(LEVEL), (2, 3, 21))
    fit = fit_psychometric(LEVEL, happy, 10)
    assert fit.pse.shape == fit.reason.shape == fit.converged.shape == (2, 3)
    assert fit.curve([0.1, 0.2]).shape == (2, 3, 2)
    for i in np.ndindex(2, 3):
        alone = fit_psychometric(LEVEL, happy[i], 10)
        assert isinstance(alone, PsychometricFit) and np.ndim(alone.pse) == 0
        assert [fit.pse[i], fit.slope[i]] == pytest.approx([alone.pse, alone.slope], abs=1e-5)
        assert fit[i].pse == fit.pse[i]


def test_order_of_levels_and_levels_not_shown_change_nothing():
    rng = np.random.default_rng(1)
    happy = rng.binomial(10, psi(LEVEL))
    fit, order = fit_psychometric(LEVEL, happy, 10), rng.permutation(21)
    assert fit_psychometric(LEVEL[order], happy[order], 10).pse == pytest.approx(fit.pse, abs=1e-5)
    wider, n = np.append(LEVEL, [-1.0, 2.0]), np.append(np.full(21, 10), [0, 0])
    more = fit_psychometric(wider, np.append(happy, [0, 0]), n)
    assert [more.pse, more.slope, more.objective] == pytest.approx(
        [fit.pse, fit.slope, fit.objective], rel=1e-4
    )


def test_mirrored_answers_mirror_the_curve():
    happy = np.random.default_rng(2).binomial(12, psi(LEVEL, 0.4))
    fit, mirrored = (fit_psychometric(LEVEL, k, 12) for k in (happy, (12 - happy)[::-1]))
    assert mirrored.pse == pytest.approx(1 - fit.pse, abs=1e-5) and mirrored.guess == pytest.approx(
        fit.lapse, abs=1e-4
    )


def test_more_trials_narrow_the_interval():
    rng = np.random.default_rng(3)
    widths = [
        np.ptp(fit_psychometric(LEVEL, n * psi(LEVEL), n).bootstrap(300, rng)["pse"])
        for n in (10, 160)
    ]
    assert 2.5 < widths[0] / widths[1] < 6  # a quarter, as the square root of 16 has it


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"n_happy": [1, 2, 3]}, "3"),
        ({"n_happy": [11] * 6}, "0 <= n_happy <= n"),
        ({"n_happy": [-1] * 6}, "index"),
        ({"n_happy": [np.nan] * 6}, "finite"),
        ({"sigmoid": "probit"}, "norm, logistic"),
        ({"guess": (0.1, 0.05)}, "low"),
        ({"lapse": (0, 1.5)}, "high < 1"),
        ({"penalty": -1}, "penalty"),
        ({"level": [[0, 1]]}, "levels"),
        ({"guess": (0, 0.7), "lapse": (0, 0.7)}, "together"),
    ],
)
def test_wrong_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        fit_psychometric(**{"level": SIX, "n_happy": [1, 2, 3, 7, 8, 9], "n": 10} | arguments)


def test_no_levels_at_all_are_empty_data_in_their_shape():
    for fit, shape in (
        (fit_psychometric([], [], []), ()),
        (fit_psychometric([], *np.zeros((2, 4, 0))), (4,)),
    ):
        assert np.shape(fit.pse) == shape and np.isnan(fit.pse).all() and not np.any(fit.converged)
        assert np.ravel(fit.reason)[0].startswith("empty")


def test_a_curve_at_one_number_is_one_number_a_fit():
    fit = fit_psychometric(LEVEL, np.tile(10 * stats.norm.cdf((LEVEL - 0.5) / 0.1), (2, 1)), 10)
    assert fit.curve(0.5).shape == (2,) and np.array_equal(fit.curve(0.5), fit.curve([0.5])[:, 0])


def test_many_fits_are_made_block_by_block_with_the_same_results(monkeypatch):
    happy = np.random.default_rng(9).binomial(10, psi(LEVEL), (4, 3, 21))
    happy[1, 2], happy[3, 0] = 0, 10
    whole = fit_psychometric(LEVEL, happy, 10)
    monkeypatch.setattr(psychometrics, "BLOCK", 5)
    blocks = fit_psychometric(LEVEL, happy, 10)
    assert (
        blocks.shape == (4, 3)
        and (blocks.reason == whole.reason).all()
        and blocks.reason[1, 2].startswith("every")
    )
    for name in ("pse", "slope", "deviance", "objective"):
        np.testing.assert_allclose(getattr(blocks, name), getattr(whole, name), rtol=1e-9)
    assert fit_psychometric(LEVEL, np.empty((0, 21)), 10).shape == (0,)


def test_fixed_gaps_of_zero_do_not_hold_the_search_up():
    """Levels far from the location have shares of 1e-10, and gaps there a curvature of 1e24."""
    level = np.linspace(0, 1, 201)
    fit = fit_psychometric(level, 10 * psi(level, 0.4787, 0.0751, 0, 0), 10, guess=0, lapse=0)
    assert fit.converged and fit.pse == pytest.approx(0.4787, abs=1e-3)
    assert fit.scale == pytest.approx(0.0751, rel=0.02)
