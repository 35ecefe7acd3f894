"""Error consistency within level: do people and networks stumble over the same pictures?

Right is an answer on the pole's side of the middle (the middle itself has no right answer). At one
level a right answer is always the same answer, so agreement is counted on the answers. At level l,
with shares a of the person and b of the network:

    o = share of trials where both answer alike,   e = a b + (1 − a)(1 − b),
    kappa = Σ n (o − e) / Σ n (1 − e)

(Geirhos et al. 2020, with chance agreement taken within each level as in a stratified kappa, so
that knowing the level alone gives 0.) Negative values stay; NaN where chance agreement is complete.
"""

from __future__ import annotations

import numpy as np

from lib.likeness.agreement import divide
from lib.likeness.answers import People

MIDDLE = 0.5


def has_right_answer(level: np.ndarray) -> np.ndarray:
    """Which pictures have a right answer, bool: all but those at the middle."""
    return np.abs(level - MIDDLE) > 1e-9


def kappa(people: People, chance: np.ndarray) -> np.ndarray:
    """Each person with each candidate, (P, C).

    Parameters
    ----------
    chance : P(positive) of the candidates, (C, S), or (P, C, S) where each person has others.
    """
    agreed, room = _terms(*map(people.by_level, _counts(people, chance)))
    return _ratio(agreed.sum(-1), room.sum(-1))


def kappa_without(people: People, chance: np.ndarray) -> np.ndarray:
    """``kappa`` without each identity's pictures, (clusters, P, C)."""
    order = np.lexsort((people.cluster, people.level_code))
    code = people.level_code[order] * people.clusters + people.cluster[order]
    first = np.flatnonzero(np.diff(code, prepend=-1))
    cells = [np.add.reduceat(x[..., order], first, axis=-1) for x in _counts(people, chance)]
    level, cluster = np.divmod(code[first], people.clusters)
    starts = np.flatnonzero(np.diff(level, prepend=-1))
    levels = [np.add.reduceat(x, starts, axis=-1) for x in cells]
    whole = _terms(*levels)
    left = _terms(*(all_[..., level] - own for all_, own in zip(levels, cells, strict=True)))
    by_cluster = np.argsort(cluster, kind="stable")
    begin = np.flatnonzero(np.diff(cluster[by_cluster], prepend=-1))
    totals = []
    for before, after in zip(whole, left, strict=True):
        change = (before[..., level] - after)[..., by_cluster]
        totals.append(before.sum(-1)[..., None] - np.add.reduceat(change, begin, axis=-1))
    return np.moveaxis(_ratio(*totals), -1, 0)


def _counts(people: People, chance: np.ndarray) -> tuple[np.ndarray, ...]:
    """Trials, a person's positive answers, a candidate's, and both's, by picture: (P, C, S) each.

    Pictures without a probability are left out.
    """
    chance = np.asarray(chance, float)
    known = np.isfinite(chance)
    q = np.where(known, chance, 0.0)
    n = people.n[:, None] * known
    happy = people.happy[:, None] * known
    return n, happy, n * q, happy * q


def _terms(n, first, second, both) -> tuple[np.ndarray, np.ndarray]:
    """n (o − e) and n (1 − e) of each level; 0 where nothing was shown."""
    n = np.where(n > 1e-9, n, 0.0)
    a = np.nan_to_num(divide(first, n))
    b = np.nan_to_num(divide(second, n))
    by_chance = n * (a * b + (1 - a) * (1 - b))
    return n - first - second + 2 * both - by_chance, n - by_chance


def _ratio(agreed: np.ndarray, room: np.ndarray) -> np.ndarray:
    return divide(agreed, np.where(room > 1e-9, room, 0.0))
