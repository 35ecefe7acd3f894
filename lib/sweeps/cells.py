"""One cell of a sweep: trained once, in a folder named by its settings, by whichever process
gets it first.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from lib.backbones.weight_files import is_outside
from lib.execution.stages import inputs
from lib.morphs.stimuli import make_stimuli
from lib.networks.design import Cell, cells, training_of
from lib.networks.devices import choose_device
from lib.observers.tables import fit_table
from lib.pictures.labelled import load_images
from lib.settings.options import Networks, Statistics, Study
from lib.storage.files import settings_hash, write_csv, write_json
from lib.storage.locks import locked
from lib.storage.runs import Run, read_csv
from lib.training.bases import load_base_features, make_base
from lib.training.features import cached_features
from lib.training.train import answer_stimuli, train_cells

# of a cell, however many there are at a time: so that a result cannot depend on the number of
# workers
THREADS = 1


@dataclass(frozen=True)
class Job:
    """A cell to train at one point of the grid; the three names are digests of settings."""

    study: Study
    cell: Cell
    key: str  # all that the cell's result depends on
    data: str  # what images and stimuli depend on
    base: str  # data and convolutions: what shares its features


def jobs_of(study: Study) -> list[Job]:
    """One job for each cell of a study."""
    data = settings_hash(asdict(study.images), asdict(study.morphs), inputs(study))
    answers = {
        k: getattr(study.statistics, k)
        for k in ("decision", "decision_noise", "sigmoid", "penalty")
    }
    return [
        Job(
            study,
            cell,
            settings_hash(base, asdict(cell), training_of(cell, study.training), answers),
            data,
            base,
        )
        for cell in cells(study)[0]
        for base in [_base(data, cell, study.networks)]
    ]


def _base(data: str, cell: Cell, networks: Networks) -> str:
    """What the cell's features depend on: only a network from outside lets the study choose."""
    chosen = [networks.layer, networks.pooling] if is_outside(cell.backbone) else []
    return settings_hash(data, cell.backbone, cell.pretraining, *chosen)


def prepare_data(folder: Path, job: Job) -> str:
    """Make the job's images and stimuli and keep their tables under ``folder``; returns
    ``job.data``.
    """
    place = folder / "data" / job.data
    with locked(place, wait=True):
        if not (place / "stimuli.csv").is_file():
            images = load_images(job.study)
            write_csv(place / "images.csv", images)
            write_csv(place / "stimuli.csv", make_stimuli(job.study, images))
    return job.data


def prepare_features(folder: Path, group: Sequence[Job], threads: int, *after: str) -> str:
    """Compute in one pass the features that the cells of one base share; returns ``job.base``.

    ``after`` is not used: the results of what must be done before.
    """
    torch.set_num_threads(threads)
    images, stimuli = _tables(folder, group[0])
    run = Run(group[0].study, "02")
    device = choose_device(group[0].study.training)
    different = list({replace(job.cell, seed=0): None for job in group})
    base = make_base(run, different, images, device)
    cached_features(
        load_base_features(run, different[0]),
        list(stimuli["path"]),
        set(base.maps),
        device,
        name=f"{different[0].backbone} ({different[0].pretraining})",
    )
    return group[0].base


def do_cell(folder: Path, job: Job, *after: str) -> str:
    """Train the cell, let it answer and keep its result, unless that is there already; returns
    ``job.key``.

    A process that is killed meanwhile leaves its checkpoints; the next one goes on from there.
    """
    place = folder / "cells" / job.key
    with locked(place, wait=True):
        if not (place / "result.json").is_file():
            _note(place, "started")
            torch.set_num_threads(THREADS)
            # its own folder is its run, so that its checkpoints are its own
            run = Run(replace(job.study, output=str(place), name="run"), job.key)
            images, stimuli = _tables(folder, job)
            accuracy, _, _ = train_cells(run, [job.cell], images)
            trials = answer_stimuli(run, [job.cell], stimuli)
            write_csv(place / "trials.csv", trials)
            device = choose_device(job.study.training)
            result = (
                _accuracies(accuracy)
                | _fit(trials, job.study.statistics)
                | {"computed_in": f"{device.name} {device.precision}"}
            )
            write_json(place / "result.json", result)
            _note(place, "finished")
    return job.key


def _note(place: Path, event: str) -> None:
    """A line in the cell's journal: who worked on it, and when."""
    with open(place / "journal.txt", "a", encoding="utf-8") as journal:
        journal.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {event} by process {os.getpid()}\n")


def _tables(folder: Path, job: Job) -> tuple[pd.DataFrame, pd.DataFrame]:
    place = folder / "data" / job.data
    return read_csv(place / "images.csv"), read_csv(place / "stimuli.csv")


def _accuracies(accuracy: pd.DataFrame) -> dict[str, float]:
    rows = accuracy.set_index("split")
    return {
        f"{split}_{name}": float(rows.loc[split, name])
        for split in rows.index
        for name in ("accuracy", "auc")
    }


def _fit(trials: pd.DataFrame, settings: Statistics) -> dict:
    """PSE, slope and JND of full faces, from the answers under the study's decision rule."""
    row = fit_table(trials[trials["condition"] == "full"], settings).iloc[0]
    numbers = {name: float(row[name]) for name in ("pse", "slope", "jnd")}
    return {name: value if np.isfinite(value) else None for name, value in numbers.items()} | {
        "converged": bool(row["converged"]),
        "reason": str(row["reason"]),
    }


def read_result(folder: Path, job: Job) -> dict | None:
    """What the cell left, None while it is not finished."""
    path = folder / "cells" / job.key / "result.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
