"""P values that are adjusted for the number of tests beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

CORRECTIONS = {"holm": "holm", "fdr": "fdr_bh"}


def adjust(table: pd.DataFrame, p: str = "p", method: str = "holm") -> pd.DataFrame:
    """Add ``p_adjusted`` and ``correction``: ``holm`` (Holm 1979) or ``fdr`` (Benjamini &
    Hochberg 1995); NaN stays.
    """
    if method not in CORRECTIONS:
        raise ValueError(f"correction {method!r} given; allowed: {', '.join(CORRECTIONS)}")
    adjusted = np.full(len(table), np.nan)
    there = table[p].notna().to_numpy()
    if there.any():
        adjusted[there] = multipletests(table.loc[there, p], method=CORRECTIONS[method])[1]
    return table.assign(p_adjusted=adjusted, correction=method)
