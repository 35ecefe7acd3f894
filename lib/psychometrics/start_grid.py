"""Where a fit begins: every valley that the objective has on a coarse grid, from matrix
products.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lib.psychometrics.sigmoids import both_tails


@dataclass(frozen=True)
class Grid:
    """Grid values and, per scale, the table whose rows, weighted by a data set's features, are its
    objective.

    locations: one array per scale; scales, guesses, lapses: 1-D; tables: float32 (2 L + 6, G * H *
    M) per scale, the last axis running over guess, lapse and location. Single precision is enough
    to choose a start.
    """

    locations: list[np.ndarray]
    scales: np.ndarray
    guesses: np.ndarray
    lapses: np.ndarray
    tables: list[np.ndarray]


def starts(problems) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Valleys of the objective on the grid: which data set each belongs to (C,) and where it lies
    (C, 4).

    The last (C,) is True for a start with both gaps at their lower bounds, which is to be sought
    along that edge first: an optimum there can lie beside one with a gap and a steeper curve, with
    no cell between that tells the two apart.
    ``problems`` is a ``lib.psychometrics.likelihood.Problems``.
    """
    grid = _grid(
        tuple(problems.level),
        tuple(problems.low[0, 2:]),
        tuple(problems.high[0, 2:]),
        problems.sigmoid,
        tuple(problems.asymptotes),
    )
    features = np.concatenate(
        [problems.happy, problems.n - problems.happy, _belief_features(problems)], 1
    )
    features = features.astype(np.float32)
    shape = (len(grid.scales), len(grid.guesses), len(grid.lapses))
    losses, places = (
        np.empty((len(features), *shape), np.float32),
        np.empty((len(features), *shape)),
    )
    for i, (place, table) in enumerate(zip(grid.locations, grid.tables, strict=True)):
        loss = (features @ table).reshape(-1, *shape[1:], place.size)
        best = loss.argmin(-1)
        losses[:, i] = np.take_along_axis(loss, best[..., None], -1)[..., 0]
        places[:, i] = place[best]
    (rows, cells), (edge_rows, edge_cells) = _valleys(losses), _edge(losses)
    edge = np.repeat([False, True], [len(rows), len(edge_rows)])
    rows, cells = np.concatenate([rows, edge_rows]), np.concatenate([cells, edge_cells])
    i, j, k = np.unravel_index(cells, shape)
    start = np.stack(
        [places[rows, i, j, k], np.log(grid.scales)[i], grid.guesses[j], grid.lapses[k]], 1
    )
    return rows, start, edge


def _valleys(
    losses: np.ndarray, count: int = 8, slack: float = 0.3
) -> tuple[np.ndarray, np.ndarray]:
    """The lowest cells that no neighbour along an axis undercuts by more than ``slack``; losses (B,
    ...).

    A coarse grid can pass a narrow valley by: hence the slack. Returns data set and flat cell, (C,)
    each.
    """
    floor = np.ones(losses.shape, bool)
    for axis in range(1, losses.ndim):
        rise = np.diff(losses, axis=axis)
        ahead, behind = [[slice(None)] * losses.ndim for _ in range(2)]
        ahead[axis], behind[axis] = slice(None, -1), slice(1, None)
        floor[tuple(ahead)] &= rise >= -slack
        floor[tuple(behind)] &= rise <= slack
    flat = np.where(floor, losses, np.inf).reshape(len(losses), -1)
    cells = (
        np.argpartition(flat, count - 1, axis=1)[:, :count]
        if flat.shape[1] > count
        else np.argsort(flat, axis=1)
    )
    chosen = np.take_along_axis(flat, cells, 1)
    rows, column = np.nonzero(chosen <= chosen.min(1, keepdims=True) + 4)
    return rows, cells[rows, column]


def _edge(losses: np.ndarray, near: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Data sets whose loss with both gaps at their lower bounds is near the best one, and their
    best cell there.
    """
    edge = losses[:, :, 0, 0]
    rows = np.flatnonzero(edge.min(1) <= losses.reshape(len(losses), -1).min(1) + near)
    return rows, edge[rows].argmin(1) * (losses[0].size // edge.shape[1])


def _axes(level: np.ndarray, low, high) -> tuple[list, np.ndarray, np.ndarray, np.ndarray]:
    """Grid values of location (one array per scale), scale, guess and lapse.

    Scales run from a step between two levels to flatter than the range; locations are as dense as a
    scale needs.
    """
    level = np.unique(level)
    width = np.ptp(level) or 1.0
    gap = max(np.diff(level).min(), width / 40) if level.size > 1 else width
    scales = np.geomspace(
        gap / 8, 3 * width, max(4, int(np.ceil(np.log(24 * width / gap) / np.log(1.6))) + 1)
    )
    locations = []
    for scale in scales:
        beyond = min(scale, 0.25 * width)
        spacing = min(max(0.7 * scale, gap / 4), width / 8)
        locations.append(
            np.linspace(
                level[0] - beyond, level[-1] + beyond, int((width + 2 * beyond) / spacing) + 2
            )
        )
    return locations, scales, *(_gaps(*pair) for pair in zip(low, high, strict=True))


def _gaps(low: float, high: float) -> np.ndarray:
    shares = (0, 0.2, 0.6, 1) if high - low <= 0.1 else (0, 0.02, 0.12, 0.5)
    return np.unique(low + (high - low) * np.array(shares))


def _belief_features(problems) -> np.ndarray:
    """What multiplies the rows of a table that hold the beliefs, (B, 6); a correlation does not
    matter for a start.
    """
    precision = np.einsum("bii->bi", problems.precision)
    ones = np.ones((len(problems), 1))
    return np.concatenate(
        [
            0.5 * precision,
            -precision * problems.centre,
            (0.5 * precision * problems.centre**2).sum(1, keepdims=True),
            ones,
        ],
        1,
    )


@lru_cache(maxsize=16)
def _grid(level: tuple, low: tuple, high: tuple, sigmoid: str, asymptotes: tuple) -> Grid:
    level = np.array(level)
    locations, scales, guesses, lapses = _axes(level, low, high)
    tables = []
    for place, scale in zip(locations, scales, strict=True):
        axes = np.meshgrid(guesses, lapses, place, indexing="ij")
        points = np.stack(
            [axes[2], np.full(axes[0].shape, np.log(scale)), axes[0], axes[1]], -1
        ).reshape(-1, 4)
        psi, rest, *_ = both_tails(points, level, sigmoid)
        tails = [-np.log(np.maximum(tail, 1e-30)) for tail in (psi, rest)]
        gaps = -(asymptotes * np.log1p(-points[:, 2:])).sum(1)
        ones = np.ones((len(points), 1))
        table = np.concatenate([*tails, points[:, :2] ** 2, points[:, :2], ones, gaps[:, None]], 1)
        tables.append(np.ascontiguousarray(table.T, np.float32))
    return Grid(locations, scales, guesses, lapses, tables)
