"""Scores that go by level: the distance of PSEs, the ratio of slopes, the distance of curves.

A network that knows only the level passes all three; what it knows of pictures is in the picture
scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.likeness.agreement import divide
from lib.likeness.answers import People, people_of, seed_words
from lib.likeness.crossfit import CHANCES
from lib.likeness.samples import Scores
from lib.observers.decision_noise import P_POSITIVE
from lib.observers.networks import Pictures, mean_crossing, pictures_of, slope_at
from lib.observers.population import flatter_together
from lib.observers.tables import fit_people, people_counts
from lib.settings.options import Statistics


@dataclass(frozen=True)
class PeoplesCurves:
    """People by level: names (P,) with their pse and slope (P,), NaN without; answers by level.

    ``together``: what slopes are multiplied by to be that of people together; 1 where networks are
    judged by a rule that is not fitted to people's choices.
    """

    pse: np.ndarray
    slope: np.ndarray
    answers: People
    together: float = 1.0


@dataclass(frozen=True)
class NetworksCurves:
    """One architecture and pretraining: pse, slope (C,) and (m, C) without each identity; P by
    level for people of either half, (C, 2, L) and (m, C, 2, L).
    """

    seeds: np.ndarray
    pse: np.ndarray
    slope: np.ndarray
    chance: np.ndarray
    pse_without: np.ndarray
    slope_without: np.ndarray
    chance_without: np.ndarray


def peoples_curves(
    trials: pd.DataFrame,
    statistics: Statistics,
    fold: Mapping[str, int] | None = None,
    *,
    fitted: bool = False,
) -> PeoplesCurves:
    """People's own curves and their answers by level, of trials of the full face.

    ``fitted``: whether the networks' decision rule is fitted to people's choices, which flattens
    networks by how far people's PSEs lie apart.
    """
    level = trials["level"].astype(float).round(9)
    named = trials.assign(stimulus=level.map("{:.9f}".format), level=level, identity="")
    answers = people_of(named, fold)
    counts = people_counts(trials)
    who, fit = fit_people(counts, statistics)
    place = pd.Index(who["observer"].astype(str)).get_indexer(answers.names)
    pse, slope = np.asarray(fit.pse)[place], np.asarray(fit.slope)[place]
    together = flatter_together(fit, counts) if fitted else 1.0
    return PeoplesCurves(pse, slope, answers, together)


def networks_curves(rows: pd.DataFrame, levels: np.ndarray) -> NetworksCurves:
    """Networks' curves at people's levels (L,), from rows of one architecture and pretraining with
    ``z`` and ``CHANCES``, full face.

    Between its own levels a network's P is interpolated, beyond them it is NaN. Its slope is the
    mean of those under the noise of either half.
    """
    named = rows.assign(seed=seed_words(rows))
    found = {seed: _one(group, levels) for seed, group in named.groupby("seed", sort=False)}
    whole, without = zip(*found.values(), strict=True)
    m = min(map(len, without))
    whole = np.stack(whole)
    without = np.stack([x[:m] for x in without], 1)
    by_half = (*whole.shape[:1], len(CHANCES), len(levels))
    return NetworksCurves(
        np.array(list(found), str),
        *(whole[:, 0], whole[:, 1], whole[:, 2:].reshape(by_half)),
        *(without[..., 0], without[..., 1], without[..., 2:].reshape(m, *by_half)),
    )


def _one(rows: pd.DataFrame, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """PSE, slope and P at people's levels, (2 + 2 L,), and without each identity, (m, 2 + 2 L)."""
    halves = [pictures_of(rows.assign(**{P_POSITIVE: rows[name]})) for name in CHANCES]
    names = np.unique(halves[0].identity)
    left = [[half.without(one) for half in halves] for one in names] if len(names) > 1 else []
    without = [_numbers(some, levels) for some in left]
    size = 2 + len(CHANCES) * len(levels)
    return _numbers(halves, levels), np.reshape(without, (len(without), size))


def _numbers(halves: Sequence[Pictures], levels: np.ndarray) -> np.ndarray:
    pse = mean_crossing(halves[0])
    own, place = np.unique(halves[0].level, return_inverse=True)
    shares = [np.bincount(place, half.p) / np.bincount(place) for half in halves]
    chance = [np.interp(levels, own, share, left=np.nan, right=np.nan) for share in shares]
    slope = np.mean([slope_at(half, pse) for half in halves])
    return np.concatenate([[pse, slope], *chance])


def delta_pse_z(people: PeoplesCurves, some: NetworksCurves) -> Scores:
    """PSE less people's mean PSE, in people's SDs (which hold the error of their PSEs)."""
    pse = people.pse[np.isfinite(people.pse)]
    left = _left_out(pse)
    return Scores(
        some.seeds,
        _in_sds(some.pse, pse.mean() if len(pse) else np.nan, _sd(pse)),
        _in_sds(some.pse_without, pse.mean() if len(pse) else np.nan, _sd(pse)),
        np.stack([_in_sds(some.pse, x.mean(), _sd(x)) for x in left]) if len(left) else _none(some),
    )


def slope_ratio(people: PeoplesCurves, some: NetworksCurves) -> Scores:
    """Slope over people's geometric mean slope, or over that of people together under a rule that
    is fitted to all their choices.
    """
    slope = people.slope[people.slope > 0] * people.together
    middle = np.exp(np.log(slope).mean()) if len(slope) else np.nan
    left = np.exp([np.log(x).mean() for x in _left_out(slope)])
    return Scores(
        some.seeds,
        some.slope / middle,
        some.slope_without / middle,
        some.slope / left[:, None] if len(left) else _none(some),
    )


def rmse(people: PeoplesCurves, some: NetworksCurves) -> Scores:
    """Root mean squared distance of P from people's share positive, over people's levels, weighted
    by their trials; each half of the people against the P that the other half's noise gives.
    """
    own = _by_half(people.answers)
    happy, n = own.sum(1)
    left = (happy - own[0], n - own[1])
    return Scores(
        some.seeds,
        _distance(divide(happy, n), some.chance, n),
        _distance(divide(happy, n), some.chance_without, n),
        _distance(divide(*left)[:, None], some.chance, left[1][:, None]),
    )


def _by_half(answers: People) -> np.ndarray:
    """Everybody's positive answers and answers in the half that they judge in, (2, P, 2, L)."""
    member = answers.fold[:, None] == np.arange(len(CHANCES))
    return np.stack([x[:, None] * member[..., None] for x in (answers.happy, answers.n)])


def rmse_ceilings(people: PeoplesCurves) -> tuple[float, float]:
    """One person against the others' mean, and against the mean of all; means over people."""
    happy, n = people.answers.happy, people.answers.n
    shares = divide(happy.sum(0) - happy, n.sum(0) - n), divide(happy.sum(0), n.sum(0))
    low, high = (_distance(_flat(divide(happy, n)), _flat(s), _flat(n)) for s in shares)
    return float(np.nanmean(low)), float(np.nanmean(high))


def rmse_of_coin(people: PeoplesCurves) -> float:
    """The distance of an observer who answers positive with probability 0.5 at every level."""
    happy = people.answers.happy.sum(0)
    n = people.answers.n.sum(0)
    return float(_distance(_flat(divide(happy, n)), np.array(0.5), _flat(n)))


def _flat(values: np.ndarray) -> np.ndarray:
    """Values by level as those of one half."""
    return values[..., None, :]


def _distance(a: np.ndarray, b: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Over halves and levels, the last two axes."""
    squares = (a - b) ** 2
    weight = np.where(np.isfinite(squares), weight, 0.0)
    total = np.sum(weight * np.nan_to_num(squares), (-2, -1))
    return np.sqrt(divide(total, weight.sum((-2, -1))))


def _in_sds(values: np.ndarray, mean: float, sd: float) -> np.ndarray:
    return divide(values - mean, sd)


def _sd(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else np.nan


def _left_out(values: np.ndarray) -> list[np.ndarray]:
    """The values without each of them."""
    return [np.delete(values, i) for i in range(len(values))] if len(values) > 2 else []


def _none(some: NetworksCurves) -> np.ndarray:
    return np.empty((0, len(some.seeds)))
