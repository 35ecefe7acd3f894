"""Figures of notebook 01: contact sheets, cues without a face, morph strips, parts and their
controls, and people's raw answers.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import t as student

from lib.figures.style import PART_COLOURS
from lib.people.trials import count_table
from lib.pictures.reading import read_image
from lib.settings.options import CONDITIONS, resolve
from lib.settings.words import POLES, Poles, people_label, title_note

MOST_LEVELS = 21  # more are shown in steps
STEP = 0.05
FEW_PEOPLE = 5  # a step that fewer saw would be a person's own data
GAP = 4  # white pixels between pictures


def tile(pictures: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Pictures of one shape in rows, uint8 (rows * side, columns * side, 3), with white gaps."""
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), 255, np.uint8)
    for k, picture in enumerate(pictures):
        y = (height + GAP) * (k // columns)
        x = (width + GAP) * (k % columns)
        sheet[y : y + height, x : x + width] = picture
    return sheet


def plot_contact_sheet(
    images: pd.DataFrame,
    poles: Poles = POLES,
    columns: int = 12,
    side: int = 96,
    ax: Axes | None = None,
) -> Axes:
    """The first training pictures of each class, as many people as fit: two rows positive, two rows
    negative.

    Parameters
    ----------
    images : the table ``images``.
    poles : the two labels, negative first.
    """
    ax = ax or plt.subplots(figsize=(columns * 0.9, 4.2))[1]
    train = images[images["split"] == "train"]
    chosen = pd.concat(
        [_spread(train[train["label"] == label], 2 * columns) for label in reversed(poles)]
    )
    sheet = tile([read_image(resolve(p), side) for p in chosen["path"]], columns)
    ax.imshow(sheet)
    ax.set(title=f"Training images: {poles[1]} above, {poles[0]} below")
    ax.axis("off")
    return ax


def _spread(rows: pd.DataFrame, n: int) -> pd.DataFrame:
    """n rows evenly spaced over the table, which is sorted by file and so by person."""
    if len(rows) < n:
        return rows.iloc[np.arange(n) % len(rows)]
    return rows.iloc[np.linspace(0, len(rows) - 1, n).round().astype(int)]


def plot_morphs(
    stimuli: pd.DataFrame,
    identity: str,
    poles: Poles = POLES,
    columns: int = 7,
    side: int = 112,
    ax: Axes | None = None,
) -> Axes:
    """One identity from the negative to the positive pole, a row for each condition, at levels that
    all conditions have.

    Parameters
    ----------
    stimuli : the table ``stimuli``.
    """
    one = stimuli[stimuli["identity"] == identity]
    conditions = list(dict.fromkeys(one["condition"]))
    shared = one.groupby("level")["condition"].nunique() == len(conditions)
    levels = np.sort(shared.index[shared])
    levels = levels[np.linspace(0, len(levels) - 1, min(columns, len(levels))).round().astype(int)]
    place = one.set_index(["condition", "level"])["path"]
    pictures = [
        read_image(resolve(place[condition, level]), side)
        for condition in conditions
        for level in levels
    ]
    ax = ax or plt.subplots(figsize=(len(levels) * 1.15, len(conditions) * 1.15))[1]
    ax.imshow(tile(pictures, len(levels)))
    step = side + GAP
    ax.set_xticks(step * np.arange(len(levels)) + side / 2, [f"{level:.2f}" for level in levels])
    ax.set_yticks(
        step * np.arange(len(conditions)) + side / 2,
        ["whole face" if c == "full" else f"{c} hidden" for c in conditions],
    )
    ax.set(title=f"Morphs of {identity}", xlabel=level_axis(poles))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def level_axis(poles: Poles) -> str:
    """What the axis of levels is called."""
    return f"level (0 {poles[0]}, 1 {poles[1]})"


def plot_confounds(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """How well each cue without a face tells the classes apart, with its interval; a bar marks how
    far above chance a cue may be, and a filled point is above it.

    Parameters
    ----------
    table : the table ``confounds``.
    """
    rows = table[table["accuracy"].notna()].iloc[::-1]
    ax = ax or plt.subplots(figsize=(7.6, 0.9 + 0.32 * len(rows)))[1]
    names = [f"{row.cue} ({row.compared})" for row in rows.itertuples()]
    for y, row in enumerate(rows.itertuples()):
        colour = "#B14200" if row.warning else "#005591"
        ax.plot([row.low, row.high], [y, y], color=colour, linewidth=1.5)
        face = colour if row.warning else "white"
        ax.plot(row.accuracy, y, "o", color=colour, markerfacecolor=face)
        ax.plot(0.5 + row.margin, y, "|", color="0.4", markersize=12)
    ax.axvline(0.5, color="0.7", linewidth=0.8, zorder=0)
    ax.set_yticks(range(len(rows)), names)
    ax.set(
        xlim=(0.2, 1.02),
        xlabel="share right without a face (chance 0.5; filled: above its margin, the grey bar)",
        title="What tells the classes apart that is no face?",
    )
    return ax


def plot_parts(
    pictures: dict[str, np.ndarray], masks: dict[str, np.ndarray], ax: Axes | None = None
) -> Axes:
    """Pictures side by side with outlines in the parts' colours.

    Parameters
    ----------
    pictures : title: uint8 (H, W, 3).
    masks : part: bool (H, W), outlined in every picture; empty draws none.
    """
    ax = ax or plt.subplots(figsize=(2.6 * len(pictures), 2.9))[1]
    drawn = [_outlined(picture, masks) for picture in pictures.values()]
    ax.imshow(tile(drawn, len(drawn)))
    width = drawn[0].shape[1] + GAP
    ax.set_xticks(width * np.arange(len(drawn)) + width / 2, list(pictures))
    ax.set_yticks([])
    ax.set(title="Where the parts are, what is hidden, and the control of the same area")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def _outlined(picture: np.ndarray, masks: dict[str, np.ndarray]) -> np.ndarray:
    picture = picture.copy()
    for part, mask in masks.items():
        outlines, _ = cv2.findContours(
            mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
        )
        colour = tuple(int(PART_COLOURS[part][k : k + 2], 16) for k in (1, 3, 5))
        cv2.drawContours(picture, outlines, -1, colour, 2)
    return picture


def raw_curves(trials: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """The mean share of positive answers over observers, with the interval of that mean.

    Where there are more than 21 levels, as where each person saw own ones, they are counted in
    steps of 0.05, and steps that fewer than five people saw are left out.

    Returns
    -------
    Columns condition, level, share, low, high, n (observers). One observer has no interval (NaN).
    """
    own_levels = trials["level"].nunique() > MOST_LEVELS
    if own_levels:
        trials = trials.assign(level=((trials["level"] / STEP).round() * STEP).round(6))
    counts = count_table(trials, by=["observer", "condition"])
    counts["share"] = counts["n_happy"] / counts["n"]
    table = (
        counts.groupby(["condition", "level"])["share"]
        .agg(share="mean", sd="std", n="size")
        .reset_index()
    )
    half = (
        student.ppf(0.5 + confidence / 2, (table["n"] - 1).where(table["n"] > 1))
        * table["sd"]
        / np.sqrt(table["n"])
    )
    table = table.assign(low=table["share"] - half, high=table["share"] + half).drop(columns="sd")
    return table[table["n"] >= FEW_PEOPLE].reset_index(drop=True) if own_levels else table


MARKERS = {
    "full": "o",
    "eyes": "s",
    "nose": "^",
    "mouth": "D",
}  # colour is never all that tells lines apart


def plot_raw_answers(
    trials: pd.DataFrame,
    confidence: float = 0.95,
    poles: Poles = POLES,
    ax: Axes | None = None,
) -> Axes:
    """People's share of positive answers by level, a line for each condition, with the interval
    over people.

    Parameters
    ----------
    trials : people's rows of the trial table.
    """
    ax = ax or plt.subplots(figsize=(6.4, 4.2))[1]
    table = raw_curves(trials, confidence)
    kind = trials["kind"].iloc[0]
    for condition in [c for c in CONDITIONS if c in set(table["condition"])]:
        rows = table[table["condition"] == condition]
        colour = PART_COLOURS[condition]
        ax.plot(
            rows["level"],
            rows["share"],
            color=colour,
            marker=MARKERS[condition],
            markersize=5,
            label="whole face" if condition == "full" else f"{condition} hidden",
        )
        ax.fill_between(
            rows["level"],
            rows["low"].clip(0, 1),
            rows["high"].clip(0, 1),
            color=colour,
            alpha=0.18,
            linewidth=0,
        )
    ax.axhline(0.5, color="0.7", linewidth=0.8, zorder=0)
    own_levels = trials["level"].nunique() > MOST_LEVELS
    steps = f"; steps of {STEP} that {FEW_PEOPLE} people or more saw" if own_levels else ""
    ax.set(
        title=f"Answers of {people_label(kind, trials['observer'].nunique())}{title_note(kind)}\n"
        f"bands: {100 * confidence:g} % interval over people{steps}",
        xlabel=level_axis(poles),
        ylabel=f"share of {poles[1]} answers",
        ylim=(-0.02, 1.02),
    )
    ax.legend()
    return ax
