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
from lib.figures.style import PART_COLOURS, colour
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


def test_attention_is_shown_over_even_attention_with_the_asking_place_framed():
    maps = np.full((1, 9, 9), 1 / 9)
    maps[0, 5] = np.eye(9)[2]  # row 1, column 2 attends to the upper right corner alone
    pictures = np.zeros((1, 30, 30, 3), np.uint8)
    (ax,) = fn.plot_attention(pictures, maps, query=(1, 2))
    shown = ax.images[1].get_array()
    assert shown[0, 2] == 9 and shown.sum() == 9
    frame = ax.patches[0]
    assert (frame.get_x(), frame.get_y(), frame.get_width()) == (20, 10, 10)
    (ax,) = fn.plot_attention(pictures, maps, query=(1, 2), titles=["level 0.5"])
    assert ax.get_title() == "level 0.5"


def test_the_hand_case_shows_its_numbers():
    axes = fn.plot_two_by_two(np.array([[1, 2], [3, 4.0]]), np.eye(4), np.full((2, 2), 0.125))
    words = [[text.get_text() for text in ax.texts] for ax in axes]
    assert (
        words[0] == ["1.000", "2.000", "3.000", "4.000"]
        and words[2] == ["0.125"] * 4
        and len(words[1]) == 16
    )


def test_the_grid_colours_differences_to_alexnet_and_stars_what_lies_apart():
    rows = [
        {
            "metric": "accuracy",
            "kind": kind,
            "reduction": r,
            "prior": False,
            "location": place,
            "value": value,
            "low": value - 0.02,
            "high": value + 0.02,
        }
        for kind, r, place, value in (
            ("none", 0, "", 0.8),
            ("self", 2, "conv3", 0.9),
            ("self", 2, "conv5", 0.81),
            ("se", 16, "conv3", 0.7),
            ("se", 16, "conv5", 0.8),
        )
    ]
    ax = fn.plot_grid(pd.DataFrame(rows), "accuracy")
    assert [text.get_text() for text in ax.texts] == ["0.900 *", "0.810", "0.700 *", "0.800"]
    np.testing.assert_allclose(
        ax.collections[0].get_array().ravel(), [0.1, 0.01, -0.1, 0], atol=1e-12
    )
    assert "AlexNet 0.800" in ax.get_title()


def test_one_colour_means_better_and_tiny_differences_are_pale():
    rows = pd.DataFrame(
        [
            {
                "kind": kind,
                "reduction": 2,
                "prior": False,
                "location": place,
                "value": value,
                "low": value,
                "high": value,
            }
            for kind, place, value in (
                ("none", "", 0.2),
                ("self", "conv3", 0.201),
                ("self", "conv5", 0.199),
            )
        ]
    )
    drawn = {
        metric: fn.plot_grid(rows.assign(metric=metric), metric, plt.subplots()[1]).collections[0]
        for metric in ("accuracy", "rmse")
    }
    colours = {metric: mesh.to_rgba(mesh.get_array().ravel()) for metric, mesh in drawn.items()}
    np.testing.assert_allclose(
        colours["accuracy"], colours["rmse"][::-1], atol=0.02
    )  # less is better
    assert drawn["rmse"].get_clim() == (-0.02, 0.02) and colours["rmse"][:, :3].min() > 0.9
    assert (
        drawn["rmse"].colorbar.ax.get_ylabel()
        == "difference to AlexNet\npurple: better (scale ±0.02)"
    )


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


def test_the_prior_says_whose_behaviour_it_is():
    weights = pd.DataFrame(
        {"part": ["eyes", "mouth"], "log_weight": [0.2, 1.1], "low": [0, 0.8], "high": [0.4, 1.3]}
    )
    ax = fn.plot_prior(weights, "simulated")
    assert (
        "SIMULATED" in ax.get_title()
        and "SIMULATED" not in fn.plot_prior(weights, "human").get_title()
    )
    diamonds = [line for line in ax.lines if line.get_marker() == "D"]
    assert [float(line.get_ydata()[0]) for line in diamonds] == [0.2, 1.1]
    assert [to_rgb(line.get_color()) for line in diamonds] == [
        to_rgb(PART_COLOURS[p]) for p in ("eyes", "mouth")
    ]


def test_bias_is_a_line_through_the_means_of_each_candidate():
    cells = pd.DataFrame(
        [
            {"candidate": c, "pretraining": p, "seed": s, "accuracy": v + s / 10}
            for c, p, v in (
                ("none", "imagenet", 0.7),
                ("none", "face", 0.5),
                ("self", "imagenet", 0.75),
                ("self", "face", 0.7),
            )
            for s in (0, 1)
        ]
    )
    ax = fn.plot_bias(cells, "accuracy", ("none", "self"))
    means = [line[:, 1].tolist() for line in lines(ax, marker="D")]
    assert means == [pytest.approx([0.75, 0.55]), pytest.approx([0.8, 0.75])]


def test_chosen_settings_and_pairs_of_seeds_are_named():
    summary = pd.DataFrame(
        {
            "chosen_by": ["people"],
            "candidate": ["self conv3"],
            "gain": [0.02],
            "low": [-0.01],
            "high": [0.05],
        }
    )
    ax = fn.plot_selection(summary)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["people: self conv3"]
    assert lines(ax, marker="D")[0].tolist() == [[0.02, 0]] and "middle 95%" in ax.get_title()
    small = summary.assign(chosen_by="accuracy", gain=2e-4, low=-1e-4, high=5e-4)
    ax = fn.plot_selection(small, confidence=0.9)
    assert (
        lines(ax, marker="D")[0].tolist() == [[pytest.approx(2), 0]]
        and "$10^{-4}$ bits" in ax.get_xlabel()
    )
    assert (
        ax.get_yticklabels()[0].get_text().startswith("validation accuracy")
        and "90%" in ax.get_title()
    )
    pairs = pd.DataFrame({"seed": [0, 1], "this": [0.9, 0.8], "that": [0.7, 0.85]})
    ax = fn.plot_seed_pairs(pairs, "fe_alexnet", "alexnet")
    assert [line[:, 1].tolist() for line in lines(ax, style="-") if len(line) == 2] == [
        [0.7, 0.9],
        [0.85, 0.8],
    ]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["AlexNet", "FE-AlexNet"]
