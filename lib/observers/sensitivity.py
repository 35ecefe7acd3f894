"""Sensitivity and criterion: defined for every observer, also where a curve never crosses 0.5.

Upper, middle and lower are the thirds of the axis from 0 to 1. Of networks they come from log-odds,
of people from choices with the log-linear correction (Hautus 1995), so that shares of 0 and 1 are
finite. Sign: a positive criterion leans to the positive pole.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import ndtri

THIRDS = (1 / 3, 2 / 3)
NAMES = ("sensitivity", "auc", "criterion")


def thirds(level: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which levels are lower, middle and upper, each of the shape of ``level``."""
    level = np.asarray(level, float)
    lower = level <= THIRDS[0] + 1e-9
    upper = level >= THIRDS[1] - 1e-9
    return lower, ~lower & ~upper, upper


def of_log_odds(level: ArrayLike, z: ArrayLike) -> dict[str, float]:
    """d', AUC and criterion of pictures' log-odds.

    d' = (mean of the upper - mean of the lower third) / their pooled SD; AUC: how often a picture
    of the upper third has the higher log-odds; criterion: mean of the middle third / that SD.

    Parameters
    ----------
    level, z : (n,), a value each picture.

    Returns
    -------
    sensitivity, auc, criterion; NaN where a third has no picture or nothing varies.
    """
    z = np.asarray(z, float)
    low, middle, high = (z[third] for third in thirds(level))
    if len(low) + len(high) < 3 or not len(low) or not len(high):
        return dict.fromkeys(NAMES, np.nan)
    within = ((low - low.mean()) ** 2).sum() + ((high - high.mean()) ** 2).sum()
    sd = np.sqrt(within / (len(low) + len(high) - 2))
    rank = stats.mannwhitneyu(high, low).statistic
    known = sd > 1e-12 * max(1.0, np.abs(z).max())
    return {
        "sensitivity": float((high.mean() - low.mean()) / sd) if known else np.nan,
        "auc": float(rank / (len(low) * len(high))),
        "criterion": float(middle.mean() / sd) if known and len(middle) else np.nan,
    }


def of_choices(
    level: ArrayLike, positive: ArrayLike, n: ArrayLike, confidence: float = 0.95
) -> dict[str, np.ndarray]:
    """d', AUC and criterion of people's choices.

    d' = probit of the upper third's corrected share less that of the lower third's, with the
    variance of Gourevitch & Galanter (1967); AUC = Phi(d' / sqrt 2); criterion: probit of the
    middle third's corrected share. Someone who saw levels near their own threshold has a criterion
    near 0 by design: table ``psychometrics`` takes the fitted curve's where there is one.

    Parameters
    ----------
    level : (L,). positive, n : (..., L) positive answers and answers; fractions are allowed.

    Returns
    -------
    sensitivity, auc, criterion and each with ``_low`` and ``_high``, of shape (...); NaN where a
    third has no answer.
    """
    parts = [_probit(np.asarray(positive, float), np.asarray(n, float), t) for t in thirds(level)]
    (low, low_var), (middle, middle_var), (high, high_var) = parts
    wide = stats.norm.ppf(0.5 + confidence / 2)
    found = {}
    for name, value, variance in (
        ("sensitivity", high - low, high_var + low_var),
        ("criterion", middle, middle_var),
    ):
        half = wide * np.sqrt(variance)
        found |= {name: value, f"{name}_low": value - half, f"{name}_high": value + half}
    for end in ("", "_low", "_high"):
        found[f"auc{end}"] = stats.norm.cdf(found[f"sensitivity{end}"] / np.sqrt(2))
    return found


def _probit(positive: np.ndarray, n: np.ndarray, third: np.ndarray) -> tuple[np.ndarray, ...]:
    """Probit of the log-linear share, (k + .5) / (n + 1), and its variance; NaN without answers."""
    k = positive[..., third].sum(-1)
    n = n[..., third].sum(-1)
    share = np.where(n > 0, (k + 0.5) / (n + 1), np.nan)
    u = ndtri(share)
    return u, share * (1 - share) / (np.where(n > 0, n, np.nan) * stats.norm.pdf(u) ** 2)
