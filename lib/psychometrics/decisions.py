"""From a network's p_happy to a response: named rules, so that networks answer trials as people
do.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logit, ndtr

RULES = ("argmax", "softmax", "noisy")
_TINY = 1e-12  # keeps the log-odds of a saturated network finite


def decide(p_happy, rule: str, rng: np.random.Generator, noise: float = 1.0) -> np.ndarray:
    """Responses (1 happy, 0 sad, NaN where p_happy is NaN) to single trials.

    Parameters
    ----------
    p_happy : probabilities of *happy*, any shape, each 0 to 1.
    rule : ``argmax`` answers happy above 0.5 (a coin decides at exactly 0.5); ``softmax`` answers
        happy with probability p_happy; ``noisy`` adds Gaussian noise to the happy - sad log-odds
        and answers its sign.
    noise : rule noisy: standard deviation of that noise, in log-odds.

    Raises
    ------
    ValueError : an unknown rule, a probability outside 0 to 1, or negative noise.
    """
    chance = expected(p_happy, rule, noise)
    happy = (rng.random(chance.shape) < chance).astype(float)
    return np.where(np.isnan(chance), np.nan, happy)


def expected(p_happy, rule: str, noise: float = 1.0) -> np.ndarray:
    """The probability with which ``decide`` answers happy: the same rule without its sampling
    noise.

    Summed over trials it gives the fractional counts that ``fit_psychometric`` takes.
    """
    p = _checked(p_happy, rule, noise)
    if rule == "softmax":
        return p
    if rule == "argmax" or noise == 0:
        return np.where(np.isnan(p), np.nan, 0.5 * (1 + np.sign(p - 0.5)))
    return ndtr(logit(np.clip(p, _TINY, 1 - _TINY)) / noise)


def _checked(p_happy, rule: str, noise: float) -> np.ndarray:
    p = np.asarray(p_happy, float)
    if rule not in RULES:
        raise ValueError(f"decision rule {rule!r} given; allowed: {', '.join(RULES)}")
    outside = (p < 0) | (p > 1)
    if outside.any():
        raise ValueError(
            f"p_happy {p[outside].flat[0]:g} given; allowed: 0 to 1 (softmax over the two classes)"
        )
    if not noise >= 0:
        raise ValueError(f"noise {noise!r} given; allowed: 0 or more, in log-odds")
    return p
