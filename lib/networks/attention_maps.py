"""What a trained block does: the network without it, and its attention maps of chosen faces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd
import torch

from lib.morphs.stimuli import regions_of
from lib.networks.network import Network, box_regions, preprocess
from lib.pictures.reading import read_image
from lib.settings.options import Study, resolve


def chosen_faces(stimuli: pd.DataFrame, n: int = 3) -> pd.DataFrame:
    """Whole faces of the first identity along its morph: ``n`` rows, evenly spaced."""
    full = stimuli[stimuli["condition"] == "full"]
    one = full[full["identity"] == full["identity"].iloc[0]].sort_values("level")
    return one.iloc[np.linspace(0, len(one) - 1, min(n, len(one))).round().astype(int)]


@contextmanager
def without_block(network: Network) -> Iterator[None]:
    """The block is out of the network while this lasts: its gain is 0."""
    if not hasattr(network.block, "gain"):
        yield
        return
    gain = network.block.gain.clone()
    network.block.gain.zero_()
    try:
        yield
    finally:
        network.block.gain.copy_(gain)


def map_of(network: Network, faces: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Attention maps (n, N, N), heads averaged, and the pictures, uint8 (n, 224, 224, 3).

    Raises
    ------
    ValueError : a network without self-attention.
    """
    pictures = np.stack([read_image(resolve(path)) for path in faces["path"]])
    with torch.no_grad():
        maps = network.eval().attention_map(preprocess(pictures).to(network.mean.device))
    return maps.mean(dim=1).cpu().numpy(), pictures


def part_masks(study: Study, images: pd.DataFrame) -> dict[str, np.ndarray]:
    """Where the parts lie in the faces that a network is trained on, never in those of the test.

    Parameters
    ----------
    images : table ``images``.

    Returns
    -------
    part -> (n, 224, 224), one mask a training face, where the study knows its faces' parts;
    otherwise the study's boxes, (224, 224).
    """
    if study.morphs.regions == "truth" and study.images.source == "builtin":
        return regions_of(study, images[images["split"] == "train"].drop_duplicates("identity"))
    return box_regions(study.morphs.boxes)


def place_of(mask: np.ndarray, n_places: int) -> tuple[int, int]:
    """(row, column) on the attention grid of n_places of the middle of a part.

    Parameters
    ----------
    mask : of the part, (height, width), or (n, height, width), which are averaged; see
        ``lib.morphs.stimuli.regions_of``.
    """
    share = np.asarray(mask, float)
    share = share.mean(axis=0) if share.ndim == 3 else share
    side = round(n_places**0.5)
    middle = [
        (share.sum(axis=1 - axis) * (np.arange(size) + 0.5)).sum() / share.sum() / size
        for axis, size in enumerate(share.shape)
    ]
    return int(middle[0] * side), int(middle[1] * side)
