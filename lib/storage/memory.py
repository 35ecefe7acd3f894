"""Memory that a tensor frees is kept for the next one.

By default glibc gives every block of more than 32 MB back to the system, which hands it out anew
page by page, each page filled with zeros: on two cores that was a sixth of the time of a VGG's
convolutions, and a tenth of its heads'.
"""

from __future__ import annotations

import ctypes
import os

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # glibc's numbers, malloc.h
LARGEST_KEPT, NEVER = (
    2**29,
    -1,
)  # bytes: the largest layer of a VGG's head has 411 million; -1 turns trimming off


def keep_freed_memory() -> bool:
    """Blocks up to 512 MB are used again and stay with the process; settings in the environment
    (MALLOC_…) go first.

    Returns
    -------
    whether it is so: only where the C library is glibc, which has ``mallopt``.
    """
    if any(name.startswith("MALLOC_") for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT) and mallopt(M_TRIM_THRESHOLD, NEVER))
