"""Figures of notebook 05 about the inside: layers in their order, chance shown, what does not
exist said.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from lib.figures import inside as figures_inside
from lib.mechanisms.bubbles import GRID, ClassificationImage

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


def test_similarities_are_written_into_their_fields(ax):
    matrix = pd.DataFrame([[1, 0.25], [0.25, 1]], index=["a", "b"], columns=["a", "b"])
    figures_inside.plot_similarity(matrix, ax)
    assert [text.get_text() for text in ax.texts] == ["1.00", "0.25", "0.25", "1.00"]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["a", "b"]


def effects(selective):
    return pd.DataFrame(
        [
            {
                **WHO,
                "seed": seed,
                "fraction": fraction,
                "value": "slope",
                "intact": 3.0,
                "selective": selective,
                "matched_low": 2.0,
                "matched_high": 2.5,
            }
            for seed in (0, 1)
            for fraction in (0.1, 0.25)
        ]
    )


def test_a_lesion_stands_beside_the_range_of_random_ones(ax):
    figures_inside.plot_lesions(effects(1.0), "slope", "slope (per level)", ax)
    triangles = [line for line in ax.lines if line.get_marker() == "v" and len(line.get_xdata())]
    ranges = [line for line in ax.lines if line.get_linewidth() == 4 and len(line.get_xdata())]
    assert [line.get_ydata()[0] for line in triangles] == [1.0] * 4
    assert {tuple(line.get_ydata()) for line in ranges} == {(2.0, 2.5)}
    assert sorted(t.get_xdata()[0] for t in triangles) == sorted(r.get_xdata()[0] for r in ranges)
    assert [text.get_text() for text in ax.get_xticklabels()] == [
        "10 %",
        "25 %",
    ] and not ax.get_title()


def test_a_lesion_without_a_curve_is_counted_on_the_figure(ax):
    figures_inside.plot_lesions(effects(np.nan), "slope", "slope (per level)", ax)
    assert ax.get_title() == "not defined in 4 of 4 lesions"
