"""What a sweep found: means and intervals over seeds."""

from __future__ import annotations

import pandas as pd
from scipy import stats

MEASURES = ("validation_accuracy", "test_accuracy", "test_auc", "pse", "slope", "jnd")


def summarise(results: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Mean and 95 % interval over seeds (Student's t) of each measure at each point, one row
    each.
    """
    by = [*keys, "architecture", "pretraining", "attention"]
    if results.empty:
        return pd.DataFrame(columns=[*by, "measure", "n_seeds", "mean", "low", "high"])
    long = results.melt(by, [m for m in MEASURES if m in results], "measure")
    groups = long.dropna(subset="value").groupby([*by, "measure"], sort=False)["value"]
    table = groups.agg(n_seeds="size", mean="mean", sd="std").reset_index()
    half = stats.t.ppf(0.975, table["n_seeds"] - 1) * table.pop("sd") / table["n_seeds"] ** 0.5
    return table.assign(low=table["mean"] - half, high=table["mean"] + half)


def mixture(results: pd.DataFrame) -> str:
    """A warning where cells were computed in different ways, whose numbers differ a little;
    empty where in one.
    """
    ways = results.get("computed_in", pd.Series(dtype=str)).value_counts()
    if len(ways) < 2:
        return ""
    return (
        "note: cells were computed in different ways ("
        + ", ".join(f"{n} in {way}" for way, n in ways.items())
        + (
            "), whose numbers differ a little; for one way fix training.device "
            "and training.precision\n"
        )
    )
