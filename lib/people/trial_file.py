"""A CSV file of trials that grows by one row at a time and survives a crash between any two."""

from __future__ import annotations

import csv
import os
from io import StringIO
from pathlib import Path

import pandas as pd

from lib.people.trials import TRIAL_COLUMNS, TrialError
from lib.storage.files import write_text

TIMING_COLUMNS = [
    "trial",
    "shown_s",
    "frame_s",
]  # place in the order, measured presentation, the screen's frame
FILE_COLUMNS = [*TRIAL_COLUMNS, *TIMING_COLUMNS]


class TrialFile:
    """Answers of people in trial-table form, kind ``human``.

    Each row is on the disk (fsync) before ``append`` returns. A row that a crash left half-written
    is cut off when the file is opened again.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        if not self.path.is_file():
            write_text(self.path, _line(FILE_COLUMNS))
        self._cut_torn_row()
        with open(self.path, encoding="utf-8", errors="replace", newline="") as handle:
            header = next(csv.reader(handle), [])
        if header != FILE_COLUMNS:
            raise TrialError(
                f"{self.path.name} has the columns {', '.join(header) or '(none)'}; "
                "a file that answers "
                f"are added to has {', '.join(FILE_COLUMNS)}. Give another path"
            )

    def append(self, trial: dict) -> None:
        """Add one trial; columns it does not give stay empty.

        Raises
        ------
        TrialError : the same observer, stimulus and repeat once more.
        """
        row = {"kind": "human", **trial}
        before = self.read(row["observer"])
        if ((before["stimulus"] == row["stimulus"]) & (before["repeat"] == row["repeat"])).any():
            raise TrialError(
                f"stimulus {row['stimulus']!r}, repeat {row['repeat']} was answered before"
            )
        with open(self.path, "a", encoding="utf-8", newline="") as handle:
            handle.write(
                _line(["" if row.get(name) is None else row[name] for name in FILE_COLUMNS])
            )
            handle.flush()
            os.fsync(handle.fileno())

    def read(self, observer: str | None = None) -> pd.DataFrame:
        """All trials, or one observer's.

        Raises
        ------
        TrialError : the file was damaged.
        """
        text = [
            "observer",
            "kind",
            "architecture",
            "pretraining",
            "seed",
            "stimulus",
            "identity",
            "condition",
        ]
        try:
            trials = pd.read_csv(
                self.path,
                dtype=dict.fromkeys(text, str),
                keep_default_na=False,
                index_col=False,
                na_values={c: [""] for c in FILE_COLUMNS if c not in text},
            )
        except ValueError as error:
            raise TrialError(
                f"{self.path.name} is damaged: {' '.join(str(error).split())}. "
                "Mend it, or give another "
                "path"
            ) from None
        return (
            trials
            if observer is None
            else trials[trials["observer"] == observer].reset_index(drop=True)
        )

    def delete(self, observer: str) -> None:
        """Take all trials of an observer off the disk; those of others stay as they are."""
        with open(self.path, encoding="utf-8", newline="") as handle:
            header, *rows = csv.reader(handle)
        place = FILE_COLUMNS.index("observer")
        kept = [row for row in rows if row[place] != observer]
        write_text(self.path, "".join(map(_line, [header, *kept])))

    def _cut_torn_row(self) -> None:
        content = self.path.read_bytes()
        if content and not content.endswith(b"\n"):
            os.truncate(self.path, content.rfind(b"\n") + 1)


def _line(cells) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
