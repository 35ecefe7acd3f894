"""Half-widths: the methodologist's table of sizes, and coverage in simulation."""

import numpy as np
import pytest

from lib.statistics.precision import (
    Spreads,
    mean_half_width,
    needed,
    precision_in_words,
    precision_table,
    proportion_half_width,
)


@pytest.mark.parametrize(("p", "n"), [(0.85, 1225), (0.70, 2017)])
def test_images_for_two_points_of_one_networks_accuracy(p, n):
    assert needed(lambda k: proportion_half_width(p * (1 - p), k), 0.02) == n


@pytest.mark.parametrize(("discordance", "n"), [(0.05, 481), (0.10, 961)])
def test_images_for_two_points_between_two_networks(discordance, n):
    assert needed(lambda k: proportion_half_width(discordance, k), 0.02) == n


@pytest.mark.parametrize(("sd", "n"), [(0.01, 4), (0.02, 7), (0.05, 27), (0.10, 99)])
def test_seeds_identities_and_people_for_two_points(sd, n):
    assert needed(lambda k: mean_half_width(sd, k), 0.02) == n
    assert mean_half_width(sd, n) <= 0.02 < mean_half_width(sd, n - 1)


@pytest.mark.parametrize("n", [2, 5, 30])
def test_a_mean_lies_within_its_half_width_in_95_per_cent_of_samples(n):
    """The half-width is that of the expected SD; with the SD of each sample it is Student's t."""
    samples = np.random.default_rng(n).normal(0, 0.1, (20_000, n))
    widths = mean_half_width(1, n) * samples.std(1, ddof=1)
    assert (abs(samples.mean(1)) <= widths).mean() == pytest.approx(0.95, abs=0.006)


def test_the_table_names_what_is_hardly_known():
    table = precision_table(800, 2, 120, 10).set_index("quantity")
    assert table.loc["PSE of a network, mean over identities", "half_width"] > 0.4
    assert table.loc["PSE of people, mean", "half_width"] == pytest.approx(0.01808, abs=1e-4)
    text = precision_in_words(table.reset_index())
    assert "2 morph identities" in text and "27 would give ±0.02" in text
    assert "people" not in text


def test_a_single_identity_has_no_spread():
    table = precision_table(100, 1, 0, 3, Spreads(seeds=0.01)).set_index("quantity")
    alone = table.loc["PSE of a network, mean over identities"]
    assert np.isnan(alone["half_width"]) and "1 morph identities" in alone["reason"]
    assert table.loc["accuracy, mean over training runs", "half_width"] == pytest.approx(
        0.0248, abs=1e-4
    )
