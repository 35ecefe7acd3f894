"""What README opens with: a published run in three sentences and a table of verdicts."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from lib.observers.sentences import found_in_words
from lib.report.cards import claim_cards
from lib.settings.words import POLES, Poles, label
from lib.statistics.intervals import interval_text

BEGIN, END = "<!-- written by lib.workbook.publish -->", "<!-- end of what is written -->"
MET = {"supported": "met", "refuted": "not met", "inconclusive": "open"}


def opening(tables: dict[str, pd.DataFrame], poles: Poles = POLES) -> str:
    """Markdown: where the boundaries lie, what the attention stage is worth, and the verdicts.

    Parameters
    ----------
    tables : of a run, by name: people_summary, psychometrics, claims, claim_criteria,
        accuracy_differences.
    """
    summary, fits, claims = (tables[x] for x in ("people_summary", "psychometrics", "claims"))
    people = found_in_words(summary, fits, claims, poles).split("\n")[0].partition(". ")[2]
    worth = attention_sentence(tables["accuracy_differences"])
    sentences = [people, boundaries_sentence(fits), worth]
    rows = ["| | the paper claims | this run | criteria |", "|---|---|---|---|"]
    for card in claim_cards(tables):
        met = criteria_in_words(tables["claim_criteria"], card.id)
        rows.append(f"| {card.id} | {card.claim} | **{card.verdict}** | {met} |")
    return "\n".join([" ".join(sentences), "", *rows])


def boundaries_sentence(fits: pd.DataFrame) -> str:
    """At which level each network's answers turn, on whole faces, and in how many of its seeds."""
    mine = fits[fits["kind"].eq("cnn") & fits["condition"].eq("full")]
    told = []
    for who, seeds in mine.groupby(["architecture", "pretraining"], sort=False):
        pse = seeds["pse"].dropna()
        where = f"at {pse.mean():.2f}" if len(pse) else "nowhere"
        told.append(f"{label(*who)} {where} ({len(pse)} of {len(seeds)} seeds)")
    return f"Where the networks' answers turn: {', '.join(told)}."


def attention_sentence(differences: pd.DataFrame) -> str:
    """What FE-AlexNet's accuracy is above that of each other network, in points of 100."""
    mine = differences[differences["architecture"].eq("fe_alexnet")]
    told = []
    for row in mine.itertuples():
        value = interval_text(100 * row.difference, 100 * row.low, 100 * row.high, 1, "+")
        told.append(f"{value} against {label(row.versus)}")
    joined = "; ".join(told)
    return f"FE-AlexNet's share of right answers, in points of 100 with 95 % intervals: {joined}."


def criteria_in_words(criteria: pd.DataFrame, claim: str) -> str:
    """How many of a claim's criteria are met: ``10: 2 met, 5 not met, 3 open``."""
    mine = criteria.loc[criteria["id"].eq(claim), "verdict"]
    if mine.empty:
        return ""
    counts = Counter(MET.get(verdict, verdict) for verdict in mine)
    return f"{len(mine)}: " + ", ".join(f"{n} {name}" for name, n in counts.items())


def with_opening(text: str, written: str) -> str:
    """A README with the part between its two marks replaced.

    Raises
    ------
    ValueError : the marks are not there.
    """
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"README.md has no part between {BEGIN!r} and {END!r}")
    return f"{head}{BEGIN}\n\n{written}\n\n{END}{tail}"
