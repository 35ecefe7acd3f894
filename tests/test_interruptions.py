"""Killed runs and full disks: what is finished is kept, and the end is that of an undisturbed run.

``tests/kills.py`` does the same with as many kills as wanted, over all notebooks of the whole smoke study.
"""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from kills import PHASES, Project, compare, copy_project, where

pytestmark = pytest.mark.slow
PART = {"only": "01,02,04", "settings": (
    "training.seeds=1", "training.epochs=1", "networks.architectures=[alexnet]", "images.n_train=32",
    "images.n_validation=12", "images.n_test=12", "morphs.levels=5", "statistics.n_boot=20", "observers.simulated.n=4")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Callable[[], dict[str, bytes]]:
    """The outcome of an undisturbed run of three notebooks with one network, which goes on meanwhile."""
    project = Project(copy_project(tmp_path_factory.mktemp("whole")), **PART)
    process, lines = project.start("smoke")

    def outcome() -> dict[str, bytes]:
        assert process.wait() == 0, "".join(lines)
        return project.outcome("smoke")
    yield outcome
    process.kill()
    process.wait()


def test_a_run_that_is_killed_in_every_phase_ends_with_the_same_bytes_and_nothing_half_written(whole, tmp_path):
    project = Project(copy_project(tmp_path), **PART)
    project.finish_with_kills("smoke", np.random.default_rng(7), PHASES)
    assert compare(project, "smoke", whole()) == [] and len(whole()) > 10
    assert {place.split()[0] for _, place in project.killed} == set(PHASES)
    assert project.halves() == []


@pytest.fixture
def small_disk(tmp_path):
    """A way to put a small disk in a folder's place; called again, it changes the size."""
    mounted = []

    def mount(folder: Path, size: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        how = f"remount,size={size}" if folder in mounted else f"size={size}"
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", how, "tmpfs", folder], capture_output=True, text=True,
                              check=False)
        if done.returncode:
            pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
        mounted.append(folder)

    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    yield mount
    for folder in set(mounted):
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_stops_with_the_remedy_and_a_run_goes_on_once_there_is_space(whole, tmp_path, small_disk):
    """Full while pictures are drawn and features are kept, then while a trained head is."""
    project = Project(copy_project(tmp_path), **PART)
    small_disk(tmp_path / "data/derived", "1m")
    small_disk(tmp_path / "runs", "40m")
    for stage, folder in (("01", "data/derived"), ("02", "runs")):
        process, lines = project.start("smoke")
        assert process.wait() == 1
        text = "".join(lines)
        assert f"notebook {stage}" in text and "disk is full" in text
        assert "free some space" in text and "--resume" in text and "Traceback" not in text
        small_disk(tmp_path / folder, "3g")
    project.finish("smoke")
    assert compare(project, "smoke", whole()) == [] and project.halves() == []


def test_where_a_run_was_is_read_from_what_it_printed():
    assert where("study 'smoke'") == "starting"
    assert where("[1/2] 01_data\n      drawing faces: 3 of 9, 2 s left\n") == "01_data: drawing faces"
    assert where("[1/2] 01_data\n      done in 3 s\n[2/2] 02_x\n      features of alexnet (untrained): 1 of 2, 1 s\n"
                 ) == "02_x: features of"
    assert where("[1/2] 01_data\n      done in 3 s, peak memory\n") == "after 01_data"
