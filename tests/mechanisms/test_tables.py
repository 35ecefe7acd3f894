"""Notebook 05's tables over seeds, by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lib.mechanisms.tables import (
    bubble_table,
    enrichment_table,
    first_part,
    known_cue_table,
    lesion_table,
)

WHO = {"architecture": "alexnet", "pretraining": "objects"}


def test_enrichment_stands_beside_the_patches_of_the_same_networks():
    saliency = pd.DataFrame(
        [
            {**WHO, "seed": seed, "condition": condition, "level": level, "method": method}
            | {"part": "mouth", "enrichment": value + seed, "p": p}
            for seed in (0, 1)
            for condition, method, level, value, p in (
                ("full", "hirescam", 0.0, 2.0, 0.01),
                ("full", "hirescam", 1.0, 4.0, 0.2),
                ("mouth", "hirescam", 1.0, 99.0, 0.01),
                ("full", "gradcam", 1.0, 99.0, 0.01),
            )
        ]
    )
    patches = pd.DataFrame(
        [
            {**WHO, "seed": seed, "part": "mouth", "control": c, "control_low": low}
            | {"control_high": high}
            for seed, c, low, high in ((0, 1.0, 0.5, 1.2), (1, 2.0, 0.9, 3.0))
        ]
    )
    row = enrichment_table(saliency, patches, "hirescam", 0.9).iloc[0]
    low, high = stats.t.interval(0.9, 1, loc=3.5, scale=stats.sem([3.0, 4.0]))
    assert (row["mean"], row["low"], row["high"]) == pytest.approx((3.5, low, high))
    assert row[["control", "control_low", "control_high"]].tolist() == [1.5, 0.5, 3.0]
    assert row["share_marked"] == 0.5


@pytest.mark.parametrize(
    "trained, anew, verdict",
    [
        ((3.0, 3.01), (0.99, 1.01), "finds it"),
        ((0.4, 0.41), (0.99, 1.01), "misses it"),
        ((0.2, 2.2), (0.99, 1.01), "cannot be told from a flat map"),
        ((1.5, 1.51), (1.4, 1.6), "marks it hardly more than random weights"),
    ],
)
def test_a_method_is_judged_by_what_trained_and_random_weights_get(trained, anew, verdict):
    rows = [
        {"cue": "mouth", "part": part, "method": "cam", "weights": weights, "seed": seed}
        | {"enrichment": value if part == "mouth" else 50.0}
        for weights, values in (("trained", trained), ("randomised", anew))
        for seed, value in enumerate(values)
        for part in ("mouth", "eyes")
    ]
    table = known_cue_table(pd.DataFrame(rows)).set_index("weights")
    assert table.loc["trained", "verdict"] == verdict
    assert table.loc["trained", "mean"] == pytest.approx(np.mean(trained))


def test_bubbles_over_seeds_count_the_seeds_that_are_beyond_chance():
    rows = pd.DataFrame(
        [
            {**WHO, "seed": seed, "part": part, "z": z, "marked": z > 2}
            for seed in (0, 1, 2)
            for part, z in (("eyes", 0.1 * seed), ("mouth", 2.0 + seed))
        ]
    )
    table = bubble_table(rows).set_index("part")
    assert table.loc["mouth", "mean"] == 3 and table["n_marked"].to_dict() == {
        "eyes": 0,
        "mouth": 2,
    }
    assert len(bubble_table(rows[:0])) == 0


def test_lesions_are_told_as_falls_from_the_intact_network():
    effects = pd.DataFrame(
        [
            {**WHO, "seed": seed, "value": "accuracy", "fraction": 0.1, "intact": 0.9}
            | {"selective": 0.6, "matched": 0.8 - 0.1 * seed}
            for seed in (0, 1)
        ]
    )
    table = lesion_table(effects).set_index("lesion")
    assert table["mean"].to_dict() == pytest.approx({"selective": 0.3, "matched": 0.15})


def test_the_first_part_is_the_largest_that_is_known():
    rows = pd.DataFrame({"part": ["eyes", "nose", "mouth"], "loss": [0.1, np.nan, 0.4]})
    assert first_part(rows, "loss") == "mouth" and first_part(rows[1:2], "loss") == ""
