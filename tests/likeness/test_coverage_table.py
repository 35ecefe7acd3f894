"""The table of coverages that notebook 04 shows."""

import pandas as pd

from lib.settings.options import ROOT

TABLE = pd.read_csv(ROOT / "data" / "reference" / "coverage.csv")
CROSSED = TABLE[TABLE["method"].eq("crossed")]


def test_crossed_intervals_never_cover_clearly_too_little():
    assert set(CROSSED["seeds"]) == {3, 5, 10}
    assert (CROSSED["coverage_high"] >= 0.93).all()


def test_fault_7_the_bootstrap_of_three_seeds_covers_too_little():
    old = TABLE[TABLE["method"].str.contains("bootstrap") & TABLE["seeds"].eq(3)]
    assert (old["coverage_high"] < 0.9).all()
