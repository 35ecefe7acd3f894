"""What notebooks 02 and 03 draw is what their tables say: dots, lines, intervals, colours and
words.
"""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from lib.figures import networks as fn
from lib.figures.style import colour
from lib.statistics.intervals import accuracy_summary

mpl.use("agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def lines(ax, marker=None, style=None):
    """(x, y) of the lines of an axes, in order, of one marker or line style."""
    return [
        np.column_stack(line.get_data()).astype(float)
        for line in ax.lines
        if (marker is None or line.get_marker() == marker)
        and (style is None or line.get_linestyle() == style)
    ]


@pytest.fixture
def history():
    rows = [
        {
            "architecture": a,
            "pretraining": p,
            "seed": s,
            "epoch": e,
            "train_loss": 0.9 / e + s / 10,
            "validation_loss": abs(e - 2 - s) / 10 + 0.3,
            "validation_accuracy": 0.5,
        }
        for a, p in (("alexnet", "imagenet"), ("fe_alexnet", "untrained"))
        for s in (0, 1)
        for e in (1, 2, 3)
    ]
    return pd.DataFrame(rows)


def test_learning_curves_have_one_pair_of_lines_a_seed_and_a_dot_at_the_best_epoch(history):
    ax = fn.plot_learning_curves(history)
    dotted = lines(ax, style=":")
    assert len(dotted) == 4 and dotted[0].tolist() == [[1, 0.9], [2, 0.45], [3, pytest.approx(0.3)]]
    dots = lines(ax, marker="o")
    assert [dot[0].tolist() for dot in dots] == [[2, 0.3], [3, 0.3]] * 2
    assert [text.get_text() for text in ax.get_legend().texts] == [
        "AlexNet",
        "FE-AlexNet (untrained)",
    ]
    assert ax.get_xticks().tolist() == [1, 2, 3]


@pytest.fixture
def accuracy():
    rows = [
        {
            "architecture": a,
            "pretraining": "imagenet",
            "attention": "none",
            "seed": s,
            "split": split,
            "n": 100,
            "accuracy": base + s / 50,
            "auc": 0.9,
        }
        for a, base in (("alexnet", 0.7), ("vgg11", 0.8))
        for s in range(3)
        for split in ("validation", "test")
    ]
    return pd.DataFrame(rows)


def test_accuracies_stand_beside_their_mean_and_both_intervals(accuracy):
    ax = fn.plot_accuracy(accuracy)
    summary = accuracy_summary(accuracy[accuracy["split"] == "test"])
    assert [dots[:, 0].tolist() for dots in lines(ax, marker="o")] == [
        [0.7, 0.72, 0.74],
        pytest.approx([0.8, 0.82, 0.84]),
    ]
    assert [dot[0, 0] for dot in lines(ax, marker="D")] == pytest.approx(list(summary["mean"]))
    thick = [np.asarray(line.get_xdata()) for line in ax.lines if line.get_linewidth() == 4]
    np.testing.assert_allclose(thick, summary[["low", "high"]])
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["AlexNet", "VGG11"]
    assert {to_rgb(line.get_color()) for line in ax.lines if line.get_marker() == "D"} == {
        to_rgb(colour("alexnet")),
        to_rgb(colour("vgg11")),
    }


def test_pretrainings_are_compared_by_mean_and_interval():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        [
            {"base": b, "n_labels": n, "accuracy": mean + rng.normal(0, 0.01)}
            for b, mean in (("imagenet", 0.8), ("untrained", 0.6))
            for n in (8, 32)
            for _ in range(20)
        ]
    )
    ax = fn.plot_transfer(table)
    means = table.groupby(["base", "n_labels"])["accuracy"].mean()
    drawn = [
        line.get_ydata()
        for line in ax.lines
        if len(line.get_ydata()) == 2 and line.get_marker() in ("o", "s")
    ]
    np.testing.assert_allclose(drawn, [means["imagenet"], means["untrained"]])
