"""Whom the attention lab compares a network with: people and the trained AlexNet, in each condition."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pandas as pd

from lib.fit_tables import fit_table
from lib.scores import Scorer
from lib.settings import Statistics


class Reference:
    """Fits and scores of a condition, computed when they are first asked for.

    Parameters
    ----------
    people : their rows of the trial table. answers : the trained AlexNet's answers to a condition.
    """

    def __init__(self, people: pd.DataFrame, answers: Callable[[str], pd.DataFrame], settings: Statistics):
        self.people, self.answers, self.settings = people, answers, settings
        self._people_fits, self._plain_fits, self._scorers = {}, {}, {}

    def prepare(self, conditions: Iterable[str]) -> None:
        """Compute it all, so that the first look at a condition is as fast as the next."""
        for condition in conditions:
            self.people_fits(condition)
            self.plain_fits(condition)
            self.scorer(condition)

    def people_here(self, condition: str) -> pd.DataFrame:
        """People's answers to a condition, or to whole faces where they were not shown it."""
        rows = self.people[self.people["condition"] == condition]
        rows = rows if len(rows) else self.people[self.people["condition"] == "full"]
        return rows.assign(condition="full")

    def people_fits(self, condition: str) -> pd.DataFrame:
        """People's psychometrics rows."""
        if condition not in self._people_fits:
            self._people_fits[condition] = fit_table(self.people_here(condition), self.settings)
        return self._people_fits[condition]

    def plain_fits(self, condition: str) -> pd.DataFrame:
        """The trained AlexNet's psychometrics rows."""
        if condition not in self._plain_fits:
            self._plain_fits[condition] = fit_table(self.answers(condition), self.settings)
        return self._plain_fits[condition]

    def scorer(self, condition: str) -> tuple[Scorer, pd.Series]:
        """Likeness to the people, and the trained AlexNet's."""
        if condition not in self._scorers:
            plain = self.answers(condition)
            scorer = Scorer(self.people_here(condition), plain, self.settings)
            self._scorers[condition] = scorer, scorer.score(plain)
        return self._scorers[condition]

    def compared(self, answers: pd.DataFrame, condition: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """A network's answers beside AlexNet's.

        Returns
        -------
        psychometrics rows of both; metric -> now, AlexNet, chance, ceiling
        """
        scorer, alexnet = self.scorer(condition)
        scores = pd.DataFrame({"now": scorer.score(answers), "AlexNet": alexnet}).join(scorer.anchors)
        return pd.concat([fit_table(answers, self.settings), self.plain_fits(condition)]), scores
