"""Figures of notebook 05 about what is inside: bubbles, read-out, lesions."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lib.figures.mechanisms import draw_interval, group_ticks, plot_map
from lib.figures.style import colour
from lib.parts.bubbles import ClassificationImage
from lib.settings.words import label


def _line_style(pretraining: str) -> str:
    return "--" if pretraining == "untrained" else "-"


def plot_classification_image(
    found: ClassificationImage,
    image: np.ndarray,
    regions: Mapping[str, np.ndarray],
    *,
    limit: float = 8.0,
    ax: Axes | None = None,
) -> Axes:
    """Where being seen helped: z over a face, black line around what exceeds chance's 95 %
    maximum.
    """
    ax = ax or plt.gca()
    z = cv2.resize(found.z, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    plot_map(image, z, regions, limit=limit, ax=ax)
    if z.max() > found.threshold:
        ax.contour(z, levels=[found.threshold], colors="black", linewidths=1.8)
    return ax


def layer_order(rows: pd.DataFrame) -> list[str]:
    """Layers from the picture to the answer; a block right behind the convolution it sits on."""
    layers = [f"conv{k}" for k in range(1, 6)]
    for _, mine in rows.groupby(["architecture", "seed"], sort=False):
        own = list(mine["layer"])
        if "attention" in own:
            layers.insert(layers.index(own[own.index("attention") - 1]) + 1, "attention")
            break
    present = set(rows["layer"])
    return [name for name in [*layers, "fc6", "fc7"] if name in present]


def plot_layers(
    rows: pd.DataFrame,
    value: str,
    axis_label: str,
    *,
    chance: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A value along the layers, a line a network (mean over seeds), thin lines the seeds.

    Dotted: what chance reaches, the highest of the networks' and seeds' 95 % points.

    Parameters
    ----------
    rows : layer, architecture, pretraining, seed, ``value`` and, where wanted, ``chance`` (its
        upper 95 % point).
    """
    ax = ax or plt.gca()
    layers = layer_order(rows)
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


def plot_lesions(drops: pd.DataFrame, axis_label: str, ax: Axes | None = None) -> Axes:
    """What setting channels to zero costs: selective ones (triangles) beside others that are as
    active (circles).

    Parameters
    ----------
    drops : ``lib.mechanisms.tables.lesion_table``, rows of one value.
    """
    ax = ax or plt.gca()
    fractions = sorted(drops["fraction"].unique())
    marks = {"selective": "v", "matched": "o"}
    groups = list(drops.groupby(["architecture", "pretraining"], sort=False))
    offsets = np.linspace(-0.25, 0.25, len(groups)) if len(groups) > 1 else [0]
    for offset, (who, mine) in zip(offsets, groups, strict=True):
        tint = colour(who[0])
        for row in mine.to_dict("records"):
            aside = -0.04 if row["lesion"] == "selective" else 0.04
            draw_interval(
                ax,
                fractions.index(row["fraction"]) + offset + aside,
                row["mean"],
                (row["low"], row["high"]),
                color=tint,
                marker=marks[row["lesion"]],
                ms=6,
                mfc=tint if row["lesion"] == "selective" else "white",
            )
        ax.plot([], [], "s", color=tint, label=label(*who))
    ax.plot([], [], "v", color="0.4", label="most selective channels")
    ax.plot([], [], "o", color="0.4", mfc="white", label="others as active")
    ax.axhline(0, color="0.4", lw=1, ls=":")
    group_ticks(ax, [f"{100 * f:g} %" for f in fractions])
    ax.set(xlabel="share of conv5's channels set to zero", ylabel=axis_label)
    return ax
