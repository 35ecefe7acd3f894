"""From the trial table to the table ``psychometrics``, and what the analyst's choices do to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
from scipy import stats

from lib.psychometrics.decisions import RULES, expected
from lib.psychometrics.fitting import GroupFit, fit_group, fit_psychometric
from lib.psychometrics.likelihood import both_tails
from lib.settings.options import Bounds, Statistics
from lib.statistics.intervals import mean_interval

WHO = ["observer", "kind", "architecture", "pretraining", "seed"]
NUMBERS = [
    "pse",
    "slope",
    "jnd",
    "guess",
    "lapse",
    "deviance",
    "converged",
    "reason",
    "location",
    "scale",
]


def counts(
    trials: pd.DataFrame, statistics: Statistics, by: Sequence[str] = ("condition",)
) -> pd.DataFrame:
    """Happy answers and answered trials for each observer, cell of ``by``, and level.

    People's answers are counted; a network's probabilities, passed through the decision rule
    without its sampling noise, are summed, so that its counts may be fractions.

    Returns
    -------
    observer, kind, architecture, pretraining, seed, ``by``, level, n_happy, n
    """
    chance = expected(trials["p_happy"].to_numpy(float), statistics.decision, statistics.noise)
    answers = trials.assign(
        answer=np.where(trials["kind"] == "cnn", chance, trials["response"].astype(float))
    )
    answers = answers.dropna(subset=["answer"])
    keys = [*WHO, *by, "level"]
    table = answers.groupby(keys, dropna=False, sort=False)["answer"].agg(n_happy="sum", n="count")
    return table.reset_index().astype({"n": float})


def fit_trials(
    trials: pd.DataFrame, statistics: Statistics, by: Sequence[str] = ("condition",)
) -> list[tuple]:
    """Batched fits: (who frame, PsychometricFit) for people and for networks, each with its own
    bounds.
    """
    table, fits = counts(trials, statistics, by), []
    for is_network, part in table.groupby(table["kind"] == "cnn"):
        bounds = statistics.networks if is_network else statistics.people
        wide = part.pivot_table(
            index=[*WHO, *by],
            columns="level",
            values=["n_happy", "n"],
            aggfunc="sum",
            sort=False,
            dropna=False,
        ).dropna(how="all")
        levels = np.sort(part["level"].unique())
        happy, n = (
            wide[name].reindex(columns=levels).fillna(0).to_numpy() for name in ("n_happy", "n")
        )
        fits.append(
            (
                wide.index.to_frame(index=False),
                fit_psychometric(
                    levels,
                    happy,
                    n,
                    sigmoid=statistics.sigmoid,
                    guess=bounds.guess,
                    lapse=bounds.lapse,
                    penalty=statistics.penalty,
                    overdispersion=statistics.overdispersion and not is_network,
                ),
            )
        )
    return fits


def fit_table(
    trials: pd.DataFrame,
    statistics: Statistics,
    rng: np.random.Generator | None = None,
    by: Sequence[str] = ("condition",),
) -> pd.DataFrame:
    """Table ``psychometrics``: one row per observer and cell of ``by``.

    With ``rng`` also pse_low, pse_high, slope_low, slope_high (parametric bootstrap,
    ``statistics.n_boot`` samples) and fit_p (goodness of fit by simulation: small where the
    function within its bounds cannot hold the data).
    """
    parts = []
    for who, fit in fit_trials(trials, statistics, by):
        part = who.assign(**{name: getattr(fit, name) for name in NUMBERS}, n_trials=fit.n.sum(-1))
        if rng is not None:
            ends = fit.bootstrap(statistics.n_boot, rng, confidence=statistics.confidence)
            part = part.assign(
                pse_low=ends["pse"][0],
                pse_high=ends["pse"][1],
                slope_low=ends["slope"][0],
                slope_high=ends["slope"][1],
                fit_p=fit.goodness_of_fit(min(statistics.n_boot, 200), rng),
            )
        parts.append(part)
    first = [
        "observer",
        "kind",
        "architecture",
        "pretraining",
        "seed",
        *by,
        "pse",
        "pse_low",
        "pse_high",
    ]
    table = pd.concat(parts, ignore_index=True)
    return table[[c for c in first if c in table] + [c for c in table if c not in first]]


def people_summary(fits: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Mean and spread over people, each with an interval.

    Parameters
    ----------
    fits : one row a person, with pse, slope and jnd; people without a value are left out and not
        counted.

    Returns
    -------
    quantity (pse, slope, jnd), mean, low, high (Student's t over people), sd, sd_low, sd_high
    (chi-square, for normal values), n. Slope and JND are ratios: their mean is the geometric one,
    and their sd that of the natural log.
    """
    rows = []
    for quantity in ("pse", "slope", "jnd"):
        values = fits[quantity].dropna().to_numpy(float)
        ratio = quantity != "pse"
        values, n = np.log(values) if ratio else values, len(values)
        mean = np.array(mean_interval(values, confidence))
        sd = values.std(ddof=1) if n > 1 else np.nan
        ends = sd * np.sqrt(
            (n - 1) / stats.chi2.ppf([0.5 + confidence / 2, 0.5 - confidence / 2], max(n - 1, 1))
        )
        rows.append([quantity, *(np.exp(mean) if ratio else mean), sd, *ends, n])
    return pd.DataFrame(
        rows, columns=["quantity", "mean", "low", "high", "sd", "sd_low", "sd_high", "n"]
    )


def pooled_people(people: pd.DataFrame, statistics: Statistics) -> GroupFit:
    """People's curves on whole faces, each drawn towards the group the more the fewer answers it
    has.

    Raises
    ------
    ValueError : fewer than three people whose own answers rise with level.
    """
    table = counts(people[people["condition"] == "full"], statistics)
    wide = table.pivot_table(
        index="observer", columns="level", values=["n_happy", "n"], aggfunc="sum", sort=False
    )
    levels = np.sort(table["level"].unique())
    happy, n = (
        wide[name].reindex(columns=levels).fillna(0).to_numpy() for name in ("n_happy", "n")
    )
    return fit_group(
        levels,
        happy,
        n,
        sigmoid=statistics.sigmoid,
        guess=statistics.people.guess,
        lapse=statistics.people.lapse,
        penalty=statistics.penalty,
    )


def curves_of(table: pd.DataFrame, x: np.ndarray, sigmoid: str = "norm") -> np.ndarray:
    """psi at levels x (M,) for every row of a psychometrics table, (rows, M); NaN where there
    is no fit.
    """
    parameters = np.column_stack(
        [table["location"], np.log(table["scale"]), table["guess"], table["lapse"]]
    )
    return both_tails(parameters, np.asarray(x, float), sigmoid)[0]


def shared_levels(levels: np.ndarray, n: int) -> np.ndarray:
    """``n`` of the levels, evenly spaced; all of them where there are no more."""
    return (
        levels
        if len(levels) <= n
        else levels[np.round(np.linspace(0, len(levels) - 1, n)).astype(int)]
    )


def multiverse(trials: pd.DataFrame, statistics: Statistics) -> pd.DataFrame:
    """Every combination of unstated choices: levels, bounds, decision rule, normalisation, sigmoid.

    Returns
    -------
    levels, bounds, decision, normalisation, sigmoid, architecture, pretraining, pse_difference
    (networks' mean less people's mean), low, high (Welch's t, people against seeds; NaN for fewer
    than two seeds with a PSE), slope_ratio (networks' mean over people's median), seeds_without_pse
    """
    trials = trials[trials["condition"] == "full"]
    own = np.sort(trials.loc[trials["kind"] == "cnn", "level"].unique())
    wide, rows = {"as people": statistics.people, "wide": Bounds((0.0, 0.5), (0.0, 0.5))}, []
    for n_levels in dict.fromkeys((len(own), min(9, len(own)))):
        kept = trials[
            (trials["kind"] != "cnn") | trials["level"].isin(shared_levels(own, n_levels))
        ]
        for (how, given), (name, bounds), rule, sigmoid in product(
            {"none": kept, "0 to 1": normalised(kept)}.items(),
            wide.items(),
            RULES,
            ("norm", "logistic"),
        ):
            choice = replace(statistics, networks=bounds, decision=rule, sigmoid=sigmoid)
            rows += [
                {
                    "levels": n_levels,
                    "bounds": name,
                    "decision": rule,
                    "normalisation": how,
                    "sigmoid": sigmoid,
                }
                | row
                for row in _differences(fit_table(given, choice), statistics.confidence)
            ]
    return pd.DataFrame(rows)


def normalised(trials: pd.DataFrame) -> pd.DataFrame:
    """Networks' p_happy stretched so that its mean runs from 0 at the lowest level to 1 at the
    highest.

    Values beyond are cut to 0 or 1; a network that does not rise between the two is left as it is.
    """
    machines = trials[trials["kind"] == "cnn"]
    means = machines.pivot_table(index="observer", columns="level", values="p_happy")
    low, span = means.iloc[:, 0], means.iloc[:, -1] - means.iloc[:, 0]
    who = machines["observer"]
    stretched = ((machines["p_happy"] - who.map(low)) / who.map(span)).clip(0, 1)
    return trials.assign(
        p_happy=stretched.where(who.map(span) > 0, machines["p_happy"]).reindex(trials.index)
    )


def _differences(table: pd.DataFrame, confidence: float) -> list[dict]:
    people, networks = table[table["kind"] != "cnn"], table[table["kind"] == "cnn"]
    return [
        {
            "architecture": architecture,
            "pretraining": pretraining,
            "pse_difference": seeds["pse"].mean() - people["pse"].mean(),
            **dict(
                zip(("low", "high"), _welch(seeds["pse"], people["pse"], confidence), strict=True)
            ),
            "slope_ratio": seeds["slope"].mean() / people["slope"].median(),
            "seeds_without_pse": int(seeds["pse"].isna().sum()),
        }
        for (architecture, pretraining), seeds in networks.groupby(
            ["architecture", "pretraining"], sort=False
        )
    ]


def _welch(a: pd.Series, b: pd.Series, confidence: float) -> tuple[float, float]:
    """Interval of the difference of two means; NaN for fewer than two values of either."""
    a, b = a.dropna(), b.dropna()
    if min(len(a), len(b)) < 2:
        return np.nan, np.nan
    return tuple(stats.ttest_ind(a, b, equal_var=False).confidence_interval(confidence))


def decision_effects(trials: pd.DataFrame, statistics: Statistics) -> pd.DataFrame:
    """PSE and slope of every network under each decision rule, full faces: observer ...,
    decision, pse, slope.
    """
    networks = trials[(trials["kind"] == "cnn") & (trials["condition"] == "full")]
    return pd.concat(
        [
            fit_table(networks, replace(statistics, decision=rule)).assign(decision=rule)
            for rule in RULES
        ],
        ignore_index=True,
    )


def shifts(table: pd.DataFrame) -> pd.DataFrame:
    """What hiding each part does: pse_shift (part hidden less full) and slope_change (log
    ratio), per observer.
    """
    keys = ["observer", "kind", "architecture", "pretraining", "seed"]
    full = table[table["condition"] == "full"].set_index("observer")
    masked = table[table["condition"] != "full"]
    before = full.loc[masked["observer"]]
    return (
        masked[[*keys, "condition"]]
        .assign(
            pse_shift=masked["pse"].to_numpy() - before["pse"].to_numpy(),
            slope_change=np.log(masked["slope"].to_numpy() / before["slope"].to_numpy()),
        )
        .reset_index(drop=True)
    )
