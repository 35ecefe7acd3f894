"""Figures of notebook 05: is a map to be believed? Known cues, randomised weights, deletion and
insertion.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from lib.figures.mechanisms import (
    MARKERS,
    METHOD_LABELS,
    draw_interval,
    group_ticks,
    over_seeds_title,
    spread_positions,
)
from lib.figures.style import PART_COLOURS
from lib.settings.words import POLES, Poles


def plot_ground_truth(
    summary: pd.DataFrame, *, confidence: float = 0.95, ax: Axes | None = None
) -> Axes:
    """Does each method find the part that was the only cue?

    Parameters
    ----------
    summary : cue, method, weights (``trained``, ``randomised``), mean, low, high of the cue part's
        enrichment.
    """
    ax = ax or plt.gca()
    methods = list(dict.fromkeys(summary.method))
    groups = list(summary[["cue", "weights"]].drop_duplicates().itertuples(index=False, name=None))
    for offset, (cue, weights) in zip(spread_positions(len(groups)), groups, strict=True):
        rows = (
            summary[(summary.cue == cue) & (summary.weights == weights)]
            .set_index("method")
            .reindex(methods)
        )
        for index, (_, row) in enumerate(rows.iterrows()):
            draw_interval(
                ax,
                index + offset,
                row["mean"],
                row[["low", "high"]].to_numpy(float),
                color=PART_COLOURS[cue],
                marker=MARKERS[cue],
                ms=7,
                mfc="white" if weights == "randomised" else PART_COLOURS[cue],
                label=f"{cue}-only faces, {weights}" if index == 0 else None,
            )
    ax.axhline(1, color="0.4", lw=1, ls=":")
    group_ticks(ax, [METHOD_LABELS.get(m, m) for m in methods])
    ax.set_ylabel("enrichment of the part\nthat is the only cue")
    ax.set_title(
        f"Is a known cue found? {over_seeds_title(confidence).capitalize()}", fontsize="medium"
    )
    # a few seeds can have an interval far beyond the picture
    ax.set_ylim(0, max(1.5, 1.6 * summary["mean"].max()))
    ax.legend(fontsize=10, loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def plot_cascade(rows: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Similarity to the trained network's map as layers are randomised from the answer
    backwards, a line a method.
    """
    ax = ax or plt.gca()
    for number, (method, mine) in enumerate(rows.groupby("method", sort=False)):
        mean = mine.groupby("step").similarity.mean()
        ax.plot(
            mean.index,
            mean,
            marker="osD^v"[number % 5],
            ms=4,
            color=plt.cm.viridis(number / 4.5),
            label=METHOD_LABELS.get(method, method).replace("\n", " "),
        )
    names = rows.drop_duplicates("step").sort_values("step").randomised
    ax.set_xticks(range(len(names)), names, rotation=40, ha="right")
    ax.axhline(0, color="0.4", lw=1, ls=":")
    ax.set(
        xlabel="weights drawn anew, down to",
        ylabel="rank correlation\nwith the trained map",
        ylim=(-0.4, 1.05),
        title="mean over faces",
    )
    return ax


def plot_deletion(
    curves: pd.DataFrame, what: str = "removed", ax: Axes | None = None, poles: Poles = POLES
) -> Axes:
    """Log-odds as cells go: those that speak for one pole first, for the other, or at random (mean
    and SE over faces).

    Parameters
    ----------
    curves : ``lib.saliency.trust.faithfulness``. what : ``removed`` or ``shown``, what becomes of
        the cells.
    """
    ax = ax or plt.gca()
    names = {"positive first": f"for {poles[1]} first", "negative first": f"for {poles[0]} first"}
    tints = {"positive first": "#E08214", "negative first": "#8073AC", "random": "0.5"}
    for name, tint in tints.items():
        mine = curves[curves.order == name].groupby("fraction").log_odds.agg(["mean", "sem"])
        shown = names.get(name, "at random")
        ax.plot(mine.index, mine["mean"], color=tint, marker="o", ms=3, label=shown)
        ax.fill_between(
            mine.index,
            mine["mean"] - mine["sem"],
            mine["mean"] + mine["sem"],
            color=tint,
            alpha=0.2,
            lw=0,
        )
    ax.axhline(0, color="0.4", lw=1, ls=":")
    ax.set(xlabel=f"share of the picture {what}", ylabel=f"{poles[1]} − {poles[0]} log-odds")
    return ax
