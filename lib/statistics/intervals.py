"""Seeds are replicates: statements about an architecture are about the distribution over its
trained networks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

CELL = ["architecture", "pretraining", "attention"]


def mean_interval(values: ArrayLike, confidence: float = 0.95) -> tuple[float, float, float]:
    """Mean and Student's t interval of replicates; the interval is NaN for fewer than two."""
    values = np.asarray(values, float)
    mean = float(values.mean()) if len(values) else np.nan
    if len(values) < 2:
        return mean, np.nan, np.nan
    half = stats.t.ppf(0.5 + confidence / 2, len(values) - 1) * stats.sem(values)
    return mean, float(mean - half), float(mean + half)


def confidence_each(n: int, confidence: float = 0.95) -> float:
    """The confidence of each of ``n`` intervals that hold together with ``confidence``
    (Bonferroni).
    """
    return 1 - (1 - confidence) / max(n, 1)


def accuracy_summary(accuracy: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Each network's accuracy over its seeds, with two intervals that answer two questions.

    Parameters
    ----------
    accuracy : the table of that name.

    Returns
    -------
    architecture, pretraining, attention, split, n_seeds, mean, low, high : would other seeds do the
    same? (Student's t over seeds); n, image_low, image_high : would other images? (Wilson's
    interval of the mean share, over images).
    """
    rows = []
    for key, group in accuracy.groupby([*CELL, "split"], sort=False):
        mean, low, high = mean_interval(group["accuracy"], confidence)
        n = int(group["n"].iloc[0])
        image_low, image_high = proportion_confint(mean * n, n, 1 - confidence, method="wilson")
        rows.append([*key, len(group), mean, low, high, n, float(image_low), float(image_high)])
    return pd.DataFrame(
        rows,
        columns=[*CELL, "split", "n_seeds", "mean", "low", "high", "n", "image_low", "image_high"],
    )


def seed_pairs(table: pd.DataFrame, this: str, that: str, value: str = "accuracy") -> pd.DataFrame:
    """``this`` less ``that``, seed by seed: networks of one seed start from the same head and see
    the same batches.

    Parameters
    ----------
    table : one row an architecture and seed (one split, one pretraining).

    Returns
    -------
    seed, this, that, difference

    Raises
    ------
    ValueError : no seed that both have, or more than one row of a seed.
    """
    sides = [table[table["architecture"] == name].set_index("seed")[value] for name in (this, that)]
    if any(side.index.has_duplicates for side in sides):
        raise ValueError(
            f"more than one row of a seed of {this} or {that}; give one split and one pretraining"
        )
    pairs = pd.concat(sides, axis=1, keys=["this", "that"], join="inner").reset_index()
    if pairs.empty:
        raise ValueError(
            f"no seed that both {this} and {that} have; the table has "
            f"{', '.join(sorted(set(table['architecture'])))}"
        )
    return pairs.assign(difference=pairs["this"] - pairs["that"])


def shared_seeds(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """The rows of some architectures (one row a seed each), of those seeds alone that all of
    them have.
    """
    rows = table[table["architecture"].isin(names)]
    return rows[rows.groupby("seed")["architecture"].transform("nunique") == len(set(names))]


def pairs_summary(pairs: pd.DataFrame, confidence: float = 0.95) -> dict:
    """n, better, equal (counts of pairs), and the mean difference with its Student's t interval."""
    mean, low, high = mean_interval(pairs["difference"], confidence)
    return {
        "n": len(pairs),
        "better": int((pairs["difference"] > 0).sum()),
        "equal": int((pairs["difference"] == 0).sum()),
        "difference": mean,
        "low": low,
        "high": high,
    }


def interval_text(mean: float, low: float, high: float, digits: int = 3, sign: str = "") -> str:
    """``0.845 [0.838, 0.852]``, or the mean alone where there is no interval; ``sign`` "+"
    shows it always.
    """
    form = f"{sign}.{digits}f"
    return f"{mean:{form}}" + ("" if np.isnan(low) else f" [{low:{form}}, {high:{form}}]")
