"""A folder has one owner at a time, whoever that is and however it ends."""

import json
import os
import subprocess
import sys
import threading

import pytest
from filelock import FileLock

from lib.storage.locks import FolderInUse, locked


def owner_of(folder) -> int:
    return json.loads((folder / ".owner.json").read_text(encoding="utf-8"))["pid"]


def test_the_lock_names_its_owner_while_it_is_held_and_frees_itself(tmp_path):
    with locked(tmp_path):
        assert owner_of(tmp_path) == os.getpid()
        with (
            pytest.raises(FolderInUse, match=rf"process {os.getpid()}, started 20.*--set name="),
            locked(tmp_path),
        ):
            pass
        assert owner_of(tmp_path) == os.getpid()  # who was refused took nothing away
    assert not (tmp_path / ".owner.json").exists()
    with locked(tmp_path):
        pass


def test_an_error_inside_frees_the_folder(tmp_path):
    with pytest.raises(KeyError), locked(tmp_path):
        raise KeyError
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


def test_a_killed_owner_leaves_the_folder_free(tmp_path):
    code = (
        "import sys, time; from lib.storage.locks import locked\n"
        "with locked(sys.argv[1]): print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as owner:
        try:
            assert owner.stdout.readline() == "held\n"
            with pytest.raises(FolderInUse, match=f"process {owner.pid}"), locked(tmp_path):
                pass
        finally:
            owner.kill()
    with locked(tmp_path):
        assert owner_of(tmp_path) == os.getpid()


def test_an_owner_that_has_not_written_its_name_yet_is_another_process(tmp_path):
    with (
        FileLock(tmp_path / ".lock"),
        pytest.raises(FolderInUse, match="in use by another process"),
        locked(tmp_path),
    ):
        pass
