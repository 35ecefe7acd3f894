"""Partial pooling: observers with few trials borrow from their group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from lib.psychometrics.likelihood import FitOptions, Problems, evaluate, make_problems, with_prior
from lib.psychometrics.result import (
    REVERSED,
    PsychometricFit,
    check_counts,
    data_reasons,
    summarise,
)
from lib.psychometrics.search import optimise

ITERATIONS = 200
TOLERANCE = 1e-4  # of the group's mean and spread, in units of the spread, between two rounds


@dataclass(frozen=True)
class GroupFit:
    """A group of observers fitted together.

    ``fit`` holds every observer's own curve, drawn towards the group. ``mean`` (2,) and
    ``covariance`` (2, 2) describe location and log scale over observers, ``mean_error`` (2,) is the
    standard error of that mean. ``shrinkage`` (N,) is the share of an observer's location that
    comes from the group: 0 with many trials, 1 without any.
    """

    fit: PsychometricFit
    mean: np.ndarray
    covariance: np.ndarray
    mean_error: np.ndarray
    shrinkage: np.ndarray


def fit_group(
    level: ArrayLike,
    n_happy: ArrayLike,
    n: ArrayLike,
    *,
    sigmoid: str = "norm",
    guess: float | Sequence[float] = (0, 0.05),
    lapse: float | Sequence[float] = (0, 0.05),
    penalty: float = 1.0,
) -> GroupFit:
    """Fit N observers of one group, each drawn towards the group the more the fewer trials it has.

    Empirical Bayes: location and log scale are bivariate normal over observers, with mean and
    covariance by EM, where the expectation is Laplace's approximation about each observer's mode
    (Gelman et al. 2013, ch. 5 and 13). The group replaces the standard priors about location and
    scale; ``penalty`` still weighs the prior in small gaps.

    Parameters
    ----------
    level : (L,). n_happy, n : (N, L), and the options, as for ``fit_psychometric``.

    Returns
    -------
    GroupFit. An observer without trials, or whose own answers are flat or constant, still gets the
    group's curve as far as its answers allow; only reversed answers are left out, with the reason.

    Raises
    ------
    ValueError : counts that are not (N, L), or fewer than three observers whose own answers rise
        with level.
    """
    options = FitOptions(sigmoid, guess, lapse, penalty)
    level, happy, n, shape = check_counts(level, n_happy, n)
    reasons = data_reasons(level, happy, n)
    rising = reasons == ""
    if len(shape) != 1 or rising.sum() < 3:
        raise ValueError(
            f"counts of shape {(*shape, level.size)} given, {int(rising.sum())} "
            "observers with answers "
            "that rise with level; allowed: (observers, levels) with at least three such observers"
        )
    problems = _on_common_range(level, happy, n, options)
    mean, covariance, modes = _learn(problems.take(rising))
    everyone = with_prior(problems, mean, covariance)
    start = np.where(rising[:, None], 0.0, [*mean, problems.low[0, 2], problems.low[0, 3]])
    start[rising] = modes
    parameters, objective, converged = optimise(everyone, start)
    within = _uncertainty(parameters, everyone)
    fit = summarise(
        level,
        happy,
        n,
        parameters,
        objective,
        converged,
        options,
        shape,
        prior=(mean, covariance),
        reasons=np.where(reasons == REVERSED, reasons, ""),
    )
    return GroupFit(
        fit,
        mean,
        covariance,
        _error_of_mean(covariance, within[rising]),
        within[:, 0, 0] / covariance[0, 0],
    )


def _error_of_mean(covariance: np.ndarray, within: np.ndarray) -> np.ndarray:
    """Standard errors of the group's mean, (2,), from people's spread and what each one's own
    answers leave open.

    ``within`` (N, 2, 2) is V = (A^-1 + S^-1)^-1, of answers that alone would leave A open in a
    group of covariance S; the mean weighs people by (S + A)^-1 = S^-1 - S^-1 V S^-1.
    """
    inverse = np.linalg.inv(covariance)
    return np.sqrt(np.diag(np.linalg.inv((inverse - inverse @ within @ inverse).sum(0))))


def _on_common_range(level, happy, n, options: FitOptions) -> Problems:
    """Bounds and start grid from the whole group's levels, so that an observer without trials
    has them too.
    """
    any_shown = np.where(n.sum(0) > 0, 1.0, 0.0)
    shared = make_problems(level, happy, np.broadcast_to(any_shown, n.shape), options)
    return replace(shared, n=n)


def _learn(problems: Problems) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The group's mean and covariance and the observers' modes (N, 4), by EM."""
    modes = optimise(problems)[0]
    mean = modes[:, :2].mean(0)
    covariance = np.cov(modes[:, :2].T) + np.diag(_floor(problems))
    rounds = 0
    change = np.inf
    while change > TOLERANCE and rounds < ITERATIONS:
        drawn = with_prior(problems, mean, covariance)
        modes = optimise(drawn, modes)[0]
        away = modes[:, :2] - modes[:, :2].mean(0)
        fresh = (away[:, :, None] * away[:, None] + _uncertainty(modes, drawn)).mean(0) + np.diag(
            _floor(problems)
        )
        spread = np.sqrt(np.diag(covariance))
        change = max(
            np.abs((modes[:, :2].mean(0) - mean) / spread).max(),
            np.abs(np.sqrt(np.diag(fresh)) / spread - 1).max(),
        )
        mean = modes[:, :2].mean(0)
        covariance = fresh
        rounds = rounds + 1
    return mean, covariance, modes


def _floor(problems: Problems) -> np.ndarray:
    """Smallest variances of the group: a thousandth of the range and of the scale; keeps alike
    observers solvable.
    """
    width = (problems.high[0, 0] - problems.low[0, 0]) / 7
    return np.array([(1e-3 * width) ** 2, 1e-6])


def _uncertainty(parameters: np.ndarray, problems: Problems) -> np.ndarray:
    """Laplace covariance of location and log scale, (N, 2, 2); an asymptote at its bound counts
    as known.
    """
    information = evaluate(parameters, problems)[3].copy()
    held = (parameters <= problems.low + 1e-9) | (parameters >= problems.high - 1e-9)
    information *= ~held[:, :, None] & ~held[:, None, :]
    np.einsum("bii->bi", information)[held] = 1.0
    return np.linalg.inv(information)[:, :2, :2]
