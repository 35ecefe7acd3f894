"""What people have in common and how far they differ, with the error of their answers taken out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import optimize, stats
from statsmodels.stats.meta_analysis import combine_effects

from lib.observers.tables import fit_options, fit_people, people_counts, wide_counts
from lib.psychometrics.fitting import PsychometricFit, fit_psychometric
from lib.psychometrics.group import GroupFit, fit_group
from lib.psychometrics.sigmoids import both_tails
from lib.settings.options import Statistics
from lib.statistics.intervals import mean_interval

RATIOS = ("slope", "jnd")  # summed up as logarithms


def people_summary(fits: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Mean and spread over people, each with an interval.

    Parameters
    ----------
    fits : one row a person, with pse, slope and jnd (and their intervals, for the latent spread);
        people without a value are left out and not counted.

    Returns
    -------
    quantity (pse, slope, jnd), mean, low, high (Student's t over people), sd, sd_low, sd_high
    (chi-square, for normal values), latent_sd, latent_low, latent_high (``latent_spread``), n.
    Slope
    and JND are ratios: their mean is the geometric one, and their SDs those of the natural log.
    """
    rows = []
    for quantity in ("pse", *RATIOS):
        values, errors = _values(fits, quantity, confidence)
        n = len(values)
        mean = np.array(mean_interval(values, confidence))
        sd = values.std(ddof=1) if n > 1 else np.nan
        tails = [0.5 + confidence / 2, 0.5 - confidence / 2]
        ends = sd * np.sqrt((n - 1) / stats.chi2.ppf(tails, max(n - 1, 1)))
        latent = latent_spread(values, errors, confidence)
        middle = np.exp(mean) if quantity in RATIOS else mean
        rows.append([quantity, *middle, sd, *ends, *latent, n])
    names = ["mean", "low", "high", "sd", "sd_low", "sd_high"]
    latent_names = ["latent_sd", "latent_low", "latent_high"]
    return pd.DataFrame(rows, columns=["quantity", *names, *latent_names, "n"])


def _values(fits: pd.DataFrame, quantity: str, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """People's values (logarithms of ratios) and their standard errors, NaN where unknown."""
    names = [quantity, f"{quantity}_low", f"{quantity}_high"]
    rows = fits.reindex(columns=names).astype(float).dropna(subset=[quantity]).to_numpy()
    values = np.log(rows) if quantity in RATIOS else rows
    width = 2 * stats.norm.ppf(0.5 + confidence / 2)
    return values[:, 0], (values[:, 2] - values[:, 1]) / width


def latent_spread(
    values: np.ndarray, errors: np.ndarray, confidence: float = 0.95
) -> tuple[float, float, float]:
    """SD of persons without the error of their answers, and its interval.

    The estimate is Paule & Mandel's (1982), the interval the Q-profile (Viechtbauer 2007). NaN for
    fewer than three people with a value and an error.
    """
    known = np.isfinite(values) & np.isfinite(errors) & (errors > 0)
    y = values[known]
    variance = errors[known] ** 2
    if len(y) < 3:
        return np.nan, np.nan, np.nan
    found = combine_effects(y, variance, method_re="iterated").tau2
    tails = stats.chi2.ppf([0.5 + confidence / 2, 0.5 - confidence / 2], len(y) - 1)
    ends = [_where_q_is(target, y, variance) for target in tails]
    return float(np.sqrt(max(found, 0))), *(float(np.sqrt(end)) for end in ends)


def _where_q_is(target: float, y: np.ndarray, variance: np.ndarray) -> float:
    """The variance between persons at which the weighted sum of squares is ``target``; 0 where it
    is less even there.
    """

    def above(between: float) -> float:
        weight = 1 / (variance + between)
        return float((weight * (y - np.average(y, weights=weight)) ** 2).sum()) - target

    if above(0.0) <= 0:
        return 0.0
    most = 1.0
    while above(most) > 0:
        most *= 4
    return optimize.brentq(above, 0.0, most)


def pooled_people(people: pd.DataFrame, statistics: Statistics) -> GroupFit:
    """People's curves on whole faces, each drawn towards the group the more the fewer answers it
    has.

    Raises
    ------
    ValueError : fewer than three people whose own answers rise with level.
    """
    counts = people_counts(people[people["condition"] == "full"])
    _, levels, happy, n = wide_counts(counts, ["observer"])
    return fit_group(levels, happy, n, **fit_options(statistics))


def flatter_together(fit: PsychometricFit, counts: pd.DataFrame) -> float:
    """How much flatter people are together than one by one: the slope of one curve without gaps
    through all their answers, over the geometric mean of their slopes.

    Noise that is fitted to everybody's choices holds how far people's PSEs lie apart, and their
    lapses, so a network under it is to be compared with that one curve. NaN where nobody's curve
    rises.

    Parameters
    ----------
    counts : of ``people_counts``, from which ``fit`` was made.
    """
    slopes = np.ravel(fit.slope)
    rising = slopes[slopes > 0]
    if not len(rising):
        return np.nan
    pooled = counts.groupby("level")[["n_happy", "n"]].sum()
    level = pooled.index.to_numpy(float)
    one = fit_psychometric(level, pooled["n_happy"], pooled["n"], guess=0, lapse=0, penalty=0)
    return float(one.slope / np.exp(np.log(rising).mean()))


def fit_without_priors(counts: pd.DataFrame, statistics: Statistics) -> np.ndarray:
    """PSEs by plain maximum likelihood, in the order of ``counts`` (of ``people_counts``)."""
    return fit_people(counts, replace(statistics, penalty=0.0))[1].pse


def explained_fit(people: pd.DataFrame, statistics: Statistics) -> PsychometricFit:
    """One curve that stands for the group, full faces, for a figure that explains it.

    All answers together where people saw the same levels; otherwise (levels near each person's own
    threshold) a person at the group's mean, by partial pooling.
    """
    counts = people_counts(people[people["condition"] == "full"])
    seen = counts.groupby("level")["observer"].nunique()
    if (seen >= 0.5 * counts["observer"].nunique()).mean() > 0.5:
        sums = counts.groupby("level")[["n_happy", "n"]].sum()
        happy = sums["n_happy"].to_numpy(float)
        n = sums["n"].to_numpy(float)
        return fit_psychometric(sums.index.to_numpy(float), happy, n, **fit_options(statistics))
    location, log_scale = pooled_people(people, statistics).mean
    level = np.linspace(0, 1, 201)
    typical = np.array([[location, log_scale, 0.0, 0.0]])
    expected = both_tails(typical, level, statistics.sigmoid)[0][0]
    exact = {"sigmoid": statistics.sigmoid, "guess": 0.0, "lapse": 0.0, "penalty": 0.0}
    return fit_psychometric(level, 1000 * expected, np.full(201, 1000.0), **exact)
