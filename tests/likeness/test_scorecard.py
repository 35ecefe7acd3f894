"""The scorecard: hand cases, missing values that are not hidden, the same numbers every time."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from picture_world import World

from lib.likeness.comparison import FEW_PEOPLE, METRICS, OTHER_PICTURES, compare
from lib.likeness.crossfit import CHANCES, decided_by_halves, fold_of
from lib.likeness.picture_scores import METRICS as PICTURE_METRICS
from lib.likeness.scorecard import difference_table, human_likeness, score_table
from lib.people.trials import trial_table
from lib.settings.options import Statistics

WORLD = World(identities=4, levels=7)
NOISY = replace(Statistics(), decision="noisy")
SOFTMAX = replace(Statistics(), decision="softmax")


def people(count=12, seed=0, world=WORLD, **options):
    return world.people(count, np.random.default_rng(seed), **options)


def networks(architecture="alexnet", seeds=3, seed=1, **options):
    return WORLD.networks(architecture, seeds, np.random.default_rng(seed), **options)


def both(*tables):
    return pd.concat(tables, ignore_index=True)


def test_rmse_by_hand_of_three_people_and_a_straight_network():
    level, names = [0.0, 0.25, 0.5, 0.75, 1.0], list("abcde")
    answers = {"p1": [0, 0, 0, 1, 1], "p2": [0, 0, 1, 1, 1], "p3": [0, 1, 0, 1, 1]}
    theirs = [
        trial_table(observer=[name] * 5, kind="human", stimulus=names, level=level, response=given)
        for name, given in answers.items()
    ]
    network = trial_table(
        observer=["n"] * 5,
        kind="cnn",
        architecture="vgg11",
        pretraining="imagenet",
        seed=0,
        stimulus=names,
        identity="one",
        level=level,
        response=[0.0, 0.0, 1.0, 1.0, 1.0],
        p_happy=[0.2, 0.4, 0.5, 0.6, 0.8],
    )
    value = human_likeness(both(*theirs, network), SOFTMAX).set_index("metric")["value"]
    gaps = np.array([0.2 - 0, 0.4 - 1 / 3, 0.5 - 1 / 3, 0.6 - 1, 0.8 - 1])
    assert value["rmse"] == pytest.approx(np.sqrt((gaps**2).mean()))
    assert value["error_consistency"] == pytest.approx(0)  # one picture a level


def test_one_picture_a_level_has_no_image_consistency_but_a_reason():
    single = World(identities=1)
    table = both(
        single.people(8, np.random.default_rng(0)),
        single.networks("alexnet", 3, np.random.default_rng(1)),
    )
    row = human_likeness(table, SOFTMAX).set_index("metric").loc["image_consistency"]
    assert np.isnan(row["value"]) and row["reason"].startswith("one picture a level")


def test_fault_3_other_pictures_are_not_judged_by_picture():
    other = people().assign(stimulus=lambda t: "x" + t["stimulus"])
    table = human_likeness(both(other, networks()), NOISY).set_index("metric")
    assert (
        table.loc[list(PICTURE_METRICS), ["value", "low", "chance", "ceiling_low"]]
        .isna()
        .all(axis=None)
    )
    assert set(table.loc[list(PICTURE_METRICS), "reason"]) == {OTHER_PICTURES}
    assert table.loc["rmse", "value"] < table.loc["rmse", "chance"]


def test_two_people_are_too_few_for_ceilings():
    table = human_likeness(both(people(2), networks()), NOISY).set_index("metric")
    assert set(table.loc[list(PICTURE_METRICS), "reason"]) == {FEW_PEOPLE}


def test_fault_9_a_seed_without_pse_is_neither_0_nor_hidden():
    high = WORLD.network("alexnet", 7, 3 + WORLD.level)
    given = human_likeness(both(people(), networks(), high), SOFTMAX).set_index("metric")
    alone = human_likeness(both(people(), networks()), SOFTMAX).set_index("metric")
    for metric in ("delta_pse_z", "slope_ratio"):
        assert given.loc[metric, "value"] == pytest.approx(alone.loc[metric, "value"])
        assert np.isnan(given.loc[metric, "low"]) and np.isfinite(alone.loc[metric, "low"])
        assert given.loc[metric, "n_seeds"] == 3
        assert given.loc[metric, "reason"].startswith("1 of 4 seeds have none")
    assert np.isfinite(given.loc["rmse", "low"])


def test_every_metric_of_every_network_and_the_same_numbers_again():
    trials = both(people(), networks(), networks("vgg11", seed=2))
    first = human_likeness(trials, NOISY)
    assert list(first["metric"]) == [*METRICS, *METRICS]
    pd.testing.assert_frame_equal(first, human_likeness(trials, NOISY))
    shuffled = human_likeness(trials.sample(frac=1, random_state=0), NOISY)
    keys = ["architecture", "metric"]
    pd.testing.assert_series_equal(
        shuffled.set_index(keys)["value"].sort_index(), first.set_index(keys)["value"].sort_index()
    )


def test_fault_14_the_interval_says_for_what_it_speaks():
    trials = both(people(), networks())
    four = human_likeness(trials, SOFTMAX).set_index("metric")["scope"]
    assert four["error_consistency"] == "over seeds, identities and people"
    some = trials[trials["identity"].isin(["id00", "id01"])]
    two = human_likeness(some, SOFTMAX).set_index("metric")["scope"]
    assert two["error_consistency"] == "over seeds and people; not for other identities (2)"
    one = human_likeness(both(people(), networks(seeds=1)), SOFTMAX).set_index("metric")["scope"]
    assert one["error_consistency"].endswith("not for other seeds (1)")


def test_differences_are_paired_by_seed():
    trials = both(people(), networks("fe_alexnet", 4), networks("alexnet", 3))
    comparison, found = compare(trials, SOFTMAX)
    table = difference_table(found).set_index("metric")
    assert (table["n_seeds"] == 3).all() and (table["versus"] == "alexnet").all()
    # the first three seeds of both are the same networks
    assert table.loc["error_consistency", "difference"] == pytest.approx(0, abs=1e-12)
    assert table.loc["error_consistency", "reason"].startswith("no difference between any")
    scores = score_table(comparison, found)
    assert set(scores["architecture"]) == {"fe_alexnet", "alexnet"}


def test_fault_6_nobody_judges_noise_that_was_fitted_to_them():
    """Halves of people who differ in noise: each meets the P that fits the other half."""
    trials, rows = people(20), networks(seeds=1)
    fold = fold_of(trials, NOISY, "noisy")
    assert sorted(fold.values()) == [0] * 10 + [1] * 10
    first = trials["observer"].map(fold) == 0
    guessing = trials.assign(
        response=trials["response"].where(
            first, np.random.default_rng(0).integers(0, 2, len(trials))
        )
    )
    decided = decided_by_halves(rows, guessing, NOISY, "noisy")
    spread = decided[list(CHANCES)].std()
    assert spread["p_first"] < 0.1 < spread["p_second"]  # the guessers' noise judges the first half


def test_a_rule_without_fitted_noise_is_judged_by_all_alike():
    trials, rows = people(), networks(seeds=1)
    for statistics in (SOFTMAX, replace(NOISY, decision_noise=2.0)):
        assert set(fold_of(trials, statistics, statistics.decision).values()) == {0}
        decided = decided_by_halves(rows, trials, statistics, statistics.decision)
        assert decided["p_first"].equals(decided["p_second"])


def personal(world, seed=0):
    """People who each saw two levels near their own threshold and the two ends, often."""
    rng = np.random.default_rng(seed)
    tables = []
    for k, answers in enumerate(world.people(12, rng, repeats=6).groupby("observer")):
        near = 0.5 + 0.1 * np.array([k % 3 - 1, k % 3])
        tables.append(answers[1][np.isin(answers[1]["level"].round(3), [0, 1, *near.round(3)])])
    return pd.concat(tables, ignore_index=True)


def test_people_with_levels_of_their_own():
    world = World(identities=4, levels=11, seed=4)
    trials = personal(world)
    assert trials.groupby("observer")["level"].nunique().eq(4).all()
    rng = np.random.default_rng(1)
    networks = [world.networks("alexnet", 3, rng), world.networks("vgg11", 3, rng, insight=0)]
    table = human_likeness(both(trials, *networks), NOISY)
    assert table["value"].notna().all()
    values = table.pivot(index="metric", columns="architecture", values="value")
    assert (
        values.loc[list(PICTURE_METRICS), "alexnet"] > values.loc[list(PICTURE_METRICS), "vgg11"]
    ).all()


def test_a_table_without_networks_or_people_is_an_error():
    with pytest.raises(ValueError, match="cnn"):
        human_likeness(people(), SOFTMAX)
    with pytest.raises(ValueError, match="human or simulated"):
        human_likeness(networks(), SOFTMAX)


def test_networks_that_people_guided_are_not_judged_by_those_people():
    """Notebook 03 judges them, by people who guided nothing."""
    trials = both(people(), networks(), networks("fe_alexnet_guided"))
    _, found = compare(trials, SOFTMAX)
    assert {architecture for architecture, _ in found} == {"alexnet"}
    with pytest.raises(ValueError, match="no answered trial of kind cnn"):
        compare(both(people(), networks("fe_alexnet_guided")), SOFTMAX)
