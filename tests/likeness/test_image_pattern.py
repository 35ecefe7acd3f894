"""Image consistency: patterns over pictures after the level, corrected for people's noise."""

from dataclasses import replace

import numpy as np
import pytest
from picture_world import World
from scipy.stats import norm

from lib.likeness.answers import people_of
from lib.likeness.image_pattern import (
    consistency,
    correlation,
    everyone,
    of_fewer,
    pattern,
    without_clusters,
    without_people,
)

WORLD = World(seed=3)
RNG = np.random.default_rng(4)
TRIALS = WORLD.people(24, RNG)
PEOPLE = people_of(TRIALS)
EFFECT = WORLD.effect[np.lexsort((WORLD.stimulus, WORLD.level))]
LEVEL = PEOPLE.level


def both(chance):
    """The same answers for people of either half."""
    return np.stack([chance, chance])


def test_pattern_is_what_the_level_leaves():
    share = np.arange(88.0) / 88
    weight = np.ones(88)
    found = pattern(PEOPLE, share, weight)
    assert PEOPLE.by_level(found) == pytest.approx(0)
    assert pattern(PEOPLE, share + LEVEL, weight) == pytest.approx(found)


def test_correlation_equals_numpy_on_centred_patterns():
    a, b = (pattern(PEOPLE, RNG.random(88), np.ones(88)) for _ in range(2))
    assert correlation(a, b, np.ones(88)) == pytest.approx(np.corrcoef(a, b)[0, 1])


def test_fault_4_who_knows_only_the_level_has_no_image_consistency():
    known = np.stack([np.full(88, 0.5), 0.49 + 0.02 * LEVEL, LEVEL])
    assert consistency(PEOPLE, everyone(PEOPLE, RNG), both(known)) == pytest.approx(0)


@pytest.mark.parametrize("count", [8, 32])
def test_noise_of_people_is_taken_out(count):
    """Who has people's own pattern gets about 1, with few people as with many."""
    true = norm.cdf(((LEVEL - 0.5) / 0.15 + EFFECT) / np.hypot(1, 0.08 / 0.15))
    found = []
    for draw in range(20):
        some = people_of(WORLD.people(count, np.random.default_rng([count, draw])))
        found.append(
            consistency(some, everyone(some, np.random.default_rng(0)), both(true[None]))[0, 0]
        )
    assert np.mean(found) == pytest.approx(1, abs=0.08)


def test_reliability_is_the_spearman_brown_of_halves():
    """People without any pattern in common have none; of n people Spearman-Brown foretells 2n."""
    flat = World(identity_sd=0, picture_sd=0)
    some = people_of(flat.people(40, np.random.default_rng(1)))
    assert abs(everyone(some, RNG).reliability[0]) < 0.3
    assert of_fewer(np.array(0.8), 10, 5) == pytest.approx(2 / 3)
    assert of_fewer(of_fewer(np.array(0.8), 10, 1), 1, 10) == pytest.approx(0.8)


def test_people_who_share_next_to_nothing_give_no_score():
    group = replace(everyone(PEOPLE, RNG), reliability=np.array([0.09]))
    assert np.isnan(consistency(PEOPLE, group, both(LEVEL[None] + 0.1 * EFFECT))).all()
    assert np.isfinite(
        consistency(PEOPLE, everyone(PEOPLE, RNG), both(LEVEL[None] + 0.1 * EFFECT))
    ).all()


def test_leaving_out_is_the_same_as_never_asking():
    answers = np.random.default_rng(3).random((1, 88))
    left = without_people(PEOPLE, np.random.default_rng(0))
    fewer = people_of(TRIALS[TRIALS["observer"] != "p000"])
    assert left.n[0] == pytest.approx(fewer.n.sum(0))
    assert left.happy[0] == pytest.approx(fewer.happy.sum(0))
    assert left.reliability[0] == pytest.approx(
        everyone(fewer, np.random.default_rng(1)).reliability[0], abs=0.05
    )
    kept = PEOPLE.cluster != 2
    some = PEOPLE.pictures(kept)
    direct = consistency(some, everyone(some, np.random.default_rng(0)), both(answers[:, kept]))
    groups = without_clusters(PEOPLE, np.random.default_rng(0))
    assert consistency(PEOPLE, groups, both(answers))[2] == pytest.approx(direct[0])
