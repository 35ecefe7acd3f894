"""Every kind of bad input, given to the commands that users give: what they are told, and that
nothing breaks.

Full disks and killed processes are in ``test_interruptions.py``, damaged files of every kind in
``test_fuzz.py``.
"""

import pickle
import subprocess
import sys

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from fuzz_readers import answers
from PIL import Image

from lib.backbones.weights import new_features
from lib.observers.tables import fit_table
from lib.people.reading import read_people
from lib.pictures.labelled import load_images
from lib.pictures.reading import read_image
from lib.settings.loading import load_study
from lib.settings.options import ROOT, resolve
from lib.study import command as study_command
from lib.workbook import command as workbook

SMOKE = "data/studies/smoke.yaml"
SPLITS = {"train": 6, "validation": 2, "test": 2}


@pytest.fixture
def check(capsys):
    """``python -m lib.study check`` with settings: its exit code and everything it says."""

    def run(*settings: str) -> tuple[int, str]:
        code = study_command.main(["check", SMOKE, "--set", *settings])
        out, err = capsys.readouterr()
        return code, " ".join((out + err).split())

    return run


def refused(said: tuple[int, str], *words: str) -> None:
    """Exit code 1, no traceback, and all of these words."""
    code, text = said
    assert code == 1 and "Traceback" not in text and "cannot run yet" in text
    assert not [word for word in words if word not in text], text


# ---- images
# ------------------------------------------------------------


@pytest.fixture
def faces(tmp_path):
    """split/class/file with pictures that all differ."""
    rng = np.random.default_rng(3)
    for split, n in SPLITS.items():
        for label in ("happy", "sad"):
            (tmp_path / "faces" / split / label).mkdir(parents=True)
            for k in range(n):
                cv2.imwrite(
                    str(tmp_path / "faces" / split / label / f"{k}.png"),
                    rng.integers(0, 255, (20, 20)),
                )
    return tmp_path / "faces"


def of_folder(root, source="folder"):
    return (
        f"images.source={source}",
        f"images.root={root}",
        "images.n_train=null",
        "images.n_validation=null",
        "images.n_test=null",
        "morphs.regions=boxes",
        "morphs.source=matched_pairs",
        "morphs.identities=1",
    )


def test_the_images_of_these_tests_are_good_as_long_as_nothing_is_done_to_them(check, faces):
    code, text = check(*of_folder(faces))
    assert code == 0 and "train: 6 happy, 6 sad" in text


@pytest.mark.slow
def test_truncated_images_stop_a_run_with_their_names_and_the_remedy(faces, tmp_path):
    """The whole command with the real notebook, in a process of its own."""
    for name in ("train/happy/0.png", "test/sad/1.png"):
        whole = (faces / name).read_bytes()
        (faces / name).write_bytes(whole[: len(whole) // 2])
    command = [
        sys.executable,
        "-m",
        "lib.workbook",
        "run",
        "--study",
        SMOKE,
        "--only",
        "01",
        "--set",
        f"output={tmp_path}",
        *of_folder(faces),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == workbook.STOPPED and "Traceback" not in done.stderr
    for words in (
        "notebook 01_data_preparation stopped in cell [",
        "2 images cannot be read",
        "train/happy/0.png",
        "test/sad/1.png",
        "allowed: whole image files",
        "Replace them or take them out",
    ):
        assert words in done.stderr


def test_a_wrong_class_folder(check, faces):
    (faces / "train" / "happy").rename(faces / "train" / "joy")
    (faces / "test" / "happy").rename(faces / "test" / "joy")
    (faces / "validation" / "happy").rename(faces / "validation" / "joy")
    refused(
        check(*of_folder(faces)),
        "no class folder happy; found: joy, sad",
        "Name your folders' classes in images.labels, such as images.labels='{joy: happy",
    )


def test_an_empty_class(check, faces):
    for path in (faces / "test" / "sad").iterdir():
        path.unlink()
    refused(
        check(*of_folder(faces)),
        "the test split has no image labelled sad (2 happy)",
        "both classes in every split",
        "Check images.labels and the folders",
    )


def test_one_class_only(check, faces):
    refused(
        check(*of_folder(faces), "images.labels={happy: happy, sad: happy}"), "images.labels", "sad"
    )
    rows = "\n".join(f"{p.relative_to(faces)},sad" for p in sorted(faces.rglob("*.png")))
    (faces / "list.csv").write_text(f"path,label\n{rows}\n")
    refused(
        check(*of_folder(faces / "list.csv", "manifest")),
        "all 20 images are sad; needed: both happy and sad",
        "Check images.labels",
    )


def test_pictures_of_other_kinds_are_read_as_a_person_sees_them(faces):
    ramp = np.tile(np.linspace(0, 255, 32).astype(np.uint8), (32, 1))  # dark left, bright right
    rotated = Image.Exif()
    rotated[0x0112] = 6
    turned = Image.fromarray(np.rot90(ramp))  # the orientation tag turns it back
    for k in range(5):  # as many sad ones, so that none is left out
        cv2.imwrite(str(faces / "train" / "sad" / f"more{k}.png"), np.full((9, 9), k, np.uint8))
    alpha = Image.fromarray(np.dstack([ramp, ramp, ramp, np.full_like(ramp, 255)]))
    train = faces / "train" / "happy"
    Image.fromarray(ramp.astype(np.uint16) * 257).save(train / "sixteen.png")
    alpha.save(train / "alpha.png")
    Image.fromarray(ramp).convert("P").save(train / "palette.gif")
    turned.save(train / "turned.tiff", exif=rotated)
    Image.fromarray(np.dstack([ramp, ramp, ramp])).convert("CMYK").save(train / "print.tiff")
    images = load_images(load_study(SMOKE, of_folder(faces)))
    added = {
        resolve(p).name: read_image(resolve(p), 32)[:, :, 1].astype(int)
        for p in images["path"]
        if resolve(p).stem in ("sixteen", "alpha", "palette", "turned", "print")
    }
    assert len(added) == 5
    for name, green in added.items():
        columns = green.mean(0)
        assert columns[-1] > columns[0] + 200, name
        assert abs(green.mean(1) - green.mean()).max() < 1, name


def test_a_manifest_that_leads_out_of_its_folder(check, faces):
    (faces / "list.csv").write_text("path,label\n../../secret.png,sad\n")
    refused(
        check(*of_folder(faces / "list.csv", "manifest")),
        "list.csv, row 2: path '../../secret.png' leads out of the manifest's folder",
        "Move the image below it",
    )


def test_a_link_that_leads_out_of_the_manifests_folder(check, faces, tmp_path):
    (tmp_path / "secret.png").write_bytes((faces / "train/sad/0.png").read_bytes())
    (faces / "link.png").symlink_to(tmp_path / "secret.png")
    (faces / "list.csv").write_text("path,label\nlink.png,sad\n")
    refused(
        check(*of_folder(faces / "list.csv", "manifest")),
        "'link.png' leads out of the manifest's folder",
    )


def test_a_word_of_fer2013_that_would_name_a_file_elsewhere(check, tmp_path):
    pixels = " ".join(["0"] * 2304)
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "fer2013.csv").write_text(
        f"emotion,pixels,Usage\n3,{pixels},Training\n4,{pixels},../../../../outside\n"
    )
    settings = of_folder(tmp_path / "inside" / "fer2013.csv", "fer2013_csv")
    refused(
        check(*settings),
        "fer2013.csv, row 3: Usage '../../../../outside'; allowed: Training, PublicTest",
    )
    with pytest.raises(ValueError, match="row 3: Usage"):
        load_images(load_study(SMOKE, settings), tmp_path / "inside" / "derived")
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]


# ---- people
# ------------------------------------------------------------


def of_people(path):
    return (
        f"observers.file={path}",
        "observers.level_range=[0, 100]",
        "observers.codes={happy: 1, sad: 0}",
        "observers.columns={observer: participant, level: percent, response: answer, rt_s: rt}",
    )


@pytest.fixture
def table(tmp_path):
    """Write a table of answers after a change to it; the settings that read it."""

    def write(change=lambda rows: rows):
        change(answers().astype({"percent": object})).to_csv(tmp_path / "answers.csv", index=False)
        return of_people(tmp_path / "answers.csv")

    return write


def with_cell(row: int, column: str, value):
    def change(rows):
        rows.loc[row, column] = value
        return rows

    return change


def test_the_answers_of_these_tests_are_good_as_long_as_nothing_is_done_to_them(check, table):
    code, text = check(*table())
    assert code == 0 and "2 kept, 0 excluded; 10 trials, 0 of them missed" in text


def test_a_missing_column(check, table):
    refused(
        check(*table(lambda rows: rows.drop(columns="answer"))),
        "answers.csv has no column 'answer' (for response)",
        "found: participant, percent, rt",
        "Say which column is which in observers.columns",
    )


def test_an_unknown_response_code(check, table):
    refused(
        check(*table(with_cell(2, "answer", "glad"))),
        "answers.csv, row 4, column 'answer': 'glad' found",
        "allowed: happy (happy), sad (sad)",
        "observers.codes",
    )


def test_a_level_outside_the_morph(check, table):
    refused(
        check(*table(with_cell(4, "percent", 130))),
        "row 6, column 'percent': '130' found",
        "a number from 0 to 100 (observers.level_range)",
    )


def test_duplicate_trials(check, table):
    def numbered(rows):
        return pd.concat(
            [rows.assign(number=range(len(rows))), rows.assign(number=range(len(rows))).iloc[[3]]]
        )

    settings = table(numbered)
    columns = (
        "observers.columns={observer: participant, level: percent, response: answer, trial: number}"
    )
    refused(
        check(*settings[:-1], columns),
        "answers.csv, row 12: observer 'p1' has trial '3' already in row 5 (1 such rows)",
        "Remove the copies, or name the column that tells sessions apart",
    )


def one_word(rows):
    rows.loc[rows["participant"] == "p2", "answer"] = "happy"
    return rows


def test_a_person_without_variance_is_excluded_counted_and_named(check, table):
    code, text = check(*table(one_word))
    assert code == 0 and "1 kept, 1 excluded; 5 trials" in text
    assert "excluded by fewer right answers at the two end levels (60%): p2" in text


def test_a_person_without_variance_who_is_kept_has_no_pse_and_a_reason(table):
    answered = table(lambda rows: pd.concat([one_word(rows)] * 8))
    study = load_study(SMOKE, (*answered, "observers.exclude.min_end_accuracy=0"))
    fits = fit_table(read_people(study)[0], study.statistics).set_index("observer")
    assert np.isnan(fits.loc["p2", "pse"]) and "happy" in fits.loc["p2", "reason"]
    assert 0.25 < fits.loc["p1", "pse"] < 0.5 and fits.loc["p1", "reason"] == ""


def test_more_cells_than_names(check, tmp_path):
    (tmp_path / "a.csv").write_text("participant,percent,answer,rt\np1,12,5,happy,0.4\n")
    refused(
        check(*of_people(tmp_path / "a.csv")),
        "a.csv cannot be read as a table",
        "more cells than the header",
        "quotes",
    )


# ---- weights
# ------------------------------------------------------------


class Bomb:
    """Writes a file as soon as it is unpickled."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return open, (self.mark, "w")


def of_weights(path, policy="untrained"):
    return (
        f"networks.face_weights={path}",
        "networks.pretraining=face",
        f"networks.missing_weights={policy}",
    )


@pytest.mark.parametrize("policy", ["untrained", "leave_out", "error"])
def test_weights_of_the_wrong_shape(check, tmp_path, policy):
    state = {f"features.{k}": v for k, v in new_features("alexnet").state_dict().items()}
    state["features.0.weight"] = state["features.0.weight"][:8]
    torch.save(state, tmp_path / "mine.pth")
    refused(
        check(*of_weights(tmp_path / "mine.pth", policy)),
        "mine.pth: weights of another network: "
        "features.0.weight has shape (8, 3, 11, 11), needed is (64, 3, 11, 11)",
    )


def test_a_pickled_file_with_code_in_it(check, tmp_path):
    (tmp_path / "mine.pth").write_bytes(
        pickle.dumps({"features.0.weight": Bomb(tmp_path / "ran")}, protocol=2)
    )
    refused(check(*of_weights(tmp_path / "mine.pth")), "mine.pth: ", "allowed: ")
    torch.save({"features.0.weight": Bomb(tmp_path / "ran")}, tmp_path / "mine.pth")
    refused(
        check(*of_weights(tmp_path / "mine.pth")),
        "refused, because it holds code or other objects beside tensors",
        "allowed: a state dict of plain tensors",
    )
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there(capsys, tmp_path):
    assert (
        workbook.main(
            ["run", "--study", SMOKE, "--set", "training.device=cuda", f"output={tmp_path}"]
        )
        == 1
    )
    said = capsys.readouterr().err
    assert (
        "training.device 'cuda' given" in said
        and "allowed here: auto, cpu" in said
        and "Traceback" not in said
    )
