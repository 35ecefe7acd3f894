"""PSE and slope of networks, whose answers have no sampling noise: no prior and no fitted curve.

The PSE is where the log-odds cross 0, for each morph identity: isotonic (increasing) regression of
the log-odds on level (Barlow et al. 1972), linear between neighbours. Identities are a sample,
so intervals are over identities (Clark 1973).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats
from scipy.optimize import isotonic_regression
from scipy.special import ndtri

from lib.observers.sensitivity import of_log_odds

BELOW, ABOVE, NO_RISE = "below", "above", "no rise"
MIN_IDENTITIES = 3  # two give an interval with one degree of freedom, which says nothing
NEAR = 0.15  # the slope is taken over this much on either side of the PSE, or so many levels
FEW = 4
_CLIP = 1e-6  # of a share whose probit is taken


@dataclass(frozen=True)
class Pictures:
    """One network's answers in one condition, a value each picture: identity (codes from 0),
    level, z (log-odds as the decision uses them), p (P positive).
    """

    identity: np.ndarray
    level: np.ndarray
    z: np.ndarray
    p: np.ndarray

    def without(self, identity: int) -> Pictures:
        """All but one identity's pictures."""
        kept = self.identity != identity
        return Pictures(self.identity[kept], self.level[kept], self.z[kept], self.p[kept])


def pictures_of(rows: pd.DataFrame) -> Pictures:
    """Rows of a decided trial table as pictures; repeats of a picture are one."""
    keys = ["identity", "level", "stimulus"]
    names = rows[["identity", "stimulus"]].fillna("").astype(str)
    shown = rows.assign(**names).groupby(keys)[["z", "p_positive"]].mean().reset_index()
    return Pictures(
        pd.factorize(shown["identity"])[0],
        shown["level"].to_numpy(float),
        shown["z"].to_numpy(float),
        shown["p_positive"].to_numpy(float),
    )


def rising(level: ArrayLike, value: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Levels (L,), the mean value at each and the nearest curve through them that never falls."""
    levels, place = np.unique(level, return_inverse=True)
    count = np.bincount(place)
    mean = np.bincount(place, value) / count
    return levels, mean, isotonic_regression(mean, weights=count.astype(float)).x


def crossing(level: ArrayLike, z: ArrayLike) -> tuple[float, str]:
    """Where the rising curve of log-odds crosses 0, or NaN and why not.

    Returns
    -------
    level, "" ; or NaN and ``below`` (above 0 from the first level on: the crossing lies below the
    levels shown), ``above`` (never reaches 0) or ``no rise`` (the log-odds do not rise with level,
    though they change sign).
    """
    levels, mean, curve = rising(level, z)
    if np.ptp(curve) == 0 and np.ptp(np.sign(mean)):
        return np.nan, NO_RISE
    if curve[0] > 0:
        return np.nan, BELOW
    if curve[-1] < 0:
        return np.nan, ABOVE
    if (curve == 0).any():
        return float(levels[curve == 0][[0, -1]].mean()), ""
    last = int(np.flatnonzero(curve < 0)[-1])
    low = -curve[last]
    high = curve[last + 1]
    return float(levels[last] + (levels[last + 1] - levels[last]) * low / (low + high)), ""


def crossings(pictures: Pictures) -> tuple[np.ndarray, np.ndarray]:
    """Each identity's crossing (m,), NaN where censored, and why (m,)."""
    found = [
        crossing(pictures.level[pictures.identity == one], pictures.z[pictures.identity == one])
        for one in np.unique(pictures.identity)
    ]
    return np.array([value for value, _ in found]), np.array([why for _, why in found], object)


def mean_crossing(pictures: Pictures) -> float:
    """Mean crossing of the identities that have one; NaN where more than half have none."""
    values, _ = crossings(pictures)
    known = values[np.isfinite(values)]
    return float(known.mean()) if 2 * len(known) >= len(values) and len(known) else np.nan


def reason_for(why: np.ndarray, poles: tuple[str, str]) -> str:
    """Why more than half of the identities have no crossing, in words."""
    said = {
        BELOW: f"calls {{}} of {{}} identities {poles[1]} at every level",
        ABOVE: f"calls {{}} of {{}} identities {poles[0]} at every level",
        NO_RISE: "log-odds do not rise with level in {} of {} identities",
    }
    counts = {name: int((why == name).sum()) for name in said}
    parts = [text.format(counts[name], len(why)) for name, text in said.items() if counts[name]]
    return "; ".join(parts)


def slope_at(pictures: Pictures, pse: float) -> float:
    """Derivative of the mean P(positive) at ``pse``, per unit level.

    A straight line through the probit u of the mean P at the levels within ``NEAR`` of the PSE (the
    nearest ``FEW`` at least) gives phi(u) du/dx: exact for a cumulative Gaussian. All-or-nothing
    answers (argmax) have a staircase: theirs is the line through the shares.
    """
    if not np.isfinite(pse):
        return np.nan
    levels, share, _ = rising(pictures.level, pictures.p)
    away = np.abs(levels - pse)
    near = away <= max(NEAR, np.sort(away)[:FEW][-1])
    x = levels[near] - pse
    if set(pictures.p) <= {0.0, 0.5, 1.0}:
        return float(np.polyfit(x, share[near], 1)[0])
    tilt, u = np.polyfit(x, ndtri(np.clip(share[near], _CLIP, 1 - _CLIP)), 1)
    return float(stats.norm.pdf(u) * tilt)


def jnd_of(pictures: Pictures) -> float:
    """Half the distance between 25 % and 75 % of the mean P; NaN where it does not reach both."""
    levels, _, share = rising(pictures.level, pictures.p)
    if share[0] > 0.25 or share[-1] < 0.75:
        return np.nan
    ends = [np.interp(x, share + 1e-12 * np.arange(len(share)), levels) for x in (0.25, 0.75)]
    return float(ends[1] - ends[0]) / 2


def over_identities(
    pictures: Pictures, statistic: Callable[[Pictures], np.ndarray], confidence: float
) -> np.ndarray:
    """Jackknife intervals over identities of ``statistic(pictures)`` (k,): (k, 2); NaN for fewer
    than ``MIN_IDENTITIES``. Student's t with one degree of freedom fewer than there are identities.
    """
    whole = np.asarray(statistic(pictures), float)
    names = np.unique(pictures.identity)
    if len(names) < MIN_IDENTITIES:
        return np.full((len(whole), 2), np.nan)
    left = np.array([statistic(pictures.without(one)) for one in names], float)
    m = len(names)
    error = np.sqrt((m - 1) / m * ((left - left.mean(0)) ** 2).sum(0))
    half = stats.t.ppf(0.5 + confidence / 2, m - 1) * error
    return np.stack([whole - half, whole + half], 1)


def network_row(
    rows: pd.DataFrame, confidence: float = 0.95, poles: tuple[str, str] = ("sad", "happy")
) -> dict:
    """One network in one condition: the row of table ``psychometrics``.

    Parameters
    ----------
    rows : of a decided trial table, with ``z`` (log-odds that the decision uses, with its shift)
        and ``p_positive``.

    Returns
    -------
    pse, slope, sensitivity, auc, criterion with ``_low`` and ``_high``; jnd, misfit (root mean
    squared distance of the shares from the rising curve drawn through them), n_identities,
    n_crossing, reason, n_trials.
    """
    pictures = pictures_of(rows)
    values, why = crossings(pictures)
    pse = mean_crossing(pictures)
    _, share, curve = rising(pictures.level, pictures.p)
    found = {"pse": pse, "slope": slope_at(pictures, pse)} | of_log_odds(*_signal(pictures))
    names = list(found)
    ends = over_identities(pictures, lambda some: _numbers(some, names), confidence)
    out = dict(found)
    for name, (low, high) in zip(names, ends, strict=True):
        out[f"{name}_low"] = low
        out[f"{name}_high"] = high
    return out | {
        "jnd": jnd_of(pictures),
        "misfit": float(np.sqrt(np.mean((share - curve) ** 2))),
        "n_identities": len(values),
        "n_crossing": int(np.isfinite(values).sum()),
        "reason": "" if np.isfinite(pse) else reason_for(why, poles),
        "n_trials": float(len(rows)),
    }


def _signal(pictures: Pictures) -> tuple[np.ndarray, np.ndarray]:
    return pictures.level, pictures.z


def _numbers(pictures: Pictures, names: list[str]) -> np.ndarray:
    pse = mean_crossing(pictures)
    found = {"pse": pse, "slope": slope_at(pictures, pse)} | of_log_odds(*_signal(pictures))
    return np.array([found[name] for name in names])
