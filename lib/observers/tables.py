"""From the trial table to the table ``psychometrics``: people by binomial fits, networks by their
log-odds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.observers.decision_noise import P_POSITIVE, decided
from lib.observers.decisions import LIKE_SOFTMAX, log_odds_of
from lib.observers.networks import network_row, rising
from lib.observers.sensitivity import of_choices
from lib.psychometrics.fitting import PsychometricFit, fit_psychometric
from lib.psychometrics.sigmoids import both_tails
from lib.settings.options import Statistics

WHO = ["observer", "kind", "architecture", "pretraining", "seed"]
ENDS = ("", "_low", "_high")
FIRST = [
    *(f"{name}{end}" for name in ("pse", "slope") for end in ENDS),
    "jnd",
    *(f"{name}{end}" for name in ("sensitivity", "auc", "criterion") for end in ENDS),
    "choice_sensitivity",
    "reason",
    "n_trials",
    "n_identities",
    "n_crossing",
    "misfit",
    "fit_p",
    "sigma",
    "shift",
]
FITTED = ["guess", "lapse", "location", "scale", "deviance", "converged"]
MIDDLE = 0.5


def fit_table(
    trials: pd.DataFrame,
    statistics: Statistics,
    rng: np.random.Generator | None = None,
    by: Sequence[str] = ("condition",),
    *,
    poles: tuple[str, str] = ("sad", "happy"),
) -> pd.DataFrame:
    """Table ``psychometrics``: one row per observer and cell of ``by``.

    People's answers are fitted by binomial likelihood (``fit_psychometric``). Networks have no
    sampling noise: their PSE is where log-odds cross 0, their slope that of the mean P under the
    decision rule, with intervals over morph identities (``lib.observers.networks``).

    Parameters
    ----------
    trials : the trial table, or one that ``decided`` went over already. Without people in it
        networks are as noisy as their softmax.
    rng : with it people have intervals (parametric bootstrap, ``statistics.n_boot`` samples) and
        fit_p, the p of the deviance by simulation: small where the function within its bounds
        cannot hold the data, NaN with four levels or fewer, where nothing is left to test.
    poles : the words for the ends of the morph, for the reasons.

    Returns
    -------
    WHO, ``by``, and the columns of ``FIRST`` and ``FITTED`` (those of curves are empty for
    networks). ``choice_sensitivity`` is d' of choices at the levels that people saw, by one formula
    for people and networks. ``misfit`` is the root mean squared distance of shares from the curve.
    """
    if P_POSITIVE not in trials:
        trials = decided(trials, statistics)
    machine = trials["kind"] == "cnn"
    seen = people_counts(trials[~machine], by)
    parts = []
    if len(seen):
        parts.append(_people(seen, statistics, rng, by))
    if machine.any():
        parts.append(_networks(trials[machine], seen, statistics, by, poles))
    table = pd.concat(parts, ignore_index=True)
    return table.reindex(columns=[*WHO, *by, *FIRST, *FITTED])


def people_counts(people: pd.DataFrame, by: Sequence[str] = ("condition",)) -> pd.DataFrame:
    """Positive answers and answered trials of each person, cell of ``by``, and level.

    Returns
    -------
    WHO, ``by``, level, n_happy, n
    """
    answered = people.dropna(subset=["response"])
    grouped = answered.groupby([*WHO, *by, "level"], dropna=False, sort=False)["response"]
    return grouped.agg(n_happy="sum", n="count").reset_index().astype({"n_happy": float})


def wide_counts(
    counts: pd.DataFrame, index: Sequence[str]
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]:
    """Counts laid out for a fit: who (rows), levels (L,), n_happy and n (rows, L), 0 where a level
    was not shown.
    """
    wide = counts.pivot_table(
        index=list(index),
        columns="level",
        values=["n_happy", "n"],
        aggfunc="sum",
        sort=False,
        dropna=False,
    ).dropna(how="all")
    levels = np.sort(counts["level"].unique())
    happy, n = (
        wide[name].reindex(columns=levels).fillna(0).to_numpy() for name in ("n_happy", "n")
    )
    return wide.index.to_frame(index=False), levels, happy, n.astype(float)


def fit_people(
    counts: pd.DataFrame, statistics: Statistics, by: Sequence[str] = ("condition",)
) -> tuple[pd.DataFrame, PsychometricFit]:
    """Everybody's fits in one batch: who they are, one row a fit, and the fits."""
    who, levels, happy, n = wide_counts(counts, [*WHO, *by])
    return who, fit_psychometric(levels, happy, n, **fit_options(statistics))


def fit_options(statistics: Statistics) -> dict:
    """How the study fits people, as arguments of ``fit_psychometric`` and ``fit_group``."""
    return {
        "sigmoid": statistics.sigmoid,
        "guess": statistics.people.guess,
        "lapse": statistics.people.lapse,
        "penalty": statistics.penalty,
    }


def _people(
    counts: pd.DataFrame,
    statistics: Statistics,
    rng: np.random.Generator | None,
    by: Sequence[str],
) -> pd.DataFrame:
    who, fit = fit_people(counts, statistics, by)
    names = ("pse", "slope", "jnd", "reason", *FITTED)
    signal = of_choices(fit.level, fit.n_happy, fit.n, statistics.confidence)
    table = who.assign(
        **signal,
        **{name: getattr(fit, name) for name in names},
        choice_sensitivity=signal["sensitivity"],
        n_trials=fit.n.sum(-1),
        misfit=_misfit(fit),
    )
    unit = LIKE_SOFTMAX if statistics.sigmoid == "logistic" else 1.0
    drawn = ((MIDDLE - fit.location) / fit.scale / unit, np.isfinite(fit.location))
    table["criterion"] = np.where(drawn[1], drawn[0], table["criterion"])
    table.loc[drawn[1], ["criterion_low", "criterion_high"]] = np.nan
    if rng is None:
        return table
    ends = fit.bootstrap(statistics.n_boot, rng, confidence=statistics.confidence)
    for name in ("pse", "slope"):
        table[f"{name}_low"], table[f"{name}_high"] = ends[name]
    return table.assign(fit_p=fit.goodness_of_fit(min(statistics.n_boot, 200), rng))


def _misfit(fit: PsychometricFit) -> np.ndarray:
    """Root mean squared distance of the observed shares from the curve, over levels shown."""
    shown = fit.n > 0
    share = np.divide(fit.n_happy, fit.n, out=np.zeros_like(fit.n), where=shown)
    squares = np.where(shown, (share - fit.curve(fit.level)) ** 2, 0.0)
    return np.sqrt(squares.sum(-1) / np.maximum(shown.sum(-1), 1))


def _networks(
    trials: pd.DataFrame,
    seen: pd.DataFrame,
    statistics: Statistics,
    by: Sequence[str],
    poles: tuple[str, str],
) -> pd.DataFrame:
    trials = trials.assign(z=log_odds_of(trials) + trials["shift"])
    trials = trials[np.isfinite(trials["z"])]
    typical = typical_trials(seen, by)
    rows = []
    for key, some in trials.groupby([*WHO, *by], dropna=False, sort=False):
        cell = dict(zip([*WHO, *by], key, strict=True))
        asked = typical.get(tuple(key[len(WHO) :]))
        rows.append(
            cell
            | network_row(some, statistics.confidence, poles)
            | {
                "choice_sensitivity": choice_sensitivity(some, asked),
                "sigma": some["sigma"].iloc[0],
                "shift": some["shift"].iloc[0],
                "converged": True,
            }
        )
    return pd.DataFrame(rows)


def typical_trials(counts: pd.DataFrame, by: Sequence[str]) -> dict[tuple, pd.Series]:
    """How often a person answered each level, on average, in each cell of ``by``: {cell: trials by
    level}.
    """
    if counts.empty:
        return {}
    n_people = counts["observer"].nunique()
    means = counts.groupby([*by, "level"])["n"].sum() / n_people
    return {
        cell if isinstance(cell, tuple) else (cell,): some.droplevel(list(range(len(by))))
        for cell, some in means.groupby(level=list(range(len(by))))
    }


def choice_sensitivity(rows: pd.DataFrame, asked: pd.Series | None) -> float:
    """d' that a network's choices would have if it were asked as people are: ``asked`` trials at
    each of people's levels (None: once a picture); between its levels P is interpolated.
    """
    levels, share, _ = rising(rows["level"], rows["p_positive"])
    if asked is None:
        asked = rows.groupby("level").size().astype(float)
    at = asked.index.to_numpy(float)
    n = asked.to_numpy(float)
    return float(of_choices(at, np.interp(at, levels, share) * n, n)["sensitivity"])


def level_shares(trials: pd.DataFrame, statistics: Statistics) -> pd.DataFrame:
    """The points of every curve: share of positive answers at each level.

    People's are counted; a network's are its mean P under the decision rule.

    Returns
    -------
    WHO, condition, level, share, n (answers, or pictures), curve (of networks: the rising curve
    through the points; empty for people)
    """
    trials = trials if P_POSITIVE in trials else decided(trials, statistics)
    answer = np.where(trials["kind"] == "cnn", trials[P_POSITIVE], trials["response"])
    table = trials.assign(answer=answer.astype(float)).dropna(subset=["answer"])
    keys = [*WHO, "condition"]
    points = table.groupby([*keys, "level"], dropna=False, sort=False)["answer"]
    out = points.agg(share="mean", n="count").reset_index().sort_values([*keys, "level"])
    curves = np.full(len(out), np.nan)
    place = out.reset_index(drop=True)
    for _, some in place[place["kind"] == "cnn"].groupby(keys, dropna=False, sort=False):
        curves[some.index] = rising(np.repeat(some["level"], 1), some["share"])[2]
    return place.assign(curve=curves)


def curves_of(table: pd.DataFrame, x: np.ndarray, sigmoid: str = "norm") -> np.ndarray:
    """Fitted psi at levels x (M,) for every row of a psychometrics table, (rows, M); NaN where
    there is no fit, as for networks.
    """
    fitted = table[["location", "scale", "guess", "lapse"]].to_numpy(float)
    parameters = np.column_stack([fitted[:, 0], np.log(fitted[:, 1]), fitted[:, 2:]])
    return both_tails(parameters, np.asarray(x, float), sigmoid)[0]


def shifts(table: pd.DataFrame) -> pd.DataFrame:
    """What hiding each part does, per observer: pse_shift (part hidden less full), slope_change
    (log ratio) and sensitivity_loss (d' of choices, of the full face less with the part hidden).
    """
    full = table[table["condition"] == "full"].set_index("observer")
    masked = table[table["condition"] != "full"]
    before = full.reindex(masked["observer"]).reset_index()
    after = masked.reset_index(drop=True)
    return after[[*WHO, "condition"]].assign(
        pse_shift=after["pse"] - before["pse"],
        slope_change=np.log(after["slope"] / before["slope"]),
        sensitivity_loss=before["choice_sensitivity"] - after["choice_sensitivity"],
    )
