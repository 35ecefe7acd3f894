"""The comparison of people and networks under every decision rule: what the ledger asks whether a
verdict stands.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.likeness.comparison import compare, full_face
from lib.likeness.scorecard import difference_table, score_table
from lib.observers.decision_noise import decided
from lib.observers.decisions import RULES
from lib.observers.tables import fit_table
from lib.settings.options import Statistics


def under_rules(
    trials: pd.DataFrame, statistics: Statistics, seed: int = 0
) -> dict[str, dict[str, pd.DataFrame]]:
    """Tables under each decision rule, by rule and name.

    Parameters
    ----------
    trials : people and networks. seed : for the halvings behind people's reliability.

    Returns
    -------
    for each rule: psychometrics (networks alone), human_likeness, likeness_differences
    """
    tables = {}
    full = full_face(trials)
    for rule in RULES:
        fits = fit_table(decided(full, statistics, rule=rule), statistics)
        found = compare(trials, statistics, np.random.default_rng(seed), rule=rule)
        tables[rule] = {
            "psychometrics": fits[fits["kind"].eq("cnn")],
            "human_likeness": score_table(*found),
            "likeness_differences": difference_table(found[1], confidence=statistics.confidence),
        }
    return tables


def stacked(tables: dict[str, dict[str, pd.DataFrame]], name: str) -> pd.DataFrame:
    """One of the tables of all rules, with column ``decision``."""
    return pd.concat(
        [some[name].assign(decision=rule) for rule, some in tables.items()], ignore_index=True
    )
