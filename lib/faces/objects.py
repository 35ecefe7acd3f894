"""Generated objects: 48 categories of rendered shapes and textures under varied light, for
pretraining.

A category is one outline with one texture, so that a network has to learn both to tell them apart.
Colour, place, size, rotation, light and background vary freely within a category and say nothing
about it.
"""

from __future__ import annotations

import cv2
import numpy as np

SHAPES = (
    "disc",
    "triangle",
    "square",
    "pentagon",
    "star",
    "cross",
    "ring",
    "crescent",
    "bar",
    "heart",
    "cog",
    "drop",
)
TEXTURES = ("plain", "stripes", "checks", "dots")
LEAN = 0.5  # radians: things stand upright, or nearly so, as in photographs
CATEGORIES = tuple(f"{texture} {shape}" for shape in SHAPES for texture in TEXTURES)


def render_object(category: int, rng: np.random.Generator, size: int = 224) -> np.ndarray:
    """One picture of a category.

    Parameters
    ----------
    category : index into ``CATEGORIES``, 0 to 47.

    Returns
    -------
    uint8 (size, size, 3)

    Raises
    ------
    ValueError : an unknown category.
    """
    if not 0 <= category < len(CATEGORIES):
        raise ValueError(f"category {category} given; allowed: 0 to {len(CATEGORIES) - 1}")
    shape, texture = divmod(category, len(TEXTURES))
    colours = rng.uniform(0.1, 0.95, size=(4, 3)).astype(np.float32)
    mask = _place(_outline(SHAPES[shape]), rng, size)[..., None]
    surface = _mix(colours[0], colours[1], _texture(TEXTURES[texture], rng, size))
    picture = mask * surface * _light(rng, size) + (1 - mask) * _background(
        colours[2], colours[3], rng, size
    )
    picture += rng.normal(0, 0.02, picture.shape).astype(np.float32)
    return (255 * np.clip(picture, 0, 1)).astype(np.uint8)


def _outline(shape: str) -> list[np.ndarray]:
    """Closed curves, (n, 2), about the origin and within the unit disc; a second curve is a
    hole.
    """
    turn = np.linspace(0, 2 * np.pi, 97)[:-1]
    circle = np.stack([np.cos(turn), np.sin(turn)], 1)
    if shape in ("triangle", "square", "pentagon"):
        return [_regular({"triangle": 3, "square": 4, "pentagon": 5}[shape])]
    if shape == "star":
        return [_regular(10) * np.tile([1.0, 0.45], 5)[:, None]]
    if shape == "cross":
        a, b = 0.33, 0.95
        return [
            np.array(
                [
                    (-a, -b),
                    (a, -b),
                    (a, -a),
                    (b, -a),
                    (b, a),
                    (a, a),
                    (a, b),
                    (-a, b),
                    (-a, a),
                    (-b, a),
                    (-b, -a),
                    (-a, -a),
                ]
            )
        ]
    if shape == "ring":
        return [circle, 0.55 * circle]
    if shape == "crescent":
        return [circle, 0.8 * circle + [0.35, 0]]
    if shape == "bar":
        return [np.array([(-1, -0.25), (1, -0.25), (1, 0.25), (-1, 0.25)])]
    if shape == "heart":
        return [
            np.stack(
                [
                    np.sin(turn) ** 3,
                    -(
                        13 * np.cos(turn)
                        - 5 * np.cos(2 * turn)
                        - 2 * np.cos(3 * turn)
                        - np.cos(4 * turn)
                    )
                    / 17,
                ],
                1,
            )
        ]
    if shape == "cog":
        return [circle * (0.8 + 0.2 * np.sign(np.sin(8 * turn)))[:, None]]
    if shape == "drop":
        return [np.stack([0.7 * np.sin(turn) * np.sin(turn / 2) ** 1.5, -np.cos(turn)], 1)]
    return [circle]


def _regular(corners: int) -> np.ndarray:
    turn = np.arange(corners) * 2 * np.pi / corners
    return np.stack([np.sin(turn), -np.cos(turn)], 1)


def _place(curves: list[np.ndarray], rng: np.random.Generator, size: int) -> np.ndarray:
    """The object's anti-aliased mask, 0 to 1, turned, scaled and moved at random."""
    turn = rng.uniform(-LEAN, LEAN)
    radius = size * rng.uniform(0.25, 0.42)
    mirror = np.array([rng.choice((-1.0, 1.0)), 1.0])
    rotate = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    centre = size * (0.5 + rng.uniform(-0.1, 0.1, 2))
    squash = mirror * [1.0, rng.uniform(0.8, 1.0)]
    points = [
        np.round(16 * ((c * squash) @ rotate.T * radius + centre)).astype(np.int32) for c in curves
    ]
    mask = np.zeros((size, size), np.uint8)
    cv2.fillPoly(mask, points[:1], 255, cv2.LINE_AA, shift=4)
    if len(points) > 1:
        cv2.fillPoly(mask, points[1:], 0, cv2.LINE_AA, shift=4)
    return mask.astype(np.float32) / 255


def _waves(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Two perpendicular sine gratings of one random frequency and orientation."""
    y, x = np.mgrid[:size, :size].astype(np.float32) / size
    turn = rng.uniform(0, np.pi)
    cycles = rng.uniform(8, 16)
    phase = rng.uniform(0, 2 * np.pi, 2)
    along = x * np.cos(turn) + y * np.sin(turn)
    across = y * np.cos(turn) - x * np.sin(turn)
    return np.sin(2 * np.pi * cycles * along + phase[0]), np.sin(
        2 * np.pi * cycles * across + phase[1]
    )


def _texture(texture: str, rng: np.random.Generator, size: int) -> np.ndarray:
    if texture == "plain":
        return np.zeros((size, size), np.float32)
    first, second = _waves(rng, size)
    pattern = {"stripes": first, "checks": first * second * 2, "dots": first + second - 0.9}[
        texture
    ]
    return np.clip(0.5 + 2 * pattern, 0, 1).astype(np.float32)


def _mix(one: np.ndarray, other: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return one + (other - one) * weight[..., None]


def _light(rng: np.random.Generator, size: int) -> np.ndarray:
    """A linear light gradient, (size, size, 1), between about 0.5 and 1.2."""
    y, x = np.mgrid[:size, :size].astype(np.float32) / size - 0.5
    turn = rng.uniform(0, 2 * np.pi)
    return (0.85 + rng.uniform(0, 0.7) * (x * np.cos(turn) + y * np.sin(turn)))[..., None]


def _background(
    one: np.ndarray, other: np.ndarray, rng: np.random.Generator, size: int
) -> np.ndarray:
    """Smooth random blotches between two colours."""
    blotches = cv2.resize(
        rng.uniform(0, 1, (int(rng.integers(2, 9)),) * 2).astype(np.float32),
        (size, size),
        interpolation=cv2.INTER_CUBIC,
    )
    return _mix(one, other, np.clip(blotches, 0, 1))
