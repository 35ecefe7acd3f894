"""Reading pictures of every usual kind, and a folder of drawn pictures that survives a killed
process.
"""

import errno
import os
import struct
import subprocess
import sys
import zlib

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lib.pictures import reading as image_files
from lib.pictures.reading import ImageError, encode_png, keep_pictures, read_image, unreadable
from lib.storage.files import DiskFullError, remove_leftovers

GREY = np.tile(
    np.arange(0, 240, 10, dtype=np.uint8), (24, 1)
)  # (24, 24), dark left to bright right


def saved(tmp_path, picture, name="face.png", **options):
    picture.save(tmp_path / name, **options)
    return tmp_path / name


def test_grey_becomes_three_equal_channels_of_the_asked_size(tmp_path):
    face = read_image(saved(tmp_path, Image.fromarray(GREY)))
    assert face.shape == (224, 224, 3) and face.dtype == np.uint8
    assert np.array_equal(face[..., 0], face[..., 1]) and face[100, 20, 0] < face[100, 200, 0]


def test_sixteen_bits_are_scaled_not_cut_off(tmp_path):
    deep = Image.fromarray(GREY.astype(np.uint16) * 257)
    np.testing.assert_allclose(read_image(saved(tmp_path, deep), 24)[..., 0], GREY, atol=1)


def test_transparent_pixels_show_mid_grey_and_opaque_ones_their_colour(tmp_path):
    pixels = np.zeros((24, 24, 4), np.uint8)
    pixels[:, 12:] = (250, 10, 10, 255)
    face = read_image(saved(tmp_path, Image.fromarray(pixels)), 24)
    assert tuple(face[5, 3]) == (128, 128, 128) and tuple(face[5, 20]) == (250, 10, 10)


def test_a_transparent_palette_picture_is_read_in_colour(tmp_path):
    picture = Image.fromarray(np.full((8, 8), 1, np.uint8), mode="P")
    picture.putpalette([0, 0, 0, 200, 30, 40])
    assert tuple(read_image(saved(tmp_path, picture, transparency=0), 8)[4, 4]) == (200, 30, 40)


def test_a_rotated_photograph_stands_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    path = saved(tmp_path, Image.fromarray(GREY), "face.jpg", exif=exif, quality=95)
    face = read_image(path, 24)[..., 0].astype(int)
    assert face[2, 12] < face[21, 12] - 100 and abs(face[12, 2] - face[12, 21]) < 20


@pytest.mark.parametrize("kind", ["png", "jpg", "tiff", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_of_every_format_is_turned_once(tmp_path, kind, orientation):
    """Hand case: where the bright upper left corner of the stored picture must be seen (EXIF
    2.32, tag 0x0112).
    """
    corner = [(0, 0), (0, -1), (-1, -1), (-1, 0), (0, 0), (0, -1), (-1, -1), (-1, 0)][
        orientation - 1
    ]
    stored, exif = np.zeros((32, 64), np.uint8), Image.Exif()
    stored[:16, :16], exif[0x0112] = 255, orientation
    face = read_image(saved(tmp_path, Image.fromarray(stored), f"face.{kind}", exif=exif), None)[
        ..., 0
    ]
    assert face.shape == ((32, 64) if orientation < 5 else (64, 32))
    assert face[corner] > 200 and abs(face.sum(dtype=float) / stored.sum(dtype=float) - 1) < 0.05


def test_a_picture_that_promises_more_pixels_than_a_face_has_is_refused(tmp_path, monkeypatch):
    path = saved(tmp_path, Image.fromarray(GREY))
    monkeypatch.setattr(image_files, "MOST_PIXELS", 24 * 24)
    assert read_image(path).shape == (224, 224, 3) and unreadable([path]) == []
    monkeypatch.setattr(image_files, "MOST_PIXELS", 24 * 24 - 1)
    with pytest.raises(
        ImageError, match=r"face\.png cannot be read.*24 x 24 pixels; allowed: 575 in all"
    ):
        read_image(path)
    assert len(unreadable([path])) == 1


def test_a_wide_picture_keeps_its_middle_square(tmp_path):
    wide = np.full((20, 60), 10, np.uint8)
    wide[:, 20:40] = 200
    assert read_image(saved(tmp_path, Image.fromarray(wide)), 20).min() == 200


@pytest.mark.parametrize("cut", [0, 20, 0.5])
def test_a_truncated_file_is_named(tmp_path, cut):
    path = saved(
        tmp_path, Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8))
    )
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * cut) if isinstance(cut, float) else cut])
    with pytest.raises(ImageError, match=r"face\.png cannot be read"):
        read_image(path)


def test_a_missing_file_and_a_text_file_are_named(tmp_path):
    with pytest.raises(ImageError, match="no such image"):
        read_image(tmp_path / "nobody.png")
    (tmp_path / "note.png").write_text("this is no picture")
    with pytest.raises(ImageError, match=r"note\.png"):
        read_image(tmp_path / "note.png")


def test_png_keeps_every_pixel(tmp_path):
    picture = np.random.default_rng(1).integers(0, 255, (9, 9, 3), np.uint8)
    (tmp_path / "a.png").write_bytes(encode_png(picture))
    assert np.array_equal(read_image(tmp_path / "a.png", None), picture)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def as_png(header: tuple, pixels: bytes, *extra: bytes) -> bytes:
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">2I5B", *header))
        + chunk(b"IDAT", pixels)
        + b"".join(extra)
        + chunk(b"IEND", b"")
    )


LINES = b"".join(
    bytes([0, *np.random.default_rng(k).integers(0, 256, 24, np.uint8)]) for k in range(8)
)
WHOLE = zlib.compress(LINES)
TURNED = chunk(
    b"eXIf", b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
)  # a quarter to the right


@pytest.mark.parametrize(
    ("header", "lines", "extra"),
    [
        ((8, 8, 8, 2, 0, 0, 0), LINES, b""),
        ((24, 8, 8, 0, 0, 0, 0), LINES, b""),  # grey, and not of the wanted size
        ((12, 8, 16, 0, 0, 0, 0), LINES, b""),
        ((8, 8, 8, 2, 0, 0, 0), LINES, TURNED),
    ],
)
@pytest.mark.parametrize("size", [8, None])
def test_the_short_way_to_a_png_leads_to_what_pillow_reads(
    tmp_path, monkeypatch, header, lines, extra, size
):
    path = tmp_path / "a.png"
    path.write_bytes(as_png(header, zlib.compress(lines), extra))
    fast = read_image(path, size)
    monkeypatch.setattr(image_files, "_plain_png", lambda path, size: None)
    assert np.array_equal(fast, read_image(path, size))


@pytest.mark.parametrize(
    "pixels", [WHOLE[:-40], zlib.compress(b"\x09" + LINES[1:]), WHOLE[:-1] + bytes([WHOLE[-1] ^ 1])]
)
def test_a_damaged_png_is_refused_on_the_short_way_too(tmp_path, pixels):
    path = tmp_path / "a.png"
    path.write_bytes(as_png((8, 8, 8, 2, 0, 0, 0), pixels))
    with pytest.raises(ImageError, match=r"a\.png"):
        read_image(path, 8)


class Drawer:
    """Draws the row's number as a grey and counts how often."""

    def __init__(self, stop_at=None):
        self.drawn, self.stop_at = [], stop_at

    def __call__(self, row):
        if row.number == self.stop_at:
            raise KeyboardInterrupt
        self.drawn.append(row.number)
        return np.full((8, 8), row.number, np.uint8)


ROWS = pd.DataFrame({"file": [f"{k}.png" for k in range(6)], "number": range(6)})


def test_a_killed_drawing_goes_on_where_it_stopped(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        keep_pictures(tmp_path, ROWS, Drawer(stop_at=3), "test")
    assert not (tmp_path / "index.csv").exists()
    resumed, fresh = Drawer(), Drawer()
    after = keep_pictures(tmp_path, ROWS, resumed, "test")
    whole = keep_pictures(tmp_path / "other", ROWS, fresh, "test")
    assert resumed.drawn == [3, 4, 5] and fresh.drawn == list(range(6))
    assert after["sha256"].tolist() == whole["sha256"].tolist()


def test_what_a_killed_drawing_left_half_written_is_removed(tmp_path):
    code = (
        "import os, sys, pandas as pd; from lib.pictures import reading as image_files\n"
        "os.replace = lambda *names: os.kill(os.getpid(), 9)\n"
        "image_files.keep_pictures(__import__('pathlib').Path(sys.argv[1]), "
        "pd.DataFrame({'file': ['a.png']}), "
        "lambda row: __import__('numpy').zeros((4, 4), 'uint8'), 'test')"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert killed.returncode == -9 and len(list(tmp_path.iterdir())) == 1
    assert len(remove_leftovers(tmp_path)) == 1 and list(tmp_path.iterdir()) == []


def test_finished_pictures_are_not_drawn_again_but_damaged_ones_are(tmp_path):
    keep_pictures(tmp_path, ROWS, Drawer(), "test")
    (tmp_path / "2.png").write_bytes(
        (tmp_path / "3.png").read_bytes()
    )  # whole, but another picture
    (tmp_path / "4.png").write_bytes(b"half")
    again = Drawer()
    keep_pictures(tmp_path, ROWS, again, "test")
    assert again.drawn == [2, 4]
    assert read_image(tmp_path / "2.png", None)[0, 0, 0] == 2


def test_a_full_disk_is_said_and_what_was_finished_is_kept(tmp_path, monkeypatch):
    def full(source, target, replace=os.replace):
        if str(target).endswith("3.png"):
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(DiskFullError, match=r"3\.png.*free some space"):
        keep_pictures(tmp_path, ROWS, Drawer(), "test")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0.png", "1.png", "2.png"]
