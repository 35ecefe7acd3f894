"""Psychometric curves: people's band, networks' points and curves, and one curve explained."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lib.figures.style import SMALL, TEXT, WIDTH, colour, line_style, small_text
from lib.observers.tables import curves_of
from lib.psychometrics.result import PsychometricFit
from lib.settings.words import POLES, Poles, label, people_label, title_note

X = np.linspace(0, 1, 101)
GROUP = ["architecture", "pretraining"]
BINS = 41  # more levels than this are drawn as means of neighbours


def people_kind(table: pd.DataFrame) -> str:
    """``human`` or ``simulated``: whose answers a table holds."""
    return next(kind for kind in ("simulated", "human") if (table["kind"] == kind).any())


def networks_of(table: pd.DataFrame) -> Iterator[tuple[tuple[str, str], pd.DataFrame]]:
    """((architecture, pretraining), rows) for the networks of a table, in its order."""
    return iter(table[table["kind"] == "cnn"].groupby(GROUP, sort=False))


def level_label(poles: Poles = POLES) -> str:
    """The axis of the morph: ``level (0 = sad, 1 = happy)``."""
    return f"level (0 = {poles[0]}, 1 = {poles[1]})"


def new_ax(ax: Axes | None, width: float = 7, height: float = 4.5) -> Axes:
    """The given panel, or a new figure's."""
    return ax if ax is not None else plt.subplots(figsize=(width, height))[1]


def plot_people(
    table: pd.DataFrame, sigmoid: str, ax: Axes | None = None, *, poles: Poles = POLES
) -> Axes:
    """People's mean fitted curve in black with the band that holds 95 % of theirs.

    table : rows of ``psychometrics`` in one condition.
    """
    ax = new_ax(ax)
    people = table[table["kind"] != "cnn"]
    curves = curves_of(people, X, sigmoid)
    kind = people_kind(table)
    if np.isfinite(curves).any():
        low, high = np.nanpercentile(curves, (2.5, 97.5), axis=0)
        ax.fill_between(X, low, high, color="black", alpha=0.12, lw=0, label="95 % of them")
        named = f"mean of {people_label(kind, len(people))}"
        ax.plot(X, np.nanmean(curves, 0), color="black", lw=2.5, label=named)
    ax.axhline(0.5, color="0.7", lw=0.8, zorder=0)
    share = f"share of answers “{poles[1]}”"
    ax.set(xlabel=level_label(poles), ylabel=share, xlim=(0, 1), ylim=(-0.02, 1.02))
    return ax


def plot_curves(
    fits: pd.DataFrame,
    points: pd.DataFrame,
    sigmoid: str = "norm",
    *,
    poles: Poles = POLES,
) -> Figure:
    """Small multiples: one row a network, one column a condition; people's band, mean and points in
    black, the network's points and rising curve (seeds thin, their mean thick) in its colour.

    Parameters
    ----------
    fits : table ``psychometrics``. points : of ``level_shares``.
    """
    networks = [key for key, _ in networks_of(fits)]
    conditions = list(dict.fromkeys(points["condition"]))
    conditions.sort(key=lambda name: name != "full")
    height = 1.15 + 1.35 * len(networks)
    figure, axes = plt.subplots(
        len(networks),
        len(conditions),
        figsize=(WIDTH if len(conditions) > 1 else 4.5, height),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for row, key in zip(axes, networks, strict=True):
        for ax, condition in zip(row, conditions, strict=True):
            here = [t[t["condition"] == condition] for t in (fits, points)]
            _panel(ax, key, *here, sigmoid)
        name = label(*key).replace(" (", "\n(").replace(" + ", " +\n")
        row[0].set_ylabel(name, color=colour(key[0]), fontsize=TEXT)
    for ax, condition in zip(axes[0], conditions, strict=True):
        whole = condition == "full"
        ax.set_title("whole face" if whole else f"{condition} hidden", fontsize=TEXT)
    figure.supxlabel(level_label(poles), fontsize=TEXT)
    figure.supylabel(f"share of answers “{poles[1]}”", fontsize=TEXT)
    figure.suptitle(_curves_title(fits), fontsize=TEXT)
    return figure


def plot_whole_face(
    fits: pd.DataFrame, points: pd.DataFrame, sigmoid: str = "norm", *, poles: Poles = POLES
) -> Figure:
    """One panel a network, whole faces only, drawn as in ``plot_curves``.

    Parameters
    ----------
    fits : table ``psychometrics``. points : of ``level_shares``.
    """
    fits, points = (table[table["condition"] == "full"] for table in (fits, points))
    networks = [key for key, _ in networks_of(fits)]
    columns = min(len(networks), 5 if len(networks) > 8 else 4)
    rows = -(-len(networks) // columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(WIDTH, 0.9 + 2.1 * rows),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for ax in axes.flat[len(networks) :]:
        ax.set_axis_off()
    for ax, key in zip(axes.flat, networks, strict=False):
        _panel(ax, key, fits, points, sigmoid)
        ax.set_title(label(*key).replace(" (", "\n("), color=colour(key[0]), fontsize=TEXT)
        ax.tick_params(labelbottom=True)
    figure.supxlabel(level_label(poles), fontsize=TEXT)
    figure.supylabel(f"share of answers “{poles[1]}”", fontsize=TEXT)
    figure.suptitle(_curves_title(fits), fontsize=TEXT)
    return figure


def _curves_title(fits: pd.DataFrame) -> str:
    kind = people_kind(fits)
    n = fits.loc[fits["kind"] != "cnn", "observer"].nunique()
    return (
        f"Black: {people_label(kind, n)}, mean curve and shares; grey: 95 % of their curves"
        f"{title_note(kind)}.\nColour: the network, every seed's shares and the curve through them"
    )


def _panel(
    ax: Axes, key: tuple[str, str], fits: pd.DataFrame, points: pd.DataFrame, sigmoid: str
) -> None:
    """One network in one condition, over the people who saw that condition."""
    people = points[points["kind"] != "cnn"]
    if len(people):
        plot_people(fits, sigmoid, ax)
        ax.plot(*shared_points(people), "o", color="black", ms=3)
    else:
        ax.text(0.03, 0.9, "no people saw this", fontsize=SMALL, color="0.35")
    ax.axhline(0.5, color="0.7", lw=0.8, zorder=0)
    mine = points[(points["kind"] == "cnn") & (points[GROUP] == list(key)).all(axis=1)]
    ink = colour(key[0])
    style = line_style(key[1])
    for _, seed in mine.groupby("observer", sort=False):
        ax.plot(seed["level"], seed["curve"], color=ink, lw=0.7, alpha=0.6, ls=style)
    dots = mine.groupby(["observer", _binned(mine["level"])])["share"].mean().reset_index()
    ax.plot(dots["level"], dots["share"], ".", color=ink, ms=3, alpha=0.5)
    mean = mine.groupby("level")["curve"].mean()
    ax.plot(mean.index, mean, color=ink, lw=2, ls=style)
    ax.set(xlabel="", ylabel="", xlim=(0, 1), ylim=(-0.03, 1.03))
    ax.set_xticks([0, 0.5, 1], ["0", ".5", "1"])
    ax.set_yticks([0, 0.5, 1], ["0", ".5", "1"])
    small_text(ax)


def shared_points(people: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Levels (K,) and people's mean share there, where at least half of the people answered.

    Levels near each person's own threshold are left out: whoever saw one saw it for being about as
    often positive as negative, and their mean is no curve of the group.
    """
    seen = people.groupby("level")["observer"].nunique()
    common = seen.index[seen >= 0.5 * people["observer"].nunique()]
    means = people[people["level"].isin(common)].groupby("level")["share"].mean()
    return means.index.to_numpy(float), means.to_numpy(float)


def _binned(level: pd.Series) -> pd.Series:
    """Levels as they are, or, where they are many, the middles of ``BINS`` equal steps."""
    if level.nunique() <= BINS:
        return level
    return (level * (BINS - 1)).round() / (BINS - 1)


def plot_explained(
    fit: PsychometricFit, points: pd.DataFrame, kind: str, poles: Poles = POLES
) -> Figure:
    """One curve with PSE, slope and JND drawn: the people's group curve.

    Parameters
    ----------
    fit : one fit (shape ``()``), such as of ``explained_fit``.
    points : people's rows of ``level_shares``, full faces.
    """
    figure, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
    ax.plot(*shared_points(points), "o", color="black", ms=5, clip_on=False)
    ax.plot(X, fit.curve(X), color="black", lw=2)
    pse, slope, jnd = (float(x) for x in (fit.pse, fit.slope, fit.jnd))
    _draw_pse(ax, pse)
    _draw_slope(ax, pse, slope)
    _draw_jnd(ax, fit, pse, jnd)
    share = f"share of answers “{poles[1]}”"
    ax.set(xlabel=level_label(poles), ylabel=share, xlim=(0, 1), ylim=(-0.02, 1.02))
    n = points["observer"].nunique()
    ax.set_title(f"{people_label(kind, n)}, group curve{title_note(kind)}", fontsize=10)
    return figure


def _draw_pse(ax: Axes, pse: float) -> None:
    ax.plot([0, pse, pse], [0.5, 0.5, 0], color="#B14200", lw=1.2, ls="--")
    text = f"PSE {pse:.3f}: both answers\nequally often"
    ax.annotate(text, (pse, 0.03), (pse + 0.04, 0.04), fontsize=TEXT, color="#B14200")


def _draw_slope(ax: Axes, pse: float, slope: float) -> None:
    if not np.isfinite(slope):
        return
    reach = 0.3 / slope
    ends = np.array([pse - reach, pse + reach])
    ax.plot(ends, 0.5 + slope * (ends - pse), color="#005591", lw=1.5)
    text = f"slope {slope:.1f}: how fast the\nanswers change at the PSE"
    place = (pse - reach - 0.03, 0.72)
    ax.annotate(text, place, ha="right", fontsize=TEXT, color="#005591")


def _draw_jnd(ax: Axes, fit: PsychometricFit, pse: float, jnd: float) -> None:
    if not np.isfinite(jnd):
        return
    rising = fit.curve(X)
    low, high = np.interp([0.25, 0.75], rising, X)
    ax.plot([low, low, high, high], [0.25, 0.86, 0.86, 0.75], color="#007A4D", lw=1, ls=":")
    ax.annotate("", (low, 0.86), (high, 0.86), arrowprops={"arrowstyle": "<->", "color": "#007A4D"})
    text = f"2 JND (JND {jnd:.3f}): from 25 %\nto 75 % of the answers"
    ax.annotate(text, (high + 0.02, 0.6), fontsize=TEXT, color="#007A4D")
