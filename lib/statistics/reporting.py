"""Rows of result tables as a paper prints them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

NAMES = {"holm": "Holm", "fdr": "FDR"}


def report(row: Mapping | pd.Series) -> str:
    """The sentence part for a result row, as a paper prints it: ``F(2, 16) = 5.31, p = .017, ηp² =
    .40``.

    Takes a row (Series or dict) of ``rm_anova``, ``compare_to_observers``, ``simple_effects``,
    ``equivalence``,
    ``mixed_logistic`` or ``human_likeness``; ValueError for a row with none of their statistics. An
    adjusted p is named as such.
    """
    row = dict(row)
    if "f" in row:
        corrected = row["eps_gg"] < 1 - 1e-9
        eps = row["eps_gg"] if corrected else 1
        text = (
            f"F({_df(row['df1'] * eps)}, {_df(row['df2'] * eps)}) = {row['f']:.2f}, "
            f"{_p(row['p_gg'] if corrected else row['p'])}, ηp² = {_share(row['eta_p2'])}"
        )
        if np.isfinite(row.get("eta_low", np.nan)):
            text += f" [{_share(row['eta_low'])}, {_share(row['eta_high'])}]"
        return text + (f" (Greenhouse–Geisser ε = {_share(eps)})" if corrected else "")
    if "equivalent" in row:
        word = "equivalent" if row["equivalent"] else "not shown equivalent"
        return (
            f"{word} within ±{row['bound']:g}: difference {row['difference']:.3f} "
            f"[{row['low']:.3f}, {row['high']:.3f}], TOST {_adjusted(row)}"
        )
    if "t" in row:
        effect = f", dz = {row['dz']:.2f}" if "dz" in row else f", d = {row['d']:.2f}"
        bayes = f", BF10 = {row['bf10']:.3g}" if "bf10" in row else ""
        return (
            f"t({_df(row['df'])}) = {row['t']:.2f}, {_adjusted(row)}, "
            f"difference {row['difference']:.3f} "
            f"[{row['low']:.3f}, {row['high']:.3f}]{effect}{bayes}"
        )
    if "z" in row and "estimate" in row:
        return (
            f"b = {row['estimate']:.2f} [{row['low']:.2f}, {row['high']:.2f}], "
            f"z = {row['z']:.2f}, {_p(row['p'])}"
        )
    if "metric" in row and "ceiling_low" in row:
        return _likeness(row)
    raise ValueError(
        f"a row with {', '.join(map(str, row))} given; allowed: a row of this module's tables"
    )


def _likeness(row: dict) -> str:
    """A row of ``human_likeness``: ``rmse = 0.12 [0.10, 0.15], chance 0.40, lower ceiling 0.16,
    upper ceiling 0.15, 8 people and 3 seeds``.
    """
    ends = {"chance": "chance", "ceiling_low": "lower ceiling", "ceiling_high": "upper ceiling"}
    there = {name: np.isfinite(row[name]) for name in ("value", "low", "high", *ends)}
    text = f"{row['metric'].replace('_', ' ')} = " + (
        f"{row['value']:.2f}" if there["value"] else "none"
    )
    if there["low"] and there["high"]:
        text += f" [{row['low']:.2f}, {row['high']:.2f}]"
    text += "".join(f", {word} {row[name]:.2f}" for name, word in ends.items() if there[name])
    text += f", {row['n_observers']:g} people and {row['n_seeds']:g} seed" + (
        "s" if row["n_seeds"] != 1 else ""
    )
    reason = row.get("reason")
    return text + (f" ({reason})" if isinstance(reason, str) and reason else "")


def _adjusted(row: dict) -> str:
    return (
        f"{_p(row['p_adjusted'])} ({NAMES[row['correction']]})"
        if "p_adjusted" in row
        else _p(row["p"])
    )


def _p(p: float) -> str:
    return "p < .001" if p < 0.001 else f"p = {_share(p, 3)}"


def _share(value: float, digits: int = 2) -> str:
    """A number that cannot exceed 1, without its leading zero."""
    return f"{value:.{digits}f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.{digits}f}"


def _df(df: float) -> str:
    return f"{df:.0f}" if not np.isfinite(df) or abs(df - round(df)) < 1e-6 else f"{df:.2f}"
