"""What notebook 03 says about its numbers: each sentence from a table, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib.attention_study.guidance import Guide, as_override, as_prior
from lib.networks.attention_options import Attention
from lib.pretraining.transfer import spread_over_bases
from lib.settings.words import label, people_label
from lib.statistics.intervals import interval_text, pairs_summary, seed_pairs, shared_seeds

METRIC_WORDS = {"accuracy": "test accuracy", "bits": "bits a choice"}


def block_sentence(name: str, attention: Attention) -> str:
    """The study's attention in one line."""
    return (
        f"Study **{name}**: {attention.kind} attention behind {attention.location}, "
        f"{attention.heads} heads, channels reduced by {attention.reduction}, temperature "
        f"{attention.temperature:g}, gain {attention.gain:g}."
    )


def hand_sentence(by_hand: np.ndarray, gap: float) -> str:
    """The 2 x 2 case: ``by_hand`` (4, 4) attention, ``gap`` the largest difference to the block."""
    return (
        f"By hand and by the library they differ by {gap:.1e}. The three places that ask with 0 "
        f"attend evenly (0.25 each); the place that asks with 2 gives itself {by_hand[3, 3]:.3f} "
        "= e⁴ ÷ (e⁴ + 3)."
    )


def size_sentence(table: pd.DataFrame) -> str:
    """How large the block is, from ``network_table``."""
    block = table[table["block"] > 0]
    if block.empty:
        return "No network here has a block."
    row = block.iloc[0]
    return f"The block adds {row['block']:,} parameters, {row['block'] / row['all']:.2%} of all."


def start_sentence(checked: pd.DataFrame) -> str:
    """Whether untrained FE-AlexNets are AlexNet, from ``start_check``."""
    worst = checked[["untrained", "gain_0"]].max().max()
    verdict = "they are AlexNet" if worst < 1e-6 else "**they are not AlexNet: do not go on**"
    return f"Largest difference in the logits over all kinds of block: {worst:.1e}; {verdict}."


def guide_sentence(guide: Guide, kind: str) -> str:
    """What guides attention, or why nothing does. ``kind`` is human or simulated."""
    if guide.shares is None:
        return f"No arm is guided: {guide.reason}. A published result can guide: `attention.guide`."
    parts = ", ".join(f"{part} {share:.0%}" for part, share in guide.shares.items())
    who = guide.source.replace("people", people_label(kind)) if kind else guide.source
    return f"Attention of the guided arm is drawn to {parts}, by {who}. None of them judges below."


def prior_sentence(weights: pd.DataFrame) -> str:
    """People's log-weights as a setting; empty where some part has none."""
    prior = as_prior(weights)
    return f"As a setting of one's own: `--set {as_override(prior)}`." if prior else ""


def idle(effects: pd.DataFrame, least: float, architecture: str = "fe_alexnet") -> bool:
    """Whether the trained block moves the log-odds too little to matter (mean over seeds).

    Parameters
    ----------
    effects : table ``manipulation``. least : share of the SD, ``claims.manipulation``.
    """
    shares = effects.loc[effects["architecture"] == architecture, "share_of_sd"]
    return not shares.mean() >= least


def effect_sentence(effects: pd.DataFrame, least: float, architecture: str = "fe_alexnet") -> str:
    """The manipulation check of one architecture, in words."""
    shares = effects.loc[effects["architecture"] == architecture, "share_of_sd"]
    if shares.empty:
        return f"{label(architecture)} is not among the trained networks."
    text = (
        f"Taking the block out of the trained {label(architecture)} moves a face's log-odds by "
        f"**{shares.mean():.1%} of their SD** ({shares.min():.1%} to {shares.max():.1%} over "
        f"{len(shares)} seeds); "
    )
    if idle(effects, least, architecture):
        return text + (
            f"less than the {least:.0%} that the study asks for. **The block is idle:** what "
            "differs below is the head's, and its attention is not drawn."
        )
    return text + f"the study asks for {least:.0%}. The treatment was given."


def map_sentence(maps: np.ndarray) -> str:
    """Whether attention hangs on who asks; maps (n, N, N), rows sum to 1."""
    askers = maps.std(axis=1).mean() / maps.mean()
    places = maps.mean(axis=1).std(axis=1).mean() / maps.mean()
    more = "who asks matters more than which place is asked"
    if askers <= places:
        more = "which place is asked matters more than who asks: a fixed weighting of places"
    return (
        f"Attention varies over places by {places:.0%} of its mean, and for one place over who "
        f"asks by {askers:.0%}: {more}."
    )


def arm_sentences(arms: pd.DataFrame, least: float) -> list[str]:
    """One line an arm: what it gains over AlexNet, and whether its block does anything.

    Parameters
    ----------
    arms : table ``attention_arms``. least : share of the SD that a block must move.
    """
    lines = []
    for row in arms[arms["architecture"] != "alexnet"].to_dict("records"):
        parts = [
            f"{METRIC_WORDS[metric]} {_gain_text(row, metric)}"
            for metric in METRIC_WORDS
            if np.isfinite(row[f"{metric}_gain"])
        ]
        does = f"moves the log-odds by {row['share_of_sd']:.1%} of their SD"
        does += "" if row["share_of_sd"] >= least else ", too little to matter"
        found = "; ".join([does, *parts])
        lines.append(f"- **{label(row['architecture'])}** ({row['candidate']}): {found}.")
    return lines


def _gain_text(row: Mapping[str, float], metric: str) -> str:
    ends = [row[f"{metric}_gain{end}"] for end in ("", "_low", "_high")]
    word = "not told apart from AlexNet's"
    word = "better than AlexNet's" if ends[1] > 0 else word
    word = "worse than AlexNet's" if ends[2] < 0 else word
    return f"{word} ({interval_text(*ends, sign='+')})"


def found_sentence(arms: pd.DataFrame, effects: pd.DataFrame, least: float, kind: str) -> str:
    """What the notebook found, for its top and bottom. ``kind`` of the people."""
    rows = arms[arms["pretraining"] == arms["pretraining"].iloc[0]].set_index("architecture")
    if "fe_alexnet" not in rows.index:
        return "This study trains no FE-AlexNet: nothing was found about attention."
    fe = rows.loc["fe_alexnet"].to_dict()
    text = "**What we found.** " + effect_sentence(effects, least)
    if np.isfinite(fe["accuracy_gain"]):
        text += f" Its test accuracy is {_gain_text(fe, 'accuracy')}."
    if np.isfinite(fe["bits_gain"]):
        text += f" {people_label(kind).capitalize()} are predicted {_predicted(fe)}."
    others = [name for name in ("alexnet_matched", "alexnet_se") if name in rows.index]
    best = max(others, key=lambda name: rows.loc[name, "accuracy"], default=None)
    if best and rows.loc[best, "accuracy"] >= fe["accuracy"]:
        text += f" {label(best)} does as well or better: what is gained is not attention's."
    return text


def _predicted(row: Mapping[str, float]) -> str:
    low, high = row["bits_gain_low"], row["bits_gain_high"]
    word = "as well as by AlexNet, as far as these seeds tell"
    word = "better than by AlexNet" if low > 0 else word
    word = "worse than by AlexNet" if high < 0 else word
    return f"{word} ({interval_text(row['bits_gain'], low, high, sign='+')} bits a choice)"


def flat(grid: pd.DataFrame, metric: str = "accuracy") -> bool:
    """Whether a grid shows nothing: one setting alone, or no gain whose interval excludes 0."""
    rows = grid[(grid["metric"] == metric) & (grid["kind"] != "none")]
    return len(rows) < 3 or not ((rows["gain_low"] > 0) | (rows["gain_high"] < 0)).any()


def grid_sentence(grid: pd.DataFrame) -> str:
    """How many settings were tried, and how many differ from AlexNet."""
    rows = grid[(grid["metric"] == "accuracy") & (grid["kind"] != "none")]
    apart = ((rows["gain_low"] > 0) | (rows["gain_high"] < 0)).sum()
    return (
        f"{len(rows)} settings were trained; {apart} of them differ from AlexNet in test accuracy "
        "by more than their seeds do." + (" The grid is not drawn." if flat(grid) else "")
    )


def selection_sentences(summary: pd.DataFrame, kind: str, confidence: float) -> list[str]:
    """One line a way of choosing settings, from ``selection_summary``."""
    names = {"people": people_label(kind), "accuracy": "validation accuracy"}
    return [
        f"- chosen by {names.get(row['chosen_by'], 'nobody: the default')}: {row['candidate']} (in "
        f"{row['share']:.0%} of the halves), {row['bits']:.3f} bits a held-out choice; gain over "
        f"the default {interval_text(row['gain'], row['low'], row['high'], digits=4)} (middle "
        f"{confidence:.0%} of the splits)."
        for row in summary.to_dict("records")
    ]


def transfer_sentences(gained: pd.DataFrame) -> list[str]:
    """One line a pretraining and number of faces, from ``gain_over``."""
    return [
        f"- {row['base']}, {row['n_labels']} labelled faces: {row['difference']:+.3f} accuracy "
        f"over untrained [{row['low']:+.3f}, {row['high']:+.3f}]."
        for row in gained.to_dict("records")
    ]


def bias_sentences(
    cells: pd.DataFrame, own: str, metrics: Sequence[str], confidence: float
) -> list[str]:
    """Whether the range of a metric over pretrainings shrinks with attention, by paired seeds.

    Parameters
    ----------
    cells : table ``attention_cells``. own : the candidate that is the study's own attention.
    """
    lines = []
    for metric in metrics:
        spread = shared_seeds(spread_over_bases(cells, metric).dropna(), ("none", own))
        if spread.empty:
            lines.append(f"- range of {METRIC_WORDS[metric]}: not known for any seed.")
            continue
        pairs = pairs_summary(seed_pairs(spread, own, "none", "spread"), confidence)
        means = spread.groupby("architecture")["spread"].mean()
        verdict = "not told apart from no change"
        verdict = "attention weakens the bias" if pairs["high"] < 0 else verdict
        verdict = "attention strengthens it" if pairs["low"] > 0 else verdict
        change = interval_text(pairs["difference"], pairs["low"], pairs["high"], sign="+")
        lines.append(
            f"- range of {METRIC_WORDS[metric]}: {means['none']:.3f} without, {means[own]:.3f} "
            f"with attention; change {change} over {pairs['n']} seeds: {verdict}."
        )
    return lines
