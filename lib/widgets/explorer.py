"""Pick a face, a level, a condition, a network and a method, and see the map, its enrichment
and the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display
from matplotlib.figure import Figure

from lib.figures.mechanisms import METHOD_LABELS, plot_map
from lib.figures.style import PART_COLOURS
from lib.morphs.stimuli import regions_of
from lib.networks.design import Cell
from lib.networks.network import Network
from lib.networks.panel import Panel
from lib.pictures.labelled import read_image
from lib.saliency.enrichment import enrichment
from lib.saliency.maps import CAMS, METHODS, enlarge, explain, normalise
from lib.settings.loading import resolve
from lib.settings.options import LOCATIONS
from lib.settings.words import label
from lib.storage.progress import headless
from lib.storage.runs import Run
from lib.training.checkpoints import load_trained

if TYPE_CHECKING:  # headless runs need no widgets
    from ipywidgets import VBox


class SaliencyExplorer:
    """One stimulus at a time: what is shown follows from six choices.

    Parameters
    ----------
    run : whose trained networks are looked into.
    stimuli : table ``stimuli``.
    cells : the networks to choose from.
    """

    def __init__(self, run: Run, stimuli: pd.DataFrame, cells: Sequence[Cell]):
        self.run, self.stimuli = (
            run,
            stimuli.set_index(["identity", "condition", "level"], drop=False).sort_index(),
        )
        self.cells = {cell.observer: cell for cell in cells}
        # each AlexNet takes 230 MB, so few are kept; maps are small
        self._network = lru_cache(maxsize=2)(lambda name: load_trained(run, self.cells[name]))
        self.maps = lru_cache(maxsize=64)(self._maps)

    def choices(self) -> dict[str, list]:
        """What each control offers."""
        return {
            "face": sorted(self.stimuli["identity"].unique()),
            "level": sorted(self.stimuli["level"].unique()),
            "condition": list(self.run.study.morphs.conditions),
            "network": list(self.cells),
            "method": list(METHODS),
            "layer": list(LOCATIONS),
        }

    def default(self) -> dict:
        """The state that the static figure shows: a fully happy face, the last network, the
        first method.
        """
        offered = self.choices()
        return {
            "face": offered["face"][0],
            "level": offered["level"][-1],
            "condition": "full",
            "network": offered["network"][-1],
            "method": "hirescam",
            "layer": "conv5",
        }

    def _maps(
        self, face: str, level: float, condition: str, network: str, method: str, layer: str
    ) -> tuple[np.ndarray, np.ndarray, float, dict[str, np.ndarray]]:
        """The picture, its enlarged signed map, the log-odds and the regions."""
        row = self.stimuli.loc[[(face, condition, level)]]
        image, trained = read_image(resolve(row["path"].iloc[0])), self._network(network)
        panel, options = Panel(image[None]), {"location": layer} if method in CAMS else {}
        raw = explain(trained, panel, method, **options)
        regions = {
            part: mask[0] if mask.ndim == 3 else mask
            for part, mask in regions_of(self.run.study, row.reset_index(drop=True)).items()
        }
        return image, enlarge(raw)[0], float(panel.log_odds(trained)[0]), regions

    def figure(
        self, face: str, level: float, condition: str, network: str, method: str, layer: str
    ) -> Figure:
        """The figure of one state; it says so where the network lacks the method or the run the
        picture.
        """
        cell = self.cells[network]
        if (face, condition, level) not in self.stimuli.index:
            return _message(
                f"This run has no picture of {face}, level {level:g}, {condition};\n"
                "choose another level or condition"
            )
        if method == "attention" and not _looks(self._network(network)):
            return _message(
                f"{label(cell.architecture, cell.pretraining)} has no "
                "self-attention;\nchoose another "
                "method or FE-AlexNet"
            )
        image, saliency, answer, regions = self.maps(face, level, condition, network, method, layer)
        figure, axes = plt.subplots(
            1, 3, figsize=(10, 3.4), width_ratios=[1, 1, 1.1], layout="constrained"
        )
        plot_map(image, None, ax=axes[0]).set_title(
            f"{face}, level {level:g}, {condition}", fontsize=11
        )
        method_name = METHOD_LABELS[method].replace("\n", " ") + (
            f" at {layer}" if method in CAMS else ""
        )
        signs = "where it looks" if method == "attention" else "orange: for happy, purple: for sad"
        plot_map(image, saliency, regions, ax=axes[1]).set_title(
            f"{method_name}\n{signs}", fontsize=11
        )
        _plot_bars(axes[2], saliency, regions)
        chance = 1 / (1 + np.exp(-answer))
        axes[2].set_title(
            f"{label(cell.architecture, cell.pretraining)}, seed {cell.seed}:\n"
            f"p(happy) = {chance:.2f}, log-odds {answer:+.2f}",
            fontsize=11,
        )
        return figure


def _looks(network: Network) -> bool:
    return hasattr(network.block, "attention_map")


def _plot_bars(ax, saliency: np.ndarray, regions: dict[str, np.ndarray]) -> None:
    """Enrichment of each part by the map's absolute size."""
    sizes = normalise(saliency[None], "absolute")
    values = [enrichment(sizes, mask)[0] for mask in regions.values()]
    ax.bar(list(regions), values, color=[PART_COLOURS[part] for part in regions])
    ax.axhline(1, color="0.4", lw=1, ls=":")
    ax.set_ylabel("enrichment (a flat map: 1)")


def _message(text: str):
    figure, ax = plt.subplots(figsize=(10, 1.2))
    ax.text(0.5, 0.5, text, ha="center", va="center")
    ax.axis("off")
    return figure


def saliency_explorer(run: Run, stimuli: pd.DataFrame, cells: Sequence[Cell]) -> Figure:
    """Show the explorer: its figure in the default state, and in a live notebook the controls above
    it.

    Returns
    -------
    the figure of the default state, to save.
    """
    explorer = SaliencyExplorer(run, stimuli, cells)
    start = explorer.default()
    figure = explorer.figure(**start)
    if headless():
        return figure
    plt.close(figure)
    display(explorer_controls(explorer, start))
    return figure


def explorer_controls(explorer: SaliencyExplorer, start: dict) -> VBox:
    """The ipywidgets: one control a choice, the figure redrawn when one is let go."""
    import ipywidgets as widgets

    offered = explorer.choices()
    controls = {
        name: widgets.Dropdown(options=values, value=start[name], description=name)
        for name, values in offered.items()
        if name != "level"
    }
    controls["level"] = widgets.SelectionSlider(
        options=[(f"{v:g}", v) for v in offered["level"]],
        value=start["level"],
        description="level",
        continuous_update=False,
    )
    controls = {name: controls[name] for name in offered}
    output = widgets.Output()

    def redraw(*_):
        state = {name: control.value for name, control in controls.items()}
        controls["layer"].disabled = state["method"] not in CAMS
        with output:
            output.clear_output(wait=True)
            shown = explorer.figure(**state)
            display(shown)
            plt.close(shown)

    for control in controls.values():
        control.observe(redraw, names="value")
    redraw()
    rows = list(controls.values())
    return widgets.VBox([widgets.HBox(rows[:3]), widgets.HBox(rows[3:]), output])
