"""Ask whether a network sees emotion as people do: the workbook's library, one idea per module."""

import os

from lib.networks.memory import keep_freed_memory

os.environ.setdefault(
    "CUBLAS_WORKSPACE_CONFIG", ":4096:8"
)  # what torch asks for, to repeat itself on a GPU
keep_freed_memory()
