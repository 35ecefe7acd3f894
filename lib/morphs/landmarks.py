"""WebMorph/Psychomorph landmarks (.tem) and the piecewise affine warp between two faces."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import ImageOps
from scipy.spatial import Delaunay, QhullError

from lib.pictures.reading import ImageError, opened, read_image

# Points of each part in the templates of 179 and 189 points (Psychomorph, WebMorph's FRL), counted
# from 0: eyes with brows, the lower nose, the lips.
PART_POINTS = {
    "eyes": [*range(44), *range(71, 87)],
    "nose": [*range(53, 56), *range(59, 71)],
    "mouth": [*range(87, 109)],
}
TEMPLATES = (179, 189)
MARGIN = 3  # pixels of 224 that a region reaches beyond its landmarks


@dataclass(frozen=True)
class Landmarked:
    """A picture, uint8 (size, size, 3), with landmarks in its pixels, float (n, 2)."""

    picture: np.ndarray
    points: np.ndarray


def read_tem(path: str | Path) -> np.ndarray:
    """The points of a ``.tem`` file: their number, then ``x y`` a line; what follows (lines) is not
    needed.

    Returns
    -------
    float (n, 2), x and y from the picture's upper left corner

    Raises
    ------
    ImageError : not such a file, with the line.
    """
    path = Path(path)
    try:
        lines = _text(path.read_bytes()).splitlines() or [""]
    except (OSError, UnicodeError) as error:
        raise ImageError(f"{path.name} cannot be read as landmarks: {error}") from None
    if not lines[0].strip().isdecimal() or int(lines[0]) < 3:
        raise ImageError(
            f"{path.name}, line 1: {lines[0].strip()!r}; allowed: the number of points, 3 or more"
        )
    points = []
    for number, line in enumerate(lines[1 : int(lines[0]) + 1], start=2):
        try:
            # a decimal comma, as WebMorph leaves it on a German system
            x, y = (float(cell.replace(",", ".")) for cell in line.split())
        except ValueError:
            raise ImageError(
                f"{path.name}, line {number}: {line!r}; allowed: x and y of a point"
            ) from None
        points.append((x, y))
    if len(points) < int(lines[0]) or not np.isfinite(points).all():
        raise ImageError(
            f"{path.name} holds {len(points)} whole points and says {lines[0].strip()}; the file "
            "is cut off: save it again from WebMorph"
        )
    return np.array(points)


def _text(data: bytes) -> str:
    """Text in UTF-8 or UTF-16, with or without a byte order mark."""
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    return data.decode("utf-16" if wide else "utf-8-sig")


def _tem_beside(path: Path) -> Path:
    """The ``.tem`` of a picture; its suffix may be in capitals."""
    found = (path.with_suffix(suffix) for suffix in (".tem", ".TEM", ".Tem"))
    return next((p for p in found if p.is_file()), path.with_suffix(".tem"))


def read_landmarked(path: str | Path, size: int = 224) -> Landmarked:
    """A picture and the ``.tem`` beside it, both fitted to a square as ``read_image`` fits
    pictures.

    Raises
    ------
    ImageError : no .tem of the same name, landmarks outside the picture, or an unreadable picture.
    """
    path = Path(path)
    tem = _tem_beside(path)
    if not tem.is_file():
        raise ImageError(
            f"{path.name} has no landmarks: {tem.name} is not beside it. Export it from WebMorph"
        )
    picture = read_image(path, size)
    points = read_tem(tem)
    with opened(path) as original:
        width, height = ImageOps.exif_transpose(original).size
    if (points < -1).any() or (points > (width, height)).any():
        raise ImageError(
            f"{tem.name} has points outside its picture of {width} x {height} "
            "pixels; the landmarks "
            "belong to another version of it"
        )
    scale = size / min(width, height)
    offset = (np.array([width, height]) * scale - size) / 2
    return Landmarked(picture, (points + 0.5) * scale - offset - 0.5)


def morph(negative: Landmarked, positive: Landmarked, level: float) -> np.ndarray:
    """Both faces warped to the shape between them and cross-faded there.

    Parameters
    ----------
    level : 0 gives the negative picture itself, 1 the positive one.

    Returns
    -------
    uint8 (size, size, 3)
    """
    shape = between(negative, positive, level)
    mesh = triangles(between(negative, positive, 0.5), len(negative.picture))
    warped = [warp(face, shape, mesh).astype(np.float32) for face in (negative, positive)]
    return np.round((1 - level) * warped[0] + level * warped[1]).astype(np.uint8)


def between(negative: Landmarked, positive: Landmarked, level: float) -> np.ndarray:
    """The landmarks at a level, (n, 2); ImageError where the two faces have different templates."""
    if negative.points.shape != positive.points.shape:
        raise ImageError(
            f"landmarks of {len(negative.points)} and {len(positive.points)} points given; "
            "allowed: two faces delineated with the same template"
        )
    return (1 - level) * negative.points + level * positive.points


def warp(face: Landmarked, shape: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The face moved to another shape, triangle by triangle.

    Neighbouring triangles agree along their common edge, so the map is continuous and shows no
    seams.

    Parameters
    ----------
    shape : where the landmarks go, (n, 2).
    triangles : int (m, 3), of the landmarks followed by the frame's eight points.
    """
    size = len(face.picture)
    target = _framed(shape, size)
    source = _framed(face.points, size)
    owner = np.zeros((size, size), np.int32)
    for index, triangle in enumerate(triangles):
        cv2.fillConvexPoly(owner, np.round(16 * target[triangle]).astype(np.int32), index, shift=4)
    affine = np.stack([_affine(target[t], source[t]) for t in triangles]).astype(
        np.float32
    )  # (m, 2, 3)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    maps = affine[owner]  # (size, size, 2, 3)
    place = maps[..., 0] * x[..., None] + maps[..., 1] * y[..., None] + maps[..., 2]
    return cv2.remap(
        face.picture,
        place[..., 0],
        place[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _affine(target: np.ndarray, source: np.ndarray) -> np.ndarray:
    """The map, (2, 3), that takes a target triangle to its source; a flat triangle stays where
    it is.
    """
    corners = np.hstack([target, np.ones((3, 1))])
    if abs(np.linalg.det(corners)) < 1e-9:
        return np.array([[1.0, 0, 0], [0, 1, 0]])
    return np.linalg.solve(corners, source).T


def _framed(points: np.ndarray, size: int) -> np.ndarray:
    """The points and eight on the picture's frame, which stay where they are."""
    line = np.array([0, (size - 1) / 2, size - 1])
    frame = np.array([(x, y) for x in line for y in line if not x == y == line[1]])
    return np.vstack([points, frame])


def triangles(points: np.ndarray, size: int = 224) -> np.ndarray:
    """Delaunay's triangles of the landmarks, (n, 2), and the frame's eight points, int (m, 3).

    Raises
    ------
    ImageError : landmarks on one line.
    """
    try:
        return Delaunay(_framed(points, size)).simplices
    except QhullError:
        raise ImageError(
            "the landmarks lie on one line; allowed: points spread over the face"
        ) from None


def landmark_regions(points: np.ndarray, size: int = 224) -> dict[str, np.ndarray]:
    """The parts from landmarks: the convex outline around each part's points, and a small margin.

    Raises
    ------
    ImageError : a template whose points are not known here.
    """
    if len(points) not in TEMPLATES:
        raise ImageError(
            f"landmarks of {len(points)} points given; parts are known for templates of "
            f"{' and '.join(map(str, TEMPLATES))} points. Use morphs.regions=boxes"
        )
    reach = round(MARGIN * size / 224)
    regions = {}
    for part, indices in PART_POINTS.items():
        outline = cv2.convexHull(points[indices].astype(np.float32))
        mask = cv2.fillConvexPoly(
            np.zeros((size, size), np.uint8), np.round(16 * outline).astype(np.int32), 1, shift=4
        )
        regions[part] = (
            cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)) > 0
        )
    return regions
