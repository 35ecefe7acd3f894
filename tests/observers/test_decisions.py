"""Decision rules: shares of answers, ties, missing values, and what they do to a psychometric
function.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lib.observers.decisions import (
    RULES,
    Noise,
    decide,
    expected,
    halves,
    log_odds_of,
    probability,
)


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


def test_each_rule_is_its_formula():
    z, noise = np.array([-2.0, -0.1, 0.0, 3.0, np.nan]), Noise(2.0, 0.5)
    expect = {
        "argmax": [0, 0, 0.5, 1, np.nan],
        "softmax": 1 / (1 + np.exp(-z)),
        "noisy": stats.norm.cdf(z / 2),
        "noisy_shifted": stats.norm.cdf((z + 0.5) / 2),
    }
    for rule in RULES:
        np.testing.assert_allclose(probability(z, rule, noise), expect[rule])


def test_without_noise_given_a_noisy_observer_is_as_noisy_as_the_softmax():
    z = np.linspace(-8, 8, 1001)
    assert np.abs(probability(z, "noisy") - probability(z, "softmax")).max() < 0.0096


def test_log_odds_are_read_or_else_follow_from_the_probability():
    table = pd.DataFrame({"p_happy": [0.5, 0.7, 1.0], "log_odds": [0.1, np.nan, 40.0]})
    assert log_odds_of(table) == pytest.approx([0.1, np.log(7 / 3), 40.0])
    assert log_odds_of(table[["p_happy"]])[:2] == pytest.approx([0, np.log(7 / 3)])
    assert np.isfinite(log_odds_of(table[["p_happy"]])).all()


def test_halves_share_nobody_and_hold_everybody():
    people = pd.DataFrame({"observer": np.repeat([f"p{k}" for k in range(9)], 3)})
    first, second = halves(people, 5)
    assert set(first["observer"]) | set(second["observer"]) == set(people["observer"])
    assert not set(first["observer"]) & set(second["observer"]) and len(first) == 12
    assert halves(people, 5)[0].equals(first) and not halves(people, 6)[0].equals(first)
    fitted, judged = halves(people[:3], 0)
    assert fitted.empty and len(judged) == 3


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
