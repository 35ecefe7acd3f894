"""The attention lab on the screen: its figure and table, and in a live notebook the controls
above them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from IPython.display import display
from matplotlib.figure import Figure

from lib.live.copy_button import CopyButton
from lib.live.lab import AttentionLab
from lib.live.lab_figure import LabFigure, plot_view, score_table
from lib.live.lab_state import LabState, View
from lib.live.lab_training import LabTraining
from lib.live.lab_words import (
    BUTTONS,
    CONTROLS,
    COPY,
    KINDS,
    condition_word,
    face_words,
    learned_in_words,
    progress_in_words,
)
from lib.live.painter import BUSY, STYLE, Painter
from lib.settings.options import CONDITIONS, LOCATIONS, PARTS
from lib.storage.progress import headless


def attention_lab(lab: AttentionLab) -> Figure:
    """Show the lab: headless its default state, in a live notebook the controls too.

    Returns
    -------
    figure of the default state, to save.
    """
    view = lab.view(lab.default())
    people = lab.reference.at(view.state.condition).people_fits
    if headless():
        display(score_table(view, people))
    else:
        display(LabControls(lab).box)
    return plot_view(view, people, lab.run.study.statistics.sigmoid, lab.run.study.poles)


class LabControls:
    """The controls; ``box`` is the widget to display. Every one is reached by Tab and moved by
    the arrow keys. A key dims the picture at once, a first look follows, then the whole.
    """

    def __init__(self, lab: AttentionLab):
        import ipywidgets as widgets  # here, because headless runs need no widgets

        lab.reference.prepare(lab.stimuli["condition"].unique())
        self.lab, self.start = lab, lab.default()
        self.controls = _controls(widgets, lab, self.start)
        self.picture, self.table = widgets.Image(format="png"), widgets.HTML()
        self.note, self.status = widgets.HTML(), widgets.HTML()
        self.bar, self.left = widgets.IntProgress(min=0, max=1), widgets.HTML()
        self.buttons = self._buttons(widgets)
        self.copied = CopyButton(name="Copy settings", hint=COPY)
        self.painter: Painter[LabState] = Painter(self._show, lambda error: self._say(str(error)))
        self._training: LabTraining | None = None
        self._trained: LabState | None = None  # the last training, which may be taken back
        self._figures: dict[tuple, LabFigure] = {}
        self._quiet, self._more, self._trains = False, "", False
        self._lab = threading.Lock()  # a training that ends looks at the lab in its own thread
        self.faces = {code: word for word, code in self.controls["face"].options}
        for name, control in self.controls.items():
            control.observe(lambda _, name=name: self.changed(name), names="value")
        rows = [widgets.HBox([self.controls[name] for name in names]) for names in ROWS]
        below = [self.note, self.picture, self.status, self.table, self.copied]
        buttons = widgets.HBox([*self.buttons.values(), self.bar, self.left])
        self.box = widgets.VBox([widgets.HTML(STYLE), *rows, buttons, *below])
        self.redraw()

    def _buttons(self, widgets) -> dict:
        acts: dict[str, Callable[[], None]] = {
            "Train": self.train,
            "Cancel": self.cancel,
            "Back": self.back,
            "Reset": self.reset,
        }
        made = {}
        for name, act in acts.items():
            made[name] = widgets.Button(description=name, tooltip=BUTTONS[name])
            made[name].on_click(lambda _, act=act: act())
        made["Cancel"].disabled = made["Back"].disabled = True
        return made

    def state(self) -> LabState:
        """Where the controls stand."""
        return LabState(**{name: control.value for name, control in self.controls.items()})

    def changed(self, name: str) -> None:
        """A control was moved: another block starts from the study's gain, which is said."""
        if self._quiet:
            return
        self._more = ""
        gain = self.controls["gain"].value
        if name in ("kind", "location", "reduction", "heads") and gain != self.start.gain:
            self._set(gain=self.start.gain)
            self._more = f" Another block: the gain is back at {self.start.gain:g}."
        self.redraw()

    def redraw(self) -> None:
        """Show the present state: at once that it is coming, then itself."""
        self.picture.add_class(BUSY)
        self.status.value = "computing …"
        self.painter.ask(self.state())

    def _show(self, state: LabState, wanted: Callable[[], None]) -> None:
        for name in ("heads", "temperature", *PARTS, "asks"):
            self.controls[name].disabled = state.kind != "self"
        try:
            with self._lab:
                self._look(state, wanted)
        except ValueError as error:
            return self._say(str(error))
        section, words = self.lab.settings(state)
        self.copied.text = f'{section}\n# or, for make workbook SET="…" and after --set:\n{words}'

    def _look(self, state: LabState, wanted: Callable[[], None]) -> None:
        glance = self.lab.glance(state)
        self._draw(glance)
        if glance.draft:
            wanted()
            self._draw(self.lab.view(state, wanted))

    def _draw(self, view: View) -> None:
        """Figure, note and, where the view is whole, the table."""
        people = self.lab.reference.at(view.state.condition).people_fits
        key = (view.state.condition, view.attention is not None)
        if key not in self._figures:
            study = self.lab.run.study
            self._figures[key] = LabFigure(
                people, key[1], study.statistics.sigmoid, study.poles, self.faces
            )
        self._figures[key].show(view)
        self.picture.value = self._figures[key].png()
        self.picture.remove_class(BUSY)
        self.note.value = view.note + self._more
        self.status.value = f"{view.draft} …" if view.draft else ""
        if not view.draft:
            self.table.value = score_table(view, people).to_html(border=0)
        self.buttons["Train"].disabled = self._trains or self.lab.is_trained(view.state)

    def _say(self, text: str) -> None:
        """Why there is nothing new; the figure stays."""
        self.note.value, self.status.value = f"<b>{text}</b>", ""
        self.picture.remove_class(BUSY)

    def train(self) -> None:
        """Train the present block in the background, so that the notebook stays alive."""
        state, before = self.state(), self._training
        self.bar.value, self.bar.max, self.bar.bar_style = 0, self.lab.steps(), ""
        self.left.value = progress_in_words(0, self.lab.steps(), 0)
        self._training = LabTraining(
            self.lab,
            state,
            self._told,
            lambda judged: self._done(state, judged),
            self._failed,
            before,
        )
        self._running(True)
        self._training.start()

    def cancel(self) -> None:
        """The training is over for the reader; the thread ends behind the layer it computes."""
        if self._training is not None:
            self._training.cancel()
        self._ended("cancelled; nothing has changed", "warning")

    def back(self) -> None:
        """Take the last training back."""
        if self._trained is not None:
            self.lab.forget(self._trained)
            self._set(**{name: getattr(self._trained, name) for name in self.controls})
        self._trained, self.buttons["Back"].disabled = None, True
        self.left.value, self.bar.value = "taken back: the block is new again", 0
        self.redraw()

    def reset(self) -> None:
        """Back to the study's settings."""
        self._set(**{name: getattr(self.start, name) for name in self.controls})
        self._more = ""
        self.redraw()

    def _told(self, done: int, words: str) -> None:
        self.bar.value, self.left.value = done, words

    def _done(self, state: LabState, judged: dict) -> None:
        """Say what was learned and what it changed, and show it where it is still looked at."""
        with self._lab:
            view, plain = self.lab.view(state), self.lab.plain_answers(state.condition)
        self.bar.value, self._trained = self.bar.max, state
        self.buttons["Back"].disabled = False
        self._ended(learned_in_words(judged, view, plain, self.lab.run.study.poles), "success")
        self.redraw()

    def _failed(self, reason: str) -> None:
        self._ended(reason, "danger")

    def _ended(self, words: str, style: str) -> None:
        self.left.value, self.bar.bar_style = words, style
        self._running(False)

    def _running(self, running: bool) -> None:
        self._trains = running
        self.buttons["Train"].disabled, self.buttons["Cancel"].disabled = running, not running

    def _set(self, **values) -> None:
        """Move controls without redrawing at each."""
        self._quiet = True
        for name, value in values.items():
            self.controls[name].value = value
        self._quiet = False


ROWS = (
    ("kind", "location", "reduction", "heads"),
    ("temperature", "gain"),
    PARTS,
    ("face", "level", "condition", "asks"),
)


def _controls(widgets, lab: AttentionLab, start: LabState) -> dict:
    """One control a setting, standing at ``start``."""
    faces = lab.stimuli[lab.stimuli["condition"] == "full"]
    shown = [c for c in CONDITIONS if c in set(lab.stimuli["condition"])]
    levels = sorted(faces["level"].unique())

    def said(name: str) -> dict:
        description, tooltip = CONTROLS[name]
        return {"value": getattr(start, name), "description": description, "tooltip": tooltip}

    def pick(name: str, options):
        return widgets.Dropdown(options=options, **said(name))

    def number(name: str, options):
        return pick(name, sorted({*options, getattr(start, name)}))

    def slide(name: str, low: float, high: float, step: float, **options):
        kind = widgets.FloatLogSlider if name == "temperature" else widgets.FloatSlider
        return kind(min=low, max=high, step=step, continuous_update=False, **said(name), **options)

    return {
        "kind": pick("kind", [(KINDS[kind], kind) for kind in KINDS]),
        "location": pick("location", LOCATIONS),
        "reduction": number("reduction", (1, 2, 4, 8, 16, 32)),
        "heads": number("heads", (1, 2, 4, 8)),
        "temperature": slide("temperature", -2, 2, 0.05),
        "gain": slide("gain", -5, 5, 0.05, readout_format=".2f"),
        **{part: slide(part, -3, 3, 0.1, readout_format=".1f") for part in PARTS},
        "face": pick("face", face_words(list(faces["identity"].unique()))),
        "level": widgets.SelectionSlider(
            options=[(f"{v:g}", v) for v in levels], continuous_update=False, **said("level")
        ),
        "condition": pick("condition", [(condition_word(c), c) for c in shown]),
        "asks": pick("asks", PARTS),
    }
