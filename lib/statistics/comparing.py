"""Trained networks beside people: where a network lies in the distribution of observers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import integrate, stats

from lib.statistics.adjusting import adjust

COMPARED = [
    "n_observers",
    "n_seeds",
    "mean_people",
    "mean_networks",
    "test",
    "difference",
    "low",
    "high",
    "z",
    "t",
    "df",
    "p",
    "d",
    "bf10",
]


def compare_to_observers(
    people: pd.DataFrame,
    networks: pd.DataFrame,
    dv: str,
    by: str | Sequence[str] = "architecture",
    *,
    confidence: float = 0.95,
    correction: str = "holm",
) -> pd.DataFrame:
    """Where each architecture lies among people: z of its mean, and a test of people against it.

    With two or more seeds the test is Welch's t of people against seeds, so that training runs
    count as a source of variance; a single network is a constant, and the test is the one-sample t.
    One that is left of several is neither, and is not tested.

    Parameters
    ----------
    people, networks : one row per observer, with column ``dv``; rows without a value are left out
        and not counted.
    by : the networks' grouping columns.

    Returns
    -------
    the grouping columns, test, n_observers, n_seeds, mean_people, mean_networks, difference
    (network less people), low, high, z, t, df, p, p_adjusted, correction, d (Cohen's, pooled SD),
    bf10 (``bayes_factor``); no rows where there are no networks

    Raises
    ------
    ValueError : a column that is missing, fewer than two people with a value, or people without
        variance.
    """
    values = _values(people, dv)
    keys = [by] if isinstance(by, str) else list(by)
    if networks.empty:
        return adjust(pd.DataFrame(columns=[*keys, *COMPARED]), method=correction)
    _need(networks, *keys, dv)
    rows = []
    for key, group in networks.groupby(keys, sort=False):
        seeds = group[dv].dropna().to_numpy(float)
        rows.append(
            dict(zip(keys, key, strict=True)) | _compare(values, seeds, len(group), confidence)
        )
    return adjust(pd.DataFrame(rows, columns=[*keys, *COMPARED]), method=correction)


def compare_curves(
    people: pd.DataFrame, networks: pd.DataFrame, by: Sequence[str], *, confidence: float = 0.95
) -> pd.DataFrame:
    """``compare_to_observers`` of PSE and slope, which column ``quantity`` names.

    One that fewer than two people have, or that is the same in all, is left out; no rows where both
    are.
    """
    found = {
        name: compare_to_observers(people, networks, name, by, confidence=confidence)
        for name in ("pse", "slope")
        if people[name].nunique() > 1
    }
    if not found:
        return pd.DataFrame(columns=["quantity", *by, *COMPARED, "p_adjusted", "correction"])
    return pd.concat(found, names=["quantity"]).reset_index(level=0)


def _need(frame: pd.DataFrame, *columns: str) -> None:
    for column in columns:
        if column not in frame:
            raise ValueError(
                f"column {column!r} is not in the table; there are: "
                f"{', '.join(map(str, frame.columns))}"
            )


def _values(frame: pd.DataFrame, dv: str) -> np.ndarray:
    _need(frame, dv)
    values = frame[dv].dropna().to_numpy(float)
    if len(values) < 2 or np.ptp(values) == 0:
        raise ValueError(
            f"{len(values)} people with a {dv} and a standard deviation of "
            f"{np.std(values) if len(values) else np.nan:g}; allowed: at "
            "least two people who differ"
        )
    return values


def _compare(people: np.ndarray, seeds: np.ndarray, n_trained: int, confidence: float) -> dict:
    """One architecture against people; NaN throughout where no seed has a value, or one of
    several trained.
    """
    row = {
        "n_observers": len(people),
        "n_seeds": len(seeds),
        "mean_people": people.mean(),
        "mean_networks": seeds.mean() if len(seeds) else np.nan,
    }
    if not len(seeds) or len(seeds) == 1 < n_trained:
        return (
            row
            | dict.fromkeys(("difference", "low", "high", "z", "t", "df", "p", "d", "bf10"), np.nan)
            | {"test": f"none: {len(seeds)} of {n_trained} seeds have a value"}
        )
    many = len(seeds) > 1
    test = (
        stats.ttest_ind(seeds, people, equal_var=False)
        if many
        else stats.ttest_1samp(people, seeds[0])
    )
    sign = 1.0 if many else -1.0  # difference is always network less people
    interval = test.confidence_interval(confidence)
    offset = 0.0 if many else seeds[0]
    ends = sorted([sign * (interval.low - offset), sign * (interval.high - offset)])
    difference = seeds.mean() - people.mean()
    pooled = np.sqrt(
        (
            (len(people) - 1) * people.var(ddof=1)
            + (len(seeds) - 1) * (seeds.var(ddof=1) if many else 0)
        )
        / (len(people) + len(seeds) - 2)
    )
    error = people.var(ddof=1) / len(people) + (seeds.var(ddof=1) / len(seeds) if many else 0)
    return row | {
        "test": "Welch t, people against seeds" if many else "one-sample t against one network",
        "difference": difference,
        "low": ends[0],
        "high": ends[1],
        "z": difference / people.std(ddof=1),
        "t": sign * test.statistic,
        "df": test.df,
        "p": test.pvalue,
        "d": difference / pooled,
        "bf10": bayes_factor(test.statistic, people.var(ddof=1) / error, test.df),
    }


def bayes_factor(t: float, n: float, df: float, width: float = 0.707) -> float:
    """JZS Bayes factor for an effect against none (Rouder et al. 2009, eq. 1), also for a t of
    Welch.

    ``n`` is the number of observations that one mean of them would need for the same standard
    error: with one network the people's number (and pingouin's factor), with seeds that vary fewer,
    as pingouin has it not. The effect is in people's standard deviations, Cauchy with scale
    ``width``.
    """

    def weighed(g: float) -> float:
        spread = 1 + n * g * width**2
        gain = 0.5 * (df + 1) * (np.log1p(t**2 / df) - np.log1p(t**2 / (spread * df)))
        return np.exp(gain - 0.5 / g) * (2 * np.pi * spread * g**3) ** -0.5

    return float(integrate.quad(weighed, 0, np.inf)[0])
