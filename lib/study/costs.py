"""How long a run takes and how much disk it needs: a simple model with constants measured on two
processor cores.

seconds = images x work of the convolutions / rate  +  steps x size of the head / rate  +  heads
made and kept  + pictures drawn  +  a fixed amount for each notebook.
``tests/benchmarks/bench_costs.py`` measures rates and pictures anew; KEEP_S, NOTEBOOK_S and
SALIENCY_S were fitted to whole runs. On the cores where they were measured (two with bf16, two
others without) it is right to about a factor of 1.5; a GPU takes a small part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lib.backbones.weight_files import short_name
from lib.networks.design import Cell
from lib.settings.options import Study

# of torchvision's networks at 224 x 224: multiplications of the convolutions (10^9), numbers that
# leave them, parameters of the classifier with two classes (10^6)
WORK = {"alexnet": 0.66, "vgg11": 7.49, "vgg13": 11.19, "vgg16": 15.35}
NUMBERS = {"alexnet": 9_216, "vgg11": 25_088, "vgg13": 25_088, "vgg16": 25_088}
HEAD = {"alexnet": 54.5, "vgg11": 119.6, "vgg13": 119.6, "vgg16": 119.6}
# of a network from outside, about: as of ResNet50
OTHER_WORK = 4.1
OTHER_NUMBERS = 2_048
OTHER_HEAD = 0.01
AT_BLOCK = 64_896  # numbers at conv3 of AlexNet, where the default attention stage reads them

# measured, two cores
CONVOLUTION_RATE = {"bf16": 160.0, "fp32": 60.0}  # 10^9 multiplications a second
# 10^6 head parameters: a step's products for one image, and Adam's update, whatever the batch
PRODUCTS_S = {"bf16": 1.45e-5, "fp32": 3.9e-5}
UPDATE_S = 1.7e-3
KEEP_S = 0.03  # 10^6 head parameters: made, judged and written
DRAW_S = 0.008  # a built-in face or a morph, drawn and saved
NOTEBOOK_S = 15.0  # start, imports, figures, and what does not depend on the study; each notebook
BOOTSTRAP_S = 2e-5  # one curve of one bootstrap sample
SALIENCY_S = 0.5  # one network and one face: all maps
PICTURE_MB = 0.151


@dataclass(frozen=True)
class Cost:
    """What a run from nothing takes: wall-clock seconds and disk space."""

    seconds: float
    gigabytes: float


def expected_cost(
    study: Study,
    cells: Sequence[Cell],
    n_images: int,
    n_stimuli: int,
    grid: Sequence[Cell] = (),
    *,
    precision: str = "fp32",
) -> Cost:
    """The expected cost of a study.

    Parameters
    ----------
    cells : the networks to train. n_images : in all three splits. n_stimuli : test pictures.
    grid : networks that are trained and asked, but not kept or looked into.
    precision : ``fp32`` or ``bf16``, in which networks are computed.
    """
    bases = {(cell.backbone, cell.pretraining) for cell in [*cells, *grid]}
    passes = (
        sum(WORK.get(short_name(backbone), OTHER_WORK) for backbone, _ in bases)
        * (n_images + n_stimuli)
        / CONVOLUTION_RATE[precision]
    )
    share = (
        0.8 if study.images.n_train is None else min(1.0, study.images.n_train / max(1, n_images))
    )
    steps = study.training.epochs * max(1.0, share * n_images / study.training.batch)
    step_s = study.training.batch * PRODUCTS_S[precision] + UPDATE_S
    training = sum(_head(cell) for cell in [*cells, *grid]) * (steps * step_s + KEEP_S)
    drawn = n_images * (study.images.source == "builtin") + n_stimuli * (
        study.morphs.source != "folder"
    )
    curves = (len(cells) + study.observers.simulated.n) * len(study.morphs.conditions)
    rest = (
        DRAW_S * drawn
        + 5 * NOTEBOOK_S
        + BOOTSTRAP_S * curves * study.statistics.n_boot
        + SALIENCY_S * len(cells) * study.saliency.faces * len(study.saliency.levels)
    )
    return Cost(
        passes + training + rest, _gigabytes(cells, bases, precision, n_images + n_stimuli, drawn)
    )


def _numbers(base: tuple[str, str]) -> int:
    """Numbers that leave the convolutions of a backbone and pretraining."""
    return NUMBERS.get(short_name(base[0]), OTHER_NUMBERS)


def _head(cell: Cell) -> float:
    """10^6 parameters of a cell's head."""
    return HEAD.get(short_name(cell.backbone), OTHER_HEAD)


def _gigabytes(
    cells: Sequence[Cell], bases: set, precision: str, n_pictures: int, drawn: int
) -> float:
    """Features of every picture, one head for each network, and the pictures drawn."""
    size = 2 if precision == "bf16" else 4
    blocks = {(cell.backbone, cell.pretraining) for cell in cells if cell.attention is not None}
    features = size * n_pictures * (sum(map(_numbers, bases)) + AT_BLOCK * len(blocks))
    heads = size * 1e6 * sum(map(_head, cells))
    return (features + heads + 1e6 * PICTURE_MB * drawn) / 1e9
