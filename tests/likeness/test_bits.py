"""Log likelihood above level: hand cases, and nothing for those who know only the level."""

import numpy as np
import pytest
from picture_world import World
from scipy.special import expit

from lib.likeness.answers import people_of
from lib.likeness.bits import best_strength, bits, bits_without, level_curves, others_mean
from lib.settings.options import Statistics

WORLD = World(seed=1)
PEOPLE = people_of(WORLD.people(40, np.random.default_rng(0)))
CURVES = level_curves(PEOPLE, Statistics())


def test_bits_by_hand():
    """One person, two answers: positive where the curve says .5 and the network .8."""
    some = PEOPLE.pictures(np.arange(88) < 2)
    some.happy[:], some.n[:] = [1, 0], [1, 1]
    curves = np.full(some.n.shape, 0.5)
    network = np.array([[0.8, 0.4]])
    wanted = (np.log2(0.8 / 0.5) + np.log2(0.6 / 0.5)) / 2
    assert bits(some, network, curves)[:, 0] == pytest.approx(wanted)


def test_nobody_is_in_the_curve_that_judges_them():
    changed = people_of(WORLD.people(40, np.random.default_rng(0)))
    changed.happy[3] = 1 - changed.happy[3]
    again = level_curves(changed, Statistics())
    assert again[3] == pytest.approx(CURVES[3])
    assert np.abs(again[4] - CURVES[4]).max() > 1e-3


def test_fault_4_who_knows_only_the_level_gains_nothing():
    order = np.lexsort((WORLD.stimulus, WORLD.level))
    exactly = expit(WORLD.level_alone())[order]
    coin, line = np.full(88, 0.5), 0.49 + 0.02 * PEOPLE.level
    found = bits(PEOPLE, np.stack([coin, line, exactly]), CURVES).mean(0)
    assert found[2] == pytest.approx(0, abs=0.02)
    assert (found[:2] < -0.2).all()


def test_shares_of_the_others_are_drawn_to_the_level_where_they_say_nothing():
    flat = World(identity_sd=0, picture_sd=0)
    some = people_of(flat.people(20, np.random.default_rng(0)))
    curves = level_curves(some, Statistics())
    assert best_strength(some, curves) > 4 * best_strength(PEOPLE, CURVES)
    assert others_mean(some, curves, np.inf)[:, 0] == pytest.approx(curves)
    gained = bits(some, others_mean(some, curves, best_strength(some, curves)), curves)
    assert gained.mean() == pytest.approx(0, abs=0.01)


def test_leaving_an_identity_out_is_the_same_as_never_showing_it():
    network = np.random.default_rng(1).random((2, 88))
    left = bits_without(PEOPLE, network, CURVES)
    kept = PEOPLE.cluster != 5
    direct = bits(PEOPLE.pictures(kept), network[:, kept], CURVES[:, kept])
    assert left[5] == pytest.approx(direct)
