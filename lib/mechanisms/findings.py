"""What notebook 05 says, in sentences made from its tables."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from lib.mechanisms.claim import compared, resolved
from lib.mechanisms.looks import Looks
from lib.mechanisms.tables import METHODS, NETWORK, first_part
from lib.parts.profile_tables import measured, pooled
from lib.settings.words import POLES, Poles, label, people_label
from lib.statistics.intervals import interval_text, mean_interval


def listed(words: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def bullets(lines: list[str]) -> str:
    """Lines as a Markdown list."""
    return "\n".join(f"- {line}" for line in lines)


def networks_text(accuracy: pd.DataFrame, kind: str) -> str:
    """Who is looked into, how good they are, and what people there are."""
    test = accuracy[accuracy["split"] == "test"].groupby(NETWORK, sort=False)["accuracy"].mean()
    each = ", ".join(f"{label(*who)} {value:.2f}" for who, value in test.items())
    people = " The people are **simulated**." if kind == "simulated" else ""
    return (
        f"Test accuracy of the networks looked into: {each}. A network near 0.5 has learned "
        f"little, and its map shows little more than where its features are.{people}"
    )


def without_text(looks: Looks) -> str:
    """Which networks have no maps, and why; empty where all have."""
    rows = looks.without.itertuples(index=False)
    return bullets([f"{label(row.architecture, row.pretraining)}: {row.reason}." for row in rows])


def looked_text(looks: Looks) -> str:
    """How many pictures and networks the maps rest on."""
    full = looks["saliency"]
    full = full[full["condition"] == "full"]
    faces = full.groupby("architecture", sort=False)["n_faces"].max()
    each = ", ".join(f"{n} faces for {label(name)}" for name, n in faces.items())
    return (
        f"Maps by {listed([METHODS[name] for name in dict.fromkeys(full['method'])])}, at "
        f"{full['level'].nunique()} levels: {each}."
    )


def known_cue_text(known: pd.DataFrame, truth: pd.DataFrame) -> str:
    """Which methods find the only cue."""
    score = truth.groupby("cue", sort=False)["accuracy"].mean()
    right = " and ".join(f"{value:.0%} of new {cue}-only faces" for cue, value in score.items())
    lines = [
        f"{METHODS[row.method]}, {row.cue}-only faces: **{row.verdict}** (enrichment "
        f"{interval_text(row.mean, row.low, row.high, 2)})."
        for row in known[known["weights"] == "trained"].itertuples()
    ]
    return f"The small networks are right on {right}.\n\n{bullets(lines)}"


def cascade_text(cascade: pd.DataFrame) -> str:
    """How much of the maps is left when all weights are drawn anew."""
    last = cascade.sort_values("step").groupby("method", sort=False).last()["similarity"]
    each = ", ".join(f"{value:.2f} ({METHODS[name]})" for name, value in last.items())
    return f"With every weight drawn anew, maps correlate with the trained network's at {each}."


def lead_text(leads: pd.DataFrame, method: str) -> str:
    """How far the log-odds part when what a map marks is taken away, over seeds."""
    each = ", ".join(
        f"{interval_text(row.mean, row.low, row.high, 2, '+')} for "
        f"{label(row.architecture, row.pretraining)}"
        for row in leads.itertuples()
    )
    return (
        f"Cells removed by {METHODS[method]}: the lead is {each} log-odds; a map that marks "
        "nothing that matters has 0."
    )


def enrichment_text(summary: pd.DataFrame) -> str:
    """Where the maps lie, part by part."""
    lines = []
    for who, rows in summary.groupby(NETWORK, sort=False):
        each = "; ".join(
            f"{row.part} {interval_text(row.mean, row.low, row.high, 2)}, beyond shifts within the "
            f"face in {row.share_marked:.0%} of seeds × levels"
            for row in rows.itertuples()
        )
        lines.append(f"{label(*who)}: {each}.")
    return bullets(lines)


def profile_text(profiles: pd.DataFrame) -> str:
    """What hiding each part costs people and networks."""
    lines = []
    people = pooled(profiles, "people")
    if len(people):
        name = people_label(people["kind"].iloc[0], int(people["n_observers"].iloc[0]))
        lines.append(f"{name[0].upper()}{name[1:]}: {_losses(people)}.")
    else:
        lines.append("The people saw whole faces alone: networks are compared with one another.")
    for who, rows in pooled(profiles).groupby(NETWORK, sort=False):
        flat = "" if measured(rows) else ", not told from a flat profile"
        lines.append(f"{label(*who)}: {_losses(rows)}{flat}.")
    return bullets(lines)


def _losses(rows: pd.DataFrame) -> str:
    each = ", ".join(
        f"{row.part} {interval_text(row.loss, row.low, row.high, 2)}" for row in rows.itertuples()
    )
    return f"d′ {rows['intact'].iloc[0]:.2f}; lost when hidden: {each}"


def scope_text(profiles: pd.DataFrame) -> str:
    """What the profiles rest on, and what their intervals speak for."""
    rows = pooled(profiles)
    first = rows.iloc[0]
    return (
        f"{first['n_identities']} faces at {first['n_levels']} levels, {first['n_observers']} "
        f"training runs; intervals: {first['reason']}."
    )


def difference_text(differences: pd.DataFrame, margin: float) -> str:
    """Where networks' profiles differ from people's, or from AlexNet's."""
    lines = []
    for (name, *who), rows in differences.groupby(["against", *NETWORK], sort=False):
        against = name if name == "people" else label(name)
        each = ", ".join(
            f"{row.part} {interval_text(row.value, row.low, row.high, 2, '+')} ({state})"
            for row, state in zip(rows.itertuples(), _states(rows, margin), strict=True)
            if row.value == row.value  # a network without d' has no shares of it
        )
        basis = f"{rows['compared'].iloc[0]}; {rows['reason'].iloc[0]}"
        lines.append(f"{label(*who)} less {against} ({basis}): {each or 'not known'}.")
    return bullets(lines) if lines else "There is nobody to compare the profiles with."


def _states(rows: pd.DataFrame, margin: float) -> Iterator[str]:
    for row, known in zip(rows.itertuples(), resolved(rows, margin), strict=True):
        if row.low > 0 or row.high < 0:
            yield "differs"
        else:
            yield "alike, within the margin" if known else "open"


def shift_text(profiles: pd.DataFrame, poles: Poles = POLES) -> str:
    """Which part, when seen, pushes answers at the negative end to the positive pole, or away."""
    lines = []
    for who, rows in pooled(profiles).groupby(NETWORK, sort=False):
        pushes = rows[(rows["end_low"] > 0) | (rows["end_high"] < 0)]
        each = ", ".join(
            f"hiding the {row.part} moves the log-odds of fully {poles[0]} faces by "
            f"{interval_text(row.end_shift, row.end_low, row.end_high, 2, '+')}: seen, it speaks "
            f"for {poles[1] if row.end_shift < 0 else poles[0]}"
            for row in pushes.itertuples()
        )
        lines.append(f"{label(*who)}: {each or 'no part pushes clearly'}.")
    return bullets(lines)


def bubble_text(bubbles: pd.DataFrame, marks: pd.DataFrame, profiles: pd.DataFrame) -> str:
    """What bubbles say, and whether they name the part that costs most when hidden."""
    if bubbles.empty:
        return "No network of this run has bubbles."
    first = bubbles.iloc[0]
    lines = []
    for who, rows in marks.groupby(NETWORK, sort=False):
        marked = [
            f"{row.part} in {row.n_marked} of {row.n_units}"
            for row in rows.itertuples()
            if row.n_marked
        ]
        own = pooled(profiles)
        own = own[own["architecture"].eq(who[0]) & own["pretraining"].eq(who[1])]
        most = first_part(rows, "mean")
        needed = first_part(own, "loss")
        agree = (
            "" if not needed else f"; hiding it costs {'most' if most == needed else 'less than'}"
        )
        agree += "" if most == needed or not needed else f" hiding the {needed}"
        seen = listed(marked) + " seeds" if marked else "no part"
        lines.append(f"{label(*who)}: beyond chance {seen}; most on the {most}{agree}.")
    return (
        f"{first['n_trials']:,.0f} trials a network: a place whose correlation with the right "
        f"answer is {bubbles['smallest'].max():.2f} or more stands out from chance.\n\n"
        f"{bullets(lines)}"
    )


def readout_text(readout: pd.DataFrame) -> str:
    """From which layer valence is read best."""
    lines = []
    for who, rows in readout.groupby(NETWORK, sort=False):
        best = rows.groupby("layer", sort=False)[["accuracy", "chance_high"]].mean()
        top = best["accuracy"].idxmax()
        beyond = (best["accuracy"] > best["chance_high"]).any()
        nowhere = "" if beyond else "nowhere beyond chance; "
        lines.append(
            f"{label(*who)}: {nowhere}best read from {top} ({best.loc[top, 'accuracy']:.2f}; "
            f"chance reaches {best.loc[top, 'chance_high']:.2f}), from conv1 "
            f"{best['accuracy'].iloc[0]:.2f} (n = {rows['n'].iloc[0]})."
        )
    return bullets(lines)


def similarity_text(similarity: pd.DataFrame) -> str:
    """How far the last layers' similarities follow the level."""
    last = similarity[similarity["model"] == "level"].groupby([*NETWORK, "seed"], sort=False).last()
    lines = []
    for who, rows in last.groupby(level=NETWORK, sort=False):
        rho = interval_text(*mean_interval(rows["rho"]), 2)
        lines.append(f"{label(*who)} {rho} (chance reaches {rows['chance_high'].max():.2f})")
    return (
        "In the last hidden layer, how alike two faces are follows their levels at a rank "
        f"correlation of {', '.join(lines)}."
    )


def lesion_text(costs: pd.DataFrame) -> str:
    """Whether the selective channels do more of the work than others as active."""
    return bullets(
        [
            f"{label(row.architecture, row.pretraining)}, {row.fraction:.0%} of conv5's channels: "
            f"setting the most selective to zero costs "
            f"{interval_text(row.value, row.low, row.high, sign='+')} more right answers than "
            f"others as active ({row.n_seeds} seeds)."
            for row in costs.itertuples()
        ]
    )


def truth_text(truths: pd.DataFrame) -> str:
    """The table "put in / found" in Markdown, with a tick or a cross."""
    head = "| what | put in | found | | |\n|---|---|---|---|---|"
    rows = [
        f"| {row.what} | {row.put_in} | {row.found} | {'✓' if row.ok else '✗'} | {row.note} |"
        for row in truths.itertuples()
    ]
    return "\n".join([head, *rows])


def found_text(
    profiles: pd.DataFrame, differences: pd.DataFrame, claim: pd.DataFrame, simulated: bool
) -> str:
    """What was found, in three sentences."""
    lines = []
    for who, rows in pooled(profiles).groupby(NETWORK, sort=False):
        if measured(rows):
            lines.append(f"{label(*who)} the {first_part(rows, 'loss')}")
    needs = (
        f"The part that costs most when hidden: for {'; for '.join(lines)}."
        if lines
        else "No network's profile of the parts is told from a flat one."
    )
    people = pooled(profiles, "people")
    if len(people):
        name = people_label(people["kind"].iloc[0])
        needs += f" For {name}: the {first_part(people, 'loss')}."
    row = claim.iloc[0]
    against = compared(differences, simulated)
    clear = against[(against["low"] > 0) | (against["high"] < 0)]
    other = "there is nobody to compare with"
    if len(against):
        name = against["against"].iloc[0]
        name = name if name == "people" else label(name)
        other = f"{len(clear)} of {len(against)} parts of profiles differ from {name}'s"
    return (
        f"**What we found.** {needs} In shares of d′, {other}. "
        f"The claim that the comparison unveils what the networks compute: **{row['verdict']}**."
    )
