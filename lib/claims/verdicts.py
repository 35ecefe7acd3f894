"""From an effect with its interval to a verdict, by one rule with margins fixed beforehand.

An effect d points in the claim's direction, [low, high] is its interval, m its margin:
*supported* where low > 0, *refuted* where high < m, else *inconclusive* (Lakens 2017). What could
not be asked is *not testable here*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lib.statistics.intervals import interval_text

SUPPORTED = "supported"
PARTLY = "partly"
REFUTED = "refuted"
INCONCLUSIVE = "inconclusive"
NOT_TESTABLE = "not testable here"
WORDS = {SUPPORTED: "yes", REFUTED: "no", INCONCLUSIVE: "open"}


@dataclass(frozen=True)
class Criterion:
    """One question to one network and its answer.

    ``value``, ``low``, ``high`` are what a reader is shown, and ``margin`` is in their units.
    ``reason`` says why it could not be asked.
    """

    network: str
    name: str
    verdict: str
    value: float = np.nan
    low: float = np.nan
    high: float = np.nan
    margin: float = 0.0
    reason: str = ""

    def __str__(self) -> str:
        """``PSE 0.52 [0.50, 0.55]``, or the reason."""
        if self.verdict == NOT_TESTABLE:
            return f"{self.name} ({self.reason or 'no interval'})"
        return f"{self.name} {interval_text(self.value, self.low, self.high)}"


def judge(low: float, high: float, margin: float = 0.0) -> str:
    """The verdict on one effect; not testable without an interval."""
    if not np.isfinite([low, high]).all():
        return NOT_TESTABLE
    if low > 0:
        return SUPPORTED
    return REFUTED if high < margin else INCONCLUSIVE


def together(verdicts: Sequence[str]) -> str:
    """The verdict of several criteria that a claim needs; those not testable are left out.

    All supported: supported. All refuted: refuted. Some of each: partly. With some inconclusive:
    partly where one is supported, else inconclusive.
    """
    kinds = set(verdicts) - {NOT_TESTABLE}
    if not kinds:
        return NOT_TESTABLE
    if len(kinds) == 1:
        return kinds.pop()
    return PARTLY if kinds & {SUPPORTED, PARTLY} else INCONCLUSIVE


def at_most_partly(verdict: str) -> str:
    """A verdict on fewer networks than the claim names."""
    return PARTLY if verdict == SUPPORTED else verdict
