"""The attention lab's figure: a face, its map, the curve, and the scores beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lib.claims.sentences import NAMES
from lib.figures.curves import people_kind, plot_people
from lib.figures.style import SMALL, TEXT, colour
from lib.live.lab_state import View
from lib.live.lab_words import condition_word
from lib.live.redrawn import Redrawn
from lib.settings.words import POLES, Poles, people_label, title_note

SIZE = 224  # pixels of a picture
DOTS = 80  # an inch, on the screen


class LabFigure:
    """The shown face with its attention map, and the network's curve on people's band with
    AlexNet's beside it; drawn once, then set anew.

    Parameters
    ----------
    people : people's rows of a psychometrics table, one condition.
    looks : whether the network has an attention map. faces : what a face is called, by its code.
    """

    def __init__(
        self,
        people: pd.DataFrame,
        looks: bool,
        sigmoid: str = "norm",
        poles: Poles = POLES,
        faces: Mapping[str, str] | None = None,
    ):
        self.faces, self.poles, self.figure = (
            faces or {},
            poles,
            Figure(figsize=(10, 3.7), dpi=DOTS),
        )
        self._curve_axes(self.figure.add_axes((0.47, 0.14, 0.51, 0.73)), people, sigmoid)
        self._face_axes(self.figure.add_axes((0.02, 0.06, 0.33, 0.76)))
        self._map = self._map_axes(self.figure.add_axes((0.36, 0.1, 0.012, 0.66))) if looks else ()
        title, face, *over = self._face, self._picture, *self._map
        self.redrawn = Redrawn(self.figure, [face, *over, title, *self._lines.values(), self._note])

    def _face_axes(self, ax: Axes) -> None:
        self._ax = ax
        blank = np.zeros((SIZE, SIZE, 3), np.uint8)
        self._picture = ax.imshow(blank, extent=(0, SIZE, SIZE, 0))
        self._face = ax.set_title(" \n ", fontsize=TEXT)
        ax.set_xticks([])
        ax.set_yticks([])

    def _map_axes(self, bar: Axes) -> Sequence[Artist]:
        """The map over the face, the place that asks, and the two ends of the colours."""
        shown = self._ax.imshow(
            np.zeros((2, 2)), cmap="inferno", alpha=0.6, extent=(0, SIZE, SIZE, 0)
        )
        asks = Rectangle((0, 0), 1, 1, fill=False, edgecolor="white", linewidth=2)
        self._ax.add_patch(asks)
        bar.imshow(np.linspace(0, 1, 64)[:, None], cmap="inferno", origin="lower", aspect="auto")
        bar.set_xticks([])
        bar.set_yticks([])
        bar.yaxis.set_label_position("right")
        bar.set_ylabel("attention ÷ even attention", fontsize=SMALL)
        ends = [
            bar.text(0.5, y, "", transform=bar.transAxes, ha="center", va=va, fontsize=SMALL)
            for y, va in ((-0.03, "top"), (1.03, "bottom"))
        ]
        return [shown, asks, *ends]

    def _curve_axes(self, ax: Axes, people: pd.DataFrame, sigmoid: str) -> None:
        plot_people(people, sigmoid, ax, poles=self.poles)
        self._lines = {}
        names = {"alexnet": "AlexNet", "fe_alexnet": "with the attention set above"}
        for (network, name), style in zip(names.items(), ("--", "-"), strict=True):
            ink = colour(network)
            (line,) = ax.plot([], [], style, color=ink, lw=2, label=name)
            (dots,) = ax.plot([], [], "o", color=ink, ms=4)
            self._lines |= {(network, "curve"): line, (network, "share"): dots}
        self._note = ax.text(0.98, 0.04, "", transform=ax.transAxes, ha="right", fontsize=SMALL)
        ax.set_title("Curve on people's band" + title_note(people_kind(people)), fontsize=10)
        ax.legend(fontsize=SMALL, loc="upper left")

    def show(self, view: View) -> None:
        """Set everything that depends on the state; ``figure`` and ``png`` show it then."""
        picture = view.picture
        if view.attention is not None:
            picture = np.repeat(picture.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
            self._set_map(view)
        self._picture.set_data(picture)
        self._face.set_text(self._title(view))
        for (network, what), line in self._lines.items():
            rows = view.points[view.points["architecture"] == network]
            line.set_data(rows["level"], rows[what])
        self._note.set_text(view.draft)

    def _set_map(self, view: View) -> None:
        shown, asks, low, high = self._map
        side = round(view.attention.shape[-1] ** 0.5)
        row, column = view.asks
        share = view.attention[0, row * side + column].reshape(side, side) * side * side
        shown.set_data(share)
        shown.set_clim(share.min(), share.max())
        step = SIZE / side
        asks.set_bounds(column * step, row * step, step, step)
        low.set_text(f"{share.min():.2g}")
        high.set_text(f"{share.max():.2g}")

    def _title(self, view: View) -> str:
        state = view.state
        face, shown = self.faces.get(state.face, state.face), condition_word(state.condition)
        seen = f"; from the {state.asks}" if view.attention is not None else ""
        chance = f"p({self.poles[1]}) = {view.p_happy:.2f}"
        return f"{face}, level {state.level:g}, {shown}{seen}\n{chance}"

    def png(self) -> bytes:
        """What is shown, as a picture."""
        return self.redrawn.png()


def plot_view(
    view: View, people: pd.DataFrame, sigmoid: str = "norm", poles: Poles = POLES
) -> Figure:
    """The figure of one state, to save. ``people``: rows of a psychometrics table."""
    made = LabFigure(people, view.attention is not None, sigmoid, poles)
    made.show(view)
    return made.figure


def score_table(view: View, people: pd.DataFrame) -> pd.DataFrame:
    """The scorecard with parameter counts below it, as text."""
    kind = people_label(people_kind(people))
    table = view.scores.rename(columns={"ceiling": f"ceiling ({kind})"}).map(
        lambda x: "" if np.isnan(x) else f"{x:.3f}"
    )
    table.index = [NAMES.get(name, name.replace("_", " ")) for name in table.index]
    counts = view.counts
    table.loc["parameters of the block"] = [f"{counts['block']:,}", "0", "", ""]
    table.loc["parameters in all"] = [
        f"{counts['all']:,}",
        f"{counts['all'] - counts['block']:,}",
        "",
        "",
    ]
    return table.rename_axis(columns=None, index=None)
