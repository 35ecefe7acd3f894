"""Figures of notebook 04 on single observers: where every person and seed lies, and what hiding a
part does.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from scipy.stats import gaussian_kde

from lib.figures.curves import networks_of, new_ax, people_kind
from lib.figures.style import SMALL, TEXT, colour, dot, small_text
from lib.settings.words import label, people_label, title_note
from lib.statistics.intervals import mean_interval

QUANTITIES = {"pse": "PSE", "slope": "slope", "choice_sensitivity": "sensitivity"}
AXES = {
    "pse": "PSE (level)",
    "slope": "slope at the PSE (per unit level)",
    "choice_sensitivity": "sensitivity of choices (d′)",
}
SHIFTS = {
    "pse_shift": "shift of the PSE (level)",
    "slope_change": "change of log slope",
    "sensitivity_loss": "loss of sensitivity (d′)",
}


def plot_distribution(
    table: pd.DataFrame, quantity: str, ax: Axes | None = None, *, confidence: float = 0.95
) -> Axes:
    """The people's distribution (half violin and dots), and every network seed below it with its
    interval.

    confidence : of the table's intervals, for the title.
    """
    ax = new_ax(ax)
    table = table[table["condition"] == "full"]
    people = table.loc[table["kind"] != "cnn", quantity].dropna().to_numpy()
    kind = people_kind(table)
    if len(people) > 2 and np.ptp(people):
        grid = np.linspace(
            people.min() - np.ptp(people) * 0.2, people.max() + np.ptp(people) * 0.2, 200
        )
        density = gaussian_kde(people)(grid)
        ax.fill_between(
            grid, 0.15, 0.15 + 0.8 * density / density.max(), color="black", alpha=0.25, lw=0
        )
    jitter = np.random.default_rng(0).uniform(-0.08, 0.08, len(people))
    ax.plot(people, jitter, "o", color="black", ms=3, alpha=0.5)
    names = [people_label(kind, len(people))]
    for row, ((architecture, pretraining), seeds) in enumerate(networks_of(table), 1):
        ends = seeds.reindex(columns=[f"{quantity}_low", f"{quantity}_high"]).to_numpy(float)
        place = -row + 0.12 * (np.arange(len(seeds)) - (len(seeds) - 1) / 2)
        ax.hlines(place, *ends.T, color=colour(architecture), lw=1.2)
        ax.plot(seeds[quantity], place, "o", ms=5, **dot(architecture, pretraining))
        lost = int(seeds[quantity].isna().sum())
        note = f"\n(no {QUANTITIES[quantity]} in {lost} of {len(seeds)} seeds)" if lost else ""
        names.append(label(architecture, pretraining) + note)
    ax.set_yticks(-np.arange(len(names)), names)
    shown = np.concatenate([people, table.loc[table["kind"] == "cnn", quantity].dropna()])
    ax.set(xlabel=AXES[quantity])
    if len(shown):
        margin = 0.15 * np.ptp(shown) or 0.1
        ax.set_xlim(shown.min() - margin, shown.max() + margin)
    interval = f"; bars: {100 * confidence:g} % over identities"
    named = interval if f"{quantity}_low" in table else ""
    ax.set_title(f"Dots: people and seeds{named}\n{title_note(kind).strip()}", fontsize=TEXT)
    small_text(ax)
    return ax


def plot_shifts(
    table: pd.DataFrame, quantity: str, ax: Axes | None = None, *, confidence: float = 0.95
) -> Axes:
    """Mean shift by hidden part with t intervals, over people (who may have seen full faces
    alone) and seeds.
    """
    ax = new_ax(ax)
    kind = "simulated" if (table["kind"] == "simulated").any() else "human"
    named = table.assign(
        who=[
            people_label(kind) if k != "cnn" else label(a, p)
            for k, a, p in zip(
                table["kind"], table["architecture"], table["pretraining"], strict=True
            )
        ]
    )
    colours = {
        who: "black" if rows["kind"].iloc[0] != "cnn" else colour(rows["architecture"].iloc[0])
        for who, rows in named.groupby("who", sort=False)
    }
    markers = [
        "D" if rows["pretraining"].iloc[0] == "untrained" else "o"
        for _, rows in named.groupby("who", sort=False)
    ]
    sns.pointplot(
        named,
        x="condition",
        y=quantity,
        hue="who",
        palette=colours,
        markers=markers,
        dodge=len(colours) > 1 and 0.5,
        linestyle="none",
        ax=ax,
        markersize=5,
        err_kws={"linewidth": 1.5},
        errorbar=lambda values: _t_interval(values, confidence),
    )
    ax.axhline(0, color="0.7", lw=0.8, zorder=0)
    ax.set(xlabel="hidden part", ylabel=SHIFTS[quantity])
    interval = f"{100 * confidence:g} % interval over observers (people; seeds)"
    ax.set_title(f"Mean and {interval}{title_note(kind)}", fontsize=TEXT)
    ax.legend(title="", loc="upper left", bbox_to_anchor=(1, 1), fontsize=SMALL)
    small_text(ax)
    return ax


def _t_interval(values, confidence: float) -> tuple[float, float]:
    return mean_interval(np.asarray(values)[np.isfinite(values)], confidence)[1:]
