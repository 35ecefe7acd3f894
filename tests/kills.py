"""Kill runs of the smoke study at random moments, resume them, and compare what they end with.

``python tests/kills.py --kills 30`` needs some minutes. It works in a copy of the project with nothing cached, so that
caching is killed as well as training, fitting and the writing of the report; it prints where the kills fell.
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
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from lib.settings import ROOT

STUDY = "data/studies/smoke.yaml"
TARGETS = ("runner", "kernel", "all")


def copy_project(folder: Path) -> Path:
    """The sources alone, without caches and runs."""
    for name in ("lib", "notebooks", "data/studies"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
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
        command = [sys.executable, "-m", "lib.workbook", "run", "--resume", "--study", STUDY, "--set", f"name={name}",
                   *self.settings, *(["--only", self.only] if self.only else [])]
        process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, start_new_session=True,
                                   env=os.environ | {"PYTHONPATH": str(self.folder)})
        lines: list[str] = []
        threading.Thread(target=lambda: lines.extend(process.stdout), daemon=True).start()
        return process, lines

    def finish(self, name: str) -> list[str]:
        """Run to the end; the lines that were printed."""
        process, lines = self.start(name)
        assert process.wait() == 0, "".join(lines)
        return lines

    def finish_with_kills(self, name: str, rng: np.random.Generator, mean_s: float, at_most: int) -> None:
        """Kill and resume until a run comes through, or ``at_most`` kills are reached."""
        for _ in range(at_most):
            process, lines = self.start(name)
            try:
                process.wait(1.0 + rng.exponential(mean_s))
            except subprocess.TimeoutExpired:
                self._kill(process, str(rng.choice(TARGETS)), lines)
                process.wait()
            else:
                assert process.returncode == 0, "".join(lines)
                return
        self.finish(name)

    def _kill(self, process: subprocess.Popen, target: str, lines: list[str]) -> None:
        """SIGKILL the runner, its kernel, or both; the kernel of a killed runner sees that for itself."""
        family = psutil.Process(process.pid).children(recursive=True)
        victims = {"runner": [], "kernel": family, "all": family}[target]
        victims = [*victims, *([psutil.Process(process.pid)] if target != "kernel" or not family else [])]
        for victim in victims:
            try:
                victim.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue
        self.killed[target, where("".join(lines))] += 1

    def outcome(self, name: str) -> dict[str, bytes]:
        """Tables, their parts and figures of a run, by name."""
        run = self.folder / "runs" / name
        return {str(path.relative_to(run)): path.read_bytes() for pattern in ("tables/**/*.csv", "figures/*.png")
                for path in sorted(run.glob(pattern))}

    def halves(self) -> list[Path]:
        """What half-written files are left anywhere."""
        return [path for path in self.folder.rglob(".*.tmp*") if ".git" not in path.parts]


def where(text: str) -> str:
    """What a run was doing, from what it printed."""
    stages = re.findall(r"\[\d/\d\] (\w+)", text)
    if not stages:
        return "starting"
    last = text[text.rindex(stages[-1]):]
    if "done in" in last or "kept" in last:
        return f"after {stages[-1]}"
    steps = re.findall(r"^ +([a-z ]+?)(?: \w+ \(\w+\))?:", last, flags=re.M)
    return f"{stages[-1]}{': ' + steps[-1] if steps else ''}"


def compare(project: Project, name: str, reference: dict[str, bytes]) -> list[str]:
    """What differs from the uninterrupted run; nothing, if all is well."""
    outcome = project.outcome(name)
    return sorted(key for key in outcome.keys() | reference.keys() if outcome.get(key) != reference.get(key))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--mean", type=float, default=12, help="mean seconds between start and kill")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        started = time.monotonic()
        whole = Project(copy_project(Path(scratch) / "whole"))
        whole.finish("smoke")
        reference = whole.outcome("smoke")
        print(f"uninterrupted: {len(reference)} files in {time.monotonic() - started:.0f} s", flush=True)
        killed = collections.Counter()
        while killed.total() < options.kills:
            project = Project(copy_project(Path(scratch) / f"killed{killed.total()}"))
            project.finish_with_kills("smoke", rng, options.mean, options.kills - killed.total())
            different = compare(project, "smoke", reference)
            killed += project.killed
            print(f"{project.killed.total()} kills, then whole: {different or 'identical'}", flush=True)
            assert not different and not project.halves()
            shutil.rmtree(project.folder)
    for (target, place), n in sorted(killed.items(), key=lambda item: item[0][1]):
        print(f"{n:3d} x {target:6s} in {place}")


if __name__ == "__main__":
    main()
