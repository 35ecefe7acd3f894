"""The networks of a study, the machine and what a run costs, looked at before a run."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from itertools import filterfalse
from pathlib import Path

from lib.attention_study.points import available, points
from lib.backbones.weight_files import MissingWeights, WeightsError, from_file, is_outside
from lib.morphs.stimuli import planned
from lib.networks.design import Cell, cells, with_guide
from lib.pictures.reading import ImageError
from lib.settings.options import Study, resolve
from lib.storage.progress import clock
from lib.study.costs import Cost, expected_cost
from lib.study.report import Report
from lib.training.elsewhere import AnswersError, answers_table, read_answers

EVEN = {"mouth": 1.0}  # a region prior as large as any other


def networks(study: Study, report: Report) -> list[Cell] | None:
    """The networks that will be trained; None where they cannot be."""
    try:
        kept, left_out = cells(study)
    except (MissingWeights, WeightsError) as error:
        report.problems.append(f"networks: {error}")
        return None
    names = dict.fromkeys(f"{cell.architecture} ({cell.pretraining})" for cell in kept)
    seeds = study.training.seeds
    report.add("networks", f"{', '.join(names)}, {seeds} seeds each = {len(kept)} networks")
    if len(left_out):
        # further remedies name each network's own file
        remedies = left_out["remedy"].str.partition(";")[0]
        reasons = left_out["architecture"] + ": " + left_out["reason"]
        for remedy, shared in reasons.groupby(remedies, sort=False):
            report.add("left out", f"{'; '.join(shared)}. Remedy: {remedy}")
    _outside(study, report)
    _answers(study, report)
    for instead, lost in _fallen_back(study, kept).items():
        report.warnings.append(
            f"{', '.join(lost)} will be {instead}: no {study.networks.pretraining} weights are at "
            "hand (`make weights` gets ImageNet's, once)"
        )
    if study.attention.gain == 0 and any(cell.attention for cell in kept):
        report.warnings.append(
            "attention.gain 0 takes the attention out: FE-AlexNet will be AlexNet. The default is 1"
        )
    return kept


def _outside(study: Study, report: Report) -> None:
    """What is done with networks of libraries and files, which ``cells`` has looked into."""
    settings = study.networks
    layer = settings.layer or "its last layer before the classifier"
    for name in filter(is_outside, settings.architectures):
        read = "the layer that its function names" if from_file(name) else layer
        report.add(
            "networks", f"{name}: frozen; a new head is trained on {read}, {settings.pooling}"
        )


def _answers(study: Study, report: Report) -> None:
    """Networks that ran elsewhere: their table against the pictures, where these are known."""
    if study.networks.answers is None:
        return
    try:
        table, _ = answers_table(study)
        if study.morphs.source == "folder":
            read_answers(study, planned(study)[0])
    except AnswersError as error:
        report.problems.append(str(error))
        return
    except ImageError:  # said with the morphs
        pass
    names = ", ".join(sorted(table["observer"].unique()))
    report.add("networks", f"{names}: answers computed elsewhere, {len(table):,} rows")


def _fallen_back(study: Study, kept: Sequence[Cell]) -> dict[str, list[str]]:
    """Architectures without the pretraining that the study wants, by what they have instead."""
    found: dict[str, list[str]] = {}
    for architecture in filterfalse(from_file, study.networks.architectures):
        have = {cell.pretraining for cell in kept if cell.architecture == architecture}
        if have and study.networks.pretraining not in have:
            instead = "pretrained on generated objects" if "objects" in have else "untrained"
            found.setdefault(instead, []).append(architecture)
    return found


def grid(study: Study, kept: Sequence[Cell], report: Report) -> list[Cell]:
    """The networks that notebook 03 trains to compare attention settings, besides ``kept``."""
    own = [cell.pretraining for cell in kept if cell.architecture == "fe_alexnet"]
    bases, _ = available(study, study.grid.pretraining or own[:1])
    if not bases:
        return []
    wanted = [
        replace(point.cell, seed=seed)
        for point in points(study, bases, EVEN if study.grid.people_prior else None, EVEN)
        for seed in range(study.training.seeds)
    ]
    trained = with_guide(kept, EVEN)
    more = [cell for cell in wanted if cell not in trained]
    if more:
        report.add("grid", f"{len(more)} more networks, AlexNets with other attention settings")
    return more


def device_is_there(study: Study, report: Report) -> bool:
    """Whether this machine has the GPU that the study asks for, where it asks for one."""
    if study.training.device in ("auto", "cpu"):
        return True
    from lib.networks.devices import DeviceError, choose_device  # here, for torch takes seconds

    try:
        choose_device(study.training)
    except DeviceError as error:
        report.problems.append(str(error))
        return False
    return True


def cost(
    study: Study,
    kept: Sequence[Cell],
    more: Sequence[Cell],
    n_images: int,
    n_stimuli: int,
    report: Report,
) -> None:
    """How long a run takes and whether the disk holds what it keeps.

    Parameters
    ----------
    kept : the networks of the study. more : those of the attention grid alone.
    """
    expected = {
        precision: expected_cost(study, kept, n_images, n_stimuli, more, precision=precision)
        for precision in ("fp32", "bf16")
    }
    if study.training.precision != "auto":
        expected = {study.training.precision: expected[study.training.precision]}
    largest = next(iter(expected.values())).gigabytes
    folder = resolve(study.output)
    free = shutil.disk_usage(_existing(folder)).free / 1e9
    report.add(
        "expected",
        f"{_times(expected)}; {largest:.1f} GB of disk ({free:.0f} GB are free)",
    )
    if largest > free:
        report.problems.append(
            f"output: {largest:.1f} GB are needed in {folder} and data/derived; {free:.1f} GB are "
            "free. Free some, or give another folder (output=…)"
        )


def _times(expected: dict[str, Cost]) -> str:
    first, *others = expected.items()
    text = f"about {clock(first[1].seconds)} on two processor cores"
    for precision, cost in others:
        text += f" ({clock(cost.seconds)} where they compute in {precision})"
    return f"{text}, a small part of that on a GPU"


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())
