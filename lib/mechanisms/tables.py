"""The tables that notebook 05 draws and judges: differences between networks, saliency beside
behaviour, claim C4.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.likeness.claims import (
    CLAIMS,
    MIN_SEEDS,
    NOT_SUPPORTED,
    NOT_TESTABLE,
    OBJECT_BASED,
    PARTLY,
    PUBLISHED,
    SUPPORTED,
    claim,
)
from lib.mechanisms.parts import agreement_text
from lib.settings.words import label
from lib.statistics.intervals import interval_text, mean_interval

FEW_PARTS = 3  # their six orders give rho so few values that an interval of it says nothing
NETWORK = ["architecture", "pretraining"]


def whole_face(saliency: pd.DataFrame, method: str) -> pd.DataFrame:
    """One method's enrichment of each part of whole faces: architecture, pretraining, seed, part,
    enrichment.

    Means over levels.
    """
    rows = saliency[(saliency["method"] == method) & (saliency["condition"] == "full")]
    return rows.groupby([*NETWORK, "seed", "part"], sort=False)["enrichment"].mean().reset_index()


def agreement_points(
    saliency: pd.DataFrame, behaviour: pd.DataFrame, method: str, value: str = "loss"
) -> pd.DataFrame:
    """Saliency beside behaviour, a row a network, seed and part.

    Parameters
    ----------
    behaviour : rows of networks by part, such as ``lib.mechanisms.parts.part_losses`` or
        ``lib.psychometrics.tables.shifts``.
    value : its column: ``loss``, ``pse_shift``, ``slope_change``.

    Returns
    -------
    network (its name in figures), architecture, pretraining, seed, part, enrichment, ``value``.
    """
    keys = [*NETWORK, "seed", "part"]
    points = whole_face(saliency, method).merge(behaviour[[*keys, value]], on=keys)
    return points.assign(
        network=[label(a, p) for a, p in zip(points.architecture, points.pretraining, strict=True)]
    )


def beside_controls(summary: pd.DataFrame, controls: pd.DataFrame) -> pd.DataFrame:
    """Each part's enrichment over seeds with what patches of the same area, off the parts, get from
    the same maps.

    Parameters
    ----------
    summary : ``lib.mechanisms.enrichment.over_seeds`` by architecture, pretraining and part.
    controls : ``lib.mechanisms.enrichment.control_rows`` of every network, with architecture and
        pretraining.

    Returns
    -------
    summary with control (mean over seeds and patches), control_low, control_high (extremes).
    """
    grouped = controls.groupby([*NETWORK, "part"], sort=False)
    found = grouped.agg(
        {"control": "mean", "control_low": "min", "control_high": "max"}
    ).reset_index()
    return summary.merge(found, on=[*NETWORK, "part"], how="left", validate="one_to_one")


def mean_points(
    points: pd.DataFrame, values: tuple[str, ...], confidence: float = 0.95
) -> pd.DataFrame:
    """Means over seeds by network and part, with intervals: ``x``, ``x_low``, ``x_high`` for
    each of ``values``.
    """
    rows = []
    for keys, group in points.groupby([*NETWORK, "part"], sort=False):
        row = dict(zip([*NETWORK, "part"], keys, strict=True))
        for value in values:
            row[value], row[f"{value}_low"], row[f"{value}_high"] = mean_interval(
                group[value].dropna(), confidence
            )
        rows.append(row)
    return pd.DataFrame(rows)


def seed_differences(
    rows: pd.DataFrame,
    value: str,
    this: str = "fe_alexnet",
    that: str = "alexnet",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """``this`` less ``that`` by part, seed by seed: networks of one seed start from the same head.

    Parameters
    ----------
    rows : architecture, pretraining, seed, part, ``value``. Only a pretraining that both have is
        compared.

    Returns
    -------
    quantity, pretraining, part, value, low, high (Student's t over seed pairs; NaN for fewer than
    two), n_pairs.
    """
    found = []
    for (pretraining, part), group in rows.groupby(["pretraining", "part"], sort=False):
        wide = group.pivot_table(index="seed", columns="architecture", values=value)
        if {this, that} <= set(wide):
            pairs = (wide[this] - wide[that]).dropna()
            mean, low, high = mean_interval(pairs, confidence)
            found.append(
                {
                    "quantity": value,
                    "pretraining": pretraining,
                    "part": part,
                    "value": mean,
                    "low": low,
                    "high": high,
                    "n_pairs": len(pairs),
                }
            )
    return pd.DataFrame(
        found, columns=["quantity", "pretraining", "part", "value", "low", "high", "n_pairs"]
    )


def excludes_zero(rows: pd.DataFrame) -> pd.Series:
    """Whether each interval lies off 0; NaN limits do not."""
    return (rows["low"] > 0) | (rows["high"] < 0)


def claimed(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the architectures that the claims are about: a control, such as one trained on
    shuffled labels, is there to fail."""
    return rows[rows["architecture"].isin([*PUBLISHED, "fe_alexnet"])]


def order_text(agreement: dict) -> str:
    """The agreement of two orders of the parts in words, with its interval only where rho can take
    enough values.

    ``rho = 0.50 over 3 parts, mean of 2 networks; 50% of all orders of the parts agree at least as
    well``.

    Parameters
    ----------
    agreement : of ``lib.mechanisms.parts.rank_agreement``.
    """
    if np.isnan(agreement["rho"]):
        return agreement_text(agreement)
    parts = int(np.ceil(agreement["n_points"] / agreement["n_networks"]))
    networks = f"{agreement['n_networks']} network{'s' if agreement['n_networks'] != 1 else ''}"
    rho = f"rho = {agreement['rho']:.2f}" if parts <= FEW_PARTS else agreement_text(agreement)
    return (
        f"{rho} over {parts} parts, mean of {networks}; {agreement['p']:.0%} "
        "of all orders of the parts agree at "
        "least as well"
    )


def mechanism_claim(
    leads: pd.DataFrame,
    agreement: dict,
    differences: pd.DataFrame,
    lesions: pd.DataFrame,
    basis: str,
    n_seeds: int,
    simulated: bool,
) -> pd.DataFrame:
    """The ledger's row on C4, by three criteria that are fixed here.

    1. What saliency marks matters to the answer: taking it away moves the log-odds against it
    (interval over seeds
       of the lead above 0, in every network).
    2. FE-AlexNet and AlexNet differ in what they use: an interval of a difference, widened for the
    number of
       differences (Bonferroni, see ``confidence_each``), lies off 0.
    3. The units that tell valence do the work: silencing them costs more than
       others as active (interval of the larger lesion above 0, in every network).

    *Supported* if all three hold, *not supported* if none does, *partly* between; *not testable
    here* with untrained convolutions or fewer than two seeds.

    Parameters
    ----------
    leads : ``lib.mechanisms.enrichment.over_seeds`` of ``lib.mechanisms.trust.deletion_leads``, a
        row a network of one pretraining.
    agreement : ``lib.mechanisms.parts.rank_agreement``, stated beside them (three parts cannot
        decide: its p is 1/6 or more).
    differences : ``seed_differences``, stacked, of that pretraining. lesions : ``lesion_costs``
        of it. Of leads and lesions only what ``claimed`` keeps counts.
    basis : that pretraining.

    Returns
    -------
    The claim's row; value is the lead of FE-AlexNet (else of the last network) in log-odds,
    interval over seeds.
    """
    leads, lesions = claimed(leads), claimed(lesions)
    largest = lesions[lesions["fraction"] == lesions["fraction"].max()]
    met = [
        bool(len(leads) and (leads["low"] > 0).all()),
        bool(excludes_zero(differences).any()),
        bool(len(largest) and (largest["low"] > 0).all()),
    ]
    verdict = SUPPORTED if all(met) else PARTLY if any(met) else NOT_SUPPORTED
    why = ""
    if basis not in OBJECT_BASED:
        why, verdict = (
            f"The claim is about object-based networks, but these are {basis}. ",
            NOT_TESTABLE,
        )
    elif n_seeds < MIN_SEEDS or leads.empty:
        why, verdict = (
            f"{n_seeds} seed(s), {len(leads)} networks looked into: too few. ",
            NOT_TESTABLE,
        )
    clear = differences[excludes_zero(differences)]
    each = (
        "; ".join(
            f"{row.quantity} of the {row.part} {row.value:+.2f} [{row.low:+.2f}, {row.high:+.2f}]"
            for row in clear.itertuples()
        )
        or "none"
    )
    matters, cost = _each(leads, "mean", 2), _each(largest, "value", 3)
    order = (
        ""
        if np.isnan(agreement["rho"])
        else (f" Its order of the parts against what hiding them costs: {order_text(agreement)}.")
    )
    evidence = (
        f"{why}Taking away what saliency marks moves the log-odds by "
        f"{matters}.{order} FE-AlexNet less "
        f"AlexNet, clearly different ({len(clear)} of {len(differences)}): "
        f"{each}. Accuracy lost to silencing "
        f"valence-selective units beyond random ones: {cost}. Criteria met: {sum(met)} of 3."
        f"{' The people are simulated.' if simulated else ''}"
    )
    first = pd.concat([leads[leads["architecture"] == "fe_alexnet"], leads.iloc[::-1]])
    value, low, high = first[["mean", "low", "high"]].iloc[0] if len(first) else (np.nan,) * 3
    return pd.DataFrame([claim("C4", CLAIMS["C4"], evidence, value, low, high, verdict, simulated)])


def _each(rows: pd.DataFrame, value: str, digits: int) -> str:
    """Every network's value with its interval, in words."""
    return (
        ", ".join(
            f"{label(row['architecture'], row['pretraining'])} "
            f"{interval_text(row[value], row['low'], row['high'], digits, '+')}"
            for row in rows.to_dict("records")
        )
        or "none"
    )
