"""What was put into a world whose truth is known, and what notebook 05 found of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from lib.mechanisms.shown import pictures
from lib.mechanisms.tables import METHODS, NETWORK, first_part
from lib.morphs.stimuli import regions_of
from lib.parts.profile_tables import pooled
from lib.parts.profiles import thirds
from lib.people.simulated import chance_of_happy, simulated_parameters
from lib.settings.options import PARTS, Study
from lib.settings.words import label
from lib.statistics.intervals import interval_text

COLUMNS = ["what", "put_in", "found", "low", "high", "ok", "note"]
ROUNDING = 1 / 12  # variance that rounding to whole grey values leaves
MANY = 4000  # simulated people, so that their mean is known to .02


def cue_by_part(study: Study, stimuli: pd.DataFrame) -> pd.DataFrame:
    """How well each part of the test faces tells the two ends of the morph apart, by the pictures
    alone.

    A part's ``cue`` is its share of d'^2 of an observer who weighs every pixel by itself: the
    squared difference of the ends' mean grey values over the variance between faces (Fisher's
    criterion), summed over the part. A pixel that changes much but differs as much between faces
    tells little. ``change`` is the part's share of the change of grey values, whatever else varies.

    Parameters
    ----------
    stimuli : the table of that name.

    Returns
    -------
    part, cue, change (each sums to 1).
    """
    whole = stimuli[stimuli["condition"] == "full"].sort_values(["identity", "level"])
    ends = whole.groupby("identity").nth([0, -1]).reset_index(drop=True)
    images = pictures(ends["path"]).astype(float).mean(axis=3)
    low, high = images[::2], images[1::2]
    between = (low.var(axis=0, ddof=1) + high.var(axis=0, ddof=1)) / 2
    told = (high.mean(axis=0) - low.mean(axis=0)) ** 2 / (between + ROUNDING)
    change = np.abs(high - low).mean(axis=0)
    masks = {
        part: mask if mask.ndim == 2 else mask.mean(axis=0)
        for part, mask in regions_of(study, ends).items()
    }
    rows = [
        {"part": part, "cue": (told * mask).sum(), "change": (change * mask).sum()}
        for part, mask in masks.items()
    ]
    table = pd.DataFrame(rows).set_index("part")
    return (table / table.sum()).reset_index()


def people_truth(study: Study) -> pd.DataFrame:
    """What hiding each part takes from simulated people on average: part, loss (d' between the
    thirds of levels, from counts with the log-linear correction as in the profiles).

    Many people are drawn with the study's spreads, its ``part_scale_factor`` and
    ``part_pse_shift``, and as many trials as in the study.
    """
    settings = study.observers.simulated
    levels = np.linspace(0, 1, study.morphs.levels)
    rng = np.random.default_rng(0)
    persons = simulated_parameters(replace(settings, n=MANY), rng)
    pse, scale, guess, lapse = persons[["pse", "scale", "guess", "lapse"]].to_numpy().T[..., None]
    lower, _, upper = thirds(levels)

    def d_prime(part: str) -> float:
        shift = settings.part_pse_shift.get(part, 0.0)
        wider = settings.part_scale_factor.get(part, 1.0)
        chance = chance_of_happy(levels, pse + shift, scale * wider, guess, lapse)
        happy = rng.binomial(settings.trials_per_level, chance)
        ends = (_mean_probit(happy[:, rows], settings.trials_per_level) for rows in (upper, lower))
        return next(ends) - next(ends)

    parts = [part for part in PARTS if part in study.morphs.conditions]
    whole = d_prime("full")
    return pd.DataFrame([{"part": part, "loss": whole - d_prime(part)} for part in parts])


def _mean_probit(happy: np.ndarray, n: int) -> float:
    """Mean over people of the probit of their share of positive answers, log-linear."""
    share = (happy.sum(axis=1) + 0.5) / (n * happy.shape[1] + 1)
    return float(stats.norm.ppf(share).mean())


def truths(
    study: Study,
    cues: pd.DataFrame,
    profiles: pd.DataFrame,
    enrichment: pd.DataFrame,
    bubbles: pd.DataFrame,
    known: pd.DataFrame,
    simulated: bool,
) -> pd.DataFrame:
    """The table "put in / found".

    Parameters
    ----------
    cues : ``cue_by_part``. profiles : ``part_profiles``. enrichment, bubbles, known : tables of
        ``lib.mechanisms.tables``. simulated : whether the people are.

    Returns
    -------
    what, put_in, found, low, high (of the number that decides), ok, note (what a miss may mean).
    """
    rows = [*_known_cues(known)]
    if study.images.source == "builtin" and study.morphs.source == "builtin":
        put_in = first_part(cues, "cue")
        parts = cues.set_index("part")["cue"]
        said = f"{put_in} ({parts[put_in]:.0%} of d'^2)"
        rows += _first_parts("costs most when hidden", put_in, said, pooled(profiles), "loss")
        rows += _first_parts("marked most by bubbles", put_in, said, bubbles, "mean")
        rows += _first_parts("marked most by saliency", put_in, said, enrichment, "mean")
    if simulated:
        rows += _people(people_truth(study), pooled(profiles, "people"))
    return pd.DataFrame(rows, columns=COLUMNS)


def _first_parts(
    what: str, put_in: str, said: str, rows: pd.DataFrame, value: str
) -> Iterator[dict]:
    """For each network, the part that comes first, found where its interval lies above 0 and above
    that of every other part.
    """
    if rows.empty:
        return
    for who, mine in rows.groupby(NETWORK, sort=False):
        first = first_part(mine, value)
        own = mine.set_index("part")
        if not first or put_in not in own.index:
            continue
        best = own.loc[first]
        others = own["high"].drop(first).fillna(np.inf)
        told = bool(best["low"] > max(others.max(), 0))
        note = "" if told else "it comes first, but is not told apart from the next"
        if first != put_in:
            ahead = best["low"] > max(own.loc[put_in, "high"], 0)
            note = "another part is clearly ahead" if ahead else "the two are not told apart"
        yield {
            "what": f"{label(*who)}: part {what}",
            "put_in": said,
            "found": f"{first} ({interval_text(best[value], best['low'], best['high'], 2)})",
            "low": best["low"],
            "high": best["high"],
            "ok": first == put_in and told,
            "note": note,
        }


def _known_cues(known: pd.DataFrame) -> Iterator[dict]:
    """The only cue of the small networks' faces, by each method."""
    for row in known[known["weights"] == "trained"].to_dict("records"):
        yield {
            "what": f"only cue of the faces, by {METHODS[row['method']]}",
            "put_in": row["cue"],
            "found": f"{row['verdict']} ({interval_text(row['mean'], row['low'], row['high'], 1)})",
            "low": row["low"],
            "high": row["high"],
            "ok": row["verdict"] == "finds it",
            "note": "" if row["verdict"] == "finds it" else "not to be believed on other faces",
        }


def _people(expected: pd.DataFrame, found: pd.DataFrame) -> Iterator[dict]:
    """The simulated people's part weights: the loss of d' that they amount to."""
    own = found.set_index("part")
    for row in expected.itertuples():
        if row.part not in own.index:
            continue
        mine = own.loc[row.part]
        inside = bool(mine["low"] <= row.loss <= mine["high"])
        yield {
            "what": f"simulated people: loss of d' without the {row.part}",
            "put_in": f"{row.loss:.2f}",
            "found": interval_text(mine["raw_loss"], mine["low"], mine["high"], 2),
            "low": mine["low"],
            "high": mine["high"],
            "ok": inside,
            "note": "" if inside else "outside the interval, as 1 of 20 is by chance",
        }
