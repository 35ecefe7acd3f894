"""Built-in faces: parametric people whose expression moves from fully sad to fully happy.

A face is drawn in four steps: the layers of a person that never move (kept between calls), the
moving features, the layers over them, and then nuisance: pose, light, background, blur, sensor
noise. Photographs cannot say where exactly a part is or how diagnostic it is; these faces can:
``part_regions`` and ``diagnosticity``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import cv2
import numpy as np

from lib.faces.drawing import SPAN, Canvas, Points, Shape, hull
from lib.faces.features import eye_shapes, nose_shapes
from lib.faces.head import over_shapes, under_shapes
from lib.faces.identity import Identity, make_identity
from lib.faces.mouth import mouth_shapes
from lib.faces.photograph import Nuisance, blur_reach, half, photograph, pose_maps, shade
from lib.settings.options import PARTS

__all__ = [
    "PARTS",
    "Identity",
    "Nuisance",
    "control_points",
    "make_identity",
    "part_regions",
    "render_face",
]


def feature_shapes(person: Identity, part: str, e: float) -> list[Shape]:
    """What of a part moves, in drawing order."""
    return {"eyes": eye_shapes, "nose": nose_shapes, "mouth": mouth_shapes}[part](person, e)


def control_points(person: Identity, part: str, e: float) -> Points:
    """All points of a part's moving shapes, (n, 2), affine in ``e``."""
    return np.vstack([shape.points for shape in feature_shapes(person, part, e)])


def render_face(
    identity: Identity,
    level: float,
    *,
    nuisance: Nuisance | None = None,
    diagnosticity: Mapping[str, float] | None = None,
    size: int = 224,
) -> np.ndarray:
    """One picture of a face.

    Parameters
    ----------
    level : 0 fully sad to 1 fully happy; 0.5 lies exactly midway.
    nuisance : light, pose, blur and background; None is neutral.
    diagnosticity : how much of the expression each part carries, 0 to 1; parts not named carry all
        of theirs.

    Returns
    -------
    uint8 (size, size, 3), RGB

    Raises
    ------
    ValueError : a level outside [0, 1], an unknown part, a weight outside [0, 1], a size below 16.
    """
    weights = _checked(level, diagnosticity, size)
    nuisance = nuisance or Nuisance.neutral()
    shapes = [
        s for part in PARTS for s in feature_shapes(identity, part, weights[part] * (2 * level - 1))
    ]
    pixels = _painted(identity, shapes, size)
    maps = pose_maps(nuisance, size)
    face = cv2.remap(pixels, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return photograph(
        face,
        cv2.remap(
            shade(identity, nuisance, size),
            *half(maps),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        nuisance,
        size,
    )


def part_regions(
    identity: Identity, *, nuisance: Nuisance | None = None, size: int = 224
) -> dict[str, np.ndarray]:
    """Where the parts are: eyes with brows, nose, mouth.

    Returns
    -------
    dict of bool (size, size). Every pixel that the expression can change lies in the region of its
    part, at all levels; in neutral pose the regions do not overlap.
    """
    if size < 16:
        raise ValueError(f"size {size} given; allowed: 16 pixels or more")
    nuisance = nuisance or Nuisance.neutral()
    maps = pose_maps(nuisance, size)
    blurred = blur_reach(nuisance, size)
    regions = {}
    for part, outline in _outlines(identity).items():
        mask = cv2.remap(Canvas(size).mask([outline]), *maps, cv2.INTER_LINEAR)
        if blurred:
            mask = cv2.dilate(mask, np.ones((2 * blurred + 1,) * 2, np.uint8))
        regions[part] = mask > 0
    return regions


def _checked(
    level: float, diagnosticity: Mapping[str, float] | None, size: int
) -> dict[str, float]:
    weights = dict.fromkeys(PARTS, 1.0) | dict(diagnosticity or {})
    if not 0 <= level <= 1:
        raise ValueError(f"level {level} given; allowed: 0 (fully sad) to 1 (fully happy)")
    if size < 16:
        raise ValueError(f"size {size} given; allowed: 16 pixels or more")
    if unknown := set(weights) - set(PARTS):
        raise ValueError(
            f"diagnosticity of {', '.join(sorted(unknown))} given; allowed "
            f"parts: {', '.join(PARTS)}"
        )
    if wrong := {p: w for p, w in weights.items() if not 0 <= w <= 1}:
        raise ValueError(f"diagnosticity {wrong} given; allowed: weights from 0 to 1")
    return weights


def _painted(identity: Identity, shapes: list[Shape], size: int) -> np.ndarray:
    """The canvas with the features between the still layers, uint8 (n, n, 4)."""
    under, over, keep, still = _layers(identity, size)
    drawn = Canvas(size, under.copy()).draw(shapes).pixels
    points = np.vstack(list(_outlines(identity).values()))
    # outside the features nothing has changed: there the finished still picture serves
    corners = (points + SPAN / 2) * (len(drawn) / SPAN)
    x0, y0 = np.floor(corners.min(0)).astype(int)
    x1, y1 = np.ceil(corners.max(0)).astype(int)
    window = np.s_[y0:y1, x0:x1]
    whole = still.copy()
    whole[window] = cv2.add(over[window], cv2.multiply(drawn[window], keep[window], scale=1 / 255))
    return whole


@lru_cache(maxsize=64)
def _layers(identity: Identity, size: int) -> tuple[np.ndarray, ...]:
    """The still layers below and above the features, what the upper one lets through, and both as
    one picture.

    Each uint8 (n, n, 4).
    """
    under = Canvas(size).draw(under_shapes(identity)).pixels
    over = Canvas(size).draw(over_shapes(identity)).pixels
    keep = np.repeat(255 - over[..., 3:], 4, 2)
    return under, over, keep, cv2.add(over, cv2.multiply(under, keep, scale=1 / 255))


@lru_cache(maxsize=256)
def _outlines(identity: Identity) -> dict[str, np.ndarray]:
    """The tight convex outline of each part over all levels, in per cent."""
    shapes = {
        part: feature_shapes(identity, part, -1.0) + feature_shapes(identity, part, 1.0)
        for part in PARTS
    }
    bridge = np.array([(0.0, identity.eye_y + 12.5), (0.0, identity.nose_y + 1.5)])
    shapes["nose"] = [*shapes["nose"], Shape(bridge, (0, 0, 0), width=2.0)]
    return {part: hull(s, margin=0.6) for part, s in shapes.items()}
