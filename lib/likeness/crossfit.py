"""Networks' answers with decision noise that the people who judge them had no part in.

The noise is fitted on each half of the people and judged by the other half, so that everybody
judges and nobody judges what was fitted to them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.observers.decision_noise import fit_noise
from lib.observers.decisions import FITTED, Noise, halves, log_odds_of, probability
from lib.settings.options import Statistics

CHANCES = ("p_first", "p_second")  # P(positive) for people of the first and of the second half


def fold_of(
    people: pd.DataFrame, statistics: Statistics, rule: str, seed: int = 0
) -> dict[str, int]:
    """Which half each person judges in, {observer: 0 or 1}; all 0 where nothing is fitted."""
    names = people["observer"].astype(str).unique()
    if not fitted(statistics, rule):
        return dict.fromkeys(names, 0)
    first = set(halves(people, seed)[0]["observer"].astype(str))
    return {name: int(name not in first) for name in names}


def fitted(statistics: Statistics, rule: str) -> bool:
    """Whether the rule has noise that people fit."""
    return rule in FITTED and not (rule == "noisy" and statistics.decision_noise is not None)


def decided_by_halves(
    networks: pd.DataFrame, people: pd.DataFrame, statistics: Statistics, rule: str, seed: int = 0
) -> pd.DataFrame:
    """Networks' trials with their log-odds ``z`` (with the rule's shift, the mean of the halves')
    and ``CHANCES``.

    Parameters
    ----------
    networks, people : rows of the trial table. rule : decision rule. seed : of the halves.
    """
    log_odds = log_odds_of(networks)
    out = networks.assign(z=log_odds)
    judges = people["observer"].astype(str).map(fold_of(people, statistics, rule, seed))
    for fold, name in enumerate(CHANCES):
        others = people[judges != fold] if fitted(statistics, rule) else people.iloc[:0]
        chance = np.full(len(out), np.nan)
        shift = np.zeros(len(out))
        for rows in networks.groupby("observer", sort=False).indices.values():
            noise = _noise(others, networks.iloc[rows], statistics, rule)
            chance[rows] = probability(log_odds[rows], rule, noise)
            shift[rows] = noise.shift
        out[name] = chance
        out["z"] += shift / len(CHANCES)
    return out


def _noise(others: pd.DataFrame, rows: pd.DataFrame, statistics: Statistics, rule: str) -> Noise:
    if len(others):
        return fit_noise(others, rows, rule)
    given = statistics.decision_noise
    return Noise() if given is None else Noise(given)
