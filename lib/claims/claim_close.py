"""Claim C3: FE-AlexNet closely resembles human perception.

Close is at least the stated share of the lower noise ceiling, in each picture score whose ceiling
people's own agreement makes a ceiling; and better than AlexNet and than the matched block, which
has as many weights and no attention.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.claims.claim_ahead import NAMES as DIFFERENCE_NAMES
from lib.claims.sentences import NAMES
from lib.claims.verdicts import NOT_TESTABLE, Criterion, judge
from lib.likeness.picture_scores import METRICS as PICTURE_METRICS
from lib.settings.words import label
from lib.statistics.crossed import MIN_MEMBERS

RIVALS = ("alexnet", "alexnet_matched")
BETTER_IN = "log_likelihood"


def near_ceiling(network: str, likeness: pd.DataFrame, share: float) -> list[Criterion]:
    """Whether each picture score reaches ``share`` of the lower ceiling, by its interval.

    Parameters
    ----------
    network : what to call it. likeness : its rows of ``human_likeness``, by metric.
    """
    return [
        _near(network, metric, likeness.loc[metric], share)
        for metric in PICTURE_METRICS
        if metric in likeness.index
    ]


def _near(network: str, metric: str, row: pd.Series, share: float) -> Criterion:
    name = f"{NAMES[metric]}, share of the lower ceiling"
    value, low, high = (float(row[f"of_ceiling{end}"]) for end in ("", "_low", "_high"))
    why = "" if pd.isna(row["reason"]) else row["reason"]
    if int(row["n_seeds"]) < MIN_MEMBERS:
        why = why or f"{int(row['n_seeds'])} seeds"
        return Criterion(network, name, NOT_TESTABLE, margin=share, reason=why)
    if not np.isfinite(value):
        why = why or "people do not agree beyond level"
        return Criterion(network, name, NOT_TESTABLE, margin=share, reason=why)
    return Criterion(network, name, judge(low - share, high - share), value, low, high, share)


def better(
    differences: pd.DataFrame, margin: float, rivals: Sequence[str] = RIVALS
) -> list[Criterion]:
    """Whether the network foresees people's choices better than its rivals do, by their own
    intervals (both must hold, so that no correction is needed).
    """
    rows = differences[differences["metric"].eq(BETTER_IN) & differences["versus"].isin(rivals)]
    found = []
    for row in rows.itertuples():
        name = f"{DIFFERENCE_NAMES[BETTER_IN]} above {label(row.versus)}'s by"
        few = row.n_seeds < MIN_MEMBERS
        verdict = NOT_TESTABLE if few else judge(row.low, row.high, margin)
        said = "" if pd.isna(row.reason) else row.reason
        why = f"{row.n_seeds} shared seeds" if few else said
        numbers = (float(x) for x in (row.difference, row.low, row.high, margin))
        found.append(Criterion(label(row.architecture), name, verdict, *numbers, reason=why))
    return found
