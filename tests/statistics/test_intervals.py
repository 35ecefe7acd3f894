"""Summaries over seeds: intervals against their definitions, pairs by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lib.statistics.intervals import (
    accuracy_summary,
    interval_text,
    mean_interval,
    pairs_summary,
    seed_pairs,
    shared_seeds,
)


def table(**values) -> pd.DataFrame:
    rows = [
        {
            "architecture": name,
            "pretraining": "imagenet",
            "attention": "none",
            "seed": seed,
            "split": "test",
            "n": 100,
            "accuracy": value,
        }
        for name, column in values.items()
        for seed, value in enumerate(column)
    ]
    return pd.DataFrame(rows)


def test_the_interval_over_seeds_is_that_of_the_one_sample_t_test():
    values = [0.80, 0.84, 0.83, 0.79]
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert mean_interval(values, 0.9) == pytest.approx((np.mean(values), *expected))
    assert mean_interval([0.5])[0] == 0.5 and np.isnan(mean_interval([0.5])[1])


def test_the_interval_over_images_is_wilsons():
    """Hand case: 80 of 100, z = 1.96: Wilson's interval is 0.711 to 0.867 (Brown, Cai &
    DasGupta 2001, eq. 4).
    """
    row = accuracy_summary(table(alexnet=[0.79, 0.81])).iloc[0]
    assert (row["mean"], row["n_seeds"], row["n"]) == (pytest.approx(0.8), 2, 100)
    z, p, n = stats.norm.ppf(0.975), 0.8, 100
    centre, half = (
        (p + z**2 / (2 * n)) / (1 + z**2 / n),
        z / (1 + z**2 / n) * np.sqrt(p * 0.2 / n + z**2 / (4 * n**2)),
    )
    assert (row["image_low"], row["image_high"]) == pytest.approx((centre - half, centre + half))
    assert (row["image_low"], row["image_high"]) == pytest.approx((0.711, 0.867), abs=5e-4)


def test_pairs_are_of_one_seed_and_counted_by_hand():
    pairs = seed_pairs(
        table(fe_alexnet=[0.9, 0.7, 0.8], alexnet=[0.8, 0.8, 0.8, 0.1]), "fe_alexnet", "alexnet"
    )
    assert pairs["difference"].tolist() == pytest.approx([0.1, -0.1, 0.0])
    summary = pairs_summary(pairs)
    assert (summary["n"], summary["better"], summary["equal"]) == (3, 1, 1)
    assert summary["difference"] == pytest.approx(0) and summary["low"] == pytest.approx(
        -summary["high"]
    )


def test_pairs_that_cannot_be_made_are_refused():
    with pytest.raises(ValueError, match="no seed that both"):
        seed_pairs(table(alexnet=[0.5]), "fe_alexnet", "alexnet")
    with pytest.raises(ValueError, match="more than one row of a seed"):
        seed_pairs(pd.concat([table(a=[0.5], b=[0.6])] * 2), "a", "b")


def test_a_single_seed_is_stated_without_an_interval():
    assert interval_text(0.8, np.nan, np.nan) == "0.800"
    assert interval_text(0.8, 0.75, 0.85, digits=2) == "0.80 [0.75, 0.85]"


def test_shared_seeds_by_hand():
    frame = pd.DataFrame(
        {"architecture": ["a", "a", "b", "c", "b"], "seed": [0, 1, 1, 1, 2], "spread": range(5)}
    )
    assert shared_seeds(frame, ("a", "b"))["spread"].tolist() == [1, 2]
    assert shared_seeds(frame, ("a", "c", "b"))["spread"].tolist() == [1, 2, 3]
    assert shared_seeds(frame[frame["seed"] != 1], ("a", "b")).empty
