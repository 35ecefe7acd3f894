"""What notebook 01 says about pictures and people, as sentences from their tables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lib.settings.options import Study
from lib.settings.words import Poles, people_label

SIMULATED = (
    "**No file of people's answers was given (`observers.file`), so the people are simulated**, "
    "with parameters drawn from published group figures. What follows about people shows what the "
    "workbook does, and says nothing about people."
)


def images_in_words(images: pd.DataFrame, source: str) -> str:
    """How many images of how many people, and whether somebody is in two splits.

    Parameters
    ----------
    images : the table ``images``. source : ``images.source``.
    """
    people = images["identity"].astype(str)
    text = f"{len(images):,} images from `{source}`. "
    if not people.ne("").any():
        return text + "Who is on a picture is not known for this set, so splits are by file."
    several = images.groupby(people)["split"].nunique().gt(1).sum()
    return text + f"{people.nunique()} people, {several} of them in more than one split."


def counts_of(images: pd.DataFrame) -> pd.DataFrame:
    """Images of each class in each split, and people where they are known."""
    counts = images.pivot_table(index="split", columns="label", values="path", aggfunc="size")
    if images["identity"].astype(bool).any():
        counts["people"] = images.groupby("split")["identity"].nunique()
    return counts.loc[["train", "validation", "test"]]


def stimuli_in_words(stimuli: pd.DataFrame, images: pd.DataFrame) -> str:
    """How many pictures there are, and whether networks know their faces."""
    whole = stimuli[stimuli["condition"] == "full"]
    hidden = stimuli[stimuli["condition"] != "full"]
    train = set(images.loc[images["split"] == "train", "identity"].astype(str)) - {""}
    text = (
        f"{len(stimuli):,} pictures: {len(whole):,} whole faces ({whole['identity'].nunique()} "
        f"identities, {whole['level'].nunique()} levels)"
    )
    if len(hidden):
        parts = ", ".join(hidden["condition"].drop_duplicates())
        text += f", and {len(hidden):,} with {parts} hidden ({hidden['level'].nunique()} levels)"
    known = len(train & set(stimuli["identity"].astype(str)))
    text += f". {known} of the identities were in the training split."
    if "correlation" in stimuli:
        r = stimuli.drop_duplicates("identity")["correlation"].astype(float)
        text += f" The layouts of the paired faces correlate at {r.min():.2f} to {r.max():.2f}."
    return text


def parts_in_words(regions: Mapping[str, np.ndarray], hidden: str, control: np.ndarray) -> str:
    """The parts' shares of the picture, and that the control patch is as large as the part."""
    shares = ", ".join(f"{part} {mask.mean():.1%}" for part, mask in regions.items())
    return (
        f"Share of the picture: {shares}; the control patch hides {control.sum():,} pixels, the "
        f"{hidden} patch {regions[hidden].sum():,}."
    )


def people_in_words(trials: pd.DataFrame, exclusions: pd.DataFrame, file: str | None) -> str:
    """Who answered, how often, and who was left out."""
    kind = trials["kind"].iloc[0]
    first, last = exclusions.iloc[0], exclusions.iloc[-1]
    where = SIMULATED if kind == "simulated" else f"Read from `{file}`."
    return (
        f"{where} {people_label(kind, last['observers'])}, {last['trials']:,} trials, "
        f"{last['missed']} of them missed; {first['observers'] - last['observers']} excluded."
    )


def notes_in_words(exclusions: pd.DataFrame, examples: bool) -> list[str]:
    """What was passed over or looks odd in the people's table, a sentence each.

    Parameters
    ----------
    exclusions : the report of ``read_people``. examples : whether to name a file and row of each;
        files are often called after people, so a report that is handed on does without.
    """
    notes = exclusions.attrs["notes"]
    return [f"{text} (such as {one})" if examples else text for text, one in notes]


def levels_in_words(trials: pd.DataFrame, stimuli: pd.DataFrame) -> str:
    """Which levels people saw, how many each, and whether they saw the networks' pictures."""
    levels = trials["level"]
    each = trials.groupby("observer")["level"].nunique()
    own = "" if each.max() == levels.nunique() else f", {each.median():.0f} of them each"
    text = f"People saw {levels.nunique()} levels from {levels.min():g} to {levels.max():g}{own}. "
    if trials["stimulus"].isin(stimuli["stimulus"]).all():
        seen = trials["stimulus"].nunique()
        return text + (
            f"**They saw the networks' own pictures** ({seen} of them), so the two are compared "
            "picture by picture."
        )
    return text + (
        "Their pictures are not the networks', so the two are compared on level alone, by their "
        "curves."
    )


def few_levels_in_words(trials: pd.DataFrame) -> str:
    """What a handful of levels each can tell of a person; empty where people saw more."""
    each = trials.groupby("observer")["level"].nunique()
    if each.median() > 5:
        return ""
    return (
        f"**{each.median():.0f} levels a person** tell where the boundary lies and, with levels "
        "near it, roughly how sharp it is. They do not tell a blunt boundary from slips of the "
        "hand (guess and lapse): only answers far from the boundary would, so those two are held "
        "within narrow bounds, and the group tells more than each person."
    )


def ends_in_words(curves: pd.DataFrame, kind: str, poles: Poles) -> str:
    """Share of positive answers at the lowest and the highest level, for each condition.

    Parameters
    ----------
    curves : columns condition, level, share.
    """
    ends = curves.sort_values("level").groupby("condition", sort=False)["share"]
    shares = ends.agg(["first", "last"])
    each = "; ".join(
        f"{c}: {row['first']:.2f} and {row['last']:.2f}" for c, row in shares.iterrows()
    )
    note = " (people are SIMULATED)." if kind == "simulated" else "."
    return f"Share of {poles[1]} answers at the lowest and the highest level, {each}{note}"


def found_in_data(
    study: Study,
    images: pd.DataFrame,
    trials: pd.DataFrame,
    stimuli: pd.DataFrame,
    confounds: pd.DataFrame,
    precision: pd.DataFrame,
) -> list[str]:
    """What notebook 01 found, in a sentence a point."""
    negative, positive = study.poles
    train = images[images["split"] == "train"]
    warned = confounds.loc[confounds["warning"], "cue"]
    kind = trials["kind"].iloc[0]
    whole = trials[trials["condition"] == "full"]
    ends = [
        whole[whole["level"] == end()]["response"].mean()
        for end in (whole["level"].min, whole["level"].max)
    ]
    same = trials["stimulus"].isin(stimuli["stimulus"]).all()
    row = precision.set_index("quantity").loc["accuracy, difference of two networks"]
    cues = (
        f"**{', '.join(warned.drop_duplicates())} tell {negative} from {positive} without a face**"
        if len(warned)
        else f"no cue without a face tells {negative} from {positive} beyond its margin"
    )
    return [
        f"Networks learn from {len(train):,} faces; {cues}.",
        f"{people_label(kind, trials['observer'].nunique())} called {ends[0]:.0%} of the faces at "
        f"the {negative} end and {ends[1]:.0%} at the {positive} end {positive}"
        + (" (SIMULATED)." if kind == "simulated" else "."),
        "People and networks see "
        + ("the same pictures." if same else "different pictures: compared on level alone."),
        f"With {row['n']:,} test images, two networks must differ by {row['half_width']:.1%} to be "
        "told apart.",
    ]
