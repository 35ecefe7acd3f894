"""Repeated-measures analysis of variance for one to three within factors, with Greenhouse–Geisser
correction.

pingouin stops at two factors and statsmodels has no sphericity correction, so this one is our own;
both are its oracles in the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.oneway import confint_noncentrality

# times df1: beyond it the noncentrality cannot be inverted, and eta squared has hardly a width left
HUGE = 5000
COLUMNS = ["source", "ss", "df1", "df2", "ms", "f", "p", "eps_gg", "p_gg", "eta_p2"]


def rm_anova(
    data: pd.DataFrame,
    dv: str,
    subject: str,
    within: str | Sequence[str],
    *,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """F tests of all main effects and interactions of one to three within factors.

    Several rows of a cell of one subject are averaged first. Every effect is tested on the
    orthonormal contrasts that belong to it: with Y the subjects' contrast scores, F = (n |mean Y|²
    / d) / (|Y - mean Y|² / (d (n - 1))), and epsilon = tr(S)² / (d tr(S²)) of their covariance S
    (Greenhouse & Geisser 1959).

    Parameters
    ----------
    data : long table, one row per observation.
    dv, subject : columns of the dependent variable and of the subject.
    within : one to three columns of factors.

    Returns
    -------
    source, ss, df1, df2, ms, f, p, eps_gg, p_gg, eta_p2 (partial eta squared), correction, its
    interval eta_low, eta_high (of level ``confidence``, from the noncentral F; Smithson 2003) and
    n, one row per effect.

    Raises
    ------
    ValueError : a missing column, another number of factors, a factor with one level, fewer than
        two subjects, or a subject without a value in some cell.
    """
    factors = [within] if isinstance(within, str) else list(within)
    cells = _cell_means(data, dv, subject, factors)
    scores = cells.to_numpy()
    sizes = [data[factor].nunique() for factor in factors]
    rows = [
        _effect(scores, sizes, chosen) | {"source": " * ".join(factors[i] for i in chosen)}
        for order in range(1, len(factors) + 1)
        for chosen in combinations(range(len(factors)), order)
    ]
    ends = [
        eta_interval(row["f"], row["df1"] * row["eps_gg"], row["df2"] * row["eps_gg"], confidence)
        for row in rows
    ]
    table = pd.DataFrame(rows).assign(
        correction="Greenhouse-Geisser", eta_low=[e[0] for e in ends], eta_high=[e[1] for e in ends]
    )
    return table[[*COLUMNS, "correction", "eta_low", "eta_high", "n"]]


def eta_interval(f: float, df1: float, df2: float, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of partial eta squared, from that of the F's noncentrality (statsmodels)."""
    if not np.isfinite([f, df1]).all():
        return np.nan, np.nan
    if f * df1 > HUGE:
        return (f * df1 / (f * df1 + df2),) * 2
    ends = np.array(confint_noncentrality(f, (df1, df2), alpha=1 - confidence))
    return tuple(ends / (ends + df1 + df2 + 1))


def complete_cases(data: pd.DataFrame, dv: str, subject: str, within: str) -> pd.DataFrame:
    """The rows of subjects with a value at every level of the factor that the table has: what
    ``rm_anova`` can take.
    """
    there = data.dropna(subset=dv).groupby(subject)[within].nunique()
    return data[data[subject].isin(there.index[there == data[within].nunique()])]


def _cell_means(data: pd.DataFrame, dv: str, subject: str, factors: list[str]) -> pd.DataFrame:
    """Subjects x cells, cells in the order of the factors' sorted levels."""
    if not 1 <= len(factors) <= 3 or len(set(factors)) != len(factors):
        raise ValueError(f"within factors {factors} given; allowed: one to three different columns")
    absent = [c for c in (dv, subject, *factors) if c not in data]
    if absent:
        raise ValueError(
            f"columns {absent} are not in the table; there are: {', '.join(map(str, data.columns))}"
        )
    if not pd.api.types.is_numeric_dtype(data[dv]):
        raise ValueError(
            f"column {dv!r} of type {data[dv].dtype} given; allowed: numbers. Take pd.to_numeric"
        )
    unknown = {f: int(data[f].isna().sum()) for f in factors if data[f].isna().any()}
    if unknown:
        raise ValueError(
            f"rows without a level given: {unknown}; allowed: a level in "
            "every row. Leave these rows out"
        )
    single = [f for f in factors if data[f].nunique() < 2]
    if single:
        raise ValueError(
            f"factors {single} have one level; allowed: two or more. Leave them out of `within`"
        )
    means = data.groupby([subject, *factors], observed=True)[dv].mean()
    levels = [sorted(data[f].unique()) for f in factors]
    columns = pd.MultiIndex.from_product(levels, names=factors)
    cells = means.unstack(factors).reindex(
        columns=columns if len(factors) > 1 else columns.get_level_values(0)
    )
    if cells.isna().any(axis=None):
        holes = cells.isna().stack(factors, future_stack=True)
        named = "; ".join(" / ".join(map(str, hole)) for hole in holes[holes].index[:5])
        raise ValueError(
            f"{int(holes.sum())} missing cells ({subject} / {' / '.join(factors)}: "
            f"{named}); allowed: a "
            "value for every subject in every cell. Leave these subjects out or take a mixed model"
        )
    if len(cells) < 2:
        raise ValueError(f"{len(cells)} subject given; allowed: two or more")
    return cells


def _effect(scores: np.ndarray, sizes: list[int], chosen: tuple[int, ...]) -> dict:
    """Test of one effect; ``chosen`` are the indices of its factors."""
    contrasts = reduce(
        np.kron,
        [_contrasts(k) if i in chosen else np.full((k, 1), k**-0.5) for i, k in enumerate(sizes)],
    )
    y = scores @ contrasts  # (subjects, d)
    n, d = y.shape
    rounding = 1e-24 * (scores**2).sum()  # sums of squares this small are what rounding leaves of 0
    ss, error = (
        value if value > rounding else 0.0
        for value in (n * (y.mean(0) ** 2).sum(), ((y - y.mean(0)) ** 2).sum())
    )
    df1 = d
    df2 = d * (n - 1)
    f = (ss / df1) / (error / df2) if error > 0 else np.nan
    eps = _epsilon(np.atleast_2d(np.cov(y, rowvar=False))) if error > 0 else np.nan
    return {
        "ss": ss,
        "df1": df1,
        "df2": df2,
        "ms": ss / df1,
        "f": f,
        "p": stats.f.sf(f, df1, df2),
        "eps_gg": eps,
        "p_gg": stats.f.sf(f, eps * df1, eps * df2),
        "eta_p2": ss / (ss + error) if ss + error > 0 else np.nan,
        "n": n,
    }


def _contrasts(levels: int) -> np.ndarray:
    """Orthonormal contrasts, (levels, levels - 1), from the QR decomposition of the centred
    identity.
    """
    return np.linalg.qr(np.eye(levels)[:, :-1] - 1 / levels)[0]


def _epsilon(covariance: np.ndarray) -> float:
    trace = np.trace(covariance)
    squares = (covariance**2).sum()
    return float(trace**2 / (len(covariance) * squares)) if squares > 0 else np.nan
