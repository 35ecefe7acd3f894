"""Execute one notebook with papermill in this very environment, and tell what it cost or why it
stopped.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from jupyter_core.utils import run_sync

from lib.settings.options import ROOT
from lib.storage.files import temporary_name, write_with
from lib.storage.runs import Stopped
from lib.workbook.kernels import Kernels
from lib.workbook.notebook_files import DeadKernelError, papermill
from lib.workbook.stages import Cost

# errors whose own words are the whole message
SPEAKING = (
    "StudyError",
    "MissingResult",
    "DiskFullError",
    "MissingWeights",
    "WeightsError",
    "WrongArchitecture",
    "ImageError",
    "TrialError",
    "TrainingFailed",
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class NotebookFailed(Stopped):
    """A notebook stopped; the text names the notebook, the cell and the error."""


def execute(
    source: Path,
    target: Path,
    parameters: dict[str, str],
    kernels: Kernels,
    following: Path | None = None,
) -> Cost:
    """Run ``source`` with the project's root as working directory and keep it, executed, as
    ``target``.

    Parameters
    ----------
    parameters : values for the cell tagged ``parameters``.
    following : the notebook that comes next, whose kernel is prepared meanwhile.

    Raises
    ------
    NotebookFailed : an unknown parameter, an error in a cell, or a kernel that died.
    """
    _refuse_unknown(source, parameters)
    target.parent.mkdir(parents=True, exist_ok=True)
    logging.getLogger("papermill").setLevel(logging.ERROR)
    started = time.monotonic()
    with (
        _kept(target) as working,
        kernels.running(source) as kernel,
        _PeakMemory(kernel.provisioner.pid) as memory,
    ):
        if following:
            kernels.prepare(following)
        try:
            papermill.execute_notebook(
                source,
                working,
                parameters,
                km=kernel,
                kernel_name="python3",
                language="python",
                progress_bar=False,
                cwd=ROOT,
                stdout_file=_Indented(sys.stdout),
            )
        except papermill.exceptions.PapermillExecutionError as error:
            raise NotebookFailed(_failure(source, error)) from None
        except (DeadKernelError, RuntimeError) as error:
            if run_sync(kernel.is_alive)():
                raise
            raise NotebookFailed(
                f"notebook {source.stem} stopped: its process died ({type(error).__name__}). Most "
                "often memory or disk ran out, or something killed it"
            ) from None
    return Cost(round(time.monotonic() - started, 1), round(memory.peak / 2**20, 1))


@contextmanager
def _kept(target: Path) -> Iterator[Path]:
    """A hidden name to work under; what stands there takes the place of ``target`` in the end, also
    where a cell failed, which the executed notebook shows."""
    working = temporary_name(target)
    try:
        yield working
    finally:
        if working.is_file():
            write_with(target, working.replace)


def _refuse_unknown(source: Path, parameters: dict[str, str]) -> None:
    known = papermill.inspect_notebook(str(source))
    unknown = sorted(parameters.keys() - known.keys())
    if unknown:
        raise NotebookFailed(
            f"notebook {source.stem} has no parameter {', '.join(unknown)}; its cell tagged "
            f"'parameters' has: {', '.join(known) or 'none'}"
        )


def _failure(source: Path, error: papermill.exceptions.PapermillExecutionError) -> str:
    """Notebook, cell (as numbered in the notebook and by its first line) and the error's own
    words.
    """
    first = next((line for line in error.source.splitlines() if line.strip()), "")
    kind = "" if error.ename in SPEAKING else f"{error.ename}: "
    words = _COLOUR.sub("", error.evalue).strip().splitlines() or ["(no message)"]
    lines = [
        (
            f"notebook {source.stem} stopped in cell [{error.exec_count}], "
            f"which begins: {first.strip()}"
        ),
        f"  {kind}{words[0]}",
        *(f"  {line}" for line in words[1:20]),
    ]
    if "no space left on device" in error.evalue.lower():  # from a library that writes by itself
        lines.append(
            "  the disk is full. What was finished is kept: free some "
            "space and run again with --resume"
        )
    return "\n".join(lines)


class _PeakMemory(threading.Thread):
    """Watches the resident memory of a process and its children; ``peak`` is its most, in bytes."""

    EVERY_S = 0.2

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.process, self.peak, self._stop_now = psutil.Process(pid), 0, threading.Event()

    def __enter__(self) -> _PeakMemory:
        self.start()
        return self

    def __exit__(self, *error) -> None:
        self._stop_now.set()
        self.join()

    def run(self) -> None:
        while not self._stop_now.wait(self.EVERY_S):
            self.peak = max(self.peak, self._resident())

    def _resident(self) -> int:
        total = 0
        try:
            family = [self.process, *self.process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return 0
        for member in family:
            try:
                total += member.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return total


class _Indented:
    """What a notebook prints, such as its progress, passed on to the terminal."""

    def __init__(self, stream):
        self.stream = stream

    def write(self, text: str) -> None:
        for line in text.splitlines():
            self.stream.write(f"      {line}\n")

    def flush(self) -> None:
        self.stream.flush()
