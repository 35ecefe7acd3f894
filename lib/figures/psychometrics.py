"""Figures of notebook 04: curves, PSEs on the human distribution, shifts, decision rules,
scorecard, multiverse.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from scipy.stats import gaussian_kde

from lib.figures.style import colour
from lib.psychometrics.decisions import RULES
from lib.psychometrics.tables import curves_of
from lib.settings.words import label, people_label, title_note
from lib.statistics.intervals import mean_interval

X = np.linspace(0, 1, 101)
LEVEL = "level (0 = fully sad, 1 = fully happy)"
QUANTITIES = {"pse": "PSE", "slope": "slope"}
AXES = {"pse": "PSE (level)", "slope": "slope at the PSE (per unit level)"}


def people_kind(table: pd.DataFrame) -> str:
    """``human`` or ``simulated``: whose answers a table holds."""
    return next(kind for kind in ("simulated", "human") if (table["kind"] == kind).any())


def networks_of(table: pd.DataFrame):
    """((architecture, pretraining), rows) for the networks of a table, in its order."""
    return table[table["kind"] == "cnn"].groupby(["architecture", "pretraining"], sort=False)


def _ax(ax: Axes | None, width: float = 7, height: float = 4.5) -> Axes:
    return ax if ax is not None else plt.subplots(figsize=(width, height))[1]


def _line(pretraining: str) -> str:
    return "--" if pretraining == "untrained" else "-"


def plot_people(table: pd.DataFrame, sigmoid: str, ax: Axes | None = None) -> Axes:
    """People's mean fitted curve in black with the band that holds 95 % of them."""
    ax, people = _ax(ax), table[table["kind"] != "cnn"]
    curves, kind = curves_of(people, X, sigmoid), people_kind(table)
    low, high = np.nanpercentile(curves, (2.5, 97.5), axis=0)
    ax.fill_between(X, low, high, color="black", alpha=0.12, lw=0, label="95 % of them")
    ax.plot(
        X,
        np.nanmean(curves, 0),
        color="black",
        lw=2.5,
        label=f"mean of {people_label(kind, len(people))}",
    )
    ax.axhline(0.5, color="0.7", lw=0.8, zorder=0)
    ax.set(xlabel=LEVEL, ylabel="share of happy answers", xlim=(0, 1), ylim=(0, 1))
    return ax


def plot_curves(table: pd.DataFrame, sigmoid: str = "norm", ax: Axes | None = None) -> Axes:
    """People's band and, for every architecture, its seeds (thin) and their mean (thick); full
    faces.
    """
    table = table[table["condition"] == "full"]
    ax = plot_people(table, sigmoid, ax)
    for place, ((architecture, pretraining), seeds) in enumerate(networks_of(table)):
        curves, style = (
            curves_of(seeds, X, sigmoid),
            {"color": colour(architecture), "ls": _line(pretraining)},
        )
        ax.plot(X, curves.T, lw=0.8, alpha=0.5, **style)
        if np.isfinite(curves).any():
            wide = max(
                4.4 - 0.6 * place, 1.6
            )  # the first lie lowest, and are seen beneath others that lie on them
            ax.plot(
                X, np.nanmean(curves, 0), lw=wide, label=label(architecture, pretraining), **style
            )
        else:  # named, so that nobody looks for it among the others
            ax.plot(
                [], [], lw=1, label=f"{label(architecture, pretraining)}: no rising curve", **style
            )
    ax.set_title(f"Curves along the morph{title_note(people_kind(table))}")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize="small")
    return ax


def plot_distribution(
    table: pd.DataFrame, quantity: str, ax: Axes | None = None, *, confidence: float = 0.95
) -> Axes:
    """The people's distribution (half violin and dots), and every network seed below it with its
    interval.

    confidence : of the table's intervals, for the title.
    """
    ax, table = _ax(ax), table[table["condition"] == "full"]
    people, kind = (
        table.loc[table["kind"] != "cnn", quantity].dropna().to_numpy(),
        people_kind(table),
    )
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
        ends = seeds[[f"{quantity}_low", f"{quantity}_high"]].to_numpy()
        place = -row + 0.12 * (np.arange(len(seeds)) - (len(seeds) - 1) / 2)
        ax.hlines(place, *ends.T, color=colour(architecture), lw=1.2)
        ax.plot(seeds[quantity], place, "o", color=colour(architecture), ms=5)
        lost = int(seeds[quantity].isna().sum())
        note = f"\n(no {QUANTITIES[quantity]} in {lost} of {len(seeds)} seeds)" if lost else ""
        names.append(label(architecture, pretraining) + note)
    ax.set_yticks(-np.arange(len(names)), names)
    shown = np.concatenate([people, table.loc[table["kind"] == "cnn", quantity].dropna()])
    ax.set(xlabel=AXES[quantity])
    if len(shown):
        margin = 0.15 * np.ptp(shown) or 0.1
        ax.set_xlim(shown.min() - margin, shown.max() + margin)
    ax.set_title(
        f"Seeds with {100 * confidence:g} % bootstrap intervals{title_note(kind)}",
        fontsize="medium",
    )
    return ax


def plot_shifts(
    table: pd.DataFrame, quantity: str, ax: Axes | None = None, *, confidence: float = 0.95
) -> Axes:
    """Mean shift by hidden part with t intervals, over people (who may have seen full faces
    alone) and seeds.
    """
    ax, kind = _ax(ax), "simulated" if (table["kind"] == "simulated").any() else "human"
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
    ax.set(
        xlabel="hidden part",
        ylabel={"pse_shift": "shift of the PSE (level)", "slope_change": "change of log slope"}[
            quantity
        ],
    )
    ax.set_title(
        f"Mean and {100 * confidence:g} % interval over observers{title_note(kind)}",
        fontsize="medium",
    )
    ax.legend(title="", loc="upper left", bbox_to_anchor=(1, 1), fontsize="small")
    return ax


def _t_interval(values, confidence: float) -> tuple[float, float]:
    return mean_interval(np.asarray(values)[np.isfinite(values)], confidence)[1:]


def plot_decisions(effects: pd.DataFrame, quantity: str, ax: Axes | None = None) -> Axes:
    """PSE or slope of each network seed under each decision rule."""
    ax = _ax(ax)
    for (architecture, pretraining), rows in effects.groupby(
        ["architecture", "pretraining"], sort=False
    ):
        wide = rows.pivot(index="seed", columns="decision", values=quantity).reindex(
            columns=list(RULES)
        )
        lines = ax.plot(
            np.arange(len(RULES)),
            wide.T,
            marker="o",
            ms=4,
            color=colour(architecture),
            ls=_line(pretraining),
        )
        lines[0].set_label(label(architecture, pretraining))
    ax.set_xticks(range(len(RULES)), RULES)
    if quantity == "slope" and (effects[quantity] > 0).any():
        ax.set_yscale("log")
        ends = ax.get_ylim()
        ticks = [tick for power in range(-3, 4) for tick in np.array([1, 2, 5]) * 10.0**power]
        ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.minorticks_off()
        ax.set_ylim(ends)
    ax.set(xlabel="decision rule", ylabel=AXES[quantity])
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize="small")
    return ax


METRIC_LABELS = {
    "delta_pse_z": "PSE less people's\n(SD of people)",
    "slope_ratio": "slope over people's\n(ratio)",
    "rmse": "distance to people's curve\n(RMSE, share)",
    "error_consistency": "error consistency\n(κ within level)",
    "image_consistency": "image consistency\n(r within level, corrected)",
    "log_likelihood": "log likelihood above level\n(bits a choice)",
}


def plot_scorecard(scores: pd.DataFrame, kind: str, *, confidence: float = 0.95) -> plt.Figure:
    """One panel a metric: value and interval of every network, chance dotted, a band between the
    ceilings.
    """
    metrics = [
        m
        for m in dict.fromkeys(scores["metric"])
        if scores.loc[scores["metric"] == m, "value"].notna().any()
    ]
    figure, axes = plt.subplots(
        1, len(metrics), figsize=(3 * len(metrics), 3.6), sharey=True, squeeze=False
    )
    for ax, metric in zip(axes[0], metrics, strict=True):
        rows = scores[scores["metric"] == metric].reset_index(drop=True)
        ink = [colour(a) for a in rows["architecture"]]
        ax.hlines(-rows.index, rows["low"], rows["high"], color=ink, lw=1.5)
        ax.scatter(rows["value"], -rows.index, color=ink, s=30, zorder=3)
        ax.axvline(rows["chance"].iloc[0], color="0.5", ls=":")
        ax.axvspan(*rows[["ceiling_low", "ceiling_high"]].iloc[0], color="0.8", lw=0)
        ax.set_xlabel(METRIC_LABELS[metric], fontsize="small")
        names = [
            label(a, p) for a, p in zip(rows["architecture"], rows["pretraining"], strict=True)
        ]
        ax.set_yticks(-rows.index, names)
    figure.suptitle(
        f"Value and {100 * confidence:g} % interval over seeds, identities and people; "
        f"dotted: chance; band: between the ceilings{title_note(kind)}",
        fontsize="medium",
    )
    figure.tight_layout()
    return figure


def plot_multiverse(
    table: pd.DataFrame, kind: str, ax: Axes | None = None, *, confidence: float = 0.95
) -> Axes:
    """PSE difference between networks and people under every combination of choices, sorted, per
    architecture.

    The interval of each (Welch's t, with this confidence) is a band; bands that leave the range of
    twice the differences are cut off there.
    """
    ax, reach = _ax(ax), 2 * np.nanmax([*table["pse_difference"].abs(), 0.05])
    for (architecture, pretraining), rows in table.groupby(
        ["architecture", "pretraining"], sort=False
    ):
        some = rows.dropna(subset="pse_difference").sort_values("pse_difference")
        values, place = some["pse_difference"].to_numpy(), np.linspace(0, 1, len(some))
        ax.fill_between(
            place, some["low"], some["high"], color=colour(architecture), alpha=0.12, lw=0
        )
        ax.plot(
            place,
            values,
            marker="o",
            ms=3,
            color=colour(architecture),
            ls=_line(pretraining),
            label=f"{label(architecture, pretraining)} ({len(values)} of {len(rows)})",
        )
    ax.axhline(0, color="black", lw=1)
    ax.set(
        xlabel="share of the analyses, sorted",
        ylabel="PSE, networks less people (level)",
        ylim=(-reach, reach),
    )
    ax.set_title(
        (
            f"Every combination of choices; bands: {100 * confidence:g} % "
            f"Welch intervals{title_note(kind)}"
        ),
        fontsize="medium",
    )
    ax.legend(
        title="(analyses with a PSE)", loc="upper left", bbox_to_anchor=(1, 1), fontsize="small"
    )
    return ax
