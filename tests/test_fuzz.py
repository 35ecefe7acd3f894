"""Files of every kind with damages that nobody chose: read, or refused with words; and what is
whole is read right.
"""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fuzz_readers import attempt, damage, readers
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from lib.people.reading import read_people
from lib.people.trials import validate_trials
from lib.pictures.reading import read_image
from lib.settings.loading import load_study

READERS = {reader.file: reader for reader in readers()}
SMOKE = "data/studies/smoke.yaml"


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_read_or_refused_with_its_own_error(name, tmp_path):
    (tmp_path / "inside").mkdir()
    outcomes = {seed: attempt(READERS[name], seed, tmp_path / "inside") for seed in range(25)}
    assert {
        seed: outcome for seed, outcome in outcomes.items() if outcome not in ("read", "refused")
    } == {}


@pytest.mark.parametrize("name", READERS)
def test_an_undamaged_file_is_read(name, tmp_path):
    """Whatever a reader returns: that it raises nothing is what is asked for."""
    (tmp_path / "inside").mkdir()
    for content in READERS[name].contents:
        (tmp_path / "inside" / name).write_bytes(content)
        READERS[name].read(tmp_path / "inside" / name)


def test_damages_do_change_a_file():
    whole = READERS["face.png"].contents
    assert (
        np.mean([damage(np.random.default_rng(seed), whole) in whole for seed in range(50)]) < 0.1
    )


PIXELS = arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3)))


@settings(max_examples=60, deadline=None)
@given(PIXELS, st.sampled_from(["png", "bmp", "tiff"]), st.sampled_from([None, 16, 31]))
def test_any_picture_is_read_in_the_size_asked_for_and_to_the_last_pixel_in_its_own(
    pixels, kind, size
):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"face.{kind}"
        Image.fromarray(pixels).save(path)
        face = read_image(path, size)
    assert face.dtype == np.uint8 and face.shape == (
        pixels.shape if size is None else (size, size, 3)
    )
    if size is None:
        assert np.array_equal(face, pixels)
    else:  # bilinear means stay within what is averaged
        assert face.min() >= pixels.min() and face.max() <= pixels.max()


@settings(max_examples=40, deadline=None)
@given(PIXELS, st.sampled_from(["L", "RGBA", "P", "CMYK", "LA", "1", "I;16"]), st.integers(1, 8))
def test_any_mode_and_orientation_becomes_eight_bit_rgb(pixels, mode, orientation):
    picture = Image.fromarray(pixels)
    picture = (
        Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
        if mode == "I;16"
        else picture.convert(mode)
    )
    exif = Image.Exif()
    exif[0x0112] = orientation
    with tempfile.TemporaryDirectory() as folder:
        picture.save(Path(folder) / "face.tiff", exif=exif)
        face = read_image(Path(folder) / "face.tiff", None)
    turned = orientation >= 5  # these four swap height and width
    assert face.dtype == np.uint8 and face.shape == (
        *(pixels.shape[1::-1] if turned else pixels.shape[:2]),
        3,
    )
    if mode in ("L", "I;16"):
        grey = np.asarray(picture.convert("L") if mode == "L" else pixels[..., 0])
        assert sorted(face[..., 0].ravel()) == sorted(grey.ravel())


WORD = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8
).filter(lambda word: word.lower() not in ("na", "nan", "none", "null", "n/a", "missed", "-"))
TRIAL = st.tuples(
    st.integers(0, 3),
    st.integers(0, 20),
    st.sampled_from(["happy", "sad", ""]),
    st.floats(0.001, 60, allow_subnormal=False),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(TRIAL, min_size=1, max_size=40),
    st.lists(WORD, min_size=7, max_size=7, unique_by=str.casefold),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from([(0, 1), (0, 100), (100, 0), (-3, 3)]),
    st.sampled_from(["s", "ms"]),
)
def test_answers_come_back_whatever_columns_codes_separator_and_units_they_were_written_in(
    trials, words, separator, ends, unit
):
    columns, codes = (
        dict(zip(("observer", "level", "response", "rt_s"), words, strict=False)),
        words[4:6],
    )
    low, high = ends
    level = np.array([t[1] / 20 for t in trials])
    rt = np.array([t[3] for t in trials]) * (1000 if unit == "ms" else 1)
    answer = [{"happy": codes[0], "sad": codes[1], "": ""}[t[2]] for t in trials]
    rows = pd.DataFrame(
        {
            columns["observer"]: [f"p{t[0]}" for t in trials],
            columns["level"]: low + level * (high - low),
            columns["response"]: answer,
            columns["rt_s"]: rt,
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        rows.to_csv(Path(folder) / "a.csv", sep=separator, index=False)
        study = load_study(
            SMOKE,
            {
                "observers.file": f"{folder}/a.csv",
                "observers.columns": columns,
                "observers.rt_unit": unit,
                "observers.level_range": list(ends),
                "observers.codes": {codes[0]: 1, codes[1]: 0},
                "observers.exclude.max_missed": 1.0,
                "observers.exclude.min_end_accuracy": 0.0,
            },
        )
        if not any(
            t[2] and t[1] in (min(x[1] for x in trials), max(x[1] for x in trials)) for t in trials
        ):
            # nobody answered at either end: everybody is excluded, which has a test of its own
            return
        found, report = read_people(study)
    validate_trials(found)
    kept = [k for k, t in enumerate(trials) if f"p{t[0]}" in set(found["observer"])]
    np.testing.assert_allclose(found["level"], level[kept], atol=1e-9)
    np.testing.assert_allclose(
        found["rt_s"], (rt / (1000 if unit == "ms" else 1))[kept], rtol=0, atol=1e-9
    )
    expected = [{"happy": 1.0, "sad": 0.0, "": np.nan}[trials[k][2]] for k in kept]
    np.testing.assert_array_equal(found["response"], expected)
    assert report["trials"].iloc[0] == len(trials) and report["missed"].iloc[-1] == sum(
        np.isnan(expected)
    )
