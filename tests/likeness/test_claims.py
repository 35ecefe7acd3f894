"""The ledger on tables whose truth is known: each verdict is reached, and the limits of a run
are stated.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lib.likeness.claims import (
    CLAIMS,
    NOT_SUPPORTED,
    NOT_TESTABLE,
    PARTLY,
    PUBLISHED,
    SUPPORTED,
    claim,
    ledger,
)

SEEDS = range(4)


def accuracies(advantage, pretraining="imagenet", seeds=SEEDS, left_out=()):
    """FE-AlexNet at 0.85 + 0.01 seed; the others below it by their advantage, with a little
    scatter.
    """
    rows = []
    for name in ("fe_alexnet", *(a for a in PUBLISHED if a not in left_out)):
        lag = (
            0
            if name == "fe_alexnet"
            else advantage[name]
            if isinstance(advantage, dict)
            else advantage
        )
        rows += [
            {
                "architecture": name,
                "pretraining": pretraining,
                "attention": "none",
                "seed": s,
                "split": split,
                "n": 100,
                "accuracy": 0.85 + 0.01 * s - lag * (1 + 0.1 * s) * (split == "test"),
                "auc": 0.9,
            }
            for s in seeds
            for split in ("validation", "test")
        ]
    return pd.DataFrame(rows)


def fits(networks, pretraining="imagenet", seeds=SEEDS):
    """40 people with PSE 0.4 to 0.6 and slope 2 to 4; networks {architecture: (pse, slope)}."""
    people = [
        {
            "observer": f"p{k}",
            "kind": "human",
            "architecture": "",
            "pretraining": "",
            "seed": np.nan,
            "condition": "full",
            "pse": x,
            "slope": y,
        }
        for k, (x, y) in enumerate(
            zip(np.linspace(0.4, 0.6, 40), np.linspace(2, 4, 40), strict=True)
        )
    ]
    cnn = [
        {
            "observer": f"{a}{s}",
            "kind": "cnn",
            "architecture": a,
            "pretraining": pretraining,
            "seed": s,
            "condition": "full",
            "pse": pse,
            "slope": slope,
        }
        for a, (pse, slope) in networks.items()
        for s in seeds
    ]
    return pd.DataFrame(people + cnn)


def likeness(ours, theirs, pretraining="imagenet", bits=-0.42, seeds=SEEDS):
    """RMSE of FE-AlexNet and AlexNet (chance 0.4, ceiling 0.1) and bits (chance -1, ceiling
    -0.4).
    """
    rows = []
    for name, rmse, own_bits in (("fe_alexnet", ours, bits), ("alexnet", theirs, -0.9)):
        for metric, value, chance, ceiling in (
            ("rmse", rmse, 0.4, 0.1),
            ("log_likelihood", own_bits, -1, -0.4),
            ("kappa", np.nan, np.nan, np.nan),
        ):
            by_seed = " ".join(f"{s}={value + 0.001 * s * (name == 'alexnet')}" for s in seeds)
            rows.append(
                {
                    "architecture": name,
                    "pretraining": pretraining,
                    "metric": metric,
                    "value": value,
                    "low": value - 0.01,
                    "high": value + 0.01,
                    "chance": chance,
                    "ceiling": ceiling,
                    "n_observers": 40,
                    "n_seeds": len(seeds),
                    "reason": "",
                    "by_seed": by_seed,
                }
            )
    return pd.DataFrame(rows)


ALIKE = dict.fromkeys(PUBLISHED, (0.5, 3.0))
UNLIKE = dict.fromkeys(PUBLISHED, (0.8, 9.0))


def judged(accuracy=None, psychometrics=None, scores=None, simulated=False, seed=0):
    table = ledger(
        accuracies(0.05) if accuracy is None else accuracy,
        fits(ALIKE) if psychometrics is None else psychometrics,
        likeness(0.11, 0.2) if scores is None else scores,
        simulated=simulated,
        n_boot=200,
        rng=np.random.default_rng(seed),
    )
    return table.set_index("id")


@pytest.mark.parametrize(
    "networks, verdict, value",
    [
        (ALIKE, SUPPORTED, 1.0),
        (UNLIKE, NOT_SUPPORTED, 0.0),
        (ALIKE | {"vgg16": (0.5, 9.0)}, PARTLY, 7 / 8),
        (ALIKE | {"vgg11": (np.nan, np.nan)}, PARTLY, 6 / 8),
        ({"alexnet": (0.5, 3.0)}, PARTLY, 1.0),
        ({}, NOT_TESTABLE, np.nan),
    ],
)
def test_c1_counts_seeds_within_the_range_of_people(networks, verdict, value):
    row = judged(psychometrics=fits(networks)).loc["C1"]
    assert row["verdict"] == verdict
    assert row["value"] == pytest.approx(value, nan_ok=True)


def test_c1_needs_people():
    few = fits(ALIKE).query("kind == 'cnn' or observer in ['p1', 'p2']")
    assert judged(psychometrics=few).loc["C1", "verdict"] == NOT_TESTABLE


@pytest.mark.parametrize(
    "advantage, verdict",
    [
        (0.05, SUPPORTED),
        (-0.05, NOT_SUPPORTED),
        (0.0, NOT_SUPPORTED),
        (dict(zip(PUBLISHED, (0.05, 0.02, -0.01, 0.03), strict=True)), PARTLY),
    ],
)
def test_c2_asks_for_every_network_to_be_exceeded(advantage, verdict):
    row = judged(accuracies(advantage)).loc["C2"]
    assert row["verdict"] == verdict
    smallest = min(advantage.values()) if isinstance(advantage, dict) else advantage
    assert row["value"] == pytest.approx(smallest * 1.15)
    assert row["low"] <= row["value"] <= row["high"] or (advantage == 0 and np.isnan(row["low"]))


def test_c2_takes_no_tie_for_an_interval():
    """Two seeds that are better by one image of 96 each: the same difference twice, by chance
    in every 20th case.
    """
    tied = accuracies(0.05, seeds=(0, 1))
    for seed in (0, 1):
        ours = tied["seed"].eq(seed) & tied["architecture"].eq("fe_alexnet")
        tied.loc[tied["seed"].eq(seed) & ~ours, "accuracy"] = (
            tied.loc[ours, "accuracy"].iloc[0] - 1 / 96
        )
    row = judged(tied).loc["C2"]
    assert row["verdict"] == NOT_SUPPORTED and np.isnan(row["low"])
    assert row["value"] == pytest.approx(1 / 96) and "+0.010, 2 seed pairs" in row["evidence"]


def test_c2_is_partly_supported_only_by_an_interval_widened_for_the_number_of_networks():
    """t of four seed pairs: 3.18 at 95 %, 4.77 at 98.75 %; a mean of 4 standard errors lies
    between.
    """
    noise = np.array([-1.5, -0.5, 0.5, 1.5])
    lead = noise + 4 * noise.std(ddof=1) / 2
    table = accuracies(-0.05)
    for seed, value in enumerate(lead):
        here = table["seed"].eq(seed) & table["split"].eq("test")
        ours = table.loc[here & table["architecture"].eq("fe_alexnet"), "accuracy"].iloc[0]
        table.loc[here & table["architecture"].eq("vgg11"), "accuracy"] = ours - 0.01 * value
    row = judged(table).loc["C2"]
    assert "1 of 4 intervals (over seeds) lie above 0, 0 when widened" in row["evidence"]
    assert row["verdict"] == NOT_SUPPORTED


@pytest.mark.parametrize("confidence", [0.8, 0.99])
def test_intervals_are_of_the_confidence_asked_for(confidence):
    given = {"simulated": False, "n_boot": 400}
    mixed = fits(ALIKE)
    mixed.loc[mixed["seed"] == 0, "pse"] = 0.9  # of each network three seeds like people
    tables = (
        accuracies(dict(zip(PUBLISHED, (0.05, 0.02, -0.01, 0.03), strict=True))),
        mixed,
        likeness(0.11, 0.2),
    )
    wide = ledger(*tables, **given, rng=np.random.default_rng(0), confidence=confidence).set_index(
        "id"
    )
    usual = ledger(*tables, **given, rng=np.random.default_rng(0)).set_index("id")
    ratio = (wide["high"] - wide["low"]) / (usual["high"] - usual["low"])
    expected = stats.t.ppf(0.5 + confidence / 2, 3) / stats.t.ppf(0.975, 3)
    assert ratio[["C2", "C3"]].to_numpy() == pytest.approx(expected)
    assert ratio["C1"] > 1 if confidence > 0.95 else ratio["C1"] < 1


def test_c2_with_alexnet_alone_is_partly_at_most_and_says_who_is_missing():
    row = judged(accuracies(0.05, left_out=("vgg11", "vgg13", "vgg16"))).loc["C2"]
    assert row["verdict"] == PARTLY and "VGG11, VGG13, VGG16" in row["evidence"]
    row = judged(accuracies(-0.05, left_out=("vgg11", "vgg13", "vgg16"))).loc["C2"]
    assert row["verdict"] == NOT_SUPPORTED


def test_c2_compares_only_networks_of_the_same_pretraining():
    mixed = accuracies(0.05)
    mixed.loc[mixed["architecture"].str.startswith("vgg"), "pretraining"] = "untrained"
    assert judged(mixed).loc["C2", "verdict"] == PARTLY
    mixed.loc[mixed["architecture"] != "fe_alexnet", "pretraining"] = "untrained"
    row = judged(mixed).loc["C2"]
    assert row["verdict"] == NOT_TESTABLE and np.isnan(row["value"])


def test_one_seed_tests_nothing():
    one = judged(
        accuracies(0.05, seeds=[0]), fits(ALIKE, seeds=[0]), likeness(0.11, 0.2, seeds=[0])
    )
    assert (one["verdict"] == NOT_TESTABLE).all()


@pytest.mark.parametrize(
    "ours, theirs, bits, verdict",
    [
        (0.11, 0.2, -0.42, SUPPORTED),
        (0.11, 0.2, -0.8, PARTLY),
        (0.11, 0.10, -0.42, PARTLY),
        (0.3, 0.2, -0.8, NOT_SUPPORTED),
    ],
)
def test_c3_asks_for_the_ceiling_and_for_more_than_alexnet(ours, theirs, bits, verdict):
    row = judged(scores=likeness(ours, theirs, bits=bits)).loc["C3"]
    assert row["verdict"] == verdict
    assert "of 4 seed pairs" in row["evidence"]


def test_c3_does_not_judge_by_a_ceiling_that_is_no_better_than_chance():
    """Few answers a level: one person's shares are further from the others' than a coin's."""
    noisy = likeness(0.60, 0.7, bits=-1.4)
    noisy.loc[noisy["metric"] == "rmse", ["chance", "ceiling"]] = 0.30, 0.45
    noisy.loc[noisy["metric"] == "log_likelihood", ["chance", "ceiling"]] = -1.0, -1.1
    row = judged(scores=noisy).loc["C3"]
    assert row["verdict"] == NOT_TESTABLE and "better than chance" in row["evidence"]
    some = likeness(0.11, 0.2)
    some.loc[some["metric"] == "log_likelihood", ["chance", "ceiling"]] = -1.0, -1.1
    row = judged(scores=some).loc["C3"]
    assert (
        row["verdict"] == SUPPORTED and "no better than chance: log likelihood" in row["evidence"]
    )
    assert "1 of 1 reach" in row["evidence"]


def test_c3_without_alexnet_is_partly_at_most():
    alone = likeness(0.11, 0.2).query("architecture == 'fe_alexnet'")
    row = judged(scores=alone).loc["C3"]
    assert row["verdict"] == PARTLY and row["value"] == pytest.approx(0.11)


def test_untrained_networks_leave_the_claims_untested_but_with_their_numbers():
    table = judged(
        accuracies(0.05, "untrained"), fits(ALIKE, "untrained"), likeness(0.11, 0.2, "untrained")
    )
    assert (table["verdict"] == NOT_TESTABLE).all()
    assert table["value"].notna().all()
    assert table["evidence"].str.contains("untrained").all()


def test_an_untrained_control_beside_object_based_networks_changes_nothing():
    control = accuracies(0.3, "untrained", left_out=PUBLISHED[1:]).query(
        "architecture == 'alexnet'"
    )
    with_control = judged(pd.concat([control, accuracies(0.05)], ignore_index=True))
    pd.testing.assert_frame_equal(with_control, judged())


def test_the_ledger_is_the_same_again_and_says_simulated():
    table = judged(simulated=True)
    pd.testing.assert_frame_equal(table, judged(simulated=True))
    assert table["simulated"].all() and "simulated" in table.loc["C1", "evidence"]
    assert list(table["claim"]) == [CLAIMS[c] for c in ("C1", "C2", "C3")]
    assert list(table.reset_index().columns) == [
        "id",
        "claim",
        "evidence",
        "value",
        "low",
        "high",
        "verdict",
        "simulated",
    ]


def test_a_claim_has_a_known_verdict_and_a_number():
    with pytest.raises(ValueError, match="allowed"):
        claim("C4", CLAIMS["C4"], "", 1, 1, 1, "maybe", False)
    with pytest.raises(ValueError, match="without a value"):
        claim("C4", CLAIMS["C4"], "", np.nan, np.nan, np.nan, SUPPORTED, False)
