"""Arithmetic under the scores: quotients that are NaN where undefined."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def divide(a: ArrayLike, b: ArrayLike) -> np.ndarray:
    """a / b, NaN where b is 0 or unknown."""
    a, b = np.broadcast_arrays(np.asarray(a, float), np.asarray(b, float))
    return np.divide(a, b, out=np.full(a.shape, np.nan), where=(b != 0) & np.isfinite(b))
