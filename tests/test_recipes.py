"""Every recipe of data/README.md, as it stands there, on data made here in the form that it
describes.
"""

import json
import re
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from lib.morphs.stimuli import control_patch, make_stimuli, regions_of
from lib.people.simulated import read_people, validate_trials
from lib.pictures.labelled import load_images
from lib.pictures.reading import read_image
from lib.settings.loading import load_study, resolve
from lib.settings.options import ROOT
from lib.study.check import check_study

README = (ROOT / "data/README.md").read_text(encoding="utf-8")
RECIPES = dict(
    re.findall(r"^### Recipe: (.+?)\n.*?```yaml\n(.*?)```", README, flags=re.DOTALL | re.MULTILINE)
)
TESTED = set()


def study(name, folder, **places):
    """The recipe's study with the paths of the data made here; the keys in it and their values
    stay as they are.
    """
    TESTED.add(name)
    tree = yaml.safe_load(RECIPES[name])
    for key, path in places.items():
        section, last = key.split("__")
        assert last in tree[section], f"the recipe {name!r} says nothing about {section}.{last}"
        tree[section][last] = str(path)
    tree.setdefault("networks", {})["missing_weights"] = "untrained"
    target = folder / "recipe.yaml"
    target.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return load_study(target)


def picture(path, value=None, size=48):
    """A random picture, or a grey one; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(list(str(path).encode()))
    data = (
        rng.integers(0, 256, (size, size), np.uint8)
        if value is None
        else np.full((size, size), value, np.uint8)
    )
    cv2.imwrite(str(path), data)
    return path


def usable(recipe, folder, n_images):
    """The recipe's images and stimuli; and the check finds nothing wrong."""
    images = load_images(recipe, folder / "derived")
    assert len(images) == n_images and set(images["label"]) == {"happy", "sad"}
    stimuli = make_stimuli(recipe, images, folder / "derived")
    assert stimuli["stimulus"].is_unique and {resolve(p).is_file() for p in stimuli["path"]} == {
        True
    }
    report = check_study(folder / "recipe.yaml")
    assert not report.problems, report.text()
    return images, stimuli


# ---- images
# ------------------------------------------------------------


@pytest.fixture
def class_folders(tmp_path):
    for split, n in (("train", 4), ("validation", 3), ("test", 3)):
        for label in ("joy", "grief", "anger"):
            for k in range(n):
                picture(tmp_path / "faces" / split / label / f"{k}.png")
    return tmp_path / "faces"


def test_a_folder_of_images(tmp_path, class_folders):
    recipe = study("a folder of images", tmp_path, images__root=class_folders)
    images, stimuli = usable(recipe, tmp_path, 20)
    assert images.attrs["notes"] and "anger" in " ".join(images.attrs["notes"])
    assert len(stimuli) == 2 * 3 * 4


def test_the_official_fer2013_csv(tmp_path):
    rng = np.random.default_rng(0)
    rows = [
        {
            "emotion": emotion,
            "pixels": " ".join(map(str, rng.integers(0, 256, 48 * 48))),
            "Usage": usage,
        }
        for usage in ("Training", "PublicTest", "PrivateTest")
        for emotion in (3, 4, 0)
        for _ in range(3)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "fer2013.csv", index=False)
    recipe = study("the official fer2013.csv", tmp_path, images__root=tmp_path / "fer2013.csv")
    images, _ = usable(recipe, tmp_path, 18)
    first = images[(images["split"] == "train") & (images["label"] == "happy")].iloc[0]
    pixels = {row["pixels"] for row in rows}
    assert " ".join(map(str, read_image(resolve(first["path"]), None)[..., 0].ravel())) in pixels


def test_a_manifest(tmp_path):
    rows = [
        {
            "path": picture(tmp_path / f"p{person}_{label}.png").name,
            "label": label,
            "identity": f"p{person}",
        }
        for person in range(20)
        for label in ("positive", "negative", "neutral")
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "manifest.csv", index=False)
    images, _ = usable(
        study("a manifest", tmp_path, images__root=tmp_path / "manifest.csv"), tmp_path, 40
    )
    assert (images.groupby("identity")["split"].nunique() == 1).all()


def test_codes_in_file_names(tmp_path):
    for person in range(1, 9):
        for sex in "FM":
            for code in ("HA", "SA", "AN"):
                for view in ("S", "HL"):
                    name = f"A{sex}{person:02d}{code}{view}.JPG"
                    picture(tmp_path / "KDEF" / name[:4] / name)
    recipe = study("codes in file names (KDEF)", tmp_path, images__root=tmp_path / "KDEF")
    images, _ = usable(recipe, tmp_path, 32)
    assert images["identity"].nunique() == 16 and not images["path"].str.contains("HL").any()
    happy = images[images["label"] == "happy"]
    assert happy["path"].str.contains("HAS").all()


# ---- morphs
# ------------------------------------------------------------


def test_a_folder_of_own_morphs(tmp_path):
    for identity in ("anna", "ben"):
        for step in range(0, 101, 25):
            picture(tmp_path / "morphs" / f"{identity}_full_{step}.png", 50 + step, 224)
    recipe = study("a folder of your own morphs", tmp_path, morphs__root=tmp_path / "morphs")
    stimuli = make_stimuli(recipe, pd.DataFrame(), tmp_path / "derived")
    assert len(stimuli) == 2 * 5 * 2 and set(stimuli["level"]) == {0, 0.25, 0.5, 0.75, 1}
    brightness = stimuli[stimuli["condition"] == "full"].groupby("level")["path"].first()
    assert [read_image(resolve(p)).mean() for p in brightness] == [50, 75, 100, 125, 150]


def test_morphs_of_average_faces(tmp_path):
    for split, more in (("train", 0), ("validation", 4), ("test", 8)):
        for label, value in (("grief", 60), ("joy", 180)):
            for k in range(4):
                picture(tmp_path / "faces" / split / label / f"{k}.png", value + more + k)
    recipe = study("morphs of average faces", tmp_path, images__root=tmp_path / "faces")
    images = load_images(recipe, tmp_path / "derived")
    stimuli = make_stimuli(recipe, images, tmp_path / "derived")
    full = stimuli[stimuli["condition"] == "full"].sort_values(["identity", "level"])
    found = [read_image(resolve(p)).mean() for p in full["path"]]
    assert full["identity"].nunique() == 2
    # test images 0 and 2, then 1 and 3, of each class: 68 + 1, 188 + 1; 68 + 2, 188 + 2; equal
    # steps between
    assert found == pytest.approx([69, 99, 129, 159, 189, 70, 100, 130, 160, 190], abs=0.51)


def face_template(rng):
    """189 points with those of eyes, nose and mouth where they are in a face of 224."""
    points = rng.uniform([60, 40], [164, 200], (189, 2))
    for rows, (x0, x1, y0, y1) in (
        ((*range(44), *range(71, 87)), (62, 162, 74, 96)),
        ((*range(53, 56), *range(59, 71)), (98, 126, 120, 146)),
        (range(87, 109), (86, 138, 172, 194)),
    ):
        rows = list(rows)
        points[rows] = rng.uniform([x0, y0], [x1, y1], (len(rows), 2))
    return points


@pytest.fixture
def landmarked(tmp_path):
    """Two people, sad and happy, with a bright spot on each corner of the mouth, 10 pixels
    higher when happy.
    """
    root, rng = tmp_path / "landmarks", np.random.default_rng(5)
    root.mkdir()
    for identity in ("anna", "ben"):
        base = face_template(rng)
        for label, lift in (("sad", 0.0), ("happy", -10.0)):
            points = base.copy()
            points[87], points[88] = (84, 188 + lift), (140, 188 + lift)
            canvas = np.full((224, 224, 3), 90, np.uint8)
            for x, y in points[87:89]:
                cv2.circle(
                    canvas, (round(16 * x), round(16 * y)), 48, (255, 255, 255), -1, cv2.LINE_AA, 4
                )
            cv2.imwrite(str(root / f"{identity}_{label}.png"), canvas)
            lines = ["189", *(f"{x}\t{y}" for x, y in points), "0"]
            (root / f"{identity}_{label}.tem").write_text("\n".join(lines) + "\n")
    return root


def spot(path):
    """Height of the bright spot on the left."""
    bright = read_image(resolve(path))[150:, 60:112, 0].astype(float) - 90
    bright[bright < 20] = 0
    return 150 + (bright.sum(1) @ np.arange(len(bright))) / bright.sum()


def test_morphs_from_landmarks(tmp_path, landmarked):
    recipe = study(
        "morphs from landmarks (WebMorph, Psychomorph)", tmp_path, morphs__root=landmarked
    )
    stimuli = make_stimuli(recipe, pd.DataFrame(), tmp_path / "derived")
    one = stimuli[(stimuli["identity"] == "anna") & (stimuli["condition"] == "full")].sort_values(
        "level"
    )
    # the spot moves with its landmark, and stays one spot: a cross-fade without a warp would show
    # two
    assert [spot(p) for p in one["path"]] == pytest.approx([188, 185.5, 183, 180.5, 178], abs=0.7)
    whole = read_image(resolve(one["path"].iloc[0]))
    assert np.array_equal(whole, read_image(landmarked / "anna_sad.png"))


def test_parts_hidden_by_landmarks_with_controls_of_the_same_area(tmp_path, landmarked):
    recipe = study(
        "parts hidden by landmarks, with control patches of the same area",
        tmp_path,
        morphs__root=landmarked,
    )
    stimuli = make_stimuli(recipe, pd.DataFrame(), tmp_path / "derived")
    regions, rng = regions_of(recipe, stimuli), np.random.default_rng(0)
    assert len(stimuli) == 2 * 3 * 4
    for k in np.flatnonzero((stimuli["condition"] == "mouth").to_numpy()):
        here = {part: masks[k] for part, masks in regions.items()}
        picture = read_image(resolve(stimuli["path"][k]))
        assert len(np.unique(picture[here["mouth"]])) == 1  # hidden by one grey
        for mask in here.values():
            control = control_patch(mask, here, rng)
            assert control.sum() == mask.sum() > 100 and not any(
                (control & other).any() for other in here.values()
            )


# ---- people
# ------------------------------------------------------------


def session(people, levels, repeats=4):
    """What people with a threshold in the middle answer: (person, level, happy, number of the
    trial).
    """
    middle = (levels[0] + levels[-1]) / 2
    return [
        (person, level, level > middle, k * len(levels) + j + 1)
        for person in people
        for k in range(repeats)
        for j, level in enumerate(levels)
    ]


def test_a_long_csv_with_columns_codes_and_units_of_its_own(tmp_path):
    rows = [
        {
            "participant": person,
            "session": s,
            "trial": number,
            "percent_happy": level,
            "answer": "h" if happy else "s",
            "rt_ms": 420.5,
        }
        for s in ("day1", "day2")
        for person, level, happy, number in session(("a", "b"), [0, 25, 50, 75, 100])
    ]
    rows[2] |= {"answer": "timeout", "rt_ms": ""}
    rows[3] |= {"rt_ms": 40}
    pd.DataFrame(rows).to_csv(tmp_path / "answers.csv", index=False)
    recipe = study(
        "a long CSV with columns, codes and units of its own",
        tmp_path,
        observers__file=tmp_path / "answers.csv",
    )
    trials, report = read_people(recipe)
    validate_trials(trials)
    assert (
        len(trials) == 80
        and set(trials["level"]) == {0, 0.25, 0.5, 0.75, 1}
        and trials["rt_s"][0] == 0.4205
    )
    assert report["missed"].iloc[-1] == 2 and report["trials_set_missed"].sum() == 1
    assert set(trials["session"]) == {"day1", "day2"}


def test_an_excel_sheet(tmp_path):
    rows = [
        {"Subject": person, "Morph": level, "Response": 2 if happy else 1}
        for person, level, happy, _ in session((1, 2, 3), list(range(1, 12)))
    ]
    with pd.ExcelWriter(tmp_path / "answers.xlsx") as book:
        pd.DataFrame({"nothing": ["here"]}).to_excel(book, sheet_name="notes", index=False)
        pd.DataFrame(rows).to_excel(book, sheet_name="trials", index=False)
    trials, _ = read_people(
        study("an Excel sheet", tmp_path, observers__file=tmp_path / "answers.xlsx")
    )
    assert (
        len(trials) == 132
        and trials.groupby("level")["response"].mean().tolist() == [0] * 6 + [1] * 5
    )


def test_psychopys_output(tmp_path):
    folder = tmp_path / "psychopy"
    folder.mkdir()
    for person in ("01", "02"):
        rows = [
            {
                "participant": person,
                "trials.thisN": "",
                "morph": "",
                "image": "",
                "key_resp.keys": "",
                "key_resp.rt": "",
                "expName": "faces",
            }
        ]
        rows += [
            {
                "participant": person,
                "trials.thisN": number,
                "morph": level,
                "image": f"{level}.png",
                "key_resp.keys": "right" if happy else "left",
                "key_resp.rt": 0.51,
                "expName": "faces",
            }
            for _, level, happy, number in session((person,), [0, 0.25, 0.5, 0.75, 1])
        ]
        rows[4] |= {"key_resp.keys": "None", "key_resp.rt": ""}
        pd.DataFrame(rows).to_csv(folder / f"{person}_faces.csv", index=False)
    trials, report = read_people(study("PsychoPy's output", tmp_path, observers__file=folder))
    validate_trials(trials)
    assert (
        len(trials) == 40
        and set(trials["observer"]) == {"01", "02"}
        and trials["response"].isna().sum() == 2
    )
    dropped = report[report["rule"].str.contains("no trials")]
    assert dropped["trials_removed"].tolist() == [2] and report["trials"].iloc[0] == 42


def test_jspsych_one_file_for_each_person(tmp_path):
    folder = tmp_path / "jspsych"
    folder.mkdir()
    for person in ("P01", "P02"):
        rows = [
            {"trial_type": "html-button-response", "response": "0", "rt": 4000, "task": "consent"}
        ]
        rows += [
            {"task": task, "morph": level, "response": "j" if happy else "f", "rt": 640}
            for task in ("practice", "main")
            for _, level, happy, _ in session((person,), [0, 25, 50, 75, 100])
        ]
        (folder / f"{person}_morph.json").write_text(json.dumps(rows), encoding="utf-8")
    trials, report = read_people(
        study(
            "jsPsych, one file for each person, whose name says who",
            tmp_path,
            observers__file=folder,
        )
    )
    validate_trials(trials)
    assert set(trials["observer"]) == {"P01", "P02"} and len(trials) == 40
    assert trials["rt_s"].eq(0.64).all() and report["trials_removed"].sum() == 2 + 40


def test_files_of_the_workbooks_task(tmp_path):
    from lib.people.trial_file import TrialFile

    folder = tmp_path / "task"
    for person in ("P1", "P2"):
        file = TrialFile(folder / f"faces_{person}.csv")
        for _, level, happy, number in session((person,), [0, 0.5, 1]):
            file.append(
                {
                    "observer": person,
                    "stimulus": f"id00_full_{level}",
                    "identity": "id00",
                    "level": level,
                    "condition": "full",
                    "repeat": (number - 1) // 3 + 1,
                    "response": int(happy),
                    "rt_s": 0.5,
                    "trial": number,
                    "shown_s": 0.2,
                    "frame_s": 0.0167,
                }
            )
    trials, _ = read_people(study("files of the workbook's task", tmp_path, observers__file=folder))
    assert (
        len(trials) == 24
        and trials["shown_s"].eq(0.2).all()
        and set(trials["repeat"]) == {1, 2, 3, 4}
    )


def test_a_folder_without_answers_is_refused_with_what_is_in_it(tmp_path):
    shutil.copytree(ROOT / "data/studies", tmp_path / "task")
    recipe = study("files of the workbook's task", tmp_path, observers__file=tmp_path / "task")
    with pytest.raises(ValueError, match=r"no \.csv.*no table by the suffix \.yaml"):
        read_people(recipe)
    (tmp_path / "task/a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(ValueError, match=r"has no column 'observer'.*found: x, y"):
        read_people(recipe)


def test_every_recipe_is_tested():
    """Runs last in this file; alone it says nothing."""
    if len(TESTED) > 1:
        assert set(RECIPES) == TESTED
    assert len(RECIPES) == 13
