"""The scorecard in sentences."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from lib.settings.words import label, people_label
from lib.statistics.intervals import interval_text

NAMES = {
    "delta_pse_z": "distance of the PSE (in people's SDs)",
    "slope_ratio": "slope over people's",
    "rmse": "RMSE of the curve",
    "error_consistency": "error consistency within level",
    "image_consistency": "image consistency",
    "log_likelihood": "log likelihood above level (bits a choice)",
}
IDEAL = {"delta_pse_z": 0.0, "slope_ratio": 1.0, "rmse": 0.0}  # of the others: the more the better


def likeness_sentences(scores: pd.DataFrame, kind: str) -> list[str]:
    """One sentence a metric: the network nearest to people, with chance and ceilings; or why no
    network has a value.

    Parameters
    ----------
    scores : table ``human_likeness``. kind : human or simulated.
    """
    groups = scores.groupby("metric", sort=False)
    return [_sentence(str(metric), rows, kind) for metric, rows in groups]


def _sentence(metric: str, rows: pd.DataFrame, kind: str) -> str:
    name = NAMES[metric]
    known = rows.dropna(subset=["value"])
    if known.empty:
        return f"{name}: no value. {'; '.join(_different(rows['reason']))}."
    best = known.loc[nearest(metric, known["value"])]
    who = label(best["architecture"], best["pretraining"])
    text = f"{name}: best is {who} with {interval_text(*best[['value', 'low', 'high']])}"
    if np.isfinite(best["chance"]):
        knows = "a coin" if metric in IDEAL else "knowing the level alone"
        text += f"; {knows} gets {best['chance']:.3f}"
    if np.isfinite(best["ceiling_low"]):
        ends = f"{best['ceiling_low']:.3f} to {best['ceiling_high']:.3f}"
        text += f"; ceilings of {people_label(kind, int(best['n_observers']))} {ends}"
    where = f" ({best['scope']})" if best["scope"] and np.isfinite(best["low"]) else ""
    why = f" {best['reason'].capitalize()}." if best["reason"] else ""
    return f"{text}{where}.{why}"


def nearest(metric: str, values: pd.Series) -> Hashable:
    """The index of the value nearest to the metric's ideal, or of the greatest."""
    if metric in IDEAL:
        return (values - IDEAL[metric]).abs().idxmin()
    return values.idxmax()


def _different(reasons: Sequence[str]) -> list[str]:
    return [reason for reason in dict.fromkeys(reasons) if reason]
