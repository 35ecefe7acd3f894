"""Who the built-in faces are: the settings of one person, drawn from the person's number alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.faces.drawing import Colour, mix

# Skin from light to dark, hair and iris as they occur; every person lies between two neighbours of
# these.
SKINS = (
    (252, 224, 203),
    (244, 208, 177),
    (232, 190, 152),
    (216, 166, 125),
    (192, 138, 98),
    (160, 107, 74),
    (126, 81, 57),
    (96, 61, 45),
)
HAIRS = (
    (28, 24, 26),
    (52, 36, 28),
    (84, 56, 38),
    (124, 80, 46),
    (160, 110, 62),
    (206, 164, 98),
    (230, 204, 150),
    (150, 62, 34),
    (186, 84, 44),
    (150, 148, 150),
    (214, 212, 210),
    (70, 44, 52),
)
IRISES = (
    (62, 40, 28),
    (92, 58, 34),
    (122, 88, 46),
    (98, 112, 62),
    (84, 124, 132),
    (78, 116, 164),
    (110, 122, 132),
)
CLOTHES = (
    (52, 72, 110),
    (150, 52, 58),
    (64, 110, 88),
    (210, 190, 150),
    (90, 90, 98),
    (184, 120, 60),
    (112, 76, 128),
    (44, 48, 56),
    (226, 226, 222),
    (70, 130, 150),
)
STYLES = (
    "crop",
    "long",
    "side_part",
    "bob",
    "curly",
    "bun",
    "buzz",
    "wavy",
    "quiff",
    "fringe",
    "bald",
    "afro",
    "receding",
    "ponytail",
    "spiky",
    "headscarf",
)
LONG = {
    "long",
    "bob",
    "bun",
    "wavy",
    "fringe",
    "ponytail",
    "headscarf",
}  # styles worn with make-up and long lashes
BEARDS = ("none", "stubble", "moustache", "goatee", "full")


@dataclass(frozen=True)
class Identity:
    """One person. Lengths are per cent of the picture's width; colours RGB, 0 to 255.

    ``gain_*`` says how strongly the person's action units move, ``rest_*`` how the resting face
    differs from the average one: people smile differently, and some look a little sad when they are
    not.
    """

    index: int
    skin: Colour
    lip: Colour
    hair: Colour
    iris: Colour
    cloth: Colour
    style: str
    beard: str
    glasses: str
    feminine: float
    age: float
    # head
    face_width: float
    jaw_width: float
    chin_width: float
    chin_y: float
    forehead_y: float
    ear: float
    # eyes and brows
    eye_x: float
    eye_y: float
    eye_width: float
    eye_height: float
    eye_tilt: float
    iris_size: float
    crease: float
    brow_y: float
    brow_length: float
    brow_width: float
    brow_arch: float
    brow_tilt: float
    # nose and mouth
    nose_y: float
    nose_width: float
    bridge: float
    tip: float
    mouth_y: float
    mouth_width: float
    upper_lip: float
    lower_lip: float
    bow: float
    teeth: float
    # surface
    freckles: int
    mole: tuple[float, float] | None
    blush: float
    # how this person moves
    gain_mouth: float
    gain_brow: float
    gain_lid: float
    gain_nose: float
    rest_mouth: float
    rest_brow: float


def make_identity(index: int) -> Identity:
    """Person number ``index``; the same number is always the same person.

    Raises
    ------
    ValueError : a negative number.
    """
    if index < 0:
        raise ValueError(f"identity {index} given; allowed: 0 or more")
    rng = np.random.default_rng([20231, index])
    style = STYLES[(index * 5 + index // len(STYLES)) % len(STYLES)]  # neighbours differ in style
    feminine = rng.uniform(0.65, 1.0) if style in LONG else rng.uniform(0.0, 0.5)
    age = rng.beta(1.4, 2.2)
    colours = _colours(index, style, feminine, age, rng)
    return Identity(
        index=index,
        style=style,
        feminine=feminine,
        age=age,
        **colours,
        **_accessories(style, rng),
        **_head(feminine, rng),
        **_eyes(feminine, rng),
        **_nose_and_mouth(feminine, rng),
        **_moves(rng),
    )


def _between(palette, place: float) -> Colour:
    """A colour of the palette at ``place``, 0 to 1, mixed between the two neighbours."""
    at = place * (len(palette) - 1)
    low = min(int(at), len(palette) - 2)
    return mix(palette[low], palette[low + 1], at - low)


def _colours(index: int, style: str, feminine: float, age: float, rng: np.random.Generator) -> dict:
    tone = (index * 0.6180339887 + 0.1) % 1  # evenly spread, in an order without pattern
    skin = tuple(np.clip(np.array(_between(SKINS, tone)) + rng.normal(0, 4, 3), 40, 255))
    dark = tone > 0.55
    grey = age > 0.62 and rng.random() < 0.8
    choice = rng.choice([9, 10]) if grey else rng.integers(0, 3 if dark else 9)
    hair = HAIRS[choice] if style != "headscarf" else CLOTHES[rng.integers(len(CLOTHES))]
    red = (
        mix((196, 92, 92), (150, 54, 66), tone)
        if feminine < 0.6 or rng.random() < 0.4
        else ([(186, 44, 62), (206, 86, 100), (160, 50, 84), (196, 84, 70)][rng.integers(4)])
    )
    return {
        "skin": skin,
        "lip": mix(skin, red, rng.uniform(0.35, 0.5) + 0.25 * feminine),
        "hair": mix(hair, HAIRS[rng.integers(len(HAIRS))], 0.06),
        "iris": _between(IRISES[:3] if dark else IRISES, rng.random()),
        "cloth": CLOTHES[rng.integers(len(CLOTHES))],
    }


def _accessories(style: str, rng: np.random.Generator) -> dict:
    beard = "none" if style in LONG else BEARDS[rng.choice(5, p=[0.42, 0.2, 0.1, 0.12, 0.16])]
    glasses = ("none", "round", "square", "thin")[rng.choice(4, p=[0.76, 0.08, 0.08, 0.08])]
    mole = tuple(rng.uniform((-19, 3), (19, 8))) if rng.random() < 0.12 else None
    return {
        "beard": beard,
        "glasses": glasses,
        "mole": mole,
        "blush": rng.uniform(0, 0.3),
        "freckles": int(rng.integers(14, 40)) if rng.random() < 0.15 else 0,
    }


def _head(feminine: float, rng: np.random.Generator) -> dict:
    width = rng.uniform(27.0, 32.0)
    return {
        "face_width": width,
        "jaw_width": width * (rng.uniform(0.74, 0.88) - 0.08 * feminine),
        "chin_width": rng.uniform(7, 13.0) - 3 * feminine,
        "chin_y": rng.uniform(40.0, 44.0),
        "forehead_y": rng.uniform(-33, -26),
        "ear": rng.uniform(0.8, 1.25),
    }


def _eyes(feminine: float, rng: np.random.Generator) -> dict:
    return {
        "eye_x": rng.uniform(13.2, 16.0),
        "eye_y": rng.uniform(-9.0, -6.5),
        "eye_width": rng.uniform(6.1, 7.8),
        "eye_height": rng.uniform(2.9, 4.0) + 0.4 * feminine,
        "eye_tilt": rng.normal(0.3, 0.4),
        "iris_size": rng.uniform(3.2, 3.8),
        "crease": rng.uniform(0.0, 1.0),
        "brow_y": rng.uniform(7.6, 9.8),
        "brow_length": rng.uniform(7.2, 9.2),
        "brow_width": rng.uniform(1.8, 3.2) - 0.9 * feminine,
        "brow_arch": rng.uniform(0.6, 2.4),
        "brow_tilt": rng.normal(-0.2, 0.3),
    }


def _nose_and_mouth(feminine: float, rng: np.random.Generator) -> dict:
    nose = rng.uniform(9.8, 12.2)
    return {
        "nose_y": nose,
        "nose_width": rng.uniform(4.9, 8.2) - 0.8 * feminine,
        "bridge": rng.uniform(2.2, 4.2),
        "tip": rng.uniform(0.6, 1.6),
        "mouth_y": nose + rng.uniform(12.6, 14.4),
        "mouth_width": rng.uniform(10.2, 13.2),
        "upper_lip": rng.uniform(1.2, 2.3) + 0.4 * feminine,
        "lower_lip": rng.uniform(1.9, 3.1) + 0.5 * feminine,
        "bow": rng.uniform(0.1, 0.9),
        "teeth": rng.uniform(2.4, 4.4) if rng.random() < 0.75 else 1.3,
    }


def _moves(rng: np.random.Generator) -> dict:
    low, high = np.array([[0.95, 0.9, 0.8, 0.6], [1.2, 1.3, 1.3, 1.3]])
    mouth, brow, lid, nose = (float(g) for g in rng.uniform(low, high))
    return {
        "gain_mouth": mouth,
        "gain_brow": brow,
        "gain_lid": lid,
        "gain_nose": nose,
        "rest_mouth": float(rng.normal(0, 0.35)),
        "rest_brow": float(rng.normal(0, 0.3)),
    }
