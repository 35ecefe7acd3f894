"""The saliency explorer's figure: a face, a map over it, and how much of the map each part gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lib.figures.mechanisms import METHOD_LABELS, SIGNED
from lib.figures.style import PART_COLOURS, SMALL
from lib.live.lab_words import condition_word
from lib.live.redrawn import Redrawn
from lib.saliency.enrichment import enrichment
from lib.saliency.maps import CAMS, normalise
from lib.settings.words import POLES, Poles

SIZE, DOTS = 224, 80
# left, bottom, width, height of the three panels, as shares of the figure
PLACES = ((0.01, 0.03, 0.29, 0.82), (0.32, 0.03, 0.29, 0.82), (0.7, 0.1, 0.29, 0.72))
TOP = 4.0  # of the enrichment's axis, unless a bar is higher


class ExplorerFigure:
    """Drawn once, then set anew; ``parts`` are the bars."""

    def __init__(self, parts: Sequence[str], poles: Poles = POLES):
        self.poles, self.figure = poles, Figure(figsize=(10, 3.4), dpi=DOTS)
        face, over, bars = (
            self.figure.add_axes(place)
            for place in (
                (0.01, 0.03, 0.29, 0.82),
                (0.32, 0.03, 0.29, 0.82),
                (0.7, 0.1, 0.29, 0.72),
            )
        )
        self._faces = [_picture(ax) for ax in (face, over)]
        self._map = over.imshow(np.zeros((2, 2)), cmap=SIGNED, extent=(0, SIZE, SIZE, 0))
        self._wait = over.text(112, 112, "", ha="center", va="center", fontsize=11)
        self._over, self._bar_axes, self._outlines = over, bars, []
        self._bars = bars.bar(list(parts), 0.0, color=[PART_COLOURS[part] for part in parts])
        bars.axhline(1, color="0.4", lw=1, ls=":")
        bars.set(ylabel="enrichment (a flat map: 1)", ylim=(0, TOP))
        bars.tick_params(labelsize=SMALL)
        self._titles = [ax.set_title(" \n ", fontsize=11) for ax in (face, over, bars)]
        changing = [*self._faces, self._map, self._wait, *self._bars, *self._titles]
        self.redrawn = Redrawn(self.figure, changing)

    def show_face(
        self, image: np.ndarray, face: str, level: float, condition: str, network: str, odds: float
    ) -> None:
        """The face and the network's answer; the map is still to come.

        Parameters
        ----------
        image : uint8 (224, 224, 3). odds : log-odds of the positive pole.
        """
        for shown in self._faces:
            shown.set_data(image.mean(axis=2))
        self._map.set_visible(False)
        self._set_outlines({})
        self._set_bars([0.0] * len(self._bars))
        chance = 1 / (1 + np.exp(-odds))
        answer = f"p({self.poles[1]}) = {chance:.2f}, log-odds {odds:+.2f}"
        first, second, third = self._titles
        first.set_text(f"{face}, level {level:g}\n{condition_word(condition)}")
        second.set_text(" ")
        third.set_text(f"{network}:\n{answer}")
        self._wait.set_text("the map is being computed …")

    def show_map(
        self, saliency: np.ndarray, regions: Mapping[str, np.ndarray], method: str, layer: str
    ) -> None:
        """The map over the face, the parts' outlines and their enrichment.

        Parameters
        ----------
        saliency : (224, 224), + for the positive pole. regions : part -> mask, (224, 224).
        """
        limit = float(np.abs(saliency).max()) or 1.0
        self._map.set(data=saliency, clim=(-limit, limit), visible=True)
        self._map.set_alpha(0.15 + 0.7 * np.clip(np.abs(saliency) / limit, 0, 1))
        self._set_outlines(regions)
        sizes = normalise(saliency[None], "absolute")
        self._set_bars([enrichment(sizes, mask)[0] for mask in regions.values()])
        negative, positive = self.poles
        signs = f"orange: for {positive}, purple: for {negative}"
        where = f" at {layer}" if method in CAMS else ""
        signs = "where it looks" if method == "attention" else signs
        self._titles[1].set_text(f"{METHOD_LABELS[method].replace(chr(10), ' ')}{where}\n{signs}")
        self._wait.set_text("")

    def show_note(self, text: str) -> None:
        """Why there is no map."""
        self._wait.set_text(text)

    def _set_outlines(self, regions: Mapping[str, np.ndarray]) -> None:
        new = [
            self._over.contour(mask, levels=[0.5], colors=[PART_COLOURS[part]], linewidths=1)
            for part, mask in regions.items()
        ]
        self.redrawn.exchange(self._outlines, new)
        self._outlines = new

    def _set_bars(self, values: Sequence[float]) -> None:
        for bar, value in zip(self._bars, values, strict=True):
            bar.set_height(value)
        top = TOP if max(values) <= TOP else float(np.ceil(max(values)))
        if self._bar_axes.get_ylim()[1] != top:
            self._bar_axes.set_ylim(0, top)
            self.redrawn.forget()


def _picture(ax: Axes):
    """An empty grey picture without ticks or frame."""
    shown = ax.imshow(
        np.zeros((SIZE, SIZE)), cmap="gray", vmin=0, vmax=255, extent=(0, SIZE, SIZE, 0)
    )
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    return shown
