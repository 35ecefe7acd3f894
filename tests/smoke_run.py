"""A finished run of the smoke study, which several test files look at."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lib.settings.loading import Study, load_study
from lib.storage.runs import read_csv

SMOKE = "data/studies/smoke.yaml"


@dataclass
class Result:
    """A finished run of the smoke study."""

    folder: Path
    study: Study
    out: str

    def table(self, name: str) -> pd.DataFrame:
        return read_csv(self.folder / "tables" / f"{name}.csv")

    def contents(self, pattern: str) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.folder.glob(pattern))}

    def networks(self) -> int:
        return len(self.study.networks.architectures) * self.study.training.seeds


def start_smoke(output: Path) -> subprocess.Popen:
    """A run of the smoke study into ``output``, from elsewhere, as a user may, on one thread.

    What it says and its exit code are kept there, for whoever did not start it.
    """
    command = [
        sys.executable,
        "-m",
        "lib.workbook",
        "run",
        "--study",
        SMOKE,
        "--set",
        f"output={output}",
    ]
    keep = '"$@" >said.txt 2>&1; echo $? >code.part; mv code.part code'
    return subprocess.Popen(
        ["sh", "-c", keep, "sh", *command],
        cwd=output,
        start_new_session=True,
        env=os.environ | {"MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"},
    )


def stop(process: subprocess.Popen) -> None:
    """End a run and all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def finished(output: Path, patience: float = 900.0) -> Result:
    """The result of the run into ``output``, once it has come to its good end; at most
    ``patience`` seconds later.
    """
    end = time.monotonic() + patience
    while not (output / "code").exists():
        assert time.monotonic() < end, (
            f"no end after {patience:.0f} s: {(output / 'said.txt').read_text('utf-8')}"
        )
        time.sleep(0.2)
    said = (output / "said.txt").read_text(encoding="utf-8")
    assert (output / "code").read_text().strip() == "0", said
    return Result(output / "smoke", load_study(SMOKE, {"output": str(output)}), said)
