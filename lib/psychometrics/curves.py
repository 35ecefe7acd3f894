"""What follows from the parameters of a psychometric function: its curve, PSE, slope, JND and
deviance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy

from lib.psychometrics.sigmoids import SIGMOIDS, both_tails

QUANTITIES = ("pse", "slope", "jnd")
PARAMETERS = ("location", "scale", "guess", "lapse")


def curve(parameters: np.ndarray, x: ArrayLike, sigmoid: str) -> np.ndarray:
    """psi at ``x`` (K,) for parameters (..., 4), of shape (..., K)."""
    x = np.atleast_1d(np.asarray(x, float))
    flat = np.reshape(parameters, (-1, 4))
    return both_tails(flat, x, sigmoid)[0].reshape(*np.shape(parameters)[:-1], x.size)


def crossing(parameters: np.ndarray, share: float, sigmoid: str) -> np.ndarray:
    """Level where psi equals ``share``, (...,); +inf (-inf) where the whole curve lies below
    (above) it.
    """
    location, log_scale, guess, lapse = np.moveaxis(parameters, -1, 0)
    inner = (share - guess) / (1 - guess - lapse)
    return location + np.exp(log_scale) * SIGMOIDS[sigmoid].quantile(np.clip(inner, 0, 1))


def derived(parameters: np.ndarray, sigmoid: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """pse, slope at the pse and jnd of (..., 4) parameters; unlimited, so infinite or NaN where
    there is none.
    """
    pse = crossing(parameters, 0.5, sigmoid)
    location, log_scale, guess, lapse = np.moveaxis(parameters, -1, 0)
    with np.errstate(invalid="ignore"):
        z = (pse - location) * np.exp(-log_scale)
        tilt = 2 * (1 - guess - lapse)
        density = SIGMOIDS[sigmoid].density(z, 2 * (0.5 - guess) * 2 / tilt - 1)[0]
        slope = (1 - guess - lapse) * density * np.exp(-log_scale)
        jnd = (crossing(parameters, 0.75, sigmoid) - crossing(parameters, 0.25, sigmoid)) / 2
    return pse, np.where(np.isfinite(pse), slope, np.nan), np.where(np.isfinite(jnd), jnd, np.nan)


def deviance(
    parameters: np.ndarray, level: np.ndarray, happy: np.ndarray, n: np.ndarray, sigmoid: str
) -> np.ndarray:
    """Twice the log likelihood ratio of the saturated model to the curve, (B,); Wichmann & Hill
    (2001), eq. 9.
    """
    psi, rest, *_ = both_tails(parameters, level, sigmoid)
    psi = np.maximum(psi, 1e-300)
    rest = np.maximum(rest, 1e-300)
    sad = n - happy
    trials = np.where(n > 0, n, 1.0)
    saturated = xlogy(happy, happy / trials) + xlogy(sad, sad / trials)
    return np.maximum(2 * (saturated - xlogy(happy, psi) - xlogy(sad, rest)).sum(1), 0)
