"""Tests that take a tidy frame and give one: every row has a statistic, df, p, effect size,
interval and n.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pingouin
from numpy.typing import ArrayLike
from scipy import integrate, stats
from statsmodels.stats.multitest import multipletests

from lib.statistics.anova import complete_cases, rm_anova
from lib.statistics.mixed import mixed_logistic

__all__ = [
    "adjust",
    "compare_curves",
    "compare_to_observers",
    "complete_cases",
    "equivalence",
    "mixed_logistic",
    "report",
    "rm_anova",
    "simple_effects",
]

CORRECTIONS = {"holm": "holm", "fdr": "fdr_bh"}
NAMES = {"holm": "Holm", "fdr": "FDR"}
COMPARED = [
    "n_observers",
    "n_seeds",
    "mean_people",
    "mean_networks",
    "test",
    "difference",
    "low",
    "high",
    "z",
    "t",
    "df",
    "p",
    "d",
    "bf10",
]
PAIRED = ["a", "b", "difference", "low", "high", "t", "df", "p", "dz", "n"]


def compare_to_observers(
    people: pd.DataFrame,
    networks: pd.DataFrame,
    dv: str,
    by: str | Sequence[str] = "architecture",
    *,
    confidence: float = 0.95,
    correction: str = "holm",
) -> pd.DataFrame:
    """Where each architecture lies among people: z of its mean, and a test of people against it.

    With two or more seeds the test is Welch's t of people against seeds, so that training runs
    count as a source of variance; a single network is a constant, and the test is the one-sample t.
    One that is left of several is neither, and is not tested.

    Parameters
    ----------
    people, networks : one row per observer, with column ``dv``; rows without a value are left out
        and not counted.
    by : the networks' grouping columns.

    Returns
    -------
    the grouping columns, test, n_observers, n_seeds, mean_people, mean_networks, difference
    (network less people), low, high, z, t, df, p, p_adjusted, correction, d (Cohen's, pooled SD),
    bf10 (``bayes_factor``); no rows where there are no networks

    Raises
    ------
    ValueError : a column that is missing, fewer than two people with a value, or people without
        variance.
    """
    values = _values(people, dv)
    keys = [by] if isinstance(by, str) else list(by)
    if networks.empty:
        return adjust(pd.DataFrame(columns=[*keys, *COMPARED]), method=correction)
    _need(networks, *keys, dv)
    rows = []
    for key, group in networks.groupby(keys, sort=False):
        seeds = group[dv].dropna().to_numpy(float)
        rows.append(
            dict(zip(keys, key, strict=True)) | _compare(values, seeds, len(group), confidence)
        )
    return adjust(pd.DataFrame(rows, columns=[*keys, *COMPARED]), method=correction)


def compare_curves(
    people: pd.DataFrame, networks: pd.DataFrame, by: Sequence[str], *, confidence: float = 0.95
) -> pd.DataFrame:
    """``compare_to_observers`` of PSE and slope, which column ``quantity`` names.

    One that fewer than two people have, or that is the same in all, is left out; no rows where both
    are.
    """
    found = {
        name: compare_to_observers(people, networks, name, by, confidence=confidence)
        for name in ("pse", "slope")
        if people[name].nunique() > 1
    }
    if not found:
        return pd.DataFrame(columns=["quantity", *by, *COMPARED, "p_adjusted", "correction"])
    return pd.concat(found, names=["quantity"]).reset_index(level=0)


def _need(frame: pd.DataFrame, *columns: str) -> None:
    for column in columns:
        if column not in frame:
            raise ValueError(
                f"column {column!r} is not in the table; there are: "
                f"{', '.join(map(str, frame.columns))}"
            )


def _values(frame: pd.DataFrame, dv: str) -> np.ndarray:
    _need(frame, dv)
    values = frame[dv].dropna().to_numpy(float)
    if len(values) < 2 or np.ptp(values) == 0:
        raise ValueError(
            f"{len(values)} people with a {dv} and a standard deviation of "
            f"{np.std(values) if len(values) else np.nan:g}; allowed: at "
            "least two people who differ"
        )
    return values


def _compare(people: np.ndarray, seeds: np.ndarray, n_trained: int, confidence: float) -> dict:
    """One architecture against people; NaN throughout where no seed has a value, or one of
    several trained.
    """
    row = {
        "n_observers": len(people),
        "n_seeds": len(seeds),
        "mean_people": people.mean(),
        "mean_networks": seeds.mean() if len(seeds) else np.nan,
    }
    if not len(seeds) or len(seeds) == 1 < n_trained:
        return (
            row
            | dict.fromkeys(("difference", "low", "high", "z", "t", "df", "p", "d", "bf10"), np.nan)
            | {"test": f"none: {len(seeds)} of {n_trained} seeds have a value"}
        )
    many = len(seeds) > 1
    test = (
        stats.ttest_ind(seeds, people, equal_var=False)
        if many
        else stats.ttest_1samp(people, seeds[0])
    )
    sign = 1.0 if many else -1.0  # difference is always network less people
    interval = test.confidence_interval(confidence)
    offset = 0.0 if many else seeds[0]
    ends = sorted([sign * (interval.low - offset), sign * (interval.high - offset)])
    difference = seeds.mean() - people.mean()
    pooled = np.sqrt(
        (
            (len(people) - 1) * people.var(ddof=1)
            + (len(seeds) - 1) * (seeds.var(ddof=1) if many else 0)
        )
        / (len(people) + len(seeds) - 2)
    )
    error = people.var(ddof=1) / len(people) + (seeds.var(ddof=1) / len(seeds) if many else 0)
    return row | {
        "test": "Welch t, people against seeds" if many else "one-sample t against one network",
        "difference": difference,
        "low": ends[0],
        "high": ends[1],
        "z": difference / people.std(ddof=1),
        "t": sign * test.statistic,
        "df": test.df,
        "p": test.pvalue,
        "d": difference / pooled,
        "bf10": bayes_factor(test.statistic, people.var(ddof=1) / error, test.df),
    }


def bayes_factor(t: float, n: float, df: float, width: float = 0.707) -> float:
    """JZS Bayes factor for an effect against none (Rouder et al. 2009, eq. 1), also for a t of
    Welch.

    ``n`` is the number of observations that one mean of them would need for the same standard
    error: with one network the people's number (and pingouin's factor), with seeds that vary fewer,
    as pingouin has it not. The effect is in people's standard deviations, Cauchy with scale
    ``width``.
    """

    def weighed(g: float) -> float:
        spread = 1 + n * g * width**2
        gain = 0.5 * (df + 1) * (np.log1p(t**2 / df) - np.log1p(t**2 / (spread * df)))
        return np.exp(gain - 0.5 / g) * (2 * np.pi * spread * g**3) ** -0.5

    return float(integrate.quad(weighed, 0, np.inf)[0])


def equivalence(
    x: ArrayLike,
    y: ArrayLike = 0.0,
    *,
    bound: float,
    paired: bool = False,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Two one-sided tests (TOST, Schuirmann 1987): is the difference within plus or minus
    ``bound``?

    Two samples are compared by Welch's t.

    Parameters
    ----------
    x : values (n,). y : values (m,), or one number to compare with. NaN is left out, of pairs with
        its partner.
    bound : smallest difference that matters, in units of x, above 0.

    Returns
    -------
    difference, low, high (of level 2 confidence - 1, as TOST has it), bound, t (of the test that is
    nearer to failing), df, p, d (Cohen's), equivalent, n (of x), correction (none, until ``adjust``
    makes one) — one row

    Raises
    ------
    ValueError : a bound that is not above 0, or fewer than two values of a sample.
    """
    if not bound > 0:
        raise ValueError(f"bound {bound} given; allowed: above 0")
    x, y = np.asarray(x, float), np.asarray(y, float)
    single = y.ndim == 0
    if paired:
        x, y = (x - y)[np.isfinite(x - y)], np.zeros(())
    x, y = x[np.isfinite(x)], y if single or paired else y[np.isfinite(y)]
    if len(x) < 2 or (y.ndim and len(y) < 2):
        raise ValueError(f"{len(x)} and {y.size} values given; allowed: two or more of each sample")

    def against_y(values, side="two-sided"):
        return (
            stats.ttest_ind(values, y, equal_var=False, alternative=side)
            if y.ndim
            else stats.ttest_1samp(values - y, 0, alternative=side)
        )

    test = max(
        against_y(x + bound, "greater"), against_y(x - bound, "less"), key=lambda t: t.pvalue
    )
    low, high = against_y(x).confidence_interval(2 * confidence - 1)
    return pd.DataFrame(
        [
            {
                "difference": x.mean() - y.mean(),
                "low": low,
                "high": high,
                "bound": bound,
                "t": test.statistic,
                "df": test.df,
                "p": test.pvalue,
                "d": pingouin.compute_effsize(x, y) if y.ndim else (x.mean() - y) / x.std(ddof=1),
                "equivalent": bool(test.pvalue < 1 - confidence),
                "n": len(x),
                "correction": "none",
            }
        ]
    )


def adjust(table: pd.DataFrame, p: str = "p", method: str = "holm") -> pd.DataFrame:
    """Add ``p_adjusted`` and ``correction``: ``holm`` (Holm 1979) or ``fdr`` (Benjamini &
    Hochberg 1995); NaN stays.
    """
    if method not in CORRECTIONS:
        raise ValueError(f"correction {method!r} given; allowed: {', '.join(CORRECTIONS)}")
    adjusted, there = np.full(len(table), np.nan), table[p].notna().to_numpy()
    if there.any():
        adjusted[there] = multipletests(table.loc[there, p], method=CORRECTIONS[method])[1]
    return table.assign(p_adjusted=adjusted, correction=method)


def simple_effects(
    data: pd.DataFrame,
    dv: str,
    subject: str,
    factor: str,
    at: str | None = None,
    *,
    reference: str | None = None,
    correction: str = "holm",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Paired differences between the levels of a factor, within each level of another one.

    Parameters
    ----------
    at : a second factor, or None. reference : compare all with this level alone; None compares
        every pair.

    Returns
    -------
    [at], a, b, difference (a less b), low, high, t, df, p, p_adjusted, correction, dz, n; no rows
    where no two levels have a value

    Raises
    ------
    ValueError : a reference that is no level of the factor.
    """
    known = list(data[factor].dropna().unique()) if len(data) else [reference]
    if reference is not None and reference not in known:
        raise ValueError(
            f"reference {reference!r} given; allowed: a level of {factor}: "
            f"{', '.join(map(str, known))}"
        )
    rows = []
    for place, part in data.groupby(at) if at else [(None, data)]:
        wide = part.pivot_table(index=subject, columns=factor, values=dv)
        levels = list(wide.columns)
        pairs = [(a, b) for i, a in enumerate(levels) for b in levels[i + 1 :]]
        if reference is not None:
            pairs = [(a, reference) for a in levels if a != reference and reference in levels]
        rows += [
            ({at: place} if at else {}) | {"a": a, "b": b} | _paired(wide[a] - wide[b], confidence)
            for a, b in pairs
        ]
    return adjust(pd.DataFrame(rows, columns=[*([at] if at else []), *PAIRED]), method=correction)


def _paired(difference: pd.Series, confidence: float) -> dict:
    values = difference.dropna().to_numpy()
    if len(values) < 2 or np.ptp(values) == 0:
        return {
            "difference": values.mean() if len(values) else np.nan,
            "n": len(values),
        } | dict.fromkeys(("low", "high", "t", "df", "p", "dz"), np.nan)
    test = stats.ttest_1samp(values, 0)
    low, high = test.confidence_interval(confidence)
    return {
        "difference": values.mean(),
        "low": low,
        "high": high,
        "t": test.statistic,
        "df": test.df,
        "p": test.pvalue,
        "dz": values.mean() / values.std(ddof=1),
        "n": len(values),
    }


def report(row: Mapping | pd.Series) -> str:
    """The sentence part for a result row, as a paper prints it: ``F(2, 16) = 5.31, p = .017, ηp² =
    .40``.

    Takes a row (Series or dict) of ``rm_anova``, ``compare_to_observers``, ``simple_effects``,
    ``equivalence``,
    ``mixed_logistic`` or ``human_likeness``; ValueError for a row with none of their statistics. An
    adjusted p is named as such.
    """
    row = dict(row)
    if "f" in row:
        corrected = row["eps_gg"] < 1 - 1e-9
        eps = row["eps_gg"] if corrected else 1
        text = (
            f"F({_df(row['df1'] * eps)}, {_df(row['df2'] * eps)}) = {row['f']:.2f}, "
            f"{_p(row['p_gg'] if corrected else row['p'])}, ηp² = {_share(row['eta_p2'])}"
        )
        if np.isfinite(row.get("eta_low", np.nan)):
            text += f" [{_share(row['eta_low'])}, {_share(row['eta_high'])}]"
        return text + (f" (Greenhouse–Geisser ε = {_share(eps)})" if corrected else "")
    if "equivalent" in row:
        word = "equivalent" if row["equivalent"] else "not shown equivalent"
        return (
            f"{word} within ±{row['bound']:g}: difference {row['difference']:.3f} "
            f"[{row['low']:.3f}, {row['high']:.3f}], TOST {_adjusted(row)}"
        )
    if "t" in row:
        effect = f", dz = {row['dz']:.2f}" if "dz" in row else f", d = {row['d']:.2f}"
        bayes = f", BF10 = {row['bf10']:.3g}" if "bf10" in row else ""
        return (
            f"t({_df(row['df'])}) = {row['t']:.2f}, {_adjusted(row)}, "
            f"difference {row['difference']:.3f} "
            f"[{row['low']:.3f}, {row['high']:.3f}]{effect}{bayes}"
        )
    if "z" in row and "estimate" in row:
        return (
            f"b = {row['estimate']:.2f} [{row['low']:.2f}, {row['high']:.2f}], "
            f"z = {row['z']:.2f}, {_p(row['p'])}"
        )
    if "metric" in row and "ceiling_low" in row:
        return _likeness(row)
    raise ValueError(
        f"a row with {', '.join(map(str, row))} given; allowed: a row of this module's tables"
    )


def _likeness(row: dict) -> str:
    """A row of ``human_likeness``: ``rmse = 0.12 [0.10, 0.15], chance 0.40, lower ceiling 0.16,
    upper ceiling 0.15, 8 people and 3 seeds``.
    """
    ends = {"chance": "chance", "ceiling_low": "lower ceiling", "ceiling_high": "upper ceiling"}
    there = {name: np.isfinite(row[name]) for name in ("value", "low", "high", *ends)}
    text = f"{row['metric'].replace('_', ' ')} = " + (
        f"{row['value']:.2f}" if there["value"] else "none"
    )
    if there["low"] and there["high"]:
        text += f" [{row['low']:.2f}, {row['high']:.2f}]"
    text += "".join(f", {word} {row[name]:.2f}" for name, word in ends.items() if there[name])
    text += f", {row['n_observers']:g} people and {row['n_seeds']:g} seed" + (
        "s" if row["n_seeds"] != 1 else ""
    )
    reason = row.get("reason")
    return text + (f" ({reason})" if isinstance(reason, str) and reason else "")


def _adjusted(row: dict) -> str:
    return (
        f"{_p(row['p_adjusted'])} ({NAMES[row['correction']]})"
        if "p_adjusted" in row
        else _p(row["p"])
    )


def _p(p: float) -> str:
    return "p < .001" if p < 0.001 else f"p = {_share(p, 3)}"


def _share(value: float, digits: int = 2) -> str:
    """A number that cannot exceed 1, without its leading zero."""
    return f"{value:.{digits}f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.{digits}f}"


def _df(df: float) -> str:
    return f"{df:.0f}" if not np.isfinite(df) or abs(df - round(df)) < 1e-6 else f"{df:.2f}"
