"""Kernels of this very environment, the next notebook's started while the one before it runs.

A notebook begins with imports that take seconds (torch alone takes three). They run in the next
notebook's kernel meanwhile, in a namespace of their own, so that the notebook still has to import
what it uses.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import zmq
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync

from lib.settings.options import ROOT
from lib.workbook.notebook_files import nbformat

ENVIRONMENT = {
    "WORKBOOK_HEADLESS": "1",
    "PYTHONHASHSEED": "0",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
STRANGERS = ("WORKBOOK_STUDY", "WORKBOOK_SET")


class _ThisEnvironment(KernelSpecManager):
    """Whatever kernel a notebook or a user's settings name: the Python that runs this."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(
            argv=argv,
            display_name="Python 3",
            language="python",
            name=kernel_name,
            metadata={"supported_encryption": "curve"},
        )


class Kernels:
    """One kernel a notebook; in a ``with`` block, at whose end, however it comes, all are gone.

    Parameters
    ----------
    inherited : file descriptors that the kernels keep open while they live (the run's lock).
    """

    def __init__(self, inherited: tuple[int, ...] = ()):
        self.inherited = inherited
        self._ahead: dict[Path, tuple[AsyncKernelManager, AsyncKernelClient]] = {}

    def __enter__(self) -> Kernels:
        return self

    def __exit__(self, *error) -> None:
        for source in list(self._ahead):
            with self.running(source):
                pass

    def prepare(self, source: Path) -> None:
        """Start a notebook's kernel and its imports; returns at once."""
        kernel = self._start()
        client = kernel.client()
        self._ahead[source] = kernel, client
        client.start_channels(iopub=False, stdin=False, hb=False, control=False)
        client.execute(f"exec({imports(source)!r}, {{}})", silent=True, store_history=False)

    @contextmanager
    def running(self, source: Path) -> Iterator[AsyncKernelManager]:
        """A notebook's kernel, prepared or new; gone when the block ends."""
        kernel, client = self._ahead.pop(source, (None, None))
        kernel = kernel or self._start()
        try:
            yield kernel
        finally:
            if client:
                client.stop_channels()
            run_sync(kernel.shutdown_kernel)(now=True)

    def _start(self) -> AsyncKernelManager:
        environment = {k: v for k, v in os.environ.items() if k not in STRANGERS} | ENVIRONMENT
        kernel = AsyncKernelManager(
            kernel_name="python3",
            kernel_spec_manager=_ThisEnvironment(),
            transport_encryption="auto" if zmq.has("curve") else "disabled",
        )
        # no history file: two runs would share its database
        run_sync(kernel.start_kernel)(
            env=environment,
            cwd=str(ROOT),
            pass_fds=self.inherited,
            extra_arguments=["--HistoryManager.hist_file=:memory:"],
        )
        return kernel


def imports(source: Path) -> str:
    """The import statements of a notebook's cells; those of cells that are not plain Python are
    left out.
    """
    found = []
    for cell in nbformat.read(source, as_version=4).cells:
        if cell.cell_type == "code":
            try:
                body = ast.parse(cell.source).body
            except SyntaxError:
                continue
            found += [
                ast.unparse(line) for line in body if isinstance(line, ast.Import | ast.ImportFrom)
            ]
    return "\n".join(found)
