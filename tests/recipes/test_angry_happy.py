"""The recipe of the reference study gives the very rows and pixels that the authors publish."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.io import savemat

from lib.settings.loading import ROOT

RAW = ROOT.parent / "shared/data/angry_happy"


@pytest.fixture(scope="module")
def recipe():
    path = ROOT / "data/recipes/angry_happy.py"
    spec = importlib.util.spec_from_file_location("angry_happy_recipe", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def clone(folder):
    """Two small clones: one person with two files, the later one first by name."""
    results = {
        "EmoResp": [1.0, 0.0, np.nan, 888.0],
        "EmoRT": [0.612345, 1.0, 2.0, 2.0],
        "ConfResp": [45.8333, np.nan, 100.0, 888.0],
        "MorphLevel": np.array([0, 103, 200, 7], np.uint8),
        "Cue": np.array([0, 1, 0, 1], np.uint8),
        "CueProbDesired": [0.18, 0.18, 0.5, 0.82],
    }
    sequence = {"faceSequence": np.array([1, 0, 1, 0], np.uint8)}
    raw = folder / "CWT_fmri/data/raw/vmp_1_raw"
    raw.mkdir(parents=True)
    for name in ("0019_03-Aug-2020_9-5", "0019_27-Jul-2020_10-50", "0007_01-Aug-2020_8-0"):
        savemat(raw / f"CWT_v1-3_{name}.mat", {"Results": results, "vars": sequence})
    stimuli = folder / "FADtask/stimuli"
    stimuli.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 255, (530, 410), np.uint8)
    for name in ("F_000.tif", "M_103.tif", "cue_0.tif"):
        Image.fromarray(pixels).save(stimuli / name)
    return folder / "FADtask", folder / "CWT_fmri", pixels


def test_rows_and_pixels_of_two_small_clones(recipe, tmp_path, capsys):
    fad, cwt, pixels = clone(tmp_path)
    assert recipe.main([str(fad), str(cwt), str(tmp_path / "to")]) == 0
    assert "2 pictures" in capsys.readouterr().out
    people = pd.read_csv(tmp_path / "to/people.csv", dtype=str, keep_default_na=False)
    first = people[people["participant"] == "s0007"]
    assert first["response"].tolist() == ["happy", "angry", "", "888"]
    assert first["stimulus"].tolist() == ["F_000.png", "M_103.png", "F_200.png", "M_007.png"]
    assert first["rt_s"].tolist() == ["0.6123", "1.0", "", ""]
    assert first["confidence"].tolist() == ["45.8", "", "100.0", ""]
    assert first["cue_p_happy"].tolist() == ["0.18", "0.82", "0.5", "0.18"]
    assert people.groupby("participant")["session"].unique().map(list).to_dict() == {
        "s0007": ["1"],
        "s0019": ["1", "2"],
    }
    assert sorted(p.name for p in (tmp_path / "to/faces").iterdir()) == ["F_000.png", "M_103.png"]
    assert np.array_equal(np.asarray(Image.open(tmp_path / "to/faces/F_000.png")), pixels)


def test_sessions_follow_their_dates_not_their_names(recipe):
    names = ["0019_03-Aug-2020_9-5", "0019_27-Jul-2020_10-50", "0007_14-Aug-2020_8-0"]
    paths = [Path(f"CWT_v1-3_{name}.mat") for name in names]
    assert [paths.index(p) for p in sorted(paths, key=recipe._person_and_date)] == [2, 1, 0]


def test_half_a_clone_is_said(recipe, tmp_path, capsys):
    fad, *_ = clone(tmp_path)
    assert recipe.main([str(fad), str(tmp_path / "nowhere"), str(tmp_path / "to")]) == 1
    assert "needed: whole clones" in capsys.readouterr().err and not (tmp_path / "to").exists()


@pytest.mark.skipif(not RAW.is_dir(), reason="the authors' files are not at hand")
def test_the_authors_files_give_the_rows_that_were_published(recipe):
    published = pd.read_csv(RAW / "people.csv", dtype=str, keep_default_na=False)
    columns = published.columns.drop(["participant", "session"])
    known = [rows[columns].reset_index(drop=True) for _, rows in published.groupby("participant")]
    numbers = ["rt_s", "confidence", "cue_p_happy"]
    for path in sorted((RAW / "raw").glob("*.mat")):
        found = recipe.trials_of(path)
        same = [rows for rows in known if rows["response"].equals(found["response"])]
        assert len(same) == 1  # replaced codes: the person is known by the answers
        for column in columns:
            if column in numbers:
                np.testing.assert_array_equal(
                    pd.to_numeric(same[0][column], errors="coerce"), found[column]
                )
            else:
                assert same[0][column].tolist() == found[column].astype(str).tolist()
