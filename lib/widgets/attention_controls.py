"""The attention lab on the screen: its figure and table, and in a live notebook the controls
above them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.figure import Figure

from lib.attention_study.grid import Cancelled
from lib.settings.options import CONDITIONS, KINDS, LOCATIONS, PARTS
from lib.storage.progress import headless
from lib.training.heads import TrainingFailed
from lib.widgets.attention_figure import _png, plot_view, score_table
from lib.widgets.lab import AttentionLab, LabState


def attention_lab(lab: AttentionLab) -> Figure:
    """Show the lab: headless its default state, in a live notebook the controls too.

    Returns
    -------
    figure of the default state, to save.
    """
    state = lab.default()
    view, people = lab.view(state), lab.reference.at(state.condition).people_fits
    figure = plot_view(view, people, lab.run.study.statistics.sigmoid)
    if headless():
        display(score_table(view, people))
        return figure
    plt.close(figure)
    display(LabControls(lab).box)
    return figure


class LabControls:
    """The controls; ``box`` is the widget to display. Every one is reached by Tab and moved by
    the arrow keys.
    """

    def __init__(self, lab: AttentionLab):
        import ipywidgets as widgets  # here, because headless runs need no widgets

        lab.reference.prepare(lab.stimuli["condition"].unique())
        self.lab, self.start = lab, lab.default()
        self.controls = _controls(widgets, lab, self.start)
        self.picture, self.table, self.note = (
            widgets.Image(format="png"),
            widgets.HTML(),
            widgets.HTML(),
        )
        self.bar = widgets.IntProgress(min=0, max=1, description="training")
        self.left = widgets.Label("")
        self.text = widgets.Textarea(layout={"width": "98%", "height": "150px", "display": "none"})
        acts = {
            "Train": self.train,
            "Cancel": self.cancel,
            "Reset": self.reset,
            "Copy settings": self.copy,
        }
        self.buttons = {name: widgets.Button(description=name) for name in acts}
        for name, act in acts.items():
            self.buttons[name].on_click(lambda _, act=act: act())
        self.buttons["Cancel"].disabled = True
        for name, control in self.controls.items():
            control.observe(lambda _, name=name: self.changed(name), names="value")
        self._stop, self._quiet, self._thread = threading.Event(), False, None
        self._figure, self._drawing = (
            None,
            threading.Lock(),
        )  # a training that ends draws in a thread of its own
        rows = [widgets.HBox([self.controls[name] for name in names]) for names in ROWS]
        self.box = widgets.VBox(
            [
                *rows,
                widgets.HBox(list(self.buttons.values())),
                widgets.HBox([self.bar, self.left]),
                self.note,
                self.picture,
                self.table,
                self.text,
            ]
        )
        self.redraw()

    def state(self) -> LabState:
        """Where the controls stand."""
        return LabState(**{name: control.value for name, control in self.controls.items()})

    def changed(self, name: str) -> None:
        """A control was moved: another block starts from the study's gain."""
        if self._quiet:
            return
        if name in ("kind", "location", "reduction", "heads"):
            self._set(gain=self.start.gain)
        self.redraw()

    def redraw(self) -> None:
        """Show the present state."""
        self.show(self.state())

    def show(self, state: LabState) -> None:
        """Figure, table and note of a state; what does not fit is said instead."""
        with self._drawing:
            self._show(state)

    def _show(self, state: LabState) -> None:
        for name in ("heads", "temperature", *PARTS, "asks"):
            self.controls[name].disabled = state.kind != "self"
        try:
            view, people = self.lab.view(state), self.lab.reference.at(state.condition).people_fits
        except ValueError as error:
            self.note.value = f"<b>{error}</b>"
            return
        self.note.value = view.note
        self._figure = plot_view(view, people, self.lab.run.study.statistics.sigmoid, self._figure)
        self.picture.value = _png(self._figure)
        self.table.value = score_table(view, people).to_html(border=0)

    def train(self) -> None:
        """Train the present block in the background, so that the notebook stays alive."""
        self._stop.clear()
        self.bar.value, self.bar.bar_style, self.left.value = 0, "", "starting"
        self._running(True)
        self._thread = threading.Thread(target=self._train, args=(self.state(),), daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Stop behind the step that is being computed."""
        self._stop.set()

    def reset(self) -> None:
        """Back to the study's settings."""
        self._set(**{name: getattr(self.start, name) for name in self.controls})
        self.redraw()

    def copy(self) -> None:
        """Show the present settings as a study's YAML and as words for ``--set``, to be copied."""
        section, words = self.lab.settings(self.state())
        self.text.value = f'{section}\n# or, for make workbook SET="…" and after --set:\n{words}'
        self.text.rows = 12
        self.text.layout.display = ""

    def _train(self, state: LabState) -> None:
        try:
            judged = self.lab.train(state, self._ticker())
        except Cancelled:
            return self._ended("cancelled; nothing has changed", "warning")
        except (ValueError, TrainingFailed) as error:
            return self._ended(str(error), "danger")
        self.bar.value = self.bar.max
        self._ended(
            f"trained: {judged['accuracy']:.3f} of {judged['n']} test images right", "success"
        )
        if self.state().structure == state.structure:
            self._set(gain=self.start.gain)
        self.redraw()

    def _ticker(self) -> Callable[[str], None]:
        self.bar.max = self.lab.steps()

        def tick(note: str) -> None:
            self.bar.value += 1
            self.left.value = note
            if self._stop.is_set():
                raise Cancelled

        return tick

    def _ended(self, words: str, style: str) -> None:
        self.left.value, self.bar.bar_style = words, style
        self._running(False)

    def _running(self, running: bool) -> None:
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

    def pick(name, options):
        options = (
            sorted({*options, getattr(start, name)})
            if name in ("reduction", "heads")
            else list(options)
        )
        return widgets.Dropdown(options=options, value=getattr(start, name), description=name)

    def slide(name, low, high, step, kind=widgets.FloatSlider, **options):
        return kind(
            value=getattr(start, name),
            min=low,
            max=high,
            step=step,
            description=name,
            continuous_update=False,
            **options,
        )

    return {
        "kind": pick("kind", KINDS),
        "location": pick("location", LOCATIONS),
        "reduction": pick("reduction", (1, 2, 4, 8, 16, 32)),
        "heads": pick("heads", (1, 2, 4, 8)),
        "temperature": slide("temperature", -2, 2, 0.05, widgets.FloatLogSlider),
        "gain": slide("gain", -5, 5, 0.05, readout_format=".2f"),
        **{part: slide(part, -3, 3, 0.1, readout_format=".1f") for part in PARTS},
        "face": pick("face", faces["identity"].unique()),
        "level": widgets.SelectionSlider(
            options=[(f"{v:g}", v) for v in sorted(faces["level"].unique())],
            value=start.level,
            description="level",
            continuous_update=False,
        ),
        "condition": pick(
            "condition", [c for c in CONDITIONS if c in set(lab.stimuli["condition"])]
        ),
        "asks": pick("asks", PARTS),
    }
