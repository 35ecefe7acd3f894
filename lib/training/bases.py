"""What networks of one backbone and pretraining share: convolutions, and images behind them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from lib.backbones import weights
from lib.backbones.outside import load_backbone
from lib.morphs.hiding import box_regions
from lib.networks.design import Cell, cells
from lib.networks.devices import Device
from lib.networks.network import build_cell
from lib.settings.options import resolve
from lib.storage.files import file_hashes, settings_hash
from lib.storage.runs import Run
from lib.training.features import channel_statistics, compute_features

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Base:
    """One set of convolutions with the images behind it: what cells of the same backbone and
    pretraining share.
    """

    maps: dict[int, Tensor]  # cut: (n, C, H, W)
    labels: np.ndarray  # (n,) 0 negative, 1 positive
    rows: dict[str, np.ndarray]
    standard: tuple[Tensor, Tensor] | None  # channel mean and SD for untrained convolutions
    key: str  # names images, labels, splits and weights
    regions: Mapping[str, np.ndarray]  # masks of the parts, for a region_prior


def base_name(cell: Cell) -> str:
    """What a cell's convolutions are called, such as ``vgg11 (imagenet)``."""
    return f"{cell.backbone} ({cell.pretraining})"


def groups(chosen: Iterable[Cell]) -> Iterator[list[Cell]]:
    """Cells that share their convolutions, together."""

    def shared(cell):
        return cell.backbone, cell.pretraining

    for _, group in groupby(sorted(chosen, key=shared), key=shared):
        yield list(group)


def make_bases(
    run: Run,
    chosen: Sequence[Cell],
    images: pd.DataFrame,
    device: Device,
    regions: Mapping[str, np.ndarray] | None = None,
) -> Iterator[tuple[list[Cell], Base]]:
    """The cells in groups that share convolutions, each with its base; every image is read once
    for all of them.
    """
    paths = list(images["path"])
    networks = {base_name(group[0]): convolutions(run, group) for group in groups(chosen)}
    maps = compute_features(networks, paths, device)
    read = file_hashes(map(resolve, paths))
    rows = {split: np.flatnonzero(images["split"] == split) for split in SPLITS}
    labels = (images["label"] == run.study.positive).to_numpy().astype(np.int64)
    regions = regions or box_regions(run.study.morphs.boxes)
    for group in groups(chosen):
        features = networks[base_name(group[0])][0]
        own = maps[base_name(group[0])]
        key = settings_hash(
            read, labels.tolist(), list(images["split"]), weights.features_hash(features)
        )
        standard = None
        if group[0].pretraining == "untrained":
            standard = channel_statistics(own[len(features)], rows["train"], device)
        yield group, Base(own, labels, rows, standard, key, regions)


def make_base(
    run: Run,
    group: Sequence[Cell],
    images: pd.DataFrame,
    device: Device,
    regions: Mapping[str, np.ndarray] | None = None,
) -> Base:
    """The base of one group."""
    return next(make_bases(run, group, images, device, regions))[1]


def load_base_features(run: Run, cell: Cell) -> nn.Sequential:
    """The convolutions of a cell."""
    return load_backbone(run.study, cell.backbone, cell.pretraining).features


def convolutions(run: Run, group: Sequence[Cell]) -> tuple[nn.Sequential, set[int]]:
    """A group's convolutions, and behind which layers the group and the study's others need the
    images.

    Untrained ones are also needed to their end, whose channels are standardised.
    """
    features = load_base_features(run, group[0])
    base = (group[0].backbone, group[0].pretraining)
    others = [cell for cell in cells(run.study)[0] if (cell.backbone, cell.pretraining) == base]
    different = {replace(cell, seed=0) for cell in [*group, *others]}
    cuts = {build_cell(cell, run.study, empty=True).cut for cell in different}
    return features, cuts | ({len(features)} if group[0].pretraining == "untrained" else set())


def weight_proofs(run: Run, chosen: Iterable[Cell]) -> pd.DataFrame:
    """Table ``weights``: one row per architecture and pretraining, read from the networks
    themselves.
    """
    rows = {}
    for cell in chosen:
        if (cell.architecture, cell.pretraining) not in rows:
            loaded = load_backbone(run.study, cell.backbone, cell.pretraining)
            rows[cell.architecture, cell.pretraining] = {
                "architecture": cell.architecture,
                "pretraining": cell.pretraining,
                **loaded.proof,
            }
    return pd.DataFrame(list(rows.values()))


def on_gpu(maps: Tensor, device: Device) -> Tensor:
    """The maps on the GPU where they fill less than half of its free memory, else as they are."""
    if device.name != "cuda" or maps.is_cuda:
        return maps
    torch.cuda.empty_cache()  # memory that torch keeps for later counts as taken
    fits = maps.nbytes < 0.5 * torch.cuda.mem_get_info()[0]
    return maps.to(device.name) if fits else maps
