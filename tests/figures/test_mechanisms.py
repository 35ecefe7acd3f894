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
    assert red > blue and drawn.cmap(0.0)[2] > drawn.cmap(0.0)[0]  # positive is orange


def test_a_row_of_the_grid_has_one_scale_and_the_ends_are_named():
    maps = {
        "weak": np.stack([np.full((32, 32), 0.1), np.full((32, 32), -0.2)]),
        "strong": np.full((2, 32, 32), 9.0),
    }
    figure = figures_mechanisms.plot_map_grid(
        np.stack([IMAGE] * 2), maps, ["a", "b"], [{"mouth": MOUTH}] * 2, ("angry", "happy")
    )
    axes = figure.axes
    assert [axes[k].images[1].get_clim()[1] for k in (2, 3, 4, 5)] == [0.2, 0.2, 9.0, 9.0]
    assert [axes[k].get_ylabel() for k in (0, 2, 4)] == ["face", "weak", "strong"]
    bar = axes[-1]
    assert [text.get_text() for text in bar.get_xticklabels()] == ["angry", "0", "happy"]


def test_enrichment_is_drawn_with_its_interval_and_the_controls_range(ax):
    ranges = {"eyes": (1.0, 1.0), "mouth": (0.2, 2.0)}
    summary = pd.DataFrame(
        [
            {**WHO, "part": part, "mean": mean, "low": low, "high": high}
            | dict(zip(("control_low", "control_high"), ranges[part], strict=True))
            for part, mean, low, high in (("mouth", 3.0, 2.0, 4.0), ("eyes", 1.5, np.nan, np.nan))
        ]
    )
    figures_mechanisms.plot_enrichment(summary, confidence=0.9, ax=ax)
    parts = [text.get_text() for text in ax.get_xticklabels()]
    assert parts == ["eyes", "mouth"]  # from the top of the face
    assert (1.0, 3.0) in marks(ax) and (2.0, 4.0) in bars(ax)
    assert "90 % interval over seeds" in ax.get_title()
    grey = [collection.get_paths()[0].get_extents() for collection in ax.collections]
    assert [(box.ymin, box.ymax) for box in grey] == [(1, 1), (0.2, 2)]


def profiles(kind="cnn", **who):
    """Pooled rows of one observer."""
    return pd.DataFrame(
        [
            {**who, "kind": kind, "part": part, "loss": loss, "low": loss - 0.1, "high": loss + 0.1}
            | {"control_loss": np.nan if kind != "cnn" else 0.0, "n_observers": 7}
            for part, loss in (("mouth", 0.4), ("eyes", 0.1))
        ]
    )


def test_people_are_black_and_networks_coloured_each_with_its_interval(ax):
    columns = ("loss", "low", "high")
    people = profiles("simulated")
    networks = pd.concat([profiles(**WHO), profiles(**WHO | {"pretraining": "untrained"})])
    figures_mechanisms.plot_part_profiles(networks, people, columns, "loss", ax)
    by_name = {line.get_label(): line for line in ax.lines}
    assert by_name["7 simulated people, no control patch"].get_color() == "black"
    assert by_name["AlexNet"].get_color() == colour("alexnet")
    assert by_name["AlexNet (untrained)"].get_markerfacecolor() == "none"
    heights = sorted(round(y, 6) for _, y in marks(ax))
    assert heights == [0.1] * 3 + [0.4] * 3 and len(bars(ax)) >= 6
    assert [text.get_text() for text in ax.get_xticklabels()] == ["eyes", "mouth"]


def test_without_people_for_hidden_parts_networks_stand_alone(ax):
    rows = profiles(**WHO)
    figures_mechanisms.plot_part_profiles(rows, rows[:0], ("loss", "low", "high"), "loss", ax)
    assert len(marks(ax)) == 2


def test_the_margin_is_grey_beside_the_differences(ax):
    rows = profiles(**WHO).rename(columns={"loss": "value"})
    figures_mechanisms.plot_differences(rows, 0.25, "people", ax)
    assert "that of people" in ax.get_ylabel() and len(marks(ax)) == 2
    box = ax.patches[0].get_bbox()
    assert (box.y0, box.y1) == (-0.25, 0.25)


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
            for order in ("positive first", "negative first", "random")
            for fraction in (0, 0.5)
            for image in (0, 2)
        ]
    )
    figures_checks.plot_deletion(curves, "shown", ax, ("angry", "happy"))
    assert all(line.get_ydata().tolist() == [1, 1.5] for line in ax.lines[:3])
    assert ax.get_xlabel() == "share of the picture shown"
    assert ax.get_ylabel() == "happy − angry log-odds"
    assert "for angry first" in {line.get_label() for line in ax.lines}
