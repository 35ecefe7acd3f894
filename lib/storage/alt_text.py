"""What a figure shows, in words, for readers who cannot see it: titles, axes and legend as
drawn.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:  # it takes a second, and the runner draws nothing
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LONGEST = 600


def describe(figure: Figure) -> str:
    """One sentence a panel: its title, what its axes say, and what its legend tells apart.

    Panels that say the same are named once, with their number; at most 600 characters.
    """
    panels: dict[str, int] = {}
    for axes in figure.axes:
        text = _describe_axes(axes)
        if text:
            panels[text] = panels.get(text, 0) + 1
    title = figure.get_suptitle()
    sentences = [f"{n} panels: {text}" if n > 1 else text for text, n in panels.items()]
    text = ". ".join([*([title] if title else []), *sentences]) or "A figure without titles"
    text = " ".join(text.split()).replace("$", "")
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rsplit(" ", 1)[0] + " …"


def _describe_axes(axes: Axes) -> str:
    if not axes.axison and not axes.get_title():
        return ""
    names = [axes.get_title(), _against(axes.get_xlabel(), axes.get_ylabel())]
    legend = axes.get_legend()
    labels = [text.get_text() for text in legend.get_texts()] if legend else []
    names += [f"with {', '.join(labels)}"] if labels else []
    return ": ".join(name for name in names if name)


def _against(x: str, y: str) -> str:
    return f"{y} against {x}" if x and y else x or y


def read_alt_text(path: str | Path) -> str:
    """The description that ``Run.save_figure`` put into a PNG; empty where there is none."""
    with Image.open(path) as image:
        return image.info.get("Description", "")
