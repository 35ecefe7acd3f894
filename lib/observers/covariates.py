"""Cue, session, group and face in one mixed model of people's single trials, so that an expectation
is not taken for perception.
"""

from __future__ import annotations

import pandas as pd
from pandas.api.types import is_numeric_dtype

from lib.statistics.mixed import mixed_logistic

COVARIATES = ("cue", "session", "group", "face")
MAX_FACES = 4  # a covariate of more faces is no fixed effect but a sample


def covariates_of(people: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Full-face trials with their covariates, and which of ``COVARIATES`` vary.

    ``face`` is the morph identity where there are two to four. A covariate of numbers (such as the
    probability that a cue announces) is centred on its middle; others are groups.
    """
    whole = people[people["condition"] == "full"]
    if "face" not in whole and 2 <= whole["identity"].nunique() <= MAX_FACES:
        whole = whole.assign(face=whole["identity"])
    terms = [name for name in COVARIATES if name in whole and whole[name].nunique() > 1]
    whole = whole.dropna(subset=terms)
    for name in terms:
        numbers = pd.to_numeric(whole[name], errors="coerce")
        if name == "cue" and numbers.notna().all():
            whole = whole.assign(**{name: numbers - (numbers.min() + numbers.max()) / 2})
    return whole, terms


def covariate_model(people: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Log-odds of a positive answer by level and every covariate, with the cue's effect on the
    slope; people may differ in each effect that varies within them (Barr et al. 2013).

    Returns
    -------
    the table of ``mixed_logistic``; empty without covariates. ``cue`` is the effect of the whole
    way from 0 to 1 of its number: a bias. ``level_centred:cue`` is a change of slope.
    """
    whole, terms = covariates_of(people)
    if not terms:
        return pd.DataFrame()
    named = {name: name if is_numeric_dtype(whole[name]) else f"C({name})" for name in terms}
    within = [n for n in terms if whole.groupby("observer")[n].nunique().max() > 1]
    fixed = [*named.values(), *(f"level_centred:{named[n]}" for n in terms if n == "cue")]
    return mixed_logistic(
        whole,
        " + ".join(["level_centred", *fixed]),
        random=" + ".join(["level_centred", *(named[n] for n in within)]),
        confidence=confidence,
    )


def cue_effect(model: pd.DataFrame, poles: tuple[str, str] = ("sad", "happy")) -> str:
    """The cue's effect in a sentence, or why there is none."""
    rows = model[model["source"] == "cue"] if len(model) else model
    if rows.empty:
        return "These people had no cue whose number could be modelled."
    row = rows.iloc[0]
    found = f"{row['estimate']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}]"
    verdict = "moves" if row["low"] > 0 or row["high"] < 0 else "is not shown to move"
    return (
        f"What the cue announces {verdict} people's answers: {found} log-odds of *{poles[1]}* from "
        f"a cue of 0 to one of 1, at the same level ({row['n_observers']} people). That is "
        "expectation, not perception: networks get no cue."
    )
