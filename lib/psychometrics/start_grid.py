"""Where a fit begins: for each scale of a coarse grid the best location and gaps, from one matrix
product.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from lib.psychometrics.likelihood import Problems
from lib.psychometrics.sigmoids import both_tails

NEAR = 4.0  # log-likelihood units: a scale whose best is worse by more is not followed
SCALES, PLACES = 12, 49


def starts(problems: Problems) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Candidates for an optimum: which data set each belongs to (C,) and where it lies (C, 4).

    A data set has one candidate a scale (a steep curve with gaps and a flat one without can both be
    optima), as far as it is near the best. The last (C,) is True for a start with both gaps at
    their lower bounds, which is to be sought along that edge first.
    """
    bounds = tuple(problems.low[0, 2:]), tuple(problems.high[0, 2:])
    asked = tuple(problems.level), *bounds, problems.sigmoid, tuple(problems.asymptotes)
    points, table = _grid(*asked)
    loss = (_features(problems) @ table).reshape(len(problems), *points.shape[:2])
    rows, scales, place = _best(loss)
    edge = (points[0, :, 2:] == points[0, :, 2:].min(0)).all(1)
    edge_rows, edge_scales, among = _best(loss[:, :, edge])
    at_edge = np.flatnonzero(edge)[among]
    start = np.concatenate([points[scales, place], points[edge_scales, at_edge]])
    is_edge = np.repeat([False, True], [len(rows), len(edge_rows)])
    return np.concatenate([rows, edge_rows]), start, is_edge


def _best(loss: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The best point of each scale that is near the best of all: data set, scale, point, (C,)."""
    place = loss.argmin(2)
    each = np.take_along_axis(loss, place[..., None], 2)[..., 0]
    rows, scales = np.nonzero(each <= each.min(1)[:, None] + NEAR)
    return rows, scales, place[rows, scales]


def _features(problems: Problems) -> np.ndarray:
    """What multiplies the rows of the table, (B, 2 L + 6): counts, and the priors' weights (a
    correlation does not matter for a start).
    """
    weight = np.einsum("bii->bi", problems.precision)
    pull = -weight * problems.centre
    rest = np.ones((len(problems), 2))
    counts = [problems.happy, problems.n - problems.happy]
    return np.concatenate([*counts, 0.5 * weight, pull, rest], 1).astype(np.float32)


@lru_cache(maxsize=16)
def _grid(
    level: tuple[float, ...],
    low: tuple[float, ...],
    high: tuple[float, ...],
    sigmoid: str,
    asymptotes: tuple[float, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """Points (S, P, 4), one row a scale, and the table (2 L + 6, S P) that, weighted by a data
    set's features, is its objective there. Single precision is enough to choose a start.
    """
    x = np.unique(level)
    width = np.ptp(x) or 1.0
    places = np.linspace(x[0] - 0.25 * width, x[-1] + 0.25 * width, PLACES)
    scales = np.log(np.geomspace(width / 150, 3 * width, SCALES))
    shares = np.array([0, 0.1, 0.4, 1])
    gaps = [np.unique(a + (b - a) * shares) for a, b in zip(low, high, strict=True)]
    axes = np.meshgrid(scales, places, *gaps, indexing="ij")
    points = np.stack([axes[1], axes[0], axes[2], axes[3]], -1).reshape(-1, 4)
    psi, rest, *_ = both_tails(points, np.array(level), sigmoid)
    tails = [-np.log(np.maximum(tail, 1e-30)) for tail in (psi, rest)]
    small = -(np.array(asymptotes) * np.log1p(-points[:, 2:])).sum(1, keepdims=True)
    ones = np.ones((len(points), 1))
    table = np.concatenate([*tails, points[:, :2] ** 2, points[:, :2], ones, small], 1)
    return points.reshape(SCALES, -1, 4), np.ascontiguousarray(table.T, np.float32)
