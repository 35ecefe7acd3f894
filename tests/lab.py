"""JupyterLab on a free loopback port, driven as a person would: open a notebook, run all cells,
use its widgets.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

# JupyterLab's own lines in the console that say nothing about the workbook: exact pattern, and why
# it is harmless
KNOWN_NOISE = {
    (
        r"Failed to load resource: the server responded with a status "
        r"of 404 \(Not Found\) .*/lab/api/workspaces/.*"
    ): "a workspace that was never saved before",
    (
        r"Failed to load resource: the server responded with a status "
        r"of 404 \(Not Found\) .*/static/favicons/.*"
    ): "the icon of a busy page",
}

SETTINGS = {
    # every cell is in the page, also one far below the window, so that the test can look at it
    "@jupyterlab/notebook-extension/tracker": (
        '{"windowingMode": "none", "autoStartDefaultKernel": true}'
    ),
    # no look at the outside world
    "@jupyterlab/apputils-extension/notification": (
        '{"fetchNews": "false", "checkForUpdates": false}'
    ),
    "@jupyterlab/docmanager-extension/plugin": '{"autosave": false}',
}

KERNEL_IDLE = """() => typeof jupyterapp !== 'undefined'
  && jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"""

# every cell has run, or one has failed, and nothing runs or waits
ALL_RUN = """() => {
  const panel = jupyterapp.shell.currentWidget;
  const cells = panel.content.widgets
    .filter(c => c.model.type === 'code' && c.model.sharedModel.source.trim());
  const failed = cells.some(c => c.model.outputs.toJSON().some(o => o.output_type === 'error'));
  return panel.sessionContext.session.kernel.status === 'idle'
    && cells.every(c => c.model.executionState === 'idle' && (failed || c.model.executionCount));
}"""


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def jupyter_lab(folder: Path, environment: dict[str, str]):
    """Start JupyterLab on ``folder``; yields its address. Its settings are its own, the user's
    stay untouched.
    """
    home = folder / ".jupyter-test"
    for name, text in SETTINGS.items():
        path = home / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    port = _free_port()
    places = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
        "JUPYTER_DATA_DIR": "data",
    }
    log = open(home / "server.log", "w")  # noqa: SIM115 - for as long as the server lives
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "jupyterlab",
            "--no-browser",
            "--allow-root",
            "--ip=127.0.0.1",
            f"--port={port}",
            "--ServerApp.port_retries=0",
            "--IdentityProvider.token=",
            "--ServerApp.password=",
            f"--ServerApp.root_dir={folder}",
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.extension_manager=readonly",
        ],
        env={
            **os.environ,
            **environment,
            **{name: str(home / place) for name, place in places.items()},
            "JUPYTER_PREFER_ENV_PATH": "1",
        },
        stdout=subprocess.DEVNULL,
        stderr=log,
    )
    try:
        _wait_for_server(f"http://127.0.0.1:{port}/api", process, home / "server.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()  # ends its kernels too
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _wait_for_server(url: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, f"JupyterLab did not start: {log.read_text()[-2000:]}"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"JupyterLab did not answer: {log.read_text()[-2000:]}")


def copy_notebooks(source: Path, folder: Path) -> list[str]:
    """Copies to run, so that running them never changes the committed ones."""
    (folder / "notebooks").mkdir(parents=True, exist_ok=True)
    paths = sorted(source.glob("[0-9][0-9]_*.ipynb"))
    for path in paths:
        shutil.copy(path, folder / "notebooks" / path.name)
    return [path.name for path in paths]


class NotebookPage:
    """One notebook in the browser, and everything its console said."""

    def __init__(self, context, address: str, name: str):
        self.page, self.console = context.new_page(), []
        self.page.set_default_timeout(30_000)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.console.append(f"uncaught: {error}"))
        self.page.goto(f"{address}/lab/tree/{name}?reset")
        self.page.wait_for_selector(".jp-Notebook")
        self.page.wait_for_function(KERNEL_IDLE, timeout=60_000)

    def _heard(self, message) -> None:
        if message.type == "error":
            self.console.append(f"{message.text} {message.location.get('url', '')}")

    def close(self) -> None:
        """Shut the kernel down and leave."""
        self.page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        self.page.close()

    def run_all(self, timeout_s: float = 120) -> None:
        """Run > Run All Cells, and wait until no cell waits or runs."""
        self.page.click(".lm-MenuBar-itemLabel:text-is('Run')")
        self.page.click(".lm-Menu-itemLabel:text-is('Run All Cells')")
        self.page.wait_for_function(ALL_RUN, timeout=1000 * timeout_s, polling=200)
        self.page.wait_for_timeout(300)  # what the last cell shows is drawn

    def outputs(self) -> list[dict]:
        """All outputs of all code cells, as notebooks store them."""
        return self.page.evaluate(
            "jupyterapp.shell.currentWidget.content.widgets.filter(c => c.model.type === 'code')"
            ".flatMap(c => c.model.outputs.toJSON())"
        )

    def errors(self) -> list[str]:
        """Error outputs, and error messages inside widgets' own output areas."""
        told = [
            f"{o['ename']}: {o['evalue']}" for o in self.outputs() if o["output_type"] == "error"
        ]
        inside = self.page.locator(
            ".jupyter-widgets [data-mime-type='application/vnd.jupyter.stderr'], "
            ".jupyter-widgets [data-mime-type='application/vnd.jupyter.error'], "
            ".jupyter-widgets-error-widget"
        )
        return told + [text.strip() for text in inside.all_inner_texts()]

    def red_lines(self) -> list[str]:
        """What the console shows in red, without JupyterLab's own known noise."""
        return [
            line
            for line in self.console
            if not any(re.fullmatch(known, line) for known in KNOWN_NOISE)
        ]

    def figures(self) -> list[str]:
        """The sources of all pictures that cells show, in order."""
        return self.page.locator(".jp-OutputArea img, .jupyter-widgets img").evaluate_all(
            "all => all.map(i => i.src)"
        )

    def sliders(self) -> list:
        """The handles of all sliders that can be used now."""
        return self.page.locator(".jupyter-widgets .noUi-target:not([disabled]) .noUi-handle").all()

    def nudge(self, handle, times: int = 1) -> None:
        """Move a slider by keyboard alone, away from its upper end."""
        handle.scroll_into_view_if_needed()
        handle.focus()
        at_end = handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax")
        for _ in range(times):
            handle.press("ArrowLeft" if at_end else "ArrowRight")

    def button(self, text: str):
        """The widgets' button of that text that can be pressed; of several the first."""
        return self.page.locator(f".jupyter-widgets.jupyter-button:enabled:text-is('{text}')").first

    def has_button(self, text: str) -> bool:
        return self.button(text).count() > 0

    def press(self, text: str) -> None:
        """Press a button by keyboard alone, once it can be pressed."""
        self.button(text).wait_for()
        self.button(text).focus()
        self.button(text).press("Enter")

    def choose(self, name: str, option: str) -> None:
        """Another option of the drop-down list of that name."""
        control = self.page.locator(
            f".jupyter-widgets.widget-dropdown:has(label:text-is('{name}')) select"
        ).first
        control.select_option(option)

    def bars(self) -> list[float]:
        """How far each progress bar of the widgets is, in percent."""
        return self.page.locator(".jupyter-widgets .progress-bar").evaluate_all(
            "all => all.map(bar => parseFloat(bar.style.width) || 0)"
        )

    def wait_for_bar(self, before: list[float], timeout_s: float = 60) -> list[float]:
        """The bars, once one is further than it was ``before``."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            now = self.bars()
            if any(new > old for new, old in zip(now, before + [0.0] * len(now), strict=False)):
                return now
            self.page.wait_for_timeout(50)
        raise AssertionError(f"no progress bar moved: {before} before, {self.bars()} now")

    def wait_for_rest(self, still_s: float = 1.5, timeout_s: float = 60) -> list[float]:
        """The bars, once none has moved for a while."""
        deadline, last, since = time.monotonic() + timeout_s, None, time.monotonic()
        while time.monotonic() < deadline:
            now = self.bars()
            if now != last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > still_s:
                return now
            self.page.wait_for_timeout(50)
        raise AssertionError("a progress bar keeps moving")

    def wait_for_change(self, before: list[str], timeout_s: float = 30) -> list[str]:
        """The pictures, once they are no longer those of ``before`` and stand still."""
        deadline, last = time.monotonic() + timeout_s, None
        while time.monotonic() < deadline:
            now = self.figures()
            if now != before and now == last and len(now) >= len(before):
                return now
            last = now
            self.page.wait_for_timeout(150)
        raise AssertionError("no picture changed")

    def screenshot(self, path: Path) -> None:
        """The whole notebook as a picture, however long it is."""
        path.parent.mkdir(parents=True, exist_ok=True)
        height = self.page.evaluate(
            "Math.max(...[...document.querySelectorAll('.jp-NotebookPanel-notebook, "
            ".jp-NotebookPanel-notebook div')].map(e => e.scrollHeight))"
        )
        self.page.set_viewport_size({"width": 1280, "height": min(int(height) + 160, 15_000)})
        self.page.evaluate(
            "jupyterapp.shell.currentWidget.content.node.querySelectorAll('*').forEach("
            "e => { if (e.scrollTop) e.scrollTop = 0 })"
        )
        self.page.wait_for_timeout(300)
        self.page.screenshot(path=path)
        self.page.set_viewport_size({"width": 1280, "height": 1000})
