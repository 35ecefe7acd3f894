"""Error consistency within level: hand cases, undefined ones, and what level alone gets."""

import numpy as np
import pytest

from lib.likeness.answers import People
from lib.likeness.within_level import has_right_answer, kappa, kappa_without


def people(happy, n, level, cluster=None):
    happy, n = np.atleast_2d(happy).astype(float), np.atleast_2d(n).astype(float)
    cluster = np.arange(len(level)) if cluster is None else np.asarray(cluster)
    names = np.array([f"p{i}" for i in range(len(happy))])
    return People(
        names,
        np.zeros(len(happy), int),
        happy,
        n,
        np.arange(len(level)),
        np.asarray(level, float),
        cluster,
    )


def test_kappa_by_hand():
    """Two pictures at 0.2, answered alike; of three at 0.8 one is answered alike."""
    one = people([1, 0, 1, 1, 0], [1] * 5, [0.2, 0.2, 0.8, 0.8, 0.8])
    network = np.array([[1, 0, 1, 0, 1]], float)
    # at 0.2: o = 1, e = 1/4 + 1/4; at 0.8: o = 1/3, e = 4/9 + 1/9
    agreed = 2 * (1 - 1 / 2) + 3 * (1 / 3 - 5 / 9)
    room = 2 * (1 / 2) + 3 * (4 / 9)
    assert kappa(one, network) == pytest.approx(agreed / room)


def test_negative_agreement_stays():
    one = people([1, 0], [1, 1], [0.8, 0.8])
    assert kappa(one, np.array([[0.0, 1.0]])) == pytest.approx(-1)


def test_complete_chance_agreement_is_undefined():
    always = people([1, 1], [1, 1], [0.8, 0.8])
    assert np.isnan(kappa(always, np.array([[1.0, 1.0]]))).all()


def test_pictures_without_a_probability_are_left_out():
    one = people([1, 0, 1], [1, 1, 1], [0.8, 0.8, 0.8])
    found = kappa(one, np.array([[1, 0, np.nan]]))
    assert found == pytest.approx(kappa(one.pictures(np.array([1, 1, 0], bool)), [[1, 0]]))


def test_the_middle_has_no_right_answer():
    assert has_right_answer(np.array([0.2, 0.5, 0.8])).tolist() == [True, False, True]


def test_fault_4_who_knows_only_the_level_has_no_error_consistency():
    rng = np.random.default_rng(0)
    level = np.repeat([0.1, 0.4, 0.6, 0.9], 20)
    some = people(rng.random((10, 80)) < level, np.ones((10, 80)), level)
    for network in (level, np.where(level > 0.5, 0.51, 0.49), np.full(80, 0.5)):
        assert np.abs(kappa(some, network[None])).max() < 1e-12


def test_leaving_an_identity_out_is_the_same_as_never_showing_it():
    rng = np.random.default_rng(1)
    level, cluster = np.repeat([0.1, 0.4, 0.9], 6), np.tile([0, 1, 2, 0, 1, 2], 3)
    n = rng.integers(0, 4, (5, 18))
    some = people(rng.binomial(n, 0.5), n, level, cluster)
    network = rng.random((2, 18))
    left = kappa_without(some, network)
    for one in range(3):
        kept = cluster != one
        assert left[one] == pytest.approx(kappa(some.pictures(kept), network[:, kept]), nan_ok=True)
