"""Who is right more often: networks compared on the same test images, seed by seed.

Seeds and images are both samples; images of one person's face stand or fall together.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from lib.statistics.crossed import CrossedInterval, crossed_interval

DIFFERENCES = ("difference", "low", "high", "p", "error", "df", "n_seeds", "scope", "reason")


def accuracy_differences(
    answers: pd.DataFrame, architecture: str = "fe_alexnet", confidence: float = 0.95
) -> pd.DataFrame:
    """Table ``accuracy_differences``: one architecture's share right less every other's of its
    pretraining.

    Parameters
    ----------
    answers : table ``test_answers``.

    Returns
    -------
    pretraining, architecture, versus, metric (``accuracy``), difference, low, high (over seeds and
    images, clustered by identity), p (two-sided, against 0), error, df, n_seeds, scope, reason,
    n_stimuli
    """
    rows = []
    for pretraining, some in answers.groupby("pretraining", sort=False):
        right = {name: _right(rows) for name, rows in some.groupby("architecture", sort=False)}
        mine = right.pop(architecture, None)
        for versus, theirs in right.items() if mine is not None else ():
            who = {"pretraining": pretraining, "architecture": architecture, "versus": versus}
            rows.append(who | {"metric": "accuracy"} | _difference(mine, theirs, some, confidence))
    names = ["pretraining", "architecture", "versus", "metric", *DIFFERENCES, "n_stimuli"]
    return pd.DataFrame(rows, columns=names)


def difference_row(found: CrossedInterval, n_seeds: int) -> dict:
    """A difference as columns ``DIFFERENCES``."""
    values = (found.value, found.low, found.high, found.p, found.error, found.df)
    words = (n_seeds, found.scope, found.reason)
    return dict(zip(DIFFERENCES, (*values, *words), strict=True))


def _right(rows: pd.DataFrame) -> pd.DataFrame:
    """Whether each seed is right on each image, seeds x images."""
    return rows.pivot(index="seed", columns="image", values="right").astype(float)


def _difference(
    mine: pd.DataFrame, theirs: pd.DataFrame, answers: pd.DataFrame, confidence: float
) -> dict:
    apart = (mine - theirs).dropna(how="all").dropna(axis=1, how="all")
    shown = answers.drop_duplicates("image").set_index("image").loc[apart.columns]
    identity = shown["identity"].fillna("").astype(str)
    cluster = identity.where(identity.ne(""), identity.index.to_series().astype(str))
    known = identity.ne("").any()
    factors = {"seeds": None, "identities" if known else "images": cluster.to_numpy()}
    found = crossed_interval(apart.to_numpy(float), factors, confidence=confidence)
    return difference_row(found, len(apart)) | {"n_stimuli": apart.shape[1]}


def holm_intervals(
    error: np.ndarray, df: np.ndarray, difference: np.ndarray, confidence: float
) -> np.ndarray:
    """Intervals of n differences, (n, 2), at the confidences of Holm's (1979) steps.

    The smallest p is judged at alpha / n, the next at alpha / (n - 1), and so on; from the first
    that misses its level on, all keep that level. An interval excludes 0 where Holm's test does.
    """
    n = int(np.isfinite(error).sum())
    p = 2 * stats.t.sf(np.abs(difference) / error, df)
    level = np.full(len(p), np.nan)
    missed = False
    left = n
    for place in np.argsort(np.where(np.isfinite(p), p, np.inf), kind="stable")[:n]:
        level[place] = (1 - confidence) / left
        missed = missed or p[place] > level[place]
        left = left if missed else left - 1
    half = stats.t.ppf(1 - level / 2, df) * error
    return np.column_stack([difference - half, difference + half])
