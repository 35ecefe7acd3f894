"""Finished trainings of a sweep as one table, in the order of the grid."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lib.sweeps.cells import (
    Job,
    read_result,
)


def collect(folder: Path, planned: list[tuple[dict, Job]]) -> pd.DataFrame:
    """One row for each point and cell that is finished, in the order of the grid.

    Returns
    -------
    Columns: the grid's keys, architecture, pretraining, attention, seed, accuracy and AUC of
    validation and test images, pse, slope, jnd, converged, reason (full faces), computed_in (device
    and precision), and cell, the name of its folder.
    """
    rows = [
        {
            **{key: str(value) for key, value in point.items()},
            "architecture": job.cell.architecture,
            "pretraining": job.cell.pretraining,
            "attention": job.cell.attention_name,
            "seed": job.cell.seed,
            **result,
            "cell": job.key,
        }
        for point, job in planned
        if (result := read_result(folder, job))
    ]
    return pd.DataFrame(rows)
