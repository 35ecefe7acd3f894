"""What stands on a report's first page: the answer, a card for each claim, and what limits it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

NOT_TESTABLE = "not testable here"
# the first that a run has opens its report
KEY_FIGURES = ("04_whole_face", "04_curves", "02_accuracy")


def key_figure(folder: Path) -> Path | None:
    """The figure that answers the question, of those in ``folder``; None where there is none."""
    paths = [folder / f"{name}.png" for name in KEY_FIGURES]
    return next((path for path in paths if path.is_file()), None)


@dataclass(frozen=True)
class Card:
    """One claim of the paper and what the run found."""

    id: str
    claim: str
    verdict: str
    finding: str
    rows: list[dict[str, str]]  # criterion, value with interval, margin, verdict


def claim_cards(tables: dict[str, pd.DataFrame]) -> list[Card]:
    """One card for each claim of table ``claims``; its first row gives verdict and finding.

    Parameters
    ----------
    tables : of a run, by name; ``claims`` has id, claim, evidence, value, low, high, margin,
        verdict.
    """
    if "claims" not in tables:
        return []
    ledger = tables["claims"].sort_values("id", kind="stable")
    return [_card(name, rows) for name, rows in ledger.groupby("id", sort=True)]


def _card(name: str, rows: pd.DataFrame) -> Card:
    first = rows.iloc[0]
    numbers = [
        {
            "evidence": str(row.evidence),
            "value": _interval(row),
            "margin": _number(getattr(row, "margin", None)),
            "verdict": row.verdict,
        }
        for row in rows.itertuples()
        if pd.notna(row.value)
    ]
    return Card(name, first["claim"], first["verdict"], first["evidence"], numbers)


def _interval(row) -> str:
    value = _number(row.value)
    if pd.isna(row.low) or pd.isna(row.high):
        return value
    return f"{value} [{_number(row.low)}, {_number(row.high)}]"


def _number(value) -> str:
    return "" if value is None or pd.isna(value) else f"{value:.3g}"


def answer_sentence(cards: list[Card]) -> str:
    """The run's answer in one sentence; empty where there is no ledger yet."""
    if not cards:
        return ""
    counts = Counter(card.verdict for card in cards)
    told = [f"{n} {verdict}" for verdict, n in counts.items()]
    return f"Of the paper's {len(cards)} claims: {', '.join(told)}."


def limits(tables: dict[str, pd.DataFrame], settings: dict) -> list[str]:
    """What a reader must keep in mind, each as one sentence, from the run's own tables.

    Parameters
    ----------
    settings : of the study, as in the manifest.
    """
    found = []
    trials = tables.get("trials")
    if trials is not None and (trials["kind"] == "simulated").any():
        found.append("The people are simulated, so no verdict here is about people.")
    seeds = settings["training"]["seeds"]
    found.append(
        f"Each network was trained {seeds} times; other data, other networks and longer "
        "training may say otherwise."
    )
    weights = tables.get("weights")
    if weights is not None:
        bases = sorted(set(weights["pretraining"]) - {"imagenet"})
        if bases:
            found.append(f"Besides ImageNet's, these weights are in use: {', '.join(bases)}.")
    left_out = tables.get("left_out")
    if left_out is not None:
        found += [f"Left out: {row.reason}" for row in left_out.itertuples()]
    found.append(
        "The attention stage is our own design: the paper's abstract and its public follow-up "
        "do not describe the original in full."
    )
    return found
