"""Intervals over crossed samples: Student's t for one factor, and the coverage they promise."""

import numpy as np
import pytest
from scipy import stats

from lib.statistics.crossed import crossed_interval, jackknife_interval

RNG = np.random.default_rng(7)


def test_one_factor_gives_students_t():
    values = RNG.normal(size=6)
    found = crossed_interval(values, {"seeds": None})
    test = stats.ttest_1samp(values, 0)
    ends = test.confidence_interval(0.95)
    assert [found.value, found.low, found.high] == pytest.approx([values.mean(), *ends])
    assert (found.df, found.p) == pytest.approx((5, test.pvalue))


def test_clusters_count_once_however_many_pictures_they_have():
    by_identity = RNG.normal(size=(4, 5))
    once = crossed_interval(by_identity, {"seeds": None, "identities": None})
    identity = np.repeat(list("abcde"), 7)
    often = crossed_interval(
        np.repeat(by_identity, 7, axis=1), {"seeds": None, "identities": identity}
    )
    assert [often.low, often.high, often.df] == pytest.approx([once.low, once.high, once.df])


def test_a_statistic_of_ones_own_equals_the_sums_of_the_mean():
    values = RNG.normal(size=(4, 6))
    values[1, 2] = np.nan
    factors = {"seeds": None, "identities": list("aabbcc")}
    quick = crossed_interval(values, factors)
    called = crossed_interval(values, factors, np.nanmean)
    assert [called.low, called.high, called.df] == pytest.approx([quick.low, quick.high, quick.df])


def test_variances_by_hand():
    """Seeds 0, 3, 6 on two identities of which the second is 1 higher: silent, it has two."""
    values = np.array([[0, 1], [3, 4], [6, 7]], float)
    found = crossed_interval(values, {"seeds": None, "identities": None})
    assert found.value == pytest.approx(3.5)
    assert found.variances == pytest.approx({"seeds": 9 / 3})
    assert found.silent == {"identities": 2}
    assert found.scope == "over seeds; not for other identities (2)"


@pytest.mark.parametrize(
    "values, reason",
    [
        ([1.0, 1.0, 1.0], "no difference between any of the seeds"),
        ([1.0, 2.0], "fewer than 3 members of every factor"),
        ([np.nan, np.nan, np.nan], "no value"),
    ],
)
def test_no_interval_without_a_reason(values, reason):
    found = crossed_interval(values, {"seeds": None})
    assert np.isnan(found.low) and np.isnan(found.p) and found.reason == reason


def test_a_statistic_that_needs_every_member_gives_no_interval():
    found = jackknife_interval(0.4, {"people": [0.3, np.nan, 0.5]})
    assert np.isnan(found.low) and found.reason == "undefined without one of the members"


def test_axes_and_names_that_do_not_fit():
    with pytest.raises(ValueError, match="one factor an axis"):
        crossed_interval(np.zeros((3, 3)), {"seeds": None})
    with pytest.raises(ValueError, match="2 names of identities"):
        crossed_interval(np.zeros(3), {"identities": ["a", "b"]})


def covered(seeds, spread, draws=400):
    """Share of intervals over seeds x 8 identities that hold the true mean, 0."""
    rng, hits = np.random.default_rng(seeds), 0
    for _ in range(draws):
        values = spread[0] * rng.normal(size=(seeds, 1)) + spread[1] * rng.normal(size=8)
        values = values + spread[2] * rng.normal(size=(seeds, 8))
        found = crossed_interval(values, {"seeds": None, "identities": None})
        hits += found.low <= 0 <= found.high
    return hits / draws


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("spread", [(1, 1, 1), (1, 0, 0.3), (0, 1, 0.3)])
def test_fault_7_intervals_cover_what_they_say_with_few_seeds(seeds, spread):
    assert 0.92 <= covered(seeds, spread) <= 0.985


def test_fault_14_identities_are_a_sample():
    """A difference on one identity of eight is none on other identities."""
    values = np.zeros((5, 8))
    values[:, 0] = RNG.normal(0.8, 0.01, 5)
    found = crossed_interval(values, {"seeds": None, "identities": None})
    assert found.low < 0 < found.high
    assert crossed_interval(values.mean(1), {"seeds": None}).low > 0
