"""Scores with what they are without each member: intervals, differences and shares of ceilings."""

import numpy as np
import pytest
from scipy import stats

from lib.likeness.samples import Scores, of_people

RNG = np.random.default_rng(0)


def scores(seeds, value):
    value = np.asarray(value, float)
    none = np.empty((0, len(value)))
    return Scores(np.array(seeds), value, none, none)


def test_seeds_alone_give_students_t():
    values = RNG.normal(size=5)
    found = scores(list("01234"), values).interval()
    ends = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert [found.low, found.high] == pytest.approx([*ends])


def test_differences_keep_the_shared_seeds_in_order():
    apart = scores(["0", "1", "2"], [1, 2, 3]).less(scores(["2", "0"], [1, 5]))
    assert apart.seeds.tolist() == ["0", "2"] and apart.value.tolist() == [-4, 2]


def test_people_are_left_out_of_the_mean_that_they_are_in():
    each = np.array([[1.0, 0.0], [2.0, 4.0], [np.nan, 2.0]])
    found = of_people(np.array(["0", "1"]), each, np.empty((0, 3, 2)))
    assert found.value == pytest.approx([1.5, 2])
    assert found.people == pytest.approx(np.array([[2, 3], [1, 1], [1.5, 2]]))


def test_the_ceilings_own_error_widens_the_share():
    people = np.array([[0.4, 0.4], [0.5, 0.5], [0.6, 0.6]])
    mine = Scores(np.array(["0", "1"]), np.array([0.5, 0.5]), np.empty((0, 2)), people)
    sure = Scores(np.array(["p"]), np.array([1.0]), np.empty((0, 1)), np.ones((3, 1)))
    wide = Scores(np.array(["p"]), np.array([1.0]), np.empty((0, 1)), np.array([[1.2], [1], [0.8]]))
    narrow, broad = (mine.over(ceiling).interval() for ceiling in (sure, wide))
    assert narrow.value == broad.value == pytest.approx(0.5)
    assert broad.high - broad.low > narrow.high - narrow.low > 0
