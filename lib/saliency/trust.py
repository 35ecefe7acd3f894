"""Is a saliency map to be believed? It must change when the weights do, and what it marks must
matter.

Cascading randomisation (Adebayo et al. 2018): from the answer backwards, layer after layer is drawn
anew; a map that stays the same shows the image, not the network. Deletion and insertion (Petsiuk et
al. 2018) with smooth, noisy imputation (Rong et al. 2022, "ROAD"): what a map calls evidence for
the positive pole must, when taken away, lower the log-odds.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence

import cv2
import numpy as np
import pandas as pd
import torch
from scipy.stats import spearmanr
from torch import nn

from lib.networks.network import Network
from lib.networks.panel import Panel
from lib.saliency.maps import enlarge, explain

CELL = 14  # pixels: pictures are taken away and given back in 16 x 16 cells


def cascade(network: Network, seed: int) -> Iterator[tuple[str, Network]]:
    """Copies of a network, randomised from the last layer backwards.

    Yields
    ------
    name of the layer drawn last (``trained`` first, then such as ``fc8``, …, ``attention``, conv5,
    …), and the network; the one given is left alone, the yielded ones are one object that changes.
    """
    changed = copy.deepcopy(network)
    generator = torch.Generator().manual_seed(seed)
    yield "trained", changed
    for name, layers in _backwards(changed):
        for layer in layers:
            _draw_anew(layer, generator)
        if name == "attention" and hasattr(changed.block, "position"):
            nn.init.zeros_(changed.block.position)
        yield name, changed


def _backwards(network: Network) -> list[tuple[str, list[nn.Module]]]:
    """Layers with weights from the answer to the image, by name; the block comes where it sits."""
    dense = [layer for layer in network.classifier if isinstance(layer, nn.Linear)]
    way = [(f"fc{5 + k}", [layer]) for k, layer in enumerate(dense, start=1)][::-1]
    convolutions = []
    count = 0
    for index, layer in enumerate(network.features):
        if isinstance(layer, nn.Conv2d):
            count += 1
            convolutions.append((f"conv{count}", [layer]))
        if index + 1 == network.cut and network.location is not None:
            inside = [m for m in network.block.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
            convolutions.append(("attention", inside))
    return way + convolutions[::-1]


def _draw_anew(layer: nn.Module, generator: torch.Generator) -> None:
    """He initialisation, which keeps the signal's size from layer to layer; biases 0.

    The same weights whichever order a convolution's have in memory.
    """
    with torch.no_grad():
        drawn = nn.init.kaiming_normal_(
            torch.empty(layer.weight.shape), nonlinearity="relu", generator=generator
        )
        layer.weight.copy_(drawn)
        if layer.bias is not None:
            layer.bias.zero_()


def cascade_rows(
    network: Network,
    images: np.ndarray,
    methods: Mapping[str, Callable[[Network, np.ndarray], np.ndarray]],
    seed: int,
) -> pd.DataFrame:
    """How alike each method's maps stay to the trained network's as weights are drawn anew.

    Parameters
    ----------
    methods : name -> a function of (network, images) that gives raw maps (n, h, w).

    Returns
    -------
    method, step, randomised (down to which layer), similarity (Spearman's correlation of the maps'
    sizes, mean over images; NaN where a map is constant), maps (raw, (n, h, w)).
    """
    rows = []
    first = {}
    for step, (name, changed) in enumerate(cascade(network, seed)):
        for method, maps_of in methods.items():
            maps = maps_of(changed, images)
            rows.append(
                {
                    "method": method,
                    "step": step,
                    "randomised": name,
                    "maps": maps,
                    "similarity": _rank_similarity(first.setdefault(method, maps), maps),
                }
            )
    return pd.DataFrame(rows)


def _rank_similarity(one: np.ndarray, other: np.ndarray) -> float:
    values = [
        spearmanr(np.abs(a).ravel(), np.abs(b).ravel()).statistic
        if np.ptp(a) and np.ptp(b)
        else np.nan
        for a, b in zip(one, other, strict=True)
    ]
    return float(np.nanmean(values)) if np.isfinite(values).any() else np.nan


def impute(
    image: np.ndarray, missing: np.ndarray, rng: np.random.Generator, noise: float = 4.0
) -> np.ndarray:
    """A picture whose missing pixels are filled from their neighbours, smoothly and with a little
    noise.

    Parameters
    ----------
    image : uint8 (H, W, 3). missing : bool (H, W). noise : SD in grey values.

    Notes
    -----
    Normalised convolution from fine to coarse: each scale fills what finer ones could not reach. A
    grey or black hole would be a shape of its own, which a network can see (Rong et al. 2022).
    """
    known = (~missing).astype(np.float32)
    visible = image * known[..., None]
    filled = visible.copy()
    reach = missing.copy()
    for factor in (1, 4, 16):  # the same blur on ever smaller copies
        weight = _blurred(known, factor)
        smooth = _blurred(visible, factor)
        now = reach & (weight > 0.05)
        filled[now] = smooth[now] / weight[now, None]
        reach &= ~now
    filled[reach] = image[~missing].mean(axis=0) if known.any() else 127.5
    filled[missing] += rng.normal(0, noise, (int(missing.sum()), 3))
    return np.clip(np.rint(filled), 0, 255).astype(np.uint8)


def _blurred(values: np.ndarray, factor: int) -> np.ndarray:
    """A Gaussian blur of 4 x factor pixels, computed on a copy smaller by the factor."""
    height, width = values.shape[:2]
    small = cv2.resize(
        values, (-(-width // factor), -(-height // factor)), interpolation=cv2.INTER_AREA
    )
    small = cv2.GaussianBlur(small, (0, 0), 4, borderType=cv2.BORDER_REPLICATE)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def cell_order(saliency: np.ndarray, cell: int = CELL) -> np.ndarray:
    """Cells of one enlarged map (H, W), from the highest mean to the lowest: flat indices."""
    rows, columns = (side // cell for side in saliency.shape)
    means = (
        saliency[: rows * cell, : columns * cell]
        .reshape(rows, cell, columns, cell)
        .mean(axis=(1, 3))
    )
    return np.argsort(-means.ravel(), kind="stable")


def without(
    image: np.ndarray, cells: np.ndarray, rng: np.random.Generator, cell: int = CELL
) -> np.ndarray:
    """The picture with some cells taken away and imputed."""
    missing = np.zeros((image.shape[0] // cell) * (image.shape[1] // cell), bool)
    missing[cells] = True
    grid = missing.reshape(image.shape[0] // cell, -1).repeat(cell, 0).repeat(cell, 1)
    mask = np.zeros(image.shape[:2], bool)
    mask[: grid.shape[0], : grid.shape[1]] = grid
    return impute(image, mask, rng)


def deletion_curve(
    network: Network,
    images: np.ndarray,
    orders: list[np.ndarray],
    fractions: np.ndarray,
    rng: np.random.Generator,
    *,
    insert: bool = False,
) -> np.ndarray:
    """Log-odds as cells go (or, with ``insert``, as cells come) in the given order.

    Parameters
    ----------
    images : uint8 (n, H, W, 3). orders : for each image, cell indices, first to go first.
    fractions : shares of the cells taken away (or shown).

    Returns
    -------
    float (n, len(fractions))
    """
    pictures = []
    for image, order in zip(images, orders, strict=True):
        for fraction in fractions:
            count = round(fraction * len(order))
            pictures.append(without(image, order[count:] if insert else order[:count], rng))
    return Panel(np.stack(pictures)).log_odds(network).reshape(len(images), len(fractions))


def faithfulness(
    network: Network,
    images: np.ndarray,
    maps: np.ndarray,
    fractions: np.ndarray,
    rng: np.random.Generator,
    *,
    insert: bool = False,
    at_random: bool = True,
) -> pd.DataFrame:
    """Deletion (or insertion) by a signed map, by the map turned round, and (where wanted) in
    random order.

    Parameters
    ----------
    maps : (n, H, W), enlarged, signed, + for the positive pole.

    Returns
    -------
    order (``positive first``, ``negative first``, ``random``), fraction, image, log_odds.

    Notes
    -----
    A faithful map makes *negative first* run above *positive first* in deletion: its mean lead is
    ``faithfulness_score``.
    """
    orders = {
        "positive first": [cell_order(m) for m in maps],
        "negative first": [cell_order(-m) for m in maps],
    }
    if at_random:
        orders["random"] = [rng.permutation(len(cell_order(m))) for m in maps]
    rows = []
    for name, order in orders.items():
        curve = deletion_curve(network, images, order, fractions, rng, insert=insert)
        rows += [
            {"order": name, "fraction": fraction, "image": image, "log_odds": curve[image, column]}
            for image in range(len(images))
            for column, fraction in enumerate(fractions)
        ]
    return pd.DataFrame(rows)


def faithfulness_score(curves: pd.DataFrame) -> np.ndarray:
    """For each image, how far *negative first* lies above *positive first*, in log-odds: mean over
    the fractions.
    """
    wide = curves.pivot_table(index="image", columns="order", values="log_odds")
    return (wide["negative first"] - wide["positive first"]).to_numpy()


def deletion_lead(
    network: Network,
    images: np.ndarray,
    method: str,
    rng: np.random.Generator,
    fractions: Sequence[float] = (0.1, 0.2, 0.35),
) -> float:
    """How far the log-odds part when what a network's map calls evidence for either pole is taken
    away.

    Parameters
    ----------
    images : uint8 (n, H, W, 3). method : of ``lib.saliency.maps.explain``.

    Returns
    -------
    The mean ``faithfulness_score`` over the images, in log-odds; 0 for maps that mark nothing that
    matters.
    """
    maps = enlarge(explain(network, images, method), images.shape[1])
    curves = faithfulness(network, images, maps, np.asarray(fractions), rng, at_random=False)
    return float(faithfulness_score(curves).mean())
