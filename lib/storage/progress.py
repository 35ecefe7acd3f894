"""Progress of a long step: a bar where one can move, plain lines with the time left elsewhere."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType

FIRST_LINE_S = 2.0
EVERY_S = 5.0


def headless() -> bool:
    """Whether nobody can move a slider: not in a live notebook, or run by ``lib.workbook``.

    The latter sets WORKBOOK_HEADLESS=1.
    """
    if os.environ.get("WORKBOOK_HEADLESS", "") not in ("", "0"):
        return True
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is None


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

    A bar of tqdm's in a live notebook and in a terminal. Elsewhere it prints a line every five
    seconds at most, so that a step of less than two seconds prints nothing.

    Parameters
    ----------
    name : what is being done, such as ``"training"``.
    total : how many steps there are, from 0.
    """

    def __init__(self, name: str, total: int):
        self.name = name
        self.total = int(total)
        self.done = 0
        self.started = time.monotonic()
        self._printed = False
        self._next_line = self.started + FIRST_LINE_S
        self._bar = _bar(name, self.total)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        elif kind is None and self._printed:
            took = clock(time.monotonic() - self.started)
            print(f"{self.name}: {self.done} of {self.total} in {took}", flush=True)

    def step(self, n: int = 1, note: str = "") -> None:
        """``n`` more steps are done; ``note`` (such as the current loss) ends the line."""
        self.done += n
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(n)
            return
        now = time.monotonic()
        if now >= self._next_line and self.done < self.total:
            self._next_line = now + EVERY_S
            self._printed = True
            print(f"{self.name}: {self._line(now, note)}", flush=True)

    def _line(self, now: float, note: str) -> str:
        """Steps done and the time left at the mean pace so far."""
        pace = (now - self.started) / max(self.done, 1)
        left = clock(pace * max(self.total - self.done, 0))
        return f"{self.done} of {self.total}, {left} left" + (f", {note}" if note else "")


def _bar(name: str, total: int):
    """A bar of tqdm's, or None where none can move: papermill would keep its first state."""
    if not headless():
        from tqdm.notebook import tqdm  # here, because headless runs need no widgets
    elif sys.stderr is not None and sys.stderr.isatty():
        from tqdm import tqdm
    else:
        return None
    return tqdm(total=total, desc=name)
