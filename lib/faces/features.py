"""The parts of a built-in face that move with expression: eyes with brows, nose with folds.

Every shape is an affine function of ``e``, from -1 (fully sad) over 0 (the middle) to 1 (fully
happy): control points and opacities at 0 lie exactly midway between those at -1 and 1. The action
units (Ekman & Friesen 1978): sad is inner brow raiser and lowerer (AU 1+4), drooping lids, lip
corner depressor (AU 15) and chin raiser (AU 17); happy is cheek raiser (AU 6), lip corner puller
(AU 12) and parted lips (AU 25).
"""

from __future__ import annotations

import numpy as np

from lib.faces.drawing import Colour, Points, Shape, closed, curve, ellipse, mirrored, mix, moved
from lib.faces.identity import Identity

DARK = (38.0, 24.0, 24.0)
WHITE = (255.0, 255.0, 255.0)


def shadow(person: Identity, depth: float = 0.35) -> Colour:
    """The person's skin in shade."""
    r, g, b = person.skin
    return (r * (1 - 0.8 * depth), g * (1 - 1.1 * depth), b * (1 - 1.1 * depth))


def both(shapes: list[Shape]) -> list[Shape]:
    """The shapes on the right of the picture and their mirror images, pair by pair."""
    return [s for shape in shapes for s in (shape, _flip(shape))]


def _flip(shape: Shape) -> Shape:
    clip = None if shape.clip is None else mirrored(shape.clip)
    return Shape(
        mirrored(shape.points),
        shape.colour,
        shape.alpha,
        shape.width,
        shape.taper,
        shape.soft,
        clip,
        shape.paint,
        tuple(map(_flip, shape.inside)),
    )


def lids(person: Identity, e: float) -> tuple[Points, Points]:
    """Upper and lower lid of the eye on the right, inner corner first, (5, 2) each."""
    w = person.eye_width
    h = person.eye_height
    a = person.gain_lid * e
    tilt = person.eye_tilt
    inner = (-w, 0.55)
    outer = (w, -tilt - 0.25 * a)
    # the cheek pushes the lower lid up in a smile (AU 6); the upper one droops outwards in sadness
    upper = [
        inner,
        (-0.55 * w, -0.78 * h + 0.3 * a),
        (0.02 * w, -h - 0.15 * a),
        (0.6 * w, -0.74 * h - tilt / 2 - 0.8 * a),
        outer,
    ]
    lower = [
        inner,
        (-0.5 * w, 0.62 * h - 0.3 - 0.8 * a),
        (0.05 * w, 0.86 * h - 0.5 - 1.25 * a),
        (0.6 * w, 0.6 * h - 0.4 - tilt / 2 - 1.1 * a),
        outer,
    ]
    return moved(upper, person.eye_x, person.eye_y), moved(lower, person.eye_x, person.eye_y)


def eye_shapes(person: Identity, e: float) -> list[Shape]:
    """Both eyes and brows."""
    upper, lower = lids(person, e)
    top = curve(upper)
    bottom = curve(lower)
    almond = np.vstack([top, bottom[::-1][1:-1]])
    skin_line = shadow(person, 0.5)
    ball = (
        *_iris(person, e),
        Shape(moved(top, 0, 0.75), (70, 50, 50), 0.4, width=1.7, taper=(0.4, 0.4)),
    )
    shapes = [
        Shape(almond, (247, 243, 240), inside=ball),
        Shape(bottom, skin_line, 0.55, width=0.55, taper=(0.2, 0.6)),
        *_lashes(person, top),
    ]
    fold = moved(top[4:-3], 0, -1.3 - 0.9 * person.crease)
    shapes += [
        Shape(fold, skin_line, 0.5, width=0.6, taper=(0.1, 0.4)),
        *_under_eye(person, e, lower),
        *_brow(person, e),
    ]
    return both(shapes) + _furrow(person, e)


def _iris(person: Identity, e: float) -> list[Shape]:
    x = person.eye_x - 0.1
    y = person.eye_y - 0.1 - 0.3 * person.gain_lid * e
    r = person.iris_size
    return [
        Shape(ellipse(x, y, r, r), mix(person.iris, DARK, 0.6)),
        Shape(ellipse(x, y, 0.86 * r, 0.86 * r), person.iris),
        Shape(ellipse(x, y + 0.4 * r, 0.6 * r, 0.4 * r), mix(person.iris, WHITE, 0.18)),
        Shape(ellipse(x, y, 0.46 * r, 0.46 * r), (16, 12, 14)),
        Shape(ellipse(x + 0.3 * r, y - 0.36 * r, 0.24 * r, 0.24 * r, 14), WHITE),
    ]


def _lashes(person: Identity, top: Points) -> list[Shape]:
    line = mix(mix(person.hair, DARK, 0.75), DARK, 0.5)
    shapes = [Shape(top, line, width=0.75 + 0.65 * person.feminine, taper=(0.25, 0.7))]
    if person.feminine > 0.6:
        wing = np.array([top[-7], top[-1], top[-1] + (1.9, -1.2)])
        shapes.append(Shape(curve(wing), line, width=0.9, taper=(0.9, 0.1)))
    return shapes


def _under_eye(person: Identity, e: float, lower: Points) -> list[Shape]:
    """The cheek pushes up under a smiling eye (AU 6); crow's feet at its outer corner."""
    smile = (1 + e) / 2
    drop = person.eye_height
    bag = curve(
        moved(
            np.array([(-0.75, 0.75), (0.0, 1.25), (0.8, 0.5)]) * (person.eye_width, drop),
            person.eye_x,
            person.eye_y + 0.6 - 0.45 * person.gain_lid * e,
        )
    )
    feet = [
        curve(lower[-1] + np.array([(1.4, k), (2.4, 1.1 * k - 0.1), (3.4, 1.7 * k)]))
        for k in (-0.5, 0.6)
    ]
    return [
        Shape(
            bag,
            shadow(person, 0.4),
            0.12 + 0.2 * person.age + 0.34 * smile,
            width=0.9,
            taper=(0.1, 0.2),
            soft=0.5,
        ),
        Shape(
            moved(bag, 0, 1.3),
            mix(person.skin, WHITE, 0.5),
            0.3 * smile,
            width=1.6,
            taper=(0.1, 0.1),
            soft=0.9,
        ),
        *[
            Shape(
                f,
                shadow(person, 0.45),
                (0.2 + 0.45 * person.age) * smile,
                width=0.45,
                taper=(0.6, 0.1),
            )
            for f in feet
        ],
    ]


def brow_points(person: Identity, e: float) -> Points:
    """The brow on the right, inner end first, (4, 2)."""
    a = person.gain_brow * e
    length = person.brow_length
    arch = person.brow_arch
    y = -person.brow_y
    rest = person.rest_brow
    # inner ends rise and outer ones sink towards sadness; a smile leaves the brow arched, not
    # drawn down: a lowered inner end looks angry
    points = np.array(
        [
            (-0.95 * length, y + 0.4 + person.brow_tilt + rest - 2.9 + 1.5 * a),
            (-0.35 * length, y - 0.45 * arch + rest / 2 - 1.1 + 0.45 * a),
            (0.35 * length, y - arch - 0.1 - 0.7 * a),
            (1.0 * length, y + 1.5 - person.brow_tilt - 0.9 * a),
        ]
    )
    return moved(points, person.eye_x, person.eye_y)


def _brow(person: Identity, e: float) -> list[Shape]:
    line = curve(brow_points(person, e))
    colour = mix(mix(person.hair, DARK, 0.35), person.skin, 0.12)
    if person.style == "headscarf":
        colour = mix((70, 50, 40), DARK, 0.4)
    hairs = [
        Shape(
            curve(
                np.array(
                    [
                        line[i] + (0, 0.7 * person.brow_width / 2),
                        line[i] + (0.9, -0.25),
                        line[i] + (2.0, -0.6 * person.brow_width / 2),
                    ]
                )
            ),
            mix(colour, DARK, 0.17),
            width=0.4,
            taper=(0.6, 0.1),
        )
        for i in range(1, 19, 4)
    ]
    return [Shape(line, colour, 0.88, width=person.brow_width, taper=(0.72, 0.12)), *hairs]


def _furrow(person: Identity, e: float) -> list[Shape]:
    """The folds between lowered and drawn brows (AU 4)."""
    y = person.eye_y - 0.75 * person.brow_y
    depth = (1 - e) / 2
    return [
        Shape(
            curve([(s * 1.9, y - 1.6), (s * 1.5, y), (s * 2.0, y + 1.8)]),
            shadow(person, 0.45),
            0.45 * depth * person.gain_brow / 1.3,
            width=0.6,
            taper=(0.1, 0.1),
            soft=0.3,
        )
        for s in (-1, 1)
    ]


def nose_shapes(person: Identity, e: float) -> list[Shape]:
    """Nostrils, wings and the upper ends of the folds that run from nose to mouth."""
    y = person.nose_y
    w = person.nose_width
    a = person.gain_nose * e
    wing = curve(
        moved(
            [(0.74 * w, y - 4.4), (0.98 * w, y - 2.6), (0.98 * w, y - 0.8), (0.72 * w, y + 0.2)],
            0.55 * a,
            -0.5 * a,
        )
    )
    nostril = closed(
        moved(
            np.array([(0.18, -0.1), (0.42, -0.75), (0.72, -0.45), (0.62, 0.3), (0.34, 0.42)])
            * (w, 1.5),
            0.35 * a,
            y - 0.35 - 0.4 * a,
        )
    )
    fold = curve(
        moved(
            [(1.12 * w, y - 2.6), (1.14 * w + 1.9, y - 0.7), (1.12 * w + 3.2, y + 1.2)],
            0.7 * a,
            -0.5 * a,
        )
    )
    deep = shadow(person, 0.62)
    return both(
        [
            Shape(
                fold,
                shadow(person, 0.5),
                0.12 + 0.25 * person.age + 0.38 * (1 + e) / 2,
                width=1.0,
                taper=(0.5, 0.1),
                soft=0.5,
            ),
            Shape(nostril, mix(deep, DARK, 0.45), 0.9),
            Shape(wing, deep, 0.7, width=0.95, taper=(0.1, 0.5)),
        ]
    )
