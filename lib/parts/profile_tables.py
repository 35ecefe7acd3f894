"""Tables of part profiles: ``part_profiles``, and ``profile_differences``, what sets them
apart.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from lib.parts.controls import CONTROL
from lib.parts.profiles import (
    MEASURES,
    NETWORK,
    Cube,
    crossed,
    difference,
    measures,
    network_cube,
    people_cube,
    profile,
)
from lib.statistics.intervals import confidence_each

LIMITS = {  # measures with an interval, and how the names of its ends begin
    "loss": "",
    "share": "share_",
    "deviation": "deviation_",
    "criterion_shift": "criterion_",
    "end_shift": "end_",
}
PROFILES = [
    *NETWORK,
    "seed",
    "kind",
    "part",
    "loss",
    "low",
    "high",
    "raw_loss",
    "control_loss",
    "share",
    "share_low",
    "share_high",
    "deviation",
    "deviation_low",
    "deviation_high",
    "criterion_shift",
    "criterion_low",
    "criterion_high",
    "end_shift",
    "end_low",
    "end_high",
    "intact",
    "n_observers",
    "n_identities",
    "n_levels",
    "reason",
]
DIFFERENCES = [
    *NETWORK,
    "against",
    "part",
    "value",
    "low",
    "high",
    "loss",
    "loss_low",
    "loss_high",
    "compared",
    "reason",
]


def network_cubes(trials: pd.DataFrame) -> Iterator[tuple[tuple[str, str], Cube]]:
    """(architecture, pretraining) and the answers of its networks, in the table's order.

    Networks that were not shown faces with hidden parts are passed over.
    """
    networks = trials[trials["kind"] == "cnn"]
    for who, rows in networks.groupby(NETWORK, sort=False, dropna=False):
        cube = network_cube(rows)
        if cube.parts and len(cube.levels) > 1:
            yield who, cube


def people_of(trials: pd.DataFrame) -> Cube | None:
    """People's answers, None where they saw no hidden parts."""
    rows = trials[trials["kind"] != "cnn"]
    cube = people_cube(rows) if len(rows) else None
    return cube if cube is not None and cube.parts and "full" in cube.conditions else None


def part_profiles(trials: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """What hiding each part does: one row for each network's seed (interval over faces), for each
    architecture (seed NaN, interval over seeds and faces) and for people as a group.

    Parameters
    ----------
    trials : the trial table's rows of the profile's stimuli, networks' control rows among them
        (``lib.parts.controls``); networks need ``log_odds``.

    Returns
    -------
    architecture, pretraining, seed, kind, part, ``lib.parts.profiles.MEASURES`` with the
    limits of loss (low, high), share, deviation (intervals that hold together for all parts),
    criterion_shift and end_shift; intact (d' of the whole face), n_observers, n_identities,
    n_levels, reason (what the interval speaks for, or why there is none).
    """
    rows = []
    for (architecture, pretraining), cube in network_cubes(trials):
        who = {"architecture": architecture, "pretraining": pretraining, "kind": "cnn"}
        mine = trials[(trials["kind"] == "cnn") & (trials["architecture"] == architecture)]
        seeds = sorted(set(mine.loc[mine["pretraining"].eq(pretraining), "seed"]))
        for k, seed in enumerate(seeds):
            one = Cube(cube.values[k : k + 1], cube.levels, cube.conditions, cube.identities)
            rows += _rows(one, who | {"seed": seed}, {"faces": (1,)}, confidence)
        factors = {"seeds": (0,), "faces": (1,)}
        rows += _rows(cube, who | {"seed": np.nan}, factors, confidence)
    people = people_of(trials)
    if people is not None:
        kind = trials.loc[trials["kind"] != "cnn", "kind"].iloc[0]
        rows += _rows(people, {"kind": kind}, {"people": (0,), "faces": (1,)}, confidence)
    return pd.DataFrame(rows, columns=PROFILES)


def _rows(cube: Cube, who: dict, factors: dict, confidence: float) -> list[dict]:
    found = crossed(profile, [cube], factors, confidence)
    each = confidence_each(len(cube.parts), confidence)
    deviation = MEASURES.index("deviation")
    found[:, deviation] = crossed(profile, [cube], factors, each)[:, deviation]
    intact = float(np.nanmean(measures(cube)["sensitivity"][:, cube.conditions.index("full")]))
    shared = {
        "intact": intact,
        "n_observers": len(cube.values),
        "n_identities": len(cube.identities),
        "n_levels": len(cube.levels),
    }
    rows = []
    for part, mine in zip(cube.parts, found, strict=True):
        own = dict(zip(MEASURES, mine, strict=True))
        row = {name: interval.value for name, interval in own.items()}
        for name, start in LIMITS.items():
            row |= {f"{start}low": own[name].low, f"{start}high": own[name].high}
        why = own["loss"].reason or own["loss"].scope
        rows.append({**who, **shared, "part": part, "reason": why, **row})
    return rows


def profile_differences(
    trials: pd.DataFrame, confidence: float = 0.95, this: str = "fe_alexnet", that: str = "alexnet"
) -> pd.DataFrame:
    """What sets profiles apart: every architecture against people, where these saw hidden parts;
    and ``this`` against ``that``, seed by seed.

    Returns
    -------
    architecture, pretraining, against (``people`` or ``that``), part, value (difference of the
    shares of d' lost), low, high; loss, loss_low, loss_high (the same of d' itself); compared
    (``less the control patch`` or ``hidden part alone``), reason.
    """
    cubes = dict(network_cubes(trials))
    people = people_of(trials)
    rows = []
    for who, cube in cubes.items():
        other = cubes.get((that, who[1])) if who[0] == this else None
        for name, against in (("people", people), (that, other)):
            if against is None or not set(cube.parts) & set(against.parts):
                continue
            paired = name == that and len(cube.values) == len(against.values)
            found = difference(cube, against, confidence, paired)
            rows += _difference_rows(who, name, cube, against, found)
    return pd.DataFrame(rows, columns=DIFFERENCES)


def _difference_rows(
    who: tuple[str, str], name: str, cube: Cube, against: Cube, found: np.ndarray
) -> list[dict]:
    shared = cube.select(against.conditions)
    controlled = any(condition.startswith(CONTROL) for condition in shared.conditions)
    share = found[:, MEASURES.index("share")]
    loss = found[:, MEASURES.index("loss")]
    return [
        {
            "architecture": who[0],
            "pretraining": who[1],
            "against": name,
            "part": part,
            "value": share[k].value,
            "low": share[k].low,
            "high": share[k].high,
            "loss": loss[k].value,
            "loss_low": loss[k].low,
            "loss_high": loss[k].high,
            "compared": "less the control patch" if controlled else "hidden part alone",
            "reason": share[k].reason or share[k].scope,
        }
        for k, part in enumerate(shared.parts)
    ]


def pooled(profiles: pd.DataFrame, kind: str = "cnn") -> pd.DataFrame:
    """The rows of whole architectures (``cnn``), or of people."""
    rows = profiles[profiles["seed"].isna()]
    return rows[rows["kind"].eq("cnn") if kind == "cnn" else rows["kind"].ne("cnn")]


def measured(rows: pd.DataFrame) -> bool:
    """Whether a profile is told from flat: some part's loss is off the mean of all.

    Parameters
    ----------
    rows : one observer's parts, of ``part_profiles``.
    """
    return bool(((rows["deviation_low"] > 0) | (rows["deviation_high"] < 0)).any())
