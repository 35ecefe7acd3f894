"""All benchmarks, one after the other: ``make bench``, or ``python tests/benchmarks gradcam
features`` for some.

Each ``bench_<name>.py`` prints sentences with times and ratios measured in its own run. They are
kept, with the machine, under runs/benchmarks/: ``<name>.txt`` as printed, and, of all that was ever
run, ``benchmarks.csv`` and
``benchmarks.md`` with one row a sentence.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

from lib.execution.manifest import machine, revision, versions
from lib.settings.options import ROOT
from lib.storage.files import write_csv, write_json, write_text

PROGRESS = re.compile(r": \d+ of \d+(,| in )")  # such as "drawing faces: 65 of 416, 11 s left"
HERE, FOLDER = Path(__file__).parent, ROOT / "runs" / "benchmarks"


def run(script: Path) -> None:
    """Keep one script's sentences; SystemExit where it fails."""
    name, started = script.stem.removeprefix("bench_"), time.monotonic()
    print(f"== {name}", flush=True)
    done = subprocess.run(
        [sys.executable, script], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    print(done.stdout, end="", flush=True)
    if done.returncode:
        raise SystemExit(f"benchmark {name} stopped with exit code {done.returncode}")
    write_text(FOLDER / f"{name}.txt", done.stdout)
    print(f"   {time.monotonic() - started:.0f} s", flush=True)


def table() -> pd.DataFrame:
    """benchmark, measure, result: what stands before and behind the first colon of each
    sentence.
    """
    rows = []
    for path in sorted(FOLDER.glob("*.txt")):
        lines = map(str.strip, path.read_text(encoding="utf-8").splitlines())
        for line in (line for line in lines if line and not PROGRESS.search(line)):
            measure, colon, result = line.partition(": ")
            rows.append(
                {
                    "benchmark": path.stem,
                    "measure": measure if colon else "",
                    "result": result if colon else line,
                }
            )
    return pd.DataFrame(rows, columns=["benchmark", "measure", "result"])


def markdown(rows: pd.DataFrame) -> str:
    lines = [
        " | ".join(row)
        for row in (rows.columns, ["---"] * rows.shape[1], *rows.itertuples(index=False))
    ]
    return "".join(f"| {line} |\n" for line in lines)


def main(wanted: list[str]) -> None:
    scripts = sorted(HERE.glob("bench_*.py"))
    known = [path.stem.removeprefix("bench_") for path in scripts]
    if unknown := set(wanted) - set(known):
        raise SystemExit(f"{', '.join(sorted(unknown))} given; allowed: {', '.join(known)}")
    write_json(
        FOLDER / "machine.json", {**machine(), "revision": revision(), "versions": versions()}
    )
    print(json.dumps(machine()), flush=True)
    for path, name in zip(scripts, known, strict=True):
        if not wanted or name in wanted:
            run(path)
    rows = table()
    write_csv(FOLDER / "benchmarks.csv", rows)
    write_text(FOLDER / "benchmarks.md", markdown(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
