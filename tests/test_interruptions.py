"""Killed runs and full disks: what is finished is kept, and the end is that of an undisturbed run.

``tests/kills.py`` does the same with as many kills as wanted.
"""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from kills import PHASES, Project, compare, copy_project, made_by, outcome, where
from smoke_run import finished

pytestmark = pytest.mark.slow


@pytest.fixture
def undisturbed(smoke_run) -> Callable[[], dict[str, bytes]]:
    """The outcome of the undisturbed run, which goes on meanwhile."""
    return lambda: outcome(finished(smoke_run).folder)


def test_a_run_that_is_killed_in_every_phase_ends_with_the_same_bytes_and_nothing_half_written(
    undisturbed, tmp_path
):
    """In a copy of the project with nothing cached, so that everything is computed anew.

    Without notebook 05, which only reads what the others have left and takes as long as they do.
    """
    project = Project(copy_project(tmp_path), only="01,02,03,04")
    project.finish_with_kills("smoke", np.random.default_rng(7), PHASES)
    assert {place.split()[0] for _, place in project.killed} == set(
        PHASES
    ) and project.halves() == []
    wanted = made_by(undisturbed(), "01", "02", "03", "04")
    assert compare(made_by(outcome(tmp_path / "runs/smoke"), "01", "02", "03", "04"), wanted) == []
    assert len(wanted) > 40 and (tmp_path / "runs/smoke/report.html").stat().st_size > 1e6


@pytest.fixture
def small_disk(tmp_path):
    """A way to put a small disk in a folder's place; called again, it changes the size."""
    mounted = []

    def mount(folder: Path, size: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        how = f"remount,size={size}" if folder in mounted else f"size={size}"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", how, "tmpfs", folder],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
        mounted.append(folder)

    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    yield mount
    for folder in set(mounted):
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_stops_with_the_remedy_and_a_run_goes_on_once_there_is_space(
    undisturbed, tmp_path, small_disk
):
    """Full while pictures are drawn, then while a trained head is kept; the first two notebooks."""
    project = Project(copy_project(tmp_path), only="01,02")
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
    wanted = made_by(undisturbed(), "01", "02")
    assert (
        compare(made_by(outcome(tmp_path / "runs/smoke"), "01", "02"), wanted) == []
        and len(wanted) > 10
    )
    assert project.halves() == []


def test_where_a_run_was_is_read_from_what_it_printed():
    assert where("study 'smoke'") == "starting"
    assert (
        where("[1/2] 01_data\n      drawing faces: 3 of 9, 2 s left\n") == "01_data: drawing faces"
    )
    assert (
        where(
            "[1/2] 01_data\n      done in 3 s\n[2/2] 02_x\n      features "
            "of alexnet (untrained): 1 of 2, 1 s\n"
        )
        == "02_x: features of"
    )
    assert where("[1/2] 01_data\n      done in 3 s, peak memory\n") == "after 01_data"
