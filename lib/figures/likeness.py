"""How alike people and networks are: scorecard, accuracy against likeness, the claims' effects with
their margins, and what the analyst's choices do.
"""

from __future__ import annotations

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lib.figures.curves import GROUP
from lib.figures.style import SMALL, TEXT, WIDTH, colour, dot, line_style, small_text
from lib.settings.words import label, title_note

# metric -> its name, what its axis says, where the most human value lies (None: the more the
# better; less: the less the better)
METRICS = {
    "delta_pse_z": ("PSE less people's (SDs of people)", 0.0),
    "slope_ratio": ("slope over people's (ratio)", 1.0),
    "rmse": ("distance of curves (RMSE, share)", "less"),
    "error_consistency": ("error consistency within level (κ)", None),
    "image_consistency": ("image consistency (r, noise-corrected)", None),
    "log_likelihood": ("bits a choice above the level alone", None),
}


def plot_scorecard(scores: pd.DataFrame, kind: str, *, confidence: float = 0.95) -> Figure:
    """Two rows of panels, what needs the level alone above, what needs the same pictures below:
    every network's value and interval, chance dotted, between the two ceilings grey.

    scores : table ``human_likeness``. kind : ``human`` or ``simulated``.
    """
    names = list(dict.fromkeys(zip(scores["architecture"], scores["pretraining"], strict=True)))
    figure, axes = plt.subplots(
        2, 3, figsize=(WIDTH, 2.4 + 0.5 * max(len(names), 3)), sharey=True, layout="constrained"
    )
    for ax, metric in zip(axes.flat, METRICS, strict=True):
        rows = scores[scores["metric"] == metric].set_index(GROUP).reindex(names)
        _score_panel(ax, metric, rows)
        ax.set_yticks(-np.arange(len(names)), [label(*name) for name in names])
        ax.set_ylim(0.6 - len(names), 0.6)
        small_text(ax)
    figure.suptitle(
        f"Value and {100 * confidence:g} % interval over seeds, identities and people. Dotted: "
        f"chance. Grey: a person's\nnoise ceiling, lower to upper (Nili et al. 2014)"
        f"{title_note(kind)}",
        fontsize=TEXT,
    )
    return figure


def _score_panel(ax: Axes, metric: str, rows: pd.DataFrame) -> None:
    name, best = METRICS[metric]
    if not rows["value"].notna().any():
        reason = next((r for r in rows["reason"].dropna() if r), "not computed")
        ax.text(0.5, 0.5, textwrap.fill(reason, 30), ha="center", va="center", fontsize=SMALL)
        ax.texts[-1].set_transform(ax.transAxes)
        ax.set(xlabel=name, xticks=[])
        return
    ink = [colour(architecture) for architecture, _ in rows.index]
    place = -np.arange(len(rows))
    ax.hlines(place, rows["low"], rows["high"], color=ink, lw=1.5)
    for at, key, value in zip(place, rows.index, rows["value"], strict=True):
        ax.plot(value, at, "o", ms=5, zorder=3, **dot(*key))
    ends = [rows[f"ceiling_{end}"].dropna() for end in ("low", "high")]
    if all(len(end) for end in ends):
        ax.axvspan(ends[0].iloc[0], ends[1].iloc[0], color="black", alpha=0.2, lw=0, zorder=0)
    if rows["chance"].notna().any():
        ax.axvline(rows["chance"].dropna().iloc[0], color="0.4", ls=":", zorder=0)
    ax.set_xlabel(f"{name}\n{_direction(best)}")
    if best == "less":
        ax.invert_xaxis()
    elif best is not None:
        ax.axvline(best, color="black", lw=1, zorder=0)


def _direction(best: float | str | None) -> str:
    if best is None or best == "less":
        return "more human →"
    return f"→ more human at the line ({best:g}) ←"


def plot_accuracy_likeness(
    accuracy: pd.DataFrame, scores: pd.DataFrame, kind: str, metric: str = ""
) -> Figure:
    """Test accuracy across, likeness up: does the network that is more often right answer more like
    people? (after Geirhos et al. 2021, fig. 1)

    Parameters
    ----------
    accuracy : table of that name. scores : ``human_likeness``. metric : empty takes log likelihood
        where it has values, otherwise the distance of curves.
    """
    has = scores.dropna(subset=["value"])["metric"]
    metric = metric or ("log_likelihood" if (has == "log_likelihood").any() else "rmse")
    rows = scores[scores["metric"] == metric].set_index(GROUP)
    test = accuracy[accuracy["split"] == "test"].groupby(GROUP)["accuracy"].agg(["mean", "std"])
    figure, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
    for key in [key for key in rows.index if key in test.index]:
        row = rows.loc[key]
        right = test.loc[key]
        ink = colour(key[0])
        ax.plot([right["mean"]] * 2, [row["low"], row["high"]], color=ink, lw=1.5)
        spread = np.nan_to_num(right["std"])
        ends = [right["mean"] - spread, right["mean"] + spread]
        ax.plot(ends, [row["value"]] * 2, color=ink, lw=1.5)
        ax.plot(right["mean"], row["value"], "o", ms=7, label=label(*key), **dot(*key))
    if rows["ceiling_low"].notna().any():
        ends = rows[["ceiling_low", "ceiling_high"]].dropna().iloc[0]
        ax.axhspan(*ends, color="black", alpha=0.2, lw=0, label="a person (noise ceiling)")
    if rows["chance"].notna().any():
        ax.axhline(rows["chance"].dropna().iloc[0], color="0.4", ls=":", label="chance")
    name, best = METRICS[metric]
    ax.set(xlabel="test accuracy (mean ± SD over seeds)", ylabel=f"{name}\nmore human →")
    if best == "less":
        ax.invert_yaxis()
    ax.set_title(f"Accuracy against likeness{title_note(kind)}; likeness: 95 % intervals")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=TEXT)
    small_text(ax)
    return figure


def plot_forest(claims: pd.DataFrame, kind: str, *, confidence: float = 0.95) -> Figure:
    """The effects behind the verdicts with their intervals, in units of their margins: right of 0
    speaks for the claim, an interval wholly left of 1 refutes it.

    Parameters
    ----------
    claims : table ``claims`` (a row each), or ``claim_criteria`` (every effect: network and
        criterion); those without a value or margin are named and left empty.
    """
    rows = claims.reset_index(drop=True)
    each = 0.3 if "criterion" in rows else 0.55
    margin = rows.get("margin", pd.Series(np.nan, rows.index)).astype(float)
    unit = margin.where(margin > 0)
    figure, ax = plt.subplots(figsize=(WIDTH, 1.5 + each * len(rows)), layout="constrained")
    ax.axvspan(0, 1, color="0.92", lw=0, zorder=0)
    ax.axvline(0, color="black", lw=1)
    ax.axvline(1, color="0.5", lw=1, ls="--")
    for place, row in rows.iterrows():
        scaled = row[["value", "low", "high"]].astype(float) / unit[place]
        network = row.get("network")
        ink = colour(network) if isinstance(network, str) and network else "black"
        if np.isfinite(scaled["value"]):
            ax.plot(scaled["value"], -place, "o", color=ink, ms=5)
            ax.hlines(-place, scaled["low"], scaled["high"], color=ink, lw=1.5)
        text = {"xycoords": ("axes fraction", "data"), "fontsize": SMALL, "va": "center"}
        ax.annotate(f" {row['verdict']}{_numbers(row)}", (1.01, -place), **text)
    ax.set_yticks(-np.arange(len(rows)), _effect_names(rows))
    ax.set_ylim(0.6 - len(rows), 0.6)
    _in_margins(ax)
    ax.set_title(f"Effects with {100 * confidence:g} % intervals{title_note(kind)}")
    small_text(ax)
    return figure


def _in_margins(ax: Axes) -> None:
    """The axis of effects in margins: linear near 0, logarithmic beyond three margins."""
    ax.set_xscale("symlog", linthresh=3)
    ticks = [-30, -10, -3, -1, 0, 1, 3, 10, 30]
    ends = ax.get_xlim()
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.set_xlim(ends)
    ax.set_xlabel("effect in the claim's direction, in margins (grey: smaller than the margin)")


def _effect_names(rows: pd.DataFrame) -> list[str]:
    """``C2: VGG16, accuracy`` of a criterion; the claim, folded, where there is none."""
    if "criterion" in rows:
        who = [label(name) + ", " if name else "" for name in rows["network"].fillna("")]
        said = zip(rows["id"], who, rows["criterion"], strict=True)
        return [f"{i}: {name}{criterion}" for i, name, criterion in said]
    return [
        f"{i}: {textwrap.fill(str(claim), 34)}"
        for i, claim in zip(rows["id"], rows["claim"], strict=True)
    ]


def _numbers(row: pd.Series) -> str:
    """The effect in its own unit, after its verdict."""
    if not np.isfinite(row["value"]):
        return ""
    text = f"\n {row['value']:.3g}" if "criterion" not in row else f", {row['value']:.3g}"
    return text + (f" [{row['low']:.3g}, {row['high']:.3g}]" if np.isfinite(row["low"]) else "")


MULTIVERSE_LABELS = {
    "pse_difference": "PSE, networks less people (level)",
    "slope_ratio": "slope, networks over people",
} | {metric: name for metric, (name, _) in METRICS.items()}


def plot_multiverse(
    worlds: pd.DataFrame,
    kind: str,
    metric: str = "pse_difference",
    *,
    confidence: float = 0.95,
) -> Figure:
    """Specification curve (Simonsohn et al. 2020): every analysis, sorted by the networks' median,
    above; the choices that it made, below.

    worlds : table ``multiverse``, in long form.
    """
    rows = worlds[worlds["metric"] == metric]
    choices = list(rows.columns[: list(rows.columns).index("architecture")])
    choices = [c for c in choices if rows[c].nunique() > 1]
    order = rows.groupby(choices, sort=False)["value"].median().sort_values().index
    place = {key: k for k, key in enumerate(order)}
    keys = rows[choices].apply(tuple, axis=1) if len(choices) > 1 else rows[choices[0]]
    rows = rows.assign(place=keys.map(place))
    options = [(c, value) for c in choices for value in dict.fromkeys(rows[c])]
    figure, (ax, below) = plt.subplots(
        2,
        1,
        figsize=(WIDTH, 3.2 + 0.2 * len(options)),
        sharex=True,
        height_ratios=[3.2, 0.2 * len(options)],
        layout="constrained",
    )
    _effects(ax, rows, metric)
    _choices(below, rows, options)
    note = f"{len(order)} analyses; bands: {100 * confidence:g} % Welch intervals"
    ax.set_title(f"{note}{title_note(kind)}", fontsize=TEXT)
    return figure


def _effects(ax: Axes, rows: pd.DataFrame, metric: str) -> None:
    for key, some in rows.groupby(GROUP, sort=False):
        some = some.sort_values("place")
        ink = colour(key[0])
        known = int(some["value"].notna().sum())
        ax.fill_between(some["place"], some["low"], some["high"], color=ink, alpha=0.1, lw=0)
        named = f"{label(*key)} ({known} of {len(some)})"
        ax.plot(some["place"], some["value"], "o", ms=3, label=named, **dot(*key))
    nothing = 1.0 if metric == "slope_ratio" else 0.0
    ax.axhline(nothing, color="black", lw=1, ls=line_style(""))
    if metric == "slope_ratio" and (rows["value"] > 0).any():
        ax.set_yscale("log")
        ends = rows.loc[rows["value"] > 0, "value"]
        ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]
        ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.minorticks_off()
        ax.set_ylim(0.4 * min(ends.min(), 1), 2.5 * max(ends.max(), 1))
    values = rows["value"].dropna()
    if len(values) and metric == "pse_difference":
        reach = 2 * max(values.abs().max(), 0.05)
        ax.set_ylim(-reach, reach)
    ax.set_ylabel(MULTIVERSE_LABELS[metric])
    legend = {"title": "(analyses with a value)", "title_fontsize": SMALL, "fontsize": SMALL}
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), **legend)
    small_text(ax)


def _choices(ax: Axes, rows: pd.DataFrame, options: list[tuple[str, str]]) -> None:
    for height, (choice, value) in enumerate(options):
        at = rows.loc[rows[choice] == value, "place"].unique()
        ax.plot(at, np.full(len(at), -height), "|", color="0.15", ms=7)
    ax.set_yticks(-np.arange(len(options)), [f"{c}: {value}" for c, value in options])
    ax.set(xlabel="analyses, sorted by the networks' median", ylim=(0.7 - len(options), 0.7))
    ax.spines["left"].set_visible(False)
    small_text(ax)
