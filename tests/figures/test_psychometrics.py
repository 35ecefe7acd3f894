"""What notebook 04 draws is what its tables say; simulated people are called so wherever they
are drawn.
"""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lib.figures import psychometrics as fp
from lib.psychometrics.tables import curves_of

mpl.use("agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def fits(kind="human", people=8):
    """Table ``psychometrics`` of people with PSEs around 0.5 and of two networks with two seeds."""
    rng = np.random.default_rng(1)
    rows = [
        {
            "observer": f"p{k}",
            "kind": kind,
            "architecture": "",
            "pretraining": "",
            "seed": "",
            "location": 0.5 + rng.normal(0, 0.05),
        }
        for k in range(people)
    ]
    rows += [
        {
            "observer": f"{a}{s}",
            "kind": "cnn",
            "architecture": a,
            "pretraining": p,
            "seed": s,
            "location": 0.4 + s / 10,
        }
        for a, p in (("alexnet", "imagenet"), ("vgg11", "untrained"))
        for s in (0, 1)
    ]
    table = pd.DataFrame(rows).assign(condition="full", scale=0.1, guess=0.0, lapse=0.0)
    return table.assign(
        pse=table["location"],
        pse_low=table["location"] - 0.03,
        pse_high=table["location"] + 0.02,
        slope=4.0,
        slope_low=3.0,
        slope_high=5.0,
    )


def of(ax, label):
    """y values of the line with this label."""
    return next(np.asarray(line.get_ydata()) for line in ax.lines if line.get_label() == label)


def test_curves_are_means_of_fitted_curves():
    table = fits()
    ax = fp.plot_curves(table)
    people = curves_of(table[table["kind"] == "human"], fp.X)
    np.testing.assert_allclose(of(ax, "mean of 8 people"), people.mean(0))
    alexnet = stats.norm.cdf((fp.X[:, None] - [0.4, 0.5]) / 0.1).mean(1)
    np.testing.assert_allclose(of(ax, "AlexNet"), alexnet, atol=1e-9)
    assert (
        next(line for line in ax.lines if line.get_label() == "VGG11 (untrained)").get_linestyle()
        == "--"
    )
    low, high = ax.collections[0].get_paths()[0].get_extents().get_points()[:, 1]
    assert low == pytest.approx(np.percentile(people, 2.5, axis=0).min(), abs=1e-9)
    assert high == pytest.approx(np.percentile(people, 97.5, axis=0).max(), abs=1e-9)


@pytest.mark.parametrize(
    "draw",
    [
        lambda table: fp.plot_curves(table).get_title(),
        lambda table: fp.plot_distribution(table, "pse").get_title(),
        lambda table: fp.plot_shifts(shifts(table), "pse_shift").get_title(),
        lambda table: fp.plot_scorecard(scores(), fp.people_kind(table)).get_suptitle(),
        lambda table: fp.plot_multiverse(multiverse(), fp.people_kind(table)).get_title(),
    ],
)
def test_every_figure_with_simulated_people_says_so(draw):
    assert "SIMULATED" in draw(fits("simulated")) and "SIMULATED" not in draw(fits("human"))


def test_a_network_without_a_curve_leaves_no_line_and_a_count():
    table = fits()
    lost = table["architecture"] == "vgg11"
    table.loc[lost, ["pse", "location", "scale", "pse_low", "pse_high"]] = np.nan
    ax = fp.plot_curves(table)
    names = [text.get_text() for text in ax.get_legend().texts]
    assert "VGG11 (untrained)" not in names and "VGG11 (untrained): no rising curve" in names
    ax = fp.plot_distribution(table, "pse")
    assert [tick.get_text() for tick in ax.get_yticklabels()] == [
        "8 people",
        "AlexNet",
        "VGG11 (untrained)\n(no PSE in 2 of 2 seeds)",
    ]


def test_people_without_a_value_leave_an_empty_row_and_the_confidence_is_named():
    table = fits()
    table.loc[table["kind"] == "human", "pse"] = np.nan
    ax = fp.plot_distribution(table, "pse", confidence=0.9)
    assert ax.get_yticklabels()[0].get_text() == "0 people" and "90 % bootstrap" in ax.get_title()
    low, high = ax.get_xlim()
    assert low < 0.4 and high > 0.5
    assert "99 %" in fp.plot_shifts(shifts(fits()), "pse_shift", confidence=0.99).get_title()


def test_every_person_and_seed_is_a_dot_and_every_seed_has_its_interval():
    table = fits()
    ax = fp.plot_distribution(table, "pse")
    people, alexnet, _ = (np.asarray(line.get_xdata()) for line in ax.lines)
    np.testing.assert_allclose(people, table.loc[table["kind"] == "human", "pse"])
    assert alexnet.tolist() == [0.4, 0.5]
    segments = [segment[:, 0].tolist() for segment in ax.collections[1].get_segments()]
    assert segments == [pytest.approx([0.37, 0.42]), pytest.approx([0.47, 0.52])]
    low, high = ax.get_xlim()
    assert low < table["pse"].min() and high > table["pse"].max()


def shifts(table):
    people = table[table["kind"] != "cnn"]
    rows = [
        pd.concat([people, table[table["architecture"] == "alexnet"]]).assign(condition=part)
        for part in ("eyes", "mouth")
    ]
    both = pd.concat(rows, ignore_index=True)
    return both.assign(pse_shift=both["location"] - 0.5 + 0.1 * (both["condition"] == "mouth"))


def test_shifts_are_means_with_students_interval():
    table = shifts(fits())
    ax = fp.plot_shifts(table, "pse_shift")
    people = table[table["kind"] == "human"].groupby("condition")["pse_shift"]
    drawn = [np.asarray(line.get_ydata()) for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(drawn[0], people.mean())
    values = people.get_group("eyes").to_numpy()
    assert fp._t_interval([*values, np.nan], 0.95) == pytest.approx(
        stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
    )
    assert np.isnan(fp._t_interval([0.1], 0.95)).all()
    networks = fp.plot_shifts(
        table[table["kind"] == "cnn"], "pse_shift"
    )  # people saw full faces alone
    assert "SIMULATED" not in networks.get_title() and len(networks.lines) < len(ax.lines)


def test_each_seed_is_a_line_over_the_decision_rules_in_their_order():
    rows = [
        {
            "architecture": "alexnet",
            "pretraining": "imagenet",
            "seed": s,
            "decision": rule,
            "slope": 10.0**k + s,
            "pse": 0.5,
        }
        for s in (0, 1)
        for k, rule in enumerate(fp.RULES)
    ]
    ax = fp.plot_decisions(pd.DataFrame(rows[::-1]), "slope")
    assert [line.get_ydata().tolist() for line in ax.lines] == [
        [10.0**k + s for k in range(len(fp.RULES))] for s in (0, 1)
    ]
    assert (
        ax.get_yscale() == "log"
        and fp.plot_decisions(pd.DataFrame(rows), "pse").get_yscale() == "linear"
    )


def scores():
    rows = [
        {
            "metric": m,
            "architecture": a,
            "pretraining": "imagenet",
            "value": v,
            "low": v - 0.1,
            "high": v + 0.1,
            "chance": 0.0,
            "ceiling_low": 0.8,
            "ceiling_high": 0.9,
        }
        for m, shift in (("rmse", 0.3), ("error_consistency", 0))
        for a, v in (("alexnet", 0.2 + shift), ("vgg11", 0.4 + shift))
    ]
    lost = {"metric": "none", "architecture": "alexnet", "pretraining": "imagenet", "value": np.nan}
    return pd.DataFrame([*rows, lost])


def test_the_scorecard_has_a_panel_for_each_metric_that_has_values():
    axes = fp.plot_scorecard(scores(), "human").axes
    labels = [fp.METRIC_LABELS[name] for name in ("rmse", "error_consistency")]
    assert [ax.get_xlabel() for ax in axes] == labels
    assert axes[1].collections[1].get_offsets()[:, 0].tolist() == [0.2, 0.4]
    assert [line.get_xdata()[0] for line in axes[0].lines] == [0.0]
    band = axes[0].patches[0].get_bbox()
    assert (band.x0, band.x1) == pytest.approx((0.8, 0.9))


def multiverse():
    return pd.DataFrame(
        {
            "architecture": "alexnet",
            "pretraining": "imagenet",
            "pse_difference": [0.2, np.nan, -0.1, 0.05],
            "low": [0.1, np.nan, -3, 0.0],
            "high": [0.3, np.nan, 3, 0.1],
        }
    )


def test_the_multiverse_is_sorted_and_counts_what_has_no_pse():
    ax = fp.plot_multiverse(multiverse(), "human")
    assert of(ax, "AlexNet (3 of 4)").tolist() == [-0.1, 0.05, 0.2]
    assert (
        len(fp.plot_multiverse(multiverse().assign(pse_difference=np.nan), "human").lines) == 2
    )  # and 0
    assert (
        ax.get_ylim() == (-0.4, 0.4) and len(ax.collections) == 1
    )  # a far band is cut off, but there
    assert "90 % Welch" in fp.plot_multiverse(multiverse(), "human", confidence=0.9).get_title()
