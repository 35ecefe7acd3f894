"""Tables about the networks themselves: parameters against the published counts, bf16 against
fp32.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from lib.backbones.weight_files import is_outside
from lib.backbones.weights import torchvision_weights
from lib.networks.answers import answer
from lib.networks.attention_maps import without_block
from lib.networks.design import Cell
from lib.networks.devices import Device, choose_device
from lib.networks.network import build_cell, parameter_counts, preprocess
from lib.pictures.reading import read_image
from lib.settings.options import resolve
from lib.storage.runs import Run
from lib.training.checkpoints import load_trained


def network_table(run: Run, chosen: Iterable[Cell]) -> pd.DataFrame:
    """How large each architecture is.

    Returns
    -------
    architecture, features, block, classifier, all, trained (parameters); with_1000_outputs (all but
    the block, if the last layer had ImageNet's 1000 outputs) and published (what torchvision
    records): these two must agree. Both are empty for networks from outside.
    """
    rows = []
    for architecture in dict.fromkeys(cell.architecture for cell in chosen):
        cell = replace(next(c for c in chosen if c.architecture == architecture), seed=0)
        counts = parameter_counts(network := build_cell(cell, run.study, empty=True))
        last = network.classifier[-1]
        more = (1000 - last.out_features) * (last.in_features + 1)
        full_size = counts["all"] - counts["block"] + more if network.maps else pd.NA
        rows.append(
            {
                "architecture": architecture,
                **counts,
                "with_1000_outputs": full_size,
                "published": published(cell.backbone),
            }
        )
    counted = {"with_1000_outputs": "Int64", "published": "Int64"}
    return pd.DataFrame(rows).astype(counted)


def published(backbone: str) -> int | None:
    """What torchvision records of the published network; None for one from outside."""
    return None if is_outside(backbone) else torchvision_weights(backbone).meta["num_params"]


def precision_check(run: Run, cell: Cell, stimuli: pd.DataFrame, n: int = 64) -> dict:
    """A trained network's p_happy in the study's precision against fp32, from the picture on.

    Returns
    -------
    n, precision, largest and mean absolute difference, flipped (answers that change sides).
    """
    chosen = stimuli.iloc[np.unique(np.linspace(0, len(stimuli) - 1, n).astype(int))]
    images = np.stack([read_image(resolve(path)) for path in chosen["path"]])
    device = choose_device(run.study.training)
    network = load_trained(run, cell)
    used, exact = (
        answer(network, images, d).p_happy for d in (device, Device(device.name, torch.float32))
    )
    gap = np.abs(used - exact)
    return {
        "n": len(chosen),
        "precision": device.precision,
        "largest": float(gap.max()),
        "mean": float(gap.mean()),
        "flipped": int(((used > 0.5) != (exact > 0.5)).sum()),
    }


@torch.no_grad()
def start_check(
    run: Run, chosen: Iterable[Cell], stimuli: pd.DataFrame, n: int = 4
) -> pd.DataFrame:
    """FE-AlexNet's logits before training against AlexNet's of the same seed.

    On the first ``n`` pictures, one row an architecture (seed 0).

    Returns
    -------
    architecture, attention, untrained (largest difference as training begins), gain_0 (the same
    with a last layer that is drawn at random and the block taken out).
    """
    images = preprocess(np.stack([read_image(resolve(path)) for path in stimuli["path"][:n]]))
    rows = []
    for cell in {c.architecture: replace(c, seed=0) for c in chosen}.values():
        plain = build_cell(replace(cell, architecture="alexnet", attention=None), run.study)(images)
        network = build_cell(cell, run.study)
        untrained = float((network(images) - plain).abs().max())
        for layer in network.block.last_layers():
            torch.nn.init.ones_(layer.weight)
        with without_block(network):
            out = float((network(images) - plain).abs().max())
        rows.append([cell.architecture, cell.attention_name, untrained, out])
    return pd.DataFrame(rows, columns=["architecture", "attention", "untrained", "gain_0"])
