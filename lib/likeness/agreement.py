"""Arithmetic under the scores: quotients that are NaN where undefined."""

from __future__ import annotations

import numpy as np


def resampled(rng: np.random.Generator, size: int, seeds: int) -> np.ndarray:
    """Bootstrap samples of a few seeds, (size, seeds - 1): one fewer than there are, so that they
    differ enough.

    Samples of n of n values have a variance of the mean (n - 1) / n of the unbiased one, which for
    three seeds is a third too little (Efron 1982, ch. 8).
    """
    return rng.integers(seeds, size=(size, max(seeds - 1, 1)))


def divide(a, b) -> np.ndarray:
    """a / b, NaN where b is 0 or unknown."""
    a, b = np.broadcast_arrays(np.asarray(a, float), np.asarray(b, float))
    return np.divide(a, b, out=np.full(a.shape, np.nan), where=(b != 0) & np.isfinite(b))
