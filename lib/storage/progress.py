"""Progress of a long step: a bar in JupyterLab, plain lines with the time left anywhere else."""

from __future__ import annotations

import os
import time

from IPython import get_ipython
from IPython.display import display

FIRST_LINE_S, EVERY_S, DRAWING_S = 2.0, 5.0, 0.1


def headless() -> bool:
    """Whether nobody can move a slider: not in a live notebook, or run by
    ``lib.workbook.command`` (WORKBOOK_HEADLESS=1).
    """
    return (
        os.environ.get("WORKBOOK_HEADLESS", "") not in ("", "0")
        or getattr(get_ipython(), "kernel", None) is None
    )


def clock(seconds: float) -> str:
    """``45 s``, ``3 min 20 s`` or ``2 h 05 min``."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"


class Progress:
    """``with Progress("training", total=30) as progress: progress.step()`` for each of 30 steps.

    Headless it prints a line every five seconds at most, so that a step of less than two seconds
    prints nothing.

    Parameters
    ----------
    name : what is being done, such as ``"training"``.
    total : how many steps there are, from 0.
    """

    def __init__(self, name: str, total: int):
        self.name, self.total, self.done = name, int(total), 0
        self.started = time.monotonic()
        self._next_line, self._next_drawing = self.started + FIRST_LINE_S, self.started
        self._bar = None if headless() else _bar(name, self.total)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind, error, trace) -> None:
        if self._bar is not None:
            self._bar.children[0].bar_style = "success" if kind is None else "danger"
            self._bar.children[1].value = (
                self.closing_line() if kind is None else f"stopped at {self._count()}"
            )
        elif kind is None and self._next_line > self.started + FIRST_LINE_S:
            print(f"{self.name}: {self.closing_line()}", flush=True)

    def step(self, n: int = 1, note: str = "") -> None:
        """``n`` more steps are done; ``note`` (such as the current loss) ends the line."""
        self.done += n
        now = time.monotonic()
        if self._bar is None:
            if now >= self._next_line and self.done < self.total:
                self._next_line = now + EVERY_S
                print(f"{self.name}: {self.line(now, note)}", flush=True)
        elif now >= self._next_drawing or self.done >= self.total:
            self._next_drawing = (
                now + DRAWING_S
            )  # a message to the browser takes longer than a step on a GPU
            self._bar.children[0].value = self.done
            self._bar.children[1].value = self.line(now, note)

    def line(self, now: float, note: str = "") -> str:
        """Steps done and the time left at the mean pace so far."""
        pace = (now - self.started) / max(self.done, 1)
        left = f"{clock(pace * max(self.total - self.done, 0))} left"
        return ", ".join([self._count(), left, *([note] if note else [])])

    def closing_line(self) -> str:
        return f"{self._count()} in {clock(time.monotonic() - self.started)}"

    def _count(self) -> str:
        return f"{self.done} of {self.total}"


def _bar(name: str, total: int):
    """An ipywidgets row: the bar, then its text. Imported here, because headless runs need no
    widgets.
    """
    import ipywidgets as widgets

    bar = widgets.IntProgress(
        min=0, max=max(total, 1), description=name, style={"description_width": "initial"}
    )
    row = widgets.HBox([bar, widgets.Label("")])
    display(row)
    return row
