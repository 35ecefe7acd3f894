"""Part profiles: known losses are found, control patches are taken off, intervals cover."""

import numpy as np
import pandas as pd
import pytest
from part_answers import CONDITIONS, LEVELS, trials
from scipy import stats

from lib.parts.profiles import (
    MEASURES,
    Cube,
    crossed,
    difference,
    measures,
    network_cube,
    people_cube,
    profile,
    thirds,
)


def column(name):
    return MEASURES.index(name)


def test_the_parts_loss_is_that_of_d_prime_less_its_patch():
    """Hiding the mouth takes the rise from 6 to 1, a patch of its area from 6 to 5; the eyes take
    nothing. d' between the thirds is the rise times 3/4 over the SD."""
    gains = dict(zip(CONDITIONS, (6, 6, 1, 6, 5), strict=True))
    cube = network_cube(trials(gains, identities=300, seeds=1))
    found = dict(zip(cube.parts, profile(cube), strict=True))
    inside = np.sqrt(1 + 36 * LEVELS[:3].var())  # the noise, and the rise within a third
    assert measures(cube)["sensitivity"][0, 0] == pytest.approx(6 * 0.75 / inside, rel=0.05)
    expected = [gain * 0.75 / np.sqrt(1 + gain**2 * LEVELS[:3].var()) for gain in (6, 5, 1)]
    mouth = dict(zip(MEASURES, found["mouth"], strict=True))
    assert mouth["loss"] == pytest.approx(expected[1] - expected[2], abs=0.2)
    assert mouth["raw_loss"] == pytest.approx(expected[0] - expected[2], abs=0.2)
    assert mouth["raw_loss"] - mouth["control_loss"] == pytest.approx(mouth["loss"])
    assert mouth["share"] == pytest.approx(mouth["loss"] / expected[0], rel=0.05)
    assert abs(found["eyes"][column("loss")]) < 0.25


def test_what_pushes_the_answer_is_told_from_what_tells_the_levels_apart():
    """The eyes say nothing about the level and always speak for the positive pole: hiding them
    lowers all log-odds by 2, here two SDs, and costs no d'."""
    gains = dict.fromkeys(("full", "eyes", "control_eyes"), 0.5)
    table = trials(gains, identities=400, seeds=1, offsets={"eyes": -2.0})
    row = dict(zip(MEASURES, profile(network_cube(table))[0], strict=True))
    assert row["criterion_shift"] == pytest.approx(-2, abs=0.15)
    assert row["end_shift"] == pytest.approx(-2, abs=0.2) and abs(row["loss"]) < 0.1


def test_a_profile_hangs_neither_on_order_nor_on_the_unit_of_the_log_odds():
    table = trials(dict(zip(CONDITIONS, (6, 3, 1, 6, 5), strict=True)))
    one = profile(network_cube(table))
    shuffled = table.sample(frac=1, random_state=1)
    assert profile(network_cube(shuffled)) == pytest.approx(one)
    scaled = profile(network_cube(table.assign(log_odds=10 * table["log_odds"])))
    unchanged = [column(name) for name in MEASURES if name != "end_shift"]
    assert scaled[:, unchanged] == pytest.approx(one[:, unchanged])


def test_without_d_prime_there_is_no_share_of_it():
    row = profile(network_cube(trials({"full": 0.0, "mouth": 0.0}, identities=40)))[0]
    assert np.isnan(row[column("share")]) and np.isfinite(row[column("loss")])
    assert np.isnan(row[column("control_loss")])


def test_people_by_hand():
    """One person, 10 trials a level at 0 and 1: all right with the whole face, 8 of 10 positive
    and 3 of 10 positive without the mouth; a missed trial does not count."""
    rows = [
        {"observer": "p", "identity": "a", "level": level, "condition": c, "response": float(k < n)}
        for c, level, n in (("full", 0, 0), ("full", 1, 10), ("mouth", 0, 3), ("mouth", 1, 8))
        for k in range(10)
    ]
    rows.append({**rows[0], "response": np.nan})
    cube = people_cube(pd.DataFrame(rows))
    d = [
        stats.norm.ppf((h + 0.5) / 11) - stats.norm.ppf((f + 0.5) / 11)
        for h, f in ((10, 0), (8, 3))
    ]
    assert measures(cube)["sensitivity"][0] == pytest.approx(d)
    row = dict(zip(MEASURES, profile(cube)[0], strict=True))
    assert row["loss"] == row["raw_loss"] == pytest.approx(d[0] - d[1])
    end = stats.norm.ppf(3.5 / 11) - stats.norm.ppf(0.5 / 11)
    assert row["end_shift"] == pytest.approx(end)


def test_levels_fall_into_thirds():
    lower, middle, upper = thirds(LEVELS)
    assert lower.sum() == middle.sum() == upper.sum() == 3 and lower[0] and upper[-1]


def test_the_interval_of_one_factor_is_students():
    """Oracle: a mean over seeds, with its t interval."""
    cube = network_cube(trials({"full": 1.0}, seeds=6, identities=1))
    means = np.nanmean(cube.values, axis=(1, 2, 3))

    def mean(one):
        return np.array([np.nanmean(one.values)])

    found = crossed(mean, [cube], {"seeds": (0,), "faces": (1,)}, 0.95)[0]
    ends = stats.t.interval(0.95, 5, loc=means.mean(), scale=stats.sem(means))
    assert (found.value, found.low, found.high) == pytest.approx((means.mean(), *ends))
    assert found.scope == "over seeds; not for other faces (1)"


def test_intervals_over_seeds_and_faces_cover():
    """200 worlds in which seeds, faces and both have effects of their own."""
    rng, hits = np.random.default_rng(2), 0
    for _ in range(200):
        seed, face = rng.normal(size=(5, 1, 1, 1)), rng.normal(size=(1, 8, 1, 1))
        cube = Cube(seed + face + rng.normal(size=(5, 8, 1, 1)), np.zeros(1), ("full",), ("",) * 8)
        found = crossed(
            lambda one: np.array([one.values.mean()]), [cube], {"s": (0,), "f": (1,)}, 0.95
        )[0]
        hits += found.low <= 0 <= found.high
    assert hits / 200 == pytest.approx(0.95, abs=0.04)


def test_differences_compare_like_with_like():
    """People saw no control patches: then networks' raw losses stand beside theirs."""
    gains = dict(zip(CONDITIONS, (6, 6, 1, 6, 5), strict=True))
    network = network_cube(trials(gains))
    rng = np.random.default_rng(0)
    chosen = [
        {
            "observer": f"p{k}",
            "identity": f"id{identity}",
            "level": level,
            "condition": condition,
            "response": float(rng.random() < stats.norm.cdf(gain * (level - 0.5))),
        }
        for k in range(8)
        for identity in range(4)
        for level in LEVELS
        for condition, gain in (("full", 4), ("eyes", 4), ("mouth", 0.5))
    ]
    people = people_cube(pd.DataFrame(chosen))
    found = difference(network, people, 0.95, paired=False)
    value = np.vectorize(lambda interval: interval.value)(found)
    raw = profile(network.select(people.conditions))
    assert value == pytest.approx(raw - profile(people), nan_ok=True)
    assert np.isnan(value[:, column("control_loss")]).all()
    for one in found[:, column("loss")]:
        assert one.low < one.value < one.high
        assert set(one.variances) == {"seeds", "people", "faces"}


def test_paired_seeds_leave_what_they_share_out_of_the_difference():
    rng = np.random.default_rng(3)
    shared = rng.normal(0, 3, (6, 4, 9, 2))
    names = ("a", "b", "c", "d")
    one = Cube(shared + LEVELS[None, None, :, None] * 6, LEVELS, ("full", "mouth"), names)
    noise = rng.normal(0, 0.01, shared.shape)
    other = Cube(one.values + noise, LEVELS, ("full", "mouth"), names)
    found = [difference(one, other, 0.95, paired=paired) for paired in (True, False)]
    wide = [one[0, column("loss")].high - one[0, column("loss")].low for one in found]
    assert wide[0] < wide[1] / 10
