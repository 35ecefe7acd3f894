"""The three scores that level alone cannot pass, of people and networks on the same pictures, with
their ceilings (Nili et al. 2014).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lib.likeness import bits, image_pattern, within_level
from lib.likeness.agreement import divide
from lib.likeness.answers import Candidate, People
from lib.likeness.samples import Scores, of_people
from lib.settings.options import Statistics

METRICS = ("error_consistency", "image_consistency", "log_likelihood")
NO_AGREEMENT = (
    "people do not agree about the pictures of a level (split-half reliability {:.2f}, needed: "
    f"{image_pattern.MIN_RELIABILITY:g})"
)
ONE_PICTURE = "one picture a level: nothing to tell apart within a level"
NO_ERRORS = "people and network are always right: no errors to compare"


@dataclass(frozen=True)
class Ceiling:
    """What the others' mean reaches on one person (``low``, with each person and identity left
    out), and what the mean of all does (``high``).
    """

    low: Scores
    high: float


class PictureScores:
    """People on their pictures, ready for any number of networks.

    Parameters
    ----------
    people : at least three. rng : for the halvings of people.
    """

    def __init__(self, people: People, statistics: Statistics, rng: np.random.Generator):
        seed = int(rng.integers(2**32))
        self.people = people
        self.judged = within_level.has_right_answer(people.level)
        self.with_errors = people.pictures(self.judged)
        self.curves = bits.level_curves(people, statistics)
        self.groups = [
            make(people, np.random.default_rng(seed))
            for make in (
                image_pattern.everyone,
                image_pattern.without_clusters,
                image_pattern.without_people,
            )
        ]
        self.strength = bits.best_strength(people, self.curves)

    @property
    def reliability(self) -> float:
        """People's split-half reliability over the pictures of a level."""
        return float(self.groups[0].reliability[0])

    def scores(self, some: Candidate) -> dict[str, Scores]:
        """The three scores of one architecture and pretraining."""
        image = [image_pattern.consistency(self.people, g, some.chance) for g in self.groups]
        chance = self.people.of(some)
        of_errors = chance[..., self.judged]
        return {
            "error_consistency": of_people(
                some.seeds,
                within_level.kappa(self.with_errors, of_errors),
                within_level.kappa_without(self.with_errors, of_errors),
            ),
            "image_consistency": Scores(some.seeds, image[0][0], image[1], image[2]),
            "log_likelihood": of_people(
                some.seeds,
                bits.bits(self.people, chance, self.curves),
                bits.bits_without(self.people, chance, self.curves),
            ),
        }

    def ceilings(self) -> dict[str, Ceiling]:
        """The ceilings of the three scores."""
        return {
            "error_consistency": self._errors_ceiling(),
            "image_consistency": self._image_ceiling(),
            "log_likelihood": self._bits_ceiling(),
        }

    def reason(self, metric: str) -> str:
        """Why a network has no value of the metric."""
        if metric == "image_consistency":
            if not image_pattern.varied(self.people):
                return ONE_PICTURE
            return NO_AGREEMENT.format(self.reliability)
        return NO_ERRORS

    def _errors_ceiling(self) -> Ceiling:
        people = self.with_errors

        def each(some: People) -> np.ndarray:
            return within_level.kappa(some, _others(some))

        def without(some: People) -> np.ndarray:
            return within_level.kappa_without(some, _others(some))

        everyone = divide(people.happy.sum(0), people.n.sum(0))[None]
        high = float(np.nanmean(within_level.kappa(people, everyone)))
        return Ceiling(_over_people(people, each, without), high)

    def _bits_ceiling(self) -> Ceiling:
        def each(some: People) -> np.ndarray:
            curves = self._curves_of(some)
            return bits.bits(some, bits.others_mean(some, curves, self.strength), curves)

        def without(some: People) -> np.ndarray:
            curves = self._curves_of(some)
            return bits.bits_without(some, bits.others_mean(some, curves, self.strength), curves)

        everyone = bits.others_mean(self.people, self.curves, self.strength, itself=True)
        high = float(np.nanmean(bits.bits(self.people, everyone, self.curves)))
        return Ceiling(_over_people(self.people, each, without), high)

    def _curves_of(self, some: People) -> np.ndarray:
        return self.curves[np.isin(self.people.names, some.names)]

    def _image_ceiling(self) -> Ceiling:
        """The others' mean has noise of its own, √ρ of one person fewer (Spearman–Brown); the
        score is corrected for people's noise, so that nothing exceeds 1.
        """
        n = len(self.people.names)
        fewer = (n - 1, n - 1, n - 2)
        roots = [
            np.sqrt(np.maximum(image_pattern.of_fewer(g.reliability, m, k), 0))
            for g, m, k in zip(self.groups, (n, n, n - 1), fewer, strict=True)
        ]
        usable = self.reliability >= image_pattern.MIN_RELIABILITY
        value, identities, people = (np.where(usable, root, np.nan) for root in roots)
        low = Scores(np.array(["people"]), value, identities[:, None], people[:, None])
        return Ceiling(low, 1.0 if usable else np.nan)


def _others(people: People) -> np.ndarray:
    """For each person the others' mean share of each picture, (P, 1, S)."""
    return divide(people.happy.sum(0) - people.happy, people.n.sum(0) - people.n)[:, None]


def _over_people(
    people: People,
    each: Callable[[People], np.ndarray],
    without: Callable[[People], np.ndarray],
) -> Scores:
    """A ceiling with each person left out, also from the others' mean."""
    left = [np.nanmean(each(people.without(one)), 0) for one in range(len(people.names))]
    scores = of_people(np.array(["people"]), each(people), without(people))
    return replace(scores, people=np.array(left))
