"""How networks learn and how often they are right."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from lib.figures.style import COLOURS, colour
from lib.settings.words import label
from lib.statistics.intervals import accuracy_summary

BASE_COLOURS = {
    "imagenet": COLOURS["alexnet"],
    "objects": COLOURS["vgg11"],
    "face": COLOURS["fe_alexnet"],
    "faces": COLOURS["alexnet_matched"],
    "untrained": COLOURS["alexnet_shuffled"],
}


def plot_learning_curves(history: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Training loss (dotted) and validation loss (solid) over epochs: one line a seed, a dot at its
    best epoch.

    Parameters
    ----------
    history : the table of that name.
    """
    ax = ax or plt.subplots(figsize=(8, 4.5))[1]
    for (architecture, pretraining), group in history.groupby(
        ["architecture", "pretraining"], sort=False
    ):
        style = {
            "color": colour(architecture),
            "alpha": 1 if pretraining != "untrained" else 0.55,
            "linewidth": 1.2,
        }
        for k, (_, one) in enumerate(group.groupby("seed")):
            name = label(architecture, pretraining) if k == 0 else None
            ax.plot(one["epoch"], one["train_loss"], ":", **style)
            ax.plot(one["epoch"], one["validation_loss"], "-", label=name, **style)
            best = one.loc[one["validation_loss"].idxmin()]
            ax.plot(best["epoch"], best["validation_loss"], "o", color=style["color"], markersize=4)
    ax.axhline(np.log(2), color="0.7", linewidth=0.8, zorder=0)
    ax.set(
        xlabel="epoch",
        ylabel="cross-entropy (nat)",
        title="Learning: validation solid, training dotted",
    )
    ax.set_xticks(
        sorted(history["epoch"].unique()) if history["epoch"].nunique() <= 12 else ax.get_xticks()
    )
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax


def plot_accuracy(
    accuracy: pd.DataFrame, confidence: float = 0.95, split: str = "test", ax: Axes | None = None
) -> Axes:
    """A dot a seed; beside it the mean with its interval over seeds (thick) and over images
    (thin).
    """
    summary = accuracy_summary(accuracy[accuracy["split"] == split], confidence)
    ax = ax or plt.subplots(figsize=(8, 0.55 * len(summary) + 1.4))[1]
    for y, row in enumerate(summary.to_dict("records")):
        same = (
            accuracy[["architecture", "pretraining", "attention"]]
            == [row["architecture"], row["pretraining"], row["attention"]]
        ).all(axis=1)
        seeds = accuracy[same & (accuracy["split"] == split)]["accuracy"]
        shade = colour(row["architecture"])
        ax.plot(seeds, np.full(len(seeds), y + 0.2), "o", color=shade, alpha=0.5, markersize=5)
        ax.plot([row["image_low"], row["image_high"]], [y, y], color=shade, linewidth=1)
        ax.plot([row["low"], row["high"]], [y, y], color=shade, linewidth=4, solid_capstyle="butt")
        ax.plot(row["mean"], y, "D", color=shade, markeredgecolor="white", markersize=7)
    ax.axvline(0.5, color="0.7", linewidth=0.8, zorder=0)
    ax.set_yticks(
        range(len(summary)),
        [label(row["architecture"], row["pretraining"]) for row in summary.to_dict("records")],
    )
    ax.invert_yaxis()
    ax.set_xlim(min(0.4, ax.get_xlim()[0]), 1.01)
    ax.set(
        xlabel=f"accuracy ({split} images; chance 0.5)",
        title=(
            f"Each seed (dots), mean, {confidence:.0%} interval over seeds "
            "(thick) and images (thin)"
        ),
    )
    return ax


def plot_transfer(transfer: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Accuracy of a read-out from few labelled faces, by pretraining: mean and 95 % bootstrap
    interval over draws.
    """
    ax = ax or plt.subplots(figsize=(7, 4))[1]
    bases = list(dict.fromkeys(transfer["base"]))
    sns.pointplot(
        transfer,
        x="n_labels",
        y="accuracy",
        hue="base",
        palette={b: BASE_COLOURS[b] for b in bases},
        markers=["o", "s", "D", "^", "v"][: len(bases)],
        seed=0,
        ax=ax,
        dodge=0.25 if len(bases) > 1 else False,
        linewidth=1.5,
    )
    ax.axhline(0.5, color="0.7", linewidth=0.8, zorder=0)
    ax.set(
        xlabel="labelled faces",
        ylabel="accuracy on test images (chance 0.5)",
        title="Read-out of valence from frozen convolutions, 95 % intervals over draws",
    )
    ax.legend(title="pretrained on", fontsize="small")
    return ax
