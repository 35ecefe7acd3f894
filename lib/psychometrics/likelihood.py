"""What a fit minimises: minus the log likelihood of binomial answers and minus the log of the
priors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lib.psychometrics.sigmoids import SIGMOIDS, both_tails

ASYMPTOTE_PRIOR = 9.0  # Beta(1, 10), Schuett et al. (2016): log density 9 log(1 - gap) + constant
LOCATION_SD = 1.0  # in ranges of the levels tested
SCALE_CENTRE = 0.15  # in ranges
SCALE_LOG_SD = 1.0  # of the natural logarithm
_TINY = 1e-150  # its square is still a number


@dataclass(frozen=True)
class FitOptions:
    """How a fit was made, so that resampled data are fitted alike; see ``fit_psychometric``."""

    sigmoid: str = "norm"
    guess: tuple[float, float] = (0.0, 0.05)
    lapse: tuple[float, float] = (0.0, 0.05)
    penalty: float = 1.0

    def __post_init__(self):
        if self.sigmoid not in SIGMOIDS:
            raise ValueError(f"sigmoid {self.sigmoid!r} given; allowed: {', '.join(SIGMOIDS)}")
        for name in ("guess", "lapse"):
            object.__setattr__(self, name, _bounds(name, getattr(self, name)))
        if self.guess[1] + self.lapse[1] > 1 or self.guess[0] + self.lapse[0] >= 1:
            raise ValueError(
                f"guess {self.guess} and lapse {self.lapse} given; allowed: at "
                "most 1 together, or nothing"
                " is left to rise"
            )
        if not (np.isfinite(self.penalty) and self.penalty >= 0):
            raise ValueError(
                f"penalty {self.penalty!r} given; allowed: 0 (plain maximum likelihood) or more"
            )


def _bounds(name: str, given) -> tuple[float, float]:
    """A pair of bounds; one number fixes the value."""
    pair = (
        np.broadcast_to(np.asarray(given, float).ravel(), 2)
        if np.size(given) == 1
        else np.asarray(given, float)
    )
    if pair.shape != (2,) or not 0 <= pair[0] <= pair[1] < 1:
        raise ValueError(
            f"{name} {given!r} given; allowed: (low, high) with 0 <= low "
            "<= high < 1, or one fixed number"
        )
    return float(pair[0]), float(pair[1])


@dataclass(frozen=True)
class Problems:
    """B data sets on L levels, shared or each its own, with the priors and bounds of their four
    parameters.

    level (L,) or (B, L); happy, n (B, L); centre (B, 2) and precision (B, 2, 2): the normal prior
    on location and log scale, already multiplied by the penalty; asymptotes (2,): weights of the
    prior in a small guess and a small lapse; low, high (B, 4): bounds.
    """

    level: np.ndarray
    happy: np.ndarray
    n: np.ndarray
    centre: np.ndarray
    precision: np.ndarray
    asymptotes: np.ndarray
    low: np.ndarray
    high: np.ndarray
    sigmoid: str = "norm"

    def __len__(self) -> int:
        return len(self.happy)

    def take(self, rows: np.ndarray | slice) -> Problems:
        """Some of the data sets."""
        return replace(
            self,
            level=self.level if self.level.ndim == 1 else self.level[rows],
            happy=self.happy[rows],
            n=self.n[rows],
            centre=self.centre[rows],
            low=self.low[rows],
            precision=self.precision[rows],
            high=self.high[rows],
        )


def make_problems(
    level: np.ndarray, happy: np.ndarray, n: np.ndarray, options: FitOptions
) -> Problems:
    """Data sets with the weak standard priors (see ``lib.psychometrics.fitting``), scaled to
    the levels tested in each.
    """
    first, width = tested_range(level, n)
    ones = np.ones(len(n))
    bounds = [
        (first - 3 * width, first + 4 * width),
        (np.log(width / 1000), np.log(10 * width)),
        tuple(end * ones for end in options.guess),
        tuple(end * ones for end in options.lapse),
    ]
    precision = np.zeros((len(n), 2, 2))
    precision[:, 0, 0] = options.penalty / (LOCATION_SD * width) ** 2
    precision[:, 1, 1] = options.penalty / SCALE_LOG_SD**2
    return Problems(
        level,
        happy,
        n,
        np.stack([first + width / 2, np.log(SCALE_CENTRE * width)], 1),
        precision,
        np.full(2, options.penalty * ASYMPTOTE_PRIOR),
        np.stack([b[0] for b in bounds], 1),
        np.stack([b[1] for b in bounds], 1),
        options.sigmoid,
    )


def with_prior(problems: Problems, mean: np.ndarray, covariance: np.ndarray) -> Problems:
    """The same data with a group's normal prior on location and log scale, mean (2,) and
    covariance (2, 2).
    """
    return replace(
        problems,
        centre=np.broadcast_to(mean, (len(problems), 2)),
        precision=np.broadcast_to(np.linalg.inv(covariance), (len(problems), 2, 2)),
    )


def tested_range(level: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First level with trials and the width from there to the last, (B,) each; width 1 where
    there is none.
    """
    shown = n > 0
    first = np.where(shown, level, np.inf).min(1, initial=np.inf)
    width = np.where(shown, level, -np.inf).max(1, initial=-np.inf) - first
    usable = np.isfinite(width) & (width > 0)
    return np.where(np.isfinite(first), first, 0.0), np.where(usable, width, 1.0)


def evaluate(
    parameters: np.ndarray, problems: Problems
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Objective (B,), gradient (B, 4), Hessian (B, 4, 4) and its part that is never negative (B, 4,
    4).

    The objective is the negative log likelihood, without terms that do not depend on the
    parameters, minus the log of the priors, likewise.
    """
    psi, rest, z, above, below = both_tails(parameters, problems.level, problems.sigmoid)
    psi = np.maximum(psi, _TINY)
    rest = np.maximum(rest, _TINY)
    loss, slope, weight = _likelihood(psi, rest, problems)
    inverse = np.exp(-parameters[:, 1])[:, None]
    density, bend = SIGMOIDS[problems.sigmoid].density(z, above - below)
    span = (1 - parameters[:, 2] - parameters[:, 3])[:, None]
    jacobian = np.empty((len(parameters), 4, problems.level.shape[-1]))
    jacobian[:, 0] = -span * density * inverse
    jacobian[:, 1] = -span * density * z
    jacobian[:, 2] = below
    jacobian[:, 3] = -above
    gradient = -(jacobian @ slope[..., None])[..., 0]
    root = jacobian * np.sqrt(weight)[:, None]
    safe = root @ root.transpose(0, 2, 1)
    safe, gradient = _add_priors(safe, gradient, parameters, problems)
    curved = safe - _second_derivatives(slope, z, density, bend, span, inverse)
    return loss + prior_loss(parameters, problems), gradient, curved, safe


def _second_derivatives(slope, z, density, bend, span, inverse) -> np.ndarray:
    """Sum over levels of slope times the second derivatives of psi, (B, 4, 4); ``bend`` is
    dF''/F'.
    """
    pull = slope * density
    moments = [(pull * z**i).sum(1) for i in (0, 1)]
    bent = [(pull * bend * z**i).sum(1) for i in (0, 1, 2)]
    span, inverse = span[:, 0], inverse[:, 0]
    result = np.zeros((len(slope), 4, 4))
    result[:, 0, 0] = span * inverse**2 * bent[0]
    result[:, 0, 1] = result[:, 1, 0] = span * inverse * (bent[1] + moments[0])
    result[:, 1, 1] = span * (bent[2] + moments[1])
    for gap in (2, 3):
        result[:, 0, gap] = result[:, gap, 0] = inverse * moments[0]
        result[:, 1, gap] = result[:, gap, 1] = moments[1]
    return result


def _likelihood(psi, rest, problems: Problems):
    """Negative log likelihood (B,); its slope (sign turned) and curvature in psi, (B, L) each."""
    happy = problems.happy
    sad = problems.n - problems.happy
    loss = -(happy * np.log(psi) + sad * np.log(rest)).sum(1)
    happy = happy / psi
    sad = sad / rest
    return loss, happy - sad, happy / psi + sad / rest


def prior_loss(parameters: np.ndarray, problems: Problems) -> np.ndarray:
    """Minus the log density of the priors, up to a constant, (B,)."""
    away = parameters[:, :2] - problems.centre
    pull = (problems.precision @ away[..., None])[..., 0]
    return 0.5 * (away * pull).sum(1) - (problems.asymptotes * np.log1p(-parameters[:, 2:])).sum(1)


def _add_priors(curvature, gradient, parameters, problems: Problems):
    curvature[:, :2, :2] += problems.precision
    gradient[:, :2] += (problems.precision @ (parameters[:, :2] - problems.centre)[..., None])[
        ..., 0
    ]
    for gap, prior in zip((2, 3), problems.asymptotes, strict=True):
        curvature[:, gap, gap] += prior / (1 - parameters[:, gap]) ** 2
        gradient[:, gap] += prior / (1 - parameters[:, gap])
    return curvature, gradient
