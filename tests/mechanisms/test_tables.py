"""Notebook 05's tables: hand cases, and C4's verdict from each combination of its criteria."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lib.mechanisms.tables import (
    agreement_points,
    beside_controls,
    excludes_zero,
    mean_points,
    mechanism_claim,
    order_text,
    seed_differences,
    whole_face,
)
from lib.statistics.intervals import confidence_each

SALIENCY = pd.DataFrame(
    [
        ("alexnet", "imagenet", seed, "full", level, part, method, value)
        for seed in (0, 1)
        for level in (0.0, 1.0)
        for part, value in (("eyes", 1.0 + level), ("mouth", 3.0 + seed))
        for method in ("gradcam", "hirescam")
    ]
    + [("alexnet", "imagenet", 0, "mouth", 0.0, "mouth", "gradcam", 99.0)],
    columns=[
        "architecture",
        "pretraining",
        "seed",
        "condition",
        "level",
        "part",
        "method",
        "enrichment",
    ],
)
LOSSES = pd.DataFrame(
    [
        ("alexnet", "imagenet", seed, part, loss)
        for seed in (0, 1)
        for part, loss in (("eyes", 0.1), ("mouth", 0.3 + 0.1 * seed))
    ],
    columns=["architecture", "pretraining", "seed", "part", "loss"],
)


def test_whole_faces_alone_count_and_levels_are_averaged():
    found = whole_face(SALIENCY, "gradcam").set_index(["seed", "part"])["enrichment"]
    assert found.to_dict() == {
        (0, "eyes"): 1.5,
        (0, "mouth"): 3.0,
        (1, "eyes"): 1.5,
        (1, "mouth"): 4.0,
    }


def test_points_put_saliency_beside_behaviour_of_the_same_network_seed_and_part():
    points = agreement_points(SALIENCY, LOSSES, "gradcam").set_index(["seed", "part"])
    assert points.loc[(1, "mouth"), ["enrichment", "loss"]].tolist() == pytest.approx([4.0, 0.4])
    assert set(points["network"]) == {"AlexNet"} and len(points) == 4
    shifts = LOSSES.rename(columns={"loss": "slope_change"})
    assert (
        agreement_points(SALIENCY, shifts, "gradcam", "slope_change")["slope_change"].notna().all()
    )


def test_mean_points_equal_students_interval():
    row = (
        mean_points(agreement_points(SALIENCY, LOSSES, "gradcam"), ("enrichment", "loss"), 0.9)
        .set_index("part")
        .loc["mouth"]
    )
    low, high = stats.t.interval(0.9, 1, loc=3.5, scale=stats.sem([3.0, 4.0]))
    assert (row["enrichment"], row["enrichment_low"], row["enrichment_high"]) == pytest.approx(
        (3.5, low, high)
    )
    assert row["loss"] == pytest.approx(0.35)


def test_differences_are_taken_seed_by_seed_within_one_pretraining():
    rows = pd.DataFrame(
        [
            ("alexnet", "imagenet", 0, 1.0),
            ("alexnet", "imagenet", 1, 5.0),
            ("fe_alexnet", "imagenet", 0, 2.0),
            ("fe_alexnet", "imagenet", 1, 6.2),
            ("alexnet", "untrained", 0, 70.0),
        ],
        columns=["architecture", "pretraining", "seed", "enrichment"],
    ).assign(part="eyes")
    found = seed_differences(rows, "enrichment")
    assert len(found) == 1 and found.loc[0, ["value", "n_pairs"]].tolist() == pytest.approx(
        [1.1, 2]
    )
    # seeds differ by 4, pairs by 0.2: the interval is that of the pairs
    assert found.loc[0, "high"] - found.loc[0, "low"] == pytest.approx(
        2 * stats.t.ppf(0.975, 1) * 0.1
    )
    assert seed_differences(rows[rows["architecture"] == "alexnet"], "enrichment").empty


def test_controls_are_averaged_and_their_extremes_kept():
    who = {"architecture": "alexnet", "pretraining": "imagenet", "part": "eyes"}
    controls = pd.DataFrame(
        [
            {**who, "control": 1.0, "control_low": 0.5, "control_high": 1.2},
            {**who, "control": 2.0, "control_low": 0.9, "control_high": 3.0},
            {**who, "part": "nose", "control": 9.0, "control_low": 9.0, "control_high": 9.0},
        ]
    )
    row = beside_controls(pd.DataFrame([{**who, "mean": 4.0}]), controls)
    assert row.loc[0, ["mean", "control", "control_low", "control_high"]].tolist() == [
        4.0,
        1.5,
        0.5,
        3.0,
    ]


def test_an_interval_excludes_zero_only_where_it_is_known():
    rows = pd.DataFrame({"low": [0.1, -1.0, -2.0, np.nan], "high": [1.0, 1.0, -0.1, np.nan]})
    assert excludes_zero(rows).tolist() == [True, False, True, False]


@pytest.mark.parametrize("n", [1, 6, 40])
def test_intervals_widened_for_their_number_hold_together(n):
    """Bonferroni by hand; and n independent intervals hold together at least as often as asked."""
    each = confidence_each(n, 0.95)
    assert each == pytest.approx(1 - 0.05 / n) and each**n >= 0.95 - 1e-12


def claim(agree, differ, lesion, *, basis="imagenet", n_seeds=3, simulated=False):
    """C4 where each criterion is met or not."""
    leads = pd.DataFrame(
        [
            {"architecture": name, "pretraining": basis, "mean": mean, "low": low, "high": 0.9}
            for name, mean, low in (
                ("fe_alexnet", 0.6, 0.2),
                ("alexnet", 0.5, 0.1 if agree else -0.1),
            )
        ]
    )
    agreement = {"rho": 0.5, "low": -0.2, "high": 0.8, "p": 1 / 6, "n_points": 6, "n_networks": 2}
    differences = pd.DataFrame(
        [
            {
                "quantity": "loss",
                "part": "mouth",
                "value": 0.1,
                "low": 0.05 if differ else -0.05,
                "high": 0.2,
            }
        ]
    )
    lesions = pd.DataFrame(
        [
            {
                "architecture": "alexnet",
                "pretraining": basis,
                "fraction": fraction,
                "value": 0.1,
                "low": low,
                "high": 0.3,
                "n_seeds": n_seeds,
            }
            for fraction, low in ((0.1, 0.05), (0.25, 0.05 if lesion else -0.05))
        ]
    )
    return mechanism_claim(leads, agreement, differences, lesions, basis, n_seeds, simulated).iloc[
        0
    ]


def test_few_parts_give_no_interval_of_their_order():
    found = {"rho": 0.5, "low": -0.5, "high": 1.0, "p": 0.5, "n_points": 6, "n_networks": 2}
    assert order_text(found) == (
        "rho = 0.50 over 3 parts, mean of 2 networks; 50% of all orders of the parts agree at "
        "least as well"
    )
    assert order_text(found | {"n_points": 5, "n_networks": 1}).startswith(
        "rho = 0.50 [-0.50, 1.00] over 5 parts, mean of 1 network;"
    )
    assert order_text(found | {"rho": np.nan}).startswith("no rank correlation")


@pytest.mark.parametrize(
    "met, verdict",
    [
        ((1, 1, 1), "supported"),
        ((1, 0, 0), "partly"),
        ((0, 1, 0), "partly"),
        ((0, 0, 1), "partly"),
        ((1, 1, 0), "partly"),
        ((0, 0, 0), "not supported"),
    ],
)
def test_the_verdict_follows_from_the_criteria(met, verdict):
    row = claim(*met)
    assert (
        row["id"] == "C4"
        and row["verdict"] == verdict
        and f"Criteria met: {sum(met)} of 3" in row["evidence"]
    )
    assert (row["value"], row["low"], row["high"]) == (0.6, 0.2, 0.9)
    assert "AlexNet +0.50" in row["evidence"] and "17% of all orders" in row["evidence"]


def test_a_control_that_is_there_to_fail_does_not_decide():
    leads = pd.DataFrame(
        [
            {"architecture": name, "pretraining": "objects", "mean": mean, "low": low, "high": 0.9}
            for name, mean, low in (
                ("fe_alexnet", 0.6, 0.2),
                ("alexnet", 0.5, 0.1),
                ("alexnet_shuffled", 0.05, -0.2),
            )
        ]
    )
    lesions = pd.DataFrame(
        [
            {
                "architecture": name,
                "pretraining": "objects",
                "fraction": 0.25,
                "value": 0.1,
                "low": low,
                "high": 0.3,
                "n_seeds": 3,
            }
            for name, low in (("alexnet", 0.05), ("alexnet_shuffled", -0.1))
        ]
    )
    differences = pd.DataFrame(
        [{"quantity": "loss", "part": "mouth", "value": 0.1, "low": 0.05, "high": 0.2}]
    )
    none = dict.fromkeys(("rho", "low", "high", "p"), np.nan)
    row = mechanism_claim(leads, none, differences, lesions, "objects", 3, False).iloc[0]
    assert row["verdict"] == "supported" and "shuffled" not in row["evidence"]


def test_one_seed_leaves_values_without_limits():
    leads = pd.DataFrame(
        [
            {
                "architecture": "alexnet",
                "pretraining": "objects",
                "mean": 1.0,
                "low": np.nan,
                "high": np.nan,
            }
        ]
    )
    lesions = pd.DataFrame(columns=["architecture", "fraction", "low", "high"])
    differences = pd.DataFrame(columns=["low", "high"], dtype=float)
    none = dict.fromkeys(("rho", "low", "high", "p"), np.nan)
    row = mechanism_claim(leads, none, differences, lesions, "objects", 1, False).iloc[0]
    assert "by AlexNet" in row["evidence"] and "nan" not in row["evidence"]


def test_what_cannot_be_judged_is_said_with_the_reason():
    assert claim(1, 1, 1, basis="untrained")["verdict"] == "not testable here"
    assert "these are untrained" in claim(1, 1, 1, basis="untrained")["evidence"]
    assert claim(1, 1, 1, n_seeds=1)["verdict"] == "not testable here"
    assert (
        "simulated" in claim(1, 1, 1, simulated=True)["evidence"]
        and not claim(1, 1, 1)["simulated"]
    )
