"""Control pictures: as many pixels as the part, off the parts, for each whole face."""

import numpy as np
import pandas as pd
from mechanism_run import small_run, small_stimuli

from lib.morphs.stimuli import regions_of
from lib.parts.controls import CONTROL, control_stimuli, profile_stimuli
from lib.pictures.reading import read_image


def test_each_whole_face_gets_a_patch_of_the_hidden_parts_area_off_the_parts(tmp_path):
    stimuli, study = small_stimuli(tmp_path), small_run(tmp_path).study
    found = control_stimuli(study, stimuli, folder=tmp_path)
    assert len(found) == (stimuli["condition"] == "full").sum() == 6
    assert set(found["condition"]) == {CONTROL + "mouth"}
    row, regions = found.iloc[0], regions_of(study, stimuli.iloc[:1])
    whole = read_image(
        stimuli.loc[stimuli["stimulus"] == row["stimulus"][: -len("_control_mouth")], "path"].iloc[
            0
        ]
    )
    changed = (read_image(row["path"]) != whole).any(axis=2)
    patch = regions["mouth"][0].sum()
    assert 0.9 * patch < changed.sum() <= patch  # a pixel may have had the grey before
    assert not (changed & np.logical_or.reduce([m[0] for m in regions.values()])).any()
    before = [path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("*_control_*.png"))]
    again = control_stimuli(study, stimuli, folder=tmp_path)
    pd.testing.assert_frame_equal(found, again)
    assert before == [p.stat().st_mtime_ns for p in sorted(tmp_path.rglob("*_control_*.png"))]


def test_nothing_hidden_needs_no_patch(tmp_path):
    stimuli = small_stimuli(tmp_path)
    whole = stimuli[stimuli["condition"] == "full"]
    found = control_stimuli(small_run(tmp_path).study, whole, folder=tmp_path)
    assert len(found) == 0 and list(found.columns) == list(whole.columns)


def test_many_pictures_are_thinned_evenly_and_keep_the_ends():
    table = pd.DataFrame(
        [
            {"identity": f"p{k:02d}", "level": step / 100, "condition": condition}
            for k in range(20)
            for step in range(101)
            for condition in ("full", "nose")
        ]
    )
    found = profile_stimuli(table)
    levels = np.sort(found["level"].unique())
    assert len(levels) == 12 and levels[[0, -1]].tolist() == [0, 1]
    assert np.ptp(np.diff(levels)) < 0.02 and found["identity"].nunique() == 12
    assert len(found) == 12 * 12 * 2
