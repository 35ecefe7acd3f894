"""Cues without a face: each is found where it was put in, and none where nothing was."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lib.pictures.confounds import (
    confounds_in_words,
    image_confounds,
    morph_confounds,
    read_out,
)
from lib.pictures.cues import jpeg_blocks, patches

POLES = ("angry", "happy")
SHARED = Path(__file__).parents[3] / "shared/data"


def texture(rng, side=48):
    """A soft random picture with the spectrum of photographs."""
    waves = np.fft.fft2(rng.normal(size=(side, side)))
    along = np.abs(np.fft.fftfreq(side, 1 / side))
    picture = np.fft.ifft2(waves / np.maximum(1, np.hypot(along[:, None], along))).real
    return (128 + 40 * picture / picture.std()).clip(0, 255).astype(np.uint8)


def once_jpeg(picture, quality=75):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def written(folder, changes, n=60, suffix=("png", "png")):
    """A table ``images`` of n pictures a class, each class changed in its own way."""
    rng, rows = np.random.default_rng(3), []
    for pole, change, end in zip(POLES, changes, suffix, strict=True):
        for k in range(n):
            path = folder / f"{pole}_{k:03d}.{end}"
            Image.fromarray(change(texture(rng))).save(path)
            rows.append({"path": str(path), "label": pole, "split": "train", "identity": ""})
    return pd.DataFrame(rows)


def as_it_is(picture):
    return picture


def found(table):
    return set(table.loc[table["warning"], "cue"])


def test_nothing_is_found_where_the_classes_are_alike(tmp_path):
    table = image_confounds(written(tmp_path, (as_it_is, as_it_is)), POLES)
    assert found(table) == set() and (table["low"] < 0.55).all()
    assert "no cue without a face tells angry from happy" in confounds_in_words(table, POLES)[0]


def test_a_class_that_was_once_jpeg_is_found_and_named(tmp_path):
    table = image_confounds(written(tmp_path, (once_jpeg, as_it_is)), POLES)
    row = table.set_index("cue").loc["traces of JPEG"]
    assert row["warning"] and row["accuracy"] > 0.9
    assert row["cause"].startswith("angry pictures have more traces of JPEG")
    assert not table.set_index("cue").loc["file format, size and mode", "warning"]
    assert "Likeliest cause: angry pictures have more traces" in confounds_in_words(table, POLES)[0]


def test_classes_that_were_both_once_jpeg_are_alike(tmp_path):
    assert found(image_confounds(written(tmp_path, (once_jpeg, once_jpeg)), POLES)) == set()


def test_soft_pictures_are_not_taken_for_compressed_ones():
    """What vanishes on both grids is softness, not compression."""
    rng = np.random.default_rng(4)
    pictures = [texture(rng).astype(np.float32) for _ in range(40)]
    soft = [(p + np.roll(p, 1, 0) + np.roll(p, 1, 1)) / 3 for p in pictures]
    hard = [once_jpeg(p.astype(np.uint8)).astype(np.float32) for p in pictures]
    scores = [
        np.mean([jpeg_blocks(p)[-14:].mean() for p in some]) for some in (pictures, soft, hard)
    ]
    assert abs(scores[0]) < 0.02 and abs(scores[1]) < 0.02 and scores[2] > 0.1


def test_another_format_is_found_and_its_shares_said(tmp_path):
    table = image_confounds(written(tmp_path, (as_it_is, as_it_is), suffix=("png", "bmp")), POLES)
    row = table.set_index("cue").loc["file format, size and mode"]
    assert row["accuracy"] == 1 and row["warning"]
    assert row["cause"].startswith("format PNG: 100% of angry, 0% of happy; ")
    assert found(table) == {"file format, size and mode"}


def test_a_brighter_class_is_found(tmp_path):
    def brighter(picture):
        return (picture * 0.6 + 90).astype(np.uint8)

    table = image_confounds(written(tmp_path, (as_it_is, brighter)), POLES)
    assert {"brightness and contrast", "histogram of grey values"} <= found(table)
    assert "happy pictures have higher grey values" in " ".join(table["cause"])


def test_patches_know_no_places():
    grey = texture(np.random.default_rng(5)).astype(np.float32)
    tiles = grey.reshape(6, 8, 6, 8).transpose(0, 2, 1, 3).reshape(36, 8, 8)
    order = np.random.default_rng(6).permutation(36)
    shuffled = tiles[order].reshape(6, 6, 8, 8).transpose(0, 2, 1, 3).reshape(48, 48)
    assert not np.array_equal(shuffled, grey)
    np.testing.assert_allclose(patches(shuffled), patches(grey), atol=1e-4)


def test_people_are_left_out_whole():
    """The label is the person's: in other people it is chance, however often each is seen."""
    rng = np.random.default_rng(7)
    people = np.repeat(np.arange(20), 10)
    features = rng.normal(size=(20, 30))[people] + rng.normal(0, 0.01, (200, 30))
    positive = people % 2 == 0
    assert read_out(features, positive) > 0.95
    assert read_out(features, positive, people) < 0.75


def test_two_identities_cannot_raise_a_warning(tmp_path):
    rows = []
    for who in "AB":
        face = texture(np.random.default_rng(ord(who)))
        for level in np.linspace(0, 1, 31):
            path = tmp_path / f"{who}_{level:.3f}.png"
            Image.fromarray((face * 0.7 + 70 * level).astype(np.uint8)).save(path)
            rows.append((str(path), who, level, "full"))
    stimuli = pd.DataFrame(rows, columns=["path", "identity", "level", "condition"])
    table = morph_confounds(stimuli, POLES)
    assert found(table) == set() and set(table["n"]) == {4}
    assert table.set_index("cue").loc["brightness and contrast", "accuracy"] > 0.9
    assert "with 2 identities nobody can say" in confounds_in_words(table, POLES)[0]


def test_too_few_pictures_say_nothing(tmp_path):
    table = image_confounds(written(tmp_path, (as_it_is, as_it_is), n=5), POLES)
    assert table["accuracy"].isna().all() and not table["warning"].any()
    assert "too few to say" in confounds_in_words(table, POLES)[0]


@pytest.mark.skipif(not (SHARED / "fer2013").is_dir(), reason="FER-2013 is not at hand")
@pytest.mark.parametrize(("happy", "warned"), [("fer2013", True), ("fer2013_angry_happy", False)])
def test_two_copies_of_fer2013_are_told_apart_by_their_compression(happy, warned):
    rows = [
        (str(p), "angry") for p in sorted((SHARED / "fer2013_angry_happy/train/angry").iterdir())
    ]
    rows += [(str(p), "happy") for p in sorted((SHARED / happy / "train/happy").iterdir())]
    images = pd.DataFrame(rows, columns=["path", "label"]).assign(split="train", identity="")
    table = image_confounds(images, POLES, n=400).set_index("cue")
    assert table.loc["traces of JPEG", "warning"] == warned
    assert table["warning"].any() == warned
    assert table.loc["file format, size and mode", "accuracy"] == 0.5
