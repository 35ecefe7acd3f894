"""What does not move with expression: shoulders, neck, ears, skin, glasses."""

from __future__ import annotations

import numpy as np

from lib.faces.beard import beard_shapes
from lib.faces.drawing import Points, Shape, closed, curve, ellipse, mirrored, mix, moved, symmetric
from lib.faces.features import DARK, WHITE, shadow
from lib.faces.hair import hair_behind, hair_in_front
from lib.faces.identity import Identity


def face_outline(person: Identity) -> Points:
    """The head without its ears, from the crown around the right side."""
    w = person.face_width
    j = person.jaw_width
    c = person.chin_width
    y = person.chin_y
    right = [
        (0, -43),
        (0.5 * w, -40.5),
        (0.88 * w, -28),
        (w, -9),
        (0.975 * w, 6),
        (0.5 * (w + j), 17),
        (j, 26),
        (0.55 * (j + c), y - 5.5),
        (c, y - 0.8),
        (0, y),
    ]
    return closed(symmetric(right))


def under_shapes(person: Identity) -> list[Shape]:
    """Everything below the moving features, in drawing order."""
    face = face_outline(person)
    return [
        *hair_behind(person),
        *_neck(person),
        *_shoulders(person),
        *_ears(person),
        Shape(face, person.skin),
        *_skin(person, face),
        *_nose(person),
        *_age(person),
        *beard_shapes(person, face),
        *_hair_shadow(person, face),
    ]


def over_shapes(person: Identity) -> list[Shape]:
    """Everything above the moving features: hair that falls into the face, glasses."""
    return [*hair_in_front(person), *_glasses(person)]


def _neck(person: Identity) -> list[Shape]:
    w = 0.62 * person.jaw_width
    neck = np.array([(-w, 20), (-w, 44), (-1.5 * w, 60), (1.5 * w, 60), (w, 44), (w, 20)])
    below = closed(
        symmetric(
            [
                (0, 30),
                (0.8 * person.jaw_width, 30),
                (0.6 * person.jaw_width, person.chin_y + 2),
                (0, person.chin_y + 6.5),
            ]
        )
    )
    return [
        Shape(neck, mix(person.skin, shadow(person), 0.35)),
        Shape(below, shadow(person, 0.6), 0.75, soft=2.5, paint=True),
    ]


def _shoulders(person: Identity) -> list[Shape]:
    w = 0.62 * person.jaw_width
    neckline = [(0, 55 - 2.5 * person.feminine), (0.6 * w, 51.5), (1.05 * w, 45.5)]
    cloth = np.vstack(
        [curve(np.array([*neckline, (24, 49.5), (40, 53), (60, 61)])), [(60, 80), (0, 80)]]
    )
    collar = curve(np.array(neckline))
    outline = np.vstack([cloth, mirrored(cloth)[::-1]])
    dark = mix(person.cloth, DARK, 0.35)
    return [
        Shape(outline, person.cloth),
        *[
            Shape(c, dark, 0.7, width=1.4, taper=(0.8, 0.6), paint=True)
            for c in (collar, mirrored(collar))
        ],
    ]


def _ears(person: Identity) -> list[Shape]:
    if person.style in ("long", "bob", "wavy", "headscarf"):
        return []
    x = person.face_width
    y = person.eye_y + 6
    k = person.ear
    ear = closed(
        np.array([(-2.5, -6.5), (1.6, -7.6), (4.2, -4.5), (3.6, 1), (2.2, 5.6), (-1.5, 7)]) * k
        + (x, y)
    )
    rim = curve(np.array([(0.3, -5), (2.4, -4.6), (2.4, -0.5), (0.8, 3.6)]) * k + (x, y))
    tone = mix(person.skin, (205, 90, 80), 0.12)
    shapes = []
    for flip in (np.array([1.0, 1.0]), np.array([-1.0, 1.0])):
        shapes += [
            Shape(ear * flip, tone),
            Shape(rim * flip, shadow(person, 0.5), 0.6, width=1.0, taper=(0.2, 0.2)),
        ]
        if person.feminine > 0.75 and person.index % 2:
            ring = np.array([x + 1.2 * k, y + 7.6 * k]) * flip
            shapes.append(Shape(ellipse(*ring, 1.2, 1.2), (226, 190, 90)))
    return shapes


def _skin(person: Identity, face: Points) -> list[Shape]:
    """Colour of the cheeks, eye sockets, the sides of the face, freckles and moles."""
    rng = np.random.default_rng([5, person.index])
    flush = mix(person.skin, (214, 84, 78), 0.5)
    deep = shadow(person, 0.45)
    shapes = []
    for s in (-1, 1):
        shapes += [
            Shape(ellipse(s * person.face_width, 14, 8, 26), deep, 0.4, soft=8, clip=face),
            Shape(ellipse(s * 17.5, 9, 8, 5.5), flush, 0.12 + person.blush, soft=5, clip=face),
            Shape(
                ellipse(s * person.eye_x, person.eye_y - 2.6, person.eye_width, 2.6),
                deep,
                0.34,
                soft=2.4,
            ),
            Shape(
                ellipse(s * (person.eye_x - 6.5), person.eye_y - 1.5, 2.2, 3.2), deep, 0.4, soft=2.2
            ),
        ]
        if person.feminine > 0.7:
            lid = mix(deep, [(150, 80, 110), (96, 70, 120), (120, 80, 60)][person.index % 3], 0.5)
            shapes.append(
                Shape(
                    ellipse(s * person.eye_x, person.eye_y - 2.8, person.eye_width, 1.8),
                    lid,
                    0.35,
                    soft=1.6,
                )
            )
    shapes.append(
        Shape(
            ellipse(0, person.forehead_y + 11, 13, 5), mix(person.skin, WHITE, 0.35), 0.25, soft=7
        )
    )
    shapes.append(
        Shape(ellipse(0, person.chin_y - 6, 5, 3), mix(person.skin, WHITE, 0.35), 0.2, soft=3)
    )
    for x, y in rng.normal(0, 1, (person.freckles, 2)) * (12, 3) + (0, 5):
        shapes.append(
            Shape(ellipse(x, y, 0.45, 0.45, 8), mix(person.skin, (130, 70, 40), 0.6), 0.55)
        )
    if person.mole:
        shapes.append(
            Shape(ellipse(*person.mole, 0.7, 0.65, 10), mix(person.skin, DARK, 0.75), 0.9)
        )
    return shapes


def _nose(person: Identity) -> list[Shape]:
    """The bridge, the tip and the shade below it (the wings and nostrils move:
    ``face_features``).
    """
    y = person.nose_y
    w = person.nose_width
    b = person.bridge
    side = curve(
        np.array(
            [
                (b + 1.6, person.eye_y - 2),
                (b, person.eye_y + 4),
                (b + 0.4, y - 7),
                (0.74 * w, y - 4.4),
            ]
        )
    )
    light = mix(person.skin, WHITE, 0.45)
    return [
        *[
            Shape(side * (s, 1), shadow(person, 0.5), a, width=2.0, taper=(0.5, 0.3), soft=1.3)
            for s, a in ((1, 0.5), (-1, 0.3))
        ],
        Shape(
            ellipse(0, 0.5 * (person.eye_y + y) - 1, 0.9, 0.32 * (y - person.eye_y)),
            light,
            0.4,
            soft=1.2,
        ),
        Shape(ellipse(0, y + 1.2, 0.75 * w, 1.1), shadow(person, 0.55), 0.55, soft=1.4),
        Shape(
            ellipse(0, y - 2.4, 0.42 * w, 1.9 + 0.4 * person.tip),
            mix(person.skin, light, 0.6),
            0.5,
            soft=1.5,
        ),
        Shape(ellipse(-0.5, y - 3.2, 1.2, 0.9), WHITE, 0.28, soft=0.9),
        Shape(
            curve(
                np.array(
                    [(-0.32 * w, y - 0.1), (0, y + 0.2 + 0.4 * person.tip), (0.32 * w, y - 0.1)]
                )
            ),
            shadow(person, 0.6),
            0.6,
            width=0.7,
            taper=(0.1, 0.1),
        ),
    ]


def _age(person: Identity) -> list[Shape]:
    """Lines on the forehead and below the eyes of older people."""
    if person.age < 0.45:
        return []
    depth = person.age - 0.3
    line = shadow(person, 0.5)
    y = 0.5 * (person.forehead_y + person.eye_y - person.brow_y)
    waves = [
        curve(
            moved(
                [(-12 + k, y + 1), (-6, y), (0, y + 0.8), (6, y), (12 - k, y + 1)], 0, 3.2 * k - 3
            )
        )
        for k in range(3)
    ]
    bags = [
        curve(
            moved(
                np.array([(-4.5, 5.0), (0, 6.6), (5, 5.2)]) * (s, 1), s * person.eye_x, person.eye_y
            )
        )
        for s in (-1, 1)
    ]
    return [
        Shape(w, line, 0.6 * depth, width=0.8, taper=(0.1, 0.1), soft=0.5) for w in waves + bags
    ]


def _hair_shadow(person: Identity, face: Points) -> list[Shape]:
    """What the hair over the forehead keeps from the light."""
    return [
        Shape(moved(s.points, 0, 1.6), shadow(person, 0.5), 0.45, soft=1.8, clip=face)
        for s in hair_in_front(person)[:1]
    ]


def _glasses(person: Identity) -> list[Shape]:
    if person.glasses == "none":
        return []
    x = person.eye_x + 0.3
    y = person.eye_y + 0.8
    rx, ry, power = {"round": (8.2, 7.6, 2.0), "square": (9.0, 6.6, 4.0), "thin": (8.8, 5.4, 3.0)}[
        person.glasses
    ]
    rx = min(rx, person.eye_x - 4.2)
    turn = np.linspace(0, 2 * np.pi, 60)
    rim = np.stack(
        [
            np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** (2 / power) * rx,
            np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** (2 / power) * ry,
        ],
        1,
    )
    frame = [(30, 28, 32), (110, 60, 40), (70, 74, 84), (140, 40, 50)][person.index % 4]
    width = 0.7 if person.glasses == "thin" else 1.3
    gap = x - rx
    shapes = [
        Shape(
            curve(np.array([(-gap, y - 1.2), (0, y - 2.4), (gap, y - 1.2)])),
            frame,
            width=1.1,
            taper=(1, 1),
        )
    ]
    for s in (-1, 1):
        lens = moved(rim * (s, 1), s * x, y)
        arm = curve(
            np.array(
                [
                    (s * (x + rx), y - 1.5),
                    (s * (person.face_width - 1), y - 2.2),
                    (s * (person.face_width + 1.5), y - 1),
                ]
            )
        )
        glare = moved([(-3.5, -3.4), (-1.5, -4.2), (-4.2, 1.2), (-5.2, 0.2)], s * x, y)
        shapes += [
            Shape(glare, WHITE, 0.16, soft=0.6, clip=lens, paint=False),
            Shape(lens, frame, width=width, taper=(1, 1)),
            Shape(arm, frame, width=1.1, taper=(1, 0.6)),
        ]
    return shapes
