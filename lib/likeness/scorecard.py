"""The scorecard: how alike networks and people answer, with chance, ceilings and intervals.

Three scores go by level (distance of PSEs, ratio of slopes, distance of curves); three ask what is
shared about the pictures beyond their level, and need people and networks on the same pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib.likeness.comparison import KEYS, METRICS, Comparison, compare
from lib.likeness.picture_scores import METRICS as PICTURE_METRICS
from lib.likeness.picture_scores import Ceiling
from lib.likeness.samples import Scores
from lib.settings.options import Statistics
from lib.statistics.accuracy import DIFFERENCES, difference_row

Found = Mapping[tuple[str, str], Mapping[str, Scores]]


def human_likeness(
    trials: pd.DataFrame,
    statistics: Statistics,
    rng: np.random.Generator | None = None,
    *,
    rule: str | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Table ``human_likeness``: one row per network (architecture, pretraining) and metric.

    - delta_pse_z: PSE less people's mean PSE, in people's SDs;
    - slope_ratio: slope over people's geometric mean slope;
    - rmse: P(positive) against people's share positive, over people's levels;
    - error_consistency: kappa of errors within level (``lib.likeness.within_level``);
    - image_consistency: correlation of patterns over the pictures of a level, corrected for
      people's noise (``lib.likeness.image_pattern``);
    - log_likelihood: bits per choice above knowing the level (``lib.likeness.bits``).

    Each is a mean over seeds. The interval is over seeds, identities and people together
    (``lib.statistics.crossed``); ``scope`` says for which of them it speaks.

    Parameters
    ----------
    trials : people and networks. rng : for the halvings behind people's reliability.
    rule : decision rule; None takes ``statistics.decision``. seed : of the halves of people.

    Returns
    -------
    architecture, pretraining, metric, value, low, high, chance (what a coin gets; of picture
    scores, what knowing the level alone gets), ceiling_low, ceiling_high (the others' mean against
    one person; the mean of all), of_ceiling, of_ceiling_low, of_ceiling_high (value over the lower
    ceiling, where that is above 0), n_observers, n_seeds, n_stimuli, scope, reason (why there is no
    value or no interval) and by_seed ("seed=value seed=value").

    Raises
    ------
    ValueError : no people or no networks with an answered trial of the full face.
    """
    return score_table(*compare(trials, statistics, rng, rule=rule, seed=seed))


def score_table(comparison: Comparison, found: Found) -> pd.DataFrame:
    """``human_likeness`` of what ``compare`` found."""
    chance = comparison.chance()
    rows = [
        dict(zip(KEYS, key, strict=True)) | _row(comparison, metric, scores[metric], chance[metric])
        for key, scores in found.items()
        for metric in METRICS
    ]
    return pd.DataFrame(rows)


def difference_table(
    found: Found,
    architecture: str = "fe_alexnet",
    others: Sequence[str] | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Table ``likeness_differences``: one architecture less others of its pretraining, by seed.

    Parameters
    ----------
    found : of ``compare``. others : architectures; None takes all.

    Returns
    -------
    pretraining, architecture, versus, metric, difference, low, high (over seeds, identities and
    people together), p (two-sided, against 0), error, df, n_seeds, scope, reason
    """
    rows = []
    for (name, pretraining), mine in found.items():
        for (versus, same), theirs in found.items():
            wanted = versus != name and (others is None or versus in others)
            if name == architecture and same == pretraining and wanted:
                who = {"pretraining": pretraining, "architecture": name, "versus": versus}
                rows += [who | _difference(m, mine[m], theirs[m], confidence) for m in METRICS]
    names = ["pretraining", "architecture", "versus", "metric", *DIFFERENCES]
    return pd.DataFrame(rows, columns=names)


def _difference(metric: str, mine: Scores, theirs: Scores, confidence: float) -> dict:
    apart = mine.less(theirs)
    return {"metric": metric} | difference_row(apart.interval(confidence), len(apart.seeds))


def _row(comparison: Comparison, metric: str, scores: Scores, chance: float) -> dict:
    found = scores.interval(comparison.statistics.confidence)
    low, high = comparison.ceiling(metric)
    row = {"metric": metric, "value": found.value, "low": found.low, "high": found.high}
    row |= {"chance": chance, "ceiling_low": low, "ceiling_high": high}
    row |= _of_ceiling(comparison, metric, scores)
    return row | {
        "n_observers": comparison.n_observers(metric),
        "n_seeds": int(np.isfinite(scores.value).sum()),
        "n_stimuli": comparison.n_stimuli(metric),
        "scope": found.scope,
        "reason": _reason(comparison, metric, scores, found.reason),
        "by_seed": " ".join(
            f"{seed}={x:.12g}" for seed, x in zip(scores.seeds, scores.value, strict=True)
        ),
    }


def _of_ceiling(comparison: Comparison, metric: str, scores: Scores) -> dict:
    """Value over the lower ceiling, where people agree beyond level: a share of nothing is none."""
    names = ("of_ceiling", "of_ceiling_low", "of_ceiling_high")
    ceiling = comparison.ceilings.get(metric)
    confidence = comparison.statistics.confidence
    if ceiling is None or not agreed(ceiling, confidence):
        return dict.fromkeys(names, np.nan)
    share = scores.over(ceiling.low).interval(confidence)
    return dict(zip(names, (share.value, share.low, share.high), strict=True))


def agreed(ceiling: Ceiling, confidence: float) -> bool:
    """Whether people agree beyond level: the interval of the lower ceiling lies above 0."""
    return bool(ceiling.low.interval(confidence).low > 0)


def _reason(comparison: Comparison, metric: str, scores: Scores, no_interval: str) -> str:
    """Why there is no value or no interval; empty where there are both."""
    missing = int((~np.isfinite(scores.value)).sum())
    if metric in PICTURE_METRICS and comparison.pictures is None:
        return comparison.why
    if not missing:
        return no_interval
    if metric in PICTURE_METRICS:
        return comparison.pictures.reason(metric)
    of = f"{missing} of {len(scores.value)} seeds have none"
    if missing == len(scores.value):
        return of
    return f"{of}; those that have one are no sample of all, so there is no interval"
