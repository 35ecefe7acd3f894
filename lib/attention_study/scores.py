"""How alike single trained networks and people are: the scorecard's metrics, one value a seed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.likeness.comparison import Comparison
from lib.settings.options import Statistics

METRICS = (
    "accuracy",
    "validation_accuracy",
    "delta_pse",
    "rmse",
    "log_likelihood",
    "image_consistency",
)
KEYS = ["architecture", "pretraining", "seed"]


def by_seed(text: str) -> dict[str, float]:
    """``"0=0.12 1=nan"`` of the scorecard as seed: value."""
    return {seed: float(value) for seed, value in (word.split("=") for word in text.split())}


class Scorer:
    """The scorecard of one network against people who are fitted once: what a slider needs.

    ``anchors`` has chance and ceiling (the lower one) of each metric.

    Parameters
    ----------
    people : rows of the trial table, full face. like : a network's rows, which say what pictures
        networks saw.
    """

    def __init__(self, people: pd.DataFrame, like: pd.DataFrame, statistics: Statistics):
        self.comparison = Comparison(people, like, statistics)
        chance = self.comparison.chance()
        ceiling = {metric: self.comparison.ceiling(metric)[0] for metric in chance}
        self.anchors = pd.DataFrame({"chance": chance, "ceiling": ceiling})

    def score(self, network: pd.DataFrame) -> dict[str, float]:
        """Each metric of one network's rows of the trial table, full face; as ``human_likeness``
        gives it.
        """
        found = self.comparison.scores(network)
        return {metric: float(np.mean(scores.value)) for metric, scores in found.items()}
