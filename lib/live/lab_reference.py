"""Whom the attention lab compares a network with: people and the trained AlexNet, in each
condition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

from lib.attention_study.scores import Scorer
from lib.observers.tables import fit_table, level_shares
from lib.settings.options import Statistics


@dataclass(frozen=True)
class Compared:
    """Psychometrics rows of people in one condition, the points of AlexNet's curve, likeness to
    these people, and AlexNet's.
    """

    people_fits: pd.DataFrame
    plain_points: pd.DataFrame
    scorer: Scorer
    plain_scores: pd.Series


class Reference:
    """People and AlexNet, fitted and scored when a condition is first asked for.

    Parameters
    ----------
    people : their rows of the trial table. answers : the trained AlexNet's answers to a condition.
    """

    def __init__(
        self, people: pd.DataFrame, answers: Callable[[str], pd.DataFrame], settings: Statistics
    ):
        self.people, self.answers, self.settings = people, answers, settings
        self._known: dict[str, Compared] = {}

    def prepare(self, conditions: Iterable[str]) -> None:
        """Compute them all, so that the first look at a condition is as fast as the next."""
        for condition in conditions:
            self.at(condition)

    def at(self, condition: str) -> Compared:
        """Whom answers to this condition are compared with; people who were not shown it, by
        whole faces.
        """
        if condition not in self._known:
            rows = self.people[self.people["condition"] == condition]
            rows = rows if len(rows) else self.people[self.people["condition"] == "full"]
            people, plain = rows.assign(condition="full"), self.answers(condition)
            scorer = Scorer(people, plain, self.settings)
            self._known[condition] = Compared(
                fit_table(people, self.settings),
                level_shares(plain, self.settings),
                scorer,
                scorer.score(plain),
            )
        return self._known[condition]

    def compare(self, answers: pd.DataFrame, condition: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """A network's answers beside AlexNet's.

        Returns
        -------
        points of both curves (``level_shares``); metric -> now, AlexNet, chance, ceiling
        """
        others = self.at(condition)
        scores = pd.DataFrame({"now": others.scorer.score(answers), "AlexNet": others.plain_scores})
        return (
            pd.concat([level_shares(answers, self.settings), others.plain_points]),
            scores.join(others.scorer.anchors),
        )
