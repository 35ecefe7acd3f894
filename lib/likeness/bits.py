"""Log likelihood above level: how much better than knowing the level does a network foresee each
choice?

Bits per choice: the mean over a person's trials of log2 P(answer) under the network, less log2
P(answer) under a curve on level alone that is fitted to the other people. An observer who knows
the level exactly and nothing else gets 0; one who knows less is below 0.
"""

from __future__ import annotations

import numpy as np

from lib.likeness.agreement import divide
from lib.likeness.answers import People
from lib.psychometrics.fitting import fit_psychometric
from lib.settings.options import Statistics

# probabilities are kept within [0.01, 0.99], so that one sure wrong answer costs 6.6 bits at most
CLIP = 0.01
# answers that the level's curve counts for, where people's shares of a picture are drawn to it
STRENGTHS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, np.inf)


def level_curves(people: People, statistics: Statistics) -> np.ndarray:
    """P(positive) by level alone, for each person from the other people's answers, (P, S)."""
    happy = people.by_level(people.happy)
    n = people.by_level(people.n)
    fit = fit_psychometric(
        people.levels,
        happy.sum(0) - happy,
        n.sum(0) - n,
        sigmoid=statistics.sigmoid,
        guess=statistics.people.guess,
        lapse=statistics.people.lapse,
        penalty=statistics.penalty,
    )
    return np.asarray(fit.curve(people.levels))[:, people.level_code]


def bits(people: People, chance: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """Bits above level of each person's choices under each candidate, (P, C).

    Parameters
    ----------
    chance : P(positive), (C, S), or (P, C, S) where each person has others. curves : of
        ``level_curves``.
    """
    gained, n = _gains(people, chance, curves)
    return divide(gained.sum(-1), n.sum(-1))


def bits_without(people: People, chance: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """``bits`` without each identity's pictures, (clusters, P, C)."""
    order = np.argsort(people.cluster, kind="stable")
    first = np.flatnonzero(np.diff(people.cluster[order], prepend=-1))
    parts = _gains(people, chance, curves)
    left = [x.sum(-1)[..., None] - np.add.reduceat(x[..., order], first, axis=-1) for x in parts]
    return np.moveaxis(divide(left[0], np.where(left[1] > 1e-9, left[1], 0.0)), -1, 0)


def _gains(people: People, chance: np.ndarray, curves: np.ndarray) -> tuple[np.ndarray, ...]:
    """Bits gained over the level's curve and answered trials, by picture: (P, C, S) each."""
    chance = np.asarray(chance, float)
    base = _clipped(curves)[:, None]
    known = np.isfinite(chance)
    q = _clipped(np.where(known, chance, 0.5))
    happy, n = people.happy[:, None], people.n[:, None]
    gained = happy * (np.log2(q) - np.log2(base))
    gained = gained + (n - happy) * (np.log2(1 - q) - np.log2(1 - base))
    return np.where(known, gained, 0.0), n * known


def others_mean(
    people: People, curves: np.ndarray, strength: float, *, itself: bool = False
) -> np.ndarray:
    """For each person the other people's share (with ``itself`` all people's) of each picture,
    drawn to the level's curve as if that were ``strength`` answers more, (P, 1, S).
    """
    if np.isinf(strength):
        return curves[:, None]
    own = 0 if itself else 1
    happy = people.happy.sum(0) - own * people.happy
    n = people.n.sum(0) - own * people.n
    return ((happy + strength * curves) / (n + strength))[:, None]


def best_strength(people: People, curves: np.ndarray) -> float:
    """The strength under which the others' mean foresees people best."""
    means = [np.nanmean(bits(people, others_mean(people, curves, s), curves)) for s in STRENGTHS]
    return STRENGTHS[int(np.nanargmax(means))]


def _clipped(p: np.ndarray) -> np.ndarray:
    return np.clip(p, CLIP, 1 - CLIP)
