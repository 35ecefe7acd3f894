"""Writing files so that nothing half-written is ever read back as whole."""

from __future__ import annotations

import errno
import hashlib
import itertools
import json
import os
import re
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:  # loading it takes half a second, and commands that read no table do without
    import pandas as pd

FULL = (errno.ENOSPC, errno.EDQUOT)
_counter = itertools.count()
# .name.machine.process.count.tmp.suffix, where the machine's own dots are taken out
_TEMPORARY = re.compile(r"^\..+\.(?P<machine>[^.]+)\.(?P<pid>\d+)\.\d+\.tmp(\.[^.]+)?$")


class DiskFullError(OSError):
    """The disk is full; what was finished before is kept."""


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``, which takes its place only if the block succeeds.

    What was written is on the disk before that.

    Raises
    ------
    DiskFullError : with what to do.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_name(path)
    try:
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
        _sync(path.parent)
    except OSError as error:
        if error.errno in FULL:
            raise DiskFullError(
                error.errno,
                f"the disk is full while writing {path.name}. What was finished is kept: "
                f"free some space under {path.parent} and run again with --resume",
            ) from None
        raise
    finally:
        temporary.unlink(missing_ok=True)


def temporary_name(path: Path) -> Path:
    """A hidden name beside ``path``, from which ``remove_leftovers`` tells who was writing it."""
    return path.with_name(
        f".{path.name}.{_machine()}.{os.getpid()}.{next(_counter)}.tmp{path.suffix}"
    )


def _machine() -> str:
    return socket.gethostname().replace(".", "-") or "machine"


def remove_leftovers(folder: str | Path) -> list[Path]:
    """Delete what killed processes of this machine left half-written under ``folder``; returns
    what was deleted.
    """
    gone = []
    for path in Path(folder).rglob(".*.tmp*"):
        match = _TEMPORARY.match(path.name)
        if match and match["machine"] == _machine() and not process_lives(int(match["pid"])):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            gone.append(path)
    return gone


def process_lives(pid: int) -> bool:
    """Whether a process with this id runs on this machine."""
    return psutil.pid_exists(pid)


def _sync(path: Path) -> None:
    """Put a file or a folder's list of names on the disk; Windows opens no folders."""
    if path.is_dir() and os.name == "nt":
        return
    # Windows syncs only what is open for writing
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: str | Path, text: str) -> Path:
    """Text as UTF-8 with the lines ended as they are."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")
    return Path(path)


def write_json(path: str | Path, value: object) -> Path:
    """JSON with sorted keys, two spaces in."""
    return write_text(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


def write_csv(path: str | Path, frame: pd.DataFrame) -> Path:
    """Full precision (shortest text that reads back as the same float), no index."""
    return write_text(path, frame.to_csv(index=False, lineterminator="\n"))


def write_with(path: str | Path, write: Callable[[Path], object]) -> Path:
    """Let ``write(temporary)`` make the file, then put it in place."""
    with replacing(path) as temporary:
        write(temporary)
    return Path(path)


def file_hash(path: str | Path) -> str:
    """SHA-256 of a file's bytes; a file that was not touched since this process last asked is
    not read again.
    """
    found = os.stat(path)
    return _hash_of(
        os.path.abspath(path), found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
    )


@lru_cache(maxsize=200_000)
def _hash_of(path: str, *version: int) -> str:
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def file_hashes(paths: Iterable[str | Path]) -> list[str]:
    """SHA-256 of each file, in their order."""
    with ThreadPoolExecutor(threads()) as pool:
        return list(pool.map(file_hash, paths))


def threads() -> int:
    """How many threads may read files at once: as many as there are processors, two at least."""
    return max(2, processors())


def processors() -> int:
    """How many processors this process may use; all of the machine's where the system does not
    tell (macOS).
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def settings_hash(*values: object) -> str:
    """Twelve hex digits that name a cache entry: a digest of JSON-able settings."""
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
