"""What notebook 04's curves show is what the tables say; everybody's points are drawn."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from made_trials import NETWORKS, made_trials

from lib.figures import curves
from lib.figures.style import colour
from lib.observers.population import explained_fit
from lib.observers.tables import curves_of, fit_table, level_shares
from lib.settings.options import Statistics

mpl.use("agg")
SETTINGS = Statistics(decision="noisy")


@pytest.fixture(scope="module")
def tables():
    trials = made_trials(n_people=8, seeds=2)
    return fit_table(trials, SETTINGS), level_shares(trials, SETTINGS), trials


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def texts(figure):
    return " ".join(text.get_text() for text in figure.findobj(mpl.text.Text))


def test_every_network_and_condition_has_a_panel_with_its_points_and_peoples_band(tables):
    fits, points, _ = tables
    figure = curves.plot_curves(fits, points)
    assert len(figure.axes) == len(NETWORKS) * 4
    ax = figure.axes[0]  # the first network's whole faces
    mine = points[(points["architecture"] == "alexnet") & (points["pretraining"] == "objects")]
    mine = mine[mine["condition"] == "full"]
    dots = next(line for line in ax.lines if line.get_marker() == ".")
    assert sorted(dots.get_ydata()) == pytest.approx(sorted(mine["share"]))
    mean = max(ax.lines, key=lambda line: line.get_linewidth() * (line.get_color() != "black"))
    np.testing.assert_allclose(mean.get_ydata(), mine.groupby("level")["curve"].mean())
    assert mean.get_color() == colour("alexnet")
    people = curves_of(fits[(fits["kind"] != "cnn") & (fits["condition"] == "full")], curves.X)
    low, high = ax.collections[0].get_paths()[0].get_extents().get_points()[:, 1]
    assert low == pytest.approx(np.percentile(people, 2.5, axis=0).min(), abs=1e-9)
    assert high == pytest.approx(np.percentile(people, 97.5, axis=0).max(), abs=1e-9)


def test_whole_faces_have_one_panel_a_network_with_the_same_lines(tables):
    fits, points, _ = tables
    together, alone = curves.plot_curves(fits, points), curves.plot_whole_face(fits, points)
    shown = [ax for ax in alone.axes if ax.axison]
    assert len(shown) == len(NETWORKS)
    for mine, theirs in zip(shown, together.axes[::4], strict=True):
        for one, other in zip(mine.lines, theirs.lines, strict=True):
            np.testing.assert_allclose(one.get_xydata(), other.get_xydata())


def test_untrained_networks_are_dashed_and_poles_are_the_studys(tables):
    fits, points, _ = tables
    figure = curves.plot_curves(fits, points, poles=("angry", "happy"))
    assert "angry" in texts(figure) and "sad" not in texts(figure)
    dashed = [ax for ax in figure.axes if any(line.get_linestyle() == "--" for line in ax.lines)]
    assert len(dashed) == 4 and "SIMULATED" in texts(figure)
    real = [table.replace({"kind": {"simulated": "human"}}) for table in (fits, points)]
    assert "SIMULATED" not in texts(curves.plot_curves(*real))


def test_a_condition_that_people_did_not_see_says_so(tables):
    fits, points, _ = tables
    kept = [t[(t["kind"] == "cnn") | (t["condition"] == "full")] for t in (fits, points)]
    assert texts(curves.plot_curves(*kept)).count("no people saw this") == 3 * len(NETWORKS)


def test_points_of_people_are_where_half_of_them_answered(tables):
    people = tables[1][(tables[1]["kind"] != "cnn") & (tables[1]["condition"] == "full")]
    level, share = curves.shared_points(people)
    np.testing.assert_allclose(share, people.groupby("level")["share"].mean())
    one = people["observer"] == people["observer"].iloc[0]
    own = people.assign(level=np.where(one, people["level"] * 0.99, people["level"]))
    assert set(curves.shared_points(own)[0]) <= set(level)


def test_pse_slope_and_jnd_are_drawn_where_they_are(tables):
    _, points, trials = tables
    fit = explained_fit(trials[trials["kind"] != "cnn"], SETTINGS)
    people = points[(points["kind"] != "cnn") & (points["condition"] == "full")]
    figure = curves.plot_explained(fit, people, "simulated")
    shown = texts(figure)
    for word in (f"PSE {fit.pse:.3f}", f"slope {fit.slope:.1f}", f"JND {fit.jnd:.3f}", "SIMULATED"):
        assert word in shown
    tangent = next(li for li in figure.axes[0].lines if li.get_color() == "#005591")
    rise = np.diff(tangent.get_ydata()) / np.diff(tangent.get_xdata())
    assert rise == pytest.approx(float(fit.slope))


@pytest.mark.parametrize("plot", [curves.plot_curves, curves.plot_whole_face])
def test_text_is_eight_points_at_least(tables, plot):
    figure = plot(*tables[:2])
    sizes = [t.get_fontsize() for t in figure.findobj(mpl.text.Text) if t.get_text()]
    assert min(sizes) >= 8 and figure.get_size_inches()[0] <= 9
