"""Be an observer: happy or sad, in the notebook or in one HTML file that runs in any browser.

Both share one script, ``observer_task.js``: the method of constant stimuli with a fixation cross, a
short face, a mask and an answer by key or button. The answers are rows of the trial table.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from html import escape
from io import BytesIO
from pathlib import Path

import anywidget
import numpy as np
import pandas as pd
import traitlets
from PIL import Image

from lib.people.trial_file import FILE_COLUMNS, TrialFile
from lib.people.trials import TrialError
from lib.pictures.reading import read_image
from lib.settings.options import resolve
from lib.storage.files import settings_hash, write_text
from lib.widgets.task_settings import TaskSettings


def _read(*names: str) -> str:
    """Files beside this one, put together. The scripts have no imports: a page in one file
    cannot import.
    """
    return "\n".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in names)


def choose_stimuli(
    stimuli: pd.DataFrame,
    *,
    levels: int = 9,
    identities: int = 4,
    conditions: Sequence[str] = ("full",),
) -> pd.DataFrame:
    """A subset that a person can do in minutes: evenly spaced levels with both ends, the first
    identities.
    """
    there = np.sort(stimuli["level"].unique())
    chosen = there[np.linspace(0, len(there) - 1, min(levels, len(there))).round().astype(int)]
    faces = sorted(stimuli["identity"].unique())[:identities]
    wanted = (
        stimuli["level"].isin(chosen)
        & stimuli["identity"].isin(faces)
        & stimuli["condition"].isin(conditions)
    )
    return stimuli[wanted].reset_index(drop=True)


def task_data(stimuli: pd.DataFrame, task: TaskSettings) -> dict:
    """Everything the script needs, the pictures as data URIs.

    Raises
    ------
    TrialError : no stimuli, or two of the same name.
    """
    if stimuli.empty:
        raise TrialError("no stimuli given; needed: at least one row of the table stimuli")
    if stimuli["stimulus"].duplicated().any():
        raise TrialError(
            f"stimulus {stimuli['stimulus'][stimuli['stimulus'].duplicated()].iloc[0]!r} "
            "is there twice; "
            "allowed: each name once"
        )
    rows = [
        {
            "stimulus": row.stimulus,
            "identity": row.identity,
            "level": float(row.level),
            "condition": row.condition,
            "image": data_uri(read_image(resolve(row.path))),
        }
        for row in stimuli.itertuples()
    ]
    settings = asdict(task) | task.words()
    return {
        "id": settings_hash(settings, rows),
        **settings,
        "length": task.length(len(rows)),
        "columns": FILE_COLUMNS,
        "stimuli": rows,
    }


def data_uri(picture: np.ndarray) -> str:
    """A uint8 (H, W, 3) picture, without loss, as text for a browser."""
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, format="webp", lossless=True)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


class ObserverTask(anywidget.AnyWidget):
    """The task in a notebook's cell; ``observer_task`` makes it.

    The pictures travel in a message and not in the widget's state, which notebooks save.
    """

    _esm = _read("observer_task.js", "observer_notebook.js")
    _css = _read("observer_task.css")
    observer = traitlets.Unicode("me").tag(sync=True)

    def __init__(
        self,
        stimuli: pd.DataFrame,
        file: TrialFile,
        task: TaskSettings,
        *,
        observer: str,
        on_end: Callable[[pd.DataFrame], object] | None,
    ):
        super().__init__(observer=observer)
        self.file, self._on_end = file, on_end
        self._task = task_data(stimuli, task)
        self._known = stimuli.set_index("stimulus")
        self.on_msg(self._receive)

    @property
    def total(self) -> int:
        """How many trials the whole task has."""
        return len(self._known) * self._task["repeats"]

    @property
    def trials(self) -> pd.DataFrame:
        """This observer's trials so far, in trial-table form."""
        return self.file.read(self.observer)

    def _receive(self, _, message: dict, __) -> None:
        if message["type"] == "task?":
            self.send({"type": "task", "task": self._task})
        elif message["type"] == "finished?":
            self.send({"type": "finished", "trials": self._finished()})
        elif message["type"] == "trial":
            self._keep(message["trial"])
        elif message["type"] == "delete":
            self.file.delete(self.observer)
            self.send({"type": "deleted"})
            self._show()
        elif message["type"] == "end":
            self.send({"type": "ended", "kept": len(self._finished())})
            self._show()

    def _show(self) -> None:
        if self._on_end is not None:
            self._on_end(self.trials)

    def _finished(self) -> list[dict]:
        trials = self.trials
        ours = trials["stimulus"].isin(self._known.index) & (
            trials["repeat"] <= self._task["repeats"]
        )
        return trials.loc[ours, ["stimulus", "repeat"]].to_dict("records")

    def _keep(self, trial: dict) -> None:
        """One trial to disk; the browser is told that it is there, or why it is not."""
        try:
            self.file.append(self._checked(trial))
        except (TrialError, OSError) as error:
            self.send({"type": "refused", "reason": f"An answer was not kept: {error}"})
        else:
            self.send({"type": "saved"})

    def _checked(self, trial: dict) -> dict:
        """The trial with what Python knows of its stimulus."""
        name, repeat, response = trial["stimulus"], trial["repeat"], trial["response"]
        if name not in self._known.index or repeat not in range(1, self._task["repeats"] + 1):
            raise TrialError(f"stimulus {name!r}, repeat {repeat!r} is not part of this task")
        if response not in (0, 1, None):
            raise TrialError(f"response {response!r} given; allowed: 0, 1 or none (missed)")
        row = self._known.loc[name]
        return {
            **trial,
            "observer": self.observer,
            "identity": row["identity"],
            "level": row["level"],
            "condition": row["condition"],
        }


def observer_task(
    stimuli: pd.DataFrame,
    path: str | Path,
    *,
    observer: str = "me",
    task: TaskSettings | None = None,
    on_end: Callable[[pd.DataFrame], object] | None = None,
) -> ObserverTask:
    """The task as a widget; shown again with the same path and observer it goes on where it was
    left.

    Parameters
    ----------
    stimuli : rows of the table stimuli, such as ``choose_stimuli`` returns.
    path : the CSV file that each answer is added to at once.
    observer : a code, not a name.
    on_end : called with the observer's trials after the last face, and with none once they were
        deleted.
    """
    return ObserverTask(
        stimuli, TrialFile(path), task or TaskSettings(), observer=observer, on_end=on_end
    )


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src '{digest}'; \
style-src 'unsafe-inline'; img-src data:; connect-src 'none'; form-action 'none'; base-uri 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main><div id="task"></div></main>
<noscript>This page needs JavaScript, which runs in this browser alone.</noscript>
<script type="application/json" id="data">{data}</script>
<script type="module">{script}</script>
</body>
</html>
"""


_START = '\nrunPage(JSON.parse(document.getElementById("data").textContent));\n'


def export_task(
    stimuli: pd.DataFrame, path: str | Path, *, task: TaskSettings | None = None
) -> Path:
    """The task as one HTML file that runs in any browser, offline.

    The page sends nothing anywhere: its content-security policy forbids every connection. Answers
    stay in the browser until they are saved as a CSV file in trial-table form, which a study reads
    as ``observers.file``.
    """
    task = task or TaskSettings()
    script = _read("observer_task.js", "observer_page.js") + _START
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    data = json.dumps(task_data(stimuli, task)).replace("<", "\\u003c")
    return write_text(
        path,
        _PAGE.format(
            digest=f"sha256-{digest}",
            title=escape(task.words()["title"]),
            data=data,
            script=script,
            style=_read("observer_task.css"),
        ),
    )
