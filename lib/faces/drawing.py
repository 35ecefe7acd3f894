"""Shapes and the canvas that the built-in faces are drawn on.

Coordinates are per cent of the picture's width, origin in the middle of the picture, x to the
right, y down. The canvas is drawn at twice the picture's resolution and shows a little more than
the picture (``SPAN`` per cent), so that a face can be turned and moved afterwards. Colours are
premultiplied RGBA.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import ArrayLike

SPAN = 112.0  # per cent of the picture that the canvas shows
_FRACTION = 16  # cv2 takes points in 1/16 pixel (shift=4)

Colour = tuple[float, float, float]
Points = np.ndarray  # float (n, 2)


@dataclass(frozen=True)
class Shape:
    """One thing to draw.

    ``points`` is a closed outline, or with ``width`` (per cent, at the widest) the centre line of a
    stroke that tapers towards the ends given by ``taper``. ``soft`` blurs the edge by that many per
    cent, ``alpha`` is the opacity, and ``clip`` an outline outside of which nothing is drawn.
    ``paint`` colours only what is there already, instead of adding to the silhouette. ``inside``
    are shapes drawn after it and seen only within it.
    """

    points: Points
    colour: Colour
    alpha: float = 1.0
    width: float = 0.0
    taper: tuple[float, float] = (0.0, 0.0)
    soft: float = 0.0
    clip: Points | None = None
    paint: bool = False
    inside: tuple[Shape, ...] = ()

    @property
    def reach(self) -> float:
        """How far, in per cent, the shape extends beyond its points; what lies ``inside``
        extends no further.
        """
        return self.width / 2 + self.soft


@lru_cache(maxsize=16)
def _spline_weights(samples: int) -> np.ndarray:
    """Uniform Catmull-Rom weights, (samples, 4): Catmull & Rom 1974."""
    t = np.arange(samples)[:, None] / samples
    return 0.5 * np.hstack(
        [-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3]
    )


def closed(points: ArrayLike, samples: int = 8) -> Points:
    """A smooth closed curve through the points; linear in them, so that curves blend as their
    points do.
    """
    points = np.asarray(points, float)
    windows = np.stack([np.roll(points, shift, 0) for shift in (1, 0, -1, -2)], 1)
    return (_spline_weights(samples) @ windows).reshape(-1, 2)


def curve(points: ArrayLike, samples: int = 8) -> Points:
    """A smooth open curve through the points, ends included; linear in them."""
    points = np.asarray(points, float)
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    windows = np.stack([padded[i : len(padded) - 3 + i] for i in range(4)], 1)
    return np.vstack([(_spline_weights(samples) @ windows).reshape(-1, 2), points[-1:]])


def ellipse(x: float, y: float, rx: float, ry: float, samples: int = 28) -> Points:
    """The outline of an ellipse about (x, y), (samples, 2)."""
    turn = np.linspace(0, 2 * np.pi, samples, endpoint=False)
    return np.stack([x + rx * np.cos(turn), y + ry * np.sin(turn)], 1)


def mirrored(points: ArrayLike) -> Points:
    """The points on the other side of the face."""
    return np.asarray(points, float) * [-1.0, 1.0]


def symmetric(points: ArrayLike) -> Points:
    """A closed outline from its right half, given from the top to the bottom."""
    points = np.asarray(points, float)
    left = mirrored(points)[::-1]
    return np.vstack([points, left[np.abs(left[:, 0]) > 1e-9]])


def moved(points: np.ndarray | list, x: float, y: float) -> Points:
    """The points shifted by (x, y)."""
    return np.asarray(points, float) + np.array([x, y])


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """A colour between two: ``share`` 0 is the one, 1 the other."""
    return tuple(a + (b - a) * share for a, b in zip(one, other, strict=True))


def stroke_outline(points: Points, width: float, taper: tuple[float, float]) -> Points:
    """The outline of a stroke along the points; its ends are ``taper`` times as wide as its
    middle.
    """
    along = np.empty_like(points)
    along[1:-1], along[0], along[-1] = (
        points[2:] - points[:-2],
        points[1] - points[0],
        points[-1] - points[-2],
    )
    across = np.stack([-along[:, 1], along[:, 0]], 1)
    across /= np.maximum(np.hypot(across[:, 0], across[:, 1]), 1e-9)[:, None]
    across *= 0.5 * width * _profile(len(points), taper)
    return np.vstack([points + across, (points - across)[::-1]])


@lru_cache(maxsize=256)
def _profile(n: int, taper: tuple[float, float]) -> np.ndarray:
    """How wide a stroke of n points is along its way, 1 at the widest, (n, 1)."""
    place = np.linspace(0, 1, n)
    ends = taper[0] + (taper[1] - taper[0]) * place
    return (ends + (1 - ends) * np.sin(np.pi * place).clip(0) ** 0.7)[:, None]


class Canvas:
    """A premultiplied RGBA picture, uint8 (n, n, 4), of ``SPAN`` per cent at twice the
    picture's resolution.
    """

    def __init__(self, size: int, pixels: np.ndarray | None = None):
        self.side = canvas_side(size)
        self.scale = self.side / SPAN
        self.pixels = np.zeros((self.side, self.side, 4), np.uint8) if pixels is None else pixels

    def draw(self, shapes: Iterable[Shape]) -> Canvas:
        """Draw the shapes one over the other; returns the canvas itself."""
        for shape in shapes:
            points = (
                stroke_outline(shape.points, shape.width, shape.taper)
                if shape.width
                else shape.points
            )
            if shape.alpha == 1 and not shape.soft and shape.clip is None and not shape.paint:
                colour = (*map(float, np.round(shape.colour)), 255.0)
                cv2.fillPoly(self.pixels, [self._fixed(points)], colour, cv2.LINE_AA, shift=4)
            elif shape.alpha > 0:
                self._blend(shape, points)
            if shape.inside:
                self._draw_inside(shape, points)
        return self

    def _draw_inside(self, shape: Shape, points: Points) -> None:
        """Draw freely, then put back what lay outside the outline."""
        (x0, y0), (x1, y1) = self._box(
            np.vstack([points, *[s.points for s in shape.inside]]),
            max(s.reach for s in shape.inside),
        )
        before = self.pixels[y0:y1, x0:x1].copy()
        self.draw(shape.inside)
        weight = self._mask(points, (x0, y0), before.shape[:2])[..., None] * np.float32(1 / 255)
        patch = self.pixels[y0:y1, x0:x1]
        patch[...] = before + (patch.astype(np.float32) - before) * weight + np.float32(0.5)

    def _box(self, points: Points, reach: float) -> tuple[tuple[int, int], tuple[int, int]]:
        """The pixels, first and one past the last, that shapes at these points can touch."""
        low = (points.min(0) - reach + SPAN / 2) * self.scale - 2
        high = (points.max(0) + reach + SPAN / 2) * self.scale + 3
        return tuple(
            (min(max(int(v[0]), 0), self.side), min(max(int(v[1]), 0), self.side))
            for v in (low, high)
        )

    def _fixed(self, points: Points, corner=(0, 0)) -> np.ndarray:
        """Points in 1/16 pixel of the canvas, from a corner of it."""
        offset = SPAN / 2 * self.scale - 0.5 - np.array(corner)
        return np.rint((points * self.scale + offset) * _FRACTION).astype(np.int32)

    def _blend(self, shape: Shape, points: Points) -> None:
        support = round(shape.soft * self.scale)
        (x0, y0), (x1, y1) = self._box(points, shape.soft)
        if x1 <= x0 or y1 <= y0:
            return
        mask = self._mask(points, (x0, y0), (y1 - y0, x1 - x0))
        if support:
            # a kernel of this width reaches exactly `support` pixels: nothing changes beyond
            # Shape.reach
            mask = cv2.GaussianBlur(mask, (2 * support + 1,) * 2, support / 2.5)
        if shape.clip is not None:
            mask = cv2.multiply(mask, self._mask(shape.clip, (x0, y0), mask.shape), scale=1 / 255)
        patch = self.pixels[y0:y1, x0:x1]
        weight = mask[..., None] * np.float32(shape.alpha / 255)
        target = np.array([*shape.colour, 255], np.float32)
        if shape.paint or shape.soft:
            target = target * (patch[..., 3:] * np.float32(1 / 255))
        patch[...] = patch + (target - patch) * weight + np.float32(0.5)

    def _mask(self, points: Points, corner, shape) -> np.ndarray:
        mask = np.zeros(shape, np.uint8)
        cv2.fillPoly(mask, [self._fixed(points, corner)], 255.0, cv2.LINE_AA, shift=4)
        return mask

    def mask(self, outlines: list[Points]) -> np.ndarray:
        """Where any of the outlines lies, uint8 0 to 255 (n, n)."""
        mask = np.zeros((self.side, self.side), np.uint8)
        for outline in outlines:
            cv2.fillPoly(mask, [self._fixed(outline)], 255.0, cv2.LINE_AA, shift=4)
        return mask


def canvas_side(size: int) -> int:
    """Pixels along the canvas for a picture of ``size`` pixels."""
    return round(2 * size * SPAN / 100)


def hull(shapes: list[Shape], margin: float = 0.0) -> Points:
    """The convex outline around shapes, with their reach and a margin, in per cent."""
    turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    ring = np.stack([np.cos(turn), np.sin(turn)], 1)
    grown = [(s.points[:, None] + (s.reach + margin) * ring).reshape(-1, 2) for s in shapes]
    return cv2.convexHull(np.vstack(grown).astype(np.float32))[:, 0].astype(float)
