"""Hiding a part of a face, and the control patch of exactly the same area away from the parts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np


def occlude(image: np.ndarray, mask: np.ndarray, grey: float | None = None) -> np.ndarray:
    """A copy of the picture with the masked pixels in one grey.

    Parameters
    ----------
    image : uint8 (H, W, 3).
    mask : bool (H, W).
    grey : 0 to 255; None takes the picture's own mean grey, so that the patch is neither bright nor
        dark in it.

    Raises
    ------
    ValueError : a mask of another shape.
    """
    if mask.shape != image.shape[:2]:
        raise ValueError(
            f"mask of shape {mask.shape} given for a picture of shape {image.shape}; allowed: "
            f"{image.shape[:2]}"
        )
    hidden = image.copy()
    hidden[mask] = round(float(image.mean() if grey is None else grey))
    return hidden


def control_patch(
    mask: np.ndarray, regions: Mapping[str, np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """A patch of exactly the mask's area that touches no part.

    It is the mask itself moved to a random place where it fits whole, among the quarter of such
    places that are nearest to the middle of the parts (so that it hides face rather than
    background); where it fits nowhere, a compact patch of the same number of pixels grown from a
    random pixel.

    Parameters
    ----------
    mask : bool (H, W), the part that is hidden in the experimental condition.
    regions : bool (H, W) for each part; the patch avoids them all, and the mask.

    Returns
    -------
    bool (H, W)

    Raises
    ------
    ValueError : fewer free pixels than the mask has.
    """
    if problem := no_room(mask, regions):
        raise ValueError(problem)
    taken = np.logical_or.reduce([mask, *regions.values()])
    area = int(mask.sum())
    if area == 0:
        return np.zeros_like(mask)
    moved = _moved(mask, taken, rng)
    return _grown(area, taken, rng) if moved is None else moved


def no_room(mask: np.ndarray, regions: Mapping[str, np.ndarray]) -> str:
    """Why no control patch fits beside the parts, with the remedy; empty where one does."""
    free = int((~np.logical_or.reduce([mask, *regions.values()])).sum())
    if mask.sum() <= free:
        return ""
    return (
        f"a control patch of {int(mask.sum())} pixels is asked for, and {free} pixels lie off the "
        "parts. Use smaller regions (morphs.boxes)"
    )


def _moved(mask: np.ndarray, taken: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """The mask's own shape at a random free place, or None."""
    rows = np.flatnonzero(mask.any(1))
    columns = np.flatnonzero(mask.any(0))
    shape = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    places = _free_places(shape.tobytes(), shape.shape, taken.tobytes(), taken.shape)
    if not len(places):
        return None
    row, column = places[rng.integers(-(-len(places) // 4))]
    patch = np.zeros_like(mask)
    patch[row : row + shape.shape[0], column : column + shape.shape[1]] = shape
    return patch


@lru_cache(maxsize=64)  # every network is asked about the same faces
def _free_places(
    shape: bytes, size: tuple[int, int], taken: bytes, whole: tuple[int, int]
) -> np.ndarray:
    """Where a shape covers nothing that is taken, (n, 2) first row and column, nearest to the
    middle first.
    """
    from scipy.signal import fftconvolve  # here, for it takes a second

    shape, taken = (
        np.frombuffer(given, bool).reshape(n) for given, n in ((shape, size), (taken, whole))
    )
    # how many taken pixels the shape would cover at each place where it lies whole inside the
    # picture
    overlap = np.round(
        fftconvolve(taken.astype(float), shape[::-1, ::-1].astype(float), mode="valid")
    )
    places = np.argwhere(overlap == 0)
    middle = np.argwhere(taken).mean(0) - (np.array(size) - 1) / 2
    return places[np.argsort(np.hypot(*(places - middle).T), kind="stable")]


def _grown(area: int, taken: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The free pixels nearest to a random free pixel."""
    from scipy.ndimage import distance_transform_edt

    free = np.argwhere(~taken)
    start = np.ones(taken.shape, bool)
    start[tuple(free[rng.integers(len(free))])] = False
    distance = np.where(taken, np.inf, distance_transform_edt(start)).ravel()
    patch = np.zeros(taken.size, bool)
    patch[np.argsort(distance, kind="stable")[:area]] = True
    return patch.reshape(taken.shape)


def box_regions(boxes: Mapping[str, tuple[int, ...]], size: int = 224) -> dict[str, np.ndarray]:
    """Fixed boxes as masks; each box is first and last column, first and last row, in pixels of
    224, both included.
    """
    regions = {}
    for part, box in boxes.items():
        first_column, last_column, first_row, last_row = (round(v * size / 224) for v in box)
        regions[part] = np.zeros((size, size), bool)
        regions[part][first_row : last_row + 1, first_column : last_column + 1] = True
    return regions
