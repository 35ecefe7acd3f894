"""The drawn expression: nobody is in doubt at the two ends."""

import numpy as np
import pytest

from lib.faces.geometry import MEASURES, expression_geometry, geometry_table

TABLE = geometry_table(range(200)).set_index(["measure", "level"])


@pytest.mark.parametrize("measure", ["mouth_corners", "brow_slope"])
def test_no_persons_sad_face_reaches_into_the_range_of_the_happy_ones(measure):
    assert TABLE.loc[measure, "separated"].all()


def test_everybody_smiles_at_level_1_and_turns_the_mouth_down_at_level_0():
    assert TABLE.loc[("mouth_corners", 1), "low"] > 5
    assert TABLE.loc[("mouth_corners", 0), "high"] < -5


def test_everybodys_brows_slope_down_outwards_at_level_0():
    assert TABLE.loc[("brow_slope", 0), "low"] > 10


def test_a_smile_narrows_every_eye_and_closes_none():
    drawn = expression_geometry(range(100), (0, 1)).pivot(
        index="identity", columns="level", values="lid_aperture"
    )
    assert (drawn[1] < 0.85 * drawn[0]).all()
    assert drawn[1].min() > 0.15


def test_measures_are_straight_lines_or_nearly_so_between_the_ends():
    drawn = expression_geometry(range(20), (0, 0.5, 1)).groupby("level")[list(MEASURES)].mean()
    np.testing.assert_allclose((drawn.loc[0] + drawn.loc[1]) / 2, drawn.loc[0.5], rtol=0.05)


def test_a_table_of_one_level_or_overlapping_ones_is_not_called_separated():
    assert not geometry_table(range(5), (0.5,))["separated"].any()
    assert not geometry_table(range(50), (0.49, 0.51))["separated"].any()


def test_a_level_off_the_morph_is_refused():
    with pytest.raises(ValueError, match="0 to 1"):
        expression_geometry([0], (0, 1.5))
