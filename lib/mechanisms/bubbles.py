"""Bubbles: which parts of a face, when seen alone, let a network tell happy from sad (Gosselin &
Schyns 2001).

Faces are shown through a few Gaussian holes at random places. Where holes help the right answer,
the mask correlates with the evidence for it: the classification image, a behavioural map that no
gradient has a part in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from lib.networks.network import Network, preprocess
from lib.networks.panel import shared_log_odds

# masks are kept at a quarter of the picture's resolution: the holes are far wider than 4 pixels
GRID = 56


@dataclass(frozen=True)
class ClassificationImage:
    """Correlation of the mask with the evidence for the right answer, and what chance gives.

    z : float (GRID, GRID), Fisher z times sqrt(n - 3), about standard normal under the null.
    threshold : the z that the largest of chance's images exceeds in 5 % of the shuffles.
    n : number of trials.
    """

    z: np.ndarray
    threshold: float
    n: int


def bubble_masks(
    n: int, rng: np.random.Generator, *, holes: int = 12, width: float = 12.0, size: int = 224
) -> np.ndarray:
    """Windows through which a face is seen.

    Parameters
    ----------
    holes : Gaussian holes a mask, at uniform places.
    width : their standard deviation in pixels of the full picture.

    Returns
    -------
    float32 (n, GRID, GRID), 0 hidden to 1 visible
    """
    scale = GRID / size
    axis = np.arange(GRID, dtype=np.float32) + 0.5
    centres = rng.uniform(0, GRID, size=(n, holes, 2)).astype(np.float32)
    curves = np.exp(
        -((axis - centres[..., None]) ** 2) / (2 * (width * scale) ** 2)
    )  # (n, holes, 2, GRID)
    return 1 - np.prod(1 - curves[:, :, 0, :, None] * curves[:, :, 1, None, :], axis=1)


def through(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Pictures seen through masks; what is hidden shows the picture's own mean colour: uint8
    (n, H, W, 3).
    """
    shown = np.empty_like(images)
    for row, (image, mask) in enumerate(zip(images, masks, strict=True)):
        visible = cv2.resize(mask, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)[..., None]
        grey = image.mean(axis=(0, 1))
        shown[row] = np.clip(np.rint(grey + visible * (image - grey)), 0, 255)
    return shown


def bubble_trials(
    networks: Sequence[Network],
    images: np.ndarray,
    labels: np.ndarray,
    n: int,
    rng: np.random.Generator,
    *,
    batch: int = 128,
    **bubbles,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Show ``n`` masked faces, the same to all networks.

    Parameters
    ----------
    networks : with the same convolutions. images : uint8 (k, H, W, 3). labels : (k,), 0 sad, 1
        happy.

    Returns
    -------
    masks (n, GRID, GRID); which image each trial showed (n,); evidence for its right answer
    (n_networks, n).
    """
    masks, shown = bubble_masks(n, rng, size=images.shape[1], **bubbles), np.arange(n) % len(images)
    parts = [
        shared_log_odds(
            networks,
            preprocess(through(images[shown[first : first + batch]], masks[first : first + batch])),
        )
        for first in range(0, n, batch)
    ]
    return masks, shown, torch.cat(parts, dim=1).numpy() * (2 * np.asarray(labels)[shown] - 1)


def classification_image(
    masks: np.ndarray,
    evidence: np.ndarray,
    stimulus: np.ndarray,
    rng: np.random.Generator,
    *,
    n_permutations: int = 200,
) -> ClassificationImage:
    """Where being seen helps.

    Parameters
    ----------
    masks : (n, GRID, GRID).
    evidence : (n,), log-odds of the *right* answer: the happy - sad log-odds on happy faces, its
        negative on sad.
    stimulus : (n,) which face each trial showed; every face's own mean evidence is taken out.

    Raises
    ------
    ValueError : fewer than 20 trials.
    """
    if len(masks) < 20:
        raise ValueError(f"{len(masks)} trials given; allowed: 20 and more, better several hundred")
    pixels = _standard(masks.reshape(len(masks), -1).astype(float))
    residual = evidence - _group_means(evidence, stimulus)
    z = _fisher(pixels, _standard(residual), GRID)
    largest = [
        np.abs(_fisher(pixels, _standard(rng.permutation(residual)), GRID)).max()
        for _ in range(n_permutations)
    ]
    return ClassificationImage(z, float(np.quantile(largest, 0.95)), len(masks))


def _group_means(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    _, index = np.unique(groups, return_inverse=True)
    return (np.bincount(index, values) / np.bincount(index))[index]


def _standard(values: np.ndarray) -> np.ndarray:
    spread = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)


def _fisher(pixels: np.ndarray, outcome: np.ndarray, side: int) -> np.ndarray:
    correlation = np.clip(outcome @ pixels / len(outcome), -0.999999, 0.999999)
    return (np.arctanh(correlation) * np.sqrt(len(outcome) - 3)).reshape(side, side)
