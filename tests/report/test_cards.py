"""The first page of a report: cards, answer and limits."""

import numpy as np
import pandas as pd

from lib.report.cards import answer_sentence, claim_cards, limits

CLAIMS = pd.DataFrame(
    {
        "id": ["C2", "C1", "C1"],
        "claim": ["outperforms", "partly performs", "partly performs"],
        "evidence": ["No difference.", "One of two criteria.", "PSE"],
        "value": [0.1, np.nan, 0.5],
        "low": [-0.2, np.nan, 0.4],
        "high": [0.3, np.nan, 0.6],
        "margin": [0.01, np.nan, np.nan],
        "verdict": ["inconclusive", "partly", "supported"],
    }
)


def test_a_claim_is_one_card_whose_first_row_gives_verdict_and_finding():
    first, second = claim_cards({"claims": CLAIMS})
    assert (first.id, first.verdict, first.finding) == ("C1", "partly", "One of two criteria.")
    assert [row["value"] for row in first.rows] == ["0.5 [0.4, 0.6]"]
    assert second.rows[0]["margin"] == "0.01"
    assert claim_cards({}) == []


def test_the_answer_counts_verdicts():
    text = answer_sentence(claim_cards({"claims": CLAIMS}))
    assert text == "Of the paper's 2 claims: 1 partly, 1 inconclusive."
    assert answer_sentence([]) == ""


def test_limits_name_simulated_people_other_weights_and_what_was_left_out():
    tables = {
        "trials": pd.DataFrame({"kind": ["simulated", "cnn"]}),
        "weights": pd.DataFrame({"pretraining": ["imagenet", "untrained"]}),
        "left_out": pd.DataFrame({"reason": ["vgg11: no weights"]}),
    }
    text = " ".join(limits(tables, {"training": {"seeds": 3}}))
    for words in ("simulated", "trained 3 times", "in use: untrained", "vgg11: no weights"):
        assert words in text
    assert "simulated" not in " ".join(limits({}, {"training": {"seeds": 3}}))
