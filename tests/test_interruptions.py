"""Killed runs and full disks: what is finished is kept, and the end is that of an undisturbed run.

``tests/kills.py`` does the same with as many kills as wanted, over all notebooks.
"""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from kills import Project, compare, copy_project, where

pytestmark = pytest.mark.slow
PART = {"only": "01,02", "settings": ("training.seeds=1",)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[str, bytes]:
    """The outcome of an undisturbed run of the first two notebooks with one network."""
    project = Project(copy_project(tmp_path_factory.mktemp("whole")), **PART)
    project.finish("smoke")
    return project.outcome("smoke")


def test_a_run_that_is_killed_and_resumed_ends_with_the_same_bytes_and_nothing_half_written(whole, tmp_path):
    project = Project(copy_project(tmp_path), **PART)
    project.finish_with_kills("smoke", np.random.default_rng(7), mean_s=8, at_most=3)
    assert compare(project, "smoke", whole) == [] and len(whole) > 10
    assert project.halves() == [] and 1 <= project.killed.total() <= 3


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


@pytest.mark.parametrize(("folder", "size"), [("runs", "40m"), ("data/derived", "3m")])
def test_a_full_disk_stops_with_the_remedy_and_a_run_goes_on_once_there_is_space(whole, tmp_path, small_disk, folder,
                                                                                 size):
    project = Project(copy_project(tmp_path), **PART)
    small_disk(tmp_path / folder, size)
    process, lines = project.start("smoke")
    assert process.wait() == 1
    text = "".join(lines)
    assert "disk is full" in text and "--resume" in text and "Traceback" not in text
    small_disk(tmp_path / folder, "3g")
    project.finish("smoke")
    assert compare(project, "smoke", whole) == [] and project.halves() == []


def test_where_a_run_was_is_read_from_what_it_printed():
    assert where("study 'smoke'") == "starting"
    assert where("[1/2] 01_data\n      drawing faces: 3 of 9, 2 s left\n") == "01_data: drawing faces"
    assert where("[1/2] 01_data\n      done in 3 s\n[2/2] 02_x\n      features of alexnet (untrained): 1 of 2, 1 s\n"
                 ) == "02_x: features of"
    assert where("[1/2] 01_data\n      done in 3 s, peak memory\n") == "after 01_data"
