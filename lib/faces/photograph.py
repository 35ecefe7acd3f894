"""How a built-in face is photographed: pose, light, backdrop, blur and sensor noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from lib.faces.drawing import SPAN, canvas_side
from lib.faces.identity import Identity


@dataclass(frozen=True)
class Nuisance:
    """What varies between pictures of one face and says nothing about its expression.

    Angles in degrees, shifts in per cent of the picture, blur and noise as standard deviations
    (pixels of a 224-pixel picture; share of full brightness). ``scene`` draws background and noise;
    -1 is a plain backdrop.
    """

    light_x: float = 0.12
    light_y: float = -0.35
    contrast: float = 0.35
    exposure: float = 1.0
    warmth: float = 0.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    scale: float = 1.0
    rotation: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    scene: int = -1

    @classmethod
    def neutral(cls) -> Nuisance:
        """Frontal, evenly lit, sharp, before a plain backdrop."""
        return cls()

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Nuisance:
        """A snapshot's light, pose, sharpness and place."""
        light = rng.uniform(0, 2 * np.pi)
        return cls(
            light_x=0.75 * np.cos(light),
            light_y=0.6 * np.sin(light) - 0.15,
            contrast=rng.uniform(0.15, 0.65),
            exposure=rng.uniform(0.75, 1.15),
            warmth=rng.normal(0, 0.06),
            shift_x=rng.normal(0, 1.2),
            shift_y=rng.normal(0, 1.2),
            scale=rng.uniform(0.94, 1.08),
            rotation=rng.normal(0, 3.0),
            yaw=rng.uniform(-12, 12),
            pitch=rng.uniform(-5, 5),
            blur=rng.uniform(0, 1.4),
            noise=rng.uniform(0, 0.03),
            scene=int(rng.integers(1 << 31)),
        )


@lru_cache(maxsize=8)
def _grid(n: int, span: float) -> tuple[np.ndarray, np.ndarray]:
    """x and y of pixel centres, per cent, float32 (n, n), of a picture ``span`` per cent wide."""
    line = ((np.arange(n, dtype=np.float32) + 0.5) / n - 0.5) * np.float32(span)
    return np.meshgrid(line, line)


def _depth(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How far the head stands out towards the camera, per cent."""
    dome = np.maximum(0, 1 - (x / 44) ** 2 - ((y + 2) / 58) ** 2)
    return 24 * dome + 4 * np.exp(-((x / 5) ** 2) - ((y - 7) / 9) ** 2)


def pose_maps(nuisance: Nuisance, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Where on the canvas each pixel of the picture comes from, in canvas pixels, float32
    (size, size) each.
    """
    turn, yaw, pitch = np.deg2rad([nuisance.rotation, nuisance.yaw, nuisance.pitch])
    x, y = _grid(size, 100.0)
    x = x - np.float32(nuisance.shift_x)
    y = y - np.float32(nuisance.shift_y)
    c = np.float32(np.cos(turn) / nuisance.scale)
    s = np.float32(np.sin(turn) / nuisance.scale)
    x, y = c * x + s * y, c * y - s * x
    if yaw or pitch:
        depth = _depth(x, y)
        x = x - np.float32(np.sin(yaw)) * depth
        y = y - np.float32(np.sin(pitch)) * depth
    per = np.float32(canvas_side(size) / SPAN)
    return (x + np.float32(SPAN / 2)) * per - np.float32(0.5), (
        y + np.float32(SPAN / 2)
    ) * per - np.float32(0.5)


def half(maps: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The same places on a canvas of half the resolution."""
    return tuple((m + np.float32(0.5)) / 2 - np.float32(0.5) for m in maps)


@lru_cache(maxsize=64)
def _normals(identity: Identity, size: int) -> np.ndarray:
    """Surface normals of the head, float32 (3, n, n) at half the canvas's resolution."""
    x, y = _grid(canvas_side(size) // 2, SPAN)
    w = identity.face_width
    ny = identity.nose_y
    ey = identity.eye_y
    # a dome without a rim, so that hair beside the head takes the same light as the head's edge
    height = 26 * np.exp(-0.5 * ((x / (0.82 * w)) ** 2 + ((y - 1) / 44) ** 2))
    bumps = [
        (0, 0.5 * (ey + ny) + 2, identity.bridge, 9, 2.6),
        (0, ny - 2.5, 0.62 * identity.nose_width, 3.4, 2.4),
        (-16, 7, 8, 6, 1.5),
        (16, 7, 8, 6, 1.5),
        (0, identity.chin_y - 6, 8, 5, 1.6),
        (-identity.eye_x, ey - 2, 6, 4, -1.2),
        (identity.eye_x, ey - 2, 6, 4, -1.2),
        (0, identity.mouth_y, 11, 5, 1.0),
    ]
    for cx, cy, rx, ry, h in bumps:
        height = height + h * np.exp(-(((x - cx) / rx) ** 2) - ((y - cy) / ry) ** 2)
    step = SPAN / len(x)
    down, right = np.gradient(height, step)
    normal = np.stack([-right, -down, np.ones_like(height)])
    return (normal / np.linalg.norm(normal, axis=0)).astype(np.float32)


def shade(identity: Identity, nuisance: Nuisance, size: int) -> np.ndarray:
    """Lambert's law on the head, 1 where a surface faces the camera, float32 (n, n) at half
    resolution.
    """
    normals = _normals(identity, size)
    light = np.array([nuisance.light_x, nuisance.light_y, 0.75])
    light = (light / np.linalg.norm(light)).astype(np.float32)
    lit = np.maximum(0, np.tensordot(light, normals, 1)) / light[2]
    return 1 + np.float32(nuisance.contrast) * (np.minimum(lit, 1.7) - 1)


def photograph(face: np.ndarray, shade: np.ndarray, nuisance: Nuisance, size: int) -> np.ndarray:
    """Light, backdrop, blur and noise, to uint8 (size, size, 3)."""
    gain = np.array([1 + nuisance.warmth, 1, 1 - nuisance.warmth, 1]) * nuisance.exposure
    lit = cv2.multiply(
        face[..., :3], cv2.merge([shade * np.float32(g) for g in gain[:3]]), dtype=cv2.CV_32F
    )
    picture = lit + _backdrop(nuisance, size) * (1 - face[..., 3:] * np.float32(1 / 255))
    if blur_reach(nuisance, size):
        reach = blur_reach(nuisance, size)
        picture = cv2.GaussianBlur(picture, (2 * reach + 1,) * 2, nuisance.blur * size / 224)
    if nuisance.noise:
        picture += _noise(nuisance.scene, size) * np.float32(255 * nuisance.noise)
    return cv2.convertScaleAbs(cv2.max(picture, 0.0))  # rounds, and cuts off at white


def blur_reach(nuisance: Nuisance, size: int) -> int:
    """Pixels that the blur reaches: three standard deviations."""
    return int(np.ceil(3 * nuisance.blur * size / 224)) if nuisance.blur * size / 224 > 0.15 else 0


@lru_cache(maxsize=2)
def _noise_field(size: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1, (2 * size, 2 * size, 3)).astype(np.float32)


def _noise(scene: int, size: int) -> np.ndarray:
    """Sensor noise: a window, chosen by the scene, of one large field of normal numbers."""
    row, column = divmod(scene % (size * size), size)
    return _noise_field(size)[row : row + size, column : column + size]


def _backdrop(nuisance: Nuisance, size: int) -> np.ndarray:
    """Plain grey, or smooth coloured blotches under a light gradient, float32 (size, size, 3)."""
    # a backdrop is smooth: a quarter of the resolution will do
    x, y = _grid(max(2, size // 4), 1.0)
    if nuisance.scene < 0:
        plain = (np.float32(178) - 40 * y)[..., None] * np.ones(3, np.float32)
        return cv2.resize(plain, (size, size), interpolation=cv2.INTER_LINEAR)
    rng = np.random.default_rng(nuisance.scene)
    cells = int(rng.integers(2, 9))
    base = rng.uniform(40, 215) + rng.normal(0, 20, 3)
    # blotches vary more in brightness than in hue, as rooms and gardens do
    spread = rng.normal(0, 1, (cells, cells, 1)) * rng.uniform(5, 45) + rng.normal(
        0, 8, (cells, cells, 3)
    )
    blotches = (base + spread).astype(np.float32)
    tilt = rng.uniform(-50, 50, 2).astype(np.float32)
    smooth = cv2.resize(blotches, x.shape, interpolation=cv2.INTER_CUBIC)
    smooth = (smooth + (tilt[0] * x + tilt[1] * y)[..., None]) * np.float32(nuisance.exposure)
    return cv2.resize(smooth, (size, size), interpolation=cv2.INTER_LINEAR)
