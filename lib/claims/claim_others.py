"""Networks that the paper does not have: beside the claims, never counted in a verdict."""

from __future__ import annotations

import pandas as pd

from lib.claims.sentences import NAMES
from lib.claims.verdicts import NOT_TESTABLE, Criterion
from lib.settings.words import LABELS, label
from lib.statistics.intervals import interval_text

METRIC = "log_likelihood"
REASON = "not a network of the paper: not counted"


def others(likeness: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``human_likeness`` of networks from outside and from tables of answers."""
    return likeness[likeness["metric"].eq(METRIC) & ~likeness["architecture"].isin(LABELS)]


def criteria_of(rows: pd.DataFrame) -> list[Criterion]:
    """How likely each of these networks makes people's choices, without a verdict."""
    return [
        Criterion(
            label(row.architecture, row.pretraining),
            NAMES[METRIC],
            NOT_TESTABLE,
            row.value,
            row.low,
            row.high,
            reason=REASON,
        )
        for row in rows.itertuples()
    ]


def others_text(criteria: list[Criterion]) -> str:
    """A sentence with each network's value; empty where there is none."""
    if not criteria:
        return ""
    each = (f"{c.network} {interval_text(c.value, c.low, c.high)}" for c in criteria)
    return f" Beside the paper's networks, not counted: {NAMES[METRIC]} of {'; '.join(each)}."
