"""The door through which people's behaviour enters a network: what hiding a part does to them
becomes attention.

A part whose hiding makes people's curve flatter, or moves it, is one that they use. Its log-weight
can be added to the attention (``region_prior``), or attention can be drawn there while it is
trained (``guide``; Linsley et al. 2019 and Fel et al. 2022 do so with places that people clicked).
The people whose behaviour enters are not those on whom likeness is judged (``guiding``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.observers.decisions import halves
from lib.observers.tables import fit_table
from lib.settings.options import PARTS, Statistics
from lib.settings.values import STRONGEST

COLUMNS = ["part", "n", "slope_factor", "shift_in_jnd", "log_weight", "low", "high"]


@dataclass(frozen=True)
class Guide:
    """Where people's behaviour draws attention.

    shares : how much each part is used, summing to 1; None where nobody knows, and ``reason`` says
    why. weights : rows of ``prior_from_people``. source : whose behaviour it is.
    """

    shares: dict[str, float] | None
    weights: pd.DataFrame
    source: str
    reason: str = ""


def guiding(people: pd.DataFrame, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """People's trials in two: those that guide attention, and those that it is judged on.

    Nobody is in both, and no morph identity is either where people saw several. What is left,
    guiding people's answers to judged faces and the reverse, is in neither.
    """
    guides, judges = halves(people, seed)
    faces = np.sort(people["identity"].dropna().astype(str).unique())
    if len(faces) < 2:
        return guides, judges
    chosen = np.random.default_rng([22, seed]).permutation(faces)[: len(faces) // 2]
    first, second = (rows["identity"].astype(str).isin(chosen) for rows in (guides, judges))
    return guides[first], judges[~second]


def guide_of(
    people: pd.DataFrame,
    statistics: Statistics,
    rng: np.random.Generator,
    published: Mapping[str, float] | None = None,
) -> Guide:
    """What guides attention in a study.

    Parameters
    ----------
    people : their trials; of these the guiding half alone is looked at.
    published : the study's ``attention.guide``, taken where people saw no hidden parts.
    """
    guides = guiding(people)[0]
    weights = prior_from_people(guides, statistics, rng)
    shares = as_shares(weights)
    if shares:
        return Guide(shares, weights, f"{guides['observer'].nunique()} people")
    if published:
        total = sum(published.values())
        known = {part: value / total for part, value in published.items()}
        return Guide(known, weights, "a published result that the study names")
    missing = missing_parts(guides)
    why = f"people were never shown a face with the {' or the '.join(missing)} hidden"
    if not missing:
        why = "hiding no part made a difference to people's curves"
    return Guide(None, weights, "", why)


def as_shares(weights: pd.DataFrame) -> dict[str, float] | None:
    """How much people use each part: its log-weight over the sum of all, those below 0 as 0.

    None where a part has no log-weight, or none is above 0.
    """
    prior = as_prior(weights, digits=6)
    used = {part: max(weight, 0.0) for part, weight in (prior or {}).items()}
    total = sum(used.values())
    return {part: weight / total for part, weight in used.items()} if total else None


def prior_from_people(
    trials: pd.DataFrame, statistics: Statistics, rng: np.random.Generator
) -> pd.DataFrame:
    """Each part's log-weight from people's psychometric functions with and without it.

    log_weight = ln(slope of whole faces / slope with the part hidden) + |PSE shift| in units of the
    JND, each a mean over people (the shift's mean is taken before its size, so that noise does not
    add up). A part whose hiding halves the slope thus gets ln 2: twice the attention. Attention
    uses only differences between parts.

    Parameters
    ----------
    trials : people's rows of the trial table, with conditions ``full`` and some parts.

    Returns
    -------
    part, n (people whose curves could be fitted), slope_factor (median of whole over hidden),
    shift_in_jnd, log_weight, low, high (bootstrap over people). No rows for parts that were never
    hidden.
    """
    fits = fit_table(trials[trials["kind"] != "cnn"], statistics)
    wide = fits.pivot_table(
        index="observer", columns="condition", values=["pse", "slope", "jnd"], dropna=False
    )
    rows = []
    for part in [part for part in PARTS if part in wide["pse"]]:
        table = pd.DataFrame(
            {
                "loss": np.log(wide["slope", "full"] / wide["slope", part]),
                "shift": (wide["pse", part] - wide["pse", "full"]) / wide["jnd", "full"],
            }
        )
        table = table.replace([np.inf, -np.inf], np.nan).dropna()
        rows.append([part, len(table), *_weight(table.to_numpy(), statistics, rng)])
    return pd.DataFrame(rows, columns=COLUMNS)


def _weight(values: np.ndarray, statistics: Statistics, rng: np.random.Generator) -> list[float]:
    """slope_factor, shift_in_jnd, log_weight and its interval from (people, 2): loss of log
    slope, shift in JND.
    """
    if not len(values):
        return [np.nan] * 5

    def log_weight(sample: np.ndarray) -> np.ndarray:
        return sample[..., 0].mean(-1) + np.abs(sample[..., 1].mean(-1))

    picks = rng.integers(len(values), size=(statistics.n_boot, len(values)))
    ends = np.quantile(
        log_weight(values[picks]),
        [(1 - statistics.confidence) / 2, (1 + statistics.confidence) / 2],
    )
    return [
        float(np.exp(np.median(values[:, 0]))),
        float(values[:, 1].mean()),
        float(log_weight(values)),
        *map(float, ends),
    ]


def as_prior(weights: pd.DataFrame, digits: int = 2) -> dict[str, float] | None:
    """``Attention``'s region_prior of the table; None where people were shown no hidden parts, or
    none could be fitted. Held to what ``Attention`` takes, ±10.

    Every part must have a weight: a part that is missing would silently count as 0.
    """
    known = weights.dropna(subset=["log_weight"]).set_index("part")["log_weight"]
    known = known.clip(-STRONGEST, STRONGEST)
    return (
        {part: round(float(known[part]), digits) for part in PARTS}
        if set(known.index) == set(PARTS)
        else None
    )


def as_override(prior: dict[str, float]) -> str:
    """The prior as a study override: ``attention.region_prior={eyes: 0.2, nose: 0.0, mouth:
    0.9}``, quoted.
    """
    inside = ", ".join(f"{part}: {prior[part]}" for part in prior)
    return f"'attention.region_prior={{{inside}}}'"


def missing_parts(trials: pd.DataFrame, parts: Sequence[str] = PARTS) -> list[str]:
    """Parts that people were never shown hidden."""
    shown = set(trials[trials["kind"] != "cnn"]["condition"])
    return [part for part in parts if part not in shown]
