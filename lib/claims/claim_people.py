"""Claim C1: the four networks *partly* perform as people do.

Each network is asked up to five questions: do its PSE and its d' lie within people's latent range
(the central 95 % of persons, the error of their answers taken out)? Do its three picture scores lie
above knowing the level? *Partly* is what the paper claims, so a network supports it where some
answers are yes and some are no; where all are no or all are yes the network refutes it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from lib.claims.sentences import NAMES
from lib.claims.verdicts import (
    INCONCLUSIVE,
    NOT_TESTABLE,
    REFUTED,
    SUPPORTED,
    Criterion,
    judge,
)
from lib.likeness.picture_scores import METRICS as PICTURE_METRICS
from lib.observers.population import latent_spread
from lib.statistics.crossed import MIN_MEMBERS

MIN_PEOPLE = 5  # fewer give no range that a network could lie within or outside of
CENTRAL = stats.norm.ppf(0.975)  # SDs on either side of the mean that hold 95 % of persons
OF_PEOPLE = {"PSE": "pse", "d'": "sensitivity"}
OF_NETWORKS = {"PSE": "pse", "d'": "choice_sensitivity"}  # d' by one formula, of choices
ABOVE = 0.1  # of the lower ceiling: a picture score below it is no more than the level


def criteria_of(
    network: str,
    psychometrics: pd.DataFrame,
    people: pd.DataFrame,
    likeness: pd.DataFrame,
    likelihood_margin: float,
    confidence: float,
) -> list[Criterion]:
    """All criteria of one network.

    Parameters
    ----------
    network : what to call it. psychometrics, people : rows of table ``psychometrics``, full face,
        of its seeds and of people. likeness : its rows of ``human_likeness``, by metric.
    """
    found = [within_range(network, name, psychometrics, people, confidence) for name in OF_PEOPLE]
    return found + [
        above_level(network, metric, likeness.loc[metric], likelihood_margin)
        for metric in PICTURE_METRICS
        if metric in likeness.index
    ]


def within_range(
    network: str, name: str, seeds: pd.DataFrame, people: pd.DataFrame, confidence: float
) -> Criterion:
    """Whether the mean over seeds lies within people's latent range.

    The effect is the distance to the nearer end, positive inside; its variance is that of the
    network (over seeds and identities) and that of the end (over people).
    """
    values = seeds[OF_NETWORKS[name]].to_numpy(float)
    said = f"{name} within people's range"
    missing = int((~np.isfinite(values)).sum())
    if missing:
        return _without(network, said, seeds, missing)
    if len(values) < MIN_MEMBERS:
        return Criterion(network, said, NOT_TESTABLE, reason=f"{len(values)} seeds")
    mean, spread, error = latent_range(people, OF_PEOPLE[name], confidence)
    if not np.isfinite([mean, spread, error]).all():
        return Criterion(network, said, NOT_TESTABLE, reason="people have no latent range")
    parts = [(values.var(ddof=1) / len(values), len(values) - 1)]
    parts += _over_identities(seeds, OF_NETWORKS[name], confidence)
    parts.append((error**2, people[OF_PEOPLE[name]].notna().sum() - 1))
    effect = CENTRAL * spread - abs(values.mean() - mean)
    half = _half(parts, confidence)
    verdict = judge(effect - half, effect + half)
    own = _half(parts[:-1], confidence)
    shown = (values.mean(), values.mean() - own, values.mean() + own)
    ends = f"{mean - CENTRAL * spread:.2f} to {mean + CENTRAL * spread:.2f}"
    return Criterion(network, f"{said} ({ends})", verdict, *map(float, shown))


def latent_range(
    people: pd.DataFrame, column: str, confidence: float
) -> tuple[float, float, float]:
    """Mean of persons, their SD without the error of their answers, and the standard error of an
    end of their central 95 %; NaN for fewer than ``MIN_PEOPLE``.
    """
    names = [column, f"{column}_low", f"{column}_high"]
    rows = people[names].astype(float).dropna(subset=[column]).to_numpy()
    if len(rows) < MIN_PEOPLE:
        return np.nan, np.nan, np.nan
    width = 2 * stats.norm.ppf(0.5 + confidence / 2)
    errors = (rows[:, 2] - rows[:, 1]) / width
    spread, low, high = latent_spread(rows[:, 0], errors, confidence)
    of_mean = rows[:, 0].std(ddof=1) / np.sqrt(len(rows))
    error = np.hypot(of_mean, CENTRAL * (high - low) / width)
    return float(rows[:, 0].mean()), spread, float(error)


def _over_identities(
    seeds: pd.DataFrame, column: str, confidence: float
) -> list[tuple[float, int]]:
    """Variance over identities, which all seeds share, and its degrees of freedom; nothing where
    the table has no such interval.
    """
    names = [f"{column}_low", f"{column}_high"]
    if not {*names, "n_identities"} <= set(seeds) or seeds[names].isna().any(axis=None):
        return []
    df = int(seeds["n_identities"].min()) - 1
    width = 2 * stats.t.ppf(0.5 + confidence / 2, df)
    errors = (seeds[names[1]] - seeds[names[0]]) / width
    return [(float(errors.mean() ** 2), df)]


def _half(parts: Sequence[tuple[float, int]], confidence: float) -> float:
    """Half an interval's width from variances with their degrees of freedom (Satterthwaite)."""
    total = sum(v for v, _ in parts)
    if not total:
        return 0.0
    df = total**2 / sum(v**2 / n for v, n in parts)
    return float(stats.t.ppf(0.5 + confidence / 2, df) * np.sqrt(total))


def _without(network: str, said: str, seeds: pd.DataFrame, missing: int) -> Criterion:
    """Seeds without a value: outside where every one of them gives the same answer at every level,
    else open.
    """
    reasons = seeds["reason"].fillna("").astype(str) if "reason" in seeds else pd.Series(dtype=str)
    said = f"{said} ({missing} of {len(seeds)} seeds have none"
    one_sided = {text.split()[-4] for text in reasons if text.endswith("at every level")}
    if missing == len(seeds) >= MIN_MEMBERS and len(one_sided) == 1 and (reasons != "").all():
        return Criterion(network, f"{said}: the same answer at every level)", REFUTED)
    return Criterion(network, f"{said})", INCONCLUSIVE)


def above_level(network: str, metric: str, row: pd.Series, likelihood_margin: float) -> Criterion:
    """Whether a picture score lies above knowing the level; refuted where it is below the margin
    (``likelihood_margin`` bits; a tenth of the lower ceiling).
    """
    said = f"{NAMES[metric]} above level"
    bits = metric == "log_likelihood"
    margin = likelihood_margin if bits else ABOVE * row["ceiling_low"]
    value, low, high = (float(row[name]) for name in ("value", "low", "high"))
    why = "" if pd.isna(row["reason"]) else row["reason"]
    if int(row["n_seeds"]) < MIN_MEMBERS:
        few = f"{int(row['n_seeds'])} seeds"
        return Criterion(network, said, NOT_TESTABLE, reason=why or few)
    if not np.isfinite(margin) or not (margin > 0):
        why = why or "people do not agree beyond level"
        return Criterion(network, said, NOT_TESTABLE, reason=why)
    verdict = judge(low, high, margin)
    return Criterion(network, said, verdict, value, low, high, margin, why)


def outcome(criteria: Sequence[Criterion]) -> str:
    """What a network's criteria say about *partly*."""
    verdicts = [criterion.verdict for criterion in criteria]
    met, missed, open_ = (verdicts.count(x) for x in (SUPPORTED, REFUTED, INCONCLUSIVE))
    if met and missed:
        return SUPPORTED
    if not met and not missed and not open_:
        return NOT_TESTABLE
    return INCONCLUSIVE if open_ else REFUTED


def outcome_text(network: str, criteria: Sequence[Criterion]) -> str:
    """``AlexNet partly as people: yes: PSE …; no: …; open: …``."""
    verdict = outcome(criteria)
    verdicts = [criterion.verdict for criterion in criteria]
    word = {
        SUPPORTED: "partly as people",
        INCONCLUSIVE: "open",
        NOT_TESTABLE: "not testable",
        REFUTED: "none of it as people" if SUPPORTED not in verdicts else "all of it as people",
    }[verdict]
    groups = {"yes": SUPPORTED, "no": REFUTED, "open": INCONCLUSIVE}
    said = {
        name: ", ".join(str(c) for c in criteria if c.verdict == kind)
        for name, kind in groups.items()
    }
    told = "; ".join(f"{name}: {text}" for name, text in said.items() if text)
    return f"{network} {word}" + (f" ({told})" if told else "")
