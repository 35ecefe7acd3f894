"""One training in the attention lab: in a thread of its own, with steps and time left, and ended
for the reader at once when it is cancelled.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from lib.attention_study.grid import Cancelled
from lib.live.lab import AttentionLab
from lib.live.lab_state import LabState
from lib.live.lab_words import progress_in_words
from lib.training.heads import TrainingFailed


class LabTraining:
    """Trains a state's block.

    Parameters
    ----------
    told : is called with steps done and words, after each step.
    done : is called with what was judged (of ``LabNetworks.train``). failed : with why not.
    before : an earlier training, which may still be at its last layer and is waited for.
    """

    def __init__(
        self,
        lab: AttentionLab,
        state: LabState,
        told: Callable[[int, str], None],
        done: Callable[[dict], None],
        failed: Callable[[str], None],
        before: LabTraining | None = None,
    ):
        self.lab, self.state, self._before = lab, state, before
        self._told, self._done, self._failed = told, done, failed
        self._stop, self._steps = threading.Event(), 0
        self._started = time.monotonic()
        self._thread = threading.Thread(target=self._train, daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def cancel(self) -> None:
        """Nothing of this training is told or kept from now on; the thread ends behind the layer
        that it computes.
        """
        self._stop.set()

    def wait(self, timeout_s: float | None = None) -> None:
        """Until the thread has ended."""
        self._thread.join(timeout_s)

    def _train(self) -> None:
        if self._before is not None:
            self._before.wait()
        self._before, self._started = None, time.monotonic()
        try:
            judged = self.lab.train(self.state, self._tick, self._wanted)
        except Cancelled:
            return
        except (ValueError, TrainingFailed) as error:
            if not self._stop.is_set():
                self._failed(str(error))
            return
        self._done(judged)

    def _tick(self, note: str) -> None:
        self._wanted()
        self._steps += 1
        spent = time.monotonic() - self._started
        self._told(self._steps, progress_in_words(self._steps, self.lab.steps(), spent))

    def _wanted(self) -> None:
        if self._stop.is_set():
            raise Cancelled
