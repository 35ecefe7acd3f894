"""Figures of notebooks 02 and 03: learning curves, accuracy over seeds, attention maps."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from lib.figures.style import COLOURS, PART_COLOURS, colour
from lib.settings.words import label, title_note
from lib.statistics.intervals import accuracy_summary

METRIC_LABELS = {
    "accuracy": "accuracy on test images",
    "validation_accuracy": "accuracy on validation images",
    "delta_pse": "PSE less people's mean PSE (levels)",
    "rmse": "RMSE to people's curve",
    "log_likelihood": "log likelihood above level (bits)",
    "image_consistency": "image consistency with people",
}

SMALLEST_REACH = 0.02  # of the grid's colours: differences much smaller than this are to look pale

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


def plot_attention(
    pictures: np.ndarray,
    maps: np.ndarray,
    query: tuple[int, int],
    axes=None,
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
    values: np.ndarray, weights: np.ndarray, out: np.ndarray, axes=None
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
    """Heat map of one metric over the attention grid of one pretraining: settings down, locations
    across.

    Parameters
    ----------
    table : the table ``attention_grid``, rows of one pretraining. kind : of the people, ``human``
        or ``simulated``.

    Colours show the difference to AlexNet without a block, where that is in the table, purple for
    better where the metric has a better side; numbers are the values themselves, with * where the
    interval over seeds does not hold AlexNet's value.
    """
    rows = table[table["metric"] == metric]
    plain = rows.loc[rows["kind"] == "none", "value"]
    centre = float(plain.iloc[0]) if len(plain) else float(rows["value"].mean())
    rows = rows[rows["kind"] != "none"]
    rows = rows.assign(
        setting=rows["kind"]
        + ", r "
        + rows["reduction"].astype(str)
        + np.where(rows["prior"].astype(str) == "True", " + people's prior", "")
    )
    wide = rows.pivot_table(
        index="setting", columns="location", values="value", sort=False, dropna=False
    )
    wide = wide[sorted(wide.columns)]
    apart = (
        rows.assign(star=(rows["low"] > centre) | (rows["high"] < centre))
        .pivot_table(index="setting", columns="location", values="star", sort=False, dropna=False)
        .reindex_like(wide)
    )
    words = wide.map("{:.3f}".format) + np.where(apart.fillna(0).astype(bool), " *", "")
    ax = ax or plt.subplots(figsize=(1.3 * wide.shape[1] + 3.2, 0.5 * len(wide) + 1.6))[1]
    reach = np.fmax(float((wide - centre).abs().max().max()), SMALLEST_REACH)
    colours = "PuOr_r" if metric == "rmse" else "PuOr"  # of the RMSE, less is better
    better = "" if metric == "delta_pse" else "purple: better "  # a PSE has no better side
    sns.heatmap(
        wide - centre,
        annot=words,
        fmt="",
        cmap=colours,
        center=0,
        vmin=-reach,
        vmax=reach,
        ax=ax,
        linewidths=1,
        cbar_kws={
            "label": f"difference to {'AlexNet' if len(plain) else 'mean'}\n"
            f"{better}(scale ±{reach:.2g})"
        },
    )
    ax.set(
        xlabel="",
        ylabel="",
        title=METRIC_LABELS[metric]
        + _people_note(metric, kind)
        + (f"; AlexNet {centre:.3f}" if len(plain) else ""),
    )
    return ax


def _people_note(metric: str, kind: str) -> str:
    """That the people are simulated, where the metric compares with them."""
    return title_note(kind) if metric not in ("accuracy", "validation_accuracy") else ""


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


def plot_prior(weights: pd.DataFrame, kind: str, ax: Axes | None = None) -> Axes:
    """Each part's log-weight from people's behaviour, with its bootstrap interval over people.

    Parameters
    ----------
    weights : of ``lib.likeness.guidance.prior_from_people``. kind : ``human`` or ``simulated``.
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
    cells : see ``lib.training.attention_grid.score_grid``. candidates : without attention, with
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
        title=_people_note(metric, kind).strip(),
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


def plot_seed_pairs(
    pairs: pd.DataFrame, this: str, that: str, unit: str = "accuracy", ax: Axes | None = None
) -> Axes:
    """One line a seed from ``that`` to ``this``; a rising line means that ``this`` did better."""
    ax = ax or plt.subplots(figsize=(4, 3.6))[1]
    for row in pairs.to_dict("records"):
        ax.plot([0, 1], [row["that"], row["this"]], "-", color="0.6", linewidth=1)
        ax.plot(0, row["that"], "o", color=colour(that))
        ax.plot(1, row["this"], "o", color=colour(this))
    ax.set_xticks([0, 1], [label(that), label(this)])
    ax.set_xlim(-0.4, 1.4)
    ax.set(ylabel=unit, title="Pairs of one seed")
    return ax
