"""What a fit of the psychometric function holds, what follows from it, and why a value may be
missing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from lib.psychometrics import resampling
from lib.psychometrics.curves import PARAMETERS, QUANTITIES, curve, derived, deviance
from lib.psychometrics.likelihood import FitOptions, tested_range

TREND_Z = 2.326  # one-sided 1 %: a weaker rise of the answers with level counts as flat
# no level within this many scales of the location: the data bound the slope from one side only
STEP_Z = 2.5


@dataclass(frozen=True)
class PsychometricFit:
    """Fits of the psychometric function; every array has the shape of the data without its level
    axis.

    ``pse`` is the level where the curve crosses 0.5, ``slope`` its derivative there (per unit
    level), ``jnd`` half the distance between its 25 % and 75 % points. A value that the data do not
    give is NaN, and ``reason`` says why; an empty ``reason`` means that all are there.
    ``objective`` is what was minimised, ``prior`` the mean and covariance of location and log
    scale in the group that the observers were drawn towards (``fit_group``).
    """

    location: np.ndarray
    scale: np.ndarray
    guess: np.ndarray
    lapse: np.ndarray
    pse: np.ndarray
    slope: np.ndarray
    jnd: np.ndarray
    deviance: np.ndarray
    converged: np.ndarray
    reason: np.ndarray
    objective: np.ndarray
    level: np.ndarray
    n_happy: np.ndarray
    n: np.ndarray
    options: FitOptions
    prior: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the results: that of the data without its level axis."""
        return np.shape(self.pse)

    def __getitem__(self, index) -> PsychometricFit:
        """Some of the fits, as numpy indexes the leading axes."""
        kept = {f.name: getattr(self, f.name) for f in fields(self)}
        for name, value in kept.items():
            if name not in ("level", "options", "prior"):
                kept[name] = np.asarray(value, object if name == "reason" else None)[index]
        return PsychometricFit(**kept)

    def parameters(self) -> np.ndarray:
        """(..., 4): location, log scale, guess, lapse."""
        return np.stack([self.location, np.log(self.scale), self.guess, self.lapse], -1)

    def curve(self, x: ArrayLike) -> np.ndarray:
        """psi at the levels ``x`` (K,), of shape (..., K); at one number, of shape (...,)."""
        values = curve(self.parameters(), x, self.options.sigmoid)
        return values[..., 0] if np.ndim(x) == 0 else values

    def frame(self) -> pd.DataFrame:
        """One row a fit, in C order."""
        names = (*QUANTITIES, *PARAMETERS, "deviance", "converged", "reason")
        return pd.DataFrame({name: np.ravel(np.asarray(getattr(self, name))) for name in names})

    def bootstrap(
        self, n_boot: int, rng: np.random.Generator, **options: str | float
    ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Intervals by resampling; see ``lib.psychometrics.resampling.bootstrap``."""
        return resampling.bootstrap(self, n_boot, rng, **options)

    def goodness_of_fit(self, n_simulated: int, rng: np.random.Generator) -> np.ndarray:
        """p of the deviance under the fitted curve, by simulation; see
        ``lib.psychometrics.resampling.goodness_of_fit``.
        """
        return resampling.goodness_of_fit(self, n_simulated, rng)


EMPTY = "empty: no trials"
SAD = "every answer is sad"
HAPPY = "every answer is happy"
ONE = "only one level has trials"
UNFIT = {EMPTY, SAD, HAPPY, ONE}  # data to which no curve is fitted at all
REVERSED = "reversed: happy answers fall with level"
FLAT = "flat: happy answers do not rise with level beyond chance (trend test, p > .01)"


def data_reasons(level: np.ndarray, happy: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Why data (B, L) carry no psychometric function, or "", (B,)."""
    total = n.sum(1)
    yes = happy.sum(1)
    trend = _trend_z(level, happy, n)
    rules = [
        (total <= 0, EMPTY),
        (yes <= 0, SAD),
        (yes >= total, HAPPY),
        ((n > 0).sum(1) < 2, ONE),
        (trend <= -TREND_Z, REVERSED),
        (trend < TREND_Z, FLAT),
    ]
    return np.select([r[0] for r in rules], [r[1] for r in rules], "").astype(object)


def _trend_z(level: np.ndarray, happy: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Cochran-Armitage test for trend, z (B,); 0 where it is undefined."""
    with np.errstate(invalid="ignore", divide="ignore"):
        total = n.sum(1)
        share = happy.sum(1) / total
        away = level - ((n * level).sum(1) / total)[:, None]
        rise = ((happy - n * share[:, None]) * away).sum(1)
        z = rise / np.sqrt(share * (1 - share) * (n * away**2).sum(1))
    return np.where(np.isfinite(z), z, 0.0)


def value_reasons(
    pse: np.ndarray,
    slope: np.ndarray,
    jnd: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    at_step: np.ndarray,
) -> tuple[np.ndarray, ...]:
    """pse, slope and jnd with what the data do not give set to NaN, and the reasons, (B,) each."""
    none = ~np.isfinite(pse)
    outside = (pse < first) | (pse > last)
    reason = np.full(pse.shape, "", object)
    reason[~np.isfinite(jnd)] = "jnd: an asymptote lies beyond 25 % or 75 %"
    reason[at_step] = "slope, jnd: the data are a step between two levels"
    for i in np.nonzero(outside & ~none)[0]:
        reason[i] = f"pse {pse[i]:.3g} lies outside the levels tested ({first[i]:g} to {last[i]:g})"
    reason[none] = "pse: the curve does not cross 0.5"
    lost = none | outside
    return (
        np.where(lost, np.nan, pse),
        np.where(lost | at_step, np.nan, slope),
        np.where(lost | at_step, np.nan, jnd),
        reason,
    )


def summarise(
    level: np.ndarray,
    happy: np.ndarray,
    n: np.ndarray,
    parameters: np.ndarray,
    objective: np.ndarray,
    converged: np.ndarray,
    options: FitOptions,
    shape: tuple[int, ...],
    *,
    reasons: np.ndarray,
    prior: tuple[np.ndarray, np.ndarray] | None = None,
) -> PsychometricFit:
    """Everything that follows from parameters (B, 4), laid out in ``shape``; NaN where ``reasons``
    (B,) gives one.

    ``prior``: a group's; other observers then say how steep a curve is, so that a step between two
    levels still has a slope.
    """
    first, width = tested_range(level, n)
    parameters = np.where((reasons == "")[:, None], parameters, np.nan)
    away = np.abs(level - parameters[:, :1]) * np.exp(-parameters[:, 1:2])
    at_step = (np.where(n > 0, away, np.inf).min(1) > STEP_Z) & (prior is None)
    pse, slope, jnd, why = value_reasons(
        *derived(parameters, options.sigmoid), first, first + width, at_step
    )
    why = np.where(converged, why, "the search did not come to rest")
    values = {
        "location": parameters[:, 0],
        "scale": np.exp(parameters[:, 1]),
        "guess": parameters[:, 2],
        "lapse": parameters[:, 3],
        "pse": pse,
        "slope": slope,
        "jnd": jnd,
        "deviance": deviance(parameters, level, happy, n, options.sigmoid),
        "converged": converged & (reasons == ""),
        "reason": np.where(reasons == "", why, reasons),
        "objective": objective,
    }
    laid = {name: value.reshape(shape)[()] for name, value in values.items()}
    happy = happy.reshape(*shape, level.size)
    n = n.reshape(*shape, level.size)
    return PsychometricFit(**laid, level=level, n_happy=happy, n=n, options=options, prior=prior)


def check_counts(
    level: ArrayLike, n_happy: ArrayLike, n: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, ...]]:
    """Levels (L,) and counts (B, L) as floats, and the leading shape; ValueError says what is
    wrong.
    """
    level = np.asarray(level, float)
    if level.shape == (0,) and np.size(n_happy) == np.size(n) == 0:  # as one level without trials
        level = np.zeros(1)
        n_happy = np.zeros((*np.shape(n_happy)[:-1], 1))
        n = n_happy
    if level.ndim != 1 or level.size == 0 or not np.isfinite(level).all():
        raise ValueError(
            f"level of shape {level.shape} given; allowed: a list of finite "
            "levels, shared by all data"
        )
    try:
        happy, n = np.broadcast_arrays(np.asarray(n_happy, float), np.asarray(n, float))
        happy, n = np.broadcast_arrays(happy, n + np.zeros(level.shape))
    except ValueError:
        raise ValueError(
            f"n_happy {np.shape(n_happy)} and n {np.shape(n)} given for "
            f"{level.size} levels; allowed: "
            "arrays whose last axis is the levels"
        ) from None
    if happy.shape[-1] != level.size:
        raise ValueError(
            f"n_happy of shape {happy.shape} given for {level.size} levels; "
            f"allowed: (..., {level.size})"
        )
    wrong = ~(np.isfinite(happy) & np.isfinite(n) & (happy >= 0) & (happy <= n + 1e-9))
    if wrong.any():
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(
            f"n_happy {happy[where]:g} of n {n[where]:g} given at index {where}; allowed: "
            "0 <= n_happy <= n, both finite (use n = 0 where a level was not shown)"
        )
    return (
        level,
        np.minimum(happy, n).reshape(-1, level.size),
        n.reshape(-1, level.size),
        happy.shape[:-1],
    )
