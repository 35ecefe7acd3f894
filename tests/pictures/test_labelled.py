"""Image sets of every form: splits, labels, duplicates, balance, and what is refused with which
words.
"""

import numpy as np
import pandas as pd
import pytest

from lib.pictures.labelled import load_images, read_image, survey_images
from lib.pictures.reading import ImageError, encode_png
from lib.settings.loading import load_study, resolve

COUNTS = {"train": 6, "validation": 4, "test": 4}


def picture(number, size=12):
    return np.random.default_rng([77, number]).integers(0, 255, (size, size), np.uint8)


def put(path, number):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(picture(number)))
    return path


@pytest.fixture
def folder(tmp_path):
    """A set split/class/file with different pictures everywhere and one class that no study
    names.
    """
    number = 0
    for split, n in COUNTS.items():
        for label in ("happy", "sad", "angry"):
            for k in range(n):
                number += 1
                put(tmp_path / "set" / split / label / f"{k}.png", number)
    return tmp_path / "set"


def study(root, **settings):
    given = {
        "images.source": "folder",
        "images.root": str(root),
        "images.n_train": None,
        "images.n_validation": None,
        "images.n_test": None,
    } | {f"images.{k}": v for k, v in settings.items()}
    return load_study("data/studies/smoke.yaml", given)


def load(root, tmp_path, **settings):
    return load_images(study(root, **settings), tmp_path / "derived")


def table(images):
    return images.groupby(["split", "label"]).size().to_dict()


def test_built_in_people_are_in_one_split_and_levels_fit_labels(tmp_path):
    chosen = load_study(
        "data/studies/smoke.yaml",
        {
            "images.n_train": 12,
            "images.n_validation": 6,
            "images.n_test": 6,
            "images.identities": 9,
        },
    )
    images = load_images(chosen, tmp_path)
    assert table(images) == {
        ("train", "happy"): 6,
        ("train", "sad"): 6,
        ("validation", "happy"): 3,
        ("validation", "sad"): 3,
        ("test", "happy"): 3,
        ("test", "sad"): 3,
    }
    assert images.groupby("identity")["split"].nunique().max() == 1
    assert images.loc[images["label"] == "happy", "level"].between(0.75, 1).all()
    assert images.loc[images["label"] == "sad", "level"].between(0, 0.25).all()
    assert read_image(resolve(images["path"][0])).shape == (224, 224, 3)
    pd.testing.assert_frame_equal(load_images(chosen, tmp_path), images)


def test_class_folders_with_splits_keep_them_and_count_what_is_left_out(folder, tmp_path):
    images = load(folder, tmp_path)
    assert table(images) == {(s, label): n for s, n in COUNTS.items() for label in ("happy", "sad")}
    assert any("14 angry" in note for note in images.attrs["notes"])
    assert all(resolve(p).is_file() for p in images["path"])


def test_other_words_for_the_classes_and_the_splits_are_mapped(folder, tmp_path):
    for split, other in (("train", "Training"), ("validation", "val"), ("test", "PrivateTest")):
        (folder / split / "happy").rename(folder / split / "joy")
        (folder / split).rename(folder / other)
    images = load(folder, tmp_path, labels={"joy": "happy", "sad": "sad", "angry": "sad"})
    assert table(images) == {
        ("train", "happy"): 6,
        ("train", "sad"): 12,
        ("validation", "happy"): 4,
        ("validation", "sad"): 8,
        ("test", "happy"): 4,
        ("test", "sad"): 8,
    }


def test_folders_without_splits_are_split_by_file_and_always_alike(tmp_path):
    for k in range(40):
        put(tmp_path / "set" / ("happy" if k % 2 else "sad") / f"{k}.png", k)
    images = load(tmp_path / "set", tmp_path)
    assert table(images) == {
        ("train", "happy"): 14,
        ("train", "sad"): 14,
        ("validation", "happy"): 3,
        ("validation", "sad"): 3,
        ("test", "happy"): 3,
        ("test", "sad"): 3,
    }
    pd.testing.assert_frame_equal(load(tmp_path / "set", tmp_path), images)
    other = load(tmp_path / "set", tmp_path, split_seed=1)
    assert set(other["path"][other["split"] == "test"]) != set(
        images["path"][images["split"] == "test"]
    )


def test_a_missing_validation_split_is_made_from_the_training_images(folder, tmp_path):
    for label in ("happy", "sad", "angry"):
        for k in range(4):
            (folder / "validation" / label / f"{k}.png").unlink()
        (folder / "validation" / label).rmdir()
    (folder / "validation").rmdir()
    images = load(folder, tmp_path)
    assert table(images)["test", "happy"] == 4
    assert table(images)["train", "sad"] + table(images)["validation", "sad"] == 6


def test_counts_are_balanced_and_chosen_by_the_seed(folder, tmp_path):
    images = load(folder, tmp_path, n_train=8, n_test=2)
    assert table(images)["train", "happy"] == table(images)["train", "sad"] == 4
    assert table(images)["test", "happy"] == 1
    other = load(folder, tmp_path, n_train=8, n_test=2, split_seed=3)
    assert set(other["path"]) != set(images["path"])


def test_asking_for_more_than_there_is_takes_all_and_says_so(folder, tmp_path):
    images = load(folder, tmp_path, n_train=400)
    assert table(images)["train", "happy"] == 6
    assert any("n_train=400" in note and "6 of each" in note for note in images.attrs["notes"])


def test_a_picture_of_the_test_set_is_taken_out_of_the_training_set(folder, tmp_path):
    put(folder / "train/happy/copy.png", 999)
    put(folder / "validation/happy/copy.png", 999)
    kept = put(folder / "test/happy/original.png", 999)
    images = load(folder, tmp_path)
    assert table(images)["train", "happy"] == 6 and table(images)["test", "happy"] == 5
    removed = images.attrs["duplicates"]
    assert sorted(d["split"] for d in removed) == ["train", "validation"]
    assert all(d["kept"].endswith(kept.name) and d["kept_split"] == "test" for d in removed)
    assert any(
        "2 exact duplicates removed, 2 of them across splits" in note
        for note in images.attrs["notes"]
    )


def test_one_picture_under_both_labels_is_an_error_with_the_list(folder, tmp_path):
    put(folder / "train/happy/one.png", 999)
    put(folder / "test/sad/two.png", 999)
    with pytest.raises(ImageError, match="1 pictures carry both labels") as error:
        load(folder, tmp_path)
    assert "one.png (happy)" in str(error.value) and "two.png (sad)" in str(error.value)


def test_unreadable_images_are_all_named(folder, tmp_path):
    for name in ("train/happy/0.png", "test/sad/1.png"):
        (folder / name).write_bytes((folder / name).read_bytes()[:60])
    with pytest.raises(ImageError, match="2 images cannot be read") as error:
        load(folder, tmp_path)
    assert "train/happy/0.png" in str(error.value) and "test/sad/1.png" in str(error.value)


def test_wrong_folders_and_classes_are_refused_with_the_remedy(folder, tmp_path):
    with pytest.raises(ImageError, match="no such folder"):
        load(tmp_path / "nowhere", tmp_path)
    with pytest.raises(ImageError, match="no class folder joy; found: angry, happy, sad"):
        load(folder, tmp_path, labels={"joy": "happy", "sad": "sad"})
    for k in range(4):
        (folder / "test/sad" / f"{k}.png").unlink()
    with pytest.raises(ImageError, match="test split has no image labelled sad"):
        load(folder, tmp_path)


def test_the_survey_finds_what_a_run_would_refuse(folder, tmp_path):
    counts, problems = survey_images(study(folder))
    assert not problems and counts.set_index(["split", "label"])["n"]["train", "happy"] == 6
    (folder / "train/happy/0.png").write_bytes(b"broken")
    _, problems = survey_images(study(folder))
    assert len(problems) == 1 and "1 images cannot be read" in problems[0]
    _, problems = survey_images(study(tmp_path / "nowhere"))
    assert len(problems) == 1 and "no such folder" in problems[0]
    demo = load_study("data/studies/demo.yaml")
    counts, problems = survey_images(demo)
    wanted = {
        "train": demo.images.n_train,
        "validation": demo.images.n_validation,
        "test": demo.images.n_test,
    }
    assert counts.groupby("split")["n"].sum().to_dict() == wanted and not problems


def fer_csv(path, rows):
    lines = [
        f"{emotion},{' '.join(map(str, picture(k, 48).ravel()))},{usage}"
        for k, (emotion, usage) in enumerate(rows)
    ]
    path.write_text("\n".join(["emotion,pixels,Usage", *lines]) + "\n")
    return path


FER_ROWS = [
    (emotion, usage)
    for usage in ("Training", "PublicTest", "PrivateTest")
    for emotion in (3, 4, 0, 3, 4)
]


def test_the_official_fer_file_gives_its_splits_and_its_very_pixels(tmp_path):
    path = fer_csv(tmp_path / "fer2013.csv", FER_ROWS)
    images = load(path, tmp_path, source="fer2013_csv")
    assert set(table(images).values()) == {2} and any(
        "3 angry" in note for note in images.attrs["notes"]
    )
    row = images[images["path"].str.endswith("PrivateTest_00011.png")].iloc[0]
    assert row["label"] == "sad" and row["split"] == "test"
    assert np.array_equal(read_image(resolve(row["path"]), None)[..., 0], picture(11, 48))
    counts, problems = survey_images(study(path, source="fer2013_csv"))
    assert not problems and counts["n"].tolist() == [2] * 6


def test_a_damaged_fer_file_is_refused_by_row(tmp_path):
    path = fer_csv(tmp_path / "fer2013.csv", FER_ROWS)
    lines = path.read_text().split("\n")
    path.write_text(
        "\n".join([*lines[:4], lines[4].replace(lines[4].split(",")[1], "1 2 3"), *lines[5:]])
    )
    with pytest.raises(ImageError, match="row 5: 3 pixel values"):
        load(path, tmp_path, source="fer2013_csv")
    path.write_text("\n".join(["emotion,pixels,Usage", "9,1 2 3,Training"]))
    with pytest.raises(ImageError, match="row 2: emotion '9'; allowed: 0 to 6"):
        load(path, tmp_path, source="fer2013_csv")
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ImageError, match="no column emotion, pixels; found: a, b"):
        load(path, tmp_path, source="fer2013_csv")


def manifest(tmp_path, rows, columns="path,label,split,identity"):
    path = tmp_path / "set" / "manifest.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([columns, *rows]) + "\n")
    return path


def manifest_rows(tmp_path):
    rows = []
    for k in range(12):
        put(tmp_path / "set" / "faces" / f"{k}.png", k)
        split = ("train", "validation", "test")[k // 2 % 3]
        rows.append(f"faces/{k}.png,{'happy' if k % 2 else 'sad'},{split},p{k // 2 % 6}")
    return rows


def test_a_manifest_gives_splits_and_people(tmp_path):
    images = load(manifest(tmp_path, manifest_rows(tmp_path)), tmp_path, source="manifest")
    assert set(table(images).values()) == {2} and images["identity"].nunique() == 6


def test_a_manifest_without_splits_is_split_by_person(tmp_path):
    rows = [",".join([*r.split(",")[:2], r.split(",")[3]]) for r in manifest_rows(tmp_path)]
    images = load(manifest(tmp_path, rows, "path,label,identity"), tmp_path, source="manifest")
    assert images.groupby("identity")["split"].nunique().max() == 1
    assert set(images["split"]) == {"train", "validation", "test"}


def test_a_person_in_two_splits_is_an_error_with_the_name(tmp_path):
    rows = manifest_rows(tmp_path)
    rows[0] = rows[0].replace("p0", "p1")
    with pytest.raises(ImageError, match="p1: "):
        load(manifest(tmp_path, rows), tmp_path, source="manifest")


@pytest.mark.parametrize(
    "bad, message",
    [
        ("../outside.png,sad,train,p9", "leads out of the manifest's folder"),
        ("/etc/hostname,sad,train,p9", "leads out of the manifest's folder"),
        ("faces/none.png,sad,train,p9", "row 14: no such image"),
        ("faces/0.png,sad,exam,p9", "split 'exam'"),
    ],
)
def test_a_manifest_row_that_leads_nowhere_is_refused(tmp_path, bad, message):
    put(tmp_path / "outside.png", 500)
    with pytest.raises(ImageError, match=message):
        load(manifest(tmp_path, [*manifest_rows(tmp_path), bad]), tmp_path, source="manifest")


def test_a_manifest_with_one_class_only_is_refused(tmp_path):
    rows = [r.replace("happy", "sad") for r in manifest_rows(tmp_path)]
    with pytest.raises(ImageError, match="all 12 images are sad; needed: both"):
        load(manifest(tmp_path, rows), tmp_path, source="manifest")


def test_labels_and_people_come_from_file_names(tmp_path):
    for k in range(12):
        for code in ("HA", "SA", "AN"):
            put(tmp_path / "set" / f"AF{k:02d}" / f"AF{k:02d}{code}S.png", 100 * k + ord(code[0]))
    settings = {
        "source": "filenames",
        "pattern": r"A(?P<identity>[FM]\d\d)(?P<label>[A-Z]{2})S",
        "labels": {"HA": "happy", "SA": "sad"},
    }
    images = load(tmp_path / "set", tmp_path, **settings)
    assert len(images) == 24 and images["identity"].nunique() == 12
    assert images.groupby("identity")["split"].nunique().max() == 1
    with pytest.raises(ImageError, match="matches none of the 36 images"):
        load(tmp_path / "set", tmp_path, **settings | {"pattern": r"(?P<label>\d{9})"})
