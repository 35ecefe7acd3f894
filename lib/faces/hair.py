"""The hair of the built-in faces: sixteen styles from one skull line, one hairline and strands
between them.
"""

from __future__ import annotations

import numpy as np

from lib.faces.drawing import Points, Shape, closed, curve, ellipse, mix, symmetric
from lib.faces.features import DARK, WHITE
from lib.faces.identity import Identity

# How far the hair stands off the skull at the sides and on top, and how low the sideburns reach.
_VOLUME = {
    "crop": (0.8, 3.0, 2),
    "long": (2.6, 3.5, 12),
    "side_part": (1.2, 4.5, 3),
    "bob": (3.2, 4.0, 12),
    "curly": (3.0, 6.0, 0),
    "bun": (0.4, 1.5, -2),
    "buzz": (0.2, 0.6, 1),
    "wavy": (3.6, 5.0, 12),
    "quiff": (0.6, 8.0, 2),
    "fringe": (2.4, 3.5, 10),
    "afro": (9.0, 9.0, -2),
    "receding": (1.4, 0.4, 3),
    "ponytail": (0.6, 2.0, 2),
    "spiky": (0.8, 4.0, 0),
}


def _skull(person: Identity, samples: int = 8) -> Points:
    """The outer edge of the hair from the left temple over the crown to the right temple."""
    side, top, burn = _VOLUME[person.style]
    w = person.face_width
    right = np.array(
        [
            (w + 0.4, burn),
            (w + side, -9),
            (0.93 * w + side, -28 - 0.5 * top),
            (0.56 * w + 0.6 * side, -41.5 - 0.8 * top),
            (0, -44 - top),
        ]
    )
    return curve(np.vstack([right * (-1, 1), right[::-1][1:]]), samples)


def _hairline(person: Identity, samples: int = 8) -> Points:
    """The edge of the hair on the forehead from the left temple to the right one."""
    _, _, burn = _VOLUME[person.style]
    w, y = person.face_width, person.forehead_y
    left = [(-w + 0.3, burn), (-w + 2.2, burn - 5), (-0.88 * w, -17), (-0.66 * w, y + 5.5)]
    middle = {
        "side_part": [
            (-0.42 * w, y + 0.2),
            (-0.3 * w, y - 1.5),
            (0.1 * w, y + 3.8),
            (0.45 * w, y + 6.5),
        ],
        "receding": [(-0.5 * w, y - 6), (-0.2 * w, y - 5), (0.2 * w, y - 5), (0.5 * w, y - 6)],
        "fringe": [
            (-0.45 * w, y + 12.5),
            (-0.15 * w, y + 13.2),
            (0.15 * w, y + 13.0),
            (0.45 * w, y + 12.5),
        ],
        "long": [(-0.45 * w, y + 2.5), (-0.06 * w, y - 5), (0.06 * w, y - 5), (0.45 * w, y + 2.5)],
        "wavy": [(-0.5 * w, y + 1.5), (-0.25 * w, y - 4.5), (0.1 * w, y + 1.0), (0.5 * w, y + 6.5)],
        "bob": [(-0.4 * w, y + 5.0), (-0.1 * w, y + 6.5), (0.3 * w, y + 3.0), (0.5 * w, y + 4.5)],
    }.get(person.style, [(-0.4 * w, y + 1.2), (-0.12 * w, y), (0.12 * w, y), (0.4 * w, y + 1.2)])
    if person.style == "fringe":
        left[3] = (-0.72 * w, y + 10.5)
    right = [(-x, yy) for x, yy in left[::-1]]
    return curve(np.array([*left, *middle, *right]), samples)


def hair_behind(person: Identity) -> list[Shape]:
    """Hair behind head and shoulders."""
    w = person.face_width
    dark = mix(person.hair, DARK, 0.35)
    long = {
        "long": (w + 5, 62, 0),
        "wavy": (w + 7, 60, 1.6),
        "bob": (w + 5.5, 33, 0),
        "fringe": (w + 4.5, 50, 0.5),
    }
    if person.style in long:
        half, bottom, wave = long[person.style]
        y = np.linspace(-2, bottom, 8)
        x = np.interp(y, [-2, 20], [w + 4.0, half]) + wave * np.cos(np.arange(8) * np.pi)
        right = [
            (0, -46),
            (0.56 * w, -43),
            (0.93 * w + 1.5, -29),
            (w + 3.4, -13),
            *zip(x, y, strict=True),
            (0.7 * half, bottom + 2),
            (0, bottom),
        ]
        return [Shape(closed(symmetric(right)), dark)]
    if person.style == "headscarf":
        return [Shape(ellipse(0, 4, w + 4, 46), dark)]
    if person.style == "ponytail":
        tail = curve(np.array([(w - 4, -20), (w + 7, -6), (w + 9, 18), (w + 4, 46)]))
        return [Shape(tail, dark, width=13, taper=(0.5, 0.25))]
    if person.style == "bun":
        return [Shape(closed(_scalloped(ellipse(0, -47, 12, 9, 12), 0.06)), person.hair)]
    if person.style == "afro":
        return [Shape(closed(_scalloped(ellipse(0, -14, w + 13, 40, 30), 0.025)), dark)]
    return []


def _scalloped(points: Points, depth: float) -> Points:
    """Every second point a little further out from the middle."""
    middle = points.mean(0)
    return middle + (points - middle) * (1 + depth * (-1.0) ** np.arange(len(points)))[:, None]


def hair_in_front(person: Identity) -> list[Shape]:
    """Hair on the head and into the face; the first shape is the one that throws a shadow."""
    if person.style == "bald":
        return []
    if person.style == "headscarf":
        return _headscarf(person)
    skull = _skull(person)
    line = _hairline(person)
    if person.style in ("curly", "afro"):
        skull = curve(_scalloped(skull[::3], 0.03), 4)
    if person.style == "spiky":
        skull = _scalloped(skull[::3], 0.04)
    cap = np.vstack([skull, line[::-1]])
    if person.style == "buzz":
        return [Shape(cap, mix(person.hair, person.skin, 0.25), 0.85, soft=1.2)]
    locks = {"long": _locks, "wavy": _locks, "bob": _locks, "fringe": _locks}.get(
        person.style, lambda *_: []
    )
    return [
        Shape(cap, person.hair),
        *locks(person),
        *_strands(person, skull, line, 90, 0.35),
        *_sheen(person),
        *(_curls(person, skull) if person.style in ("curly", "afro") else []),
        *(_quiff(person) if person.style == "quiff" else []),
    ]


def _locks(person: Identity) -> list[Shape]:
    """Hair that falls in front of the ears down to the shoulders."""
    w = person.face_width
    end, wave = {"long": (60, 0.0), "wavy": (58, 1.8), "bob": (31, -1.0), "fringe": (48, 0.4)}[
        person.style
    ]
    y = np.linspace(-16, end, 8)
    inner = np.interp(y, [-16, 0, 16, 60], [0.9 * w, w - 1.5, w - 0.5, w + 1]) + wave * np.cos(
        np.arange(8) * np.pi
    )
    outer = np.interp(y, [-16, 0, 20, 60], [w + 2.4, w + 4, w + 6.5, w + 7]) + wave * np.cos(
        np.arange(8) * np.pi
    )
    lock = np.vstack([curve(np.stack([inner, y], 1)), curve(np.stack([outer, y], 1))[::-1]])
    shapes = [Shape(lock * (s, 1), person.hair) for s in (-1, 1)]
    for k in (0.2, 0.4, 0.6, 0.8):
        line = curve(np.stack([inner + k * (outer - inner), y], 1))
        tone = mix(person.hair, WHITE if k in (0.4,) else DARK, 0.25)
        shapes += [Shape(line * (s, 1), tone, 0.5, width=0.9, taper=(0.3, 0.1)) for s in (-1, 1)]
    return shapes


def _strands(person: Identity, skull: Points, line: Points, n: int, contrast: float) -> list[Shape]:
    """Light and dark strands from the skull line to the hairline; ``contrast`` 0 to 1."""
    rng = np.random.default_rng([8, person.index])
    shapes = []
    for t in rng.uniform(0.04, 0.96, n):
        top, end = (p[int(t * (len(p) - 1))] for p in (skull, line))
        low = rng.uniform(0.03, 0.4)
        high = low + rng.uniform(0.4, 0.57)
        sway = rng.normal(0, 0.8)
        ends = [top + (end - top) * k for k in (low, 0.5 * (low + high), high)]
        tone = mix(
            person.hair, WHITE if rng.random() < 0.4 else DARK, contrast * rng.uniform(0.2, 0.4)
        )
        shapes.append(
            Shape(
                curve(np.array(ends) + np.array([(0, 0), (sway, 0), (0, 0)])),
                tone,
                width=rng.uniform(0.5, 1.3),
                taper=(0.1, 0.1),
            )
        )
    return shapes


def _sheen(person: Identity) -> list[Shape]:
    y = 0.5 * (person.forehead_y - 44)
    band = curve(
        np.array(
            [
                (-0.7 * person.face_width, y + 8),
                (-0.35 * person.face_width, y + 1.5),
                (0, y),
                (0.35 * person.face_width, y + 1.5),
            ]
        )
    )
    return [
        Shape(
            band,
            mix(person.hair, WHITE, 0.45),
            0.35,
            width=4.0,
            taper=(0.1, 0.1),
            soft=2.0,
            paint=True,
        )
    ]


def _curls(person: Identity, skull: Points) -> list[Shape]:
    """Rows of small rings over the crown."""
    rng = np.random.default_rng([9, person.index])
    shapes = []
    inner = np.array([0, person.forehead_y + 14])
    for k in np.linspace(0, 0.45, 5):
        for point in skull[3:-3:5]:
            x, y = point + (inner - point) * k + rng.normal(0, 0.8, 2)
            if y < person.forehead_y + 0.02 * x * x or abs(x) > person.face_width:
                tone = mix(person.hair, WHITE if rng.random() < 0.4 else DARK, 0.2)
                shapes.append(
                    Shape(ellipse(x, y, 2.2, 2.0, 12)[:10], tone, width=0.8, taper=(0.4, 0.2))
                )
    return shapes


def _quiff(person: Identity) -> list[Shape]:
    y, w = person.forehead_y, person.face_width
    swell = closed(
        np.array(
            [
                (-0.5 * w, y - 2),
                (-0.3 * w, y - 13),
                (0.15 * w, y - 22),
                (0.62 * w, y - 17),
                (0.5 * w, y - 6),
                (0.1 * w, y - 1.5),
            ]
        )
    )
    lines = [
        curve(
            np.array([(-0.4 * w, y - 3 - k), (-0.1 * w, y - 11 - k), (0.45 * w, y - 13 - 0.5 * k)])
        )
        for k in (-2, 0, 2, 4)
    ]
    return [
        Shape(swell, mix(person.hair, WHITE, 0.05)),
        *[
            Shape(
                c,
                mix(person.hair, DARK if i % 2 else WHITE, 0.25),
                0.6,
                width=0.9,
                taper=(0.2, 0.1),
            )
            for i, c in enumerate(lines)
        ],
    ]


def _headscarf(person: Identity) -> list[Shape]:
    w, y = person.face_width, person.forehead_y
    opening = [
        (0, y + 2),
        (0.55 * w, y + 4.5),
        (0.9 * w, -12),
        (0.93 * w, 8),
        (0.75 * w, 27),
        (0.35 * w, 41),
        (0, 45),
    ]
    outer = [
        (0, -49),
        (0.7 * w, -44),
        (w + 5, -18),
        (w + 6, 10),
        (w + 3, 36),
        (w + 12, 62),
        (0, 70),
    ]
    inner = closed(symmetric(opening))
    outside = closed(symmetric(outer))
    # one outline with a hole: out around the scarf, in around the face
    ring = np.vstack([outside, outside[:1], inner[:1], inner[::-1], inner[:1]])
    folds = [
        curve(np.array([(s * (0.95 * w), k), (s * (0.75 * w), 34 + k / 2), (s * 3, 50 + k / 3)]))
        for s in (-1, 1)
        for k in (14, 22, 30)
    ]
    shade = mix(person.hair, DARK, 0.4)
    drawn = [Shape(f, shade, 0.5, width=1.2, taper=(0.1, 0.3), paint=True) for f in folds]
    return [Shape(ring, person.hair), *drawn]
