"""C4's verdict from each combination of its criteria."""

import numpy as np
import pandas as pd
import pytest

from lib.claims.ledger import COLUMNS
from lib.claims.verdicts import together
from lib.mechanisms.claim import criteria, mechanism_claim, resolved

PARTS = ("eyes", "nose", "mouth")


def profile(deviations, half=0.2, architecture="alexnet", pretraining="objects"):
    """Pooled rows: the mouth's, the nose's and the eyes' loss less the mean, with intervals."""
    return pd.DataFrame(
        [
            {
                "architecture": architecture,
                "pretraining": pretraining,
                "seed": np.nan,
                "kind": "cnn",
                "part": part,
                "loss": 1 + value,
                "low": 1 + value - half,
                "high": 1 + value + half,
                "share": (1 + value) / 4,
                "share_low": (1 + value - half) / 4,
                "share_high": (1 + value + half) / 4,
                "deviation_low": value - half,
                "deviation_high": value + half,
                "intact": 4.0,
                "reason": "over seeds and faces",
            }
            for part, value in zip(PARTS, deviations, strict=True)
        ]
    )


def beside(values, half=0.1, against="people", architecture="alexnet"):
    return pd.DataFrame(
        [
            {
                "architecture": architecture,
                "pretraining": "objects",
                "against": against,
                "part": part,
                "value": value,
                "low": value - half,
                "high": value + half,
            }
            for part, value in zip(PARTS, values, strict=True)
        ]
    )


def bubbles(lows, architecture="alexnet"):
    return pd.DataFrame(
        [
            {"architecture": architecture, "pretraining": "objects", "part": part, "low": low}
            for part, low in zip(PARTS, lows, strict=True)
        ]
    )


MOUTH, FLAT = (-0.5, -0.5, 1.0), (0.0, 0.0, 0.0)
CLEAR, OPEN = (0.4, 0.0, -0.4), (0.2, 0.0, 0.0)


@pytest.mark.parametrize(
    "deviations, differences, marks, states",
    [
        (MOUTH, CLEAR, (-1, -1, 2), "supported supported supported"),
        (FLAT, CLEAR, (-1, -1, -1), "refuted supported inconclusive"),
        (MOUTH, OPEN, (2, -1, -1), "supported inconclusive refuted"),
    ],
)
def test_each_criterion_by_hand(deviations, differences, marks, states):
    """Margin .25: of d' 4 a deviation of 1; a difference of .2 ± .1 is neither clear nor excluded
    when it is widened to reach 0."""
    rows = beside(differences, half=0.1 if differences is CLEAR else 0.21)
    found = criteria(profile(deviations), rows, bubbles(marks), 0.25)
    assert " ".join(found.values()) == states


def test_a_difference_is_resolved_where_it_is_clear_or_excluded():
    rows = pd.DataFrame({"low": [0.1, -0.1, -0.1, np.nan], "high": [0.9, 0.2, 0.4, np.nan]})
    assert resolved(rows, 0.25) == [True, True, False, False]


@pytest.mark.parametrize(
    "states, verdict",
    [
        ("supported supported", "supported"),
        ("refuted refuted", "refuted"),
        ("supported refuted", "partly"),
        ("supported inconclusive", "partly"),
        ("refuted inconclusive", "inconclusive"),
        ("inconclusive", "inconclusive"),
    ],
)
def test_the_verdict_of_several_criteria(states, verdict):
    assert together(states.split()) == verdict


def test_the_row_names_value_margin_and_what_it_rests_on():
    found = mechanism_claim(
        profile(MOUTH), beside(CLEAR), bubbles((-1, -1, 2)), "objects", 0.25, simulated=False
    )
    row = found.iloc[0]
    assert list(found.columns) == COLUMNS and row["verdict"] == "supported" and row["id"] == "C4"
    assert abs(row["value"]) == 0.4 and row["margin"] == 0.25 and not row["simulated"]
    assert "placed supported" in row["evidence"] and "that of people" in row["evidence"]


def test_no_verdict_rests_on_simulated_people():
    both = pd.concat([profile(MOUTH), profile(MOUTH, architecture="fe_alexnet")])
    differences = pd.concat(
        [
            beside(CLEAR),
            beside(CLEAR, architecture="fe_alexnet"),
            beside(OPEN, half=0.21, against="alexnet", architecture="fe_alexnet"),
        ]
    )
    marks = pd.concat([bubbles((-1, -1, 2)), bubbles((-1, -1, 2), "fe_alexnet")])
    row = mechanism_claim(both, differences, marks, "objects", 0.25, simulated=True).iloc[0]
    assert row["verdict"] == "partly" and row["simulated"] and row["value"] == 0.2
    assert "that of AlexNet (the people are simulated)" in row["evidence"]


def test_what_cannot_be_tested_says_why():
    nobody, none = beside(CLEAR)[:0], bubbles((1, 1, 1))[:0]
    untrained = mechanism_claim(profile(MOUTH), nobody, none, "untrained", 0.25, False).iloc[0]
    assert (
        untrained["verdict"] == "not testable here"
        and "these are untrained" in untrained["evidence"]
    )
    unseen = mechanism_claim(profile(MOUTH)[:0], nobody, none, "objects", 0.25, False).iloc[0]
    assert "shown faces with a part hidden" in unseen["evidence"]
    few = profile(MOUTH).assign(low=np.nan, high=np.nan, reason="fewer than 3 members")
    alone = mechanism_claim(few, nobody, none, "objects", 0.25, False).iloc[0]
    assert alone["verdict"] == "not testable here" and "fewer than 3" in alone["evidence"]
    assert np.isnan(alone["value"])


def test_controls_that_are_there_to_fail_do_not_decide():
    rows = pd.concat([profile(MOUTH), profile(FLAT, architecture="alexnet_shuffled")])
    found = mechanism_claim(rows, beside(CLEAR), bubbles((-1, -1, 2)), "objects", 0.25, False)
    assert found["verdict"].tolist() == ["supported"]


def test_with_nobody_beside_the_largest_share_is_the_value():
    found = mechanism_claim(
        profile(MOUTH), beside(CLEAR)[:0], bubbles((-1, -1, 2)), "objects", 0.25, False
    ).iloc[0]
    assert found["value"] == 0.5 and found["low"] < 0.5 < found["high"]
    assert "nobody to compare" in found["evidence"]
