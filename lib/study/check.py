"""What a study would do and what stands in its way, found in seconds and without training
anything.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from lib.networks.design import Cell, cells
from lib.networks.devices import Device, DeviceError, choose_device
from lib.networks.weights import MissingWeights, WeightsError
from lib.people.reading import read_people
from lib.people.trials import TrialError
from lib.pictures.labelled import survey_images
from lib.pictures.reading import ImageError
from lib.pictures.stimuli import planned
from lib.settings.loading import examine
from lib.settings.options import Study, resolve
from lib.storage.progress import clock
from lib.study.costs import Cost, expected_cost
from lib.training.attention_grid import available, points
from lib.training.heads import total_steps

OPEN_GAIN = 0.05  # a block whose gain stays below does next to nothing
FEW_TEST = 100  # with fewer, accuracy is known to ±0.1 at best
MANY_LEVELS = 21  # more are counted, not listed
SPLITS = ("train", "validation", "test")


@dataclass
class Report:
    """Everything wrong, what is only worth knowing, and what a run will do, as lines to read."""

    name: str
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    plan: list[tuple[str, str]] = field(default_factory=list)

    def text(self) -> str:
        """The whole report, problems first."""
        lines = []
        if self.problems:
            n = len(self.problems)
            lines += [
                (
                    f"Study {self.name} cannot run yet; {n} "
                    f"{'thing is' if n == 1 else 'things are'} "
                    "wrong:"
                ),
                *[f"  - {_indented(p)}" for p in self.problems],
                "",
            ]
        else:
            lines += [f"Study {self.name} can run.", ""]
        last = ""
        for head, line in self.plan:
            lines.append(f"  {head if head != last else '':<10} {_indented(line, 13)}")
            last = head
        lines += [f"  {'note':<10} {_indented(w, 13)}" for w in self.warnings]
        return "\n".join(lines).rstrip()


def _indented(text: str, by: int = 4) -> str:
    return text.replace("\n", "\n" + " " * by)


def check_study(path: str | Path, overrides: Mapping | Iterable[str] | str = ()) -> Report:
    """Look at the settings, the images, the morphs, the people's file, the weights and the disk.

    A part whose settings are wrong is not looked at further.

    Raises
    ------
    StudyError : the file is missing or holds no settings at all.
    """
    study, problems = examine(path, overrides)
    report = Report(study.name, problems)
    wrong = {p.partition(":")[0].partition(".")[0] for p in problems}
    counts = None if "images" in wrong else _images(study, report)
    pictures = None if wrong & {"images", "morphs"} else _morphs(study, counts, report)
    if "observers" not in wrong:
        _people(study, report)
    networks = (
        None
        if wrong & {"networks", "attention", "training", "weights_dir"}
        else _networks(study, report)
    )
    if counts is not None and networks is not None:
        _attention(study, networks, int(counts.loc["train"].sum()), report)
    device = None if networks is None else _device(study, report)
    if device and counts is not None and pictures is not None:
        grid = _grid(study, networks, report)
        _cost(
            study,
            expected_cost(study, networks, int(counts.to_numpy().sum()), pictures, grid),
            device,
            report,
        )
    return report


def _images(study: Study, report: Report) -> pd.DataFrame | None:
    """Images that will be used: a row for each split, a column for each pole."""
    found, problems = survey_images(study)
    if problems:
        report.problems += problems
        return None
    report.warnings += found.attrs.get("notes", [])
    there = found.pivot_table(index="split", columns="label", values="n", aggfunc="sum")
    counts = there.copy()
    for split in SPLITS:
        limit = getattr(study.images, f"n_{split}")
        if study.images.source != "builtin" and limit is not None:
            each = min(limit // 2, int(there.loc[split].min()))
            counts.loc[split] = each
            if each < limit // 2:
                report.warnings.append(
                    f"images.n_{split}={limit} asked for; {2 * each} can be used "
                    f"({there.loc[split].idxmin()} images are {each})"
                )
    counts = counts.loc[list(SPLITS)].astype(int)
    n = int(counts.loc["test"].sum())
    if n < FEW_TEST:
        report.warnings.append(
            f"{n} test images: a network's accuracy is known to about ±{0.98 / n**0.5:.2f} only "
            "(95 % interval near 0.5)"
        )
    where = (
        "built-in faces"
        if study.images.source == "builtin"
        else f"{study.images.source} {study.images.root}"
    )
    for split, row in counts.iterrows():
        each = ", ".join(f"{row[pole]:,} {pole}" for pole in reversed(study.poles))
        report.plan.append(("images", f"{split}: {each} ({where})"))
    return counts


def _morphs(study: Study, counts: pd.DataFrame | None, report: Report) -> int | None:
    """How many test pictures there will be."""
    morphs = study.morphs
    identities, levels = morphs.count, morphs.levels
    if morphs.source in ("folder", "landmarks"):
        return _own_morphs(study, report)
    if counts is not None and morphs.source != "builtin" and counts.loc["test"].min() < identities:
        report.problems.append(
            f"morphs.identities: {identities} given; the test split has {counts.loc['test'].min()} "
            "images of a class, and each morph needs one of its own. Lower morphs.identities or "
            "raise images.n_test"
        )
        return None
    n = identities * levels * len(morphs.conditions)
    report.plan.append(
        (
            "morphs",
            f"{identities} identities × {levels} levels × {len(morphs.conditions)} conditions "
            f"({', '.join(morphs.conditions)}) = {n:,} pictures ({morphs.source})",
        )
    )
    return n


def _own_morphs(study: Study, report: Report) -> int | None:
    """How many test pictures a folder gives; its files are opened as a run would."""
    try:
        rows, notes = planned(study)
    except ImageError as error:
        report.problems.append(str(error))
        return None
    report.warnings += notes
    given, n = int(rows["path"].notna().sum()), len(rows)
    report.plan.append(
        (
            "morphs",
            f"{rows['identity'].nunique()} identities × {rows['level'].nunique()} levels "
            f"({', '.join(rows['condition'].unique())}) = {n:,} pictures ({study.morphs.source}), "
            f"{given:,} of them files in {study.morphs.root}",
        )
    )
    return n


def _people(study: Study, report: Report) -> None:
    if study.observers.file is None:
        n = study.observers.simulated.n
        report.plan.append(("people", f"{n} SIMULATED people: no observers.file is given"))
        return
    try:
        trials, steps = read_people(study, _seen(study))
    except TrialError as error:
        report.problems.append(str(error))
        return
    first, last = steps.iloc[0], steps.iloc[-1]
    report.plan.append(
        (
            "people",
            f"{first['observers']} in {study.observers.file}: {last['observers']} kept, "
            f"{first['observers'] - last['observers']} excluded; {last['trials']:,} trials, "
            f"{last['missed']:,} of them missed",
        )
    )
    for step in steps[steps["observers_removed"] > 0].itertuples():
        report.plan.append(("people", f"excluded by {step.rule} ({step.limit}): {step.who}"))
    levels = sorted(trials["level"].unique())
    shown = f"levels {', '.join(f'{v:g}' for v in levels)}"
    if len(levels) > MANY_LEVELS:
        shown = f"{len(levels)} levels from {levels[0]:g} to {levels[-1]:g}"
    conditions = ", ".join(dict.fromkeys(trials["condition"]))
    report.plan.append(("people", f"{shown}; conditions {conditions}"))


def _seen(study: Study) -> pd.DataFrame | None:
    """The user's own pictures, which people may have seen; None where they cannot be read."""
    if study.morphs.source != "folder" or study.morphs.root is None:
        return None
    try:
        return planned(study)[0].dropna(subset="path")
    except ImageError:  # said with the morphs
        return None


def _networks(study: Study, report: Report) -> list | None:
    """The networks that will be trained."""
    try:
        kept, left_out = cells(study)
    except (MissingWeights, WeightsError) as error:
        report.problems.append(f"networks: {error}")
        return None
    names = list(dict.fromkeys(f"{cell.architecture} ({cell.pretraining})" for cell in kept))
    report.plan.append(
        (
            "networks",
            f"{', '.join(names)}, {study.training.seeds} seeds each = {len(kept)} networks",
        )
    )
    for remedy, rows in _shared_remedies(left_out) if len(left_out) else ():
        report.plan.append(("left out", f"{'; '.join(rows['reason'])}. Remedy: {remedy}"))
    for words, lost in _fallen_back(study, kept).items():
        report.warnings.append(
            f"{', '.join(lost)} will be {words}: no {study.networks.pretraining} weights are at "
            "hand (`make weights` gets ImageNet's, once)"
        )
    return kept


def _grid(study: Study, kept: Sequence[Cell], report: Report) -> list[Cell]:
    """The networks that notebook 03 trains to compare attention settings, besides those that
    are trained anyway.
    """
    own = tuple(cell.pretraining for cell in kept if cell.architecture == "fe_alexnet")[:1]
    bases, _ = available(study, study.grid.pretraining or own)
    if not bases:
        return []
    guided = {"mouth": 1.0} if study.grid.people_prior else None  # as large as any other
    wanted = [
        replace(point.cell, seed=seed)
        for point in points(study, bases, guided)
        for seed in range(study.training.seeds)
    ]
    more = [cell for cell in wanted if cell not in kept]
    if more:
        report.plan.append(
            ("grid", f"{len(more)} more networks, AlexNets with other attention settings")
        )
    return more


def _device(study: Study, report: Report) -> Device | None:
    """What the study would be computed on; None where this machine lacks what it wants."""
    try:
        return choose_device(study.training)
    except DeviceError as error:
        report.problems.append(str(error))
        return None


def _attention(study: Study, kept: list, n_train: int, report: Report) -> None:
    """Whether training is long enough for the attention's gain to leave its start: Adam moves
    it by a rate a step.
    """
    training, steps = study.training, total_steps(n_train, study.training)
    reach = abs(study.attention.gain) + steps * training.attention_lr
    if (
        any(cell.attention for cell in kept)
        and study.attention.kind != "none"
        and reach < OPEN_GAIN
    ):
        report.warnings.append(
            f"{steps} steps of training at attention_lr {training.attention_lr:g} take the "
            f"attention's gain to {reach:.3f} at most: FE-AlexNet will hardly differ from AlexNet. "
            "Raise training.attention_lr, or train longer (training.epochs, images.n_train)"
        )


def _shared_remedies(left_out: pd.DataFrame):
    """Networks left out, those of the same first remedy together (further ones name each
    network's own file).
    """
    first = left_out["remedy"].str.partition(";")[0]
    return left_out.assign(reason=left_out["architecture"] + ": " + left_out["reason"]).groupby(
        first, sort=False
    )


def _fallen_back(study: Study, kept: list) -> dict[str, list[str]]:
    """Architectures that will not have the pretraining that the study wants, by what they have
    instead.
    """
    found, wanted = {}, study.networks.pretraining
    for architecture in study.networks.architectures:
        have = {cell.pretraining for cell in kept if cell.architecture == architecture}
        if have and wanted not in have:
            words = "pretrained on generated objects" if "objects" in have else "untrained"
            found.setdefault(words, []).append(architecture)
    return found


def _cost(study: Study, cost: Cost, device: Device, report: Report) -> None:
    free = shutil.disk_usage(_existing(resolve(study.output))).free
    where = (
        "on two processor "
        f"cores{', a small part of that on this GPU' if device.name != 'cpu' else ''}"
    )
    report.plan.append(
        (
            "expected",
            f"about {clock(cost.seconds)} {where}, {cost.gigabytes:.1f} GB of disk "
            f"({free / 1e9:.0f} GB are free)",
        )
    )
    if cost.gigabytes > free / 1e9:
        report.problems.append(
            f"output: {cost.gigabytes:.1f} GB are needed in {resolve(study.output)} "
            "and data/derived"
            f"; {free / 1e9:.1f} GB are free. Free some, or give another folder (output=…)"
        )


def _existing(folder: Path) -> Path:
    return next(p for p in (folder, *folder.parents) if p.exists())
