"""Figures of notebook 05: what is drawn stands where the numbers say, intervals and scales are
named.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from lib.figures import checks as figures_checks
from lib.figures import mechanisms as figures_mechanisms
from lib.figures.style import PART_COLOURS, colour

IMAGE = np.full((32, 32, 3), 120, np.uint8)
MOUTH = np.zeros((32, 32), bool)
MOUTH[20:26, 8:24] = True
WHO = {"architecture": "alexnet", "pretraining": "imagenet"}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def ax():
    return plt.subplots()[1]


def marks(ax):
    """(x, y) of everything drawn as a single mark."""
    return [
        (line.get_xdata()[0], line.get_ydata()[0])
        for line in ax.lines
        if len(line.get_xdata()) == 1 and line.get_marker() not in ("None", "", None)
    ]


def bars(ax):
    """(low, high) of upright intervals."""
    return [
        tuple(line.get_ydata())
        for line in ax.lines
        if len(line.get_xdata()) == 2 and line.get_xdata()[0] == line.get_xdata()[1]
    ]


def test_a_map_is_signed_symmetric_and_strongest_where_it_is_largest(ax):
    saliency = np.zeros((32, 32))
    saliency[0, 0], saliency[1, 1] = 2.0, -4.0
    figures_mechanisms.plot_map(IMAGE, saliency, {"mouth": MOUTH}, ax=ax)
    drawn = ax.images[1]
    assert drawn.get_clim() == (-4, 4) and (drawn.get_array() == saliency).all()
    assert drawn.get_alpha()[1, 1] > drawn.get_alpha()[0, 0] > drawn.get_alpha()[5, 5]
    red, _, blue, _ = drawn.cmap(1.0)
    assert red > blue and drawn.cmap(0.0)[2] > drawn.cmap(0.0)[0]  # happy is orange, sad purple


def test_a_row_of_the_grid_has_one_scale_and_the_ends_are_named():
    maps = {
        "weak": np.stack([np.full((32, 32), 0.1), np.full((32, 32), -0.2)]),
        "strong": np.full((2, 32, 32), 9.0),
    }
    figure = figures_mechanisms.plot_map_grid(
        np.stack([IMAGE] * 2), maps, ["a", "b"], [{"mouth": MOUTH}] * 2
    )
    axes = figure.axes
    assert [axes[k].images[1].get_clim()[1] for k in (2, 3, 4, 5)] == [0.2, 0.2, 9.0, 9.0]
    assert [axes[k].get_ylabel() for k in (0, 2, 4)] == ["face", "weak", "strong"]
    bar = axes[-1]
    assert [text.get_text() for text in bar.get_yticklabels()] == ["sad", "0", "happy"]


def test_enrichment_is_drawn_with_its_interval_and_the_controls_range(ax):
    summary = pd.DataFrame(
        [
            {**WHO, "part": "mouth", "mean": 3.0, "low": 2.0, "high": 4.0},
            {**WHO, "part": "eyes", "mean": 1.5, "low": np.nan, "high": np.nan},
        ]
    )
    controls = pd.DataFrame(
        {
            "part": ["mouth", "mouth", "eyes"],
            "control_low": [0.4, 0.2, 1],
            "control_high": [1, 2, 1],
        }
    )
    figures_mechanisms.plot_enrichment(summary, controls, confidence=0.9, ax=ax)
    assert [text.get_text() for text in ax.get_xticklabels()] == [
        "eyes",
        "mouth",
    ]  # from the top of the face
    assert (
        (1.0, 3.0) in marks(ax)
        and (2.0, 4.0) in bars(ax)
        and "90 % interval over seeds" in ax.get_title()
    )
    grey = [collection.get_paths()[0].get_extents() for collection in ax.collections]
    assert [(box.ymin, box.ymax) for box in grey] == [(1, 1), (0.2, 2)]


def test_along_the_morph_the_thick_line_is_the_mean_of_the_thin_ones(ax):
    rows = pd.DataFrame(
        [
            {**WHO, "part": "eyes", "seed": seed, "level": level, "enrichment": 1 + seed + level}
            for seed in (0, 1)
            for level in (0.0, 1.0)
        ]
    )
    figures_mechanisms.plot_enrichment_by_level(rows, "eyes", ax)
    thick = max(ax.lines, key=lambda line: line.get_linewidth())
    assert thick.get_ydata().tolist() == [1.5, 2.5] and thick.get_label() == "AlexNet"
    assert ax.get_xlabel() and ax.get_ylabel() and ax.get_title() == "eyes"


def test_no_parts_line_leaves_axes_that_the_parts_share():
    rows = pd.DataFrame(
        [
            {**WHO, "part": part, "seed": 0, "level": level, "enrichment": height}
            for part, height in (("eyes", 1.2), ("mouth", 3.0))
            for level in (0.0, 1.0)
        ]
    )
    _, axes = plt.subplots(1, 2, sharey=True)
    for ax, part in zip(axes, ("eyes", "mouth"), strict=True):
        figures_mechanisms.plot_enrichment_by_level(rows, part, ax)
    low, high = axes[1].get_ylim()
    assert low == 0 and high > 3


def test_a_profile_stands_beside_the_row_of_the_face_it_is_about():
    figure, axes = plt.subplots(1, 2, width_ratios=[1, 1.3], layout="constrained")
    profile = np.ones((2, 32))
    profile[:, 22] = 7
    figures_mechanisms.plot_profiles(
        {("alexnet", "imagenet"): profile}, {"mouth": MOUTH}, IMAGE, axes
    )
    figure.canvas.draw()
    heights = [ax.transData.transform((0, 22))[1] for ax in axes]
    assert heights[0] == pytest.approx(heights[1], abs=1.0)  # of the same pixel row
    assert [ax.get_ylim() for ax in axes] == [(31.5, -0.5)] * 2


def test_people_are_black_networks_coloured_and_what_does_not_exist_is_said(ax):
    networks = pd.DataFrame(
        [
            {**WHO, "part": "mouth", "mean": 0.2, "low": 0.1, "high": 0.3},
            {**WHO, "part": "eyes", "mean": np.nan, "low": np.nan, "high": np.nan},
        ]
    )
    people = pd.DataFrame(
        [
            {"part": part, "mean": 0.4, "low": 0.3, "high": 0.5, "n_units": 7}
            for part in ("eyes", "mouth")
        ]
    )
    figures_mechanisms.plot_part_losses(networks, people, "simulated", "loss", ax)
    colours = {line.get_label(): line.get_color() for line in ax.lines}
    assert colours["7 simulated people"] == "black" and colours["AlexNet"] == colour("alexnet")
    assert ax.get_title() == "not defined for 1 of 2 networks × parts"


def test_agreement_has_a_mark_and_two_bars_a_point(ax):
    points = pd.DataFrame(
        [
            {
                **WHO,
                "part": "mouth",
                "x": 2.0,
                "x_low": 1.5,
                "x_high": 2.5,
                "y": 0.3,
                "y_low": 0.2,
                "y_high": 0.4,
            }
        ]
    )
    figures_mechanisms.plot_agreement(points, "x", "y", ("enrichment", "loss"), ax)
    assert (2.0, 0.3) in marks(ax) and (0.2, 0.4) in bars(ax)
    assert {"AlexNet", "mouth hidden"} <= {line.get_label() for line in ax.lines}


def test_known_cues_are_drawn_in_the_part_s_colour_and_randomised_ones_white(ax):
    summary = pd.DataFrame(
        [
            {
                "cue": "mouth",
                "method": "gradcam",
                "weights": weights,
                "mean": mean,
                "low": mean - 1,
                "high": mean + 1,
            }
            for weights, mean in (("trained", 4.0), ("randomised", 1.0))
        ]
    )
    figures_checks.plot_ground_truth(summary, ax=ax)
    by_name = {line.get_label(): line for line in ax.lines}
    trained, anew = by_name["mouth-only faces, trained"], by_name["mouth-only faces, randomised"]
    assert (
        trained.get_markerfacecolor() == PART_COLOURS["mouth"]
        and anew.get_markerfacecolor() == "white"
    )
    assert (
        trained.get_ydata()[0] == 4
        and (3.0, 5.0) in bars(ax)
        and "interval over seeds" in ax.get_title()
    )


def test_a_cascade_begins_with_the_trained_network(ax):
    rows = pd.DataFrame(
        {
            "method": "gradcam",
            "step": [0, 1, 2],
            "randomised": ["trained", "fc8", "conv5"],
            "similarity": [1, 0.5, 0.1],
        }
    )
    figures_checks.plot_cascade(rows, ax)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["trained", "fc8", "conv5"]
    assert ax.lines[0].get_ydata().tolist() == [1, 0.5, 0.1]


def test_deletion_curves_are_means_over_faces(ax):
    curves = pd.DataFrame(
        [
            {"order": order, "fraction": fraction, "image": image, "log_odds": image + fraction}
            for order in ("happy first", "sad first", "random")
            for fraction in (0, 0.5)
            for image in (0, 2)
        ]
    )
    figures_checks.plot_deletion(curves, "shown", ax)
    assert all(line.get_ydata().tolist() == [1, 1.5] for line in ax.lines[:3])
    assert ax.get_xlabel() == "share of the picture shown"
