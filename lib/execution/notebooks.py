"""Execute one notebook with papermill in this very environment, and tell what it cost or why it
stopped.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from lib.execution.stages import Cost
from lib.report.notebook_files import DeadKernelError, nbformat, papermill
from lib.settings.options import ROOT
from lib.storage.files import temporary_name, write_with
from lib.storage.runs import Stopped

PATIENCE_S = 600  # for a kernel to start: a busy laptop takes minutes
ENVIRONMENT = {
    "WORKBOOK_HEADLESS": "1",
    "PYTHONHASHSEED": "0",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "JUPYTER_PREFER_ENV_PATH": "1",  # this environment's kernel before a user's of the same name
}
NOT_FOR_KERNELS = ("WORKBOOK_STUDY", "WORKBOOK_SET")  # what `make lab` tells live notebooks
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


def execute(source: Path, target: Path, parameters: dict[str, str]) -> Cost:
    """Run ``source`` with the project's root as working directory and keep it, executed, as
    ``target``.

    A kernel that dies before the first cell is started once more.

    Parameters
    ----------
    parameters : values for the cell tagged ``parameters``.

    Raises
    ------
    NotebookFailed : an unknown parameter, an error in a cell, or a kernel that died.
    """
    _refuse_unknown(source, parameters)
    target.parent.mkdir(parents=True, exist_ok=True)
    logging.getLogger("papermill").setLevel(logging.ERROR)
    started = time.monotonic()
    with _kept(target) as working, _kernel_environment(), _PeakMemory() as memory:
        try:
            _run(source, working, parameters)
        except papermill.exceptions.PapermillExecutionError as error:
            raise NotebookFailed(_failure(source, error)) from None
        except DeadKernelError as error:
            raise NotebookFailed(
                f"notebook {source.stem} stopped: its process died ({error}). Most often memory "
                "or disk ran out, or something killed it"
            ) from None
    return Cost(round(time.monotonic() - started, 1), round(memory.peak / 2**20, 1))


def _run(source: Path, working: Path, parameters: dict[str, str]) -> None:
    """papermill, once more where the kernel came to nothing before the first cell."""
    try:
        _papermill(source, working, parameters)
    except (DeadKernelError, RuntimeError) as error:
        if isinstance(error, papermill.exceptions.PapermillExecutionError) or _began(working):
            raise
        print("      the kernel did not start; once more", flush=True)
        try:
            _papermill(source, working, parameters)
        except RuntimeError as again:
            raise DeadKernelError(str(again)) from None


def _papermill(source: Path, working: Path, parameters: dict[str, str]) -> None:
    papermill.execute_notebook(
        source,
        working,
        parameters,
        kernel_name="python3",
        language="python",
        progress_bar=False,
        cwd=ROOT,
        stdout_file=_Indented(sys.stdout),
        start_timeout=PATIENCE_S,
        # no history file: two runs would share its database
        extra_arguments=["--HistoryManager.hist_file=:memory:", "--IPKernelApp.log_level=50"],
    )


def _began(working: Path) -> bool:
    """Whether a cell of the notebook has run."""
    if not working.is_file():
        return False
    cells = nbformat.read(working, as_version=4).cells
    return any(cell.get("execution_count") for cell in cells)


@contextmanager
def _kernel_environment() -> Iterator[None]:
    """This process's surroundings as a kernel is to inherit them, put back in the end."""
    before = dict(os.environ)
    os.environ.update(ENVIRONMENT)
    for name in NOT_FOR_KERNELS:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


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
    """Watches the resident memory of this process's children; ``peak`` is its most, in bytes."""

    EVERY_S = 0.2

    def __init__(self):
        super().__init__(daemon=True)
        self.peak = 0
        self._process = psutil.Process()
        self._end = threading.Event()

    def __enter__(self) -> _PeakMemory:
        self.start()
        return self

    def __exit__(self, *error) -> None:
        self._end.set()
        self.join()

    def run(self) -> None:
        while not self._end.wait(self.EVERY_S):
            self.peak = max(self.peak, self._resident())

    def _resident(self) -> int:
        total = 0
        for child in self._process.children(recursive=True):
            try:
                total += child.memory_info().rss
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
