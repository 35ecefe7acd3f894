"""The rule of verdicts: every state is reached, and by its definition."""

import numpy as np
import pandas as pd
import pytest

from lib.claims.claim_close import near_ceiling
from lib.claims.claim_people import above_level
from lib.claims.verdicts import (
    INCONCLUSIVE,
    NOT_TESTABLE,
    PARTLY,
    REFUTED,
    SUPPORTED,
    Criterion,
    at_most_partly,
    judge,
    together,
)


@pytest.mark.parametrize(
    "low, high, margin, verdict",
    [
        (0.01, 0.2, 0.05, SUPPORTED),
        (0.001, 0.01, 0.05, SUPPORTED),  # small, and clear
        (-0.02, 0.04, 0.05, REFUTED),
        (-0.2, 0.2, 0.05, INCONCLUSIVE),
        (-0.3, -0.1, 0.0, REFUTED),
        (np.nan, np.nan, 0.05, NOT_TESTABLE),
    ],
)
def test_fault_2_refuted_needs_an_interval_that_excludes_the_claim(low, high, margin, verdict):
    assert judge(low, high, margin) == verdict


@pytest.mark.parametrize(
    "verdicts, whole",
    [
        ([SUPPORTED, SUPPORTED], SUPPORTED),
        ([REFUTED, REFUTED], REFUTED),
        ([SUPPORTED, REFUTED], PARTLY),
        ([SUPPORTED, INCONCLUSIVE], PARTLY),
        ([REFUTED, INCONCLUSIVE], INCONCLUSIVE),
        ([INCONCLUSIVE], INCONCLUSIVE),
        ([SUPPORTED, NOT_TESTABLE], SUPPORTED),
        ([NOT_TESTABLE], NOT_TESTABLE),
        ([], NOT_TESTABLE),
    ],
)
def test_several_criteria_together(verdicts, whole):
    assert together(verdicts) == whole


def test_fewer_networks_than_the_claim_names_support_it_partly():
    assert at_most_partly(SUPPORTED) == PARTLY
    assert at_most_partly(REFUTED) == REFUTED


def test_sentences_of_criteria():
    known = Criterion("AlexNet", "PSE", SUPPORTED, 0.52, 0.5, 0.55)
    assert str(known) == "PSE 0.520 [0.500, 0.550]"
    assert str(Criterion("AlexNet", "PSE", NOT_TESTABLE, reason="2 seeds")) == "PSE (2 seeds)"


def test_a_score_without_ceiling_says_that_people_do_not_agree():
    """A table that was read from a file has NaN where there is no reason."""
    row = {"of_ceiling": np.nan, "of_ceiling_low": np.nan, "of_ceiling_high": np.nan}
    table = pd.DataFrame([row | {"reason": np.nan, "n_seeds": 5}], index=["error_consistency"])
    (found,) = near_ceiling("FE-AlexNet", table, 0.9)
    assert found.verdict == NOT_TESTABLE and found.reason == "people do not agree beyond level"


def test_other_pictures_are_the_reason_before_missing_seeds():
    reason = "people and networks saw different pictures"
    row = dict.fromkeys(["value", "low", "high", "ceiling_low"], np.nan) | {"n_seeds": 0}
    found = above_level("AlexNet", "image_consistency", pd.Series(row | {"reason": reason}), 0.01)
    assert found.verdict == NOT_TESTABLE and found.reason == reason
