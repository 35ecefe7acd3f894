"""Decision rules: shares of answers, ties, missing values, and what they do to a psychometric
function.
"""

import numpy as np
import pytest
from scipy import stats

from lib.psychometrics.decisions import RULES, decide, expected
from lib.psychometrics.fitting import fit_psychometric


@pytest.mark.parametrize(
    "rule, share", [("argmax", 1.0), ("softmax", 0.7), ("noisy", stats.norm.cdf(np.log(7 / 3) / 2))]
)
def test_answers_come_as_often_as_the_rule_says(rule, share):
    answers = decide(np.full(200_000, 0.7), rule, np.random.default_rng(0), noise=2.0)
    assert answers.mean() == pytest.approx(share, abs=0.005)
    assert set(np.unique(answers)) <= {0.0, 1.0}


def test_a_tie_is_a_coin_and_noise_zero_is_argmax():
    assert decide(np.full(20_000, 0.5), "argmax", np.random.default_rng(0)).mean() == pytest.approx(
        0.5, abs=0.02
    )
    p = np.array([0.0, 0.2, 0.5, 0.51, 1.0])
    assert expected(p, "noisy", 0.0).tolist() == expected(p, "argmax").tolist() == [0, 0, 0.5, 1, 1]


@pytest.mark.parametrize("rule", RULES)
def test_missing_stays_missing_and_the_same_seed_answers_alike(rule):
    p = np.array([0.1, np.nan, 0.0, 1.0, 0.6])
    answers = decide(p, rule, np.random.default_rng(5))
    assert (
        np.isnan(answers).tolist() == [False, True, False, False, False]
        and answers[3] == 1
        and answers[2] == 0
    )
    assert np.array_equal(answers, decide(p, rule, np.random.default_rng(5)), equal_nan=True)


def test_the_rule_changes_the_slope_and_not_the_pse():
    level = np.linspace(0, 1, 21)
    p = stats.logistic.cdf((level - 0.55) / 0.15)
    fits = {
        rule: fit_psychometric(level, 100 * expected(p, rule), 100, guess=(0, 0.5), lapse=(0, 0.5))
        for rule in RULES
    }
    assert [fits[rule].pse for rule in ("softmax", "noisy")] == pytest.approx(
        [0.55, 0.55], abs=0.01
    )
    assert fits["noisy"].slope > 1.2 * fits["softmax"].slope


@pytest.mark.parametrize(
    "p, rule, noise, message",
    [
        (0.5, "max", 1, "argmax, softmax, noisy"),
        (1.2, "argmax", 1, "0 to 1"),
        (0.5, "noisy", -1, "noise"),
    ],
)
def test_wrong_input_is_named(p, rule, noise, message):
    with pytest.raises(ValueError, match=message):
        decide([p], rule, np.random.default_rng(0), noise)
