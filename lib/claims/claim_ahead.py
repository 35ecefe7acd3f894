"""Claim C2: FE-AlexNet outperforms all four, in accuracy and in likeness to people.

The effects are paired differences over seeds and images (accuracy) or seeds, identities and people
(log likelihood above level), one against each of the four; Holm's steps keep the four together.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.claims.verdicts import NOT_TESTABLE, Criterion, judge
from lib.settings.words import label
from lib.statistics.accuracy import holm_intervals
from lib.statistics.crossed import MIN_MEMBERS

NAMES = {"accuracy": "accuracy", "log_likelihood": "log likelihood above level"}


def ahead(
    differences: pd.DataFrame, metric: str, margin: float, confidence: float
) -> list[Criterion]:
    """One criterion for each network that the table compares with.

    Parameters
    ----------
    differences : rows of ``accuracy_differences`` or ``likeness_differences``: one architecture
        against others, of one pretraining. margin : in units of the metric.
    """
    rows = differences[differences["metric"].eq(metric)].reset_index(drop=True)
    few = rows["n_seeds"] < MIN_MEMBERS
    error = rows["error"].where(~few).to_numpy(float)
    numbers = (rows[name].to_numpy(float) for name in ("df", "difference"))
    ends = holm_intervals(error, *numbers, confidence)
    return [
        _criterion(row, metric, margin, low, high)
        for row, (low, high) in zip(rows.itertuples(), ends, strict=True)
    ]


def _criterion(row, metric: str, margin: float, low: float, high: float) -> Criterion:
    name = f"{NAMES[metric]} above {label(row.versus)}'s by"
    if row.n_seeds < MIN_MEMBERS:
        why = f"{row.n_seeds} shared seeds; {MIN_MEMBERS} are needed"
        return Criterion(label(row.architecture), name, NOT_TESTABLE, row.difference, reason=why)
    verdict = judge(low, high, margin)
    why = row.reason if verdict == NOT_TESTABLE else ""
    numbers = (float(x) for x in (row.difference, low, high, margin))
    return Criterion(label(row.architecture), name, verdict, *numbers, reason=why)


def smallest(criteria: list[Criterion]) -> Criterion | None:
    """The criterion with the smallest difference that has an interval."""
    known = [c for c in criteria if np.isfinite(c.low)]
    return min(known, key=lambda c: c.value) if known else None
