"""Intervals and goodness of fit by resampling: new answers are drawn, and every new data set is
fitted again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from lib.psychometrics.curves import PARAMETERS, QUANTITIES, derived, deviance
from lib.psychometrics.likelihood import believing, make_problems
from lib.psychometrics.overdispersion import SMALLEST
from lib.psychometrics.search import optimise

PsychometricFit = Any  # of lib.psychometrics.result, which imports this module
EXPECTED_TRIALS = (
    100  # a level: enough for a curve that misses a network's shares by some 0.04 to be found out
)
# share of resampled curves that must have a value; where fewer have one, no interval is honest
ENOUGH = 0.5


def bootstrap(
    fit: PsychometricFit,
    n_boot: int,
    rng: np.random.Generator,
    *,
    kind: str = "parametric",
    confidence: float = 0.95,
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Expanded percentile intervals {quantity: (low, high)} of the fit's shape, for pse, slope,
    jnd, the parameters.

    Plain percentiles of 21 levels hold the truth in 92 to 94 % of cases where they claim 95; the
    tails are moved out as Student's t is wider than the normal, with the levels as the independent
    samples (Hesterberg 2015, sec. 3.2).
    ``kind``: ``parametric`` draws answers from the fitted curve, ``nonparametric`` from the
    observed shares. NaN where the fit has no value. ValueError: another kind, n_boot below 1.
    """
    tail = expanded_tail(fit.level.size, confidence)
    return {
        name: tuple(end.reshape(fit.shape)[()] for end in percentiles(values, (tail, 100 - tail)))
        for name, values in samples(fit, n_boot, rng, kind=kind).items()
    }


def samples(
    fit: PsychometricFit, n_boot: int, rng: np.random.Generator, *, kind: str = "parametric"
) -> dict[str, np.ndarray]:
    """The refitted quantities, {quantity: (n_boot, B)}, NaN where the fit itself has none."""
    if n_boot < 1:
        raise ValueError(f"n_boot {n_boot} given; allowed: 1 or more")
    parameters = _refit(fit, drawn(fit, n_boot, rng, kind))[0]
    pse, slope, jnd = derived(parameters, fit.options.sigmoid)
    found = dict(zip((*QUANTITIES, *PARAMETERS), (pse, slope, jnd, *parameters.T), strict=True))
    found["scale"] = np.exp(found["scale"])
    missing = {name: np.isnan(np.ravel(getattr(fit, name))) for name in found}
    return {
        name: np.where(
            missing[name], np.nan, np.where(np.isfinite(v), v, np.nan).reshape(n_boot, -1)
        )
        for name, v in found.items()
    }


def drawn(
    fit: PsychometricFit, copies: int, rng: np.random.Generator, kind: str = "parametric"
) -> np.ndarray:
    """New happy counts, (copies, B, L); fractional numbers of trials are drawn as the nearest
    whole number.
    """
    if kind not in ("parametric", "nonparametric"):
        raise ValueError(f"bootstrap kind {kind!r} given; allowed: parametric, nonparametric")
    n, levels = fit.n.reshape(-1, fit.level.size), fit.level
    share = (
        fit.curve(levels).reshape(n.shape)
        if kind == "parametric"
        else fit.n_happy.reshape(n.shape) / np.where(n > 0, n, 1)
    )
    whole = np.round(n).astype(int)
    share = np.broadcast_to(np.clip(np.nan_to_num(share, nan=0.5), 0, 1), (copies, *n.shape))
    correlation = np.nan_to_num(np.ravel(fit.overdispersion))[:, None]
    if (correlation > 0).any():
        size = 1 / np.maximum(correlation, 1e-9) - 1
        share = rng.beta(np.maximum(share * size, 1e-12), np.maximum((1 - share) * size, 1e-12))
    return rng.binomial(whole, share) * (n / np.maximum(whole, 1))


def goodness_of_fit(fit: PsychometricFit, n_simulated: int, rng: np.random.Generator) -> np.ndarray:
    """p of the deviance, of the fit's shape: how often data from the fitted curve lie as far from
    their own fit.

    Small where the function within its bounds cannot hold the data. Monte Carlo p, (1 + larger) /
    (1 + n_simulated). Counts that are no whole numbers are expected answers, such as a network's,
    and have no sampling noise to compare with: they are tested as if every level had been shown
    ``EXPECTED_TRIALS`` times and answers had been drawn.
    """
    expected = _expected(fit)
    asked = _asked_often(fit, expected)
    happy = drawn(asked, n_simulated, rng)
    parameters, n = _refit(asked, happy)
    simulated = deviance(
        parameters, fit.level, happy.reshape(n.shape), n, fit.options.sigmoid
    ).reshape(n_simulated, -1)
    observed = np.ravel(fit.deviance)
    if expected.any():
        observed = np.where(expected, _deviance_of_answers(asked, rng), observed)
    p = (1 + (simulated >= observed - 1e-9).sum(0)) / (1 + n_simulated)
    return np.where(np.isnan(observed), np.nan, p).reshape(fit.shape)[()]


def _expected(fit: PsychometricFit) -> np.ndarray:
    """Which fits are of expected answers, (B,)."""
    return (fit.n_happy != np.round(fit.n_happy)).reshape(-1, fit.level.size).any(1)


def _asked_often(fit: PsychometricFit, expected: np.ndarray) -> PsychometricFit:
    """The fit with expected answers counted as those of EXPECTED_TRIALS trials at every level
    shown.
    """
    shape, n = fit.n.shape, fit.n.reshape(-1, fit.level.size)
    more = np.where(expected[:, None] & (n > 0), EXPECTED_TRIALS, n)
    happy = fit.n_happy.reshape(n.shape) / np.where(n > 0, n, 1) * more
    return replace(fit, n=more.reshape(shape), n_happy=happy.reshape(shape))


def _deviance_of_answers(
    fit: PsychometricFit, rng: np.random.Generator, draws: int = 20
) -> np.ndarray:
    """Median deviance of answers drawn from the data's own shares, each refitted, (B,)."""
    happy = drawn(fit, draws, rng, "nonparametric")
    parameters, n = _refit(fit, happy)
    found = deviance(parameters, fit.level, happy.reshape(n.shape), n, fit.options.sigmoid).reshape(
        draws, -1
    )
    return np.where(np.isnan(np.ravel(fit.deviance)), np.nan, np.median(found, axis=0))


def _refit(fit: PsychometricFit, happy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Parameters (copies * B, 4) of new counts (copies, B, L), each searched from its original's
    optimum; and n.

    An overdispersed observer's correlation, and a group's belief, are taken as known.
    """
    n = np.tile(fit.n.reshape(-1, fit.level.size), (len(happy), 1))
    options = fit.options
    problems = make_problems(
        fit.level,
        happy.reshape(n.shape),
        n,
        sigmoid=options.sigmoid,
        guess=options.guess,
        lapse=options.lapse,
        penalty=options.penalty,
    )
    correlation = np.nan_to_num(np.ravel(fit.overdispersion))
    if (correlation > 0).any():
        problems = replace(
            problems, overdispersion=np.tile(np.maximum(correlation, SMALLEST), len(happy))
        )
    if fit.belief is not None:
        problems = believing(problems, *fit.belief)
    start = np.tile(fit.parameters().reshape(-1, 4), (len(happy), 1))
    return optimise(problems, np.where(np.isfinite(start), start, problems.low))[0], n


def expanded_tail(levels: int, confidence: float) -> float:
    """Per cent to cut off at each end, Phi(sqrt(L / (L - 1)) t) with L - 1 degrees of freedom."""
    levels = max(levels, 2)  # one level carries no curve, and so no interval either
    wide = np.sqrt(levels / (levels - 1)) * stats.t.ppf(0.5 * (1 - confidence), levels - 1)
    return float(100 * stats.norm.cdf(wide))


def percentiles(values: np.ndarray, ends: tuple[float, float]) -> np.ndarray:
    """(2, B) over the first axis of (n, B); NaN where fewer than half of the samples have a
    value.
    """
    out = np.full((2, values.shape[1]), np.nan)
    enough = np.isfinite(values).mean(0) >= ENOUGH
    if enough.any():
        out[:, enough] = np.nanpercentile(values[:, enough], ends, axis=0)
    return out


def compare_fits(
    a: PsychometricFit,
    b: PsychometricFit,
    *,
    rng: np.random.Generator | None = None,
    n_boot: int = 1000,
    confidence: float = 0.95,
    over: str = "each",
    paired: bool = False,
) -> dict[str, dict[str, np.ndarray]]:
    """Differences a less b in PSE and slope with bootstrap intervals and two-sided p.

    Parameters
    ----------
    rng : None takes a fixed generator, so that the same fits give the same interval.
    over : ``each`` compares fits of one shape one to one, or a single fit with each of the other's,
        by new answers;
        ``observers`` compares the means of two groups (N,) and (M,), by new observers, whose PSEs
        carry the error of their answers with them. Observers without a value are left out.
    paired : over observers: both groups are the same people in the same order, such as two
        conditions.

    Returns
    -------
    {"pse": {"difference", "low", "high", "p"}, "slope": {...}}, of the common shape

    Raises
    ------
    ValueError : shapes that do not match, or fewer than two observers with a value.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    if over == "observers":
        return {
            name: _compare_means(
                getattr(a, name), getattr(b, name), paired, n_boot, rng, confidence
            )
            for name in ("pse", "slope")
        }
    if over != "each":
        raise ValueError(f"over {over!r} given; allowed: each, observers")
    if a.shape != b.shape and () not in (a.shape, b.shape):
        raise ValueError(
            f"fits of shapes {a.shape} and {b.shape} given; allowed: one shape, or a single fit"
        )
    shape, tail = a.shape or b.shape, expanded_tail(min(a.level.size, b.level.size), confidence)
    one, other = samples(a, n_boot, rng), samples(b, n_boot, rng)
    result = {}
    for name in ("pse", "slope"):
        gap = (
            one[name] - other[name]
        )  # (n_boot, B); a single fit's column goes with each of the other's
        row = _difference(getattr(a, name) - getattr(b, name), gap, tail)
        result[name] = {key: np.reshape(value, shape)[()] for key, value in row.items()}
    return result


def _compare_means(
    a: np.ndarray,
    b: np.ndarray,
    paired: bool,
    n_boot: int,
    rng: np.random.Generator,
    confidence: float,
) -> dict[str, float]:
    """Difference of two groups' means by new observers from both (or new pairs)."""
    if paired and np.shape(a) != np.shape(b):
        raise ValueError(
            f"groups of shapes {np.shape(a)} and {np.shape(b)} given; "
            "allowed when paired: one shape"
        )
    groups = [np.ravel(a - b), np.zeros(1)] if paired else [np.ravel(a), np.ravel(b)]
    groups = [g[np.isfinite(g)] for g in groups]
    if len(groups[0]) < 2 or (len(groups[1]) < 2 and not paired):
        raise ValueError(
            f"{len(groups[0])} and {len(groups[1])} observers with a value "
            "given; allowed: two or more"
        )
    one, other = (g[rng.integers(len(g), size=(n_boot, len(g)))].mean(1) for g in groups)
    tail = expanded_tail(min(len(g) for g in groups if len(g) > 1), confidence)
    row = _difference(groups[0].mean() - groups[1].mean(), (one - other)[:, None], tail)
    return {key: float(np.ravel(value)[0]) for key, value in row.items()}


def _difference(value, gap: np.ndarray, tail: float) -> dict[str, np.ndarray]:
    """The difference, its interval and p from resampled differences (n_boot, B)."""
    low, high = percentiles(gap, (tail, 100 - tail))
    crossed = np.minimum((gap <= 0).sum(0), (gap >= 0).sum(0))
    known = np.isfinite(gap).sum(0)  # samples without a value say nothing for or against
    p = np.where(np.isnan(low), np.nan, np.minimum(1, 2 * (1 + crossed) / (1 + known)))
    return {"difference": value, "low": low, "high": high, "p": p}
