"""From trials to the table of fits: counts by hand, networks by their log-odds, and shifts."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lib.observers.tables import (
    curves_of,
    fit_table,
    level_shares,
    people_counts,
    shifts,
)
from lib.settings.options import Statistics

LEVELS = np.linspace(0, 1, 9)
NETWORK = {
    "kind": "cnn",
    "architecture": "alexnet",
    "pretraining": "imagenet",
    "seed": 0,
    "response": 1.0,
}
PERSON = {
    "kind": "simulated",
    "architecture": np.nan,
    "pretraining": np.nan,
    "seed": np.nan,
    "p_happy": np.nan,
}


def trials(pse: float = 0.5, n: int = 20, hidden: float = 0.1) -> pd.DataFrame:
    """Two people and one network, full faces and hidden mouths, whose PSE lies ``hidden``
    higher.
    """
    rng, rows = np.random.default_rng(0), []
    for condition, middle in (("full", pse), ("mouth", pse + hidden)):
        for level in LEVELS:
            p = 1 / (1 + np.exp(-(level - middle) / 0.07))
            for repeat in range(n):
                cell = {
                    "identity": "a",
                    "level": level,
                    "condition": condition,
                    "repeat": repeat,
                    "stimulus": f"{condition}{level}",
                }
                rows += [
                    PERSON | cell | {"observer": f"p{i}", "response": float(rng.random() < p)}
                    for i in range(2)
                ]
                rows.append(NETWORK | cell | {"observer": "net", "p_happy": p})
    return pd.DataFrame(rows)


def test_counts_by_hand():
    table = pd.DataFrame(
        [
            PERSON | {"observer": "p", "level": 0.5, "condition": "full", "response": r}
            for r in (1.0, 0.0, np.nan, 1.0)
        ]
    )
    assert people_counts(table)[["n_happy", "n"]].to_numpy().tolist() == [[2, 3]]


def test_the_table_has_one_row_per_observer_and_condition_with_the_pse_in_its_interval():
    table = fit_table(trials(), Statistics(n_boot=60), np.random.default_rng(1))
    assert len(table) == 6 and (table["reason"] == "").all()
    people, network = table[table["kind"] != "cnn"], table[table["kind"] == "cnn"]
    assert (people["pse_low"] < people["pse"]).all() and (people["pse"] < people["pse_high"]).all()
    assert people["fit_p"].notna().all() and (people["misfit"] < 0.1).all()
    assert network.set_index("condition").loc["full", "pse"] == pytest.approx(0.5, abs=1e-6)
    assert network[["location", "scale", "guess", "fit_p"]].isna().all(axis=None)
    at_pse = curves_of(people, people["pse"].to_numpy()).diagonal()
    assert at_pse == pytest.approx(0.5, abs=1e-6)


def test_networks_have_nothing_of_a_prior_or_of_the_number_of_trials():
    few = fit_table(trials(n=1), Statistics()).query("kind == 'cnn'")
    many = fit_table(trials(n=30), Statistics()).query("kind == 'cnn'")
    assert few["pse"].to_numpy() == pytest.approx(many["pse"].to_numpy(), abs=1e-12)
    strong = fit_table(trials(n=1), Statistics(penalty=50)).query("kind == 'cnn'")
    assert strong["pse"].to_numpy() == pytest.approx(few["pse"].to_numpy(), abs=1e-12)


def test_sensitivity_of_choices_puts_people_and_a_network_that_answers_as_they_do_on_one_scale():
    table = fit_table(trials(n=60), Statistics(decision="softmax"))
    full = table[table["condition"] == "full"].set_index("kind")["choice_sensitivity"]
    assert full["cnn"] == pytest.approx(full["simulated"].mean(), abs=0.35)


def test_the_criterion_of_people_does_not_hang_on_where_their_levels_lie():
    """Half of the people see levels about their own threshold, as staircases have it."""
    rng, rows = np.random.default_rng(4), []
    for k, level in enumerate(([0, 0.36, 0.44, 1], np.linspace(0, 1, 21))):
        for x in level:
            answers = rng.random(400) < stats.norm.cdf((x - 0.4) / 0.1)
            rows += [PERSON | {"observer": f"p{k}", "level": x, "response": a} for a in answers]
    table = fit_table(pd.DataFrame(rows).assign(condition="full", stimulus=""), Statistics())
    assert table["criterion"].to_numpy() == pytest.approx([1, 1], abs=0.2)


def test_points_are_means_and_networks_have_the_rising_curve():
    points = level_shares(trials(), Statistics(decision="softmax"))
    network = points[(points["kind"] == "cnn") & (points["condition"] == "full")]
    expected = 1 / (1 + np.exp(-(LEVELS - 0.5) / 0.07))
    np.testing.assert_allclose(network["share"], expected, atol=1e-9)
    np.testing.assert_allclose(network["curve"], expected, atol=1e-9)
    people = points[points["kind"] != "cnn"]
    assert people["curve"].isna().all() and (people["n"] == 20).all()


def test_shift_of_a_hidden_part_is_recovered():
    moved = shifts(fit_table(trials(hidden=0.1), Statistics())).set_index("observer")
    assert moved.loc["net", "pse_shift"] == pytest.approx(0.1, abs=0.01)
    assert moved.loc["net", "slope_change"] == pytest.approx(0, abs=0.1)
    assert np.isfinite(moved["sensitivity_loss"]).all()
