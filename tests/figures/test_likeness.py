"""Scorecard, accuracy against likeness, forest and specification curve: what is drawn is there."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from lib.figures import likeness as fl
from lib.figures.style import colour

mpl.use("agg")
WHO = [("alexnet", "objects"), ("vgg16", "untrained")]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def scores(lost="image_consistency"):
    rows = [
        {
            "architecture": a,
            "pretraining": p,
            "metric": m,
            "value": np.nan if m == lost else 0.2 + 0.1 * k,
            "low": 0.1,
            "high": 0.4,
            "chance": 0.0,
            "ceiling_low": 0.5,
            "ceiling_high": 0.6,
            "reason": "people and networks saw different pictures" if m == lost else "",
        }
        for m in fl.METRICS
        for k, (a, p) in enumerate(WHO)
    ]
    return pd.DataFrame(rows)


def texts(figure):
    return " ".join(text.get_text() for text in figure.findobj(mpl.text.Text))


def test_the_scorecard_has_two_rows_direction_chance_and_both_ceilings_and_fits_a_page():
    figure = fl.plot_scorecard(scores(), "simulated")
    assert len(figure.axes) == 6 and figure.get_size_inches()[0] <= 9
    assert texts(figure).count("more human →") == 3 and "SIMULATED" in texts(figure)
    kappa = figure.axes[3]
    drawn = [line.get_xdata()[0] for line in kappa.lines]
    assert {0.2, 0.3, 0.0} <= {round(float(x), 6) for x in drawn}
    ends = kappa.patches[0].get_extents().transformed(kappa.transData.inverted())
    assert (ends.x0, ends.x1) == pytest.approx((0.5, 0.6))


def test_a_metric_without_values_shows_its_reason():
    figure = fl.plot_scorecard(scores(), "human")
    assert "different pictures" in texts(figure).replace("\n", " ")
    assert "SIMULATED" not in texts(figure)


def test_less_is_better_runs_to_the_left():
    axes = fl.plot_scorecard(scores(), "human").axes
    inverted = [ax.xaxis_inverted() for ax in axes]
    assert inverted == [False, False, True, False, False, False]


def test_each_network_stands_at_its_accuracy_and_likeness():
    accuracy = pd.DataFrame(
        [
            (a, p, s, "test", 0.7 + 0.1 * k + 0.02 * s)
            for k, (a, p) in enumerate(WHO)
            for s in (0, 1)
        ],
        columns=["architecture", "pretraining", "seed", "split", "accuracy"],
    )
    figure = fl.plot_accuracy_likeness(accuracy, scores(), "simulated")
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [d.get_xdata()[0] for d in dots] == pytest.approx([0.71, 0.81])
    assert [d.get_ydata()[0] for d in dots] == pytest.approx([0.2, 0.3])
    other = fl.plot_accuracy_likeness(accuracy, scores("log_likelihood"), "human")
    assert "RMSE" in texts(other) and other.axes[0].yaxis_inverted()


def test_the_forest_is_in_margins_and_names_what_has_no_effect():
    claims = pd.DataFrame(
        {
            "id": ["C2", "C3"],
            "claim": ["outperforms", "resembles"],
            "value": [0.03, np.nan],
            "low": [0.01, np.nan],
            "high": [0.05, np.nan],
            "margin": [0.01, 0.9],
            "verdict": ["supported", "not testable here"],
        }
    )
    figure = fl.plot_forest(claims, "simulated")
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert len(dots) == 1 and dots[0].get_xdata()[0] == pytest.approx(3)
    assert "not testable here" in texts(figure) and "SIMULATED" in texts(figure)


def worlds():
    rows = [
        {"decision": rule, "levels": levels, "architecture": a, "pretraining": p}
        | {"metric": "pse_difference", "value": v + 0.1 * k, "low": v - 0.1, "high": v + 0.1}
        for k, (a, p) in enumerate(WHO)
        for v, (rule, levels) in enumerate(
            [(r, x) for r in ("argmax", "noisy") for x in ("all", "half")]
        )
    ]
    return pd.DataFrame(rows)


def test_the_specification_curve_is_sorted_and_marks_each_choice_below():
    table = worlds()
    table.loc[0, "value"] = np.nan
    figure = fl.plot_multiverse(table, "simulated")
    above, below = figure.axes
    dots = [line for line in above.lines if line.get_marker() == "o"]
    assert (np.diff(dots[1].get_ydata()) >= 0).all()
    assert "(3 of 4)" in texts(figure) and "4 analyses" in texts(figure)
    marks = [line for line in below.lines if line.get_marker() == "|"]
    assert len(marks) == 4 and all(len(line.get_xdata()) == 2 for line in marks)
    assert sorted(np.concatenate([m.get_xdata() for m in marks[:2]])) == [0, 1, 2, 3]


@pytest.mark.parametrize("metric", ["slope_ratio", "pse_difference"])
def test_a_multiverse_without_any_value_is_drawn(metric):
    table = worlds().assign(value=np.nan, low=np.nan, high=np.nan, metric=metric)
    assert "(0 of 4)" in texts(fl.plot_multiverse(table, "human", metric))


def test_every_criterion_has_its_row_in_its_networks_colour():
    criteria = pd.DataFrame(
        {
            "id": ["C1", "C2"],
            "network": ["vgg16", None],
            "criterion": ["PSE", "accuracy"],
            "value": [0.5, 0.02],
            "low": [0.1, np.nan],
            "high": [0.9, np.nan],
            "margin": [0.5, 0.01],
            "verdict": ["supported", "inconclusive"],
        }
    )
    figure = fl.plot_forest(criteria, "human")
    names = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert names == ["C1: VGG16, PSE", "C2: accuracy"]
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [d.get_xdata()[0] for d in dots] == pytest.approx([1, 2])
    assert dots[0].get_color() == colour("vgg16") and dots[1].get_color() == "black"
