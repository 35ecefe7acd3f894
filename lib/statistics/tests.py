"""Tests that take a tidy frame and give one: every row has a statistic, df, p, effect size,
interval and n.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pingouin
from numpy.typing import ArrayLike
from scipy import stats

from lib.statistics.adjusting import adjust
from lib.statistics.anova import complete_cases, rm_anova
from lib.statistics.comparing import bayes_factor, compare_curves, compare_to_observers
from lib.statistics.mixed import mixed_logistic

__all__ = [
    "adjust",
    "bayes_factor",
    "compare_curves",
    "compare_to_observers",
    "complete_cases",
    "equivalence",
    "mixed_logistic",
    "rm_anova",
    "simple_effects",
]

PAIRED = ["a", "b", "difference", "low", "high", "t", "df", "p", "dz", "n"]


def equivalence(
    x: ArrayLike,
    y: ArrayLike = 0.0,
    *,
    bound: float,
    paired: bool = False,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Two one-sided tests (TOST, Schuirmann 1987): is the difference within plus or minus
    ``bound``?

    Two samples are compared by Welch's t.

    Parameters
    ----------
    x : values (n,). y : values (m,), or one number to compare with. NaN is left out, of pairs with
        its partner.
    bound : smallest difference that matters, in units of x, above 0.

    Returns
    -------
    difference, low, high (of level 2 confidence - 1, as TOST has it), bound, t (of the test that is
    nearer to failing), df, p, d (Cohen's), equivalent, n (of x), correction (none, until ``adjust``
    makes one) — one row

    Raises
    ------
    ValueError : a bound that is not above 0, or fewer than two values of a sample.
    """
    if not bound > 0:
        raise ValueError(f"bound {bound} given; allowed: above 0")
    x = np.asarray(x, float)
    y = np.asarray(y, float)
    single = y.ndim == 0
    if paired:
        x = (x - y)[np.isfinite(x - y)]
        y = np.zeros(())
    x = x[np.isfinite(x)]
    y = y if single or paired else y[np.isfinite(y)]
    if len(x) < 2 or (y.ndim and len(y) < 2):
        raise ValueError(f"{len(x)} and {y.size} values given; allowed: two or more of each sample")

    def against_y(values, side="two-sided"):
        return (
            stats.ttest_ind(values, y, equal_var=False, alternative=side)
            if y.ndim
            else stats.ttest_1samp(values - y, 0, alternative=side)
        )

    test = max(
        against_y(x + bound, "greater"), against_y(x - bound, "less"), key=lambda t: t.pvalue
    )
    low, high = against_y(x).confidence_interval(2 * confidence - 1)
    return pd.DataFrame(
        [
            {
                "difference": x.mean() - y.mean(),
                "low": low,
                "high": high,
                "bound": bound,
                "t": test.statistic,
                "df": test.df,
                "p": test.pvalue,
                "d": pingouin.compute_effsize(x, y) if y.ndim else (x.mean() - y) / x.std(ddof=1),
                "equivalent": bool(test.pvalue < 1 - confidence),
                "n": len(x),
                "correction": "none",
            }
        ]
    )


def simple_effects(
    data: pd.DataFrame,
    dv: str,
    subject: str,
    factor: str,
    at: str | None = None,
    *,
    reference: str | None = None,
    correction: str = "holm",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Paired differences between the levels of a factor, within each level of another one.

    Parameters
    ----------
    at : a second factor, or None. reference : compare all with this level alone; None compares
        every pair.

    Returns
    -------
    [at], a, b, difference (a less b), low, high, t, df, p, p_adjusted, correction, dz, n; no rows
    where no two levels have a value

    Raises
    ------
    ValueError : a reference that is no level of the factor.
    """
    known = list(data[factor].dropna().unique()) if len(data) else [reference]
    if reference is not None and reference not in known:
        raise ValueError(
            f"reference {reference!r} given; allowed: a level of {factor}: "
            f"{', '.join(map(str, known))}"
        )
    rows = []
    for place, part in data.groupby(at) if at else [(None, data)]:
        wide = part.pivot_table(index=subject, columns=factor, values=dv)
        levels = list(wide.columns)
        pairs = [(a, b) for i, a in enumerate(levels) for b in levels[i + 1 :]]
        if reference is not None:
            pairs = [(a, reference) for a in levels if a != reference and reference in levels]
        rows += [
            ({at: place} if at else {}) | {"a": a, "b": b} | _paired(wide[a] - wide[b], confidence)
            for a, b in pairs
        ]
    return adjust(pd.DataFrame(rows, columns=[*([at] if at else []), *PAIRED]), method=correction)


def _paired(difference: pd.Series, confidence: float) -> dict:
    values = difference.dropna().to_numpy()
    if len(values) < 2 or np.ptp(values) == 0:
        return {
            "difference": values.mean() if len(values) else np.nan,
            "n": len(values),
        } | dict.fromkeys(("low", "high", "t", "df", "p", "dz"), np.nan)
    test = stats.ttest_1samp(values, 0)
    low, high = test.confidence_interval(confidence)
    return {
        "difference": values.mean(),
        "low": low,
        "high": high,
        "t": test.statistic,
        "df": test.df,
        "p": test.pvalue,
        "dz": values.mean() / values.std(ddof=1),
        "n": len(values),
    }
