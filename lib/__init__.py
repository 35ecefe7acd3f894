"""Ask whether a network sees emotion as people do: the workbook's library, one idea per module."""

from lib.memory import keep_freed_memory

keep_freed_memory()
