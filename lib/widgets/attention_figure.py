"""The attention lab's figure: a face, its map, the curve, and the scores beside it."""

from __future__ import annotations

import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lib.figures.attention import plot_attention
from lib.figures.curves import people_kind, plot_people
from lib.figures.style import colour
from lib.settings.words import people_label, title_note
from lib.widgets.lab import View


def plot_view(
    view: View, people: pd.DataFrame, sigmoid: str = "norm", figure: Figure | None = None
) -> Figure:
    """The shown face with its attention map, and the network's curve on people's band with
    AlexNet's beside it.

    Parameters
    ----------
    people : people's rows of a psychometrics table.
    figure : an earlier one to draw into, which saves the making of axes; a new one where none is
        given.
    """
    figure = plt.figure(figsize=(10, 3.7)) if figure is None else figure
    face, curve = _axes(figure)
    _plot_face(view, face)
    _plot_curve(view, people, sigmoid, curve)
    return figure


def _axes(figure) -> tuple:
    """For the face, new each time because a colour bar narrows it, and for the curve, emptied
    if it is there.
    """
    places = figure.add_gridspec(
        1, 2, width_ratios=[1, 1.3], wspace=0.3, left=0.02, right=0.98, bottom=0.14, top=0.87
    )
    curve, *others = figure.axes or [figure.add_subplot(places[1])]
    for artist in (*others, *curve.lines, *curve.collections):
        artist.remove()
    return figure.add_subplot(places[0]), curve


def _plot_face(view: View, ax) -> None:
    if view.attention is None:
        ax.imshow(view.picture)
        ax.set_xticks([])
        ax.set_yticks([])
    else:
        plot_attention(view.picture[None], view.attention, view.asks, [ax])
    state = view.state
    asks = (
        f"; the {state.asks} ask{'' if state.asks == 'eyes' else 's'}"
        if view.attention is not None
        else ""
    )
    ax.set_title(
        (
            f"{state.face}, level {state.level:g}, {state.condition}{asks}\np(happy) "
            f"= {view.p_happy:.2f}"
        ),
        fontsize=10,
    )


def _plot_curve(view: View, people: pd.DataFrame, sigmoid: str, ax) -> None:
    plot_people(people, sigmoid, ax)
    for architecture, style in (("alexnet", "--"), ("fe_alexnet", "-")):
        points = view.points[view.points["architecture"] == architecture]
        name = {"alexnet": "AlexNet", "fe_alexnet": "with the attention set above"}[architecture]
        line = {"color": colour(architecture), "lw": 2, "label": name}
        ax.plot(points["level"], points["curve"], style, **line)
        ax.plot(points["level"], points["share"], "o", color=colour(architecture), ms=4)
    ax.set_title("Curve on people's band" + title_note(people_kind(people)), fontsize=10)
    ax.legend(fontsize="x-small", loc="upper left")


def score_table(view: View, people: pd.DataFrame) -> pd.DataFrame:
    """The scorecard with parameter counts below it, as text."""
    kind = people_label(people_kind(people))
    table = view.scores.rename(columns={"ceiling": f"ceiling ({kind})"}).map(
        lambda x: "" if np.isnan(x) else f"{x:.3f}"
    )
    table.index = [name.replace("_", " ") for name in table.index]
    counts = view.counts
    table.loc["parameters of the block"] = [f"{counts['block']:,}", "0", "", ""]
    table.loc["parameters in all"] = [
        f"{counts['all']:,}",
        f"{counts['all'] - counts['block']:,}",
        "",
        "",
    ]
    return table.rename_axis(columns=None, index=None)


def _png(figure) -> bytes:
    """The figure as a picture, and pyplot forgets it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80, pil_kwargs={"compress_level": 1})
    plt.close(figure)
    return buffer.getvalue()
