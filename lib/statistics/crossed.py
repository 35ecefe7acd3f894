"""Intervals over several crossed factors at once: seeds, morph identities, people.

Each factor is a sample of what one wants to speak about (other training runs, other faces, other
people; Clark 1973, Judd et al. 2012). Every factor is jackknifed (Efron & Stein 1981) and the
variances are added; the degrees of freedom are Satterthwaite's (1946). What varies only from one
combination to the next is counted once for each factor, so that an interval is too wide, never too
narrow, where there is little else. ``tests/benchmarks/bench_coverage.py`` measures the coverage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from lib.statistics.intervals import interval_text

MIN_MEMBERS = 3  # of fewer, the spread over the factor is not known well enough to speak about it


@dataclass(frozen=True)
class CrossedInterval:
    """A value with its interval, and for what it does and does not speak.

    ``variances`` holds the share of each factor that the interval speaks for; ``silent`` the number
    of members of those it does not. ``low`` and ``high`` are NaN where there is no interval, and
    ``reason`` says why.
    """

    value: float
    low: float = np.nan
    high: float = np.nan
    df: float = np.nan
    variances: dict[str, float] = field(default_factory=dict)
    silent: dict[str, int] = field(default_factory=dict)
    reason: str = ""

    @property
    def error(self) -> float:
        """Standard error over the factors that the interval speaks for."""
        return float(np.sqrt(sum(self.variances.values()))) if self.variances else np.nan

    @property
    def p(self) -> float:
        """Two-sided p of the value against 0."""
        if not np.isfinite(self.low):
            return np.nan
        return float(2 * stats.t.sf(abs(self.value) / self.error, self.df))

    @property
    def scope(self) -> str:
        """``over seeds, identities and people``, ``over seeds; not for other identities (2)``."""
        *first, last = self.variances or [""]
        heard = f"over {', '.join(first)} and {last}" if first else f"over {last}" * bool(last)
        unheard = " or ".join(f"{name} ({n})" for name, n in self.silent.items())
        limits = f"not for other {unheard}" if unheard else ""
        return "; ".join(part for part in (heard, limits) if part)

    def __str__(self) -> str:
        return interval_text(self.value, self.low, self.high)


def crossed_interval(
    values: ArrayLike,
    factors: Mapping[str, ArrayLike | None],
    statistic: Callable[[np.ndarray], float] | None = None,
    *,
    confidence: float = 0.95,
) -> CrossedInterval:
    """Interval of a statistic of values whose axes are samples.

    Parameters
    ----------
    values : one axis a factor, in the factors' order; NaN where a combination is missing.
    factors : what each axis samples, such as ``{"seeds": None, "identities": identity}``: the name
        of each member along the axis, (length of the axis,), where members of one name (the
        pictures of one identity) are left out together; None where each is its own.
    statistic : of such an array; None takes the mean of what is there.

    Raises
    ------
    ValueError : factors that do not fit the array's axes.
    """
    values = np.asarray(values, float)
    if values.ndim != len(factors):
        raise ValueError(
            f"values with {values.ndim} axes and factors {', '.join(factors)} given; needed: one "
            "factor an axis"
        )
    codes = [
        _codes(name, members, size)
        for (name, members), size in zip(factors.items(), values.shape, strict=True)
    ]
    left_out = _without_by_sums if statistic is None else _without_by_calls
    measure = _mean if statistic is None else statistic
    without = {
        name: left_out(values, axis, code, measure)
        for axis, (name, code) in enumerate(zip(factors, codes, strict=True))
    }
    return jackknife_interval(measure(values), without, confidence=confidence)


def jackknife_interval(
    value: float, without: Mapping[str, ArrayLike], *, confidence: float = 0.95
) -> CrossedInterval:
    """The interval from a statistic and its values without each member of each factor.

    V = Σ over factors of (g − 1)/g · Σ(θ₋ᵢ − mean θ₋ᵢ)²; df = V² / Σ V_f²/(g_f − 1).

    Parameters
    ----------
    without : for each factor the statistic without each of its g members, (g,).
    """
    samples = {name: np.asarray(found, float) for name, found in without.items()}
    silent = {name: len(x) for name, x in samples.items() if len(x) < MIN_MEMBERS}
    heard = {name: x for name, x in samples.items() if name not in silent}
    variances = {name: float((len(x) - 1) * x.var()) for name, x in heard.items()}
    total = sum(variances.values())
    reason = _no_interval(value, variances, total)
    if reason:
        return CrossedInterval(float(value), silent=silent, reason=reason)
    df = total**2 / sum(v**2 / (len(heard[name]) - 1) for name, v in variances.items())
    half = stats.t.ppf(0.5 + confidence / 2, df) * np.sqrt(total)
    return CrossedInterval(
        float(value), float(value - half), float(value + half), float(df), variances, silent
    )


def _no_interval(value: float, variances: Mapping[str, float], total: float) -> str:
    """Why there is no interval; empty where there is one."""
    if not np.isfinite(value):
        return "no value"
    if not variances:
        return f"fewer than {MIN_MEMBERS} members of every factor"
    if not np.isfinite(total):
        return "undefined without one of the members"
    if total <= np.square(1e-12 * max(abs(value), 1)):
        return f"no difference between any of the {' or '.join(variances)}"
    return ""


def _codes(name: str, members: ArrayLike | None, size: int) -> np.ndarray:
    """The member that each place of an axis belongs to, as 0, 1, ..."""
    if members is None:
        return np.arange(size)
    members = np.asarray(members)
    if members.shape != (size,):
        raise ValueError(f"{len(members)} names of {name} given; needed: {size}, one a place")
    return np.unique(members, return_inverse=True)[1]


def _mean(values: np.ndarray) -> float:
    known = np.isfinite(values)
    return float(values[known].mean()) if known.any() else np.nan


def _without_by_sums(values: np.ndarray, axis: int, code: np.ndarray, _measure) -> np.ndarray:
    """The mean without each member, from sums."""
    along = np.moveaxis(values, axis, 0).reshape(len(code), -1)
    sums = np.bincount(code, np.nansum(along, 1))
    counts = np.bincount(code, np.isfinite(along).sum(1))
    left = counts.sum() - counts
    return np.divide(sums.sum() - sums, left, out=np.full(len(sums), np.nan), where=left > 0)


def _without_by_calls(values: np.ndarray, axis: int, code: np.ndarray, measure) -> np.ndarray:
    members = np.unique(code)
    if len(members) < MIN_MEMBERS:  # not used, and perhaps not defined
        return np.full(len(members), np.nan)
    return np.array([measure(values.compress(code != one, axis)) for one in members], float)
