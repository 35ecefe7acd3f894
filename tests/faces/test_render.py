"""Built-in faces: midway is midway, regions are exact, diagnosticity decides, nuisance is no
cue.
"""

import numpy as np
import pytest

from lib.faces.render import (
    PARTS,
    Nuisance,
    control_points,
    make_identity,
    part_regions,
    render_face,
)

PEOPLE = [make_identity(index) for index in range(0, 40, 4)]


def changed(one, other):
    return (one != other).any(-1)


def distance(one, other):
    return np.sqrt(np.mean((one.astype(float) - other.astype(float)) ** 2))


def test_a_face_is_the_same_every_time_and_as_large_as_asked():
    first, again = (render_face(make_identity(3), 0.7, size=64) for _ in range(2))
    assert first.shape == (64, 64, 3) and first.dtype == np.uint8
    assert np.array_equal(first, again)


def test_among_two_hundred_people_no_two_are_alike():
    thumbs = (
        np.stack([render_face(make_identity(i), 0.5, size=32) for i in range(200)])
        .reshape(200, -1)
        .astype(float)
    )
    squares = (thumbs**2).sum(1)
    apart = np.sqrt(
        np.maximum(0, squares[:, None] + squares - 2 * thumbs @ thumbs.T) / thumbs.shape[1]
    )
    expression = distance(
        render_face(make_identity(0), 0.4, size=32), render_face(make_identity(0), 0.6, size=32)
    )
    # two people always differ by more than one person's expression does over a fifth of the range
    assert apart[~np.eye(200, dtype=bool)].min() > 1.5 * expression


@pytest.mark.parametrize("part", PARTS)
def test_the_middle_lies_exactly_between_levels_at_equal_distance(part):
    for person in PEOPLE:
        middle = control_points(person, part, 0.0)
        for away in (0.3, 1.0):
            sad, happy = control_points(person, part, -away), control_points(person, part, away)
            np.testing.assert_allclose((sad + happy) / 2, middle, atol=1e-9)
            assert np.abs(happy - sad).max() > 0.3 * away


def test_pictures_of_the_two_ends_are_about_equally_far_from_the_middle():
    ratios = [
        distance(render_face(p, 1), render_face(p, 0.5))
        / distance(render_face(p, 0), render_face(p, 0.5))
        for p in PEOPLE
    ]
    assert min(ratios) > 0.7 and max(ratios) < 1.5


def test_the_further_the_level_the_further_the_picture():
    for person in PEOPLE[:4]:
        steps = [
            distance(render_face(person, 0), render_face(person, level))
            for level in (0, 0.2, 0.4, 0.6, 0.8, 1)
        ]
        assert np.all(np.diff(steps) > 0)


@pytest.mark.parametrize(
    "nuisance",
    [
        None,
        Nuisance.sample(np.random.default_rng(1)),
        Nuisance(yaw=15, pitch=-6, rotation=10, scale=1.1, blur=1.5, scene=5),
    ],
)
def test_expression_changes_nothing_outside_its_parts(nuisance):
    for person in PEOPLE[:6]:
        regions = part_regions(person, nuisance=nuisance)
        middle = render_face(person, 0.5, nuisance=nuisance)
        for part in PARTS:
            only = {other: float(other == part) for other in PARTS}
            for level in (0, 0.2, 1):
                face = render_face(person, level, nuisance=nuisance, diagnosticity=only)
                assert changed(face, middle).any()
                assert not (changed(face, middle) & ~regions[part]).any(), (
                    person.index,
                    part,
                    level,
                )


def test_regions_are_tight_and_apart_from_each_other():
    for person in PEOPLE:
        regions = part_regions(person)
        assert np.sum(list(regions.values()), axis=0).max() == 1
        moved = changed(render_face(person, 0), render_face(person, 1))
        for part, region in regions.items():
            for axis in (0, 1):
                span = np.flatnonzero(region.any(axis))
                used = np.flatnonzero((moved & region).any(axis))
                # no more than a few pixels of margin; the nose's bridge is part of the nose and
                # never moves
                slack = 14 if part == "nose" else 9
                assert used[0] - span[0] <= slack and span[-1] - used[-1] <= slack, (
                    person.index,
                    part,
                )


def test_a_part_without_weight_does_not_change_and_hiding_the_only_cue_hides_the_level():
    person, mouth_only = make_identity(9), {"eyes": 0.0, "nose": 0.0, "mouth": 1.0}
    sad, happy = (render_face(person, level, diagnosticity=mouth_only) for level in (0, 1))
    regions = part_regions(person)
    assert np.array_equal(sad[regions["eyes"]], happy[regions["eyes"]])
    for face in (sad, happy):
        face[regions["mouth"]] = 0
    assert np.array_equal(sad, happy)


def test_half_a_weight_moves_a_part_half_as_far():
    person, half = make_identity(2), dict.fromkeys(PARTS, 0.5)
    assert np.array_equal(render_face(person, 1.0, diagnosticity=half), render_face(person, 0.75))


def test_nuisance_moves_and_lights_the_face_and_is_reproducible():
    person = make_identity(5)
    neutral = render_face(person, 0.5)
    pictures = [
        render_face(person, 0.5, nuisance=Nuisance.sample(np.random.default_rng(seed)))
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(pictures[0], pictures[1])
    assert distance(pictures[0], pictures[2]) > 10 and distance(pictures[0], neutral) > 10
    for change in (
        {"light_x": 0.8, "contrast": 0.6},
        {"yaw": 12},
        {"rotation": 6},
        {"blur": 2},
        {"scene": 4},
    ):
        assert distance(render_face(person, 0.5, nuisance=Nuisance(**change)), neutral) > 1.5, (
            change
        )


def test_the_classes_cannot_be_told_apart_by_mean_colour():
    rng = np.random.default_rng(0)
    people, faces = [make_identity(i) for i in range(16)], []
    for k in range(320):
        level = rng.uniform(0, 0.25) + 0.75 * (k % 2)
        faces.append(
            render_face(people[k // 2 % 16], level, nuisance=Nuisance.sample(rng), size=48).mean(
                (0, 1)
            )
        )
    colours, happy = np.array(faces), np.arange(320) % 2 == 1
    design = np.column_stack([np.ones(320), (colours - colours.mean(0)) / colours.std(0)])
    weights = np.linalg.lstsq(design[:160], 2.0 * happy[:160] - 1, rcond=None)[0]
    correct = ((design[160:] @ weights > 0) == happy[160:]).mean()
    assert correct < 0.5 + 3 * np.sqrt(0.25 / 160)


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"level": 1.2}, "allowed: 0"),
        ({"level": float("nan")}, "allowed: 0"),
        ({"level": 0.5, "diagnosticity": {"ears": 1}}, "eyes, nose, mouth"),
        ({"level": 0.5, "diagnosticity": {"eyes": 2}}, "from 0 to 1"),
        ({"level": 0.5, "size": 4}, "16 pixels"),
    ],
)
def test_impossible_values_are_refused_with_what_is_allowed(wrong, message):
    with pytest.raises(ValueError, match=message):
        render_face(make_identity(0), **wrong)


def test_there_is_no_person_of_a_negative_number():
    with pytest.raises(ValueError, match="0 or more"):
        make_identity(-1)
