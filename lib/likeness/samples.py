"""A score of several seeds, and what it is without each identity and each person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.likeness.agreement import divide
from lib.statistics.crossed import CrossedInterval, jackknife_interval


@dataclass(frozen=True)
class Scores:
    """One metric of C seeds.

    seeds (C,), as words; value (C,); identities (m, C) and people (P, C): the value without each
    of them, of 0 rows where they are no sample of this score.
    """

    seeds: np.ndarray
    value: np.ndarray
    identities: np.ndarray
    people: np.ndarray

    @property
    def mean(self) -> float:
        """Over the seeds that have a value; NaN where none has."""
        known = self.value[np.isfinite(self.value)]
        return float(known.mean()) if len(known) else np.nan

    def interval(self, confidence: float = 0.95) -> CrossedInterval:
        """Over seeds, identities and people together.

        None where a seed has no value: the seeds that are left are no sample of training runs.
        """
        missing = int((~np.isfinite(self.value)).sum())
        if missing:
            reason = f"{missing} of {len(self.value)} seeds have no value"
            return CrossedInterval(self.mean, reason=reason)
        count = len(self.value)
        others = (self.value.sum() - self.value) / max(count - 1, 1)
        samples = {"seeds": others, "identities": self.identities.mean(1)}
        samples["people"] = self.people.mean(1)
        shown = {name: x for name, x in samples.items() if len(x)}
        return jackknife_interval(self.mean, shown, confidence=confidence)

    def less(self, other: Scores) -> Scores:
        """The difference to another's score, seed by seed, of the seeds that both have."""
        shared, mine, theirs = np.intersect1d(self.seeds, other.seeds, return_indices=True)
        return Scores(
            shared,
            self.value[mine] - other.value[theirs],
            self.identities[:, mine] - other.identities[:, theirs],
            self.people[:, mine] - other.people[:, theirs],
        )

    def over(self, ceiling: Scores) -> Scores:
        """The share of a ceiling, whose own uncertainty goes into the interval."""
        return Scores(
            self.seeds,
            divide(self.value, ceiling.value),
            divide(self.identities, ceiling.identities),
            divide(self.people, ceiling.people),
        )


def of_people(seeds: np.ndarray, each: np.ndarray, without: np.ndarray) -> Scores:
    """Scores that are means over people.

    Parameters
    ----------
    each : every person's score (P, C), NaN where undefined. without : the same without each
        identity, (m, P, C).
    """
    known = np.isfinite(each)
    sums = np.nansum(each, 0)
    counts = known.sum(0)
    left = divide(sums - np.where(known, each, 0.0), counts - known)
    identities = divide(np.nansum(without, 1), np.isfinite(without).sum(1))
    return Scores(seeds, divide(sums, counts), identities, left)
