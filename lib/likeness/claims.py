"""The claims of Ying, Li & Chen (2023) and what a run's result tables say about them: one row, one
verdict each.

A verdict goes by fixed rules with named thresholds, on tables alone; nothing here trains or fits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.likeness.agreement import resampled
from lib.settings.words import label
from lib.statistics.intervals import confidence_each, interval_text, mean_interval

CLAIMS = {
    "C1": "AlexNet, VGG11, VGG13 and VGG16, transfer-trained to classify "
    "emotional valence, partly perform as people "
    "do",
    "C2": "FE-AlexNet (object-based AlexNet + self-attention) outperforms all four",
    "C3": "FE-AlexNet closely resembles human perception",
    "C4": "the comparison unveils what the networks compute",
}
VERDICTS = SUPPORTED, PARTLY, NOT_SUPPORTED, NOT_TESTABLE = (
    "supported",
    "partly",
    "not supported",
    "not testable here",
)
PUBLISHED = ("alexnet", "vgg11", "vgg13", "vgg16")
OBJECT_BASED = (
    "imagenet",
    "objects",
)  # the claims are about networks whose convolutions learned objects
MIN_PEOPLE = 5  # fewer give no range that a network could lie within or outside of
MIN_SEEDS = 2  # one trained network says nothing about its architecture
# an architecture meets a criterion if more than half of its seeds do: its typical network does
SEED_SHARE = 0.5
CENTRAL = 95  # percent of people that count as the people's range: the usual reference interval
# nine tenths of the way from chance to one person against the others count as close resemblance
NEAR_CEILING = 0.9
LESS_IS_BETTER = ("rmse",)
NAMES = {
    "rmse": "RMSE",
    "image_consistency": "image consistency",
    "error_consistency": "error consistency",
    "log_likelihood": "log likelihood",
    "delta_pse_z": "PSE",
}
BLOCK = 1000  # bootstrap samples worked on together, so that memory is flat in n_boot


@dataclass(frozen=True)
class Finding:
    """What the tables say about one claim, before it is judged."""

    evidence: str
    value: float = np.nan
    low: float = np.nan
    high: float = np.nan
    verdict: str = NOT_TESTABLE


def claim(
    id: str,
    text: str,
    evidence: str,
    value: float,
    low: float,
    high: float,
    verdict: str,
    simulated: bool,
) -> dict:
    """One row of the table ``claims``.

    Raises
    ------
    ValueError : a verdict that is not one of VERDICTS, or a decided one without a value.
    """
    if verdict not in VERDICTS:
        raise ValueError(f"claim {id}: verdict {verdict!r} given; allowed: {', '.join(VERDICTS)}")
    if verdict != NOT_TESTABLE and not np.isfinite(value):
        raise ValueError(
            f"claim {id}: verdict {verdict!r} without a value; give its "
            f"number, or say {NOT_TESTABLE!r}"
        )
    return {
        "id": id,
        "claim": text,
        "evidence": evidence,
        "value": float(value),
        "low": float(low),
        "high": float(high),
        "verdict": verdict,
        "simulated": bool(simulated),
    }


def ledger(
    accuracy: pd.DataFrame,
    psychometrics: pd.DataFrame,
    likeness: pd.DataFrame,
    *,
    simulated: bool,
    n_boot: int,
    rng: np.random.Generator,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Verdicts on C1 to C3 (C4 is judged from the saliency of notebook 05).

    C1: value is the share of the four networks' seeds whose PSE, and whose slope, lies in the
    people's central 95 % (both criteria together; interval over people and seeds). *Supported* if
    every architecture meets both (more than half of its seeds), *not supported* if none meets any,
    *partly* between. C2: value is the smallest difference in test accuracy, FE-AlexNet minus
    another, paired by seed (Student's t over seed pairs, for these test images). *Supported* if all
    four differences have their interval above 0, *partly* if one has when intervals are widened for
    the number of differences (Bonferroni), *not supported* otherwise. Pairs that all differ by the
    same have no interval to go by. C3: value is the difference in RMSE to people, FE-AlexNet minus
    AlexNet, paired by seed (likewise). *Supported* if every metric whose ceiling is better than
    chance comes near it and that interval lies below 0, *not supported* if none and not, *partly*
    between.

    Only object-based networks of FE-AlexNet's pretraining are judged. With some of the four missing
    (C3: without AlexNet) the verdict is at most *partly*. With none of them (C1, C2), with
    untrained convolutions, or with fewer than two seeds it is *not testable here*.

    Parameters
    ----------
    accuracy, psychometrics, likeness : the tables of those names (likeness: ``human_likeness``).
    simulated : whether the people are simulated; stated in each row's evidence.
    confidence : of the intervals.

    Returns
    -------
    id, claim, evidence, value, low, high, verdict, simulated.
    """
    accuracy, psychometrics, likeness = (
        t.assign(pretraining=_pretraining(t, accuracy)) for t in (accuracy, psychometrics, likeness)
    )
    basis = _basis(accuracy)
    findings = {
        "C1": _people_range(psychometrics, basis, n_boot, rng, confidence),
        "C2": _advantage(accuracy, basis, confidence),
        "C3": _resemblance(likeness, basis, confidence),
    }
    note = " The people are simulated." if simulated else ""
    rows = []
    for name, found in findings.items():
        finding = _object_based_only(found, basis)
        seen = note if name != "C2" else ""
        rows.append(
            claim(
                name,
                CLAIMS[name],
                finding.evidence + seen,
                finding.value,
                finding.low,
                finding.high,
                finding.verdict,
                simulated,
            )
        )
    return pd.DataFrame(rows)


def _pretraining(table: pd.DataFrame, accuracy: pd.DataFrame) -> pd.Series:
    """Pretraining of each row; a table without that column takes it from an accuracy table that
    has a single one.
    """
    if "pretraining" in table:
        return table["pretraining"].fillna("")
    if len(words := accuracy["pretraining"].dropna().unique()) == 1:
        return pd.Series(words[0], index=table.index)
    raise ValueError(
        "a table without column pretraining beside networks of several "
        f"({', '.join(map(str, words))}); "
        "needed: the column pretraining in psychometrics and human_likeness"
    )


def _basis(accuracy: pd.DataFrame) -> str:
    """The pretraining to judge: FE-AlexNet's, else the four networks'; an object-based one
    where there are several.
    """
    for who in (("fe_alexnet",), PUBLISHED):
        found = accuracy.loc[accuracy["architecture"].isin(who), "pretraining"].dropna().unique()
        if len(found):
            return next((p for p in OBJECT_BASED if p in found), str(sorted(found)[0]))
    return ""


def _object_based_only(finding: Finding, basis: str) -> Finding:
    if basis in OBJECT_BASED or not basis:
        return finding
    why = f"The claim is about object-based networks, but these are {basis}. "
    return Finding(why + finding.evidence, finding.value, finding.low, finding.high)


def _people_range(
    psychometrics: pd.DataFrame,
    basis: str,
    n_boot: int,
    rng: np.random.Generator,
    confidence: float,
) -> Finding:
    """C1: whose PSE and slope lie in the people's range. A seed without PSE or slope lies
    outside.
    """
    full = psychometrics[psychometrics["condition"].eq("full")]
    people = (
        full.loc[full["kind"].isin(["human", "simulated"]), ["pse", "slope"]]
        .dropna()
        .to_numpy(float)
    )
    chosen = full[
        full["kind"].eq("cnn")
        & full["pretraining"].eq(basis)
        & full["architecture"].isin(PUBLISHED)
    ]
    networks = {a: t[["pse", "slope"]].to_numpy(float) for a, t in chosen.groupby("architecture")}
    if len(people) < MIN_PEOPLE:
        return Finding(
            f"{len(people)} people have a PSE and a slope; at least "
            f"{MIN_PEOPLE} are needed for a range."
        )
    if not networks:
        return Finding("None of the four networks has psychometric results.")
    inside = {a: _inside(values, *_range(people)) for a, values in networks.items()}
    value = np.mean([x.mean() for x in inside.values()])
    ends = np.percentile(
        _shares(people, networks, n_boot, rng), [50 - 50 * confidence, 50 + 50 * confidence]
    )
    testable = {a: x for a, x in inside.items() if len(x) >= MIN_SEEDS}
    each = "; ".join(
        f"{label(a)}: PSE in {x[:, 0].sum()}, slope in {x[:, 1].sum()} of {len(x)} seeds"
        for a, x in inside.items()
    )
    low, high = _range(people)
    evidence = (
        f"Within the central {CENTRAL} % of {len(people)} people (PSE "
        f"{low[0]:.3f} to {high[0]:.3f}, slope "
        f"{low[1]:.2f} to {high[1]:.2f}) lie {each}.{_left_out(testable)}"
    )
    if not testable:
        return Finding(evidence, value, *ends)
    met = [x.mean(0) > SEED_SHARE for x in testable.values()]
    return Finding(evidence, value, *ends, _judge(met, len(testable) == len(PUBLISHED)))


def _range(people: np.ndarray) -> np.ndarray:
    """Ends of the central range of people's PSE and slope, people (..., P, 2): (2, ..., 2)."""
    return np.percentile(people, [50 - CENTRAL / 2, 50 + CENTRAL / 2], axis=-2)


def _inside(networks: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Whether each network's PSE and slope (..., K, 2) lie within the range; NaN does not."""
    return (networks >= low) & (networks <= high)


def _shares(
    people: np.ndarray, networks: dict, n_boot: int, rng: np.random.Generator
) -> np.ndarray:
    """C1's value in n_boot samples of people and seeds, (n_boot,)."""
    parts = []
    for start in range(0, n_boot, BLOCK):
        size = min(BLOCK, n_boot - start)
        low, high = _range(people[rng.integers(len(people), size=(size, len(people)))])[:, :, None]
        drawn = [v[resampled(rng, size, len(v))] for v in networks.values()]
        parts.append(np.mean([_inside(v, low, high).mean((1, 2)) for v in drawn], axis=0))
    return np.concatenate(parts)


def _judge(met, complete: bool) -> str:
    """All criteria met: supported, or partly where not every network could be compared; none:
    not supported.
    """
    if not np.any(met):
        return NOT_SUPPORTED
    return SUPPORTED if np.all(met) and complete else PARTLY


def _left_out(present) -> str:
    missing = [label(a) for a in PUBLISHED if a not in present]
    why = "left out, other pretraining or too few seeds"
    return f" Not comparable here ({why}): {', '.join(missing)}." if missing else ""


def _advantage(accuracy: pd.DataFrame, basis: str, confidence: float) -> Finding:
    """C2: FE-AlexNet's test accuracy minus each other architecture's, seed by seed."""
    test = accuracy[accuracy["split"].eq("test") & accuracy["pretraining"].eq(basis)]
    scores = test.groupby(["architecture", "seed"])["accuracy"].mean().unstack("seed")
    if "fe_alexnet" not in scores.index:
        return Finding("FE-AlexNet has no test accuracy in this run.")
    differences = {
        a: (scores.loc["fe_alexnet"] - scores.loc[a]).dropna().to_numpy()
        for a in PUBLISHED
        if a in scores.index
    }
    differences = {a: d for a, d in differences.items() if len(d) >= MIN_SEEDS}
    if not differences:
        return Finding(
            "None of the four networks shares FE-AlexNet's pretraining "
            f"({basis}) and {MIN_SEEDS} of its "
            f"seeds.{_left_out(())}"
        )
    found = {a: _lead(d, confidence) for a, d in differences.items()}
    widened = [
        _lead(d, confidence_each(len(differences), confidence)) for d in differences.values()
    ]
    each = "; ".join(
        f"{label(a)} by {interval_text(*lead, sign='+')}, {len(differences[a])} seed pairs"
        for a, lead in found.items()
    )
    above, surely = (sum(low > 0 for _, low, _ in leads) for leads in (found.values(), widened))
    evidence = (
        f"FE-AlexNet's test accuracy, on {test['n'].max()} images, differs from {each}; {above} of "
        f"{len(found)} intervals (over seeds) lie above 0, {surely} when widened for their number."
        f"{_left_out(found)}"
    )
    all_above = above == len(found)
    return Finding(
        evidence,
        *min(found.values()),
        _judge([all_above, all_above or surely > 0], all_above and len(found) == len(PUBLISHED)),
    )


def _lead(differences: np.ndarray, confidence: float) -> tuple[float, float, float]:
    """Mean and t interval; none where all pairs differ by the same: shares of few images tie by
    chance.
    """
    mean, low, high = mean_interval(differences, confidence)
    return (mean, low, high) if np.ptp(differences) > 1e-12 else (mean, np.nan, np.nan)


def _resemblance(likeness: pd.DataFrame, basis: str, confidence: float) -> Finding:
    """C3: how near FE-AlexNet comes to the human ceiling, and whether nearer than AlexNet
    (RMSE, seed by seed).
    """
    likeness = likeness.rename(columns={"ceiling_low": "ceiling"})
    rows = likeness[likeness["pretraining"].eq(basis)]
    ours, theirs = (
        rows[rows["architecture"].eq(a)].set_index("metric") for a in ("fe_alexnet", "alexnet")
    )
    if "rmse" not in ours.index or not np.isfinite(ours.loc["rmse", "value"]):
        return Finding("FE-AlexNet has no human-likeness scores in this run.")
    way, unusable = _way(ours)
    note = (
        " Not judged, because one person against the others is no better than chance: "
        f"{', '.join(NAMES[metric] for metric in unusable)}."
        if unusable
        else ""
    )
    if way.empty:
        return Finding(
            "No human-likeness score of FE-AlexNet has a human ceiling better than chance." + note
        )
    near = (way >= NEAR_CEILING).to_numpy()
    evidence = (
        "On the way from chance (0) to one person against the others (1) FE-AlexNet is at "
        + ", ".join(f"{x:.2f} ({NAMES[metric]})" for metric, x in way.items())
        + f"; {near.sum()} of {len(near)} reach {NEAR_CEILING:g}.{note}"
    )
    pairs = _by_seed(ours, "rmse") - _by_seed(theirs, "rmse")
    pairs = pairs.dropna().to_numpy()
    if len(pairs) < MIN_SEEDS:
        few = int(ours.loc["rmse", "n_seeds"]) < MIN_SEEDS
        verdict = NOT_TESTABLE if few else _judge(near, False)
        return Finding(
            f"{evidence} Value: its RMSE; AlexNet is not comparable here "
            f"(fewer than {MIN_SEEDS} seed "
            "pairs).",
            *ours.loc["rmse", ["value", "low", "high"]].astype(float),
            verdict,
        )
    _, low, high = mean_interval(pairs, confidence)
    evidence += (
        f" Its RMSE to people is lower than AlexNet's in {(pairs < 0).sum()} "
        f"of {len(pairs)} seed pairs "
        f"(difference {interval_text(pairs.mean(), low, high, sign='+')})."
    )
    return Finding(evidence, pairs.mean(), low, high, _judge([*near, high < 0], True))


def _way(scores: pd.DataFrame) -> tuple[pd.Series, list[str]]:
    """How far from chance (0) to the human ceiling (1) each metric is, and the metrics whose
    ceiling is no better.

    A slope can also be too steep, and a PSE has no chance level: they are C1's criteria.
    """
    scores = scores.drop("slope_ratio", errors="ignore")
    room = scores["ceiling"] - scores["chance"]
    better = room.where(~room.index.isin(LESS_IS_BETTER), -room) > 0
    way = ((scores["value"] - scores["chance"]) / room)[better]
    return way[np.isfinite(way)], list(room.index[room.notna() & ~better])


def _by_seed(rows: pd.DataFrame, metric: str) -> pd.Series:
    """A metric's values by seed, from the scorecard's ``by_seed`` ("0=0.12 1=0.11")."""
    if metric not in rows.index or "by_seed" not in rows:
        return pd.Series(dtype=float)
    words = [
        word.rsplit("=", 1) for word in str(rows.loc[metric, "by_seed"]).split() if "=" in word
    ]
    return pd.Series({seed: float(value) for seed, value in words}, dtype=float)
