"""The arms of the attention experiment: what each block does, and what it gains over AlexNet.

Every arm has the same number of settings to choose among, and validation accuracy alone chooses;
what is reported of the chosen one had no part in that.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.attention_study.guidance import guiding
from lib.attention_study.points import POINT
from lib.attention_study.selection import gather, held_out_bits
from lib.settings.options import Statistics
from lib.statistics.intervals import mean_interval

CELL = ["candidate", "pretraining", "seed"]
METRICS = ("accuracy", "validation_accuracy", "bits", "share_of_sd")
COMPARED = ("accuracy", "bits")  # with AlexNet's, seed by seed


def manipulation_table(answers: pd.DataFrame) -> pd.DataFrame:
    """How far each network's block moves its log-odds of whole faces; a row a network with one.

    Parameters
    ----------
    answers : of ``lib.attention_study.grid.run_grid``.

    Returns
    -------
    architecture, candidate, pretraining, seed, moved (root mean square of the change when the block
    is taken out), spread (SD of the log-odds over faces), share_of_sd (moved / spread).
    """
    full = answers[(answers["condition"] == "full") & (answers["candidate"] != "none")]
    rows = []
    for key, one in full.groupby(["architecture", *CELL], sort=False):
        moved = float(np.sqrt(np.mean((one["log_odds"] - one["without_block"]) ** 2)))
        spread = float(one["log_odds"].std())
        rows.append([*key, moved, spread, moved / spread if spread else np.nan])
    columns = ["architecture", *CELL, "moved", "spread", "share_of_sd"]
    return pd.DataFrame(rows, columns=columns)


def score_cells(
    accuracy: pd.DataFrame, answers: pd.DataFrame, people: pd.DataFrame, statistics: Statistics
) -> pd.DataFrame:
    """Table ``attention_cells``: each network's accuracy, its block's effect, its likeness.

    Likeness is ``bits``: the mean log2 likelihood of a choice of people (-1 is a coin), under the
    decision noise that other people give, and who guided no attention. NaN where nobody is left.
    """
    networks = dict(list(answers.groupby(CELL, sort=False)))
    scores = pd.DataFrame(list(networks), columns=CELL)
    scores["bits"] = _bits(people, networks, statistics)
    effects = manipulation_table(answers)[[*CELL, "share_of_sd"]]
    table = accuracy.merge(scores, on=CELL, how="left", validate="one_to_one")
    return table.merge(effects, on=CELL, how="left", validate="one_to_one")


def _bits(
    people: pd.DataFrame, networks: dict[tuple, pd.DataFrame], statistics: Statistics
) -> np.ndarray | float:
    guides, judges = (half[half["condition"] == "full"] for half in guiding(people))
    if guides["response"].notna().sum() == 0 or judges["response"].notna().sum() == 0:
        return np.nan
    seen, judged = (gather(half, networks, statistics) for half in (guides, judges))
    return held_out_bits(seen, judged)


def grid_table(cells: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Table ``attention_grid``: one row a point and metric.

    Returns
    -------
    POINT columns, metric, value (mean over seeds), low, high, n_seeds (with a value), n_missing
    (without); gain, gain_low, gain_high (over AlexNet on the same convolutions, seed by seed; NaN
    without AlexNet). Intervals are Student's t over seeds.
    """
    rows = []
    for key, group in cells.groupby(POINT, sort=False):
        for metric in METRICS:
            known = group[metric].dropna()
            counts = [len(known), len(group) - len(known)]
            middle = [*key, metric, *mean_interval(known, confidence), *counts]
            rows.append([*middle, *mean_interval(gains(cells, group, metric), confidence)])
    ends = ["gain", "gain_low", "gain_high"]
    columns = [*POINT, "metric", "value", "low", "high", "n_seeds", "n_missing", *ends]
    return pd.DataFrame(rows, columns=columns)


def gains(cells: pd.DataFrame, chosen: pd.DataFrame, metric: str) -> pd.Series:
    """What one setting's networks gain over AlexNet of the same seed and convolutions, by seed."""
    base = chosen["pretraining"].iloc[0]
    plain = cells[(cells["pretraining"] == base) & (cells["candidate"] == "none")]
    both = chosen.set_index("seed")[metric] - plain.set_index("seed")[metric]
    return both.dropna()


def arms_table(cells: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Table ``attention_arms``: each arm's setting with the best validation accuracy.

    Parameters
    ----------
    cells : of ``score_cells``; settings with a region prior are no arm.

    Returns
    -------
    architecture, pretraining, candidate (the first of equals), n_candidates, n_seeds,
    validation_accuracy, accuracy, bits, share_of_sd (means over seeds); accuracy_gain, bits_gain
    with _low and _high (see ``grid_table``).
    """
    rows = []
    for (base, architecture), arm in cells[~cells["prior"]].groupby(
        ["pretraining", "architecture"], sort=False
    ):
        by = arm.groupby("candidate", sort=False)
        best = by["validation_accuracy"].mean().idxmax()
        chosen = arm[arm["candidate"] == best]
        row = {"architecture": architecture, "pretraining": base, "candidate": best}
        row |= {"n_candidates": by.ngroups, "n_seeds": len(chosen)}
        row |= chosen[["validation_accuracy", "accuracy", "bits", "share_of_sd"]].mean().to_dict()
        for metric in COMPARED:
            found = mean_interval(gains(cells, chosen, metric), confidence)
            names = (f"{metric}_gain", f"{metric}_gain_low", f"{metric}_gain_high")
            row |= dict(zip(names, found, strict=True))
        rows.append(row)
    return pd.DataFrame(rows)
