"""Pick a face, a level, a condition, a network and a method, and see the map, its enrichment
and the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
from IPython.display import display
from matplotlib.figure import Figure

from lib.backbones.weight_files import is_outside
from lib.figures.mechanisms import METHOD_LABELS
from lib.live.explorer_figure import ExplorerFigure
from lib.live.lab_words import condition_word, face_words
from lib.live.painter import BUSY, STYLE, Painter
from lib.morphs.stimuli import regions_of
from lib.networks.answers import answer
from lib.networks.design import Cell
from lib.networks.network import Network
from lib.networks.panel import Panel
from lib.pictures.labelled import read_image
from lib.saliency.maps import CAMS, METHODS, enlarge, explain
from lib.settings.loading import resolve
from lib.settings.options import LOCATIONS
from lib.settings.words import label
from lib.storage.progress import headless
from lib.storage.runs import Run
from lib.training.checkpoints import load_trained


class SaliencyExplorer:
    """One stimulus at a time: what is shown follows from six choices.

    Parameters
    ----------
    run : whose trained networks are looked into.
    stimuli : table ``stimuli``.
    cells : the networks to choose from; those from outside have no maps and are not offered.
    """

    def __init__(self, run: Run, stimuli: pd.DataFrame, cells: Sequence[Cell]):
        self.run, self.stimuli = (
            run,
            stimuli.set_index(["identity", "condition", "level"], drop=False).sort_index(),
        )
        self.cells = {c.observer: c for c in cells if not is_outside(c.backbone)}
        # each AlexNet takes 230 MB, so few are kept; maps are small
        self.network = lru_cache(maxsize=2)(lambda name: load_trained(run, self.cells[name]))
        self.answer = lru_cache(maxsize=64)(self._answer)
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

    def words(self) -> dict[str, list[tuple[str, object]]]:
        """What each control offers: (what a choice is called, the choice)."""
        offered = self.choices()
        return {
            "face": face_words(offered["face"]),
            "level": [(f"{level:g}", level) for level in offered["level"]],
            "condition": [(condition_word(name), name) for name in offered["condition"]],
            "network": [(self.network_word(name), name) for name in offered["network"]],
            "method": [(METHOD_LABELS[name].replace("\n", " "), name) for name in METHODS],
            "layer": [(name, name) for name in offered["layer"]],
        }

    def network_word(self, name: str) -> str:
        """``FE-AlexNet (objects), seed 2``."""
        cell = self.cells[name]
        return f"{label(cell.architecture, cell.pretraining)}, seed {cell.seed}"

    def lacks(self, state: Mapping) -> str:
        """Why there is nothing to see in a state; empty where there is."""
        if (state["face"], state["condition"], state["level"]) not in self.stimuli.index:
            return (
                f"This run has no picture of {state['face']}, level {state['level']:g}, "
                f"{state['condition']};\nchoose another level or condition"
            )
        return ""

    def _row(self, face: str, level: float, condition: str) -> pd.DataFrame:
        return self.stimuli.loc[[(face, condition, level)]].reset_index(drop=True)

    def image(self, face: str, level: float, condition: str) -> np.ndarray:
        """The picture, uint8 (224, 224, 3)."""
        return read_image(resolve(self._row(face, level, condition)["path"].iloc[0]))

    def _answer(self, face: str, level: float, condition: str, network: str) -> float:
        """The network's log-odds."""
        image = self.image(face, level, condition)
        return float(answer(self.network(network), image[None]).log_odds[0])

    def _maps(
        self, face: str, level: float, condition: str, network: str, method: str, layer: str
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The enlarged signed map (224, 224), and the regions."""
        image, options = self.image(face, level, condition), {}
        if method in CAMS:
            options["location"] = layer
        raw = explain(self.network(network), Panel(image[None]), method, **options)
        regions = regions_of(self.run.study, self._row(face, level, condition))
        return enlarge(raw)[0], {
            part: mask[0] if mask.ndim == 3 else mask for part, mask in regions.items()
        }

    def draw(
        self, made: ExplorerFigure, state: dict, shown: Callable[[], None] = lambda: None
    ) -> None:
        """Set a figure to a state, first the face and the answer, then the map.

        Parameters
        ----------
        shown : is called whenever there is something new to see; what it raises ends the drawing.
        """
        if missing := self.lacks(state):
            made.show_note(missing)
            return shown()
        face, level, condition, network, method, layer = state.values()
        names = {code: word for word, code in face_words(self.choices()["face"])}
        image, name = self.image(face, level, condition), self.network_word(network)
        odds = self.answer(face, level, condition, network)
        made.show_face(image, names[face], level, condition, name, odds)
        shown()
        if method == "attention" and not _looks(self.network(network)):
            made.show_note(f"{name}\nhas no self-attention; choose another\nmethod or FE-AlexNet")
        else:
            made.show_map(*self.maps(face, level, condition, network, method, layer), method, layer)
        shown()

    def parts(self) -> list[str]:
        """The parts whose enrichment is shown."""
        return list(regions_of(self.run.study, self.stimuli.iloc[[0]].reset_index(drop=True)))

    def figure(self, **state: object) -> Figure:
        """The figure of one state, such as ``default``'s, to save."""
        made = ExplorerFigure(self.parts(), self.run.study.poles)
        self.draw(made, {name: state[name] for name in self.choices()})
        return made.figure


def _looks(network: Network) -> bool:
    return hasattr(network.block, "attention_map")


def saliency_explorer(run: Run, stimuli: pd.DataFrame, cells: Sequence[Cell]) -> Figure:
    """Show the explorer: its figure in the default state, and in a live notebook the controls above
    it.

    Returns
    -------
    the figure of the default state, to save.
    """
    explorer = SaliencyExplorer(run, stimuli, cells)
    if not headless():
        display(ExplorerControls(explorer).box)
    return explorer.figure(**explorer.default())


TIPS = {
    "face": "Whose face is looked at",
    "level": "Position on the morph: 0 is the negative pole, 1 the positive one",
    "condition": "The whole face, or with one part hidden",
    "network": "Whose answer is explained",
    "method": "How the map is made; notebook 05 tests which methods may be believed",
    "layer": "Where Grad-CAM and HiResCAM look; the other methods need none",
}


class ExplorerControls:
    """One control a choice; a key dims the picture at once, then the face is new, then the map."""

    def __init__(self, explorer: SaliencyExplorer):
        import ipywidgets as widgets  # here, because headless runs need no widgets

        self.explorer, start = explorer, explorer.default()
        self.made = ExplorerFigure(explorer.parts(), explorer.run.study.poles)
        self.picture, self.status = widgets.Image(format="png"), widgets.HTML()
        self.painter: Painter[dict] = Painter(self._show, self._failed)
        self.controls = {}
        for name, options in explorer.words().items():
            kind, more = widgets.Dropdown, {}
            if name == "level":
                kind, more = widgets.SelectionSlider, {"continuous_update": False}
            self.controls[name] = kind(
                options=options,
                value=start[name],
                description="shown" if name == "condition" else name,
                tooltip=TIPS[name],
                **more,
            )
            self.controls[name].observe(lambda _: self.redraw(), names="value")
        rows, style = list(self.controls.values()), widgets.HTML(STYLE)
        rows = [widgets.HBox(rows[:3]), widgets.HBox(rows[3:])]
        self.box = widgets.VBox([style, *rows, self.picture, self.status])
        self.redraw()

    def redraw(self) -> None:
        """Show the present state: at once that it is coming, then itself."""
        state = {name: control.value for name, control in self.controls.items()}
        self.controls["layer"].disabled = state["method"] not in CAMS
        self.picture.add_class(BUSY)
        self.status.value = "computing …"
        self.painter.ask(state)

    def _show(self, state: dict, wanted: Callable[[], None]) -> None:
        def shown() -> None:
            self.picture.value = self.made.redrawn.png()
            self.picture.remove_class(BUSY)
            wanted()

        self.explorer.draw(self.made, state, shown)
        self.status.value = ""

    def _failed(self, error: Exception) -> None:
        self.status.value = f"<b>{error}</b>"
        self.picture.remove_class(BUSY)
