"""Enrichment: hand cases, the shift null's calibration, intervals over seeds."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.ndimage import gaussian_filter

from lib.saliency.enrichment import (
    control_rows,
    enrichment,
    face_box,
    over_seeds,
    p_value,
    part_rows,
    share,
    shift_nulls,
)


def box(rows, columns, size=32):
    mask = np.zeros((size, size), bool)
    mask[rows, columns] = True
    return mask


MOUTH = box(slice(20, 25), slice(8, 24))
# parts whose box, with its margin, is the whole picture
CORNERS = box(slice(2, 4), slice(2, 30)) | box(slice(28, 30), slice(2, 30))
FACE = {"mouth": MOUTH, "rim": CORNERS}


@pytest.mark.parametrize("value", [0.1, 1.0, 1 / 3, 1e-7, 12345.678])
def test_flat_map_scores_exactly_one(value):
    maps = np.full((3, 32, 32), value)
    assert (enrichment(maps, MOUTH) == 1.0).all()


def test_box_on_the_mouth_scores_one_over_its_area():
    assert enrichment(MOUTH.astype(float), MOUTH)[0] == 1 / MOUTH.mean()
    assert share(MOUTH.astype(float), MOUTH)[0] == 1.0
    assert enrichment(MOUTH.astype(float), ~MOUTH)[0] == 0.0


def test_half_inside_by_hand():
    maps = np.zeros((1, 4, 4))
    maps[0, 0, 0], maps[0, 3, 3] = 3.0, 1.0
    region = box(slice(0, 1), slice(0, 2), size=4)  # 2 of 16 pixels hold 3 of 4 parts
    assert share(maps, region)[0] == pytest.approx(0.75)
    assert enrichment(maps, region)[0] == pytest.approx(0.75 / (2 / 16))


def test_zero_map_is_nan_and_leaves_the_others_alone():
    maps = np.stack([np.zeros((32, 32)), MOUTH.astype(float)])
    values = enrichment(maps, MOUTH)
    assert np.isnan(values[0]) and values[1] == 1 / MOUTH.mean()
    rows = part_rows(maps, {"mouth": MOUTH}, n_permutations=19, rng=np.random.default_rng(0))
    assert rows.n_faces[0] == 1 and rows.enrichment[0] == 1 / MOUTH.mean()


def test_scale_and_units_do_not_matter():
    maps = np.random.default_rng(0).random((2, 32, 32))
    assert enrichment(maps, MOUTH) == pytest.approx(enrichment(1000 * maps, MOUTH))
    assert share(maps, MOUTH) + share(maps, ~MOUTH) == pytest.approx(np.ones(2))


@pytest.mark.parametrize(
    "maps, region, words",
    [
        (-np.ones((1, 32, 32)), MOUTH, "normalise"),
        (np.ones((1, 32, 32)), np.zeros((32, 32), bool), "empty region"),
        (np.ones((1, 32, 32)), MOUTH.astype(int), "bool"),
        (np.ones((1, 16, 16)), MOUTH, "same size"),
        (np.full((1, 32, 32), np.nan), MOUTH, "finite"),
    ],
)
def test_what_cannot_be_scored_is_refused(maps, region, words):
    with pytest.raises(ValueError, match=words):
        enrichment(maps, region)


def test_the_face_is_the_box_around_its_parts_and_a_little_more():
    rows, columns = face_box({"mouth": MOUTH, "eyes": box(slice(5, 8), slice(8, 24))})
    assert (rows, columns) == (slice(2, 28), slice(6, 26))  # 20 rows and 16 columns, 15 % more
    assert face_box(FACE) == (slice(0, 32), slice(0, 32))


def test_a_map_that_marks_the_face_alone_marks_no_part():
    """Bright on the face and dark off it: enriched in every part, and told from nothing within."""
    regions = {"eyes": box(slice(8, 11), slice(9, 23)), "mouth": box(slice(18, 23), slice(10, 22))}
    maps = np.zeros((2, 32, 32))
    maps[:, *face_box(regions)] = 1.0
    rows = part_rows(maps, regions, n_permutations=199, rng=np.random.default_rng(0))
    assert (rows.enrichment > 1.5).all() and (rows.p > 0.9).all()
    maps[:, 18:23, 10:22] = 5.0
    marked = part_rows(maps, regions, n_permutations=199, rng=np.random.default_rng(0))
    assert marked.set_index("part").p["mouth"] <= 0.05 < marked.set_index("part").p["eyes"]


def test_shift_null_equals_rolling_by_hand():
    """Oracle: np.roll of every map by every shift, on a small image."""
    rng = np.random.default_rng(3)
    maps, regions = rng.random((2, 6, 5)), rng.random((2, 6, 5)) < 0.4
    regions[:, [0, -1], [0, -1]] = True  # the face fills the picture
    observed, null = shift_nulls(maps, {"part": regions}, 4000, np.random.default_rng(0))["part"]
    rolled = {
        round(enrichment(np.roll(maps, (i, j), (1, 2)), regions).mean(), 9)
        for i in range(6)
        for j in range(5)
    }
    assert observed == pytest.approx(enrichment(maps, regions).mean())
    assert set(np.round(null, 9)) == rolled


def test_p_is_uniform_under_the_null():
    """Smooth maps whose place is arbitrary, four faces alike: Kolmogorov-Smirnov against
    uniform.
    """
    rng = np.random.default_rng(7)
    values = []
    for _ in range(400):
        common = gaussian_filter(rng.normal(size=(32, 32)), 3, mode="wrap")
        own = gaussian_filter(rng.normal(size=(4, 32, 32)), (0, 3, 3), mode="wrap")
        values.append(part_rows(np.abs(common + 0.3 * own), FACE, n_permutations=199, rng=rng).p[0])
    assert stats.kstest(values, "uniform").pvalue > 0.01
    assert np.mean(np.array(values) <= 0.05) == pytest.approx(0.05, abs=0.03)


def test_shifting_faces_apart_would_be_wrong():
    """The reason for joint shifts: with shifts of their own, faces that share one map are
    called significant.
    """
    rng = np.random.default_rng(8)
    wrong = []
    for _ in range(200):
        one = np.abs(gaussian_filter(rng.normal(size=(32, 32)), 3, mode="wrap"))
        nulls = [shift_nulls(one, FACE, 199, rng)["mouth"][1] for _ in range(4)]
        wrong.append(p_value(enrichment(one, MOUTH)[0], np.mean(nulls, axis=0)))
    assert np.mean(np.array(wrong) <= 0.05) > 0.1


def test_p_of_a_flat_map_is_one_and_of_the_mouth_small():
    rng = np.random.default_rng(0)
    flat = part_rows(np.full((2, 32, 32), 0.1), FACE, n_permutations=99, rng=rng)
    mouth = part_rows(MOUTH[None].astype(float), FACE, n_permutations=99, rng=rng)
    assert flat.p[0] == 1.0 and mouth.p[0] <= 0.02


def test_control_patches_of_a_map_on_the_mouth_hold_nothing():
    def beside(mask, regions, rng):
        return np.roll(mask, -12, axis=0)

    rows = control_rows(
        MOUTH[None].astype(float), {"mouth": MOUTH}, beside, np.random.default_rng(0), n=3
    )
    assert rows.control[0] == 0.0
    flat = control_rows(
        np.ones((2, 32, 32)), {"mouth": MOUTH}, beside, np.random.default_rng(0), n=3
    )
    assert flat.control[0] == flat.control_high[0] == 1.0


def test_interval_over_seeds_ignores_faces_within_a_seed():
    """Many rows in two seeds are two values, not many; oracle: scipy's t interval."""
    frame = pd.DataFrame(
        {"part": "mouth", "seed": [0] * 50 + [1] * 50, "enrichment": [1.0] * 50 + [2.0] * 50}
    )
    row = over_seeds(frame, ["part"]).iloc[0]
    low, high = stats.t.interval(0.95, 1, loc=1.5, scale=stats.sem([1.0, 2.0]))
    assert (row.low, row.high, row.n_units) == (pytest.approx(low), pytest.approx(high), 2)
    single = over_seeds(frame[frame.seed == 0], ["part"]).iloc[0]
    assert np.isnan(single.low) and "1 seed" in single.reason
