"""The whole demo by stage, from nothing cached to the report.

``python tests/benchmarks/bench_demo.py [study [settings]]``

It runs in a copy of the project, so that faces are drawn and features computed; then once more with
both at hand.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lib.settings.options import ROOT

STUDY = "data/studies/demo.yaml"


def timed_run(folder: Path, study: str, settings: tuple[str, ...]) -> tuple[float, dict]:
    """Seconds of one run on the clock, and its manifest."""
    started = time.perf_counter()
    command = [
        sys.executable,
        "-m",
        "lib.workbook",
        "run",
        "--study",
        study,
        "--set",
        "name=bench",
        *settings,
    ]
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"the run of {study} failed")
    return time.perf_counter() - started, json.loads(
        (folder / "runs" / "bench" / "manifest.json").read_text()
    )


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def main(study: str, *settings: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in ("lib", "notebooks", "data/studies"):
            shutil.copytree(ROOT / name, folder / name)
        shutil.copy(ROOT / "environment.yml", folder)
        (folder / "data" / "weights").mkdir()
        for path in (ROOT / "data" / "weights").glob("*.safetensors"):
            shutil.copy(path, folder / "data" / "weights")
        for what in ("nothing cached", "faces and features at hand"):
            shutil.rmtree(folder / "runs", ignore_errors=True)
            seconds, manifest = timed_run(folder, study, settings)
            stages = ", ".join(
                f"{name[:2]} {cost['seconds']:.0f} s"
                for name, cost in manifest["notebooks"].items()
            )
            rest = seconds - manifest["seconds"]
            print(
                f"{Path(study).stem}, {what}: {seconds:.0f} s ({stages}, and "
                f"{rest:.0f} s for the rest), peak memory "
                f"{manifest['peak_memory_mb'] / 1024:.1f} GB"
            )
        print(
            f"disk: {megabytes(folder / 'data' / 'derived'):.0f} MB of faces and features, "
            f"{megabytes(folder / 'runs'):.0f} MB for the run, of which "
            f"{megabytes(folder / 'runs' / 'bench' / 'checkpoints'):.0f} MB are trained heads"
        )


if __name__ == "__main__":
    main(*(sys.argv[1:] or [STUDY]))
