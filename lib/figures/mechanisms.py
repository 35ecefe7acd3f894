"""Figures of notebook 05: saliency on faces, enrichment, checks, and what hiding a part does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from lib.figures.style import PART_COLOURS, colour
from lib.settings.options import PARTS
from lib.settings.words import label, people_label

SIGNED = "PuOr_r"  # orange speaks for happy, purple for sad; told apart under colour blindness
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


def network_name(row) -> str:
    """What a figure calls the network of a row with architecture and pretraining."""
    return label(row.architecture, row.pretraining)


def plot_map(
    image: np.ndarray,
    saliency: np.ndarray | None,
    regions: Mapping[str, np.ndarray] = (),
    *,
    limit: float | None = None,
    ax=None,
):
    """A face with a signed map over it, and the parts' outlines.

    Parameters
    ----------
    image : uint8 (H, W, 3). saliency : (H, W), enlarged, + for happy; None shows the face alone.
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


def colour_bar(figure, axes, text: str, limit: float | None = None) -> None:
    """The scale of signed maps beside them; without a ``limit`` its ends are called sad and
    happy.
    """
    mappable = plt.cm.ScalarMappable(plt.Normalize(-(limit or 1), limit or 1), SIGNED)
    bar = figure.colorbar(mappable, ax=axes, shrink=0.6, pad=0.02, aspect=30)
    bar.set_label(text, fontsize=10)
    if limit is None:
        bar.set_ticks([-1, 0, 1], labels=["sad", "0", "happy"])


def plot_map_grid(
    images: np.ndarray,
    maps: Mapping[str, np.ndarray],
    titles: Sequence[str],
    regions: Sequence[Mapping[str, np.ndarray]],
):
    """Faces in columns, networks (or methods) in rows; every row has its own colour scale.
    Returns the figure.
    """
    rows = len(maps) + 1
    figure, axes = plt.subplots(
        rows,
        len(images),
        figsize=(1.55 * len(images) + 1, 1.6 * rows),
        squeeze=False,
        gridspec_kw={"wspace": 0.04, "hspace": 0.04},
    )
    for column, image in enumerate(images):
        plot_map(image, None, ax=axes[0, column]).set_title(titles[column], fontsize=10)
    axes[0, 0].set_ylabel("face", fontsize=9, rotation=0, ha="right", va="center")
    for row, (name, values) in enumerate(maps.items(), start=1):
        limit = float(np.abs(values).max()) or 1.0
        for column, image in enumerate(images):
            plot_map(image, values[column], regions[column], limit=limit, ax=axes[row, column])
        axes[row, 0].set_ylabel(name, fontsize=9, rotation=0, ha="right", va="center")
    colour_bar(figure, axes, "evidence for (each row to its own largest size)")
    return figure


def spread_positions(count: int) -> np.ndarray:
    """Offsets of a group's marks: close together, so that groups stay apart."""
    width = min(0.6, 0.1 * count)
    return np.zeros(1) if count == 1 else np.linspace(-width / 2, width / 2, count)


def group_ticks(ax, names: Sequence[str]) -> None:
    """One tick a group, with thin lines between the groups."""
    ax.set_xticks(range(len(names)), names)
    ax.set_xlim(-0.5, len(names) - 0.5)
    for edge in range(1, len(names)):
        ax.axvline(edge - 0.5, color="0.9", lw=1, zorder=0)


def _in_order(parts) -> list[str]:
    return [part for part in PARTS if part in set(parts)]


def draw_interval(ax, x, row, **style):
    """A point with its interval; one seed has none."""
    if np.isfinite(row.low):
        ax.plot([x, x], [row.low, row.high], color=style.get("color"), lw=1.5, alpha=0.8, zorder=2)
    ax.plot(x, row["mean"], ls="", zorder=3, **style)


def _face(row) -> str | None:
    """Networks without object pretraining are drawn hollow."""
    return "none" if row.pretraining == "untrained" else None


def plot_enrichment(
    summary: pd.DataFrame,
    controls: pd.DataFrame | None = None,
    *,
    confidence: float = 0.95,
    ax=None,
):
    """Enrichment of each part, a point a network, intervals over seeds; 1 is what a flat map has.

    Parameters
    ----------
    summary : architecture, pretraining, part, mean, low, high. controls : part, control_low,
        control_high: the range of area-matched patches, drawn grey.
    """
    ax = ax or plt.gca()
    parts = _in_order(summary["part"])
    networks = summary[["architecture", "pretraining"]].drop_duplicates()
    offsets = spread_positions(len(networks))
    for offset, who in zip(offsets, networks.itertuples(), strict=True):
        mine = summary[
            (summary.architecture == who.architecture) & (summary.pretraining == who.pretraining)
        ]
        for index, row in enumerate(mine.set_index("part").reindex(parts).itertuples()):
            draw_interval(
                ax,
                index + offset,
                pd.Series(row._asdict()),
                color=colour(who.architecture),
                marker="o",
                ms=6,
                mfc=_face(who) or colour(who.architecture),
                label=network_name(who) if index == 0 else None,
            )
    if controls is not None:
        for index, part in enumerate(parts):
            rows = controls[controls.part == part]
            ax.fill_between(
                [index - 0.45, index + 0.45],
                rows.control_low.min(),
                rows.control_high.max(),
                color="0.88",
                zorder=0,
                lw=0,
                label=None if index else "patches of equal area\noff the parts (range)",
            )
    ax.axhline(1, color="0.4", lw=1, ls=":")
    group_ticks(ax, parts)
    ax.set_title(f"What a flat map scores is 1; {over_seeds_title(confidence)}", fontsize="medium")
    ax.set_ylabel("enrichment\n(share of saliency / of area)")
    ax.set_ylim(bottom=0)
    return ax


def plot_enrichment_by_level(rows: pd.DataFrame, part: str, ax=None):
    """Enrichment of one part along the morph: a line a network (mean over seeds), thin lines the
    seeds.

    The axis reaches to the highest value of any part, so that the parts' axes can be shared.
    """
    ax = ax or plt.gca()
    for who, mine in rows[rows.part == part].groupby(["architecture", "pretraining"], sort=False):
        style = {"color": colour(who[0]), "ls": "--" if who[1] == "untrained" else "-"}
        for _, seed in mine.groupby("seed"):
            ax.plot(seed.level, seed.enrichment, lw=0.6, alpha=0.5, **style)
        mean = mine.groupby("level").enrichment.mean()
        ax.plot(mean.index, mean, lw=2, marker="o", ms=4, label=label(*who), **style)
    ax.axhline(1, color="0.4", lw=1, ls=":")
    ax.set(
        xlabel="level (0 sad, 1 happy)",
        ylabel="enrichment",
        title=part,
        ylim=(0, 1.05 * max(rows.enrichment.max(), 1)),
    )
    return ax


def plot_profiles(
    profiles: Mapping[tuple[str, str], np.ndarray],
    regions: Mapping[str, np.ndarray],
    image: np.ndarray,
    axes=None,
):
    """Saliency by image row beside a face of the same height.

    Parameters
    ----------
    profiles : (architecture, pretraining) -> (n, H), a row a seed, each relative to a flat map:
        thin lines, and their
        mean thick. axes : two axes, made equally high here, so that a row of the face is beside its
            value.
    """
    axes = axes if axes is not None else plt.subplots(1, 2, figsize=(7, 3.6), sharey=True)[1]
    plot_map(image, None, regions, ax=axes[0])
    rows = np.arange(image.shape[0])
    for (architecture, pretraining), values in profiles.items():
        style = {"color": colour(architecture), "ls": "--" if pretraining == "untrained" else "-"}
        axes[1].plot(values.T, np.tile(rows[:, None], len(values)), lw=0.6, alpha=0.5, **style)
        axes[1].plot(
            np.nanmean(values, axis=0), rows, lw=2, label=label(architecture, pretraining), **style
        )
    for part, mask in regions.items():
        inside = np.flatnonzero(mask.any(axis=1))
        axes[1].axhspan(inside[0], inside[-1], color=PART_COLOURS[part], alpha=0.12, lw=0)
        axes[1].text(
            0.985,
            inside.mean(),
            part,
            transform=axes[1].get_yaxis_transform(),
            ha="right",
            va="center",
            fontsize=9,
            color=PART_COLOURS[part],
        )
    axes[1].axvline(1, color="0.4", lw=1, ls=":")
    axes[1].set(
        xlabel="saliency in this row, relative to a flat map",
        xlim=(0, None),
        ylim=(len(rows) - 0.5, -0.5),
        title="mean (thick) and seeds (thin)",
    )
    axes[1].set_yticks([])
    axes[1].set_box_aspect(1 / 1.3)
    axes[0].set_box_aspect(1)
    return axes


def plot_part_losses(
    networks: pd.DataFrame, people: pd.DataFrame, kind: str, axis_label: str, ax=None
):
    """What hiding a part costs, people in black (mean and interval), networks in their colours.

    Where no seed has a value, because a curve does not cross 0.5, the figure says so.

    Parameters
    ----------
    networks : architecture, pretraining, part, mean, low, high. people : part, mean, low, high,
        n_units.
    """
    ax = ax or plt.gca()
    parts = _in_order(networks["part"])
    people = people.dropna(subset="mean")  # who may have seen full faces alone
    whos = networks[["architecture", "pretraining"]].drop_duplicates()
    offsets = spread_positions(len(whos) + 1)
    for index, (_, row) in enumerate(
        people.set_index("part").reindex(parts).iterrows() if len(people) else ()
    ):
        draw_interval(
            ax,
            index + offsets[0],
            row,
            color="black",
            marker="D",
            ms=6,
            label=people_label(kind, int(row.n_units)) if index == 0 else None,
        )
    for offset, who in zip(offsets[1:], whos.itertuples(), strict=True):
        mine = networks[
            (networks.architecture == who.architecture) & (networks.pretraining == who.pretraining)
        ]
        for index, (_, row) in enumerate(mine.set_index("part").reindex(parts).iterrows()):
            draw_interval(
                ax,
                index + offset,
                row,
                color=colour(who.architecture),
                marker="o",
                ms=6,
                mfc=_face(who) or colour(who.architecture),
                label=network_name(who) if index == 0 else None,
            )
    ax.axhline(0, color="0.4", lw=1, ls=":")
    group_ticks(ax, parts)
    ax.set(xlabel="part hidden", ylabel=axis_label)
    if missing := int(networks["mean"].isna().sum()):
        ax.set_title(
            f"not defined for {missing} of {len(networks)} networks × parts",
            fontsize=10,
            color="0.35",
        )
    return ax


def plot_agreement(points: pd.DataFrame, x: str, y: str, labels: tuple[str, str], ax=None):
    """What saliency says of a part against what hiding it does: a point a network and part, bars
    over seeds.

    Parameters
    ----------
    points : architecture, pretraining, part and for each of x and y: ``x``, ``x_low``, ``x_high``.
    """
    ax = ax or plt.gca()
    for row in points.itertuples():
        tint = colour(row.architecture)
        across, up = ([getattr(row, f"{v}_low"), getattr(row, f"{v}_high")] for v in (x, y))
        if np.isfinite(across + up).all():
            ax.plot(across, [getattr(row, y)] * 2, color=tint, lw=1, alpha=0.6)
            ax.plot([getattr(row, x)] * 2, up, color=tint, lw=1, alpha=0.6)
        ax.plot(
            getattr(row, x),
            getattr(row, y),
            marker=MARKERS[row.part],
            color=tint,
            mfc=_face(row) or tint,
            ms=8,
            ls="",
        )
    for who in points[["architecture", "pretraining"]].drop_duplicates().itertuples():
        ax.plot(
            [],
            [],
            "o",
            color=colour(who.architecture),
            mfc=_face(who) or colour(who.architecture),
            label=network_name(who),
        )
    for part in dict.fromkeys(points.part):
        ax.plot([], [], MARKERS[part], color="0.5", label=f"{part} hidden")
    ax.axvline(1, color="0.4", lw=1, ls=":")
    ax.axhline(0, color="0.4", lw=1, ls=":")
    ax.set(xlabel=labels[0], ylabel=labels[1])
    return ax
