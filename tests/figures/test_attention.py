"""Figures of the attention block: what they draw is what the tables say."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from lib.figures import attention as fn
from lib.figures.style import PART_COLOURS


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def lines(ax, *, marker=None):
    """Each line's points (n, 2), of one marker."""
    return [line.get_xydata() for line in ax.lines if line.get_marker() == marker]


def test_the_effect_starts_at_nothing_and_has_a_line_a_seed():
    history = pd.DataFrame(
        [("fe_alexnet", "objects", s, e, 0.02 * e) for s in (0, 1) for e in (1, 2)]
        + [("alexnet", "objects", 0, 1, np.nan)],
        columns=["architecture", "pretraining", "seed", "epoch", "block_share"],
    )
    ax = fn.plot_effect(history, steps=8, least=0.02)
    assert [line.tolist() for line in lines(ax, marker="o")] == [[[0, 0], [8, 2], [16, 4]]] * 2
    dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert dashed[0].get_ydata()[0] == 2 and len(ax.get_legend().texts) == 1


def test_arms_are_gains_over_alexnet_of_the_same_seed():
    cells = pd.DataFrame(
        [
            {"candidate": name, "seed": seed, "accuracy": value + seed, "bits": value}
            for name, value in (("none", 0.5), ("self@conv3 r8", 0.75))
            for seed in (0, 1)
        ]
    )
    ends = {
        f"{m}_gain{end}": v
        for m in fn.GAIN_LABELS
        for end, v in (("", 0.25), ("_low", 0.2), ("_high", 0.3))
    }
    arms = pd.DataFrame(
        [
            {"architecture": "alexnet", "candidate": "none", **ends},
            {"architecture": "fe_alexnet", "candidate": "self@conv3 r8", **ends},
        ]
    )
    first, second = fn.plot_arms(cells, arms, kind="simulated")
    assert lines(first, marker="o")[0][:, 0].tolist() == [0.25, 0.25]
    assert lines(first, marker="D")[0].tolist() == [[0.25, 0]]
    assert [tick.get_text() for tick in first.get_yticklabels()] == ["FE-AlexNet"]
    assert "SIMULATED" in second.get_xlabel() and "SIMULATED" not in first.get_xlabel()


def test_the_grid_colours_gains_and_stars_what_its_interval_sets_apart():
    rows = [
        {
            "metric": "accuracy",
            "architecture": "fe_alexnet",
            "kind": kind,
            "reduction": 2,
            "prior": False,
            "location": place,
            "gain": gain,
            "gain_low": gain - 0.02,
            "gain_high": gain + 0.02,
        }
        for kind, place, gain in (
            ("none", "", 0.0),
            ("self", "conv3", 0.1),
            ("self", "conv5", 0.01),
            ("se", "conv3", -0.1),
            ("se", "conv5", 0.0),
        )
    ]
    ax = fn.plot_grid(pd.DataFrame(rows), "accuracy")
    words = [text.get_text() for text in ax.texts]
    assert words == ["+0.100 *", "+0.010", "-0.100 *", "+0.000"]
    np.testing.assert_allclose(ax.collections[0].get_array().ravel(), [0.1, 0.01, -0.1, 0])
    assert ax.collections[0].get_clim() == (-0.1, 0.1)
    pale = pd.DataFrame(rows).assign(gain=0.001, gain_low=0.0, gain_high=0.002)
    assert fn.plot_grid(pale, "accuracy", plt.subplots()[1]).collections[0].get_clim()[1] == 0.02


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


def test_chosen_settings_are_named():
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
