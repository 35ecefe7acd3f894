"""One run at a time in one folder: a lock that the system frees when its owner ends, however it
ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from lib.storage.files import process_lives
from lib.storage.runs import Stopped

ORPHAN_WAIT_S = 15.0


class FolderInUse(Stopped):
    """Another run works in this folder."""


@contextmanager
def locked(folder: str | Path, *, wait: bool = False) -> Iterator[int]:
    """Hold ``folder/.lock`` and yield its file descriptor, which the kernel of a notebook inherits.

    ``wait`` waits for a living owner instead of refusing. The lock outlives a killed owner until
    its kernel, which still writes, has ended too (a second or so).

    Raises
    ------
    FolderInUse : names the owner's process and its start.
    """
    path = Path(folder) / ".lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if wait:
            fcntl.flock(handle, fcntl.LOCK_EX)
        else:
            _take(handle, path)
        note = {
            "pid": os.getpid(),
            "started": datetime.now().astimezone().isoformat(sep=" ", timespec="seconds"),
        }
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(note).encode(), 0)
        yield handle
    finally:
        os.close(handle)


def _take(handle: int, path: Path) -> None:
    """Lock, or FolderInUse where the owner lives; what a killed owner's kernel still holds is
    waited for.
    """
    deadline = time.monotonic() + ORPHAN_WAIT_S
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = _owner(path)
            if time.monotonic() > deadline or (owner and process_lives(owner["pid"])):
                break
        time.sleep(0.1)
    raise FolderInUse(
        f"{path.parent} is in use by {_name(owner)}. Wait until it ends, or give this "
        "run its own folder with --set name=…"
    )


def _name(owner: dict | None) -> str:
    if owner is None:
        return "another process"
    return f"process {owner['pid']}, started {owner['started']}"


def _owner(path: Path) -> dict | None:
    """Who wrote the lock; None while it is being written."""
    try:
        return json.loads(path.read_text())
    except ValueError:
        return None
