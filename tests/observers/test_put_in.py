"""What was put into simulated people comes out again, and is told where it does not."""

from dataclasses import replace

import numpy as np
import pandas as pd

from lib.observers.put_in import put_in_found, put_in_text
from lib.observers.tables import fit_table
from lib.people.simulated import simulate_people
from lib.settings.loading import load_study
from lib.settings.options import Statistics

STUDY = "data/studies/demo.yaml"


def stimuli():
    return pd.DataFrame(
        [
            (f"{i}-{c}-{x:.2f}", i, x, c)
            for i in ("a", "b")
            for c in ("full", "eyes", "nose", "mouth")
            for x in np.linspace(0, 1, 21)
        ],
        columns=["stimulus", "identity", "level", "condition"],
    )


def test_the_constants_are_found_and_other_constants_are_not():
    study = load_study(STUDY, "observers.simulated.n=40 observers.simulated.seed=2")
    people = simulate_people(study, stimuli())
    fits = fit_table(people, Statistics(n_boot=60), np.random.default_rng(0))
    settings = study.observers.simulated
    table = put_in_found(fits, settings)
    assert len(table) == 4 + 2 * 3 and table["hit"].mean() >= 0.9
    row = table.set_index("quantity").loc["mean PSE"]
    assert row["put_in"] == settings.pse_mean and row["low"] < row["found"] < row["high"]
    other = replace(settings, pse_mean=0.7)
    wrong = put_in_found(fits, other).set_index("quantity")
    assert not wrong.loc["mean PSE", "hit"]
    shown = put_in_text(wrong.reset_index())
    assert shown.loc["mean PSE", "held"] == "✗" and "[" in shown.iloc[0, 1]


def test_one_person_has_no_interval_and_gets_no_tick():
    study = load_study(STUDY, "observers.simulated.n=1")
    people = simulate_people(study, stimuli())
    fits = fit_table(people, Statistics(n_boot=20), np.random.default_rng(0))
    table = put_in_found(fits, study.observers.simulated)
    assert not table["hit"].any() and (put_in_text(table)["held"] == "–").all()
