"""What was put into a world whose truth is known, and what notebook 05 found of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from lib.mechanisms.shown import pictures
from lib.mechanisms.tables import METHODS, NETWORK, first_part
from lib.morphs.stimuli import regions_of
from lib.parts.profile_tables import pooled
from lib.parts.profiles import thirds
from lib.settings.options import PARTS, Study
from lib.settings.words import label
from lib.statistics.intervals import interval_text

COLUMNS = ["what", "put_in", "found", "low", "high", "ok", "note"]


def cue_by_part(study: Study, stimuli: pd.DataFrame) -> pd.DataFrame:
    """How much of the expression each part of the test faces carries, by the pictures alone.

    Parameters
    ----------
    stimuli : the table of that name.

    Returns
    -------
    part, cue (share of the grey-value change between the two ends of the morph, summed over the
    part, mean over faces).
    """
    whole = stimuli[stimuli["condition"] == "full"].sort_values(["identity", "level"])
    ends = whole.groupby("identity").nth([0, -1]).reset_index(drop=True)
    images = pictures(ends["path"]).mean(axis=3)
    change = np.abs(images[1::2] - images[::2])
    regions = regions_of(study, ends)
    shares = {
        part: (change * (mask if mask.ndim == 2 else mask[::2] | mask[1::2])).sum(axis=(1, 2))
        for part, mask in regions.items()
    }
    total = sum(shares.values())
    return pd.DataFrame([{"part": p, "cue": float((x / total).mean())} for p, x in shares.items()])


def people_truth(study: Study) -> pd.DataFrame:
    """What hiding each part takes from the average simulated person: part, loss (d' between the
    thirds of levels), by the study's ``part_scale_factor`` and ``part_pse_shift``.
    """
    person, levels = study.observers.simulated, np.linspace(0, 1, study.morphs.levels)
    lapse = person.lapse_max / 2

    def d_prime(shift: float, factor: float) -> float:
        z = (levels - person.pse_mean - shift) / (person.scale_mean * factor)
        rate = lapse + (1 - 2 * lapse) * stats.norm.cdf(z)
        lower, _, upper = thirds(levels)
        return stats.norm.ppf(rate[upper].mean()) - stats.norm.ppf(rate[lower].mean())

    whole = d_prime(0.0, 1.0)
    rows = [
        {
            "part": part,
            "loss": whole
            - d_prime(
                person.part_pse_shift.get(part, 0.0), person.part_scale_factor.get(part, 1.0)
            ),
        }
        for part in PARTS
        if part in study.morphs.conditions
    ]
    return pd.DataFrame(rows)


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
        put_in, parts = first_part(cues, "cue"), cues.set_index("part")["cue"]
        said = f"{put_in} ({parts[put_in]:.0%} of the change)"
        rows += _first_parts("costs most when hidden", put_in, said, pooled(profiles), "loss")
        rows += _first_parts("marked most by bubbles", put_in, said, bubbles, "mean")
        rows += _first_parts("marked most by saliency", put_in, said, enrichment, "mean")
    if simulated:
        rows += _people(people_truth(study), pooled(profiles, "people"))
    return pd.DataFrame(rows, columns=COLUMNS)


def _first_parts(
    what: str, put_in: str, said: str, rows: pd.DataFrame, value: str
) -> Iterator[dict]:
    """For each network, the part that comes first, against the one that carries most."""
    if rows.empty:
        return
    for who, mine in rows.groupby(NETWORK, sort=False):
        first, own = first_part(mine, value), mine.set_index("part")
        if not first or put_in not in own.index:
            continue
        best, wanted = own.loc[first], own.loc[put_in]
        told = best["low"] > max(wanted["high"], 0)
        note = ""
        if first != put_in:
            note = "another part is clearly ahead" if told else "the two are not told apart"
        yield {
            "what": f"{label(*who)}: part {what}",
            "put_in": said,
            "found": f"{first} ({interval_text(best[value], best['low'], best['high'], 2)})",
            "low": best["low"],
            "high": best["high"],
            "ok": first == put_in,
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
            "note": "" if inside else "the average person is not the mean of the persons",
        }
