"""Figures of notebook 05 about what is inside: bubbles, read-out, similarity, lesions."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

from lib.figures.mechanisms import group_ticks, plot_map
from lib.figures.style import colour
from lib.mechanisms.bubbles import ClassificationImage
from lib.settings.words import label


def _line_style(pretraining: str) -> str:
    return "--" if pretraining == "untrained" else "-"


def plot_classification_image(
    found: ClassificationImage,
    image: np.ndarray,
    regions: Mapping[str, np.ndarray],
    *,
    limit: float = 8.0,
    ax=None,
):
    """Where being seen helped: z over a face, black line around what exceeds chance's 95 %
    maximum.
    """
    ax = ax or plt.gca()
    z = cv2.resize(found.z, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    plot_map(image, z, regions, limit=limit, ax=ax)
    if z.max() > found.threshold:
        ax.contour(z, levels=[found.threshold], colors="black", linewidths=1.8)
    return ax


def plot_layers(
    rows: pd.DataFrame, value: str, axis_label: str, *, chance: str | None = None, ax=None
):
    """A value along the layers, a line a network (mean over seeds), thin lines the seeds.

    Dotted: what chance reaches, the highest of the networks' and seeds' 95 % points.

    Parameters
    ----------
    rows : layer, architecture, pretraining, seed, ``value`` and, where wanted, ``chance`` (its
        upper 95 % point).
    """
    ax = ax or plt.gca()
    layers = [
        name
        for name in ("conv1", "conv2", "conv3", "conv4", "conv5", "attention", "fc6", "fc7")
        if name in set(rows.layer)
    ]
    place = {name: index for index, name in enumerate(layers)}
    for who, mine in rows.groupby(["architecture", "pretraining"], sort=False):
        style = {"color": colour(who[0]), "ls": _line_style(who[1])}
        for _, seed in mine.groupby("seed"):
            ax.plot(seed.layer.map(place), seed[value], lw=0.6, alpha=0.5, **style)
        mean = (
            mine.groupby("layer")[value]
            .mean()
            .reindex([name for name in layers if name in set(mine.layer)])
        )
        ax.plot(
            [place[name] for name in mean.index],
            mean,
            lw=2,
            marker="o",
            ms=4,
            label=label(*who),
            **style,
        )
    if chance:
        highest = rows.groupby("layer")[chance].max().reindex(layers)
        ax.plot(
            range(len(layers)),
            highest,
            color="0.5",
            lw=1,
            ls=":",
            label="chance: highest of the networks'\n95 % points of shuffles",
        )
    ax.set_xticks(range(len(layers)), layers, rotation=40, ha="right")
    ax.set(xlabel="layer", ylabel=axis_label)
    return ax


def plot_similarity(matrix: pd.DataFrame, ax=None):
    """Rank correlation between the similarities of networks' last layers, as a table of colours."""
    ax = ax or plt.gca()
    sns.heatmap(
        matrix,
        vmin=0,
        vmax=1,
        cmap="cividis",
        annot=True,
        fmt=".2f",
        square=True,
        ax=ax,
        annot_kws={"size": 8},
        cbar_kws={"label": "rank correlation", "shrink": 0.8},
    )
    ax.tick_params(axis="both", labelsize=8, length=0)
    ax.set_xticklabels(ax.get_xticklabels(), rotation=35, ha="right")
    ax.set_title("Which faces are alike, last hidden layer", fontsize="medium")
    return ax


def plot_lesions(effects: pd.DataFrame, value: str, axis_label: str, ax=None):
    """Selective lesions (triangles) beside the range of others as active (bars), by share of units;
    a mark a seed.

    Where a value does not exist, because a curve does not cross 0.5, the figure says so.

    Parameters
    ----------
    effects : architecture, pretraining, seed, fraction, value, intact, selective, matched_low,
        matched_high.
    """
    ax = ax or plt.gca()
    mine = effects[effects.value == value]
    fractions, whos = (
        sorted(mine.fraction.unique()),
        mine[["architecture", "pretraining"]].drop_duplicates(),
    )
    offsets = np.linspace(-0.3, 0.3, len(whos)) if len(whos) > 1 else [0]
    for offset, who in zip(offsets, whos.itertuples(), strict=True):
        rows = mine[(mine.architecture == who.architecture) & (mine.pretraining == who.pretraining)]
        tint, seeds = colour(who.architecture), sorted(rows.seed.unique())
        for row in rows.itertuples():
            x = (
                fractions.index(row.fraction)
                + offset
                + 0.05 * (seeds.index(row.seed) - (len(seeds) - 1) / 2)
            )
            ax.plot(
                [x, x],
                [row.matched_low, row.matched_high],
                color=tint,
                lw=4,
                alpha=0.3,
                solid_capstyle="butt",
            )
            ax.plot(
                x,
                row.selective,
                "v",
                color=tint,
                ms=6,
                mfc="none" if row.pretraining == "untrained" else tint,
            )
            ax.plot([x - 0.03, x + 0.03], [row.intact] * 2, color=tint, lw=2)
        ax.plot(
            [],
            [],
            "v",
            color=tint,
            mfc="none" if who.pretraining == "untrained" else tint,
            label=label(who.architecture, who.pretraining),
        )
    ax.plot([], [], color="0.5", lw=4, alpha=0.4, label="others as active (range of draws)")
    ax.plot([], [], color="0.5", lw=2, label="intact")
    group_ticks(ax, [f"{100 * f:g} %" for f in fractions])
    ax.set(xlabel="share of channels set to zero", ylabel=axis_label)
    if missing := int(mine.selective.isna().sum()):
        ax.set_title(f"not defined in {missing} of {len(mine)} lesions", fontsize=10, color="0.35")
    return ax
