"""The cells of a study's design: which networks are trained, with which seeds, and which are
left out and why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import pandas as pd

from lib.backbones import weight_files
from lib.backbones.weight_files import OWN, from_file, is_outside, short_name
from lib.networks.attention_options import Attention
from lib.settings.options import PARTS, Study, Training

LEFT_OUT = ["architecture", "pretraining", "reason", "remedy"]
UNGUIDED = (
    "nobody was shown faces with each part hidden in turn",
    "set attention.guide from a published result, or morphs.conditions with all three parts",
)


@dataclass(frozen=True)
class Cell:
    """One network to train.

    Parameters
    ----------
    architecture : as in the tables: the five words, ``fe_alexnet_guided``, ``alexnet_matched``,
        ``alexnet_se`` or ``alexnet_shuffled``; or a network from outside by its given name.
    labels : ``true``, or ``shuffled`` among the training images.
    """

    architecture: str
    pretraining: str
    attention: Attention | None = None
    labels: str = "true"
    seed: int = 0

    @property
    def observer(self) -> str:
        """The name of this network as an observer, such as ``alexnet-imagenet-s0``."""
        return f"{self.architecture}-{self.pretraining}-s{self.seed}"

    @property
    def backbone(self) -> str:
        """Whose frozen features it has; a network from outside has its own."""
        if is_outside(self.architecture):
            return self.architecture
        return "alexnet" if "alexnet" in self.architecture else self.architecture

    @property
    def who(self) -> dict[str, str | int]:
        """What names it in every table: architecture, pretraining, seed."""
        return {name: getattr(self, name) for name in ("architecture", "pretraining", "seed")}

    @property
    def attention_name(self) -> str:
        """What tables call its block, such as ``self@conv3``; ``none`` without one."""
        return self.attention.name if self.attention else "none"


def with_guide(chosen: list[Cell], shares: Mapping[str, float] | None) -> list[Cell]:
    """The cells, the guided ones with how much people use each part; without them for None."""
    kept = []
    for cell in chosen:
        if cell.architecture != "fe_alexnet_guided":
            kept.append(cell)
        elif shares:
            kept.append(replace(cell, attention=replace(cell.attention, guide=dict(shares))))
    return kept


def training_of(cell: Cell, training: Training) -> dict:
    """The training settings that change what a cell becomes: its seed is its own, and only a
    block has its own rate.
    """
    without = {"seeds"} | ({"attention_lr"} if cell.attention_name == "none" else set())
    return {name: value for name, value in asdict(training).items() if name not in without}


def cells(study: Study, more: Sequence[str] = ()) -> tuple[list[Cell], pd.DataFrame]:
    """All cells in the study's order, seeds innermost; and the networks left out for want of
    weights.

    ``networks.missing_weights`` decides: ``error`` stops, ``leave_out`` lists, ``untrained`` goes
    on without,
    ``objects`` goes on with the project's own weights where it has some.

    Parameters
    ----------
    more : further architectures, such as ``torchvision:resnet18``, behind the study's own.

    Raises
    ------
    MissingWeights : policy ``error``, or nothing is left to train.
    """
    wanted = [_main(study, name) for name in [*study.networks.architectures, *more]]
    controls = [name for name in study.networks.controls if name != "guided" or _guides(study)]
    wanted += [_control(study, name) for name in controls]
    kept = []
    left_out = []
    missing = []
    problems = [_problem(study, cell) for cell in wanted]
    if len(controls) < len(study.networks.controls):
        left_out.append(["fe_alexnet_guided", study.networks.pretraining, *UNGUIDED])
    _refuse_misfit(problems)
    for cell, problem in zip(wanted, problems, strict=True):
        if problem and study.networks.missing_weights in ("untrained", "objects"):
            cell = replace(cell, pretraining=fallback(study, cell.backbone))
        elif problem:
            missing.append(str(problem))
            left_out.append([cell.architecture, cell.pretraining, *_reason(str(problem))])
            continue
        kept += [cell] if cell not in kept else []
    if missing and (study.networks.missing_weights == "error" or not kept):
        raise weight_files.MissingWeights("\n".join(dict.fromkeys(missing)))
    table = [replace(cell, seed=seed) for cell in kept for seed in range(study.training.seeds)]
    return table, pd.DataFrame(left_out, columns=LEFT_OUT)


def fallback(study: Study, backbone: str) -> str:
    """The pretraining that takes the place of one whose weights are not at hand."""
    wanted = study.networks.missing_weights
    if wanted != "objects":
        return "untrained"
    there = weight_files.find(short_name(backbone), "objects", weights_dir=study.weights_dir)
    return "objects" if there else "untrained"


def _main(study: Study, architecture: str) -> Cell:
    attention = Attention.of(study.attention) if architecture == "fe_alexnet" else None
    pretraining = OWN if from_file(architecture) else study.networks.pretraining
    return Cell(architecture, pretraining, attention)


def _control(study: Study, control: str) -> Cell:
    if control == "untrained":
        return Cell("alexnet", "untrained")
    if control == "shuffled":
        return Cell("alexnet_shuffled", study.networks.pretraining, labels="shuffled")
    if control == "guided":
        guided = Attention.of(study.attention, kind="self", guide=study.attention.guide)
        return Cell("fe_alexnet_guided", study.networks.pretraining, guided)
    block = Attention.of(study.attention, kind=control, region_prior=None)  # matched or se
    return Cell(f"alexnet_{control}", study.networks.pretraining, block)


def _guides(study: Study) -> bool:
    """Whether anybody could say which parts people use; notebook 03 asks their answers."""
    return bool(study.attention.guide) or set(PARTS) <= set(study.morphs.conditions)


def _refuse_misfit(problems: list[Exception | None]) -> None:
    """A file of weights that fits no network at all is a mistake, whatever is to be done about
    missing ones.
    """
    wrong = [problem for problem in problems if isinstance(problem, weight_files.WrongArchitecture)]
    if wrong and None not in problems:
        raise wrong[0]


def _problem(study: Study, cell: Cell) -> Exception | None:
    """Why a cell's weights cannot be used, None where they can. A broken file is no such
    reason: it raises.
    """
    if cell.pretraining == "untrained" and not is_outside(cell.backbone):
        return None
    given = {"weights_dir": study.weights_dir, "face_weights": study.networks.face_weights}
    if not is_outside(cell.backbone):
        path = weight_files.find(cell.backbone, cell.pretraining, **given)
        if path is None:
            message = weight_files.missing_message(
                cell.backbone, cell.pretraining, study.networks.face_weights
            )
            return weight_files.MissingWeights(message)
        if weight_files.is_whole(path, cell.backbone):
            return None  # without torch, which takes seconds to load
    from lib.backbones.outside import load_backbone

    try:
        load_backbone(study, cell.backbone, cell.pretraining)
    except weight_files.MissingWeights as error:
        return error
    except weight_files.WrongArchitecture as error:  # one face file fits one architecture
        if cell.pretraining != "face":
            raise
        return error
    return None


def _reason(message: str) -> tuple[str, str]:
    reason, _, remedy = (
        message.partition(": ") if "`make weights`" in message else message.partition("; ")
    )
    return reason, remedy
