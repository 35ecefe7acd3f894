"""Figures of notebook 05: saliency on faces, enrichment, and what hiding a part does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lib.figures.style import PART_COLOURS, colour
from lib.settings.options import PARTS
from lib.settings.words import POLES, Poles, label, people_label

SIGNED = "PuOr_r"  # orange speaks for the positive pole, purple for the negative
SMALL = 9  # points; no text of a figure is smaller where it is shown
METHOD_LABELS = {
    "gradcam": "Grad-CAM",
    "hirescam": "HiResCAM",
    "occlusion": "occlusion",
    "attention": "attention map",
    "integrated_gradients": "integrated\ngradients",
}
MARKERS = {"eyes": "o", "nose": "^", "mouth": "s"}


def over_seeds_title(confidence: float) -> str:
    """How a figure names its points and bars: ``mean and 95 % interval over seeds``."""
    return f"mean and {100 * confidence:g} % interval over seeds"


def plot_map(
    image: np.ndarray,
    saliency: np.ndarray | None,
    regions: Mapping[str, np.ndarray] = (),
    *,
    limit: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A face with a signed map over it, and the parts' outlines.

    Parameters
    ----------
    image : uint8 (H, W, 3). saliency : (H, W), enlarged, + for the positive pole; None shows the
        face alone.
    limit : value of the full colour; None takes the map's own largest size.
    """
    ax = ax or plt.gca()
    ax.imshow(image.mean(axis=2), cmap="gray", vmin=0, vmax=255)
    if saliency is not None:
        limit = limit or float(np.abs(saliency).max()) or 1.0
        strength = np.clip(np.abs(saliency) / limit, 0, 1)
        ax.imshow(saliency, cmap=SIGNED, vmin=-limit, vmax=limit, alpha=0.15 + 0.7 * strength)
    for part, mask in dict(regions).items():
        ax.contour(mask, levels=[0.5], colors=[PART_COLOURS[part]], linewidths=1)
    ax.set_xticks([])
    ax.set_yticks([])
    for side in ax.spines.values():
        side.set_visible(False)
    return ax


def colour_bar(
    figure: Figure,
    axes: Axes | Sequence[Axes] | np.ndarray,
    text: str,
    limit: float | None = None,
    poles: Poles = POLES,
) -> None:
    """The scale of signed maps below them; without a ``limit`` its ends are called by the poles."""
    mappable = plt.cm.ScalarMappable(plt.Normalize(-(limit or 1), limit or 1), SIGNED)
    bar = figure.colorbar(
        mappable, ax=axes, location="bottom", shrink=0.4, pad=0.03, aspect=30, label=text
    )
    bar.ax.xaxis.label.set_size(SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    if limit is None:
        bar.set_ticks([-1, 0, 1], labels=[poles[0], "0", poles[1]])


def plot_map_grid(
    images: np.ndarray,
    maps: Mapping[str, np.ndarray],
    titles: Sequence[str],
    regions: Sequence[Mapping[str, np.ndarray]],
    poles: Poles = POLES,
) -> Figure:
    """Faces in columns, networks (or methods) in rows; every row has its own colour scale."""
    rows = len(maps) + 1
    figure, axes = plt.subplots(
        rows,
        len(images),
        figsize=(1.5 * len(images) + 1.6, 1.5 * rows + 0.6),
        squeeze=False,
        layout="constrained",
    )
    for column, image in enumerate(images):
        plot_map(image, None, ax=axes[0, column]).set_title(titles[column], fontsize=10)
    axes[0, 0].set_ylabel("face", fontsize=SMALL, rotation=0, ha="right", va="center")
    for row, (name, values) in enumerate(maps.items(), start=1):
        limit = float(np.abs(values).max()) or 1.0
        for column, image in enumerate(images):
            plot_map(image, values[column], regions[column], limit=limit, ax=axes[row, column])
        axes[row, 0].set_ylabel(name, fontsize=SMALL, rotation=0, ha="right", va="center")
    colour_bar(figure, axes, "evidence for (each row to its own largest size)", poles=poles)
    return figure


def spread_positions(count: int) -> np.ndarray:
    """Offsets of a group's marks: close together, so that groups stay apart."""
    width = min(0.6, 0.1 * count)
    return np.zeros(1) if count == 1 else np.linspace(-width / 2, width / 2, count)


def group_ticks(ax: Axes, names: Sequence[str]) -> None:
    """One tick a group, with thin lines between the groups."""
    ax.set_xticks(range(len(names)), names)
    ax.set_xlim(-0.5, len(names) - 0.5)
    for edge in range(1, len(names)):
        ax.axvline(edge - 0.5, color="0.9", lw=1, zorder=0)


def in_order(parts: Sequence[str]) -> list[str]:
    """Parts from the top of the face to its bottom."""
    return [part for part in PARTS if part in set(parts)]


def draw_interval(ax: Axes, x: float, value: float, ends: Sequence[float], **style: object) -> None:
    """A point with its interval, where it has one."""
    if np.isfinite(ends).all():
        ax.plot([x, x], ends, color=style.get("color"), lw=1.5, alpha=0.8, zorder=2)
    ax.plot(x, value, ls="", zorder=3, **style)


def draw_networks(
    ax: Axes, rows: pd.DataFrame, columns: Sequence[str], offsets: Sequence[float]
) -> None:
    """A point a network and part; networks without object pretraining are hollow.

    Parameters
    ----------
    rows : architecture, pretraining, part and ``columns``: value, low, high.
    offsets : of the networks within a part's group.
    """
    parts = in_order(rows["part"])
    value, *ends = columns
    groups = rows.groupby(["architecture", "pretraining"], sort=False)
    for offset, (who, mine) in zip(offsets, groups, strict=True):
        tint = colour(who[0])
        named = mine.set_index("part").reindex(parts)
        for index, (_, row) in enumerate(named.iterrows()):
            draw_interval(
                ax,
                index + offset,
                row[value],
                row[ends].to_numpy(float),
                color=tint,
                marker="o",
                ms=6,
                mfc="none" if who[1] == "untrained" else tint,
                label=label(*who) if index == 0 else None,
            )


def n_networks(rows: pd.DataFrame) -> int:
    """How many architectures and pretrainings a table has."""
    return len(rows[["architecture", "pretraining"]].drop_duplicates())


def plot_enrichment(
    summary: pd.DataFrame, *, confidence: float = 0.95, ax: Axes | None = None
) -> Axes:
    """Enrichment of each part, a point a network, intervals over seeds; 1 is what a flat map has.

    Parameters
    ----------
    summary : ``lib.mechanisms.tables.enrichment_table``; the range of area-matched patches is grey.
    """
    ax = ax or plt.gca()
    parts = in_order(summary["part"])
    columns = ("mean", "low", "high")
    draw_networks(ax, summary, columns, spread_positions(n_networks(summary)))
    for index, part in enumerate(parts):
        rows = summary[summary["part"] == part]
        ax.fill_between(
            [index - 0.45, index + 0.45],
            rows["control_low"].min(),
            rows["control_high"].max(),
            color="0.88",
            zorder=0,
            lw=0,
            label=None if index else "patches of equal area\noff the parts (range)",
        )
    ax.axhline(1, color="0.4", lw=1, ls=":")
    group_ticks(ax, parts)
    ax.set_title(f"A flat map scores 1; {over_seeds_title(confidence)}", fontsize="medium")
    ax.set_ylabel("enrichment\n(share of saliency / of area)")
    ax.set_ylim(bottom=0)
    return ax


def plot_part_profiles(
    networks: pd.DataFrame,
    people: pd.DataFrame,
    columns: Sequence[str],
    axis_label: str,
    ax: Axes | None = None,
) -> Axes:
    """What hiding a part does, people in black, networks in their colours.

    Parameters
    ----------
    networks, people : pooled rows of ``part_profiles``. columns : value, low, high, such as
        ``("share", "share_low", "share_high")``.
    """
    ax = ax or plt.gca()
    parts = in_order(networks["part"])
    offsets = spread_positions(n_networks(networks) + 1)
    value, *ends = columns
    named = people.set_index("part").reindex(parts) if len(people) else people
    for index, (_, row) in enumerate(named.iterrows()):
        name = people_label(people["kind"].iloc[0], int(people["n_observers"].iloc[0]))
        name += ", no control patch" if np.isnan(row["control_loss"]) else ""
        limits = row[ends].to_numpy(float)
        style = {"color": "black", "marker": "D", "ms": 6, "label": None if index else name}
        draw_interval(ax, index + offsets[0], row[value], limits, **style)
    draw_networks(ax, networks, columns, offsets[1:])
    ax.axhline(0, color="0.4", lw=1, ls=":")
    group_ticks(ax, parts)
    ax.set(xlabel="part hidden", ylabel=axis_label)
    return ax


def plot_differences(
    differences: pd.DataFrame, margin: float, against: str, ax: Axes | None = None
) -> Axes:
    """How far each network's share of d' lost is from somebody else's; grey is the margin.

    Parameters
    ----------
    differences : rows of ``profile_differences`` against one. against : who that is, in words.
    """
    ax = ax or plt.gca()
    columns = ("value", "low", "high")
    draw_networks(ax, differences, columns, spread_positions(n_networks(differences)))
    ax.axhspan(-margin, margin, color="0.88", zorder=0, lw=0, label=f"margin of {margin:g}")
    ax.axhline(0, color="0.4", lw=1, ls=":")
    group_ticks(ax, in_order(differences["part"]))
    ax.set(xlabel="part hidden", ylabel=f"share of d′ lost,\nless that of {against}")
    return ax
