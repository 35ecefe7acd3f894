"""Ask whether a network sees emotion as people do: the workbook's library, one idea per module."""

import os

# before torch is loaded: what it asks for, to repeat itself on a GPU; and that operations which
# Apple's GPU lacks run on the processor, of which torch says a line
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
