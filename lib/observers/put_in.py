"""Simulated people: what was put in, and whether the analysis finds it again.

The constants come from the study, so they are never a finding about people; that they come out is
one about the analysis.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from lib.observers.population import people_summary
from lib.observers.tables import shifts
from lib.settings.options import Simulated
from lib.statistics.intervals import mean_interval

COLUMNS = ["quantity", "put_in", "found", "low", "high", "n", "hit"]


def put_in_found(fits: pd.DataFrame, settings: Simulated, confidence: float = 0.95) -> pd.DataFrame:
    """What the simulated people were made of beside what their fits say.

    Parameters
    ----------
    fits : table ``psychometrics``, with intervals (``latent`` spreads need them). settings : the
        study's ``observers.simulated``.

    Returns
    -------
    quantity, put_in, found, low, high (interval over people), n, hit (whether the interval holds
    what was put in; one in twenty misses by chance at 95 %)
    """
    people = fits[fits["kind"] == "simulated"]
    whole = people_summary(people[people["condition"] == "full"], confidence).set_index("quantity")
    pse, slope = whole.loc["pse"], whole.loc["slope"]
    steep = (1 - settings.lapse_max) * stats.norm.pdf(0) / settings.scale_mean
    middle = ["mean", "low", "high"]
    spread = ["latent_sd", "latent_low", "latent_high"]
    rows = [
        ["mean PSE", settings.pse_mean, *pse[middle], pse["n"]],
        ["SD of the PSE", settings.pse_sd, *pse[spread], pse["n"]],
        ["slope (geometric mean)", steep, *slope[middle], slope["n"]],
        ["SD of ln slope", settings.scale_log_sd, *slope[spread], slope["n"]],
    ]
    moved = shifts(people)
    for part, some in moved.groupby("condition", sort=False):
        shift = some["pse_shift"].dropna()
        flatter = -some["slope_change"].replace([np.inf, -np.inf], np.nan).dropna()
        put = settings.part_pse_shift.get(part, 0.0), settings.part_scale_factor.get(part, 1.0)
        factor = np.exp(mean_interval(flatter, confidence))
        rows.append(
            [f"PSE shift, {part} hidden", put[0], *mean_interval(shift, confidence), len(shift)]
        )
        rows.append([f"slope divided by, {part} hidden", put[1], *factor, len(flatter)])
    table = pd.DataFrame(rows, columns=COLUMNS[:-1]).astype({"n": int})
    return table.assign(hit=(table["low"] <= table["put_in"]) & (table["put_in"] <= table["high"]))


def put_in_text(table: pd.DataFrame) -> pd.DataFrame:
    """The table for a reader: numbers to three digits, a tick where the interval holds the truth, a
    cross where it does not, and a dash where there is no interval.
    """
    marks = np.where(table["low"].isna(), "–", np.where(table["hit"], "✓", "✗"))
    found = [
        f"{row.found:.3f}" + (f" [{row.low:.3f}, {row.high:.3f}]" if row.low == row.low else "")
        for row in table.itertuples()
    ]
    return pd.DataFrame(
        {
            "put in": table["put_in"].map("{:.3f}".format),
            "found [95 % interval over people]": found,
            "people": table["n"],
            "held": marks,
        }
    ).set_index(table["quantity"])
