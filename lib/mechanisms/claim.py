"""Claim C4, that the comparison unveils what the networks compute, judged on part profiles.

Of every network of one object-based pretraining, by margins that the study fixes beforehand:

1. *Measured:* its profile is told from a flat one (an interval of a part's loss less the mean loss
   lies off 0; the intervals hold together for all parts). Refuted where all lie within the margin.
2. *Placed:* for every part, the difference from people's share of d' lost is clear (its interval
   lies off 0) or excluded by the margin (lies within it). Without people who saw hidden parts, or
   with simulated ones, FE-AlexNet is placed beside AlexNet.
3. *Confirmed:* bubbles mark the part that costs most when hidden; refuted where they mark another
   and not this one. Not asked of networks without bubbles.

All supported: supported. All refuted: refuted. Some of each, or any supported beside what stays
open: partly. Else inconclusive.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.claims.ledger import CLAIMS, COLUMNS, OBJECT_BASED, PUBLISHED
from lib.claims.verdicts import INCONCLUSIVE, NOT_TESTABLE, REFUTED, SUPPORTED, together
from lib.mechanisms.tables import NETWORK, first_part
from lib.parts.profile_tables import measured, pooled
from lib.settings.words import label
from lib.statistics.intervals import interval_text


def mechanism_claim(
    profiles: pd.DataFrame,
    differences: pd.DataFrame,
    bubbles: pd.DataFrame,
    basis: str,
    margin: float,
    simulated: bool,
) -> pd.DataFrame:
    """The ledger's row on C4.

    Parameters
    ----------
    profiles, differences : ``part_profiles`` and ``profile_differences``.
    bubbles : ``lib.mechanisms.tables.bubble_table``. basis : the pretraining to judge.
    margin : ``claims.profile_margin``, in shares of the whole face's d'.
    simulated : whether the people are simulated: no verdict about people rests on them.

    Returns
    -------
    one row with ``COLUMNS``; value is the largest difference of shares that was looked at, with its
    interval.
    """
    rows = pooled(profiles)
    rows = rows[rows["pretraining"].eq(basis) & rows["architecture"].isin([*PUBLISHED, *_ours()])]
    beside = compared(differences[differences["pretraining"].eq(basis)], simulated)
    row = {"id": "C4", "claim": CLAIMS["C4"], "margin": margin, "simulated": simulated}
    reason = untestable(rows, basis)
    if reason:
        nothing = dict.fromkeys(("value", "low", "high"), np.nan)
        return _frame(row | nothing | {"evidence": reason, "verdict": NOT_TESTABLE})
    states = []
    texts = []
    for who, mine in rows.groupby(NETWORK, sort=False):
        own = _of(beside, who)
        found = criteria(mine, own, _of(bubbles, who), margin)
        states += found.values()
        texts.append(f"{label(*who)}: " + ", ".join(f"{k} {v}" for k, v in found.items()))
    evidence = "; ".join(texts) + ". " + _beside_text(beside, simulated)
    largest = _largest(beside if len(beside) else rows.rename(columns={"share": "value"}))
    return _frame(row | largest | {"evidence": evidence, "verdict": together(states)})


def criteria(
    profile: pd.DataFrame, beside: pd.DataFrame, bubbles: pd.DataFrame, margin: float
) -> dict[str, str]:
    """The states of one network: ``measured``, and where they can be asked ``placed`` and
    ``confirmed``.
    """
    found = {"measured": _measured(profile, margin)}
    if len(beside):
        found["placed"] = SUPPORTED if all(resolved(beside, margin)) else INCONCLUSIVE
    if len(bubbles):
        found["confirmed"] = _confirmed(profile, bubbles)
    return found


def resolved(rows: pd.DataFrame, margin: float) -> list[bool]:
    """Whether each difference is clear, or excluded by the margin; NaN limits are neither."""
    clear = (rows["low"] > 0) | (rows["high"] < 0)
    excluded = (rows["low"] > -margin) & (rows["high"] < margin)
    return list(clear | excluded)


def compared(differences: pd.DataFrame, simulated: bool) -> pd.DataFrame:
    """The differences that count: from people, or where there are none to go by, from AlexNet."""
    people = differences["against"].eq("people")
    return differences[people if people.any() and not simulated else ~people]


def untestable(rows: pd.DataFrame, basis: str) -> str:
    """Why the claim cannot be tested; empty where it can."""
    if basis not in OBJECT_BASED:
        return f"The claim is about object-based networks, but these are {basis or 'none'}."
    if rows.empty:
        return "No network was shown faces with a part hidden."
    if rows["low"].isna().all():
        return f"No profile has an interval: {rows['reason'].iloc[0]}."
    return ""


def _ours() -> tuple[str, ...]:
    return ("fe_alexnet", "fe_alexnet_guided")


def _measured(profile: pd.DataFrame, margin: float) -> str:
    if measured(profile):
        return SUPPORTED
    room = margin * profile["intact"]
    flat = (profile["deviation_low"] > -room) & (profile["deviation_high"] < room)
    return REFUTED if flat.all() else INCONCLUSIVE


def _confirmed(profile: pd.DataFrame, bubbles: pd.DataFrame) -> str:
    needed = first_part(profile, "loss")
    marks = bubbles.set_index("part")["low"] > 0
    if marks.get(needed, False):
        return SUPPORTED
    return REFUTED if marks.any() else INCONCLUSIVE


def _of(rows: pd.DataFrame, who: tuple[str, str]) -> pd.DataFrame:
    if rows.empty:
        return rows
    return rows[rows["architecture"].eq(who[0]) & rows["pretraining"].eq(who[1])]


def _largest(rows: pd.DataFrame) -> dict:
    names = {"value": "value", "low": "low", "high": "high"}
    if "share_low" in rows:
        names |= {"low": "share_low", "high": "share_high"}
    known = rows.dropna(subset=["value"])
    if known.empty:
        return dict.fromkeys(names, np.nan)
    row = known.loc[known["value"].abs().idxmax()]
    return {name: row[column] for name, column in names.items()}


def _beside_text(beside: pd.DataFrame, simulated: bool) -> str:
    if beside.empty:
        return "There is nobody to compare the profiles with."
    against = beside["against"].iloc[0]
    name = "people" if against == "people" else label(against)
    why = " (the people are simulated)" if simulated and against != "people" else ""
    each = "; ".join(
        f"{label(row.architecture)}, {row.part} "
        f"{interval_text(row.value, row.low, row.high, 2, '+')}"
        for row in beside.itertuples()
    )
    return f"Share of d' lost, less that of {name}{why}: {each}."


def _frame(row: dict) -> pd.DataFrame:
    return pd.DataFrame([row], columns=COLUMNS)
