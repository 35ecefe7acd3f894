"""Stimuli of every source: complete, unseen in training, hidden exactly where the part is."""

import re

import numpy as np
import pytest
from PIL import Image

from lib.faces.render import make_identity, render_face
from lib.morphs.folder import as_regular
from lib.morphs.sources import builtin_people, fade, match_pairs
from lib.morphs.stimuli import make_stimuli, regions_of
from lib.pictures.labelled import load_images
from lib.pictures.reading import ImageError, encode_png, read_image
from lib.settings.loading import load_study, resolve

SMOKE = {
    "images.n_train": 8,
    "images.n_validation": 4,
    "images.n_test": 4,
    "images.identities": 12,
    "morphs.identities": 2,
    "morphs.levels": 3,
}


@pytest.fixture(scope="module")
def built_in(tmp_path_factory):
    folder = tmp_path_factory.mktemp("derived")
    study = load_study("data/studies/smoke.yaml", SMOKE)
    images = load_images(study, folder)
    return study, images, make_stimuli(study, images, folder), folder


def picture(stimuli, identity, condition, level):
    row = stimuli[
        (stimuli["identity"] == identity)
        & (stimuli["condition"] == condition)
        & (stimuli["level"] == level)
    ]
    return read_image(resolve(row["path"].item()))


def test_every_identity_has_every_level_in_every_condition_once(built_in):
    _, images, stimuli, _ = built_in
    assert len(stimuli) == 2 * 3 * 4 and stimuli["stimulus"].is_unique
    assert (
        stimuli.groupby(["identity", "condition"])["level"]
        .apply(list)
        .map(lambda x: x == [0, 0.5, 1])
        .all()
    )
    assert "id" in stimuli["stimulus"][0] and stimuli["stimulus"][0].endswith("_full_0.00")
    assert not set(stimuli["identity"]) & set(images["identity"][images["split"] == "train"])


def test_the_full_picture_is_the_face_itself_and_a_hidden_part_is_hidden_exactly(built_in):
    study, _, stimuli, _ = built_in
    name = stimuli["identity"][0]
    whole = picture(stimuli, name, "full", 1.0)
    assert np.array_equal(whole, render_face(make_identity(int(name[2:])), 1.0))
    one = stimuli[(stimuli["identity"] == name) & (stimuli["level"] == 1)].set_index("condition")
    regions = regions_of(study, one.reset_index())
    for k, part in enumerate(("eyes", "nose", "mouth")):
        hidden, mask = picture(stimuli, name, part, 1.0), regions[part][k]
        assert (
            np.array_equal(hidden[~mask], whole[~mask])
            and (hidden[mask] == round(whole.mean())).all()
        )


def test_regions_follow_the_order_of_the_stimuli(built_in):
    study, _, stimuli, _ = built_in
    regions = regions_of(study, stimuli)
    backwards = regions_of(study, stimuli.iloc[::-1])
    assert regions["mouth"].shape == (24, 224, 224)
    assert np.array_equal(regions["mouth"][::-1], backwards["mouth"])
    assert not np.array_equal(regions["mouth"][0], regions["mouth"][-1])


def test_stimuli_are_drawn_once_and_again_where_settings_change(built_in):
    study, images, stimuli, folder = built_in
    before = {p: resolve(p).stat().st_mtime_ns for p in stimuli["path"]}
    again = make_stimuli(study, images, folder)
    assert again.equals(stimuli) and before == {
        p: resolve(p).stat().st_mtime_ns for p in again["path"]
    }
    other = make_stimuli(
        load_study("data/studies/smoke.yaml", SMOKE | {"images.diagnosticity": {"mouth": 0.0}}),
        images,
        folder,
    )
    assert not set(other["path"]) & set(stimuli["path"])


def test_more_people_than_the_test_split_has_are_new_people():
    study = load_study("data/studies/smoke.yaml", SMOKE | {"morphs.identities": 7})
    assert len(set(builtin_people(study))) == 7
    assert sum(index >= study.images.identities for index in builtin_people(study)) == 5


def test_pairs_are_one_to_one_and_the_best_there_are():
    """Hand case: the greedy choice (sad 0 with happy 0) would leave sad 1 with a bad partner."""
    sad, happy = np.eye(2), np.array([[0.9, 0.8], [0.85, 0.1]])
    assert match_pairs(sad, happy, 2) == [(0, 1, 0.85), (1, 0, 0.8)]
    rng = np.random.default_rng(0)
    pairs = match_pairs(rng.normal(size=(9, 20)), rng.normal(size=(7, 20)), 5)
    assert len({i for i, _, _ in pairs}) == len({j for _, j, _ in pairs}) == 5
    assert [r for _, _, r in pairs] == sorted((r for _, _, r in pairs), reverse=True)


def test_a_cross_fade_is_linear_and_ends_at_its_pictures():
    sad, happy = np.full((2, 2, 3), 20.0), np.full((2, 2, 3), 120.0)
    assert [fade(sad, happy, level)[0, 0, 0] for level in (0, 0.25, 0.5, 1)] == [20, 45, 70, 120]


@pytest.fixture
def photographs(tmp_path):
    """A set of small photographs in which each sad test face has a happy twin of the same
    layout.
    """
    number = 0
    for split in ("train", "validation", "test"):
        for k in range(5):
            twin = (
                np.random.default_rng([5, k]).uniform(30, 220, (4, 4)) if split == "test" else None
            )
            for label in ("sad", "happy"):
                number += 1
                base = (
                    np.random.default_rng([6, number]).uniform(30, 220, (4, 4))
                    if twin is None
                    else twin
                )
                noise = np.random.default_rng([7, number]).normal(0, 4, (48, 48))
                pixels = np.kron(base, np.ones((12, 12))) + noise
                path = tmp_path / "set" / split / label / f"{k}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(encode_png(pixels.clip(0, 255).astype(np.uint8)))
    return tmp_path


def of_photographs(folder, **settings):
    given = {
        "images.source": "folder",
        "images.root": str(folder / "set"),
        "images.n_train": None,
        "images.n_validation": None,
        "images.n_test": None,
        "morphs.levels": 3,
        "morphs.identities": 3,
        "morphs.regions": "boxes",
    } | settings
    study = load_study("data/studies/smoke.yaml", given)
    images = load_images(study, folder / "derived")
    return study, images, make_stimuli(study, images, folder / "derived")


def test_matched_pairs_find_the_twins_and_fade_between_them(photographs):
    study, _, stimuli = of_photographs(photographs, **{"morphs.source": "matched_pairs"})
    assert len(stimuli) == 3 * 3 * 4
    for sad, happy in zip(stimuli["negative"], stimuli["positive"], strict=True):
        assert sad.split("/")[-1] == happy.split("/")[-1] and "/test/" in sad
    assert (stimuli["correlation"].astype(float) > 0.9).all()
    name = stimuli["identity"][0]
    ends = [picture(stimuli, name, "full", level).astype(float) for level in (0.0, 1.0)]
    np.testing.assert_array_equal(ends[0], read_image(resolve(stimuli["negative"][0])))
    np.testing.assert_allclose(
        picture(stimuli, name, "full", 0.5), (ends[0] + ends[1]) / 2, atol=0.51
    )
    assert regions_of(study, stimuli)["eyes"].shape == (224, 224)


def test_more_pairs_than_images_is_refused_with_the_number(photographs):
    with pytest.raises(ImageError, match=r"morphs.identities=6 given; the test split has 5 sad"):
        of_photographs(photographs, **{"morphs.source": "matched_pairs", "morphs.identities": 6})


def test_averages_share_out_the_test_images(photographs):
    _, _, stimuli = of_photographs(
        photographs, **{"morphs.source": "averages", "morphs.identities": 2}
    )
    assert set(stimuli["negative"]) == {"mean of 3", "mean of 2"}
    mean = np.mean(
        [read_image(photographs / f"set/test/sad/{k}.png").astype(float) for k in (1, 3)], 0
    )
    np.testing.assert_allclose(picture(stimuli, "average02", "full", 0.0), mean, atol=0.51)


def own_morphs(folder, names):
    (folder / "mine").mkdir()
    for k, name in enumerate(names):
        path = folder / "mine" / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((224, 224, 3), 5 * k + 10, np.uint8)).save(path)
    return {"morphs.source": "folder", "morphs.root": str(folder / "mine")}


def test_a_users_own_morphs_are_used_as_they_are_and_missing_conditions_drawn(photographs):
    names = [
        f"{who}/{condition}_{step:03d}.png"
        for who in "AB"
        for condition in ("full", "eyes")
        for step in (0, 50, 100)
    ]
    settings = own_morphs(photographs, names) | {
        "morphs.pattern": "{identity}/{condition}_{step}.png"
    }
    _, _, stimuli = of_photographs(photographs, **settings)
    assert len(stimuli) == 2 * 4 * 3 and sorted(stimuli["level"].unique()) == [0, 0.5, 1]
    given = stimuli[stimuli["condition"].isin(["full", "eyes"])]
    assert given["path"].str.contains("/mine/").all()
    assert not stimuli.drop(given.index)["path"].str.contains("/mine/").any()


def test_a_pattern_that_fits_nothing_is_refused_with_an_example(photographs):
    settings = own_morphs(photographs, ["a-1.png", "a-2.png"])
    with pytest.raises(ImageError, match=r"fits none of the 2 images .* 'a-1.png'"):
        of_photographs(photographs, **settings)
    with pytest.raises(ImageError, match="full is needed"):
        of_photographs(photographs, **settings | {"morphs.pattern": "{condition}-{step}.png"})


def test_files_of_other_conditions_move_no_level(photographs):
    names = [f"full_{step}.png" for step in (0, 50, 100)] + ["practice_400.png", "eyes_200.png"]
    settings = own_morphs(photographs, names) | {"morphs.pattern": "{condition}_{step}.png"}
    _, _, stimuli = of_photographs(photographs, **settings, **{"morphs.conditions": ["full"]})
    assert stimuli["level"].tolist() == [0, 0.5, 1]


def test_two_files_of_one_picture_are_refused_by_name(photographs):
    settings = own_morphs(photographs, ["full_0.png", "full_00.png", "full_9.png"])
    with pytest.raises(
        ImageError,
        match=r"full_0\.png and \S*full_00\.png are both step 0 of morph01 full \(1 such",
    ):
        of_photographs(photographs, **settings | {"morphs.pattern": "{condition}_{step}.png"})


def test_identities_without_full_pictures_are_refused_by_name(photographs):
    names = [
        f"{who}_{condition}_{step}.png"
        for who, condition in (("A", "full"), ("B", "eyes"), ("C", "mouth"))
        for step in (0, 1)
    ]
    settings = own_morphs(photographs, names) | {
        "morphs.pattern": "{identity}_{condition}_{step}.png"
    }
    with pytest.raises(ImageError, match=r"no full pictures of B, C; needed"):
        of_photographs(photographs, **settings)


def test_pattern_words_are_literal_except_for_the_placeholders():
    found = re.fullmatch(as_regular("{identity}.x_{step}.jpg"), "m1.x_12.5.jpg")
    assert found.groupdict() == {"identity": "m1", "step": "12.5"}
    assert re.fullmatch(as_regular("{identity}.x_{step}.jpg"), "m1-x_12.jpg") is None


def test_landmarked_pairs_are_warped_and_their_parts_follow(photographs):
    (photographs / "faces").mkdir()
    rng = np.random.default_rng(8)
    points = rng.uniform(60, 160, (189, 2))
    for who in ("one", "two", "three"):
        for label, shift in (("sad", 0), ("happy", 8)):
            face = Image.fromarray(rng.integers(0, 255, (224, 224, 3), np.uint8))
            face.save(photographs / f"faces/{who}_{label}.png")
            lines = ["189", *[f"{x}\t{y + shift}" for x, y in points], "0"]
            (photographs / f"faces/{who}_{label}.tem").write_text("\n".join(lines))
    study, _, stimuli = of_photographs(
        photographs,
        **{
            "morphs.source": "landmarks",
            "morphs.root": str(photographs / "faces"),
            "morphs.regions": "landmarks",
            "morphs.pattern": "{identity}_{label}.png",
        },
    )
    assert len(stimuli) == 36
    regions = regions_of(study, stimuli)["mouth"]
    full = stimuli[(stimuli["identity"] == "one") & (stimuli["condition"] == "full")]
    tops = [np.flatnonzero(regions[k].any(1))[0] for k in full.index]
    assert tops[2] - tops[0] == pytest.approx(8, abs=1) and tops[1] - tops[0] == pytest.approx(
        4, abs=1
    )
