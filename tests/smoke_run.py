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


def run_smoke(output: Path) -> Result:
    command = [sys.executable, "-m", "lib.workbook", "run", "--study", SMOKE, "--set", f"output={output}"]
    # from elsewhere, as a user may
    done = subprocess.run(command, cwd=output, capture_output=True, text=True, env=os.environ | {"MPLBACKEND": "agg"})
    assert done.returncode == 0, done.stdout + done.stderr
    return Result(output / "smoke", load_study(SMOKE, {"output": str(output)}), done.stdout)
