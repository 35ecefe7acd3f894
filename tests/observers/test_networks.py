"""Networks' PSE and slope from constructed log-odds: the true crossing, whatever is shown."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lib.observers import networks as nets
from lib.observers.decisions import Noise, probability

LEVEL = np.linspace(0, 1, 21)
CENTRES = np.array([0.40, 0.47, 0.55, 0.61, 0.36, 0.52])


def shown(z, level, identities=("a",), repeats=1, noise=2.0):
    """Rows of a decided trial table: z (identities, levels)."""
    rows = [
        {"identity": who, "level": x, "stimulus": f"{who}{x:.3f}", "z": value, "repeat": repeat}
        for who, values in zip(identities, np.atleast_2d(z), strict=True)
        for x, value in zip(level, values, strict=True)
        for repeat in range(repeats)
    ]
    table = pd.DataFrame(rows)
    return table.assign(p_positive=probability(table["z"], "noisy", Noise(noise)))


def curved(centre, level=LEVEL):
    """Log-odds that saturate and are steeper above the crossing."""
    return 6 * np.tanh(2 * (level - centre)) + 3 * (level - centre) ** 3


def test_the_pse_is_the_true_crossing():
    for centre in np.linspace(0.12, 0.9, 14):
        row = nets.network_row(shown(curved(centre), LEVEL))
        assert row["pse"] == pytest.approx(centre, abs=0.01) and row["reason"] == ""


@pytest.mark.parametrize("levels", [9, 21, 101])
@pytest.mark.parametrize("repeats", [1, 3])
def test_the_pse_does_not_depend_on_how_many_identities_levels_or_repeats_are_shown(
    levels, repeats
):
    level = np.linspace(0, 1, levels)
    for count in (1, 2, 6):
        z = [curved(0.43, level) * (1 + k) for k in range(count)]
        row = nets.network_row(shown(z, level, range(count), repeats))
        assert row["pse"] == pytest.approx(0.43, abs=0.01)


def test_the_mean_and_its_interval_are_over_identities():
    row = nets.network_row(shown([curved(c) for c in CENTRES], LEVEL, range(6)))
    assert row["pse"] == pytest.approx(CENTRES.mean(), abs=0.003)
    by_t = stats.t.interval(0.95, 5, CENTRES.mean(), stats.sem(CENTRES))
    assert [row["pse_low"], row["pse_high"]] == pytest.approx(by_t, abs=0.004)
    assert (row["n_identities"], row["n_crossing"]) == (6, 6)
    two = nets.network_row(shown([curved(0.4), curved(0.5)], LEVEL, range(2)))
    assert two["pse"] == pytest.approx(0.45, abs=0.003) and np.isnan(two["pse_low"])


def test_steps_down_are_pooled_as_isotonic_regression_does():
    assert nets.crossing([0, 0.5, 1], [-1.0, 3.0, 1.0]) == (0.5 / 3, "")  # pooled to -1, 2, 2
    assert nets.crossing([0, 0.4, 0.6, 1], [-1.0, 0.0, 0.0, 1.0])[0] == pytest.approx(0.5)
    assert nets.crossing([0, 0, 1, 1], [-3.0, 1.0, 0.0, 2.0])[0] == pytest.approx(0.5)


@pytest.mark.parametrize(
    "z, why",
    [
        ([1.0, 2.0, 3.0], "below"),
        ([-3.0, -2.0, -1.0], "above"),
        ([2.0, 0.5, -2.0], "no rise"),
        ([0.4, 0.4, 0.4], "below"),
    ],
)
def test_where_log_odds_never_cross_there_is_a_reason(z, why):
    value, found = nets.crossing([0, 0.5, 1], z)
    assert np.isnan(value) and found == why


def test_more_than_half_censored_gives_no_pse_but_sensitivity_and_criterion():
    z = [2 + 3 * LEVEL, 1 + 3 * LEVEL, curved(0.5)]
    row = nets.network_row(shown(z, LEVEL, range(3)), poles=("angry", "happy"))
    assert np.isnan([row["pse"], row["slope"]]).all()
    assert row["reason"] == "calls 2 of 3 identities happy at every level"
    assert row["sensitivity"] > 0 and row["criterion"] > 0 and 0.5 < row["auc"] <= 1
    half = nets.network_row(shown(z[1:], LEVEL, range(2)))
    assert half["pse"] == pytest.approx(0.5, abs=0.01) and half["n_crossing"] == 1


def test_a_flat_looking_network_still_tells_the_ends_apart():
    rng = np.random.default_rng(0)
    z = 1.5 + 0.02 * (LEVEL - 0.5) + rng.normal(0, 0.013, (8, 21))
    row = nets.network_row(shown(z, LEVEL, range(8)))
    assert np.ptp(probability(z.mean(0), "softmax")) < 0.01 and np.isnan(row["pse"])
    assert row["auc"] == pytest.approx(0.75, abs=0.06) and row["sensitivity"] > 0.5
    assert row["sensitivity_low"] < row["sensitivity"] < row["sensitivity_high"]
    assert np.isfinite(row["criterion"])


@pytest.mark.parametrize("levels", [9, 21])
@pytest.mark.parametrize("scale", [0.08, 0.2])
def test_the_slope_of_a_gaussian_observer_is_its_density(levels, scale):
    level = np.linspace(0, 1, levels)
    row = nets.network_row(shown(2.0 * (level - 0.45) / scale, level, noise=2.0))
    assert row["slope"] == pytest.approx(stats.norm.pdf(0) / scale, rel=0.01)
    expected = stats.norm.ppf(0.75) * scale
    assert row["jnd"] == pytest.approx(expected, rel=0.1 if levels == 21 else 0.3)


def test_a_curve_off_its_points_is_noticed():
    smooth = nets.network_row(shown(curved(0.5), LEVEL))
    bumpy = curved(0.5).copy()
    bumpy[12:15] = -6
    assert smooth["misfit"] == 0 and nets.network_row(shown(bumpy, LEVEL))["misfit"] > 0.1


def test_a_single_picture_level_or_identity_does_not_crash():
    row = nets.network_row(shown([[-1.0, 2.0]], [0.0, 1.0]))
    assert row["pse"] == pytest.approx(1 / 3) and np.isnan(row["sensitivity"])
    assert np.isnan(nets.network_row(shown([[1.0]], [0.5]))["pse"])
