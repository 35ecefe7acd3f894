"""The mouth of a built-in face and what moves around it; affine in ``e`` as the other parts."""

from __future__ import annotations

import numpy as np

from lib.faces.drawing import Points, Shape, curve, ellipse, mix, moved
from lib.faces.features import DARK, WHITE, both, shadow
from lib.faces.identity import Identity


def mouth_lines(person: Identity, e: float) -> dict[str, Points]:
    """The mouth's four lines from the left corner to the right one, (9, 2) each: outer and
    inner edges of both lips.
    """
    a = person.gain_mouth * e
    half = person.mouth_width + 2.3 * a
    corner = person.mouth_y + person.rest_mouth - 4.6 * a
    gap = person.teeth * (1 + e) / 2
    top = person.mouth_y + 1.4 * a - 0.25 * gap
    bottom = person.mouth_y + 1.4 * a + 0.75 * gap
    upper = person.upper_lip * (1 - 0.15 * e)
    lower = person.lower_lip * (1 - 0.1 * e)
    x = np.array([-1, -0.72, -0.45, -0.2, 0, 0.2, 0.45, 0.72, 1.0])
    bend = np.abs(x) ** 1.8
    inner_top = top + (corner - top) * bend
    inner_bottom = bottom + (corner - bottom) * bend
    notch = person.bow * np.array([0, 0, 0, 0, 0.55, 0, 0, 0, 0])
    thick_top = upper * np.array([0, 0.5, 0.85, 1.05, 0.95, 1.05, 0.85, 0.5, 0]) - notch * 0.8
    thick_bottom = lower * np.array([0, 0.45, 0.8, 0.97, 1.0, 0.97, 0.8, 0.45, 0])
    lines = {
        "top": inner_top - thick_top,
        "inner_top": inner_top + notch * 0.5,
        "inner_bottom": inner_bottom,
        "bottom": inner_bottom + thick_bottom,
    }
    return {name: np.stack([half * x, y], 1) for name, y in lines.items()}


def mouth_shapes(person: Identity, e: float) -> list[Shape]:
    """Lips, teeth, dimples and chin."""
    lines = {name: curve(points, 5) for name, points in mouth_lines(person, e).items()}
    inside = np.vstack([lines["inner_top"], lines["inner_bottom"][::-1]])
    teeth_edge = lines["inner_top"] + 0.78 * (lines["inner_bottom"] - lines["inner_top"])
    upper = np.vstack([lines["top"], lines["inner_top"][::-1]])
    lower = np.vstack([lines["inner_bottom"], lines["bottom"][::-1]])
    shine = lines["bottom"][14:27] * 0.45 + lines["inner_bottom"][14:27] * 0.55
    return [
        *_around_mouth(person, e, lines),
        Shape(inside, (88, 26, 30)),
        Shape(np.vstack([lines["inner_top"], teeth_edge[::-1]]), (245, 241, 234)),
        Shape(lower, person.lip),
        Shape(upper, mix(person.lip, shadow(person, 0.6), 0.25)),
        Shape(shine, mix(person.lip, WHITE, 0.6), 0.4, width=0.9, taper=(0.1, 0.1), soft=0.4),
        Shape(lines["inner_top"], mix(person.lip, DARK, 0.7), 0.85, width=0.75, taper=(0.5, 0.5)),
    ]


def _around_mouth(person: Identity, e: float, lines: dict[str, Points]) -> list[Shape]:
    right = lines["top"][-1]
    smile = (1 + e) / 2
    below = moved(lines["bottom"][20], 0, 1.3)
    dimple = curve(right + np.array([(1.2, -0.9), (2.1, 0.4), (1.5, 2.1)]))
    sag = curve(right + np.array([(0.4, 0.5), (1.2, 1.7), (1.4, 3.4)]))
    chin = curve(moved([(-4.2, 9.8), (0, 8.4), (4.2, 9.8)], 0, person.mouth_y - 0.4 * e))
    line = shadow(person, 0.5)
    return [
        Shape(ellipse(*below, 0.5 * person.mouth_width, 0.8), shadow(person, 0.4), 0.5, soft=0.8),
        Shape(chin, line, 0.3 * (1 - smile), width=1.0, taper=(0.1, 0.1), soft=0.7),
        *both(
            [
                Shape(dimple, line, 0.55 * smile, width=0.8, taper=(0.1, 0.1), soft=0.4),
                Shape(sag, line, 0.55 * (1 - smile), width=0.8, taper=(0.4, 0.1), soft=0.3),
                Shape(ellipse(*right, 0.9, 0.7, 14), line, 0.5, soft=0.5),
            ]
        ),
    ]
