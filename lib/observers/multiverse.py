"""What the analyst's choices do to the comparison of people and networks (Steegen et al. 2016)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
from scipy import stats

from lib.observers.decision_noise import decided
from lib.observers.decisions import FITTED, RULES, log_odds_of
from lib.observers.networks import crossing, mean_crossing, pictures_of, slope_at
from lib.observers.population import flatter_together
from lib.observers.tables import WHO, fit_people, people_counts
from lib.settings.options import Bounds, Statistics
from lib.statistics.intervals import mean_interval

# column -> the choices; the first of each is the workbook's own, but for the decision rule
CHOICES = {
    "decision": RULES,
    "crossing": ("each identity", "mean picture"),
    "levels": ("all", "half"),
    "sigmoid": ("norm", "logistic"),
    "gaps": ("0 to .05", "none"),
}
GAPS = {"0 to .05": Bounds(), "none": Bounds((0.0, 0.0), (0.0, 0.0))}
GROUP = ["architecture", "pretraining"]
Scores = Callable[[pd.DataFrame], pd.DataFrame]


def multiverse(
    trials: pd.DataFrame, statistics: Statistics, scores: Scores | None = None
) -> pd.DataFrame:
    """Every combination of ``CHOICES``, full faces; one row each, network and metric.

    Parameters
    ----------
    scores : from a decided trial table (``decided``) to rows of architecture, pretraining, metric,
        value, low, high: further metrics, which depend on the decision rule alone.

    Returns
    -------
    the columns of ``CHOICES``, architecture, pretraining, metric, value, low, high. Metrics:
    ``pse_difference`` (networks' mean less people's, in levels) and ``slope_ratio`` (geometric
    means, networks over people; under the fitted rules over people together, as
    ``flatter_together`` says), with Welch's intervals of seeds against people; and those of
    ``scores``, whose other columns of choices are empty.
    """
    trials = trials[trials["condition"] == "full"]
    people = {key: _people(trials, statistics, *key) for key in _combinations(PEOPLE)}
    tables = {rule: decided(trials, statistics, rule=rule) for rule in RULES}
    networks = {
        key: _networks(tables[key[0]], *key[1:])
        for key in _combinations(("decision", "crossing", "levels"))
    }
    rows = []
    for key in _combinations(tuple(CHOICES)):
        choice = dict(zip(CHOICES, key, strict=True))
        theirs = people[tuple(choice[name] for name in PEOPLE)]
        ours = networks[choice["decision"], choice["crossing"], choice["levels"]]
        if choice["decision"] in FITTED:
            theirs = theirs.assign(slope=theirs["slope"] * theirs["together"])
        rows += [choice | row for row in _compared(ours, theirs, statistics.confidence)]
    table = pd.DataFrame(rows)
    if scores is None:
        return table
    more = [scores(tables[rule]).assign(decision=rule) for rule in RULES]
    columns = [*GROUP, "metric", "value", "low", "high", "decision"]
    return pd.concat([table, *(part[columns] for part in more)], ignore_index=True)


PEOPLE = ("levels", "sigmoid", "gaps")


def _combinations(names: tuple[str, ...]) -> list[tuple]:
    return list(product(*(CHOICES[name] for name in names)))


def half_of_levels(levels: np.ndarray) -> np.ndarray:
    """Every other level, the first and the last among them."""
    count = (len(levels) + 1) // 2
    return levels[np.round(np.linspace(0, len(levels) - 1, max(count, 2))).astype(int)]


def _people(
    trials: pd.DataFrame, statistics: Statistics, levels: str, sigmoid: str, gaps: str
) -> pd.DataFrame:
    """pse and slope of each person under these choices, and how much flatter they are together.
    Someone who saw few levels keeps them.
    """
    rows = trials[trials["kind"] != "cnn"]
    own = np.sort(trials.loc[trials["kind"] == "cnn", "level"].unique())
    seen = rows.groupby("observer")["level"].nunique()
    if levels == "half" and len(seen) and seen.min() > len(own) // 2:
        rows = rows[rows["level"].isin(half_of_levels(own))]
    choice = replace(statistics, sigmoid=sigmoid, people=GAPS[gaps])
    counts = people_counts(rows)
    _, fit = fit_people(counts, choice)
    together = flatter_together(fit, counts)
    return pd.DataFrame({"pse": fit.pse, "slope": fit.slope, "together": together})


def _networks(trials: pd.DataFrame, how: str, levels: str) -> pd.DataFrame:
    """architecture, pretraining, pse and slope of each network under these choices."""
    rows = trials[trials["kind"] == "cnn"]
    if levels == "half":
        rows = rows[rows["level"].isin(half_of_levels(np.sort(rows["level"].unique())))]
    rows = rows.assign(z=log_odds_of(rows) + rows["shift"])
    out = []
    for key, some in rows.groupby(WHO, dropna=False, sort=False):
        pictures = pictures_of(some)
        each = how == "each identity"
        pse = mean_crossing(pictures) if each else crossing(pictures.level, pictures.z)[0]
        out.append([*key, pse, slope_at(pictures, pse)])
    return pd.DataFrame(out, columns=[*WHO, "pse", "slope"])


def _compared(networks: pd.DataFrame, people: pd.DataFrame, confidence: float) -> list[dict]:
    rows = []
    for (architecture, pretraining), seeds in networks.groupby(GROUP, sort=False):
        who = {"architecture": architecture, "pretraining": pretraining}
        gap = _welch(seeds["pse"], people["pse"], confidence)
        ratio = np.exp(_welch(_log(seeds["slope"]), _log(people["slope"]), confidence))
        for metric, found in (("pse_difference", gap), ("slope_ratio", ratio)):
            named = dict(zip(("value", "low", "high"), found, strict=True))
            rows.append(who | {"metric": metric} | named)
    return rows


def _log(slopes: pd.Series) -> pd.Series:
    return np.log(slopes.where(slopes > 0))


def _welch(a: pd.Series, b: pd.Series, confidence: float) -> np.ndarray:
    """Difference of two means and Welch's interval, NaN for fewer than two values of either."""
    a = a[np.isfinite(a)]
    b = b[np.isfinite(b)]
    value = mean_interval(a)[0] - mean_interval(b)[0]
    if min(len(a), len(b)) < 2:
        return np.array([value, np.nan, np.nan])
    errors = [x.var(ddof=1) / len(x) for x in (a, b)]
    parts = sum(e**2 / (len(x) - 1) for e, x in zip(errors, (a, b), strict=True))
    df = sum(errors) ** 2 / parts if parts else 1.0
    half = stats.t.ppf(0.5 + confidence / 2, df) * np.sqrt(sum(errors))
    return np.array([value, value - half, value + half])
