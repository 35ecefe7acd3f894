"""Where people and seeds lie, and what hiding a part does: drawn as the tables say, simulated
people called so.
"""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lib.figures import psychometrics as fp

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


@pytest.mark.parametrize(
    "draw",
    [
        lambda table: fp.plot_distribution(table, "pse").get_title(),
        lambda table: fp.plot_shifts(shifts(table), "pse_shift").get_title(),
    ],
)
def test_every_figure_with_simulated_people_says_so(draw):
    assert "SIMULATED" in draw(fits("simulated")) and "SIMULATED" not in draw(fits("human"))


def test_a_network_without_a_pse_leaves_a_count():
    table = fits()
    lost = table["architecture"] == "vgg11"
    table.loc[lost, ["pse", "location", "scale", "pse_low", "pse_high"]] = np.nan
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
    assert (
        ax.get_yticklabels()[0].get_text() == "0 people"
        and "90 % over identities" in ax.get_title()
    )
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
