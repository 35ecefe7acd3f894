"""Many small fits at once: penalised maximum likelihood of the psychometric function, in batches.

Each data set is fitted in (location, log scale, guess, lapse) by projected Levenberg-Marquardt
steps (Newton's where the Hessian allows it) from every valley of a coarse grid; bounds are met
exactly.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from lib.psychometrics.likelihood import Problems, evaluate, make_problems
from lib.psychometrics.sigmoids import SIGMOIDS, both_tails
from lib.psychometrics.start_grid import starts
from lib.storage.files import processors

__all__ = ["SIGMOIDS", "Problems", "both_tails", "evaluate", "make_problems", "optimise"]

# data sets worked on together: few enough to stay in cache, many enough that threads seldom wait
CHUNK = 512


def optimise(
    problems: Problems, start: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The best parameters (B, 4), their objective (B,) and whether the search came to rest (B,).

    Parameters
    ----------
    start : (B, 4), where to begin (a resampled data set begins at its original's fit); None
        searches a grid and begins from each of its valleys.
    """
    chunks = [slice(i, i + CHUNK) for i in range(0, len(problems), CHUNK)]

    def work(rows):
        some = problems.take(rows)
        return _descend(some, start[rows]) if start is not None else _from_grid(some)

    # threads of ours and of the matrix library's at once would wait for each other
    alone = threadpool_limits(1, user_api="blas") if len(chunks) > 1 else nullcontext()
    with alone, ThreadPoolExecutor(_workers(len(chunks))) as pool:
        parts = list(pool.map(work, chunks))
    if not parts:
        return np.empty((0, 4)), np.empty(0), np.empty(0, bool)
    return tuple(np.concatenate(p) for p in zip(*parts, strict=True))


def _workers(jobs: int) -> int:
    return max(1, min(jobs, processors()))


def _from_grid(problems: Problems) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """From every valley of a grid a few steps; those that lead to distinct places are followed
    to the end.
    """
    rows, start, edge = starts(problems)
    start[edge] = _along_edge(problems.take(rows[edge]), start[edge])
    point, loss, _ = _descend(problems.take(rows), start, steps=3)
    keep = _distinct(point, loss, rows, problems)
    rows = rows[keep]
    point, loss, rested = _descend(problems.take(rows), point[keep])
    order = np.lexsort((loss, rows))
    best = order[np.unique(rows[order], return_index=True)[1]]
    return point[best], loss[best], rested[best]


def _along_edge(problems: Problems, start: np.ndarray, steps: int = 6) -> np.ndarray:
    """Some steps with both gaps held at their lower bounds, (C, 4)."""
    held = np.concatenate([problems.high[:, :2], problems.low[:, 2:]], 1)
    return _descend(replace(problems, high=held), start, steps)[0] if len(start) else start


def _distinct(point, loss, rows, problems: Problems) -> np.ndarray:
    """Whether a candidate is its data set's best so far, or near it in loss and yet elsewhere."""
    order = np.lexsort((loss, rows))
    leaders = order[np.unique(rows[order], return_index=True)[1]]
    leader = np.empty(len(problems), int)
    leader[rows[leaders]] = leaders
    leader = leader[rows]
    span = problems.high[rows, 0] - problems.low[rows, 0]
    away = np.abs(point - point[leader]) / np.stack(
        [span / 7, np.ones_like(span), np.ones_like(span), np.ones_like(span)], 1
    )
    elsewhere = (away > [0.01, 0.1, 0.005, 0.005]).any(1)
    return (leader == np.arange(len(rows))) | (elsewhere & (loss < loss[leader] + 3))


def _descend(problems: Problems, start: np.ndarray, steps: int = 100):
    """Levenberg-Marquardt within the bounds; data sets that have come to rest leave the batch."""
    final = np.clip(start, problems.low, problems.high)
    final_loss = np.empty(len(final))
    rested = np.zeros(len(final), bool)
    rows = np.arange(len(final))
    now = final.copy()
    state = list(evaluate(now, problems))
    damping = np.full(len(final), 1e-3)
    for _ in range(steps):
        trial = now + _step(now, *state[1:], damping, problems)
        found = evaluate(trial, problems)
        gain = state[0] - found[0]
        better = gain >= 0
        now[better] = trial[better]
        for old, new in zip(state, found, strict=True):
            old[better] = new[better]
        damping = np.where(better, np.maximum(damping * 0.1, 1e-9), damping * 10)
        done = (better & (gain < 1e-9)) | (damping > 1e9)
        final[rows] = now
        final_loss[rows] = state[0]
        rested[rows] = done
        if done.all():
            break
        if done.mean() > 0.1:
            keep = ~done
            rows = rows[keep]
            now = now[keep]
            damping = damping[keep]
            problems = problems.take(keep)
            state = [value[keep] for value in state]
    return final, final_loss, rested


def _step(now, gradient, curved, safe, damping, problems: Problems) -> np.ndarray:
    """A damped Newton step within the bounds, (B, 4); scoring where the Hessian is not positive
    definite.

    A parameter whose step would leave its bound is set onto it and the others are solved for again,
    so that a step never turns uphill by being cut off.
    """
    to_low = problems.low - now
    to_high = problems.high - now
    fixed = (
        ((to_low >= 0) & (gradient > 0)) | ((to_high <= 0) & (gradient < 0)) | (to_high <= to_low)
    )
    move = np.zeros_like(now)
    rows = np.arange(len(now))
    for _ in range(3):
        move[rows] = _solve(
            gradient[rows], curved[rows], safe[rows], damping[rows], move[rows], fixed[rows]
        )
        leaves = ((move[rows] < to_low[rows]) | (move[rows] > to_high[rows])) & ~fixed[rows]
        move[rows] = np.clip(move[rows], to_low[rows], to_high[rows])
        rows = rows[leaves.any(1)]
        leaves = leaves[leaves.any(1)]
        if rows.size == 0:
            break
        fixed[rows] |= leaves
    return move


def _solve(gradient, curved, safe, damping, move, fixed) -> np.ndarray:
    """Minimise the damped quadratic in the parameters that are not fixed; the fixed ones keep
    their ``move``.
    """
    kept = np.where(fixed, move, 0.0)
    step, definite = _quadratic(gradient, curved, safe, damping, kept, fixed)
    if not definite.all():
        rows = ~definite
        step[rows] = _quadratic(
            gradient[rows], safe[rows], safe[rows], damping[rows], kept[rows], fixed[rows]
        )[0]
    return step


def _quadratic(gradient, matrix, safe, damping, kept, fixed) -> tuple[np.ndarray, np.ndarray]:
    matrix = matrix.copy()
    diagonal = np.einsum("bii->bi", matrix)
    size = np.einsum("bii->bi", safe)
    # a gap held at 0 can have a curvature of 1e24: it must not damp the others
    most = np.where(fixed, 0.0, size).max(1, keepdims=True)
    diagonal += damping[:, None] * size + 1e-12 * (1 + most)
    right = -gradient - (matrix @ kept[..., None])[..., 0]
    right[fixed] = kept[fixed]
    free = ~fixed
    matrix *= free[:, :, None] & free[:, None, :]
    diagonal[fixed] = 1.0
    return solve_definite(matrix, right)


def solve_definite(matrix: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Solve many small symmetric systems (B, k, k) x = (B, k); also whether each is positive
    definite, (B,).

    Elimination without pivoting, with the batch as the inner axis: several times faster than
    numpy's loop over systems for k = 4.
    """
    a = np.ascontiguousarray(matrix.transpose(1, 2, 0))
    x = np.ascontiguousarray(right.T)
    definite = np.ones(a.shape[2], bool)
    for i in range(len(a)):
        definite &= a[i, i] > 0
        a[i, i][~definite] = 1.0
        for j in range(i + 1, len(a)):
            factor = a[j, i] / a[i, i]
            a[j, i + 1 :] -= factor * a[i, i + 1 :]
            x[j] -= factor * x[i]
    for i in range(len(a) - 1, -1, -1):
        x[i] = (x[i] - (a[i, i + 1 :] * x[i + 1 :]).sum(0)) / a[i, i]
    return x.T.copy(), definite
