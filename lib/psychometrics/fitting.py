"""Psychometric functions: fit them, compare them, and pool them over observers.

psi(x) = guess + (1 - guess - lapse) F((x - location) / scale), F cumulative Gaussian or logistic
(Wichmann & Hill 2001, eq. 1). The weak priors that ``penalty`` weighs, with R the range of the
levels tested:

- location: normal about the middle of the levels with standard deviation R. The curve's middle lies
  on the morph or not far beyond it.
- scale: log-normal about 0.15 R with a standard deviation of 1 in natural logarithms. Half of the
  change takes between a fortieth of the range and more than all of it.

- guess and lapse: Beta(1, 10) within their bounds, as in Schuett et al. (2016). Blind answers are
  rare.

Four levels (0, two near the threshold, 1) are just enough: the ends tell guess and lapse, the two
between tell location and scale, and nothing is left to test the curve's form with.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from lib.psychometrics.group import GroupFit, fit_group
from lib.psychometrics.likelihood import FitOptions, make_problems
from lib.psychometrics.resampling import compare_fits
from lib.psychometrics.result import (
    UNFIT,
    PsychometricFit,
    check_counts,
    data_reasons,
    summarise,
)
from lib.psychometrics.search import optimise

# fits whose intermediate arrays are held at once, so that memory is flat in their number
BLOCK = 8192

__all__ = ["GroupFit", "PsychometricFit", "compare_fits", "fit_group", "fit_psychometric"]


def fit_psychometric(
    level: ArrayLike,
    n_happy: ArrayLike,
    n: ArrayLike,
    *,
    sigmoid: str = "norm",
    guess: float | Sequence[float] = (0, 0.05),
    lapse: float | Sequence[float] = (0, 0.05),
    penalty: float = 1.0,
) -> PsychometricFit:
    """Penalised maximum likelihood of one or many psychometric functions.

    Parameters
    ----------
    level : (L,) levels, in any order.
    n_happy, n : (..., L) happy answers and trials; fractions are allowed, n = 0 where a level was
        not shown.
    sigmoid : ``norm`` or ``logistic``.
    guess, lapse : (low, high) bounds of the asymptote gaps, or one number that fixes the gap.
    penalty : weight of the priors in the module's docstring; 0 is plain maximum likelihood.

    Returns
    -------
    PsychometricFit with results of shape (...); NaN with a reason for data that carry no
    psychometric function.

    Raises
    ------
    ValueError : shapes that do not match, counts that are negative, not finite or above n, or bad
        options.
    """
    options = FitOptions(sigmoid, guess, lapse, penalty)
    level, happy, n, shape = check_counts(level, n_happy, n)
    return fit_flat(level, happy, n, options, shape)


def fit_flat(
    level: np.ndarray, happy: np.ndarray, n: np.ndarray, options: FitOptions, shape: tuple[int, ...]
) -> PsychometricFit:
    """Fit checked counts (B, L), block by block, and lay the results out in ``shape``."""
    reasons = data_reasons(level, happy, n)
    usable = np.flatnonzero(~np.isin(reasons, list(UNFIT)))
    parameters = np.full((len(n), 4), np.nan)
    objective = np.full(len(n), np.nan)
    converged = np.zeros(len(n), bool)
    for rows in np.split(usable, range(BLOCK, len(usable), BLOCK)):
        problems = make_problems(level, happy[rows], n[rows], options)
        parameters[rows], objective[rows], converged[rows] = optimise(problems)
    found = (parameters, objective, converged)
    return summarise(level, happy, n, *found, options, shape, reasons=reasons)
