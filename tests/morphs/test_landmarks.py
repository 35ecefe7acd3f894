"""Landmarks: reading .tem files, and warps that are exact at the ends and continuous between."""

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.spatial import Delaunay

from lib.morphs.landmarks import (
    Landmarked,
    _framed,
    between,
    landmark_regions,
    morph,
    read_landmarked,
    read_tem,
    warp,
)
from lib.pictures.reading import ImageError

SIZE = 96
GRID = np.array([(x, y) for y in (20, 40, 60, 80) for x in (20.0, 40, 60, 76)])


def smooth(seed):
    """A smooth random picture."""
    noise = np.random.default_rng(seed).uniform(0, 255, (6, 6, 3)).astype(np.float32)
    return (
        cv2.resize(noise, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)
    )


def tem(path, points):
    lines = [str(len(points)), *[f"{x}\t{y}" for x, y in points], "1", "0", "2", "0 1"]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_points_come_back_from_a_tem_file(tmp_path):
    np.testing.assert_array_equal(read_tem(tem(tmp_path / "a.tem", GRID)), GRID)


@pytest.mark.parametrize(
    "text, message",
    [
        ("points\n1 2\n", "line 1"),
        ("3\n1 2\n3 4\n", "holds 2 whole points and says 3"),
        ("3\n1 2\n3 x\n5 6\n", "line 3"),
        ("3\n1 2\n3 4\n5 nan\n", "cut off"),
    ],
)
def test_a_damaged_tem_file_is_refused_by_line(tmp_path, text, message):
    (tmp_path / "a.tem").write_text(text)
    with pytest.raises(ImageError, match=message):
        read_tem(tmp_path / "a.tem")


def test_the_ends_of_a_morph_are_the_two_pictures():
    sad, happy = Landmarked(smooth(1), GRID), Landmarked(smooth(2), GRID + np.array([3.0, -4.0]))
    assert np.array_equal(morph(sad, happy, 0.0), sad.picture)
    assert np.array_equal(morph(sad, happy, 1.0), happy.picture)


def test_landmarks_move_where_they_should():
    """A bright dot on a landmark is found on that landmark's place between the two faces."""
    moved = GRID + np.random.default_rng(3).uniform(-5, 5, GRID.shape)
    for k in (0, 5, 10, 15):
        faces = []
        for points in (GRID, moved):
            picture = np.zeros((SIZE, SIZE, 3), np.uint8)
            cv2.circle(
                picture,
                tuple(np.round(16 * points[k]).astype(int)),
                32,
                (255, 255, 255),
                -1,
                cv2.LINE_AA,
                4,
            )
            faces.append(Landmarked(picture, points))
        half = morph(*faces, 0.5)[..., 0].astype(float)
        y, x = np.mgrid[:SIZE, :SIZE]
        found = np.array([(half * x).sum(), (half * y).sum()]) / half.sum()
        np.testing.assert_allclose(found, between(*faces, 0.5)[k], atol=0.6)


def test_a_warp_shows_no_seams():
    """The warp of a linear ramp is piecewise linear: neighbouring pixels never jump."""
    ramp = np.repeat(np.tile(np.arange(SIZE, dtype=np.uint8), (SIZE, 1))[..., None], 3, 2)
    shape = GRID + np.random.default_rng(4).uniform(-6, 6, GRID.shape)
    face = Landmarked(ramp, GRID)
    warped = warp(face, shape, Delaunay(_framed((GRID + shape) / 2, SIZE)).simplices)[
        ..., 0
    ].astype(int)
    assert np.abs(np.diff(warped, axis=0)).max() <= 4 and np.abs(np.diff(warped, axis=1)).max() <= 4


def test_inside_the_landmarks_a_common_shift_is_a_roll_of_the_picture():
    """Oracle: numpy's roll, at level 1 and half-way."""
    picture = smooth(5)
    face, shape = Landmarked(picture, GRID), GRID + np.array([4.0, 2.0])
    warped = morph(face, Landmarked(np.roll(picture, (2, 4), (0, 1)), shape), 1.0)
    half = morph(face, Landmarked(np.roll(picture, (2, 4), (0, 1)), shape), 0.5).astype(int)
    expected = np.roll(picture, (1, 2), (0, 1)).astype(int)
    inside = np.s_[30:70, 30:66]
    assert np.array_equal(warped[inside], np.roll(picture, (2, 4), (0, 1))[inside])
    assert np.abs(half[inside] - expected[inside]).max() <= 3


def test_a_picture_and_its_points_are_fitted_to_the_square_together(tmp_path):
    wide = np.zeros((100, 200, 3), np.uint8)
    cv2.circle(wide, (120, 40), 3, (255, 255, 255), -1)
    Image.fromarray(wide).save(tmp_path / "a.png")
    tem(tmp_path / "a.tem", [(120, 40), (90, 50), (110, 80)])
    face = read_landmarked(tmp_path / "a.png", 50)
    y, x = np.mgrid[:50, :50]
    light = face.picture[..., 0].astype(float)
    np.testing.assert_allclose(
        [(light * x).sum() / light.sum(), (light * y).sum() / light.sum()], face.points[0], atol=0.3
    )


def test_missing_and_foreign_landmarks_are_refused(tmp_path):
    Image.fromarray(smooth(6)).save(tmp_path / "a.png")
    with pytest.raises(ImageError, match=r"a.tem is not beside it"):
        read_landmarked(tmp_path / "a.png")
    tem(tmp_path / "a.tem", GRID * 10)
    with pytest.raises(ImageError, match="outside its picture"):
        read_landmarked(tmp_path / "a.png")
    with pytest.raises(ImageError, match="16 and 15 points"):
        between(Landmarked(smooth(1), GRID), Landmarked(smooth(1), GRID[1:]), 0.5)


def test_parts_enclose_their_landmarks_and_unknown_templates_are_refused():
    rng = np.random.default_rng(7)
    points = rng.uniform(20, 200, (189, 2))
    points[87:109] = rng.uniform((80, 150), (140, 180), (22, 2))
    mouth = landmark_regions(points)["mouth"]
    assert all(mouth[round(y), round(x)] for x, y in points[87:109])
    rows, columns = np.nonzero(mouth)
    assert rows.min() >= 145 and rows.max() <= 185 and columns.min() >= 75 and columns.max() <= 145
    with pytest.raises(ImageError, match="templates of 179 and 189"):
        landmark_regions(points[:68])
