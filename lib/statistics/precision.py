"""What a study can show: 95 % half-widths from its numbers of images, identities, people, seeds.

They are known before anything is trained. Spreads are what such studies have found, so the
half-widths are expectations; the run's own intervals come from its data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm
from scipy.stats import t as student

COLUMNS = ["quantity", "members", "n", "spread", "half_width", "target", "needed", "reason"]
MOST = 1_000_000


@dataclass(frozen=True)
class Spreads:
    """What is expected to vary, and by how much."""

    accuracy: float = 0.85  # a network's share of right answers
    discordance: float = 0.10  # share of images on which two networks differ
    seeds: float = 0.02  # SD of accuracy over training runs
    pse_identities: float = 0.05  # SD of a network's PSE over morph identities
    pse_people: float = 0.10  # SD of PSE over people


def proportion_half_width(variance: float, n: int, confidence: float = 0.95) -> float:
    """Half-width of the mean of n values of known variance: z √(variance / n).

    With variance p (1 − p) it is that of an accuracy p; with the share of images on which two
    networks differ, that of their difference (McNemar; a small difference squared is left out).
    """
    return norm.ppf(0.5 + confidence / 2) * np.sqrt(variance / n) if n > 0 else np.nan


def mean_half_width(sd: float, n: int, confidence: float = 0.95) -> float:
    """Half-width of the mean of n members with standard deviation sd: t(n − 1) sd / √n.

    NaN for fewer than two.
    """
    return student.ppf(0.5 + confidence / 2, n - 1) * sd / np.sqrt(n) if n > 1 else np.nan


def needed(half_width: Callable[[int], float], target: float) -> int:
    """The smallest n with a half-width of at most ``target``, by bisection.

    Parameters
    ----------
    half_width : a function of n that falls.
    """
    low, high = 1, 2
    while not half_width(high) <= target and high < MOST:
        low = high
        high = 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if half_width(middle) <= target else (middle, high)
    return high


def precision_table(
    n_test: int,
    n_identities: int,
    n_people: int,
    n_seeds: int,
    spreads: Spreads | None = None,
    target: float = 0.02,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """What a study of these sizes can show.

    Parameters
    ----------
    n_test : labelled test images. n_identities : morph identities.
    target : half-width that the last but one column gives the needed number for.

    Returns
    -------
    One row a quantity: quantity, members (of what), n, spread (expected SD of one member),
    half_width (in shares right or levels of the morph), target, needed (n for the target), reason
    (where there is no half-width).
    """
    s = spreads or Spreads()
    right = s.accuracy * (1 - s.accuracy)
    differ = s.discordance
    rows = [
        ("accuracy of one network", "test images", n_test, np.sqrt(right), proportion_half_width),
        (
            "accuracy, difference of two networks",
            "test images",
            n_test,
            np.sqrt(differ),
            proportion_half_width,
        ),
        ("accuracy, mean over training runs", "seeds", n_seeds, s.seeds, mean_half_width),
        (
            "PSE of a network, mean over identities",
            "morph identities",
            n_identities,
            s.pse_identities,
            mean_half_width,
        ),
        ("PSE of people, mean", "people", n_people, s.pse_people, mean_half_width),
    ]
    table = []
    for quantity, members, n, sd, formula in rows:
        scale = sd**2 if formula is proportion_half_width else sd

        def half(k: int, formula=formula, scale=scale) -> float:
            return formula(scale, k, confidence)

        width = float(half(n))
        reason = "" if np.isfinite(width) else f"{n} {members}: their spread is not known"
        table.append((quantity, members, n, sd, width, target, needed(half, target), reason))
    return pd.DataFrame(table, columns=COLUMNS)


def precision_in_words(table: pd.DataFrame) -> str:
    """What the study can and cannot tell apart, in one paragraph."""
    row = table.set_index("quantity")
    pair = row.loc["accuracy, difference of two networks"]
    text = (
        f"Two networks must differ by about {pair['half_width']:.1%} of the {pair['n']:,} test "
        "images before chance in the images is ruled out."
    )
    short = table[~(table["half_width"] <= 0.05)]
    if len(short):
        parts = [
            f"{r.quantity} (±{r.half_width:.2f} from {r.n} {r.members}; {r.needed} would give "
            f"±{r.target:g})"
            if np.isfinite(r.half_width)
            else f"{r.quantity} ({r.reason})"
            for r in short.itertuples()
        ]
        text += f" **Hardly known beyond what is shown**: {'; '.join(parts)}."
    return text
