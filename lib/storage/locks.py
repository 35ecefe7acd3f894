"""One run at a time in one folder: a lock that the system frees when its owner ends, however it
ends.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from lib.storage.files import write_json
from lib.storage.runs import Stopped


class FolderInUse(Stopped):
    """Another run works in this folder."""


@contextmanager
def locked(folder: str | Path, *, wait: bool = False) -> Iterator[None]:
    """Hold ``folder/.lock``; ``wait`` waits for the owner instead of refusing.

    ``folder/.owner.json`` says who holds it: on Windows nobody else may read the lock itself.

    Raises
    ------
    FolderInUse : names the owner's process and its start.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / ".owner.json"
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=-1 if wait else 0)
    except Timeout:
        raise FolderInUse(
            f"{folder} is in use by {_owner(note)}. Wait until it ends, or give this run its own "
            "folder with --set name=…"
        ) from None
    try:
        started = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
        write_json(note, {"pid": os.getpid(), "started": started})
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def _owner(note: Path) -> str:
    """The owner by process and start; just another process while the note is being written."""
    try:
        owner = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "another process"
    return f"process {owner['pid']}, started {owner['started']}"
