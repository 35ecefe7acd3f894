"""Bubbles: which parts of a face, when seen alone, let an observer tell the poles apart (Gosselin &
Schyns 2001).

Faces are shown through a few Gaussian holes at random places. Where holes help the right answer,
the mask correlates with the evidence for it: the classification image, a behavioural map that no
gradient has a part in. Networks give log-odds, people choices; the arithmetic is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd

# masks are kept at a quarter of the picture's resolution: the holes are far wider than 4 pixels
GRID = 56
CHANCE = 0.95  # of chance's images stay below the threshold everywhere


@dataclass(frozen=True)
class ClassificationImage:
    """Correlation of the mask with the evidence for the right answer, and what chance gives.

    z : float (GRID, GRID), Fisher z times sqrt(n - 3), about standard normal under the null.
    threshold : the z that the largest of chance's images exceeds in 5 % of the shuffles: where z is
        above it, being seen helps, whatever the number of places looked at.
    n : number of trials.
    chance : float (n_permutations, GRID, GRID), z of shuffled trials; empty where not kept.
    """

    z: np.ndarray
    threshold: float
    n: int
    chance: np.ndarray | None = None

    @property
    def smallest(self) -> float:
        """The smallest correlation of a place with the evidence that so many trials can show."""
        return float(np.tanh(self.threshold / np.sqrt(self.n - 3)))


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
    distance = axis - centres[..., None]  # (n, holes, 2, GRID)
    curves = np.exp(-(distance**2) / (2 * (width * scale) ** 2))
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
    evidence : (n,), log-odds of the *right* answer: positive - negative on faces of the positive
        pole, turned round on the others; of people, 1 for a right answer and 0 for a wrong one.
    stimulus : (n,) which face each trial showed; every face's own mean evidence is taken out.

    Raises
    ------
    ValueError : fewer than 20 trials.
    """
    if len(masks) < 20:
        raise ValueError(f"{len(masks)} trials given; allowed: 20 and more, better several hundred")
    pixels = _standard(masks.reshape(len(masks), -1).astype(np.float32))
    residual = evidence - _group_means(evidence, stimulus)
    z = _fisher(pixels, _standard(residual)[None])[0]
    shuffled = np.stack([rng.permutation(residual) for _ in range(n_permutations)])
    chance = _fisher(pixels, _standard(shuffled.T).T)
    largest = np.abs(chance).max(axis=(1, 2))
    return ClassificationImage(z, float(np.quantile(largest, CHANCE)), len(masks), chance)


def part_marks(found: ClassificationImage, regions: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """What a classification image says of each part.

    Parameters
    ----------
    regions : part -> bool (H, W) of the picture, or (n, H, W), which are averaged.

    Returns
    -------
    part, z (mean over the part), high (what the best part's mean exceeds in 5 % of the shuffles),
    marked (z above high).
    """
    weights = {}
    for part, mask in regions.items():
        shown = mask.astype(np.float32) if mask.ndim == 2 else mask.mean(axis=0, dtype=np.float32)
        small = cv2.resize(shown, (GRID, GRID), interpolation=cv2.INTER_AREA)
        weights[part] = small / small.sum()
    means = {part: float((found.z * weight).sum()) for part, weight in weights.items()}
    chance = np.stack([(found.chance * weight).sum(axis=(1, 2)) for weight in weights.values()])
    high = float(np.quantile(chance.max(axis=0), CHANCE))
    rows = [{"part": p, "z": z, "high": high, "marked": z > high} for p, z in means.items()]
    return pd.DataFrame(rows)


def _group_means(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    _, index = np.unique(groups, return_inverse=True)
    return (np.bincount(index, values) / np.bincount(index))[index]


def _standard(values: np.ndarray) -> np.ndarray:
    spread = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)


def _fisher(pixels: np.ndarray, outcomes: np.ndarray) -> np.ndarray:
    """z of every place (pixels are (n, places)) with each outcome (k, n): (k, GRID, GRID)."""
    n = len(pixels)
    correlation = np.clip(outcomes.astype(np.float32) @ pixels / n, -0.999999, 0.999999)
    return (np.arctanh(correlation) * np.sqrt(n - 3)).reshape(-1, GRID, GRID)
