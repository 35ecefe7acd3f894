"""Choosing attention settings by people's choices, by validation accuracy, or not at all, judged on
other people.

Half of the people and half of the levels choose; the other half of both judges. What chooses gets
arrays that hold nothing of the half that judges. So does the decision noise, which is each
candidate's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.observers.decisions import FITTED, Noise, log_odds_of, probability
from lib.settings.options import Statistics

CHOOSERS = ("people", "accuracy", "default")
CHANCE_CLIP = 0.01  # no answer is surer than this: one lapse would cost everything
SIGMAS = np.geomspace(0.02, 50, 35)  # decision noise that is tried, in log-odds


@dataclass(frozen=True)
class Choices:
    """People's answers to items and what candidates would answer.

    positive, n : (P, I) positive answers and answered trials of each person to each item.
    level : (I,) of each item. likely : (C, S, I) each candidate's probability of the positive pole,
        under each of S decision noises.
    """

    positive: np.ndarray
    n: np.ndarray
    level: np.ndarray
    likely: np.ndarray

    def part(self, people: np.ndarray, items: np.ndarray) -> Choices:
        """Copies of some people's answers to some items."""
        return Choices(
            self.positive[np.ix_(people, items)],
            self.n[np.ix_(people, items)],
            self.level[items],
            self.likely[:, :, items],
        )

    def bits(self) -> np.ndarray:
        """Mean log2 likelihood of a choice, (C, S); -1 is a coin. NaN without trials."""
        p = np.clip(self.likely, CHANCE_CLIP, 1 - CHANCE_CLIP)
        positive = self.positive.sum(0)
        n = self.n.sum(0)
        total = np.log2(p) @ positive + np.log2(1 - p) @ (n - positive)
        return total / n.sum() if n.sum() else np.full(p.shape[:2], np.nan)


def gather(
    people: pd.DataFrame, networks: Mapping[str, pd.DataFrame], statistics: Statistics
) -> Choices:
    """Arrays from trial tables, whole faces only.

    Items are pictures where people saw the networks' pictures, otherwise people's levels, at which
    the networks' answers, averaged over pictures, are interpolated.

    Parameters
    ----------
    people : people's rows of the trial table.
    networks : each candidate's rows, of all its seeds, whose probabilities are averaged.
    """
    people = people[(people["condition"] == "full") & people["response"].notna()]
    tables = {name: rows[rows["condition"] == "full"] for name, rows in networks.items()}
    shown = set.intersection(*(set(table["stimulus"]) for table in tables.values()))
    key = "stimulus" if people["stimulus"].isin(shown).all() else "level"
    items = people[[key, "level"]].drop_duplicates(key) if key == "stimulus" else people[["level"]]
    items = items.drop_duplicates().sort_values(items.columns[::-1].tolist())
    by = people.groupby(["observer", key])["response"]
    positive, n = (
        by.agg(how).unstack(key).reindex(columns=items[key]).fillna(0).to_numpy(float)
        for how in ("sum", "count")
    )
    likely = [_likely(table, key, items[key].to_numpy(), statistics) for table in tables.values()]
    return Choices(positive, n, items["level"].to_numpy(float), np.array(likely))


def _likely(table: pd.DataFrame, key: str, items: np.ndarray, statistics: Statistics) -> np.ndarray:
    """One candidate's probability of the positive pole, mean over seeds, (S, I)."""
    odds = log_odds_of(table)
    rows = []
    for noise in _noises(statistics):
        p = pd.Series(probability(odds, statistics.decision, noise), table.index)
        mean = p.groupby(table[key]).mean()
        at_level = key == "level"
        rows.append(np.interp(items, mean.index, mean) if at_level else mean.reindex(items))
    return np.array(rows)


def _noises(statistics: Statistics) -> list[Noise]:
    """The decision noises to choose among: one where the rule has none or the study gives it."""
    if statistics.decision not in FITTED:
        return [Noise()]
    given = statistics.decision_noise
    return [Noise(sigma) for sigma in ([given] if given is not None else SIGMAS)]


def choose(seen: Choices) -> tuple[int, np.ndarray]:
    """The candidate under which the choices are likeliest, the first of equals.

    And each candidate's likeliest noise, (C,).
    """
    bits = seen.bits()
    return int(np.argmax(bits.max(axis=1))), bits.argmax(axis=1)


def held_out_bits(seen: Choices, judged: Choices) -> np.ndarray:
    """Each candidate's bits a judged choice, (C,), under the noise that the seen choose."""
    _, noise = choose(seen)
    return judged.bits()[np.arange(len(noise)), noise]


def cross_validate(
    choices: Choices,
    names: Sequence[str],
    accuracy: Sequence[float],
    default: str,
    *,
    n_splits: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Each way of choosing, judged by people and levels that had no part in it.

    Parameters
    ----------
    names, accuracy : the candidates and their validation accuracy, in the order of
        ``choices.likely``.
    default : the candidate that is taken where nothing chooses.
    n_splits : random halvings of people and of levels; each is used both ways.

    Returns
    -------
    split, fold, chosen_by (people, accuracy, default), candidate, bits (mean log2 likelihood of a
    held-out choice).

    Raises
    ------
    ValueError : fewer than two people or levels, or an unknown default.
    """
    if len(choices.n) < 2 or len(set(choices.level)) < 2:
        raise ValueError(
            f"{len(choices.n)} people and {len(set(choices.level))} levels given; needed: two of "
            "each, to choose on one half and judge on the other"
        )
    if default not in names:
        raise ValueError(f"default {default!r} given; allowed: {', '.join(names)}")
    fixed = {"accuracy": int(np.argmax(accuracy)), "default": list(names).index(default)}
    rows = []
    for split in range(n_splits):
        people = _halves(len(choices.n), rng)
        items = _level_halves(choices.level, rng)
        for fold, other in ((0, 1), (1, 0)):
            seen = choices.part(people[fold], items[fold])
            judged = held_out_bits(seen, choices.part(people[other], items[other]))
            chosen = {"people": choose(seen)[0], **fixed}
            rows += [[split, fold, by, names[chosen[by]], judged[chosen[by]]] for by in CHOOSERS]
    return pd.DataFrame(rows, columns=["split", "fold", "chosen_by", "candidate", "bits"])


def selection_summary(table: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """One row a way of choosing.

    Returns
    -------
    chosen_by, candidate (most often chosen), share (how often), bits, gain (over the default), low,
    high. The interval holds the middle of the splits; splits share people, so it shows how much
    hangs on the split, not a test.
    """
    per_split = table.groupby(["chosen_by", "split"])["bits"].mean().unstack("split")
    gains = per_split - per_split.loc["default"]
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    rows = []
    for by in CHOOSERS:
        often = table[table["chosen_by"] == by]["candidate"].value_counts(normalize=True)
        mean, low, high = gains.loc[by].mean(), *np.quantile(gains.loc[by], ends)
        first = [by, often.index[0], often.iloc[0], per_split.loc[by].mean()]
        rows.append([*first, mean, low, high])
    columns = ["chosen_by", "candidate", "share", "bits", "gain", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def _halves(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    order = rng.permutation(n)
    return np.sort(order[: n // 2]), np.sort(order[n // 2 :])


def _level_halves(level: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Items of one half of the levels and of the other."""
    levels = np.unique(level)
    first = np.isin(level, levels[_halves(len(levels), rng)[0]])
    return np.flatnonzero(first), np.flatnonzero(~first)
