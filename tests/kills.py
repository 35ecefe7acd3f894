"""Kill runs of the smoke study at random moments, resume them, and compare what they end with.

``python tests/kills.py --kills 30`` needs a quarter of an hour. It works in a copy of the project
with nothing cached, so that caching is killed as well as training, fitting and the writing of the
report: some kills fall at any time, the others are aimed at one of these four. It prints where they
fell and fails if one of the four was never hit.
"""

from __future__ import annotations

import argparse
import collections
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from lib.settings.options import ROOT

STUDY = "data/studies/smoke.yaml"
TARGETS = ("runner", "kernel", "all")
PHASES = ("caching", "training", "fitting", "report")
# of one project, in the order in which a run comes to them; "any" falls at any time
AIMS = (
    "any",
    "caching",
    "caching",
    "training",
    "any",
    "training",
    "fitting",
    "any",
    "fitting",
    "report",
    "report",
)


def copy_project(folder: Path) -> Path:
    """The sources alone, without caches and runs."""
    for name in ("lib", "notebooks", "data/studies", "data/weights"):
        shutil.copytree(
            ROOT / name,
            folder / name,
            ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"),
        )
    shutil.copy(ROOT / "environment.yml", folder)
    return folder


@dataclass
class Project:
    """A copy of the project in which runs are started and killed."""

    folder: Path
    only: str = ""  # notebooks, such as "01,02"
    settings: tuple[str, ...] = ()
    killed: collections.Counter = field(default_factory=collections.Counter)  # (target, where)

    def start(self, name: str) -> tuple[subprocess.Popen, list[str]]:
        """A run that resumes; its lines are gathered as they come."""
        command = [
            sys.executable,
            "-m",
            "lib.workbook",
            "run",
            "--resume",
            "--study",
            STUDY,
            "--set",
            f"name={name}",
            *self.settings,
            *(["--only", self.only] if self.only else []),
        ]
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": str(self.folder)},
        )
        lines: list[str] = []
        threading.Thread(target=lambda: lines.extend(process.stdout), daemon=True).start()
        return process, lines

    def finish(self, name: str) -> list[str]:
        """Run to the end; the lines that were printed."""
        process, lines = self.start(name)
        assert process.wait() == 0, "".join(lines)
        return lines

    def finish_with_kills(
        self, name: str, rng: np.random.Generator, aims: Sequence[str], mean_s: float = 12
    ) -> None:
        """Kill at each aim and resume, until a run comes through before its kill or all aims
        are used up.
        """
        for aim in aims:
            process, lines = self.start(name)
            if self._reached(aim, name, process, lines, float(rng.exponential(mean_s))):
                time.sleep(0 if aim == "any" else rng.uniform(0, 0.3))
                self._kill(
                    process,
                    str(rng.choice(TARGETS)),
                    f"{self.phase(name, lines)} ({where(''.join(lines))})",
                )
            if process.wait() == 0:
                return
        self.finish(name)

    def _reached(
        self, aim: str, name: str, process: subprocess.Popen, lines: list[str], wait_s: float
    ) -> bool:
        """Wait for the moment to kill; False where the run ends before it, which must be well."""
        started = time.monotonic()
        while process.poll() is None:
            if (
                time.monotonic() - started > 1 + wait_s
                if aim == "any"
                else self.phase(name, lines) == aim
            ):
                return True
            time.sleep(0.02)
        assert process.returncode == 0, "".join(lines)
        return False

    def phase(self, name: str, lines: list[str]) -> str:
        """Which of PHASES a run is in, from the files that it has begun and not finished; else
        "other".
        """
        run, text = self.folder / "runs" / name, "".join(lines)
        stages = list(re.finditer(r"\[(\d)/(\d)\]", text))
        if not stages or "report:" in text:
            return "other"
        if stages[-1][1] == stages[-1][2] and re.search(
            "done in|done before", text[stages[-1].end() :]
        ):
            return "report"
        parts = run / "tables" / "parts"
        if (
            "04_human_vs_cnn" in text.splitlines()[-1]
            and not (parts / "psychometrics.04.csv").exists()
        ):
            return "fitting"
        entries = [
            path
            for path in self.folder.glob("data/derived/features/*/")
            if not (path / ".lock").exists()
        ]
        if not all((path / "entry.json").exists() for path in entries):
            return "caching"
        unfinished = [
            path for path in run.glob("checkpoints/*/") if not (path / "result.json").exists()
        ]
        return "training" if unfinished else "other"

    def _kill(self, process: subprocess.Popen, target: str, place: str) -> None:
        """SIGKILL the runner, its kernel, or both; the kernel of a killed runner sees that for
        itself.
        """
        try:
            family = psutil.Process(process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return
        victims = {"runner": [], "kernel": family, "all": family}[target]
        victims = [
            *victims,
            *([psutil.Process(process.pid)] if target != "kernel" or not family else []),
        ]
        for victim in victims:
            try:
                victim.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue
        self.killed[target, place] += 1

    def halves(self) -> list[Path]:
        """What half-written files are left anywhere."""
        return [path for path in self.folder.rglob(".*.tmp*") if ".git" not in path.parts]


def where(text: str) -> str:
    """What a run was doing, from what it printed."""
    stages = re.findall(r"\[\d/\d\] (\w+)", text)
    if not stages:
        return "starting"
    last = text[text.rindex(stages[-1]) :]
    if "done in" in last or "kept" in last:
        return f"after {stages[-1]}"
    steps = re.findall(r"^ +([a-z ]+?)(?: \w+ \(\w+\))?:", last, flags=re.M)
    return f"{stages[-1]}{': ' + steps[-1] if steps else ''}"


def outcome(run: Path) -> dict[str, bytes]:
    """Tables, their parts and figures of a run, by name."""
    return {
        str(path.relative_to(run)): path.read_bytes()
        for pattern in ("tables/**/*.csv", "figures/*.png")
        for path in sorted(run.glob(pattern))
    }


def made_by(found: Mapping[str, bytes], *notebooks: str) -> dict[str, bytes]:
    """What some notebooks left of an outcome: their parts of tables, and their figures."""
    marks = tuple(f".{number}.csv" for number in notebooks) + tuple(
        f"figures/{number}_" for number in notebooks
    )
    return {name: data for name, data in found.items() if any(mark in name for mark in marks)}


def compare(one: Mapping[str, bytes], other: Mapping[str, bytes]) -> list[str]:
    """What differs between two outcomes; nothing, if all is well."""
    return sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng, killed = np.random.default_rng(options.seed), collections.Counter()
    with tempfile.TemporaryDirectory() as scratch:
        started = time.monotonic()
        whole = Project(copy_project(Path(scratch) / "whole"))
        whole.finish("smoke")
        reference = outcome(whole.folder / "runs/smoke")
        print(
            f"uninterrupted: {len(reference)} files in {time.monotonic() - started:.0f} s",
            flush=True,
        )
        while killed.total() < options.kills:
            project = Project(copy_project(Path(scratch) / f"killed{killed.total()}"))
            times = -(-options.kills // len(AIMS))  # enough for all kills to fall on one run
            project.finish_with_kills("smoke", rng, [aim for aim in AIMS for _ in range(times)])
            different = compare(outcome(project.folder / "runs/smoke"), reference)
            killed += project.killed
            print(
                f"{project.killed.total()} kills, then whole: {different or 'identical'}",
                flush=True,
            )
            assert not different and not project.halves()
            shutil.rmtree(project.folder)
    for (target, place), n in sorted(killed.items(), key=lambda item: item[0][1]):
        print(f"{n:3d} x {target:6s} in {place}")
    hit = {place.split()[0] for _, place in killed}
    assert hit >= set(PHASES), f"never hit: {set(PHASES) - hit}"


if __name__ == "__main__":
    main()
