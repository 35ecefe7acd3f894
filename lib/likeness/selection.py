"""Choosing attention settings by people's choices, by validation accuracy, or not at all, judged on
other people.

Half of the people and half of the levels choose; the other half of both judges. What chooses gets
arrays that hold nothing of the half that judges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.likeness.bits import CLIP as CHANCE_CLIP
from lib.psychometrics.decisions import expected
from lib.settings.options import Statistics
from lib.statistics.intervals import interval_text

CHOOSERS = ("people", "accuracy", "default")


@dataclass(frozen=True)
class Choices:
    """People's answers to items and what candidates would answer.

    happy, n : (P, I) happy answers and answered trials of each person to each item.
    level : (I,) of each item. likely : (C, I) each candidate's probability of *happy*, through the
        decision rule.
    """

    happy: np.ndarray
    n: np.ndarray
    level: np.ndarray
    likely: np.ndarray

    def part(self, people: np.ndarray, items: np.ndarray) -> Choices:
        """Copies of some people's answers to some items."""
        return Choices(
            self.happy[np.ix_(people, items)],
            self.n[np.ix_(people, items)],
            self.level[items],
            self.likely[:, items],
        )

    def bits(self) -> np.ndarray:
        """Mean log2 likelihood of a choice under each candidate, (C,); -1 is a coin. NaN
        without trials.
        """
        p = np.clip(self.likely, CHANCE_CLIP, 1 - CHANCE_CLIP)
        happy, n = self.happy.sum(0), self.n.sum(0)
        total = np.log2(p) @ happy + np.log2(1 - p) @ (n - happy)
        return total / n.sum() if n.sum() else np.full(len(p), np.nan)


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
    answers = {name: _answers(table, statistics) for name, table in networks.items()}
    shown = set.intersection(*(set(table["stimulus"]) for table in answers.values()))
    if people["stimulus"].isin(shown).all():
        items = (
            people[["stimulus", "level"]]
            .drop_duplicates("stimulus")
            .sort_values(["level", "stimulus"])
        )
        key, level = "stimulus", items["level"].to_numpy(float)
        names = items["stimulus"].tolist()
        likely = [
            table.groupby("stimulus")["p"].mean().reindex(names).to_numpy()
            for table in answers.values()
        ]
    else:
        names = sorted(people["level"].unique())
        key, level = "level", np.array(names, float)
        curves = [table.groupby("level")["p"].mean() for table in answers.values()]
        likely = [np.interp(level, curve.index, curve) for curve in curves]
    by = people.groupby(["observer", key])["response"]
    happy, n = (
        by.agg(how).unstack(key).reindex(columns=names).fillna(0).to_numpy(float)
        for how in ("sum", "count")
    )
    return Choices(happy, n, level, np.array(likely))


def _answers(table: pd.DataFrame, statistics: Statistics) -> pd.DataFrame:
    full = table[table["condition"] == "full"]
    return full.assign(
        p=expected(full["p_happy"].to_numpy(float), statistics.decision, statistics.decision_noise)
    )


def choose(seen: Choices) -> int:
    """The candidate under which the choices are likeliest; the first of equals."""
    return int(np.argmax(seen.bits()))


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
    if len(choices.happy) < 2 or len(set(choices.level)) < 2:
        raise ValueError(
            f"{len(choices.happy)} people and {len(set(choices.level))} "
            "levels given; needed: two of "
            "each, to choose on one half and judge on the other"
        )
    if default not in names:
        raise ValueError(f"default {default!r} given; allowed: {', '.join(names)}")
    fixed = {"accuracy": int(np.argmax(accuracy)), "default": list(names).index(default)}
    rows = []
    for split in range(n_splits):
        people, items = _halves(len(choices.happy), rng), _level_halves(choices.level, rng)
        for fold, (side, other) in enumerate(((0, 1), (1, 0))):
            chosen = {"people": choose(choices.part(people[side], items[side])), **fixed}
            judged = choices.part(people[other], items[other]).bits()
            rows += [[split, fold, by, names[chosen[by]], judged[chosen[by]]] for by in CHOOSERS]
    return pd.DataFrame(rows, columns=["split", "fold", "chosen_by", "candidate", "bits"])


def side_by_side(summary: pd.DataFrame, grid: pd.DataFrame) -> pd.DataFrame:
    """The settings of each way of choosing with what they reach, as text for a reader.

    Parameters
    ----------
    summary : of ``selection_summary``. grid : rows of one pretraining of the table
        ``attention_grid``.

    Returns
    -------
    index chosen_by; candidate, bits held out, and accuracy, delta_pse, rmse, log_likelihood as
    ``mean [low, high]``.
    """
    values = grid.assign(
        text=[interval_text(*row) for row in grid[["value", "low", "high"]].to_numpy()]
    )
    wide = values.pivot(index="candidate", columns="metric", values="text")
    table = summary.set_index("chosen_by")[["candidate"]].assign(
        held_out_bits=summary["bits"].round(3).to_numpy()
    )
    return table.join(wide[["accuracy", "delta_pse", "rmse", "log_likelihood"]], on="candidate")


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
        low, high = np.quantile(gains.loc[by], ends)
        rows.append(
            [
                by,
                often.index[0],
                often.iloc[0],
                per_split.loc[by].mean(),
                gains.loc[by].mean(),
                low,
                high,
            ]
        )
    return pd.DataFrame(
        rows, columns=["chosen_by", "candidate", "share", "bits", "gain", "low", "high"]
    )


def _halves(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    order = rng.permutation(n)
    return np.sort(order[: n // 2]), np.sort(order[n // 2 :])


def _level_halves(level: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Items of one half of the levels and of the other."""
    levels = np.unique(level)
    first = np.isin(level, levels[_halves(len(levels), rng)[0]])
    return np.flatnonzero(first), np.flatnonzero(~first)
