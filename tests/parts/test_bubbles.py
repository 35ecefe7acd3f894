"""Bubbles: a known observer's classification image is found again, and chance stays below its
threshold.
"""

import numpy as np
import pytest

from lib.parts.bubbles import (
    GRID,
    bubble_masks,
    classification_image,
    part_marks,
    through,
)


def test_recovers_what_an_observer_uses():
    """An observer that reads one place, with noise, on two faces of different ease."""
    rng = np.random.default_rng(0)
    masks = bubble_masks(400, rng)
    stimulus = rng.integers(0, 2, 400)
    used = np.zeros((GRID, GRID), bool)
    used[38:44, 20:36] = True
    evidence = 3 * masks[:, used].mean(1) + 5 * stimulus + rng.normal(0, 0.5, 400)
    image = classification_image(masks, evidence, stimulus, rng)
    assert used[np.unravel_index(image.z.argmax(), image.z.shape)]
    assert image.z[used].mean() > image.threshold > np.abs(image.z[:20]).mean()


def test_a_person_who_answers_right_where_the_mouth_shows_is_found_to_need_it():
    """Choices, 1 right and 0 wrong, as people give them."""
    rng = np.random.default_rng(4)
    masks = bubble_masks(900, rng)
    parts = {name: np.zeros((224, 224), bool) for name in ("eyes", "mouth")}
    parts["eyes"][60:90, 60:160], parts["mouth"][150:180, 80:140] = True, True
    seen = masks[:, 38:45, 20:35].mean(axis=(1, 2))
    right = (rng.random(900) < 0.5 + 0.45 * (seen > np.median(seen))).astype(float)
    image = classification_image(masks, right, np.zeros(900), rng)
    marks = part_marks(image, parts).set_index("part")
    assert marks.loc["mouth", "marked"] and not marks.loc["eyes", "marked"]
    assert marks.loc["mouth", "z"] > image.threshold / 2 > marks.loc["eyes", "z"]


def test_more_trials_show_smaller_correlations():
    rng = np.random.default_rng(5)
    found = []
    for n in (100, 900):
        masks = bubble_masks(n, rng)
        image = classification_image(masks, rng.normal(size=n), np.zeros(n), rng, n_permutations=40)
        assert np.tanh(image.threshold / np.sqrt(n - 3)) == pytest.approx(image.smallest)
        found.append(image.smallest)
    assert found[0] > 2.2 * found[1]


def test_chance_is_exceeded_at_its_rate():
    rng = np.random.default_rng(1)
    above = 0
    for _ in range(60):
        masks = bubble_masks(60, rng, holes=6)
        image = classification_image(
            masks, rng.normal(size=60), np.zeros(60), rng, n_permutations=60
        )
        above += np.abs(image.z).max() > image.threshold
    assert above / 60 == pytest.approx(0.05, abs=0.09)


def test_masks_and_pictures_by_hand():
    rng = np.random.default_rng(2)
    masks = bubble_masks(8, rng)
    assert masks.shape == (8, GRID, GRID) and masks.min() >= 0 and masks.max() <= 1
    images = rng.integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    closed_open = np.stack([np.zeros((GRID, GRID)), np.ones((GRID, GRID))]).astype(np.float32)
    shown = through(images, closed_open)
    assert np.unique(shown[0].reshape(-1, 3), axis=0).shape == (1, 3)
    assert (shown[1] == images[1]).all()


def test_same_seed_same_masks_and_too_few_trials():
    one, two = (bubble_masks(3, np.random.default_rng(5)) for _ in range(2))
    assert (one == two).all()
    with pytest.raises(ValueError, match="20 and more"):
        classification_image(one, np.zeros(3), np.zeros(3), np.random.default_rng(0))
