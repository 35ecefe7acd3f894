"""A folder has one owner at a time, whoever that is and however it ends."""

import fcntl
import json
import os
import subprocess
import sys
import threading

import pytest

from lib.storage import locks
from lib.storage.locks import FolderInUse, locked


def test_the_lock_names_its_owner_while_it_is_held_and_frees_itself(tmp_path):
    with locked(tmp_path):
        assert json.loads((tmp_path / ".lock").read_text())["pid"] == os.getpid()
        with (
            pytest.raises(FolderInUse, match=rf"process {os.getpid()}, started 20.*--set name="),
            locked(tmp_path),
        ):
            pass
    with locked(tmp_path):
        pass


def test_waiting_gets_the_lock_when_the_owner_ends(tmp_path):
    order = []

    def second():
        with locked(tmp_path, wait=True):
            order.append("second")

    with locked(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.3)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_what_a_killed_owner_left_running_is_waited_for_and_named_if_it_stays(
    tmp_path, monkeypatch
):
    finished = subprocess.Popen([sys.executable, "-c", ""])
    finished.wait()
    with open(
        tmp_path / ".lock", "w"
    ) as handle:  # a kernel that inherited the lock of a dead process
        fcntl.flock(handle, fcntl.LOCK_EX)
        handle.write(json.dumps({"pid": finished.pid, "started": "then"}))
        handle.flush()
        monkeypatch.setattr(locks, "ORPHAN_WAIT_S", 0.2)
        with (
            pytest.raises(FolderInUse, match=f"process {finished.pid}, started then"),
            locked(tmp_path),
        ):
            pass
        monkeypatch.setattr(locks, "ORPHAN_WAIT_S", 20)
        threading.Timer(0.4, lambda: fcntl.flock(handle, fcntl.LOCK_UN)).start()
        with locked(tmp_path):
            assert json.loads((tmp_path / ".lock").read_text())["pid"] == os.getpid()


def test_an_owner_that_has_not_written_its_name_yet_is_another_process(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "ORPHAN_WAIT_S", 0.1)
    with open(tmp_path / ".lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(FolderInUse, match="in use by another process"), locked(tmp_path):
            pass
