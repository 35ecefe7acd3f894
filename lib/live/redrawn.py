"""A figure of which only the artists that change are drawn again."""

from __future__ import annotations

import io
from collections.abc import Iterable

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image


class Redrawn:
    """Axes, ticks and everything else that stands still are drawn once and kept as pixels.

    Parameters
    ----------
    figure : drawn at its own dpi.
    changing : its artists that are set anew before each picture; drawn in this order.
    """

    def __init__(self, figure: Figure, changing: Iterable[Artist]):
        self.figure, self.changing = figure, list(changing)
        self._canvas, self._still = FigureCanvasAgg(figure), None
        for artist in self.changing:
            artist.set_animated(True)

    def exchange(self, old: Iterable[Artist], new: Iterable[Artist]) -> None:
        """Other artists in the place of ``old`` ones, which leave the figure."""
        gone, come = list(old), list(new)
        self.changing = [artist for artist in self.changing if artist not in gone] + come
        for artist in gone:
            artist.remove()
        for artist in come:
            artist.set_animated(True)

    def forget(self) -> None:
        """What stands still has changed after all: it is drawn anew with the next picture."""
        self._still = None

    def png(self) -> bytes:
        """The figure as a PNG."""
        if self._still is None:
            self._canvas.draw()
            self._still = self._canvas.copy_from_bbox(self.figure.bbox)
        self._canvas.restore_region(self._still)
        for artist in self.changing:
            self.figure.draw_artist(artist)
        buffer = io.BytesIO()
        pixels = np.asarray(self._canvas.buffer_rgba())[..., :3]
        Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "png", compress_level=1)
        return buffer.getvalue()
