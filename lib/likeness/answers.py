"""Who answered what: people's choices and networks' probabilities, picture by picture.

Pictures are sorted by level, so that everything that is taken within a level is a sum over
neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from lib.likeness.crossfit import CHANCES
from lib.observers.decision_noise import same_pictures

MIN_PICTURES = 3  # shared pictures below which a score over pictures says nothing


@dataclass(frozen=True)
class People:
    """P people's answers to S pictures, the pictures sorted by level.

    names, fold (P,): who they are, and which half they judge in (``lib.likeness.crossfit``); happy,
    n (P, S): positive answers and answered trials; picture, level, cluster (S,): the pictures'
    names, their levels, and whom each shows (codes from 0; a picture of unknown identity is its
    own cluster).
    """

    names: np.ndarray
    fold: np.ndarray
    happy: np.ndarray
    n: np.ndarray
    picture: np.ndarray
    level: np.ndarray
    cluster: np.ndarray

    @cached_property
    def starts(self) -> np.ndarray:
        """Where each level's pictures begin, (L,)."""
        return np.flatnonzero(np.diff(self.level, prepend=np.nan) != 0)

    @cached_property
    def levels(self) -> np.ndarray:
        """The different levels, (L,)."""
        return self.level[self.starts]

    @cached_property
    def level_code(self) -> np.ndarray:
        """The level of each picture as a place in ``levels``, (S,)."""
        return np.repeat(
            np.arange(len(self.starts)), np.diff(np.append(self.starts, self.level.size))
        )

    @property
    def clusters(self) -> int:
        """How many identities the pictures show."""
        return int(self.cluster.max()) + 1 if self.cluster.size else 0

    def by_level(self, values: np.ndarray) -> np.ndarray:
        """Sums over each level's pictures, (..., S) to (..., L)."""
        return np.add.reduceat(values, self.starts, axis=-1)

    def pictures(self, kept: np.ndarray) -> People:
        """The same people's answers to some pictures, kept (S,) of bool."""
        cluster = np.unique(self.cluster[kept], return_inverse=True)[1]
        return replace(
            self,
            happy=self.happy[:, kept],
            n=self.n[:, kept],
            picture=self.picture[kept],
            level=self.level[kept],
            cluster=cluster,
        )

    def without(self, one: int) -> People:
        """All people but one."""
        kept = np.arange(len(self.names)) != one
        return replace(
            self,
            names=self.names[kept],
            fold=self.fold[kept],
            happy=self.happy[kept],
            n=self.n[kept],
        )

    def of(self, candidate: Candidate) -> np.ndarray:
        """A candidate's P(positive) as each person meets it, (P, C, S)."""
        return candidate.chance[self.fold]


@dataclass(frozen=True)
class Candidate:
    """Seeds of one architecture and pretraining: their names (C,), and chance (2, C, S), each one's
    P(positive) for people's pictures, for people of either half.
    """

    seeds: np.ndarray
    chance: np.ndarray


def people_of(trials: pd.DataFrame, fold: Mapping[str, int] | None = None) -> People:
    """People's answered trials of the full face, by picture.

    Parameters
    ----------
    trials : of the trial table, people alone; every row has a stimulus.
    fold : which half each person judges in; None takes one for all.
    """
    answered = trials[trials["response"].notna()].assign(
        stimulus=lambda t: t["stimulus"].astype(str),
        level=lambda t: t["level"].astype(float).round(9),
    )
    shown = answered.drop_duplicates("stimulus").sort_values(["level", "stimulus"])
    place = pd.Index(shown["stimulus"]).get_indexer(answered["stimulus"])
    who, names = pd.factorize(answered["observer"].astype(str), sort=True)
    shape = (len(names), len(shown))
    flat = who * shape[1] + place
    response = answered["response"].to_numpy(float)
    happy = np.bincount(flat, response, np.prod(shape)).reshape(shape)
    n = np.bincount(flat, minlength=np.prod(shape)).reshape(shape).astype(float)
    return People(
        np.asarray(names),
        np.array([(fold or {}).get(name, 0) for name in names]),
        happy,
        n,
        shown["stimulus"].to_numpy(),
        shown["level"].to_numpy(float),
        pd.factorize(_identities(shown), sort=True)[0],
    )


def _identities(shown: pd.DataFrame) -> np.ndarray:
    """Whom each picture shows; the picture itself where that is not known."""
    if "identity" not in shown:
        return shown["stimulus"].to_numpy()
    known = shown["identity"].notna() & shown["identity"].astype(str).ne("")
    return shown["identity"].astype(str).where(known, shown["stimulus"]).to_numpy()


def candidate_of(rows: pd.DataFrame, picture: np.ndarray, seeds: np.ndarray) -> Candidate:
    """Networks' probabilities for people's pictures, repeats averaged.

    Parameters
    ----------
    rows : of one architecture and pretraining, with ``CHANCES``. picture : names of people's
        pictures, (S,). seeds : as words, in the order wanted, (C,).
    """
    named = rows.assign(seed=seed_words(rows))
    tables = [
        named.pivot_table(index="seed", columns="stimulus", values=name, sort=False)
        for name in CHANCES
    ]
    chance = [table.reindex(index=seeds, columns=picture).to_numpy(float) for table in tables]
    return Candidate(seeds, np.stack(chance))


def seed_words(rows: pd.DataFrame) -> np.ndarray:
    """Seeds as words, the same whether they were read as 0, 0.0 or "0"; the observer where there
    is none.
    """
    number = pd.to_numeric(rows["seed"], errors="coerce")
    words = number.map("{:g}".format)
    return words.where(number.notna(), rows["observer"].astype(str)).to_numpy()


def on_same_pictures(people: pd.DataFrame, networks: pd.DataFrame) -> bool:
    """Whether the picture scores can be taken: every picture that people answered was answered by
    the networks too, and they are at least ``MIN_PICTURES``.
    """
    return same_pictures(people, networks) and people["stimulus"].nunique() >= MIN_PICTURES
