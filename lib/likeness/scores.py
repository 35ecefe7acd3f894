"""How alike single trained networks and people are: the scorecard's metrics, one value a seed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.likeness.scorecard import (
    answered,
    as_candidates,
    ceiling_of,
    chance_of,
    human_likeness,
    quiet,
    scores_of,
    shared_pictures,
    summarise,
)
from lib.psychometrics.tables import fit_table
from lib.settings.options import Statistics

METRICS = (
    "accuracy",
    "validation_accuracy",
    "delta_pse",
    "rmse",
    "log_likelihood",
    "stimulus_correlation",
)


def seed_scores(
    networks: pd.DataFrame, people: pd.DataFrame, statistics: Statistics
) -> pd.DataFrame:
    """One row a network (architecture, pretraining, seed), whole faces.

    Parameters
    ----------
    networks, people : rows of the trial table.

    Returns
    -------
    architecture, pretraining, seed, pse, delta_pse (the network's PSE less people's mean PSE, in
    levels), rmse, log_likelihood (bits a choice), stimulus_correlation; see
    ``lib.likeness.scorecard``. NaN where there is none.
    """
    both = pd.concat([networks, people], ignore_index=True)
    full = both[both["condition"] == "full"]
    fits = fit_table(full, statistics)
    mean = fits.loc[fits["kind"] != "cnn", "pse"].mean()
    table = fits.loc[fits["kind"] == "cnn", ["architecture", "pretraining", "seed", "pse"]]
    table = table.assign(seed=table["seed"].astype(int), delta_pse=table["pse"] - mean)
    keys = ["architecture", "pretraining", "seed"]
    return table.merge(
        _likeness(full, statistics), on=keys, how="left", validate="one_to_one"
    ).reset_index(drop=True)


def _likeness(full: pd.DataFrame, statistics: Statistics) -> pd.DataFrame:
    """The scorecard by seed, wide. Its interval over people is not used here, so two samples
    are enough for it.
    """
    rows = human_likeness(
        full,
        bounds_people=statistics.people,
        bounds_networks=statistics.networks,
        rule=statistics.decision,
        n_boot=2,
        rng=np.random.default_rng(0),
        sigmoid=statistics.sigmoid,
        penalty=statistics.penalty,
        noise=statistics.noise,
    )
    rows = rows[rows["metric"].isin(METRICS)]
    long = [
        {
            "architecture": row.architecture,
            "pretraining": row.pretraining,
            "seed": int(seed),
            "metric": row.metric,
            "value": value,
        }
        for row in rows.itertuples()
        for seed, value in by_seed(row.by_seed).items()
    ]
    wide = pd.DataFrame(long).pivot_table(
        index=["architecture", "pretraining", "seed"],
        columns="metric",
        values="value",
        dropna=False,
        sort=False,
    )
    return wide.reset_index().rename_axis(columns=None)


def by_seed(text: str) -> dict[str, float]:
    """``"0=0.12 1=nan"`` of the scorecard as seed: value."""
    return {seed: float(value) for seed, value in (word.split("=") for word in text.split())}


class Scorer:
    """The scorecard of one network against people who are fitted once: what a slider needs.

    Parameters
    ----------
    people : rows of the trial table. like : a network's rows, which say what pictures networks saw.
    """

    def __init__(self, people: pd.DataFrame, like: pd.DataFrame, statistics: Statistics):
        self.statistics, self.fit = (
            statistics,
            {"sigmoid": statistics.sigmoid, "penalty": statistics.penalty},
        )
        mine, seen = self._answered(people), self._answered(like)
        self.shared = shared_pictures(mine, seen)
        self.people = summarise(mine, self.shared, statistics.people, self.fit)
        self.same = self.shared is not None
        with quiet():
            self.anchors = pd.DataFrame(
                {
                    "chance": chance_of(self.people, self.same),
                    "ceiling": ceiling_of(self.people, self.same),
                }
            )

    def _answered(self, table: pd.DataFrame) -> pd.DataFrame:
        return answered(table, self.statistics.decision, self.statistics.noise)

    def score(self, network: pd.DataFrame) -> dict[str, float]:
        """Each metric of one network's rows of the trial table, whole faces; as
        ``human_likeness`` gives it.
        """
        one = summarise(self._answered(network), self.shared, self.statistics.networks, self.fit)
        everyone = np.arange(len(self.people.pse))[None]
        with quiet():
            found = scores_of(
                self.people,
                as_candidates(one, self.people, self.same),
                everyone,
                np.array([[0]]),
                self.same,
            )
        return {metric: float(values[0]) for metric, values in found.items()}
