"""Attention maps of chosen faces: which faces, and which place asks."""

import numpy as np
import pandas as pd
import pytest

from lib.networks.attention_maps import chosen_faces, map_of, part_masks, place_of
from lib.networks.network import build_network
from lib.settings.loading import load_study


def test_the_place_that_asks_lies_in_the_middle_of_the_part():
    mask = np.zeros((224, 224), bool)
    mask[160:192, 64:160] = True  # middle: row 176 of 224, column 112
    assert place_of(mask, 13 * 13) == (int(176 / 224 * 13), 6)
    assert place_of(np.stack([mask, mask]), 4) == (1, 1)
    lower = np.roll(mask, 20, axis=0)
    assert place_of(np.stack([mask, lower]), 224 * 224) == (
        186,
        112,
    )  # the mean of several faces' places


def test_chosen_faces_run_evenly_from_sad_to_happy_of_one_person():
    rows = [
        (who, level, condition)
        for who in "ab"
        for level in np.linspace(0, 1, 5)
        for condition in ("full", "eyes")
    ]
    stimuli = pd.DataFrame(rows, columns=["identity", "level", "condition"]).sample(
        frac=1, random_state=1
    )
    found = chosen_faces(stimuli, 3)
    assert found["level"].tolist() == [0, 0.5, 1] and set(found["condition"]) == {"full"}
    assert found["identity"].nunique() == 1 and len(chosen_faces(stimuli, 9)) == 5


def test_a_network_without_attention_has_no_map():
    faces = pd.DataFrame({"path": []})
    with pytest.raises(ValueError):
        map_of(build_network("alexnet", pretraining="untrained"), faces)


def test_faces_whose_parts_nobody_knows_have_the_study_s_boxes():
    boxes = {"eyes": [10, 20, 30, 40], "nose": [1, 2, 1, 2], "mouth": [0, 223, 200, 223]}
    given = {"morphs.boxes": boxes, "morphs.regions": "boxes"}
    study = load_study("data/studies/demo.yaml", given)
    masks = part_masks(study, pd.DataFrame({"split": ["train"], "identity": ["a"]}))
    assert masks["eyes"].sum() == 11 * 11 and masks["eyes"][30:41, 10:21].all()
