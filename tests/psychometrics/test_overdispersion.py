"""The beta-binomial: its likelihood against scipy, its correlation recovered, and 0 for a
coin's answers.
"""

import numpy as np
import pytest
from scipy import optimize, stats

from lib.psychometrics.fitting import fit_psychometric
from lib.psychometrics.likelihood import evaluate, make_problems
from lib.psychometrics.sigmoids import both_tails

LEVEL = np.linspace(0, 1, 21)
TRUTH = np.array([[0.5, np.log(0.15), 0.01, 0.01]])
PSI = both_tails(TRUTH, LEVEL, "norm")[0][0]


def problems(happy, correlation=None):
    return make_problems(
        LEVEL,
        np.atleast_2d(happy).astype(float),
        np.full((1, 21), 40.0),
        sigmoid="norm",
        guess=(0, 0.05),
        lapse=(0, 0.05),
        penalty=0.0,
        overdispersion=correlation,
    )


def test_likelihood_is_scipys_up_to_a_constant():
    happy, correlation = np.random.default_rng(0).binomial(40, PSI), 0.2
    size = 1 / correlation - 1
    ours, theirs = [], []
    for parameters in (TRUTH, TRUTH + np.array([0.03, 0.2, 0.01, 0.02])):
        psi = both_tails(parameters, LEVEL, "norm")[0][0]
        ours.append(evaluate(parameters, problems(happy, np.array([correlation])))[0][0])
        theirs.append(-stats.betabinom.logpmf(happy, 40, psi * size, (1 - psi) * size).sum())
    assert ours[1] - ours[0] == pytest.approx(theirs[1] - theirs[0], abs=1e-6)


@pytest.mark.parametrize("correlation", [None, np.array([0.2])])
def test_gradient_and_hessian_are_the_objectives(correlation):
    some = problems(np.random.default_rng(1).binomial(40, PSI), correlation)
    point = np.array([0.47, np.log(0.18), 0.02, 0.03])
    _, gradient, hessian, _ = evaluate(point[None], some)
    numeric = optimize.approx_fprime(point, lambda x: evaluate(x[None], some)[0][0], 1e-6)
    assert gradient[0] == pytest.approx(numeric, rel=1e-3, abs=1e-2)
    if correlation is None:
        bent = optimize.approx_fprime(point, lambda x: evaluate(x[None], some)[1][0], 1e-6)
        assert np.allclose(hessian[0], bent, rtol=1e-3, atol=0.1)


def test_the_correlation_is_recovered_and_a_coin_has_none():
    rng = np.random.default_rng(2)
    level = np.linspace(0.3, 0.7, 21)
    psi = both_tails(TRUTH, level, "norm")[0]
    for correlation in (0.05, 0.2):
        drawn = rng.beta(psi * (1 / correlation - 1), (1 - psi) * (1 / correlation - 1), (60, 21))
        fit = fit_psychometric(level, rng.binomial(40, drawn), 40, penalty=0, overdispersion=True)
        assert np.nanmean(fit.overdispersion) == pytest.approx(correlation, rel=0.2)
        assert fit.converged.all()
    coin = fit_psychometric(level, rng.binomial(40, psi, (60, 21)), 40, overdispersion=True)
    assert np.median(coin.overdispersion) < 0.005


def test_a_wider_interval_for_answers_that_vary_more():
    rng = np.random.default_rng(3)
    happy = rng.binomial(40, rng.beta(PSI * 4, (1 - PSI) * 4))
    plain, spread = (fit_psychometric(LEVEL, happy, 40, overdispersion=o) for o in (False, True))
    assert np.ptp(spread.bootstrap(300, rng)["pse"]) > 1.5 * np.ptp(
        plain.bootstrap(300, rng)["pse"]
    )
    assert plain.goodness_of_fit(200, rng) < 0.01
