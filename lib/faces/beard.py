"""The beard of a built-in face, which does not move with expression."""

from __future__ import annotations

import cv2
import numpy as np

from lib.faces.drawing import Colour, Points, Shape, closed, mix, symmetric
from lib.faces.features import DARK, WHITE
from lib.faces.identity import Identity


def beard_shapes(person: Identity, face: Points) -> list[Shape]:
    """Stubble, moustache, goatee or full beard, inside the outline of the face."""
    if person.beard == "none":
        return []
    hair = mix(person.hair, DARK, 0.15)
    my = person.mouth_y
    ny = person.nose_y
    jaw = symmetric(
        [
            (0, my + 8),
            (7, my + 5.5),
            (person.mouth_width + 5.5, my - 1),
            (0.92 * person.face_width, my - 8),
            (1.1 * person.face_width, my - 14),
            (1.1 * person.face_width, 44),
            (0, person.chin_y + 3),
        ]
    )
    lip = symmetric(
        [
            (0, my - 4.4),
            (4, my - 5.4),
            (0.8 * person.mouth_width, my - 4.2),
            (person.mouth_width + 2.4, my - 1.6),
            (0.8 * person.mouth_width, my - 1.8),
            (0, my - 1.4),
        ]
    )
    chin = symmetric(
        [
            (0, my + 5.5),
            (5.5, my + 5),
            (7.5, my + 9),
            (6.5, person.chin_y - 1),
            (0, person.chin_y + 2),
        ]
    )
    jaw = closed(jaw)
    lip = closed(lip)
    chin = closed(chin)
    if person.beard == "stubble":
        area = closed(
            symmetric(
                [
                    (0, ny + 4.5),
                    (8, ny + 5.5),
                    (14, my - 1),
                    (0.8 * person.face_width, my - 6),
                    (1.02 * person.face_width, 2),
                    (1.15 * person.face_width, 24),
                    (0, person.chin_y + 3),
                ]
            )
        )
        return [Shape(area, mix(hair, person.skin, 0.3), 0.34, soft=4, clip=face)]
    shapes = {"moustache": [lip], "goatee": [lip, chin], "full": [jaw, lip]}[person.beard]
    return [Shape(s, hair, 0.9, soft=0.8, clip=None if s is lip else face) for s in shapes] + [
        w for s in shapes for w in _whiskers(person, s, None if s is lip else face, hair)
    ]


def _whiskers(person: Identity, area: Points, face: Points | None, hair: Colour) -> list[Shape]:
    rng = np.random.default_rng([6, person.index])
    shapes = []
    for x, y in rng.uniform(area.min(0), area.max(0), (60, 2)):
        end = (x * 1.03 + rng.normal(0, 0.4), y + rng.uniform(1.5, 3))
        if not all(
            _inside(outline, p)
            for outline in (area, face)
            if outline is not None
            for p in ((x, y), end)
        ):
            continue
        tone = mix(hair, WHITE if rng.random() < 0.5 else DARK, 0.13)
        shapes.append(
            Shape(
                np.array([(x, y), (0.5 * (x + end[0]) + 0.2, 0.5 * (y + end[1])), end]),
                tone,
                width=0.5,
                taper=(0.6, 0.1),
            )
        )
    return shapes


def _inside(outline: Points, point: tuple[float, float]) -> bool:
    return cv2.pointPolygonTest(outline.astype(np.float32), tuple(map(float, point)), False) > 0
