"""``nbformat``, ``nbclient`` and ``papermill``, imported here alone and without two seconds of
waiting.
"""

import sys

# nbformat brings jsonschema, which builds a grammar of web addresses where this package is there
# (JupyterLab has it installed) and goes on without where it is not; no notebook needs it
sys.modules.setdefault("rfc3987_syntax", None)

import nbformat  # noqa: E402
import papermill  # noqa: E402
from nbclient.exceptions import DeadKernelError  # noqa: E402
from nbconvert import HTMLExporter  # noqa: E402

__all__ = ["DeadKernelError", "HTMLExporter", "nbformat", "papermill"]
