"""A finished run of the smoke study, which several test files look at."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lib.runs import read_csv
from lib.study import Study, load_study

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


def start_smoke(output: Path, **environment: str) -> subprocess.Popen:
    """A run of the smoke study into ``output``, from elsewhere, as a user may; what it says is kept beside it."""
    command = [sys.executable, "-m", "lib.workbook", "run", "--study", SMOKE, "--set", f"output={output}"]
    with open(output / "said.txt", "w", encoding="utf-8") as said:
        return subprocess.Popen(command, cwd=output, stdout=said, stderr=subprocess.STDOUT,
                                env=os.environ | {"MPLBACKEND": "agg"} | environment)


def finished(process: subprocess.Popen, output: Path) -> Result:
    """The result, once the run has come to its good end."""
    code, said = process.wait(), (output / "said.txt").read_text(encoding="utf-8")
    assert code == 0, said
    return Result(output / "smoke", load_study(SMOKE, {"output": str(output)}), said)
