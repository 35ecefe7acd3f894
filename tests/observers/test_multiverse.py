"""Every combination of choices, and what each does to a network whose PSE and slope are known."""

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy import stats

from lib.observers.multiverse import (
    CHOICES,
    _welch,
    half_of_levels,
    multiverse,
)
from lib.settings.options import Statistics

LEVELS = np.linspace(0, 1, 9)


def trials(centres=(0.6, 0.62), n_people=6):
    """People with a PSE of .5 and two networks whose log-odds cross 0 elsewhere."""
    rng = np.random.default_rng(0)
    pictures = pd.DataFrame(
        [(i, x, f"{i}{x}") for i in "ab" for x in LEVELS], columns=["identity", "level", "stimulus"]
    ).assign(condition="full", architecture="", pretraining="", seed="", p_happy=np.nan)
    rows = []
    for k in range(n_people):
        for _ in range(10):
            happy = rng.random(len(pictures)) < stats.norm.cdf((pictures["level"] - 0.5) / 0.15)
            rows.append(pictures.assign(observer=f"p{k}", kind="human", response=happy * 1.0))
    for k, centre in enumerate(centres):
        z = 8 * (pictures["level"] - centre)
        rows.append(
            pictures.assign(
                observer=f"alexnet-s{k}",
                kind="cnn",
                architecture="alexnet",
                pretraining="imagenet",
                seed=k,
                log_odds=z,
                p_happy=1 / (1 + np.exp(-z)),
                response=np.nan,
            )
        )
    return pd.concat(rows, ignore_index=True)


def test_every_combination_is_there_once_with_each_metric():
    worlds = multiverse(trials(), Statistics())
    count = np.prod([len(choice) for choice in CHOICES.values()])
    assert len(worlds) == 2 * count and not worlds.duplicated([*CHOICES, "metric"]).any()


def test_the_difference_is_found_under_every_rule_but_the_one_that_moves_the_line():
    worlds = multiverse(trials(), Statistics()).query("metric == 'pse_difference'")
    moved = worlds["decision"] == "noisy_shifted"
    assert worlds.loc[~moved, "value"].between(0.08, 0.14).all()
    assert worlds.loc[moved, "value"].abs().max() < 0.04
    assert (worlds["low"] <= worlds["value"]).all() and (worlds["value"] <= worlds["high"]).all()


def test_fitted_noise_gives_the_slope_of_people():
    worlds = multiverse(trials((0.5, 0.5), 24), Statistics()).query("metric == 'slope_ratio'")
    plain = worlds.query("gaps == 'none' and sigmoid == 'norm' and levels == 'all'")
    by = plain.groupby("decision")["value"].median()
    assert by["noisy"] == pytest.approx(1, abs=0.1)


def test_further_scores_come_with_the_rule_they_were_made_under():
    def score(table):
        value = table.loc[table["kind"] == "cnn", "p_positive"].mean()
        row = {"architecture": "alexnet", "pretraining": "imagenet", "metric": "mean"}
        return pd.DataFrame([row | {"value": value, "low": 0.0, "high": 1.0}])

    more = multiverse(trials(), Statistics(), score).query("metric == 'mean'")
    assert more["decision"].tolist() == list(CHOICES["decision"]) and more["sigmoid"].isna().all()
    assert more["value"].nunique() > 1


def test_half_of_the_levels_keep_their_ends():
    assert half_of_levels(LEVELS).tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert half_of_levels(np.array([0.0, 0.3, 0.6, 1.0])).tolist() == [0, 1]


def test_intervals_are_welchs():
    people, seeds = pd.Series([0.4, 0.5, 0.65, np.nan]), pd.Series([0.6, 0.7])
    test = pingouin.ttest(seeds, people.dropna(), correction=True).iloc[0]
    assert _welch(seeds, people, 0.95)[1:] == pytest.approx(test["CI95"], abs=0.006)  # rounded
    assert np.isnan(_welch(seeds[:1], people, 0.95)[1:]).all()
