"""From trials to the table of fits: counts by hand, networks by their probabilities, shifts and the multiverse."""

import numpy as np
import pandas as pd
import pytest

from lib.fit_tables import counts, curves_of, fit_table, multiverse, shared_levels, shifts
from lib.settings import Statistics

LEVELS = np.linspace(0, 1, 9)
NETWORK = {"kind": "cnn", "architecture": "alexnet", "pretraining": "imagenet", "seed": 0, "response": 1.0}
PERSON = {"kind": "simulated", "architecture": np.nan, "pretraining": np.nan, "seed": np.nan, "p_happy": np.nan}


def trials(pse: float = 0.5, n: int = 20, hidden: float = 0.1) -> pd.DataFrame:
    """Two people and one network, full faces and hidden mouths, whose PSE lies ``hidden`` higher."""
    rng, rows = np.random.default_rng(0), []
    for condition, middle in (("full", pse), ("mouth", pse + hidden)):
        for level in LEVELS:
            p = 1 / (1 + np.exp(-(level - middle) / 0.07))
            for repeat in range(n):
                cell = {"level": level, "condition": condition, "repeat": repeat, "stimulus": f"{condition}{level}"}
                rows += [PERSON | cell | {"observer": f"p{i}", "response": float(rng.random() < p)} for i in range(2)]
                rows.append(NETWORK | cell | {"observer": "net", "p_happy": p})
    return pd.DataFrame(rows)


def test_counts_by_hand():
    table = pd.DataFrame([PERSON | {"observer": "p", "level": 0.5, "condition": "full", "response": r}
                          for r in (1.0, 0.0, np.nan, 1.0)]
                         + [NETWORK | {"observer": "net", "level": 0.5, "condition": "full", "p_happy": p}
                            for p in (0.25, 0.5)])
    found = counts(table, Statistics()).set_index("observer")
    assert found.loc["p", ["n_happy", "n"]].tolist() == [2, 3]
    assert found.loc["net", ["n_happy", "n"]].tolist() == [0.75, 2]
    assert counts(table, Statistics(decision="argmax")).set_index("observer").loc["net", "n_happy"] == 0.5


def test_the_table_has_one_row_per_observer_and_condition_with_the_pse_in_its_interval():
    table = fit_table(trials(), Statistics(n_boot=60), np.random.default_rng(1))
    assert len(table) == 6 and (table["reason"] == "").all()
    assert ((table["pse_low"] < table["pse"]) & (table["pse"] < table["pse_high"])).all()
    network = table.query("observer == 'net' and condition == 'full'").iloc[0]
    assert network["pse"] == pytest.approx(0.5, abs=0.01)
    at_pse = curves_of(table, np.array([network["pse"]]))[table.index[table["observer"] == "net"][0]]
    assert at_pse == pytest.approx(0.5, abs=1e-6)


def test_shift_of_a_hidden_part_is_recovered():
    moved = shifts(fit_table(trials(hidden=0.1), Statistics())).set_index("observer")
    assert moved.loc["net", "pse_shift"] == pytest.approx(0.1, abs=0.01)
    assert moved.loc["net", "slope_change"] == pytest.approx(0, abs=0.1)


def test_multiverse_has_every_combination_and_knows_the_difference():
    worlds = multiverse(trials(), Statistics())
    assert len(worlds) == 1 * 2 * 3 * 2 and not worlds.duplicated(["levels", "bounds", "decision", "sigmoid"]).any()
    assert worlds["pse_difference"].abs().max() < 0.1


def test_shared_levels_are_evenly_spaced_and_keep_the_ends():
    assert shared_levels(np.linspace(0, 1, 21), 9).tolist() == pytest.approx(
        [0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1], abs=0.051)
    assert shared_levels(LEVELS, 9) is LEVELS
