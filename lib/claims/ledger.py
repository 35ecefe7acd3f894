"""The ledger: what a run's result tables say about the claims of Ying, Li & Chen (2023).

One verdict a claim, by rules and margins that are fixed before the data are seen
(``lib.claims.verdicts``, a study's ``claims`` section). Nothing here trains or fits. C4 is judged
on part profiles, in ``lib.mechanisms.claim``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from lib.claims import claim_ahead, claim_close, claim_others, claim_people
from lib.claims.ledger_inputs import (
    OBJECT_BASED,
    OURS,
    PUBLISHED,
    Inputs,
    manipulated,
    not_object_based,
    pretraining_note,
    read_inputs,
    weight_note,
)
from lib.claims.verdicts import (
    NOT_TESTABLE,
    SUPPORTED,
    WORDS,
    Criterion,
    at_most_partly,
    together,
)
from lib.likeness.picture_scores import METRICS as PICTURE_METRICS
from lib.settings.options import Claims
from lib.settings.words import label

__all__ = ["CLAIMS", "OBJECT_BASED", "PUBLISHED", "criteria_table", "ledger"]

CLAIMS = {
    "C1": "AlexNet, VGG11, VGG13 and VGG16, transfer-trained to classify emotional valence, partly "
    "perform as people do",
    "C2": "FE-AlexNet (object-based AlexNet + self-attention) outperforms all four",
    "C3": "FE-AlexNet closely resembles human perception",
    "C4": "the comparison unveils what the networks compute",
}
COLUMNS = ["id", "claim", "evidence", "value", "low", "high", "margin", "verdict", "simulated"]
SIMULATED = "the people are simulated, and no verdict about people rests on them."
Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Finding:
    """What a run says about one claim: a verdict, a plain sentence, the number that decides, and
    all criteria behind it.
    """

    verdict: str
    text: str
    value: float = np.nan
    low: float = np.nan
    high: float = np.nan
    margin: float = np.nan
    criteria: Sequence[Criterion] = field(default_factory=tuple)


def ledger(
    tables: Tables,
    margins: Claims,
    *,
    others: Mapping[str, Tables] | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Table ``claims``: verdicts on C1, C2 and C3.

    Parameters
    ----------
    tables : a run's tables by name (``lib.claims.ledger_inputs.read_inputs``).
    margins : the study's ``claims`` section.
    others : the same run under other choices, such as each decision rule: psychometrics (of
        networks), human_likeness and likeness_differences of each.

    Returns
    -------
    id, claim, evidence (what this run says, in words), value, low, high, margin, verdict,
    simulated, and stands_in: the share of
    ``others`` in which the verdict is the same (NaN for what is not testable).
    """
    inputs = read_inputs(tables)
    found = findings(inputs, margins, confidence)
    again = {
        name: findings(inputs.under(*_three(some)), margins, confidence)
        for name, some in (others or {}).items()
    }
    rows = []
    for name, finding in found.items():
        same = {choice: f[name].verdict == finding.verdict for choice, f in again.items()}
        tested = finding.verdict != NOT_TESTABLE and bool(same)
        numbers = (finding.value, finding.low, finding.high, finding.margin)
        text = finding.text[:1].upper() + finding.text[1:] + (_agreement(same) if tested else "")
        row = [name, CLAIMS[name], text, *numbers, finding.verdict, inputs.simulated]
        rows.append([*row, float(np.mean(list(same.values()))) if tested else np.nan])
    return pd.DataFrame(rows, columns=[*COLUMNS, "stands_in"])


def criteria_table(tables: Tables, margins: Claims, confidence: float = 0.95) -> pd.DataFrame:
    """Table ``claim_criteria``: every effect behind the verdicts, with its margin.

    Returns
    -------
    id, network, criterion, value, low, high, margin, verdict, reason
    """
    found = findings(read_inputs(tables), margins, confidence)
    rows = [
        [name, c.network, c.name, c.value, c.low, c.high, c.margin, c.verdict, c.reason]
        for name, finding in found.items()
        for c in finding.criteria
    ]
    names = ["id", "network", "criterion", "value", "low", "high", "margin", "verdict", "reason"]
    return pd.DataFrame(rows, columns=names)


def findings(inputs: Inputs, margins: Claims, confidence: float) -> dict[str, Finding]:
    """The findings on C1, C2 and C3."""
    made: dict[str, Callable[[Inputs, Claims, float], Finding]] = {
        "C1": partly_as_people,
        "C2": outperforms,
        "C3": resembles,
    }
    found = {name: make(inputs, margins, confidence) for name, make in made.items()}
    return found | {"C1": _with_others(found["C1"], inputs)}


def _with_others(finding: Finding, inputs: Inputs) -> Finding:
    """The finding, and beside it the networks that the paper does not have."""
    more = claim_others.criteria_of(inputs.beside)
    text = finding.text + claim_others.others_text(more)
    return replace(finding, text=text, criteria=[*finding.criteria, *more])


def partly_as_people(inputs: Inputs, margins: Claims, confidence: float) -> Finding:
    """C1: for each of the four networks, whether some criteria are met and some are not."""
    if why := not_object_based(inputs) or (SIMULATED if inputs.simulated else ""):
        return Finding(NOT_TESTABLE, why)
    bits = margins.likelihood_margin
    found = {
        a: claim_people.criteria_of(
            label(a), inputs.networks(a), inputs.people, inputs.scores(a), bits, confidence
        )
        for a in PUBLISHED
        if len(inputs.networks(a))
    }
    if not found:
        return Finding(NOT_TESTABLE, "none of the four networks has psychometric results.")
    outcomes = {a: claim_people.outcome(criteria) for a, criteria in found.items()}
    verdict = together(list(outcomes.values()))
    tested = [x for x in outcomes.values() if x != NOT_TESTABLE]
    text = "; ".join(claim_people.outcome_text(label(a), c) for a, c in found.items())
    criteria = [c for some in found.values() for c in some]
    text = f"{text}.{_pictures_note(criteria)}{_absent(found)}{weight_note(inputs)}"
    if verdict == NOT_TESTABLE:
        return Finding(verdict, text, criteria=criteria)
    share = sum(x == SUPPORTED for x in tested) / len(tested)
    complete = len(tested) == len(PUBLISHED)
    verdict = verdict if complete else at_most_partly(verdict)
    return Finding(verdict, text, share, criteria=criteria)


def outperforms(inputs: Inputs, margins: Claims, confidence: float) -> Finding:
    """C2: FE-AlexNet against each of the four, in accuracy and in likeness."""
    if why := not_object_based(inputs) or manipulated(inputs, margins.manipulation):
        return Finding(NOT_TESTABLE, why)
    tables = {"accuracy": inputs.accuracy_differences, "log_likelihood": inputs.differences}
    margin = {"accuracy": margins.accuracy_margin, "log_likelihood": margins.likelihood_margin}
    if inputs.simulated:
        del tables["log_likelihood"]
    criteria = []
    compared = set()
    for metric, table in tables.items():
        if table.empty:
            continue
        rows = table[table["architecture"].eq(OURS) & table["versus"].isin(PUBLISHED)]
        criteria += claim_ahead.ahead(rows, metric, margin[metric], confidence)
        compared |= set(rows["versus"])
    notes = _likeness_note(inputs) + _absent(compared) + weight_note(inputs)
    notes += pretraining_note(inputs, margins.accuracy_margin)
    verdict = together([c.verdict for c in criteria])
    text = f"FE-AlexNet's {_told(criteria)}.{notes}" if criteria else f"nothing to compare.{notes}"
    least = claim_ahead.smallest([c for c in criteria if c.name.startswith("accuracy")])
    least = least or claim_ahead.smallest(criteria)
    if verdict == NOT_TESTABLE or least is None:
        return Finding(NOT_TESTABLE, text, criteria=criteria)
    verdict = verdict if compared >= set(PUBLISHED) else at_most_partly(verdict)
    return Finding(verdict, text, least.value, least.low, least.high, least.margin, criteria)


def resembles(inputs: Inputs, margins: Claims, confidence: float) -> Finding:
    """C3: FE-AlexNet against people's own agreement, AlexNet and the matched block."""
    why = not_object_based(inputs) or (SIMULATED if inputs.simulated else "")
    if why := why or manipulated(inputs, margins.manipulation) or _other_pictures(inputs):
        return Finding(NOT_TESTABLE, why)
    scores = inputs.scores(OURS)
    near = claim_close.near_ceiling(label(OURS), scores, margins.ceiling_share)
    if together([c.verdict for c in near]) == NOT_TESTABLE:
        return Finding(NOT_TESTABLE, f"no ceiling to reach: {_told(near)}.", criteria=near)
    rows = inputs.differences[inputs.differences["architecture"].eq(OURS)]
    criteria = near + claim_close.better(rows, margins.likelihood_margin)
    missing = [a for a in claim_close.RIVALS if a not in set(rows["versus"])]
    verdict = together([c.verdict for c in criteria])
    verdict = at_most_partly(verdict) if missing else verdict
    absent = f" Not trained here: {', '.join(map(label, missing))}." if missing else ""
    lowest = min((c for c in near if np.isfinite(c.low)), key=lambda c: c.value)
    text = f"FE-AlexNet's {_told(criteria)}.{absent}"
    numbers = (lowest.value, lowest.low, lowest.high, margins.ceiling_share)
    return Finding(verdict, text, *numbers, criteria)


def _told(criteria: Sequence[Criterion]) -> str:
    """``accuracy above AlexNet's by 0.02 [0.01, 0.03]: yes; …``."""
    return "; ".join(f"{c}: {WORDS.get(c.verdict, 'not testable')}" for c in criteria)


def _pictures_note(criteria: Sequence[Criterion]) -> str:
    """Why picture scores were not asked."""
    untold = {c.reason for c in criteria if c.verdict == NOT_TESTABLE and c.reason}
    return f" Not asked: {'; '.join(sorted(untold))}." if untold else ""


def _likeness_note(inputs: Inputs) -> str:
    if inputs.simulated:
        return f" Likeness is not judged: {SIMULATED}"
    other = _other_pictures(inputs)
    return f" Likeness is not judged: {other}" if other else ""


def _other_pictures(inputs: Inputs) -> str:
    """Why picture scores cannot be taken; empty where they can."""
    rows = inputs.likeness[inputs.likeness["metric"].isin(PICTURE_METRICS)]
    if rows.empty:
        return "FE-AlexNet has no human-likeness scores."
    if (rows["n_stimuli"] > 0).any():
        return ""
    return f"{rows['reason'].iloc[0]}; what is shared beyond the level needs the same ones."


def _absent(present) -> str:
    missing = [label(a) for a in PUBLISHED if a not in present]
    return f" Not comparable here: {', '.join(missing)}." if missing else ""


def _agreement(same: Mapping[str, bool]) -> str:
    """Whether the verdict is the same under other choices, argmax and softmax among them."""
    if {"argmax", "softmax"} <= set(same):
        both = same["argmax"] and same["softmax"]
        rules = "the same" if both else "not the same"
        first = f" Under argmax and softmax the verdict is {rules}"
        return f"{first}; it stands in {sum(same.values())} of {len(same)} analyses."
    return f" It stands in {sum(same.values())} of {len(same)} analyses."


def _three(some: Tables) -> tuple[pd.DataFrame, ...]:
    names = ("psychometrics", "human_likeness", "likeness_differences")
    return tuple(some[name] for name in names)
