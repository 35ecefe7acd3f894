"""The table of constructed observers: who knows nothing but the level passes no picture score."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from picture_world import World

from lib.likeness.picture_scores import METRICS as PICTURE_METRICS
from lib.likeness.scorecard import human_likeness
from lib.settings.options import Statistics

WORLD = World(identities=10, identity_sd=0.4, picture_sd=0.4, seed=2)
PEOPLE = 40


def log_odds(p):
    return np.log(p / (1 - p))


def held_out_mean(rng):
    """Log-odds of the mean answer of as many people as there are others in the half that judges."""
    others = WORLD.people(PEOPLE // 2 - 1, rng, repeats=3)
    share = others.groupby("stimulus")["response"].mean().reindex(WORLD.stimulus).to_numpy()
    return log_odds(np.clip(share, 0.02, 0.98))


@pytest.fixture(scope="module")
def table():
    """Value of each metric (columns) of each constructed observer (rows), and its lower ceiling."""
    rng = np.random.default_rng(8)
    people = WORLD.people(PEOPLE, rng, repeats=3)
    observers = {
        "coin": np.zeros(WORLD.level.size),
        "line from .49 to .51": log_odds(0.49 + 0.02 * WORLD.level),
        "level exactly": WORLD.level_alone(),
        "noise on the level": WORLD.level_alone() + rng.normal(0, 0.5, WORLD.level.size),
        "mean of held-out people": held_out_mean(rng),
    }
    networks = [WORLD.network(name, 0, z) for name, z in observers.items()]
    trials = pd.concat([people, *networks], ignore_index=True)
    found = human_likeness(trials, replace(Statistics(), decision="noisy"))
    wide = found.pivot(index="architecture", columns="metric", values="value")
    ceiling = found.groupby("metric")["ceiling_low"].first()
    return pd.concat([wide, ceiling.rename("ceiling").to_frame().T])


@pytest.mark.parametrize("who", ["coin", "line from .49 to .51", "level exactly"])
def test_fault_4_level_alone_is_worth_nothing(table, who):
    assert table.loc[who, "error_consistency"] == pytest.approx(0, abs=1e-9)
    assert table.loc[who, "image_consistency"] == pytest.approx(0, abs=1e-9)
    assert table.loc[who, "log_likelihood"] < 0.01


def test_who_knows_the_level_exactly_loses_nothing_either(table):
    assert table.loc["level exactly", "log_likelihood"] == pytest.approx(0, abs=0.02)
    assert table.loc["coin", "log_likelihood"] < -0.2


def test_differences_between_pictures_that_people_do_not_share_are_worth_nothing(table):
    noisy = table.loc["noise on the level"]
    assert noisy["error_consistency"] == pytest.approx(0, abs=0.02)
    assert noisy["image_consistency"] == pytest.approx(0, abs=0.25)
    assert noisy["log_likelihood"] < 0.01


@pytest.mark.parametrize("metric", PICTURE_METRICS)
def test_held_out_people_reach_the_lower_ceiling(table, metric):
    share = table.loc["mean of held-out people", metric] / table.loc["ceiling", metric]
    assert share == pytest.approx(1, abs=0.2)


def test_fault_4_the_old_scores_would_have_let_the_line_pass(table):
    """Curves that know only the level lie close to people's: RMSE alone proves nothing."""
    assert table.loc["level exactly", "rmse"] < table.loc["ceiling", "rmse"]
