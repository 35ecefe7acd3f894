"""What can tell pictures apart that is no face: traces of JPEG, brightness, grey values, spectrum,
and patches without their places.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.fft import dctn

_DIAGONAL = np.add.outer(np.arange(8), np.arange(8))


@dataclass(frozen=True)
class Cue:
    """Something that can tell pictures apart, and how far above chance it may be.

    ``margin`` is what the lower end of the interval may reach above 0.5. Files and compression
    carry no expression, so theirs is small. Grey values, spectrum and patches carry a little of it
    (teeth, wrinkles), so theirs is larger.
    """

    name: str
    kind: str  # files, compression or picture
    margin: float
    features: Callable[[np.ndarray], np.ndarray]
    cause: str
    more: str = ""  # what more of the first feature is


def brightness(grey: np.ndarray) -> np.ndarray:
    """Mean and standard deviation of the grey values, (2,)."""
    return np.array([grey.mean(), grey.std()])


def histogram(grey: np.ndarray) -> np.ndarray:
    """Roots of the shares of 32 steps of grey, (32,)."""
    return np.sqrt(np.histogram(grey, 32, (0, 256))[0] / grey.size)


def spectrum(grey: np.ndarray) -> np.ndarray:
    """Log power at 1 to 31 cycles a picture, over all directions, (31,)."""
    small = cv2.resize(grey, (64, 64), interpolation=cv2.INTER_AREA)
    window = np.outer(np.hanning(64), np.hanning(64))
    power = np.log(np.abs(np.fft.fft2((small - small.mean()) * window)) ** 2 + 1)
    along = np.abs(np.fft.fftfreq(64, 1 / 64))
    ring = np.hypot(along[:, None], along).astype(int)
    return np.array([power[ring == cycles].mean() for cycles in range(1, 32)])


def patches(grey: np.ndarray) -> np.ndarray:
    """What patches of 8 x 8 hold when nobody knows where they were, (128,).

    Mean and spread of each cosine coefficient over the 36 patches of the picture at 48 x 48: they
    are the same for every shuffling of the patches.
    """
    waves = _waves(cv2.resize(grey, (48, 48), interpolation=cv2.INTER_AREA)).reshape(36, 64)
    return np.log1p(np.concatenate([np.abs(waves).mean(0), waves.std(0)]))


def jpeg_blocks(grey: np.ndarray) -> np.ndarray:
    """Traces of JPEG's blocks of 8 x 8 pixels, (30,).

    Steps between neighbouring columns and rows by their place in the block, and how many more
    cosine coefficients vanish on JPEG's grid than on one that is moved by half a block: a soft
    picture has few on both, a compressed one on its own grid only.
    """
    steps = []
    for picture in (grey, grey.T):
        change = np.abs(np.diff(picture, axis=1)).mean(0) + 0.1
        place = np.array([change[k::8].mean() for k in range(8)])
        steps.append(np.log(place / place.mean()))
    gone = [(np.abs(_waves(grey[k:, k:])) < 0.6).mean(0) for k in (0, 4)]
    more = [(gone[0] - gone[1])[k == _DIAGONAL].mean() for k in range(1, 15)]
    return np.concatenate([*steps, more])


def _waves(grey: np.ndarray) -> np.ndarray:
    """Cosine coefficients of the whole blocks of 8 x 8, (blocks, 8, 8)."""
    rows, columns = (n // 8 for n in grey.shape)
    blocks = grey[: 8 * rows, : 8 * columns].reshape(rows, 8, columns, 8)
    return dctn(blocks.transpose(0, 2, 1, 3).reshape(-1, 8, 8), axes=(1, 2), norm="ortho")


CUES = (
    Cue(
        "traces of JPEG",
        "compression",
        0.1,
        jpeg_blocks,
        "one class was once saved as JPEG, or at another quality, as where the classes come from "
        "two copies of a set: take both from one copy",
        "more traces of JPEG",
    ),
    Cue(
        "brightness and contrast",
        "picture",
        0.2,
        brightness,
        "one class was photographed or processed otherwise: take both from one source",
        "higher grey values",
    ),
    Cue(
        "histogram of grey values",
        "picture",
        0.2,
        histogram,
        "one class was processed otherwise (contrast, background): take both from one source",
    ),
    Cue(
        "spectrum",
        "picture",
        0.25,
        spectrum,
        "one class is sharper or noisier (camera, resizing, compression): take both from one "
        "source",
    ),
    Cue(
        "shuffled patches",
        "picture",
        0.4,
        patches,
        "texture alone tells the classes apart, wherever it is; teeth and wrinkles do so a little",
    ),
)
FILES = Cue(
    "file format, size and mode",
    "files",
    0.05,
    brightness,
    "the classes come from different files: save all in one format, size and mode",
)
