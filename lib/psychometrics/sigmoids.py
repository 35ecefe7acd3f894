"""The sigmoids of the psychometric function, and its two tails without cancellation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri


@dataclass(frozen=True)
class Sigmoid:
    """A distribution function F, its quantile function, and from z and F(z) - F(-z) its density
    F' and F'' / F'.
    """

    cdf: Callable
    quantile: Callable
    density: Callable


SIGMOIDS = {
    "norm": Sigmoid(ndtr, ndtri, lambda z, skew: (np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi), -z)),
    "logistic": Sigmoid(expit, logit, lambda z, skew: ((1 - skew) * (1 + skew) / 4, -skew)),
}


def both_tails(parameters: np.ndarray, level: np.ndarray, sigmoid: str) -> tuple[np.ndarray, ...]:
    """psi and 1 - psi, each without cancellation, and z, F(z), F(-z); parameters (B, 4), all
    results (B, L).
    """
    location, log_scale, guess, lapse = parameters.T[..., None]
    z = np.clip((level - location) * np.exp(-log_scale), -37, 37)
    small = SIGMOIDS[sigmoid].cdf(-np.abs(z))
    rising = z > 0
    above = np.where(rising, 1 - small, small)
    below = np.where(rising, small, 1 - small)
    span = 1 - guess - lapse
    return guess + span * above, lapse + span * below, z, above, below
