"""Agreement of many observers with many others at once: the arithmetic under the scorecard, NaN
where undefined.
"""

from __future__ import annotations

import numpy as np

MIN_STIMULI = 3  # shared pictures below which a correlation over pictures says nothing


def kappa(n, both, first, second) -> np.ndarray:
    """Kappa from counts of trials, of 1 by both, by the first and by the second; any shapes
    that broadcast.
    """
    agreed = divide(n - first - second + 2 * both, n)
    by_chance = divide(first * second + (n - first) * (n - second), np.square(n, dtype=float))
    return divide(agreed - by_chance, np.where(by_chance < 1 - 1e-12, 1 - by_chance, 0.0))


def mean_rows(values: np.ndarray, ip: np.ndarray) -> np.ndarray:
    """Mean of the rows ip (B, M) of values (P, S), NaN left out: (B, S)."""
    weight = np.stack([np.bincount(i, minlength=len(values)) for i in ip]) * 1.0
    return divide(weight @ np.nan_to_num(values), weight @ np.isfinite(values))


def rmse(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Root mean squared difference of rows of a (B, L) and of b (K, L), all pairs, where both
    are known: (B, K).
    """
    return np.sqrt(np.nanmean((a[:, None] - b[None]) ** 2, 2))


def correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pearson's r of all rows of a (B, S) with all of b (K, S) where both are known, (B, K);
    NaN without variance.
    """
    u, v = np.isfinite(a) * 1.0, np.isfinite(b) * 1.0
    x, y = np.where(u > 0, a - 0.5, 0.0), np.where(v > 0, b - 0.5, 0.0)
    n, sx, sy = u @ v.T, x @ v.T, u @ y.T
    parts = [n * (x * x @ v.T) - sx**2, n * (u @ (y * y).T) - sy**2]
    usable = (parts[0] > 1e-9) & (parts[1] > 1e-9) & (n >= MIN_STIMULI)
    return divide(
        n * (x @ y.T) - sx * sy, np.where(usable, np.sqrt(np.abs(parts[0] * parts[1])), 0.0)
    )


def resampled(rng: np.random.Generator, size: int, seeds: int) -> np.ndarray:
    """Bootstrap samples of a few seeds, (size, seeds - 1): one fewer than there are, so that they
    differ enough.

    Samples of n of n values have a variance of the mean (n - 1) / n of the unbiased one, which for
    three seeds is a third too little (Efron 1982, ch. 8).
    """
    return rng.integers(seeds, size=(size, max(seeds - 1, 1)))


def others(count: int) -> np.ndarray:
    """(count, count - 1): everybody but oneself."""
    return np.nonzero(~np.eye(count, dtype=bool))[1].reshape(count, count - 1)


def divide(a, b) -> np.ndarray:
    """a / b, NaN where b is 0 or unknown."""
    a, b = np.broadcast_arrays(np.asarray(a, float), np.asarray(b, float))
    return np.divide(a, b, out=np.full(a.shape, np.nan), where=(b != 0) & np.isfinite(b))
