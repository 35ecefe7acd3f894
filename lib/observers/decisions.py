"""From a network's log-odds to choices: named rules, and the noise that makes them people's.

- ``argmax``: positive where the log-odds are above 0.
- ``softmax``: positive as often as the network's own probability says.
- ``noisy``: P = Phi(z / sigma). Gaussian noise of SD sigma is added to the log-odds z and the sign
  decides: the observer of signal detection theory (Green & Swets 1966). People say how large sigma
  is.
- ``noisy_shifted``: P = Phi((z + shift) / sigma). What is left of a difference once the network
  draws its line where people draw theirs.

``sigma`` and ``shift`` are fitted to one half of the people by maximum likelihood, and judged on
the other half (``halves``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtr

RULES = ("argmax", "softmax", "noisy", "noisy_shifted")
FITTED = ("noisy", "noisy_shifted")
# Phi(z / 1.702) is the softmax of z to within 0.0095 (Haley 1952)
LIKE_SOFTMAX = 1.702
_TINY = 1e-12  # keeps the log-odds of a saturated probability finite


@dataclass(frozen=True)
class Noise:
    """Decision noise: its standard deviation, and what is added to the log-odds (both in
    log-odds).

    Raises
    ------
    ValueError : sigma below 0, or a value that is no number.
    """

    sigma: float = LIKE_SOFTMAX
    shift: float = 0.0

    def __post_init__(self):
        if not (self.sigma >= 0 and np.isfinite(self.shift)):
            raise ValueError(
                f"noise sigma {self.sigma!r}, shift {self.shift!r} given; allowed: sigma 0 or "
                "more, shift any number, in log-odds"
            )


def probability(log_odds: ArrayLike, rule: str, noise: Noise | None = None) -> np.ndarray:
    """P(positive) of each answer.

    Parameters
    ----------
    log_odds : positive less negative, before the softmax; any shape, NaN stays NaN.
    rule : one of ``RULES``. argmax gives 0.5 at exactly 0.
    noise : of the rules noisy and noisy_shifted (None: as noisy as the softmax); noisy takes no
        shift.

    Raises
    ------
    ValueError : an unknown rule.
    """
    z = np.asarray(log_odds, float)
    noise = Noise() if noise is None else noise
    if rule not in RULES:
        raise ValueError(f"decision rule {rule!r} given; allowed: {', '.join(RULES)}")
    if rule == "softmax":
        return expit(z)
    moved = z + noise.shift if rule == "noisy_shifted" else z
    if rule == "argmax" or noise.sigma == 0:
        return 0.5 * (1 + np.sign(moved))
    return ndtr(moved / noise.sigma)


def log_odds_of(trials: pd.DataFrame) -> np.ndarray:
    """Log-odds of a trial table's rows (rows,): its column ``log_odds``, or the logit of
    ``p_happy`` where that is empty (tables of answers computed elsewhere).
    """
    p = pd.to_numeric(trials["p_happy"]).to_numpy(float)
    z = logit(np.clip(p, _TINY, 1 - _TINY))
    if "log_odds" not in trials:
        return z
    given = pd.to_numeric(trials["log_odds"]).to_numpy(float)
    return np.where(np.isfinite(given), given, z)


def halves(people: pd.DataFrame, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """People's trials in two: those that the noise is fitted on, and those that it is judged on.

    Nobody is in both; the same seed gives the same halves. A single person is judged, not fitted.
    """
    who = np.sort(people["observer"].astype(str).unique())
    chosen = np.random.default_rng([21, seed]).permutation(who)[: len(who) // 2]
    first = people["observer"].astype(str).isin(chosen)
    return people[first], people[~first]


def decide(
    p_happy: ArrayLike, rule: str, rng: np.random.Generator, noise: float | None = None
) -> np.ndarray:
    """Responses (1 positive, 0 negative, NaN where p_happy is NaN) to single trials.

    Raises
    ------
    ValueError : an unknown rule, a probability outside 0 to 1, or negative noise.
    """
    chance = expected(p_happy, rule, noise)
    positive = (rng.random(chance.shape) < chance).astype(float)
    return np.where(np.isnan(chance), np.nan, positive)


def expected(p_happy: ArrayLike, rule: str, noise: float | None = None) -> np.ndarray:
    """``probability`` of networks whose softmax is at hand and not their log-odds.

    noise : SD in log-odds of the noisy rules; None is as noisy as the softmax.

    Raises
    ------
    ValueError : an unknown rule, a probability outside 0 to 1, or negative noise.
    """
    p = np.asarray(p_happy, float)
    outside = (p < 0) | (p > 1)
    if outside.any():
        raise ValueError(
            f"p_happy {p[outside].flat[0]:g} given; allowed: 0 to 1 (softmax over the two classes)"
        )
    return probability(
        logit(np.clip(p, _TINY, 1 - _TINY)), rule, Noise(LIKE_SOFTMAX if noise is None else noise)
    )
