"""The scorecard: hand cases of its scores, chance and ceiling as it should find them, the same
numbers every time.
"""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from lib.likeness.agreement import resampled
from lib.likeness.scorecard import (
    METRICS,
    OTHER_PICTURES,
    error_consistency,
    human_likeness,
    noise_ceiling,
)
from lib.people.trials import trial_table
from lib.settings.options import Bounds

LEVELS = np.linspace(0, 1, 11)
PEOPLE_BOUNDS, NETWORK_BOUNDS = Bounds(), Bounds((0.0, 0.5), (0.0, 0.5))


def drawn(
    count, rng, *, kind="simulated", per_level=8, levels=LEVELS, names="pic", architecture=""
):
    """Observers with PSE 0.5 +- 0.08 and scale 0.12 or so, each answering every picture once."""
    level = np.repeat(levels, per_level)
    picture = [f"{names}_{x:.2f}_{i}" for x in levels for i in range(per_level)]
    tables = []
    for k in range(count):
        p = norm.cdf((level - rng.normal(0.5, 0.08)) / (0.12 * np.exp(rng.normal(0, 0.2))))
        tables.append(
            trial_table(
                observer=[f"{architecture or 'p'}{k:02d}"] * level.size,
                kind=kind,
                architecture=architecture,
                pretraining="imagenet" if architecture else "",
                seed=k if architecture else "",
                stimulus=picture,
                level=level,
                response=(rng.random(level.size) < p) * 1.0,
                p_happy=p if architecture else np.nan,
            )
        )
    return pd.concat(tables, ignore_index=True)


def score(people, networks, n_boot=200, seed=0, **options):
    settings = {
        "bounds_people": PEOPLE_BOUNDS,
        "bounds_networks": NETWORK_BOUNDS,
        "rule": "softmax",
    } | options
    table = human_likeness(
        pd.concat([people, networks], ignore_index=True),
        n_boot=n_boot,
        rng=np.random.default_rng(seed),
        **settings,
    )
    return table


def test_kappa_by_hand():
    # both 1 in 4 trials, both 0 in 3, apart in 3: agreement 0.7; 1 in 6 of a's ten and in 5 of b's
    a = [1, 1, 1, 1, 0, 0, 0, 1, 1, 0]
    b = [1, 1, 1, 1, 0, 0, 0, 0, 0, 1]
    expected_by_chance = 0.6 * 0.5 + 0.4 * 0.5
    assert error_consistency(a, b) == pytest.approx(
        (0.7 - expected_by_chance) / (1 - expected_by_chance)
    )
    assert error_consistency([1, 0, 1], [1, 0, 1]) == pytest.approx(1)
    assert error_consistency([1, 0, 1, 0], [0, 1, 0, 1]) == pytest.approx(-1)


def test_kappa_leaves_out_missed_trials_and_says_when_it_is_undefined():
    assert error_consistency([1, 0, np.nan, 1], [1, 0, 1, np.nan]) == pytest.approx(1)
    assert np.isnan(error_consistency([1, 1], [1, 1]))
    assert np.isnan(error_consistency([np.nan], [1]))
    assert error_consistency(np.array([[1, 0], [0, 1]]), [1, 0]) == pytest.approx([1, -1])
    with pytest.raises(ValueError, match="0 to 1"):
        error_consistency([2], [1])


def test_ceiling_of_alike_and_of_unlike_people():
    alike = np.tile([0.0, 0.5, 1.0, 0.2], (3, 1))
    assert noise_ceiling(alike) == pytest.approx((1, 1))
    assert noise_ceiling(alike, "rmse") == pytest.approx((0, 0))
    assert noise_ceiling([[0.0, 0.0], [1.0, 1.0]], "rmse") == pytest.approx((1, 0.5))
    with pytest.raises(ValueError, match="two people"):
        noise_ceiling([[0.1, 0.2, 0.3]])


def test_a_random_network_gets_chance():
    rng = np.random.default_rng(1)
    people = drawn(30, rng)
    network = drawn(3, rng, kind="cnn", architecture="alexnet")
    network["p_happy"] = np.clip(0.5 + rng.normal(0, 0.02, len(network)), 0, 1)
    table = score(people, network).set_index("metric")
    for metric, within in {
        "slope_ratio": 0.1,
        "rmse": 0.02,
        "stimulus_correlation": 0.2,
        "kappa": 0.03,
        "log_likelihood": 0.02,
    }.items():
        assert table.loc[metric, "value"] == pytest.approx(
            table.loc[metric, "chance"], abs=within
        ), metric
        assert abs(table.loc[metric, "ceiling"] - table.loc[metric, "chance"]) > 2 * within
    assert table.loc["log_likelihood", "chance"] == pytest.approx(-1)
    assert np.isnan(table.loc["delta_pse_z", "chance"])


def test_people_as_a_network_reach_the_ceiling():
    rng = np.random.default_rng(2)
    people = drawn(40, rng)
    twins = drawn(20, rng, kind="cnn", architecture="alexnet")
    as_probabilities = score(people, twins, bounds_networks=PEOPLE_BOUNDS).set_index("metric")
    as_answers = score(
        people, twins.assign(p_happy=np.nan), bounds_networks=PEOPLE_BOUNDS
    ).set_index("metric")
    for row in [*(as_answers.loc[metric] for metric in METRICS[:5]), as_probabilities.loc["kappa"]]:
        assert row["low"] <= row["ceiling"] <= row["high"], row.to_dict()
    # a twin's true probabilities lack the error of a person's fitted curve: a little above the
    # ceiling
    bits = as_probabilities.loc["log_likelihood"]
    assert bits["high"] >= bits["ceiling"] and bits["value"] == pytest.approx(
        bits["ceiling"], abs=0.1
    )


def test_scores_by_hand_of_two_people_and_a_step():
    """People are right at both ends; one answers happy in the middle, the other sad."""
    level, names = [0.0, 0.5, 1.0], ["a", "b", "c"]
    people = pd.concat(
        [
            trial_table(
                observer=[name] * 3, kind="human", stimulus=names, level=level, response=answers
            )
            for name, answers in (("p1", [0.0, 0.0, 1.0]), ("p2", [0.0, 1.0, 1.0]))
        ]
    )
    network = trial_table(
        observer=["n"] * 3,
        kind="cnn",
        architecture="vgg11",
        pretraining="imagenet",
        seed=0,
        stimulus=names,
        level=level,
        response=[0.0, 1.0, 1.0],
        p_happy=[0.25, 0.5, 0.75],
    )
    table = score(people, network, n_boot=20).set_index("metric")["value"]
    assert table["rmse"] == pytest.approx(np.sqrt((0.25**2 + 0 + 0.25**2) / 3))
    assert table["stimulus_correlation"] == pytest.approx(1)
    assert table["log_likelihood"] == pytest.approx((2 * np.log2(0.75) + np.log2(0.5)) / 3)
    # agreement (0.75 + 0.5 + 0.75) / 3; the network says happy half the time, so chance is a half
    assert table["kappa"] == pytest.approx((2 / 3 - 0.5) / 0.5)


def test_other_pictures_and_other_levels():
    rng = np.random.default_rng(3)
    people = drawn(20, rng, levels=np.linspace(0, 1, 6), names="face")
    networks = drawn(3, rng, kind="cnn", levels=np.linspace(0, 1, 21), architecture="alexnet")
    table = score(people, networks).set_index("metric")
    for metric in ("stimulus_correlation", "kappa"):
        assert (
            np.isnan(table.loc[metric, "value"]) and table.loc[metric, "reason"] == OTHER_PICTURES
        )
    assert table.loc["rmse", "value"] < 0.12 < table.loc["rmse", "chance"]
    assert table.loc["log_likelihood", "value"] > -0.75
    assert table.drop(index=["stimulus_correlation", "kappa"])["value"].notna().all()


def test_the_same_seed_gives_the_same_table_and_an_interval_around_the_value():
    rng = np.random.default_rng(4)
    people, networks = drawn(12, rng), drawn(3, rng, kind="cnn", architecture="alexnet")
    first, again = score(people, networks, n_boot=300), score(people, networks, n_boot=300)
    pd.testing.assert_frame_equal(first, again)
    shuffled = pd.concat([networks, people]).sample(frac=1, random_state=1)
    pd.testing.assert_series_equal(
        score(people, shuffled.query("kind == 'cnn'"))["value"], first["value"]
    )
    assert (first["low"] <= first["high"]).all() and list(first["metric"]) == list(METRICS)
    by_seed = [
        float(x.split("=")[1]) for x in first.set_index("metric").loc["rmse", "by_seed"].split()
    ]
    assert np.mean(by_seed) == pytest.approx(first.set_index("metric").loc["rmse", "value"])


def test_samples_of_few_seeds_spread_as_much_as_seeds_do():
    """By hand: the mean of 3 seeds has variance s² / 3; samples of 3 of 3 would have two thirds
    of that.
    """
    values = np.array([0.0, 1.0, 5.0])
    means = values[resampled(np.random.default_rng(0), 100_000, 3)].mean(1)
    assert means.var() == pytest.approx(values.var(ddof=1) / 3, rel=0.02)
    assert resampled(np.random.default_rng(0), 5, 1).tolist() == [[0]] * 5


def test_intervals_of_the_scorecard_hold_the_populations_value():
    """Twenty people and four seeds at a time, from a population whose own value many people and
    seeds give.
    """
    rng = np.random.default_rng(6)
    whole = score(
        drawn(150, rng), drawn(60, rng, kind="cnn", architecture="alexnet"), n_boot=2
    ).set_index("metric")
    inside = []
    for _ in range(30):
        table = score(drawn(20, rng), drawn(4, rng, kind="cnn", architecture="alexnet")).set_index(
            "metric"
        )
        inside += [
            table.loc[m, "low"] <= whole.loc[m, "value"] <= table.loc[m, "high"]
            for m in ("slope_ratio", "kappa", "log_likelihood")
        ]
    assert 0.8 < np.mean(inside) <= 1


def test_a_table_without_networks_is_an_error():
    people = drawn(2, np.random.default_rng(5))
    with pytest.raises(ValueError, match="cnn"):
        score(people, people.iloc[:0])
