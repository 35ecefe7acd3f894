"""The attention block: what it does, what it gains, and where it looks."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from lib.figures.style import PART_COLOURS, colour
from lib.settings.words import label, title_note

METRIC_LABELS = {
    "accuracy": "accuracy on test images",
    "bits": "bits a choice of people (-1: a coin)",
}
GAIN_LABELS = {
    "accuracy": "test accuracy, gain over AlexNet",
    "bits": "bits a choice of people, gain over AlexNet",
}
SMALLEST_REACH = 0.02  # of the grid's colours: differences much smaller than this are to look pale


def plot_effect(history: pd.DataFrame, steps: int, least: float, ax: Axes | None = None) -> Axes:
    """How far the block moves the log-odds while it is trained: a line a seed.

    Parameters
    ----------
    history : the table of that name; networks without a block are left out.
    steps : an epoch has. least : the share of the SD that the study's claims need (dashed).
    """
    ax = ax or plt.subplots(figsize=(7.5, 4))[1]
    for architecture, group in history.dropna(subset="block_share").groupby(
        "architecture", sort=False
    ):
        for k, (_, one) in enumerate(group.groupby(["pretraining", "seed"])):
            name = label(architecture) if k == 0 else None
            x = np.append(0, one["epoch"] * steps)
            y = 100 * np.append(0, one["block_share"])  # before training the block does nothing
            ax.plot(x, y, "-o", color=colour(architecture), markersize=3, lw=1.2, label=name)
    ax.axhline(100 * least, color="0.4", linestyle="--", linewidth=1, zorder=0)
    ax.set(xlabel="training step", ylabel="log-odds moved (% of SD)")
    ax.set_title(f"What the block does to validation images; needed: {least:.0%}", fontsize=11)
    ax.set_ylim(bottom=0)
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax


def plot_arms(
    cells: pd.DataFrame, arms: pd.DataFrame, axes: Sequence[Axes] | None = None, kind: str = "human"
) -> Sequence[Axes]:
    """What each arm gains over AlexNet of the same seed: a dot a seed, the mean, its interval.

    Parameters
    ----------
    cells, arms : tables ``attention_cells`` and ``attention_arms``, of one pretraining.
    kind : of the people, ``human`` or ``simulated``.
    """
    rows = arms[arms["architecture"] != "alexnet"]
    if axes is None:
        size = (10.5, 0.5 * len(rows) + 1.6)
        axes = plt.subplots(1, 2, figsize=size, sharey=True, layout="constrained")[1]
    plain = cells[cells["candidate"] == "none"].set_index("seed")
    for ax, metric in zip(axes, GAIN_LABELS, strict=True):
        for y, row in enumerate(rows.to_dict("records")):
            own = cells[cells["candidate"] == row["candidate"]].set_index("seed")
            ink = colour(row["architecture"])
            name = f"{metric}_gain"
            by_seed = (own[metric] - plain[metric]).to_numpy()
            ax.plot(by_seed, np.full(len(by_seed), y + 0.2), "o", color=ink, alpha=0.5, ms=5)
            ax.plot([row[f"{name}_low"], row[f"{name}_high"]], [y, y], color=ink, lw=3)
            ax.plot(row[name], y, "D", color=ink, mec="white", ms=7)
        ax.axvline(0, color=colour("alexnet"), linewidth=1, zorder=0)
        note = title_note(kind) if metric == "bits" else ""
        ax.set(xlabel=f"{GAIN_LABELS[metric]}\nbetter →{note}")
    axes[0].set_yticks(range(len(rows)), [label(name) for name in rows["architecture"]])
    axes[0].set_ylim(len(rows) - 0.4, -0.6)
    return axes


def plot_attention(
    pictures: np.ndarray,
    maps: np.ndarray,
    query: tuple[int, int],
    axes: Sequence[Axes] | None = None,
    *,
    titles: Sequence[str] = (),
) -> np.ndarray:
    """Where one place of each face attends to, one panel a face and one colour scale for all.

    Parameters
    ----------
    pictures : uint8 (n, 224, 224, 3).
    maps : (n, H * W, H * W), heads averaged; each row sums to 1.
    query : (row, column) of the place that asks, on the H x W grid; framed in white.
    titles : of the panels, such as the faces' levels.

    The colour is attention over its mean: 1 is what even attention would give.
    """
    if axes is None:
        axes = plt.subplots(1, len(maps), figsize=(3.4 * len(maps) + 0.8, 3.4), squeeze=False)[1][0]
    side = round(maps.shape[-1] ** 0.5)
    shares = maps[:, query[0] * side + query[1]].reshape(-1, side, side) * side * side
    size = pictures.shape[1]
    for ax, picture, share in zip(axes, pictures, shares, strict=True):
        ax.imshow(picture.mean(axis=2), cmap="gray", extent=(0, size, size, 0))
        shown = ax.imshow(
            share,
            cmap="inferno",
            alpha=0.6,
            extent=(0, size, size, 0),
            interpolation="nearest",
            vmin=shares.min(),
            vmax=shares.max(),
        )
        corner = query[1] * size / side, query[0] * size / side
        ax.add_patch(
            Rectangle(corner, size / side, size / side, fill=False, edgecolor="white", linewidth=2)
        )
        ax.set_xticks([])
        ax.set_yticks([])
    for ax, title in zip(axes, titles or [""] * len(axes), strict=True):
        ax.set_title(title, fontsize="medium")
    axes[0].figure.colorbar(shown, ax=list(axes), shrink=0.8, label="attention ÷ even attention")
    return axes


def plot_two_by_two(
    values: np.ndarray,
    weights: np.ndarray,
    out: np.ndarray,
    axes: Sequence[Axes] | None = None,
) -> np.ndarray:
    """The hand case: a 2 x 2 map, who attends to whom (4 x 4), and the map afterwards, each
    cell with its number.
    """
    axes = plt.subplots(1, 3, figsize=(10, 3))[1] if axes is None else axes
    titles = ("the map x", "attention: row asks, column is asked", "x + gain × f(x)")
    for ax, grid, title in zip(axes, (values, weights, out), titles, strict=True):
        sns.heatmap(
            grid, annot=True, fmt=".3f", cmap="Blues", cbar=False, square=True, ax=ax, linewidths=1
        )
        ax.set_title(title, fontsize=11)
    return axes


def plot_grid(
    table: pd.DataFrame, metric: str, ax: Axes | None = None, *, kind: str = "human"
) -> Axes:
    """Gain over AlexNet in the attention grid: settings down, locations across, purple is better.

    Parameters
    ----------
    table : the table ``attention_grid``, rows of one pretraining. kind : of the people.

    Numbers are gains, with * where the interval over seeds excludes 0.
    """
    rows = table[(table["metric"] == metric) & (table["kind"] != "none")]
    names = rows["kind"] + ", r " + rows["reduction"].astype(str)
    names += np.where(rows["prior"].astype(bool), " + prior", "")
    guided = rows["architecture"] == "fe_alexnet_guided"
    rows = rows.assign(setting=names + np.where(guided, " + guide", ""))
    stars = np.where((rows["gain_low"] > 0) | (rows["gain_high"] < 0), " *", "")
    rows = rows.assign(words=rows["gain"].map("{:+.3f}".format) + stars)
    wide = rows.pivot(index="setting", columns="location", values=["gain", "words"])
    wide = wide.loc[list(dict.fromkeys(rows["setting"]))]
    values = wide["gain"].astype(float)
    ax = ax or plt.subplots(figsize=(1.3 * values.shape[1] + 3.2, 0.5 * len(wide) + 1.6))[1]
    reach = np.fmax(float(values.abs().max().max()), SMALLEST_REACH)
    sns.heatmap(
        values,
        annot=wide["words"].fillna(""),
        fmt="",
        cmap="PuOr",
        center=0,
        vmin=-reach,
        vmax=reach,
        ax=ax,
        linewidths=1,
        cbar_kws={"label": f"gain (scale ±{reach:.2g})"},
    )
    note = title_note(kind) if metric == "bits" else ""
    ax.set(xlabel="", ylabel="", title=GAIN_LABELS[metric] + note)
    return ax


def plot_prior(weights: pd.DataFrame, kind: str, ax: Axes | None = None) -> Axes:
    """Each part's log-weight from people's behaviour, with its bootstrap interval over people.

    Parameters
    ----------
    weights : of ``lib.attention_study.guidance.prior_from_people``.
    kind : ``human`` or ``simulated``.
    """
    ax = ax or plt.subplots(figsize=(5, 3))[1]
    for x, row in enumerate(weights.to_dict("records")):
        ink = PART_COLOURS[row["part"]]
        ax.plot([x, x], [row["low"], row["high"]], color=ink, linewidth=3, solid_capstyle="butt")
        ax.plot(x, row["log_weight"], "D", color=ink, markeredgecolor="white", markersize=8)
    ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    ax.set_xticks(range(len(weights)), weights["part"])
    ax.set(
        xlabel="hidden part",
        ylabel="log-weight",
        xlim=(-0.5, len(weights) - 0.5),
        title=f"What hiding does to people, 95 % interval{title_note(kind)}",
    )
    return ax


def plot_bias(
    cells: pd.DataFrame,
    metric: str,
    candidates: tuple[str, str],
    ax: Axes | None = None,
    *,
    kind: str = "human",
) -> Axes:
    """One metric over pretrainings, without and with attention: a dot a seed, a line through the
    means.

    Parameters
    ----------
    cells : of ``lib.attention_study.arms.score_cells``. candidates : without attention, with
        attention.
    kind : of the people, ``human`` or ``simulated``.
    """
    ax = ax or plt.subplots(figsize=(5.5, 3.8))[1]
    bases = list(dict.fromkeys(cells["pretraining"]))
    for candidate, architecture, shift in zip(
        candidates, ("alexnet", "fe_alexnet"), (-0.08, 0.08), strict=True
    ):
        rows = cells[cells["candidate"] == candidate]
        place = rows["pretraining"].map(bases.index) + shift
        ax.plot(place, rows[metric], "o", color=colour(architecture), alpha=0.5, markersize=5)
        means = rows.groupby("pretraining")[metric].mean().reindex(bases)
        ax.plot(
            np.arange(len(bases)) + shift,
            means,
            "-D",
            color=colour(architecture),
            markeredgecolor="white",
            label=f"{label(architecture)}, mean of seeds",
        )
    ax.set_xticks(range(len(bases)), bases)
    ax.set(
        xlabel="convolutions pretrained on",
        ylabel=METRIC_LABELS[metric],
        xlim=(-0.5, len(bases) - 0.5),
        title=title_note(kind).strip() if metric == "bits" else "",
    )
    ax.legend(fontsize="small")
    return ax


def plot_selection(
    summary: pd.DataFrame, ax: Axes | None = None, *, kind: str = "human", confidence: float = 0.95
) -> Axes:
    """Gain over the default setting, in bits a held-out choice, with the middle of the splits
    (``confidence``).
    """
    ax = ax or plt.subplots(figsize=(6, 2.4))[1]
    largest = summary[["gain", "low", "high"]].abs().max().max()
    power = int(np.floor(np.log10(largest))) if 0 < largest < 0.01 else 0
    unit = 10.0**power  # stated in the label: matplotlib's own offset text runs into it
    for y, row in enumerate(summary.to_dict("records")):
        ax.plot(
            [row["low"] / unit, row["high"] / unit],
            [y, y],
            color="0.3",
            linewidth=3,
            solid_capstyle="butt",
        )
        ax.plot(row["gain"] / unit, y, "D", color="black", markeredgecolor="white")
    ax.axvline(0, color="0.7", linewidth=0.8, zorder=0)
    names = [
        (
            f"{'validation ' if row['chosen_by'] == 'accuracy' else ''}{row['chosen_by']}: "
            f"{row['candidate']}"
        )
        for row in summary.to_dict("records")
    ]
    ax.set_yticks(range(len(summary)), names)
    ax.invert_yaxis()
    ax.locator_params(axis="x", nbins=4)
    ax.set_title(
        f"Settings chosen by ...; bars: middle {confidence:.0%} of the splits{title_note(kind)}",
        fontsize="medium",
    )
    ax.set_xlabel(
        "gain over the default ("
        + (f"$10^{{{power}}}$ " if power else "")
        + "bits a held-out choice)"
    )
    return ax
