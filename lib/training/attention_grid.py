"""The attention grid: kind x location x reduction x pretraining x seeds, each trained once, as one
tidy table.

A cell keeps its accuracy, learning curve and answers, not its head (110 MB or more). Cells that
notebooks 02 and 03 have trained are asked, not trained again. A killed grid goes on behind its last
finished cell.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from torch import Tensor

from lib.likeness.scores import METRICS, seed_scores
from lib.networks.answers import Halfway, answer
from lib.networks.design import Cell
from lib.networks.devices import Device, choose_device
from lib.networks.network import Network, build_cell
from lib.settings.options import resolve
from lib.statistics.intervals import mean_interval
from lib.storage.files import file_hashes, settings_hash, write_json
from lib.storage.progress import Progress
from lib.storage.runs import Run
from lib.training.checkpoints import Checkpoint
from lib.training.features import cached_features
from lib.training.grid_points import (
    POINT,
    Point,
    architecture_of,
    available,
    point_name,
    points,
)
from lib.training.heads import total_steps
from lib.training.train import (
    folder_of,
    load_base_features,
    make_bases,
    train_all,
    trial_rows,
)

__all__ = [
    "Cancelled",
    "Point",
    "architecture_of",
    "available",
    "grid_table",
    "point_name",
    "points",
    "run_grid",
    "score_grid",
]


def run_grid(
    run: Run,
    chosen: Sequence[Point],
    images: pd.DataFrame,
    stimuli: pd.DataFrame,
    *,
    regions: Mapping[str, np.ndarray] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train and ask every cell that has no answers yet.

    Parameters
    ----------
    regions : masks of the parts, for a region prior. cancelled : asked after every step; True stops
        between steps.

    Returns
    -------
    accuracy : POINT columns, seed, validation_accuracy, accuracy, auc.
    answers : rows of the trial table whose ``architecture`` is the candidate's name, without
        responses.
    """
    device, of_point = choose_device(run.study.training), {point.cell: point for point in chosen}
    rows, answers = {}, {}
    for group, base in make_bases(run, list(of_point), images, device, regions):
        cuts = set(base.maps)
        maps = cached_features(
            load_base_features(run, group[0]),
            list(stimuli["path"]),
            cuts,
            device,
            name=f"{group[0].backbone} ({group[0].pretraining})",
        )
        key = settings_hash(file_hashes(map(resolve, stimuli["path"])))
        cells = [
            replace(cell, seed=seed) for cell in group for seed in range(run.study.training.seeds)
        ]
        places = {cell: Checkpoint(folder_of(run, cell, base, device)) for cell in cells}
        silent = [cell for cell in cells if _answers(places[cell], key) is None]
        ask = partial(_ask, places, maps, key, device)
        for cell in (cell for cell in silent if places[cell].trained()):  # by notebooks 02 and 03
            ask(cell, places[cell].load_head(build_cell(cell, run.study, empty=True)))
        waiting = {cell: places[cell] for cell in silent if not places[cell].trained()}
        steps = total_steps(len(base.rows["train"]), run.study.training)
        with Progress(f"attention grid ({group[0].pretraining})", steps * len(waiting)) as progress:
            train_all(run, waiting, base, device, _ticker(progress, cancelled), ask)
        for cell in cells:
            point = of_point[replace(cell, seed=0)]
            rows[cell] = point.row() | {"seed": cell.seed} | _accuracy(places[cell].result())
            named = replace(cell, architecture=point.candidate)
            answers[cell] = trial_rows(named, stimuli, np.array(_answers(places[cell], key)))
    order = [
        replace(point.cell, seed=seed)
        for point in chosen
        for seed in range(run.study.training.seeds)
    ]
    return (
        pd.DataFrame([rows[cell] for cell in order]),
        pd.concat([answers[cell] for cell in order], ignore_index=True),
    )


class Cancelled(Exception):
    """The reader stopped the training."""


def _ticker(progress: Progress, cancelled: Callable[[], bool]) -> Callable[[str], None]:
    def tick(note: str) -> None:
        progress.step(note=note)
        if cancelled():
            raise Cancelled

    return tick


def _ask(
    places: Mapping[Cell, Checkpoint],
    maps: Mapping[int, Tensor],
    key: str,
    device: Device,
    cell: Cell,
    network: Network,
) -> None:
    """Keep a trained network's log-odds of the stimuli ``maps``."""
    odds = answer(network, Halfway(maps[network.cut], network.cut), device).log_odds
    write_json(places[cell].folder / f"answers-{key}.json", odds.tolist())


def _answers(checkpoint: Checkpoint, key: str) -> list[float] | None:
    path = checkpoint.folder / f"answers-{key}.json"
    return (
        json.loads(path.read_text(encoding="utf-8"))
        if path.is_file() and checkpoint.result()
        else None
    )


def _accuracy(result: dict) -> dict:
    by_split = {row["split"]: row for row in result["accuracy"]}
    return {
        "validation_accuracy": by_split["validation"]["accuracy"],
        "accuracy": by_split["test"]["accuracy"],
        "auc": by_split["test"]["auc"],
    }


def score_grid(
    run: Run, accuracy: pd.DataFrame, answers: pd.DataFrame, people: pd.DataFrame
) -> pd.DataFrame:
    """The accuracy table with each cell's likeness to people beside it: delta_pse, rmse,
    log_likelihood and more.
    """
    scores = seed_scores(answers, people, run.study.statistics).rename(
        columns={"architecture": "candidate"}
    )
    return accuracy.merge(
        scores, on=["candidate", "pretraining", "seed"], how="left", validate="one_to_one"
    )


def grid_table(cells: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Table ``attention_grid``: one row a point and metric, with Student's t interval over seeds.

    Returns
    -------
    POINT columns, metric, value (mean over seeds), low, high, n_seeds (with a value), n_missing
    (without: such as a network that has no PSE).
    """
    rows = []
    for key, group in cells.groupby(POINT, sort=False):
        for metric in METRICS:
            known = group[metric].dropna()
            rows.append(
                [
                    *key,
                    metric,
                    *mean_interval(known, confidence),
                    len(known),
                    len(group) - len(known),
                ]
            )
    return pd.DataFrame(
        rows, columns=[*POINT, "metric", "value", "low", "high", "n_seeds", "n_missing"]
    )
