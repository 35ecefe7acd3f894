"""The comparison of people and networks under every decision rule: what the ledger asks whether a
verdict stands.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.likeness.comparison import compare
from lib.likeness.scorecard import difference_table, score_table
from lib.psychometrics.decisions import RULES
from lib.settings.options import Statistics


def under_rules(
    trials: pd.DataFrame, effects: pd.DataFrame, statistics: Statistics, seed: int = 0
) -> dict[str, dict[str, pd.DataFrame]]:
    """Tables under each decision rule, by rule and name.

    Parameters
    ----------
    trials : people and networks. effects : ``lib.psychometrics.multiverse.decision_effects``, the
        networks' table ``psychometrics`` under each rule.

    Returns
    -------
    for each rule: psychometrics (networks alone), human_likeness, likeness_differences
    """
    tables = {}
    for rule in RULES:
        found = compare(trials, statistics, np.random.default_rng(seed), rule=rule)
        tables[rule] = {
            "psychometrics": effects[effects["decision"].eq(rule)],
            "human_likeness": score_table(*found),
            "likeness_differences": difference_table(found[1], confidence=statistics.confidence),
        }
    return tables


def stacked(tables: dict[str, dict[str, pd.DataFrame]], name: str) -> pd.DataFrame:
    """One of the tables of all rules, with column ``decision``."""
    return pd.concat(
        [some[name].assign(decision=rule) for rule, some in tables.items()], ignore_index=True
    )
