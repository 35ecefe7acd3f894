"""Hidden parts and their controls: exactly the mask, exactly the area, away from the parts."""

import numpy as np
import pytest

from lib.morphs.hiding import box_regions, control_patch, occlude
from lib.settings.options import Morphs


def mask_of(rows, columns, size=40):
    mask = np.zeros((size, size), bool)
    mask[rows, columns] = True
    return mask


def test_only_the_mask_is_hidden_by_the_pictures_mean_grey():
    picture = np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)
    mask = mask_of(slice(5, 9), slice(2, 30))
    hidden = occlude(picture, mask)
    assert np.array_equal(hidden[~mask], picture[~mask])
    assert (hidden[mask] == round(picture.mean())).all()
    assert (occlude(picture, mask, grey=7)[mask] == 7).all()


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"allowed: \(40, 40\)"):
        occlude(np.zeros((40, 40, 3), np.uint8), np.zeros((20, 20), bool))


def test_the_control_has_the_masks_shape_and_area_and_touches_no_part():
    rng = np.random.default_rng(1)
    regions = {"eyes": mask_of(slice(8, 14), slice(5, 35)), "mouth": np.zeros((40, 40), bool)}
    regions["mouth"][28:34, 12:28] = np.tri(6, 16, 10, dtype=bool)
    for part, mask in regions.items():
        patches = [control_patch(mask, regions, rng) for _ in range(20)]
        for patch in patches:
            assert patch.sum() == mask.sum()
            assert not any((patch & region).any() for region in regions.values())
            rows, columns = np.flatnonzero(patch.any(1)), np.flatnonzero(patch.any(0))
            cut = patch[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            assert cut.shape == (6, 30 if part == "eyes" else 16)
        assert len({patch.tobytes() for patch in patches}) > 1


def test_where_the_shape_fits_nowhere_the_area_still_does():
    mask = mask_of(slice(0, 40), slice(15, 25))  # a bar from edge to edge
    regions = {"nose": mask, "eyes": mask_of(slice(18, 22), slice(0, 40))}
    patch = control_patch(mask, regions, np.random.default_rng(2))
    assert patch.sum() == mask.sum() and not (patch & (mask | regions["eyes"])).any()


def test_no_control_is_possible_where_the_parts_fill_the_picture():
    mask = mask_of(slice(0, 30), slice(0, 40))
    with pytest.raises(ValueError, match="control patch of 1200 pixels"):
        control_patch(mask, {"eyes": mask}, np.random.default_rng(3))


def test_boxes_include_their_first_and_last_pixels():
    regions = box_regions(Morphs().boxes)
    assert regions["eyes"].sum() == (171 - 52 + 1) * (99 - 70 + 1)
    assert (
        regions["mouth"][169, 52] and regions["mouth"][199, 171] and not regions["mouth"][200, 171]
    )
