"""People's mean and spread: by hand, by pingouin, and as often right as they say."""

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy import stats

from lib.observers.multiverse import multiverse
from lib.observers.population import (
    flatter_together,
    latent_spread,
    people_summary,
    pooled_people,
)
from lib.observers.tables import fit_table
from lib.psychometrics.fitting import fit_psychometric
from lib.settings.options import Statistics

PERSON = {
    "kind": "simulated",
    "architecture": np.nan,
    "pretraining": np.nan,
    "seed": np.nan,
    "p_happy": np.nan,
}


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


def test_the_latent_spread_is_without_the_error_of_the_answers():
    rng, held = np.random.default_rng(6), []
    for _ in range(300):
        errors = rng.uniform(0.02, 0.06, 40)
        values = rng.normal(0.5, 0.08, 40) + rng.normal(0, errors)
        found, low, high = latent_spread(values, errors)
        held.append([found, low < 0.08 < high, values.std(ddof=1)])
    found, covered, apparent = np.mean(held, axis=0)
    assert found == pytest.approx(0.08, abs=0.003) and apparent > 0.088
    assert covered == pytest.approx(0.95, abs=0.035)


def test_people_who_differ_by_their_errors_alone_have_no_latent_spread():
    rng = np.random.default_rng(7)
    found, low, _ = latent_spread(rng.normal(0.5, 0.03, 60), np.full(60, 0.05))
    assert found == low == 0
    assert np.isnan(latent_spread(np.array([0.4, 0.5]), np.array([0.1, 0.1]))).all()


def test_people_together_are_flatter_by_how_far_they_lie_apart():
    """The mean of Gaussian curves about normal PSEs is Gaussian: variances add up."""
    rng = np.random.default_rng(8)
    level = np.linspace(0, 1, 41)
    place = rng.normal(0.5, 0.09, 400)
    n = 4000
    happy = n * stats.norm.cdf((level - place[:, None]) / 0.12)
    fit = fit_psychometric(level, happy, n, guess=0, lapse=0, penalty=0)
    everybody = pd.DataFrame({"level": level, "n_happy": happy.sum(0), "n": n * len(place)})
    one = everybody.assign(n_happy=happy[0], n=n)
    apart = 0.12 / np.hypot(0.12, place.std())
    assert flatter_together(fit, everybody) == pytest.approx(apart, abs=0.01)
    assert flatter_together(fit[:1], one) == pytest.approx(1, abs=0.01)


def test_a_network_that_answers_as_these_people_has_their_slope_under_fitted_noise():
    """People differ in their PSE, and one network's log-odds are their mean's."""
    people = people_like(0.12, 0.12)
    worlds = multiverse(people, Statistics()).query("metric == 'slope_ratio'")
    mine = worlds.query("gaps == 'none' and sigmoid == 'norm' and decision == 'noisy'")
    assert mine["value"].to_numpy() == pytest.approx(1, abs=0.15)  # apart: 0.7


def people_like(scale: float, spread: float) -> pd.DataFrame:
    """Forty people, and two networks whose log-odds rise straight through their mean PSE."""
    rng = np.random.default_rng(9)
    level = np.tile(np.linspace(0, 1, 21), 2)
    pictures = pd.DataFrame({"level": level, "identity": np.repeat(["a", "b"], 21)}).assign(
        stimulus=[f"s{k}" for k in range(42)], condition="full", architecture="", pretraining=""
    )
    rows = []
    for k in range(40):
        chance = stats.norm.cdf((level - rng.normal(0.5, spread)) / scale)
        answers = pictures.assign(observer=f"p{k:02d}", kind="human", seed="")
        rows += [answers.assign(response=(rng.random(42) < chance) * 1.0) for _ in range(10)]
    for k in range(2):
        z = 5 * (level - 0.5)
        named = {"observer": f"n{k}", "kind": "cnn", "architecture": "alexnet", "seed": k}
        rows.append(pictures.assign(**named, log_odds=z, p_happy=1 / (1 + np.exp(-z))))
    return pd.concat(rows, ignore_index=True)
