"""Pictures in the forms that laboratories and public sets really have, through the public commands:
read right, or refused with the true reason.
"""

import io
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image, features

from lib.morphs.stimuli import make_stimuli
from lib.pictures.labelled import load_images
from lib.pictures.reading import read_image
from lib.settings.loading import ROOT, load_study
from lib.study.command import main

POLES = ("happy", "sad")


def picture(path: Path, number: int, kind: str | None = None, side: int = 48) -> Path:
    """A picture of its own, written under any name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(20, 230, (side, side), np.uint8)
    Image.fromarray(pixels).convert("RGB").save(path, kind)
    return path


def classes(folder: Path, n: int = 12, suffix: str = ".png", kind: str | None = None) -> Path:
    for k in range(n):
        for label in POLES:
            picture(folder / label / f"{label}{k}{suffix}", 2 * k + (label == "sad"), kind)
    return folder


@pytest.fixture
def new(tmp_path, capsys):
    """``study new``: exit code, what it says, and the study."""

    def run(*arguments):
        path = tmp_path / "mine.yaml"
        path.unlink(missing_ok=True)
        code = main(["new", "--output", str(path), *map(str, arguments)])
        said = " ".join("".join(capsys.readouterr()).split())
        return code, said, path if path.is_file() else None

    return run


def levels_of(path, folder):
    """The levels of each identity's whole faces, as a run would have them."""
    study = load_study(path, {"images.n_train": 2, "images.n_validation": 2, "images.n_test": 2})
    stimuli = make_stimuli(study, pd.DataFrame(), folder)
    whole = stimuli[stimuli["condition"] == "full"]
    return whole.groupby("identity")["level"].apply(list).to_dict()


# ---- images


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        (".pgm", "PPM"),
        (".ppm", "PPM"),
        (".jfif", "JPEG"),
        (".jpe", "JPEG"),
        (".JPG", "JPEG"),
        (".webp", "WEBP"),
        (".tif", "TIFF"),
        (".TIFF", "TIFF"),
        (".gif", "GIF"),
        (".bmp", "BMP"),
        (".tga", "TGA"),
        pytest.param(
            ".jp2",
            "JPEG2000",
            marks=pytest.mark.skipif(not features.check("jpg_2000"), reason="no JPEG 2000"),
        ),
    ],
)
def test_every_suffix_that_pillow_reads(new, tmp_path, suffix, kind):
    code, said, path = new("--images", classes(tmp_path / "set", 12, suffix, kind))
    assert code == 0 and "passed over" not in said
    images = load_images(load_study(path), tmp_path / "derived")
    assert len(images) == 24 and read_image(images["path"][0]).shape == (224, 224, 3)


def test_pictures_of_a_phone_are_counted_with_the_remedy(new, tmp_path):
    folder = classes(tmp_path / "set")
    for k in range(3):
        (folder / "happy" / f"IMG_{k}.HEIC").write_bytes(b"\0\0\0 ftypheic")
    code, said, _ = new("--images", folder)
    assert code == 0 and "3 .heic files were passed over (such as happy/IMG_0.HEIC)" in said
    assert "install the package pillow-heif" in said


def test_a_folder_of_nothing_but_such_pictures_says_why(new, tmp_path):
    for label in POLES:
        (tmp_path / "set" / label).mkdir(parents=True)
        (tmp_path / "set" / label / "IMG_1.heic").write_bytes(b"\0\0\0 ftypheic")
    code, said, _ = new("--images", tmp_path / "set", "--source", "folder")
    assert code == 1 and "2 .heic files were passed over" in said and "pillow-heif" in said


def test_what_systems_leave_in_folders_is_no_picture(new, tmp_path):
    folder = classes(tmp_path / "set")
    for name in ("._happy0.png", "Thumbs.db", ".DS_Store", "desktop.ini"):
        (folder / "happy" / name).write_bytes(b"\0\5\26\7")
    (folder / "__MACOSX/happy").mkdir(parents=True)
    (folder / "__MACOSX/happy/._happy0.png").write_bytes(b"\0\5\26\7")
    code, said, path = new("--images", folder)
    assert code == 0 and "passed over" not in said
    assert len(load_images(load_study(path), tmp_path / "derived")) == 24


def test_kdef_is_recognised_and_its_two_sessions_are_of_one_person(new, tmp_path):
    for k, person in enumerate(f"{sex}{n:02d}" for sex in "FM" for n in range(1, 7)):
        for session in "AB":
            for code in ("HA", "SA", "NE"):
                name = f"{session}{person}{code}S.JPG"
                number = 100 * k + 10 * (session == "B") + "HSN".index(code[0])
                picture(tmp_path / "KDEF" / f"{session}{person}" / name, number)
            (tmp_path / "KDEF" / f"{session}{person}" / "Thumbs.db").write_bytes(b"x")
    code, said, path = new("--images", tmp_path / "KDEF")
    assert code == 0 and "by person" in said
    images = load_images(load_study(path), tmp_path / "derived")
    assert len(images) == 48 and images["identity"].nunique() == 12
    assert set(images["label"]) == {"happy", "sad"}


def test_asked_for_file_names_enter_takes_the_guess(tmp_path, capsys):
    for k, person in enumerate(f"F{n:02d}" for n in range(1, 13)):
        for code in ("HA", "SA"):
            picture(
                tmp_path / "KDEF" / f"A{person}" / f"A{person}{code}S.JPG", 10 * k + ord(code[0])
            )
    asked = []

    def ask(question):
        asked.append(question)
        return str(tmp_path / "KDEF") if question.startswith("Folder of face images") else ""

    import lib.study.new as module

    answers = module.ask_for(ask)
    assert "(?P<label>AF|AN" in asked[-1] and answers.pattern is None
    path = module.new_study(module.Answers(images=answers.images, output=str(tmp_path / "m.yaml")))
    assert load_study(path).images.source == "filenames"


def test_yale_names_have_their_label_for_a_suffix(new, tmp_path):
    for k in range(1, 13):
        for j, label in enumerate(("happy", "sad", "glasses")):
            picture(tmp_path / "yale" / f"subject{k:02d}.{label}", 10 * k + j, "GIF")
    (tmp_path / "yale/Readme.txt").write_text("Yale faces")
    code, said, path = new("--images", tmp_path / "yale")
    assert code == 0 and "12 glasses" in said
    images = load_images(load_study(path), tmp_path / "derived")
    assert len(images) == 24 and images["identity"].nunique() == 12


def test_words_for_emotions_are_found_in_other_file_names(new, tmp_path):
    for k in range(12):
        for j, label in enumerate(("joy", "sadness")):
            picture(tmp_path / "set" / f"p{k:02d}_{label}_1.png", 10 * k + j)
    code, _, path = new("--images", tmp_path / "set")
    assert code == 0 and load_study(path).images.labels == {"joy": "happy", "sadness": "sad"}


@pytest.mark.parametrize(
    ("names", "counts"),
    [
        (("train", "dev", "test"), (16, 8, 8)),
        (("Training", "VALID", "Testing"), (16, 8, 8)),
        (("train_set", "eval", "test_set"), (16, 8, 8)),
        (("tr", "validate", "holdout"), (16, 8, 8)),
    ],
)
def test_split_folders_by_their_usual_names(new, tmp_path, names, counts):
    for number, (name, n) in enumerate(zip(names, counts, strict=True)):
        for k in range(n // 2):
            for j, label in enumerate(POLES):
                picture(
                    tmp_path / "set/deep" / name / label / f"{k}.png", 100 * number + 10 * k + j
                )
    code, _, path = new("--images", tmp_path / "set")
    images = load_images(load_study(path), tmp_path / "derived")
    assert code == 0
    assert [int((images["split"] == s).sum()) for s in ("train", "validation", "test")] == list(
        counts
    )


def test_splits_inside_the_classes_are_splits_too(new, tmp_path):
    for number, split in enumerate(("train", "val", "test")):
        for k in range(6):
            for j, label in enumerate(POLES):
                picture(tmp_path / "set" / label / split / f"{k}.png", 100 * number + 10 * k + j)
    code, _, path = new(
        "--images", tmp_path / "set", "--source", "folder", "--labels", "happy=happy sad=sad"
    )
    images = load_images(load_study(path), tmp_path / "derived")
    assert code == 0 and images["split"].value_counts().to_dict() == {
        "train": 12,
        "validation": 12,
        "test": 12,
    }


def test_a_folder_beside_the_splits_is_counted_with_an_example(new, tmp_path):
    for number, split in enumerate(("train", "train_augmented", "val", "test")):
        for k in range(6):
            for j, label in enumerate(POLES):
                picture(tmp_path / "set" / split / label / f"{k}.png", 100 * number + 10 * k + j)
    code, said, _ = new("--images", tmp_path / "set")
    assert code == 0 and "12 pictures in folders that are neither train" in said
    assert "such as train_augmented/happy/0.png" in said


def test_a_person_in_two_splits_is_found_where_names_tell(new, tmp_path):
    for number, split in enumerate(("train", "val", "test")):
        for k in range(6):
            for j, label in enumerate(POLES):
                person = 5 if (number, k) in ((0, 0), (2, 0)) else 10 * number + k + 10
                name = f"S{person:03d}_{j + 1:03d}_{number:08d}.png"
                picture(tmp_path / "set" / split / label / name, 100 * number + 10 * k + j)
    code, said, _ = new("--images", tmp_path / "set")
    assert code == 0 and "1 people are in more than one split" in said.replace("*", "")
    assert "(CK+), such as S005" in said


def test_composed_and_decomposed_umlauts_are_one_label(tmp_path):
    for k in range(12):
        picture(tmp_path / "set" / unicodedata.normalize("NFD", "fröhlich") / f"{k}.png", 2 * k)
        picture(tmp_path / "set" / "traurig" / f"{k}.png", 2 * k + 1)
    given = {
        "images.source": "folder",
        "images.root": str(tmp_path / "set"),
        "images.labels": {unicodedata.normalize("NFC", "fröhlich"): "happy", "traurig": "sad"},
        "images.n_train": None,
    }
    images = load_images(load_study("data/studies/smoke.yaml", given), tmp_path / "derived")
    assert images["label"].value_counts()["happy"] == images["label"].value_counts()["sad"]


@pytest.mark.parametrize(("bits", "white"), [(10, 1023), (12, 4095), (16, 65535)])
def test_twelve_bits_in_sixteen_are_no_night(tmp_path, bits, white):
    values = np.linspace(0, white, 64 * 64).reshape(64, 64).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "x.png")
    read = read_image(tmp_path / "x.png", None)[..., 0]
    np.testing.assert_array_equal(read, np.round(values * (255 / white)).astype(np.uint8))


# ---- tables of images


def table(tmp_path, content: str, name: str = "list.csv", encoding: str = "utf-8") -> Path:
    classes(tmp_path / "img")
    path = tmp_path / name
    path.write_bytes(content.encode(encoding))
    return path


def rows(separator=",", form="img/{label}/{label}{k}.png", more=""):
    return "\n".join(
        separator.join([form.format(label=label, k=k), label]) + more
        for k in range(12)
        for label in POLES
    )


@pytest.mark.parametrize(
    ("header", "body", "encoding"),
    [
        ("path,label", rows(), "utf-8-sig"),
        ("path;label", rows(";"), "utf-8"),
        ("path\tlabel", rows("\t"), "utf-16"),
        ("path\tlabel", rows("\t"), "utf-16-le"),
        ("sep=;\npath;label", rows(";"), "utf-8"),
        ("path, label", rows(", "), "utf-8"),
        ("path,label", rows(form="img\\{label}\\{label}{k}.png"), "utf-8"),
        ("path,label,", rows(more=","), "utf-8"),
        ("path,label", rows(more=","), "utf-8"),
        ("filename,class", rows(), "utf-8"),
        ("Image,Emotion", rows(), "cp1252"),
        (",path,label", "\n".join(f"{n},{r}" for n, r in enumerate(rows().split("\n"))), "utf-8"),
        ("path,label", "\n\n".join(rows().split("\n")) + "\n\n", "utf-8"),
    ],
)
def test_manifests_in_every_dialect(new, tmp_path, header, body, encoding):
    code, said, path = new("--images", table(tmp_path, f"{header}\n{body}\n", encoding=encoding))
    assert code == 0, said
    assert len(load_images(load_study(path), tmp_path / "derived")) == 24


def test_a_manifest_below_a_title_is_read_and_the_title_said(new, tmp_path):
    code, said, path = new("--images", table(tmp_path, f"My set,\n\npath,label,set\n{rows()}\n"))
    assert code == 0 and "the header is in row 3; what stands above it is passed over" in said
    assert len(load_images(load_study(path), tmp_path / "derived")) == 24


def test_a_list_without_a_header_and_numbers_for_labels(new, tmp_path):
    body = rows(" ").replace(" happy", " 4").replace(" sad", " 5")
    path = table(tmp_path, body, "list.txt")
    code, said, _ = new("--images", path)
    assert code == 1 and "found: 4, 5. Name your set's labels" in said
    code, _, study = new("--images", path, "--labels", "4=happy 5=sad")
    assert code == 0 and len(load_images(load_study(study), tmp_path / "derived")) == 24


def test_dev_is_a_validation_split_and_numbers_are_none(new, tmp_path):
    lines = rows().split("\n")
    words = ["train", "dev", "test"]
    said = [f"{line},{words[(n // 2) % 3]}" for n, line in enumerate(lines)]
    code, _, path = new("--images", table(tmp_path, "path,label,split\n" + "\n".join(said)))
    images = load_images(load_study(path), tmp_path / "derived")
    assert code == 0 and (images["split"] == "validation").sum() == 8
    numbers = [f"{line},{(n // 2) % 3}" for n, line in enumerate(lines)]
    code, said, _ = new("--images", table(tmp_path, "path,label,split\n" + "\n".join(numbers)))
    assert code == 1 and "split '0', '1', '2'; allowed: train" in said


def fer(tmp_path, header: str, name: str, usage: bool = True, twice: bool = False) -> Path:
    """A small fer2013 in the order of the header's columns; twice: one picture, two labels."""
    columns = [word.strip() for word in header.split(",")]
    lines = []
    for n, word in enumerate(["Training"] * 12 + ["PublicTest"] * 4 + ["PrivateTest"] * 4):
        pixels = np.random.default_rng(0 if twice and n < 2 else n).integers(0, 256, 2304)
        cells = {"emotion": "34"[n % 2], "pixels": " ".join(map(str, pixels)), "Usage": word}
        lines.append(",".join(cells[column] for column in columns))
    path = tmp_path / name
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("emotion,pixels,Usage", "fer2013.csv"),
        ("emotion, Usage, pixels", "icml_face_data.csv"),
        ("emotion,pixels", "train.csv"),
    ],
)
def test_fer2013_in_its_three_forms(new, tmp_path, header, name):
    code, said, path = new("--images", fer(tmp_path, header, name))
    assert code == 0, said
    images = load_images(load_study(path), tmp_path / "derived")
    assert len(images) == 20 and set(images["split"]) == {"train", "validation", "test"}


def test_a_picture_under_two_labels_is_named_by_its_rows(new, tmp_path):
    code, said, _ = new(
        "--images", fer(tmp_path, "emotion,pixels,Usage", "fer2013.csv", twice=True)
    )
    assert code == 1 and "1 pictures carry both labels" in said
    assert "fer2013.csv, row 2 (happy) = fer2013.csv, row 3 (sad)" in said


# ---- morphs


def morphs(folder: Path, names) -> Path:
    for k, name in enumerate(names):
        picture(folder / name, 1000 + k)
    return folder


SIGNED = [-100, -50, 0, 50, 100]


@pytest.mark.parametrize(
    "names",
    [
        [f"F1_{step}.png" for step in SIGNED],
        [f"F1_full_{step:+d}.png" for step in SIGNED],
        [f"face{step}.png" for step in SIGNED],
        [f"F1-{step}.png" for step in SIGNED],
        [f"F1_{step / 100:.2f}.png" for step in SIGNED],
        [f"F1_{step}%.png" for step in SIGNED],
        [f"F1_FULL_{step}.PNG" for step in SIGNED],
        [f"F1/{step}.png" for step in SIGNED],
    ],
)
def test_signed_decimal_and_other_steps_lie_from_0_to_1(new, tmp_path, names):
    code, said, path = new("--morphs", morphs(tmp_path / "m", names))
    assert code == 0, said
    assert list(levels_of(path, tmp_path / "d").values()) == [[0, 0.25, 0.5, 0.75, 1]]


def test_steps_with_a_decimal_comma(new, tmp_path):
    folder = morphs(tmp_path / "m", [f"F1_{x}.png" for x in ("0,00", "0,25", "0,50", "1,00")])
    _, _, path = new("--morphs", folder)
    assert list(levels_of(path, tmp_path / "d").values()) == [[0, 0.25, 0.5, 1]]


@pytest.mark.parametrize(
    ("names", "pattern", "message"),
    [
        (
            [f"F1{step}.png" for step in SIGNED],
            "{identity}{step}.png",
            "can be identity 'F' at step 10, or identity 'F1' at step 0",
        ),
        (
            [f"F1_sad{100 - step}_happy{step}.png" for step in (0, 50, 100)],
            "{identity}{step}.png",
            "every identity has one step only, such as 'F1_sad0_happy' at 100",
        ),
        (
            [f"F{k}_{step}.png" for k, step in enumerate((0, 50, 100))],
            "{identity}_{step}.png",
            "every identity has one step only, such as 'F0' at 0 from F0_0.png",
        ),
        (
            [f"face-{step}.png" for step in (0, 50, 100)],
            "face{step}.png",
            "the step can be -0, or 0 after a hyphen. Write the hyphen into the pattern "
            "(morphs.pattern='face-{step}.png')",
        ),
        (
            [f"F1_{step}.png" for step in ("0,000", "1,000", "2,000")],
            "{identity}_{step}.png",
            "F1_1,000.png: the step 1,000 can be 1.000 or 1000",
        ),
        (
            [f"F1_{step}_{step}.png" for step in (0, 50)],
            "{identity}_{step}_{step}.png",
            "has {step} 2 times; allowed: once",
        ),
        (
            [f"F1_{step}.png" for step in (0, 50)],
            "{condition}-{step}.jpg",
            "morphs.pattern='{identity}_{step}.png' fits them all",
        ),
    ],
)
def test_names_that_can_be_read_in_two_ways_are_refused_with_both(
    new, tmp_path, names, pattern, message
):
    folder = morphs(tmp_path / "m", names)
    code, said, _ = new("--morphs", folder, "--morph-pattern", pattern)
    assert code == 1 and message in said, said


def test_twenty_identities_are_twenty_and_a_limit_says_what_it_leaves_out(new, tmp_path, capsys):
    names = [f"p{k:02d}_full_{step}.png" for k in range(20) for step in (0, 50, 100)]
    code, said, path = new("--morphs", morphs(tmp_path / "m", names))
    assert code == 0 and "20 identities × 3 levels" in said
    assert len(levels_of(path, tmp_path / "d")) == 20
    main(["check", str(path), "--set", "morphs.identities=6"])
    said = " ".join(capsys.readouterr().out.split())
    assert "14 identities beyond morphs.identities=6 were passed over, such as p06" in said


def test_unequal_sets_share_one_scale_and_are_said(new, tmp_path):
    names = [f"A_{step}.png" for step in (0, 50, 100)] + [f"B_{step}.png" for step in (25, 75)]
    code, said, path = new("--morphs", morphs(tmp_path / "m", names))
    assert (
        code == 0 and "the identities have different steps (A has 3 from 0 to 100; B has 2" in said
    )
    assert levels_of(path, tmp_path / "d") == {"A": [0, 0.5, 1], "B": [0.25, 0.75]}


def test_a_morph_that_cannot_be_opened_stops_the_check(new, tmp_path):
    folder = morphs(tmp_path / "m", [f"A_{step}.png" for step in (0, 50, 100)])
    (folder / "A_50.png").write_bytes(b"\x89PNG broken")
    (folder / "note.txt").write_text("x")
    code, said, _ = new("--morphs", folder)
    assert code == 1 and "1 morphs cannot be read" in said and "A_50.png" in said


# ---- landmarks


def landmarked(folder: Path, text=lambda lines: "\n".join(lines), suffix=".tem", encoding="utf-8"):
    """One person's two pictures with twenty landmarks each; ``text`` writes the file's lines."""
    rng = np.random.default_rng(1)
    for k, label in enumerate(POLES):
        picture(folder / f"p1_{label}.png", k)
        points = [f"{x:.3f}\t{y:.3f}" for x, y in rng.uniform(5, 40, (20, 2))]
        (folder / f"p1_{label}{suffix}").write_bytes(text(["20", *points, ""]).encode(encoding))
    return folder


def check_landmarks(folder: Path, tmp_path: Path, capsys):
    study = {
        "name": "warped",
        "images": {"n_train": 8, "n_validation": 4, "n_test": 4},
        "morphs": {
            "source": "landmarks",
            "root": str(folder),
            "pattern": "{identity}_{label}.png",
            "levels": 3,
            "regions": "boxes",
        },
        "networks": {"architectures": ["alexnet"], "missing_weights": "untrained"},
    }
    path = tmp_path / "warped.yaml"
    path.write_text(yaml.safe_dump(study), encoding="utf-8")
    code = main(["check", str(path)])
    return code, " ".join("".join(capsys.readouterr()).split()), load_study(path)


@pytest.mark.parametrize(
    ("text", "suffix", "encoding"),
    [
        (lambda lines: "\n".join(lines), ".tem", "utf-8"),
        (lambda lines: "\n".join(lines), ".TEM", "utf-8-sig"),
        (lambda lines: "\r\n".join(lines), ".tem", "utf-8"),
        (lambda lines: "\r".join(lines), ".tem", "utf-8"),
        (lambda lines: "\n".join(lines).replace(".", ","), ".tem", "utf-8"),
        (lambda lines: "\n".join(lines), ".tem", "utf-16"),
    ],
)
def test_landmarks_in_every_dialect_give_the_same_morph(tmp_path, capsys, text, suffix, encoding):
    plain = landmarked(tmp_path / "plain")
    other = landmarked(tmp_path / "other", text, suffix, encoding)
    found = []
    for folder in (plain, other):
        code, said, study = check_landmarks(folder, tmp_path, capsys)
        assert code == 0, said
        stimuli = make_stimuli(study, pd.DataFrame(), tmp_path / folder.name)
        found.append(np.stack([read_image(path) for path in stimuli["path"]]))
    np.testing.assert_array_equal(*found)


def test_missing_landmarks_stop_the_check(tmp_path, capsys):
    folder = landmarked(tmp_path / "none")
    for path in folder.glob("*.tem"):
        path.unlink()
    code, said, _ = check_landmarks(folder, tmp_path, capsys)
    assert code == 1 and "1 pairs cannot be morphed" in said
    assert "p1_sad.png has no landmarks: p1_sad.tem is not beside it" in said


def test_an_animated_gif_is_its_first_frame(tmp_path):
    frames = [Image.fromarray(np.full((32, 32), grey, np.uint8)) for grey in (40, 200)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    (tmp_path / "x.gif").write_bytes(buffer.getvalue())
    assert (read_image(tmp_path / "x.gif") == 40).all()


# ---- the collection beside the project, where it is at hand

CASES = ROOT.parent / "shared/cases"
COLLECTED = [
    ("I05_mixed_formats", "--images", 0, "40 .heic files were passed over"),
    ("I07_kdef", "--images", 0, "by person"),
    *[
        (f"I09_manifests/{name}", "--images", 0, "train: 7 happy, 7 sad")
        for name in (
            *("backslash.csv", "bom.csv", "header_spaces.csv", "index.csv", "keras.csv"),
            *("plain.csv", "semicolon.csv", "spaces_after.csv", "utf16.csv"),
        )
    ],
    ("I09_manifests/dev.csv", "--images", 0, "validation: 2 happy, 2 sad"),
    ("I09_manifests/celeba.csv", "--images", 1, "found: -1, 1. Name your set's labels"),
    ("I09_manifests/raf.txt", "--images", 1, "found: 4, 5. Name your set's labels"),
    ("I09_manifests/split_numbers.csv", "--images", 1, "split '0', '1', '2'; allowed"),
    ("I10_splits/dev", "--images", 0, "validation: 4 happy, 4 sad"),
    ("I10_splits/deeper", "--images", 0, "validation: 4 happy, 4 sad"),
    ("I10_splits/macosx", "--images", 0, "train: 6 happy, 6 sad"),
    ("I10_splits/aug", "--images", 0, "16 pictures in folders that are neither train"),
    *[(f"M01_negative_steps/{k}", "--morphs", 0, "1 identities × 9 levels") for k in "abcd"],
    ("M01_negative_steps/e", "--morphs", 1, "the first is 'F1-100.png'"),
    *[
        (f"M02_names/{k}", "--morphs", 0, "1 identities × 5 levels")
        for k in ("comma", "mixed_case", "percent")
    ],
    ("M02_names/both", "--morphs", 1, "the first is 'F1_sad0_happy100.png'"),
    ("M07_new_identities/morphs", "--morphs", 0, "20 identities × 3 levels"),
]


@pytest.mark.skipif(not CASES.is_dir(), reason="the collection is not at hand")
@pytest.mark.parametrize(("name", "flag", "code", "words"), COLLECTED)
def test_collected_inputs_are_read_right_or_refused_with_the_true_reason(
    new, name, flag, code, words
):
    found, said, _ = new(flag, CASES / name)
    assert (found, words in said) == (code, True), said


@pytest.mark.skipif(not CASES.is_dir(), reason="the collection is not at hand")
@pytest.mark.parametrize("kind", ["plain", "bom", "comma", "cr", "crlf", "upper"])
def test_collected_landmarks_are_read(tmp_path, capsys, kind):
    code, said, _ = check_landmarks(CASES / "T01_tem" / kind, tmp_path, capsys)
    assert code == 0, said
    code, said, _ = check_landmarks(CASES / "T02_no_tem", tmp_path, capsys)
    assert code == 1 and "has no landmarks" in said
