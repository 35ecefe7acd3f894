"""Freed memory is used again: later tensors cost no new pages."""

import os
import subprocess
import sys

import pytest

from lib.storage.memory import keep_freed_memory

PAGES = """
import resource, sys
import numpy as np
if sys.argv[1] == "kept":
    import lib
def faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(100_000_000, np.uint8)
before = faults()
for _ in range(5):
    np.ones(100_000_000, np.uint8)
print(faults() - before)
"""


def pages(how: str) -> int:
    """New pages of five blocks of 100 MB, one after the other."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    done = subprocess.run(
        [sys.executable, "-c", PAGES, how], env=clean, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(not keep_freed_memory(), reason="no glibc here, or its settings are the user's")
def test_a_block_of_memory_is_used_again():
    assert pages("kept") < 0.1 * pages("as it is")


def test_the_users_own_settings_go_first(monkeypatch):
    monkeypatch.setenv("MALLOC_ARENA_MAX", "2")
    assert not keep_freed_memory()


def test_where_there_is_no_mallopt_nothing_happens(monkeypatch):
    for name in [name for name in os.environ if name.startswith("MALLOC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    assert not keep_freed_memory()
