"""The attention grid: kind x location x reduction x pretraining x seeds, each trained once.

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

from lib.attention_study.points import Point
from lib.networks.answers import Halfway, answer
from lib.networks.attention_maps import without_block
from lib.networks.design import Cell
from lib.networks.devices import Device, choose_device
from lib.networks.network import Network, build_cell
from lib.settings.options import resolve
from lib.storage.files import file_hashes, settings_hash, write_json
from lib.storage.progress import Progress
from lib.storage.runs import Run
from lib.training.bases import load_base_features, make_bases
from lib.training.checkpoints import Checkpoint, folder_of
from lib.training.features import cached_features
from lib.training.heads import total_steps
from lib.training.train import train_all, trial_rows


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
    regions : masks of the parts, for a region prior or a guide. cancelled : asked after every step;
        True stops between steps.

    Returns
    -------
    accuracy : POINT columns, seed, validation_accuracy, accuracy, auc.
    answers : rows of the trial table without responses, with columns ``candidate`` and
        ``without_block`` (log-odds when the block is taken out).
    """
    device = choose_device(run.study.training)
    of_point = {point.cell: point for point in chosen}
    rows, answers = {}, {}
    for group, base in make_bases(run, list(of_point), images, device, regions):
        seeds = range(run.study.training.seeds)
        cells = [replace(cell, seed=seed) for cell in group for seed in seeds]
        places = {cell: Checkpoint(folder_of(run, cell, base, device)) for cell in cells}
        maps = cached_features(
            load_base_features(run, group[0]),
            list(stimuli["path"]),
            set(base.maps),
            device,
            name=f"{group[0].backbone} ({group[0].pretraining})",
        )
        key = settings_hash(file_hashes(map(resolve, stimuli["path"])))
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
            said = {name: np.array(odds) for name, odds in _answers(places[cell], key).items()}
            table = trial_rows(cell, stimuli, said["log_odds"])
            answers[cell] = table.assign(
                candidate=point.candidate, without_block=said["without_block"]
            )
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
    """Keep a trained network's log-odds of the stimuli ``maps``, with and without its block."""
    halfway = Halfway(maps[network.cut], network.cut)
    said = {"log_odds": answer(network, halfway, device).log_odds}
    with without_block(network):
        said["without_block"] = answer(network, halfway, device).log_odds
    kept = {name: odds.tolist() for name, odds in said.items()}
    write_json(places[cell].folder / f"answers-{key}.json", kept)


def _answers(checkpoint: Checkpoint, key: str) -> dict[str, list[float]] | None:
    path = checkpoint.folder / f"answers-{key}.json"
    if not path.is_file() or not checkpoint.result():
        return None
    return json.loads(path.read_text(encoding="utf-8"))


def _accuracy(result: dict) -> dict[str, float]:
    by_split = {row["split"]: row for row in result["accuracy"]}
    return {
        "validation_accuracy": by_split["validation"]["accuracy"],
        "accuracy": by_split["test"]["accuracy"],
        "auc": by_split["test"]["auc"],
    }
