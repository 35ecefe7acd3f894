"""The newest state is shown in a thread of its own, so that a live notebook answers every key."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

State = TypeVar("State")
BUSY = "workbook-busy"  # the class of a picture that is being computed anew
STYLE = f"<style>.{BUSY} {{ opacity: .45; }}</style>"


class Stale(Exception):
    """What is being computed is no longer wanted."""


class Painter(Generic[State]):
    """Shows states one after the other; of those that wait only the newest.

    Parameters
    ----------
    show : is called with a state and a function that raises ``Stale`` once a newer one waits.
    failed : is called with an error that ``show`` raised.
    """

    def __init__(
        self,
        show: Callable[[State, Callable[[], None]], None],
        failed: Callable[[Exception], None],
    ):
        self._show, self._failed = show, failed
        self._lock, self._thread = threading.Lock(), None
        self._waiting: list[State] = []  # at most one
        self._asked = 0

    def ask(self, state: State) -> None:
        """Show this state soon; returns at once."""
        with self._lock:
            self._waiting, self._asked = [state], self._asked + 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()

    def wait(self, timeout_s: float | None = None) -> None:
        """Until nothing waits any more."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                state, number = self._waiting.pop(), self._asked
            self._one(state, number)

    def _one(self, state: State, number: int) -> None:
        def still_wanted() -> None:
            if self._asked != number:
                raise Stale

        try:
            self._show(state, still_wanted)
        except Stale:
            return
        except Exception as error:  # said on the page: the thread must live for the next state
            self._failed(error)
