"""The decision noise under which people's choices are likeliest, and P(positive) of every trial.

Where people saw a network's own pictures, each choice is judged by its picture's log-odds z.
Otherwise by level and condition: the mean P over the network's pictures at the nearest level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize
from scipy.special import log_ndtr

from lib.observers.decisions import FITTED, Noise, halves, log_odds_of, probability
from lib.settings.options import Statistics

SIGMAS = np.geomspace(1e-3, 1e3, 31)  # first looked at, in units of the log-odds' spread
SHIFTS = np.linspace(-4, 4, 17)
P_POSITIVE = "p_positive"  # the column that ``decided`` adds


@dataclass(frozen=True)
class Choices:
    """People's choices beside a network's log-odds.

    positive, n (I,): positive answers and answers to each item (a picture, or a level and
    condition). z (M,): log-odds of the pictures that stand for the items, sorted by item; first
    (I,): where each item's begin; count (I,): how many they are.
    """

    positive: np.ndarray
    n: np.ndarray
    z: np.ndarray
    first: np.ndarray
    count: np.ndarray


def same_pictures(people: pd.DataFrame, network: pd.DataFrame) -> bool:
    """Whether every picture that people answered was answered by the network too."""
    seen = people.loc[people["response"].notna(), "stimulus"].fillna("").astype(str).unique()
    return bool(len(seen)) and set(seen) - {""} <= set(network["stimulus"]) and "" not in seen


def fit_noise(people: pd.DataFrame, network: pd.DataFrame, rule: str = "noisy") -> Noise:
    """The noise of ``rule`` under which these people's choices are likeliest.

    Parameters
    ----------
    people : their trials (the half to fit on). network : one network's trials. Conditions that
        only one of them saw are left out.
    rule : noisy fits sigma alone, noisy_shifted sigma and shift; the others have none to fit.

    Returns
    -------
    Noise; of people without answers, or for a network that answers all alike, the softmax's.
    """
    choices = gather(people, network)
    if rule not in FITTED or choices is None or not np.ptp(choices.z):
        return Noise()
    unit = float(choices.z.std())
    shifts = SHIFTS * unit if rule == "noisy_shifted" else np.zeros(1)
    tried = [(loss(choices, s * unit, b), np.log(s * unit), b) for s in SIGMAS for b in shifts]
    _, start, shift = min(tried)
    if rule == "noisy":
        return Noise(float(np.exp(_refine_sigma(choices, start))))
    found = optimize.minimize(
        lambda x: loss(choices, np.exp(x[0]), x[1] * unit),
        [start, shift / unit],
        method="Nelder-Mead",
        options={"xatol": 1e-5, "fatol": 1e-9, "maxiter": 2000},
    )
    return Noise(float(np.exp(found.x[0])), float(found.x[1] * unit))


def _refine_sigma(choices: Choices, start: float) -> float:
    step = np.log(SIGMAS[1] / SIGMAS[0])
    found = optimize.minimize_scalar(
        lambda x: loss(choices, np.exp(x), 0.0),
        bounds=(start - step, start + step),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return found.x


def loss(choices: Choices, sigma: float, shift: float) -> float:
    """Minus the log likelihood of people's choices under noise of SD sigma."""
    moved = (choices.z + shift) / sigma
    yes = log_ndtr(moved)
    no = log_ndtr(-moved)
    if len(choices.z) > len(choices.n):  # several pictures stand for one level
        yes, no = (_log_mean(x, choices) for x in (yes, no))
    return -float(choices.positive @ yes + (choices.n - choices.positive) @ no)


def _log_mean(log_p: np.ndarray, choices: Choices) -> np.ndarray:
    """Log of the mean P over each item's pictures, (I,), without under- or overflow."""
    top = np.maximum.reduceat(log_p, choices.first)
    away = np.exp(log_p - np.repeat(top, choices.count))
    return top + np.log(np.add.reduceat(away, choices.first) / choices.count)


def gather(people: pd.DataFrame, network: pd.DataFrame) -> Choices | None:
    """People's choices beside the network's log-odds; None where no condition is shared."""
    shown = set(network["condition"]) & set(people["condition"])
    people = people[people["response"].notna() & people["condition"].isin(shown)]
    network = network.assign(z=log_odds_of(network))[network["condition"].isin(shown)]
    network = network[np.isfinite(network["z"])]
    if people.empty or network.empty:
        return None
    if same_pictures(people, network):
        keys = ["stimulus"]
        pictures = network.groupby("stimulus", as_index=False)["z"].mean()
    else:
        keys = ["condition", "level"]
        people = people.assign(level=_nearest(people, network))
        pictures = network[["condition", "level", "z"]]
    answers = people.groupby(keys)["response"].agg(["sum", "count"]).reset_index()
    both = answers.merge(pictures, on=keys).sort_values(keys, kind="stable")
    item = both.groupby(keys, sort=False).ngroup().to_numpy()
    first = np.flatnonzero(np.diff(item, prepend=-1))
    return Choices(
        both["sum"].to_numpy(float)[first],
        both["count"].to_numpy(float)[first],
        both["z"].to_numpy(float),
        first,
        np.diff(np.append(first, len(item))),
    )


def _nearest(people: pd.DataFrame, network: pd.DataFrame) -> pd.Series:
    """The network's level nearest to each of people's trials, in the same condition."""
    out = pd.Series(np.nan, people.index)
    for condition, rows in people.groupby("condition"):
        levels = np.sort(network.loc[network["condition"] == condition, "level"].unique())
        away = np.abs(rows["level"].to_numpy(float)[:, None] - levels)
        out[rows.index] = levels[away.argmin(1)]
    return out


def noises(
    trials: pd.DataFrame, statistics: Statistics, *, rule: str | None = None, seed: int = 0
) -> dict[str, Noise]:
    """Each network's decision noise, {observer: Noise}, fitted on the first of people's
    ``halves``; ``statistics.decision_noise`` where the study gives it.
    """
    rule = rule or statistics.decision
    machines = trials[trials["kind"] == "cnn"]
    given = statistics.decision_noise
    if given is not None and rule == "noisy":
        return dict.fromkeys(machines["observer"].unique(), Noise(given))
    fitted_on = halves(trials[trials["kind"] != "cnn"], seed)[0]
    return {
        observer: fit_noise(fitted_on, rows, rule)
        for observer, rows in machines.groupby("observer", sort=False)
    }


def decided(
    trials: pd.DataFrame, statistics: Statistics, *, rule: str | None = None, seed: int = 0
) -> pd.DataFrame:
    """The trials with ``p_positive``, P(positive) of networks' rows under the decision rule (NaN
    for people), and their ``sigma`` and ``shift``.

    Parameters
    ----------
    trials : people and networks. rule : None takes ``statistics.decision``. seed : of the halving.
    """
    rule = rule or statistics.decision
    found = noises(trials, statistics, rule=rule, seed=seed)
    z = log_odds_of(trials)
    out = trials.assign(**{P_POSITIVE: np.nan, "sigma": np.nan, "shift": np.nan})
    for observer, noise in found.items():
        rows = (trials["observer"] == observer).to_numpy()
        out.loc[rows, P_POSITIVE] = probability(z[rows], rule, noise)
        out.loc[rows, ["sigma", "shift"]] = noise.sigma, noise.shift
    return out
