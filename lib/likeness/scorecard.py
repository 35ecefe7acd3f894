"""How alike networks and people answer: the scorecard, error consistency, and what one person
reaches against others.

Scored is the full face only. A candidate (a network's seed, one person, or an observer who always
answers happy with probability 0.5) goes through the same functions, so that value, chance level and
human ceiling mean the same thing.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lib.likeness.agreement import (
    MIN_STIMULI,
    correlation,
    divide,
    kappa,
    mean_rows,
    others,
    resampled,
    rmse,
)
from lib.psychometrics.decisions import expected
from lib.settings.options import Bounds

METRICS = ("delta_pse_z", "slope_ratio", "rmse", "stimulus_correlation", "kappa", "log_likelihood")
# probabilities are kept within [0.01, 0.99], so that one sure wrong answer costs 6.6 bits at most
CHANCE_CLIP = 0.01
FLAT = (
    0.1  # a curve without a PSE whose linear trend over the levels is smaller than this has slope 0
)
BLOCK = 250  # bootstrap samples worked on together, so that memory is flat in n_boot
OTHER_PICTURES, NO_LEVEL = (
    "people and networks saw different pictures",
    "no level shared with people",
)


@dataclass(frozen=True)
class Answers:
    """O observers: pse, slope, reason (O,); share happy (O, L) at level (L,); (O, S) for each
    picture, or each level where no pictures are shared: happy and n, and likely, the probability of
    happy that others' choices are judged by.
    """

    seeds: np.ndarray
    level: np.ndarray
    share: np.ndarray
    pse: np.ndarray
    slope: np.ndarray
    reason: np.ndarray
    happy: np.ndarray
    n: np.ndarray
    likely: np.ndarray


def error_consistency(a, b) -> np.ndarray | float:
    """Cohen's kappa between two observers over the same trials: agreement beyond chance (Geirhos et
    al. 2020, eq. 3).

    a, b are (..., trials): 1 or 0 (right or wrong; or happy or sad, as a morph's middle has no
    right answer), NaN where missed; values between are probabilities of 1 of observers who decide
    independently. Kappa, (...), is 1 for always the same, 0 for no more than chance, NaN without
    trials or where both always answer alike by constancy. ValueError: values outside 0 to 1, or
    shapes that do not fit.
    """
    a, b = np.broadcast_arrays(np.asarray(a, float), np.asarray(b, float))
    if (np.fmin(a, b) < 0).any() or (np.fmax(a, b) > 1).any():
        raise ValueError(
            "error_consistency got values outside 0 to 1; allowed: 1, 0, NaN for a missed trial"
        )
    both = np.isfinite(a) & np.isfinite(b)
    a, b = np.where(both, a, 0.0), np.where(both, b, 0.0)
    return kappa(both.sum(-1), (a * b).sum(-1), a.sum(-1), b.sum(-1))[()]


def noise_ceiling(people, metric: str = "correlation") -> tuple[float, float]:
    """What a perfect model of the group can reach, given that people differ (Nili et al. 2014).

    ``people`` is (people, pictures or levels), share happy, NaN where not shown; ``metric``
    correlation, or rmse (lower is better). Returned are one person against the mean of the others,
    and against the mean of all, each averaged over people. ValueError: another metric, or fewer
    than two people.
    """
    people = np.asarray(people, float)
    if metric not in ("correlation", "rmse"):
        raise ValueError(f"noise_ceiling got metric {metric!r}; allowed: correlation, rmse")
    if people.ndim != 2 or len(people) < 2:
        raise ValueError(
            f"noise_ceiling got an array of shape {people.shape}; needed: "
            "two people or more, as rows"
        )
    score = correlation if metric == "correlation" else rmse
    against_rest = score(mean_rows(people, others(len(people))), people).diagonal()
    against_all = score(mean_rows(people, np.arange(len(people))[None]), people)[0]
    return float(np.nanmean(against_rest)), float(np.nanmean(against_all))


def human_likeness(
    trials: pd.DataFrame,
    *,
    bounds_people: Bounds,
    bounds_networks: Bounds,
    rule: str,
    n_boot: int,
    rng: np.random.Generator,
    sigmoid: str = "norm",
    penalty: float = 1.0,
    noise: float = 1.0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """The scorecard: how near each network comes to the people, on the full face.

    - delta_pse_z: PSE minus people's mean PSE, in people's SDs (which include the error of their
    PSEs);
    - slope_ratio: slope over people's median slope;
    - rmse: share happy against people's mean share, over people's levels (networks are interpolated
    linearly);
    - stimulus_correlation: Pearson's r with people's mean share happy, over pictures;
    - kappa: agreement with each person beyond chance, over pictures;
    - log_likelihood: bits per trial of people's choices under the network, by picture where people
    and networks saw
      the same ones, otherwise by level; probabilities are kept within [0.01, 0.99].

    Each is a mean over seeds, with probabilities of happy as the decision rule gives them
    (responses where p_happy is empty). Chance is an observer who answers happy with probability
    0.5: no PSE, slope 0 (as for any curve without PSE that does not rise), r and kappa 0, -1 bit.
    The ceiling is one person against the others, averaged, with the person's fitted curve for the
    log likelihood; as a person's shares carry sampling noise and a network's probabilities do not,
    a network can pass the ceilings of rmse and r. The interval is a percentile bootstrap over
    people and seeds at once (one seed fewer than there are: ``lib.likeness.agreement.resampled``),
    each observer fitted once; with one seed it holds for that seed only.

    Returns architecture, pretraining, metric, value, low, high, chance, ceiling, n_observers,
    n_seeds, reason (why a value is NaN, or which seeds it leaves out) and by_seed ("seed=value
    seed=value", for comparisons paired by seed). ValueError: no people (kind human or simulated) or
    no networks (cnn) among the trials, or n_boot below 1.
    """
    if n_boot < 1:
        raise ValueError(f"n_boot {n_boot} given; allowed: 1 or more")
    table = answered(trials, rule, noise)
    cnn = _both_kinds(table, len(trials))
    shared = shared_pictures(table[~cnn], table[cnn])
    fit = {"sigmoid": sigmoid, "penalty": penalty}
    people = summarise(table[~cnn], shared, bounds_people, fit)
    groups = {
        key: as_candidates(
            summarise(rows, shared, bounds_networks, fit), people, shared is not None
        )
        for key, rows in table[cnn].groupby(["architecture", "pretraining"], sort=False)
    }
    ends = [50 * (1 - confidence), 50 * (1 + confidence)]
    with quiet():
        anchors = {
            "chance": chance_of(people, shared is not None),
            "ceiling": ceiling_of(people, shared is not None),
        }
        samples = _bootstrap(people, groups, shared is not None, n_boot, rng)
        return pd.DataFrame(
            [
                {"architecture": key[0], "pretraining": key[1]} | row
                for key, some in groups.items()
                for row in _rows(people, some, shared is not None, samples[key], ends, anchors)
            ]
        )


@contextmanager
def quiet():
    """Without numpy's warnings of means of nothing: the result is NaN, and has its reason."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "Mean of empty slice|All-NaN slice|Degrees of freedom", RuntimeWarning
        )
        yield


def answered(trials: pd.DataFrame, rule: str, noise: float) -> pd.DataFrame:
    """Trials on the full face that have an answer: people's responses, networks' probabilities
    under the rule.
    """
    full = trials[trials["condition"].eq("full")]
    p = expected(pd.to_numeric(full["p_happy"]).to_numpy(float), rule, noise)
    response = pd.to_numeric(full["response"]).to_numpy(float)
    answer = np.where(full["kind"].eq("cnn") & np.isfinite(p), p, response)
    picture = full["stimulus"].where(full["stimulus"].notna() & full["stimulus"].astype(str).ne(""))
    table = full.assign(
        answer=answer,
        picture=picture,
        level=full["level"].astype(float).round(9),
        **{c: full[c].fillna("").astype(str) for c in ("architecture", "pretraining")},
    )
    return table[np.isfinite(answer)]


def _both_kinds(table: pd.DataFrame, n_trials: int) -> pd.Series:
    """Which rows are networks'; ValueError where people or networks are not there."""
    for kinds in (("human", "simulated"), ("cnn",)):
        if not table["kind"].isin(kinds).any():
            raise ValueError(
                f"no answered trial of kind {' or '.join(kinds)} in condition "
                f"full among {n_trials} "
                "trials; needed: people and networks in one table (join those "
                "of notebooks 01 to 03)"
            )
    return table["kind"].eq("cnn")


def shared_pictures(people: pd.DataFrame, networks: pd.DataFrame) -> list | None:
    """The pictures that both saw, of ``answered`` tables; None where they are too few to
    compare by picture.
    """
    shared = sorted(set(people["picture"].dropna()) & set(networks["picture"].dropna()))
    return shared if len(shared) >= MIN_STIMULI else None


def _counts(observers, columns, answer, shape) -> tuple[np.ndarray, np.ndarray]:
    place = observers * shape[1] + columns
    return tuple(
        np.bincount(place, weight, shape[0] * shape[1]).reshape(shape)
        for weight in (answer, answer**0)
    )


def summarise(table: pd.DataFrame, shared: list | None, bounds: Bounds, fit: dict) -> Answers:
    """Counts of every observer, and all their psychometric functions from one call."""
    from lib.psychometrics.fitting import fit_psychometric

    who, names = pd.factorize(table["observer"], sort=True)
    where, level = pd.factorize(table["level"].to_numpy(), sort=True)
    answer = table["answer"].to_numpy()
    happy, n = _counts(who, where, answer, (len(names), len(level)))
    found = fit_psychometric(level, happy, n, guess=bounds.guess, lapse=bounds.lapse, **fit)
    slope = np.where(
        np.isnan(found.slope) & (np.abs(_trend(level, happy, n)) < FLAT), 0.0, found.slope
    )
    share, likely = divide(happy, n), found.curve(level)
    if shared is not None:
        code = pd.Categorical(table["picture"], categories=shared).codes.astype(int)
        on = code >= 0
        happy, n = _counts(who[on], code[on], answer[on], (len(names), len(shared)))
        shown = (
            table.drop_duplicates("picture")
            .set_index("picture")["level"]
            .reindex(shared)
            .to_numpy()
        )
        likely = likely[:, np.searchsorted(level, shown)]
    seeds = table.groupby("observer")["seed"].first().reindex(names)
    number = pd.to_numeric(seeds, errors="coerce")  # the same word whether read as 0, 0.0 or "0"
    words = [f"{x:g}" if np.isfinite(x) else name for name, x in zip(names, number, strict=True)]
    return Answers(
        np.array(words), level, share, found.pse, slope, np.asarray(found.reason), happy, n, likely
    )


def _trend(level, happy, n) -> np.ndarray:
    """Change of the share happy from the first to the last level by a weighted straight line,
    (O,).
    """
    total = np.maximum(n.sum(1), 1e-12)
    x = level - (n @ level / total)[:, None]
    return divide((x * happy).sum(1), (x * x * n).sum(1)) * np.ptp(level)


def as_candidates(networks: Answers, people: Answers, same: bool) -> Answers:
    """Networks at the people's levels; people are judged by their probabilities as they are,
    not by a fit to them.
    """
    known = np.isfinite(networks.share)
    share = np.stack(
        [
            np.interp(people.level, networks.level[k], y[k], left=np.nan, right=np.nan)
            for y, k in zip(networks.share, known, strict=True)
        ]
    )
    return replace(
        networks,
        level=people.level,
        share=share,
        likely=divide(networks.happy, networks.n) if same else share,
    )


def scores_of(
    people: Answers, some: Answers, ip: np.ndarray, ik: np.ndarray, same: bool
) -> dict[str, np.ndarray]:
    """All metrics (B,) of B samples: people ip (B, M) and candidates ik (B, J), both indices."""
    pse, nothing = people.pse[ip], np.full((len(people.pse), len(some.pse)), np.nan)
    scores = {
        "delta_pse_z": divide(
            np.nanmean(some.pse[ik], 1) - np.nanmean(pse, 1), np.nanstd(pse, 1, ddof=1)
        ),
        "slope_ratio": divide(np.nanmean(some.slope[ik], 1), np.nanmedian(people.slope[ip], 1)),
    }
    pairs = {"log_likelihood": _pair_bits(people, some), "kappa": nothing}
    curves = {
        "rmse": rmse(mean_rows(people.share, ip), some.share),
        "stimulus_correlation": nothing[:1],
    }
    if same:
        happy, n, other, m = people.happy, people.n, some.happy.T, some.n.T
        pairs["kappa"] = kappa(
            n @ m, happy @ other, happy @ m, n @ other
        )  # each trial of one with each of the other
        curves["stimulus_correlation"] = correlation(
            mean_rows(divide(happy, n), ip), divide(other, m).T
        )
    scores |= {
        metric: np.nanmean(np.nanmean(table[ip[:, :, None], ik[:, None, :]], 2), 1)
        for metric, table in pairs.items()
    }
    return scores | {
        metric: np.nanmean(table[np.arange(len(ip))[:, None] % len(table), ik], 1)
        for metric, table in curves.items()
    }


def _pair_bits(people: Answers, some: Answers) -> np.ndarray:
    """Mean log2 likelihood of a person's choices under a candidate, (P, K)."""
    known = np.isfinite(some.likely)
    p = np.clip(np.where(known, some.likely, 0.5), CHANCE_CLIP, 1 - CHANCE_CLIP)
    bits = (
        people.happy @ (np.log2(p) * known).T
        + (people.n - people.happy) @ (np.log2(1 - p) * known).T
    )
    return divide(bits, people.n @ known.T)


def chance_of(people: Answers, same: bool) -> dict[str, float]:
    """What an observer who always answers happy with probability 0.5 gets; without variance, r
    and kappa count as 0.
    """
    shown = np.ones((1, people.n.shape[1]))
    coin = replace(
        people,
        pse=np.array([np.nan]),
        slope=np.zeros(1),
        share=np.full((1, people.level.size), 0.5),
        happy=shown / 2,
        n=shown,
        likely=shown / 2,
    )
    scores = scores_of(people, coin, np.arange(len(people.pse))[None], np.zeros((1, 1), int), same)
    none = dict.fromkeys(("stimulus_correlation", "kappa"), 0.0 if same else np.nan)
    return {metric: float(x[0]) for metric, x in scores.items()} | none


def ceiling_of(people: Answers, same: bool) -> dict[str, float]:
    """Each person as a candidate against all others, averaged."""
    scores = scores_of(
        people, people, others(len(people.pse)), np.arange(len(people.pse))[:, None], same
    )
    return {metric: float(np.nanmean(x)) for metric, x in scores.items()}


def _bootstrap(
    people: Answers, groups: dict, same: bool, n_boot: int, rng: np.random.Generator
) -> dict:
    """Scores of every group in n_boot samples of people and seeds; all groups meet the same
    samples of people.
    """
    count, blocks = len(people.pse), {key: [] for key in groups}
    for start in range(0, n_boot, BLOCK):
        ip = rng.integers(count, size=(min(BLOCK, n_boot - start), count))
        for key, some in groups.items():
            ik = resampled(rng, len(ip), len(some.pse))
            blocks[key].append(scores_of(people, some, ip, ik, same))
    return {
        key: {m: np.concatenate([b[m] for b in found]) for m in METRICS}
        for key, found in blocks.items()
    }


def _rows(
    people: Answers, some: Answers, same: bool, samples: dict, ends: list, anchors: dict
) -> list[dict]:
    """The six rows of one architecture and pretraining."""
    seeds, result = np.arange(len(some.pse)), []
    everyone = np.tile(np.arange(len(people.pse)), (len(seeds), 1))
    whole = scores_of(people, some, everyone[:1], seeds[None], same)
    single = scores_of(people, some, everyone, seeds[:, None], same)
    for metric in METRICS:
        used, value = np.isfinite(single[metric]), whole[metric][0]
        low, high = (
            np.nanpercentile(samples[metric], ends) if np.isfinite(value) else (np.nan, np.nan)
        )
        persons = {"delta_pse_z": people.pse, "slope_ratio": people.slope}.get(
            metric, divide(1, people.n.sum(1))
        )
        persons = int(np.isfinite(persons).sum())
        by_seed = " ".join(f"{s}={x:.12g}" for s, x in zip(some.seeds, single[metric], strict=True))
        result.append(
            {"metric": metric, "value": value, "low": low, "high": high}
            | {name: values[metric] for name, values in anchors.items()}
            | {
                "n_observers": persons,
                "n_seeds": int(used.sum()),
                "reason": _reason(metric, used, persons, some.reason, same),
                "by_seed": by_seed,
            }
        )
    return result


def _reason(metric: str, used: np.ndarray, persons: int, reasons: np.ndarray, same: bool) -> str:
    """Why a value is NaN, or how many seeds it leaves out; empty where all is well."""
    if used.all():
        return ""
    if metric in ("stimulus_correlation", "kappa") and not same:
        return OTHER_PICTURES
    why = {"stimulus_correlation": "always the same answer", "kappa": "always the same answer"}.get(
        metric, NO_LEVEL
    )
    if metric in ("delta_pse_z", "slope_ratio"):
        fits = "; ".join(sorted({str(r) for r in reasons[~used] if r})) or "undefined"
        why = fits if persons > 1 else "fewer than two people have a PSE"
    return f"{(~used).sum()} of {used.size} seeds left out: {why}"
