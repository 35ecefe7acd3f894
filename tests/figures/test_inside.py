"""Figures of notebook 05 about the inside: layers in their order, chance shown, what does not
exist said.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from lib.figures import inside as figures_inside
from lib.parts.bubbles import GRID, ClassificationImage

WHO = {"architecture": "alexnet", "pretraining": "imagenet"}


@pytest.fixture
def ax():
    yield plt.subplots()[1]
    plt.close("all")


@pytest.mark.parametrize("threshold, n", [(3.0, 1), (9.0, 0)])
def test_a_black_line_surrounds_what_exceeds_chance_and_nothing_else(ax, threshold, n):
    z = np.zeros((GRID, GRID))
    z[30:40, 20:30] = 5
    found = ClassificationImage(z, threshold, 100)
    figures_inside.plot_classification_image(found, np.zeros((224, 224, 3), np.uint8), {}, ax=ax)
    lines = [
        c
        for c in ax.collections
        if len(c.get_paths()) and np.asarray(c.get_edgecolor())[:, :3].max() == 0
    ]
    assert len(lines) == n
    for line in lines:
        box = line.get_paths()[0].get_extents()
        assert (
            100 < box.ymin < box.ymax < 175 and 65 < box.xmin < box.xmax < 130
        )  # four pixels a cell


def test_layers_come_in_their_order_and_a_layer_that_a_network_lacks_is_skipped(ax):
    rows = pd.DataFrame(
        [
            {**WHO, "seed": seed, "layer": layer, "accuracy": value + seed, "chance_high": 0.6}
            for seed in (0, 1)
            for layer, value in (("fc6", 0.9), ("conv1", 0.5))
        ]
        + [
            {
                "architecture": "fe_alexnet",
                "pretraining": "imagenet",
                "seed": 0,
                "layer": layer,
                "accuracy": 0.7,
                "chance_high": 0.7,
            }
            for layer in ("conv1", "attention", "fc6")
        ]
    )
    figures_inside.plot_layers(rows, "accuracy", "share right", chance="chance_high", ax=ax)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["conv1", "attention", "fc6"]
    by_name = {line.get_label(): line for line in ax.lines}
    assert by_name["AlexNet"].get_xdata().tolist() == [0, 2] and by_name[
        "AlexNet"
    ].get_ydata().tolist() == [1.0, 1.4]
    assert by_name[
        "chance: highest of the networks'\n95 % points of shuffles"
    ].get_ydata().tolist() == [0.7, 0.7, 0.7]


def test_a_block_stands_behind_the_convolution_it_sits_on():
    rows = [
        {"architecture": "fe_alexnet", "seed": 0, "layer": layer}
        for layer in ("conv1", "conv2", "conv3", "attention", "conv4", "conv5", "fc6")
    ] + [{"architecture": "alexnet", "seed": 0, "layer": layer} for layer in ("conv1", "fc7")]
    found = figures_inside.layer_order(pd.DataFrame(rows))
    assert found == ["conv1", "conv2", "conv3", "attention", "conv4", "conv5", "fc6", "fc7"]


def test_a_lesion_stands_beside_that_of_others_as_active(ax):
    drops = pd.DataFrame(
        [
            {**WHO, "fraction": fraction, "lesion": lesion, "mean": mean}
            | {"low": mean - 0.1, "high": mean + 0.1}
            for fraction in (0.1, 0.25)
            for lesion, mean in (("selective", 0.3), ("matched", 0.05))
        ]
    )
    figures_inside.plot_lesions(drops, "right answers lost", ax)
    drawn = [line for line in ax.lines if len(line.get_xdata()) == 1]
    heights = {line.get_marker(): line.get_ydata()[0] for line in drawn}
    assert heights == {"v": 0.3, "o": 0.05} and len(drawn) == 4
    hollow = {line.get_marker(): line.get_markerfacecolor() for line in drawn}
    assert hollow["o"] == "white" and hollow["v"] != "white"
    assert [text.get_text() for text in ax.get_xticklabels()] == ["10 %", "25 %"]
