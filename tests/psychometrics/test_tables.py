"""From trials to the table of fits: counts by hand, networks by their probabilities, shifts and
the multiverse.
"""

import numpy as np
import pandas as pd
import pingouin
import pytest

from lib.psychometrics.tables import (
    _welch,
    counts,
    curves_of,
    fit_table,
    fit_trials,
    multiverse,
    normalised,
    people_summary,
    pooled_people,
    shared_levels,
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
        + [
            NETWORK | {"observer": "net", "level": 0.5, "condition": "full", "p_happy": p}
            for p in (0.25, 0.5)
        ]
    )
    found = counts(table, Statistics()).set_index("observer")
    assert found.loc["p", ["n_happy", "n"]].tolist() == [2, 3]
    assert found.loc["net", ["n_happy", "n"]].tolist() == [0.75, 2]
    assert (
        counts(table, Statistics(decision="argmax")).set_index("observer").loc["net", "n_happy"]
        == 0.5
    )


def test_the_table_has_one_row_per_observer_and_condition_with_the_pse_in_its_interval():
    table = fit_table(trials(), Statistics(n_boot=60), np.random.default_rng(1))
    assert len(table) == 6 and (table["reason"] == "").all()
    assert ((table["pse_low"] < table["pse"]) & (table["pse"] < table["pse_high"])).all()
    network = table.query("observer == 'net' and condition == 'full'").iloc[0]
    assert network["pse"] == pytest.approx(0.5, abs=0.01)
    at_pse = curves_of(table, np.array([network["pse"]]))[
        table.index[table["observer"] == "net"][0]
    ]
    assert at_pse == pytest.approx(0.5, abs=1e-6)


def test_shift_of_a_hidden_part_is_recovered():
    moved = shifts(fit_table(trials(hidden=0.1), Statistics())).set_index("observer")
    assert moved.loc["net", "pse_shift"] == pytest.approx(0.1, abs=0.01)
    assert moved.loc["net", "slope_change"] == pytest.approx(0, abs=0.1)


def test_multiverse_has_every_combination_and_knows_the_difference():
    worlds = multiverse(trials(), Statistics())
    choices = ["levels", "bounds", "decision", "normalisation", "sigmoid"]
    assert len(worlds) == 1 * 2 * 3 * 2 * 2 and not worlds.duplicated(choices).any()
    assert worlds["pse_difference"].abs().max() < 0.1


def test_intervals_of_the_multiverse_are_welchs():
    people, seeds = pd.Series([0.4, 0.5, 0.65, np.nan]), pd.Series([0.6, 0.7])
    test = pingouin.ttest(seeds, people.dropna(), correction=True).iloc[0]
    assert _welch(seeds, people, 0.95) == pytest.approx(test["CI95"], abs=0.006)  # rounded there
    assert np.isnan(_welch(seeds[:1], people, 0.95)).all()


def test_normalised_networks_run_from_0_to_1_and_flat_ones_and_people_stay():
    rows = pd.DataFrame(
        {
            "observer": ["net"] * 4 + ["flat"] * 2 + ["person"],
            "kind": ["cnn"] * 6 + ["human"],
            "level": [0, 0.5, 1, 1, 0, 1, 0],
            "p_happy": [0.2, 0.5, 0.5, 0.7, 0.4, 0.4, np.nan],
        }
    )
    assert normalised(rows)["p_happy"].tolist() == pytest.approx(
        [0, 0.75, 0.75, 1, 0.4, 0.4, np.nan], nan_ok=True
    )


def test_streaky_people_have_beta_binomial_fits_where_the_study_asks_and_networks_never():
    streaky = fit_trials(trials(), Statistics(overdispersion=True))
    assert [fit.options.overdispersion for _, fit in streaky] == [True, False]
    assert [fit.options.overdispersion for _, fit in fit_trials(trials(), Statistics())] == [
        False,
        False,
    ]


def test_shared_levels_are_evenly_spaced_and_keep_the_ends():
    assert shared_levels(np.linspace(0, 1, 21), 9).tolist() == pytest.approx(
        [0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1], abs=0.051
    )
    assert shared_levels(LEVELS, 9) is LEVELS


def test_peoples_summary_is_pingouins_and_by_hand():
    values = np.array([0.4, 0.5, 0.6, np.nan])
    table = people_summary(
        pd.DataFrame({"pse": values, "slope": np.exp(values), "jnd": np.exp(-values)})
    )
    table = table.set_index("quantity")
    test = pingouin.ttest(values[:3], 0.0).iloc[0]
    assert table.loc["pse", ["low", "high"]].tolist() == pytest.approx(
        list(test["CI95"]), abs=0.006
    )  # rounded there
    assert table.loc["pse", ["mean", "sd", "n"]].tolist() == pytest.approx([0.5, 0.1, 3])
    # chi-square's 2.5 % and 97.5 % points of 2 degrees of freedom: 0.0506 and 7.378
    assert table.loc["pse", ["sd_low", "sd_high"]].tolist() == pytest.approx(
        [0.1 * (2 / 7.378) ** 0.5, 0.1 * (2 / 0.05064) ** 0.5], rel=1e-3
    )
    assert table.loc["slope", "mean"] == pytest.approx(np.exp(0.5)) and table.loc[
        "slope", "sd"
    ] == pytest.approx(0.1)
    assert table.loc["jnd", "low"] == pytest.approx(1 / table.loc["slope", "high"])


def test_intervals_of_mean_and_spread_hold_the_truth_as_often_as_they_say():
    rng, held = np.random.default_rng(3), []
    for _ in range(400):
        row = (
            people_summary(
                pd.DataFrame(
                    {name: np.exp(rng.normal(0, 0.3, 12)) for name in ("pse", "slope", "jnd")}
                )
            )
            .set_index("quantity")
            .loc["slope"]
        )
        held.append([row["low"] < 1 < row["high"], row["sd_low"] < 0.3 < row["sd_high"]])
    assert np.abs(np.mean(held, axis=0) - 0.95).max() < 0.03


def test_one_person_has_a_mean_and_no_interval():
    row = people_summary(pd.DataFrame({"pse": [0.4], "slope": [3.0], "jnd": [0.1]})).iloc[0]
    assert row["mean"] == 0.4 and row[["low", "high", "sd", "sd_low"]].isna().all()


def test_pooling_draws_people_with_few_answers_towards_their_group():
    level, rng, rows = np.linspace(0, 1, 6), np.random.default_rng(0), []
    for person, pse in enumerate(rng.normal(0.5, 0.08, 20)):
        for repeat in range(4):
            happy = rng.random(6) < 1 / (1 + np.exp(-(level - pse) / 0.07))
            rows += [
                PERSON
                | {
                    "observer": f"p{person}",
                    "level": x,
                    "condition": "full",
                    "repeat": repeat,
                    "stimulus": f"{x}",
                    "response": float(h),
                }
                for x, h in zip(level, happy, strict=True)
            ]
    table = pd.DataFrame(rows)
    pooled, alone = pooled_people(table, Statistics()), fit_table(table, Statistics())
    assert pooled.fit.pse.std() < alone["pse"].std() and (pooled.shrinkage > 0.05).all()
    assert pooled.mean[0] == pytest.approx(0.5, abs=4 * pooled.mean_error[0])
