"""README opens with the numbers of the published tables."""

import json

import numpy as np
import pandas as pd
import pytest

from lib.report.opening import (
    BEGIN,
    END,
    attention_sentence,
    boundaries_sentence,
    criteria_in_words,
    opening,
    with_opening,
)
from lib.settings.options import ROOT
from lib.storage.runs import read_tables


def test_boundaries_are_those_of_whole_faces_with_their_seeds():
    rows = [
        ("alexnet", "imagenet", "full", 0.2),
        ("alexnet", "imagenet", "full", np.nan),
        ("alexnet", "imagenet", "eyes", 0.9),
        ("alexnet", "untrained", "full", np.nan),
    ]
    fits = pd.DataFrame(rows, columns=["architecture", "pretraining", "condition", "pse"])
    told = boundaries_sentence(fits.assign(kind="cnn"))
    assert "AlexNet at 0.20 (1 of 2 seeds), AlexNet (untrained) nowhere (0 of 1 seeds)" in told


def test_differences_are_told_in_points_of_100():
    row = {"architecture": "fe_alexnet", "versus": "vgg16", "difference": 0.024}
    told = attention_sentence(pd.DataFrame([row | {"low": -0.001, "high": 0.049}]))
    assert "+2.4 [-0.1, +4.9] against VGG16" in told


def test_criteria_are_counted():
    verdicts = ["supported", "refuted", "refuted", "inconclusive", "not testable here"]
    table = pd.DataFrame({"id": ["C1"] * 5, "verdict": verdicts})
    told = criteria_in_words(table, "C1")
    assert told == "5: 1 met, 2 not met, 1 open, 1 not testable here"
    assert criteria_in_words(table, "C4") == ""


def test_only_the_marked_part_changes():
    text = f"# Name\n{BEGIN}\nold\n{END}\nrest"
    assert with_opening(text, "new") == f"# Name\n{BEGIN}\n\nnew\n\n{END}\nrest"
    with pytest.raises(ValueError, match="no part between"):
        with_opening("# Name", "new")


def test_readme_says_what_the_published_tables_say():
    folder = ROOT / "data/reference/angry_happy"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    poles = tuple(json.loads((folder / "run.json").read_text(encoding="utf-8"))["poles"])
    assert with_opening(readme, opening(read_tables(folder), poles)) == readme
