"""Differences of accuracy over seeds and images, and Holm's steps as intervals."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from lib.statistics.accuracy import accuracy_differences, holm_intervals


def answers(right, identity=None, pretraining="imagenet"):
    """Rows of {architecture: (seeds, images) of 0 and 1}."""
    rows = []
    for name, table in right.items():
        for seed, of_seed in enumerate(table):
            for image, value in enumerate(of_seed):
                who = "" if identity is None else identity[image]
                rows.append([name, pretraining, seed, f"i{image}.png", who, value])
    names = ["architecture", "pretraining", "seed", "image", "identity", "right"]
    return pd.DataFrame(rows, columns=names)


RNG = np.random.default_rng(0)
SEEDS_AND_IMAGES = {
    "fe_alexnet": RNG.random((4, 200)) < 0.9,
    "alexnet": RNG.random((4, 200)) < 0.7,
    "vgg11": RNG.random((4, 200)) < 0.9,
}


def test_differences_are_of_the_same_seeds_and_images():
    found = accuracy_differences(answers(SEEDS_AND_IMAGES)).set_index("versus")
    gap = SEEDS_AND_IMAGES["fe_alexnet"].mean() - SEEDS_AND_IMAGES["alexnet"].mean()
    assert found.loc["alexnet", "difference"] == pytest.approx(gap)
    assert found.loc["alexnet", "low"] > 0 > found.loc["vgg11", "low"]
    assert (found["n_seeds"] == 4).all() and (found["n_stimuli"] == 200).all()
    assert found.loc["alexnet", "scope"] == "over seeds and images"


def test_fault_8_images_are_a_sample_and_one_persons_stand_together():
    """Right on all pictures of one person more, of eight people: no difference on other people."""
    identity = np.repeat(list("abcdefgh"), 25)
    base = np.tile(RNG.random(200) < 0.7, (4, 1)).astype(float)
    ahead = base.copy()
    ahead[:, identity == "a"] = 1
    table = answers({"fe_alexnet": ahead, "alexnet": base}, identity)
    clustered = accuracy_differences(table).iloc[0]
    alone = accuracy_differences(table.assign(identity="")).iloc[0]
    assert clustered["low"] < 0 < alone["low"]
    assert clustered["scope"].endswith("identities")


def test_networks_of_other_pretrainings_are_not_compared():
    other = answers({"vgg16": np.ones((4, 200))}, pretraining="untrained")
    found = accuracy_differences(pd.concat([answers(SEEDS_AND_IMAGES), other]))
    assert set(found["versus"]) == {"alexnet", "vgg11"}
    assert accuracy_differences(other).empty


def test_holm_intervals_exclude_zero_where_statsmodels_rejects():
    for draw in range(200):
        rng = np.random.default_rng(draw)
        difference, error, df = rng.normal(1.5, 1.5, 4), rng.uniform(0.3, 1, 4), np.full(4, 6.0)
        ends = holm_intervals(error, df, difference, 0.95)
        p = 2 * stats.t.sf(np.abs(difference / error), df)
        rejected = multipletests(p, 0.05, "holm")[0]
        assert (((ends > 0).all(1) | (ends < 0).all(1)) == rejected).all()


def test_holm_leaves_unknown_differences_out():
    ends = holm_intervals(np.array([1, np.nan]), np.array([9, np.nan]), np.array([3, np.nan]), 0.95)
    assert np.isnan(ends[1]).all() and ends[0, 0] > 0
