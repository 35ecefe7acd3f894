"""The generated objects: every category is drawn, and only shape and texture tell categories
apart.
"""

import numpy as np
import pytest

from lib.faces.objects import CATEGORIES, SHAPES, TEXTURES, _outline, render_object


def test_there_are_at_least_forty_categories_all_named_apart():
    assert len(CATEGORIES) == len(set(CATEGORIES)) == len(SHAPES) * len(TEXTURES) >= 40


def test_the_same_generator_draws_the_same_picture_and_another_a_different_one():
    first, again, other = (render_object(5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.shape == (224, 224, 3) and first.dtype == np.uint8
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_every_outline_lies_within_the_unit_disc_and_no_two_are_alike():
    outlines = [np.concatenate(_outline(shape)) for shape in SHAPES]
    assert all(np.linalg.norm(curve, axis=1).max() <= 1.42 for curve in outlines)
    assert len({curve.tobytes() for curve in outlines}) == len(SHAPES)


def test_colour_says_nothing_about_the_category():
    rng = np.random.default_rng(3)
    means = np.array(
        [[render_object(c, rng, size=64).mean((0, 1)) for _ in range(40)] for c in (0, 21)]
    )
    gap = np.abs(means[0].mean(0) - means[1].mean(0)).max()
    assert gap < 4 * means.std(1).max() / np.sqrt(40)


def test_an_unknown_category_is_refused_with_the_allowed_range():
    with pytest.raises(ValueError, match="0 to 47"):
        render_object(48, np.random.default_rng(0))
