"""What networks are shown: which faces and levels, half of each class, half as many for VGGs."""

import numpy as np
import pandas as pd
import pytest
from mechanism_run import CELLS, labelled_faces, small_run, small_stimuli

from lib.mechanisms.shown import (
    Display,
    Shown,
    along,
    chosen_stimuli,
    few_stimuli,
    one_face,
    reading_panel,
)
from lib.networks.design import Cell


@pytest.fixture(scope="module")
def stimuli(tmp_path_factory):
    return small_stimuli(tmp_path_factory.mktemp("stimuli"))


def test_the_first_faces_at_the_levels_nearest_to_those_wanted(tmp_path):
    table = pd.DataFrame(
        [
            {"identity": name, "level": level, "condition": condition}
            for name in ("b", "a", "c")
            for condition in ("mouth", "full")
            for level in (0.0, 0.3, 0.6, 1.0)
        ]
    )
    study = small_run(tmp_path).study
    found = chosen_stimuli(study, table, faces=2, levels=(0.25, 0.9, 1.0))
    assert set(found["identity"]) == {"a", "b"} and sorted(set(found["level"])) == [0.3, 1.0]
    assert found["condition"].tolist() == ["full"] * 4 + ["mouth"] * 4
    assert found.index.tolist() == list(range(8))
    assert sorted(set(chosen_stimuli(study, table)["level"])) == [0.0, 1.0]  # the study's own


def test_few_stimuli_keep_whole_faces_and_the_ends_of_the_others(stimuli):
    found = few_stimuli(stimuli, faces=1)
    assert set(found["identity"]) == {"id000"}
    assert sorted(found.loc[found["condition"] == "full", "level"]) == [0.0, 0.5, 1.0]
    assert sorted(found.loc[found["condition"] == "mouth", "level"]) == [0.0, 1.0]


def test_along_the_morph_goes_one_face_from_end_to_end(stimuli, tmp_path):
    display = Display.of(small_run(tmp_path).study, stimuli.sample(frac=1, random_state=0))
    rows = display.stimuli.iloc[along(display)]
    assert rows["level"].tolist() == [0.0, 0.5, 1.0] and rows["identity"].nunique() == 1
    assert set(rows["condition"]) == {"full"}


def test_one_face_of_shared_and_of_own_regions():
    own, shared = np.zeros((2, 4, 4), bool), np.ones((4, 4), bool)
    own[1] = True
    found = one_face({"eyes": own, "mouth": shared}, 1)
    assert found["eyes"].all() and found["mouth"] is shared


def test_the_reading_has_half_of_each_class_and_takes_unknown_people_as_different(stimuli):
    labelled = labelled_faces(stimuli)
    missing = labelled.assign(identity=["", np.nan, *labelled["identity"][2:]])
    reading = reading_panel(missing, 4, "happy")
    assert reading.labels.tolist().count(1) == 2 and len(reading.panel) == 4
    assert len(set(reading.groups)) == 4 and reading.groups[0] == missing["path"][0]
    other = reading_panel(labelled.replace("sad", "angry"), 4, "angry")
    assert (other.labels == 1 - reading.labels).all()


def test_vggs_see_fewer_pictures(stimuli, tmp_path):
    shown = Shown(small_run(tmp_path), stimuli, labelled_faces(stimuli))
    few, all_of_them = shown.display(Cell("vgg11", "objects")), shown.display(CELLS[0])
    assert len(few.stimuli) <= len(all_of_them.stimuli)
    masks, which, signs, panel, _ = shown.behind_bubbles
    assert len(masks) == len(which) == len(panel) == 60 and set(signs) == {-1, 1}
