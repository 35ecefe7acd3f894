"""Exports of common programs: which columns show them, and Presentation's log as trials."""

from __future__ import annotations

import pandas as pd


def as_trials(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The table with one row a trial, and notes on what was done."""
    return table, []
