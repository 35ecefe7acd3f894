"""Image consistency: which of a level's pictures look more positive than the others, to both?

The pattern over pictures is the share of positive answers less the mean at that picture's level
(Rajalingham et al. 2018 take out the object's mean). The score is the correlation of people's and a
network's pattern, weighted by trials, over √ρ: people's split-half reliability, so that a network
that has the true pattern gets 1 however few people there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.likeness.agreement import divide
from lib.likeness.answers import People

HALVINGS = 100
MIN_RELIABILITY = 0.1  # below it the correction multiplies noise
BLOCK = 2_000_000  # numbers worked on at once


@dataclass(frozen=True)
class Groups:
    """People's sums in B groups of trials: happy, n (B, S), n_second (B, S) of the people who judge
    in the second half, and the reliability (B,) of each group's pattern.
    """

    happy: np.ndarray
    n: np.ndarray
    n_second: np.ndarray
    reliability: np.ndarray

    def answers(self, chance: np.ndarray) -> np.ndarray:
        """A candidate's mean P (2, C, S) over the trials of each group, (B, C, S)."""
        share = np.nan_to_num(divide(self.n_second, self.n))[:, None]
        return (1 - share) * chance[0] + share * chance[1]


def pattern(people: People, share: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Shares (..., S) less their weighted mean at each level; 0 where the weight is 0."""
    known = np.where(weight > 0, share, 0.0)
    sums = people.by_level(weight * known)
    weights = people.by_level(weight)
    middle = np.nan_to_num(divide(sums, weights))[..., people.level_code]
    return np.where(weight > 0, known - middle, 0.0)


def everyone(people: People, rng: np.random.Generator) -> Groups:
    """All people on all pictures, (1, S)."""
    return _groups(people, _totals(people)[:, None], rng)


def without_people(people: People, rng: np.random.Generator) -> Groups:
    """All but each person, (P, S)."""
    own = np.stack([people.happy, people.n, people.n * people.fold[:, None]])
    return _groups(people, _totals(people)[:, None] - own, rng, less=own[:2])


def without_clusters(people: People, rng: np.random.Generator) -> Groups:
    """All people on the pictures of all but each identity, (clusters, S)."""
    kept = people.cluster != np.arange(people.clusters)[:, None]
    return _groups(people, _totals(people)[:, None] * kept, rng, kept=kept)


def consistency(people: People, groups: Groups, chance: np.ndarray) -> np.ndarray:
    """Score of candidates (2, C, S) in each group, (B, C).

    A candidate that answers all pictures of a level alike gets 0. NaN where people's reliability
    is below ``MIN_RELIABILITY``.
    """
    share = divide(groups.happy, groups.n)
    n = groups.n
    theirs = pattern(people, share, n)[:, None]
    known = np.isfinite(chance).all(0)
    weight = n[:, None] * known
    mine = pattern(people, groups.answers(np.where(known, chance, 0.0)), weight)
    r = correlation(theirs, mine, weight)
    usable = groups.reliability >= MIN_RELIABILITY
    return r / np.sqrt(np.where(usable, groups.reliability, np.nan))[:, None]


def correlation(a: np.ndarray, b: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted correlation over the last axis of patterns whose level means are 0.

    0 where one of them does not vary within any level: it knows nothing about the pictures.
    """
    squares = [np.sum(weight * x * x, -1) for x in (a, b)]
    size = np.sqrt(squares[0] * squares[1])
    flat = size <= 1e-12 * weight.sum(-1)
    return np.where(flat, 0.0, np.nan_to_num(divide(np.sum(weight * a * b, -1), size)))


def of_fewer(reliability: np.ndarray, n: int, fewer: int) -> np.ndarray:
    """Spearman–Brown: the reliability of the mean of ``fewer`` people from that of n."""
    ratio = fewer / n
    return divide(ratio * reliability, 1 + (ratio - 1) * reliability)


def varied(people: People) -> bool:
    """Whether any level has more than one picture."""
    return bool((np.bincount(people.level_code) > 1).any())


def _halvings(count: int, rng: np.random.Generator) -> np.ndarray:
    """Random halves of people, (HALVINGS, P) of bool."""
    rank = rng.random((HALVINGS, count)).argsort(1)
    return rank < count // 2


def _totals(people: People) -> np.ndarray:
    """Positive answers, answers, and answers of those who judge in the second half, (3, S)."""
    return np.stack([people.happy.sum(0), people.n.sum(0), people.fold @ people.n])


def _groups(
    people: People,
    totals: np.ndarray,
    rng: np.random.Generator,
    less: np.ndarray | None = None,
    kept: np.ndarray | None = None,
) -> Groups:
    """Groups with the reliability of each: half the people's pattern with the other half's.

    totals (3, B, S), as ``_totals``. less (2, B, S): what each group lacks of one person, group b
    of person b. kept (B, S): which pictures each group has.
    """
    halves = _halvings(len(people.names), rng)
    one = np.stack([halves @ people.happy, halves @ people.n])  # (2, H, S)
    found = []
    step = max(1, BLOCK // one[0].size)
    for start in range(0, totals.shape[1], step):
        part = slice(start, start + step)
        half = np.repeat(one[:, None], totals[0, part].shape[0], 1)
        if less is not None:
            member = halves.T[part][:, :, None]  # whether the person left out was in the half
            half = half - less[:, part, None] * member
        if kept is not None:
            half = half * kept[part][:, None]
        found.append(_reliability(people, half, *totals[:2, part]))
    return Groups(*totals, np.concatenate(found))


def _reliability(people, half, happy, n) -> np.ndarray:
    """Spearman–Brown of the mean correlation of two halves' patterns, (B,)."""
    happy_one, n_one = half
    happy = happy[:, None]
    n = n[:, None]
    n_two = n - n_one
    weight = divide(n_one * n_two, n)
    weight = np.where(np.isfinite(weight) & (n_one > 0) & (n_two > 0), weight, 0.0)
    shares = divide(happy_one, n_one), divide(happy - happy_one, n_two)
    first, second = (pattern(people, share, weight) for share in shares)
    r = correlation(first, second, weight).mean(-1)
    return divide(2 * r, 1 + r)
