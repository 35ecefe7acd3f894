"""People and networks compared once: every score with what it is without each seed, identity and
person.

Scored is the full face. Where the decision rule has noise that is fitted, each half of the people
judges networks with the noise that fits the other half.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

import numpy as np
import pandas as pd

from lib.likeness import level_scores
from lib.likeness.answers import candidate_of, on_same_pictures, people_of
from lib.likeness.crossfit import decided_by_halves, fold_of
from lib.likeness.level_scores import networks_curves, peoples_curves
from lib.likeness.picture_scores import METRICS as PICTURE_METRICS
from lib.likeness.picture_scores import Ceiling, PictureScores
from lib.likeness.samples import Scores
from lib.observers.decisions import FITTED, log_odds_of
from lib.settings.options import Statistics

LEVEL_METRICS = ("delta_pse_z", "slope_ratio", "rmse")
METRICS = (*LEVEL_METRICS, *PICTURE_METRICS)
OTHER_PICTURES = "people and networks saw different pictures"
FEW_PEOPLE = "fewer than three people"
MIN_PEOPLE = 3  # one against the mean of two others
KEYS = ["architecture", "pretraining"]


class Comparison:
    """One set of people, ready for any number of networks on the same stimuli.

    Parameters
    ----------
    people : their rows of the trial table.
    networks : such rows, which say whether the pictures are the same.
    rng : for the halvings behind people's reliability. rule : decision rule; None takes
        ``statistics.decision``. seed : of the halves of people.
    """

    def __init__(
        self,
        people: pd.DataFrame,
        networks: pd.DataFrame,
        statistics: Statistics,
        rng: np.random.Generator | None = None,
        *,
        rule: str | None = None,
        seed: int = 0,
    ):
        self.statistics = statistics
        self.rule = rule or statistics.decision
        self.seed = seed
        self.trials = full_face(people)[lambda t: t["response"].notna()]
        self.why = why_no_pictures(self.trials, full_face(networks))
        fold = fold_of(self.trials, statistics, self.rule, seed)
        with quiet():
            fitted = self.rule in FITTED
            self.people = peoples_curves(self.trials, statistics, fold, fitted=fitted)
            self.pictures = None
            if not self.why:
                rng = rng or np.random.default_rng(0)
                self.pictures = PictureScores(people_of(self.trials, fold), statistics, rng)

    def scores(self, rows: pd.DataFrame) -> dict[str, Scores]:
        """All metrics of one architecture and pretraining, from its rows of the trial table."""
        rows = full_face(rows)
        rows = decided_by_halves(rows, self.trials, self.statistics, self.rule, self.seed)
        rows = rows[np.isfinite(rows["z"])]
        with quiet():
            some = networks_curves(rows, self.people.answers.levels)
            of_level = {m: getattr(level_scores, m)(self.people, some) for m in LEVEL_METRICS}
            if self.pictures is None:
                return of_level | dict.fromkeys(PICTURE_METRICS, _nothing(some.seeds))
            candidate = candidate_of(rows, self.pictures.people.picture, some.seeds)
            return of_level | self.pictures.scores(candidate)

    def chance(self) -> dict[str, float]:
        """What an observer who answers positive with probability 0.5 gets; of picture scores, one
        who knows the level alone.
        """
        coin = {"slope_ratio": 0.0, "rmse": level_scores.rmse_of_coin(self.people)}
        none = 0.0 if self.pictures else np.nan
        return {"delta_pse_z": np.nan} | coin | dict.fromkeys(PICTURE_METRICS, none)

    @cached_property
    def ceilings(self) -> dict[str, Ceiling]:
        """Of the picture scores; none where those cannot be taken."""
        with quiet():
            return self.pictures.ceilings() if self.pictures else {}

    def ceiling(self, metric: str) -> tuple[float, float]:
        """Lower and upper ceiling; NaN where there is none."""
        if metric == "rmse":
            with quiet():
                return level_scores.rmse_ceilings(self.people)
        if metric not in self.ceilings:
            return np.nan, np.nan
        return self.ceilings[metric].low.mean, self.ceilings[metric].high

    def n_observers(self, metric: str) -> int:
        """How many people the metric compares with."""
        own = {"delta_pse_z": self.people.pse, "slope_ratio": self.people.slope}
        if metric in own:
            return int(np.isfinite(own[metric]).sum())
        return len(self.people.answers.names)

    def n_stimuli(self, metric: str) -> int:
        """How many pictures, or levels, the metric goes by."""
        if metric not in PICTURE_METRICS:
            return len(self.people.answers.levels)
        if self.pictures is None:
            return 0
        whose = {"error_consistency": self.pictures.with_errors}
        return len(whose.get(metric, self.pictures.people).picture)


def compare(
    trials: pd.DataFrame,
    statistics: Statistics,
    rng: np.random.Generator | None = None,
    *,
    rule: str | None = None,
    seed: int = 0,
) -> tuple[Comparison, dict[tuple[str, str], dict[str, Scores]]]:
    """The comparison with these people, and the scores of every (architecture, pretraining).

    Parameters
    ----------
    trials : people and networks. rule : decision rule; None takes ``statistics.decision``.
    seed : of the halves of people.

    Networks whose attention people guided are left out: some of these people guided it. Notebook 03
    judges them by the others (``lib.attention_study.guidance.guiding``).

    Raises
    ------
    ValueError : no people or no networks with an answered trial of the full face.
    """
    full = full_face(trials)
    machine = full["kind"].eq("cnn")
    guided = full["architecture"].eq("fe_alexnet_guided")
    networks = full[machine & ~guided & np.isfinite(log_odds_of(full))]
    people = full[~machine & full["response"].notna()]
    _check(people, networks, len(trials))
    networks = networks.assign(**{k: networks[k].fillna("").astype(str) for k in KEYS})
    comparison = Comparison(people, networks, statistics, rng, rule=rule, seed=seed)
    groups = networks.groupby(KEYS, sort=False)
    return comparison, {key: comparison.scores(rows) for key, rows in groups}


def full_face(trials: pd.DataFrame) -> pd.DataFrame:
    """Rows of the trial table on which nothing is hidden."""
    return trials[trials["condition"].eq("full")]


def why_no_pictures(people: pd.DataFrame, networks: pd.DataFrame) -> str:
    """Why there are no picture scores; empty where there are."""
    if not on_same_pictures(people, networks):
        return OTHER_PICTURES
    return FEW_PEOPLE if people["observer"].nunique() < MIN_PEOPLE else ""


def _nothing(seeds: np.ndarray) -> Scores:
    none = np.empty((0, len(seeds)))
    return Scores(seeds, np.full(len(seeds), np.nan), none, none)


def _check(people: pd.DataFrame, networks: pd.DataFrame, n_trials: int) -> None:
    for table, kinds in ((people, "human or simulated"), (networks, "cnn")):
        if table.empty:
            raise ValueError(
                f"no answered trial of kind {kinds} in condition full among {n_trials} trials; "
                "needed: people and networks in one table (join those of notebooks 01 to 03)"
            )


@contextmanager
def quiet() -> Iterator[None]:
    """Without numpy's warnings of means of nothing: the result is NaN, and has its reason."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "Mean of empty slice|All-NaN slice|Degrees of freedom", RuntimeWarning
        )
        yield
