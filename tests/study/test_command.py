"""The study command: everything wrong at once, what a run will do, and new studies that can run."""

import shutil
import subprocess
import sys

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from lib.networks.design import Cell, cells
from lib.people.guess import guess_people
from lib.settings.loading import ROOT, load_study
from lib.study.check import check_study
from lib.study.command import main
from lib.study.costs import expected_cost


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """40 images in two class folders without splits."""
    root, rng = tmp_path_factory.mktemp("faces"), np.random.default_rng(0)
    for label in ("joy", "sadness"):
        (root / label).mkdir()
        for k in range(20):
            cv2.imwrite(
                str(root / label / f"{k:02d}.png"), rng.integers(0, 255, (48, 48), dtype=np.uint8)
            )
    return root


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """500 rows of five people in a form of their own."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        [
            {
                "Participant": f"P{p}",
                "Trial": 10 * k + j,
                "Morph percent": 10 * j,
                "Choice": "H" if rng.random() < j / 10 else "S",
                "RT (ms)": 400 + 3 * k,
            }
            for p in range(5)
            for k in range(10)
            for j in range(10)
        ]
    )
    table.loc[3, "Choice"] = ""
    path = tmp_path_factory.mktemp("people") / "answers.csv"
    table.to_csv(path, index=False)
    return path


def run(capsys, *arguments, ask=None):
    code = main([str(a) for a in arguments], ask)
    out, err = capsys.readouterr()
    return code, out + err


def test_a_good_study_says_what_a_run_will_do(capsys):
    code, text = run(capsys, "check", "data/studies/smoke.yaml")
    assert code == 0 and text.startswith("Study smoke can run.")
    for words in (
        "train: 32 happy, 32 sad",
        "2 identities × 9 levels × 4 conditions",
        "= 72 pictures",
        "8 SIMULATED people",
        "2 seeds each = 4 networks",
        "two processor cores",
        "where they compute in bf16",
        "GB of disk",
    ):
        assert words in text


def test_everything_wrong_is_said_at_once_from_all_parts(tmp_path, capsys):
    study = tmp_path / "mine.yaml"
    study.write_text(
        "images: {source: folder, root: nowhere}\nmorphs: {regions: "
        "boxes, source: folder, root: nobody}\n"
        "observers: {file: nothing.csv}\ntraining: {epoch: 3}\n"
    )
    code, text = run(capsys, "check", study)
    assert code == 1 and "4 things are wrong" in text
    for words in ("training.epoch: unknown key", "no such folder", "nobody", "nothing.csv"):
        assert words in text


def test_the_networks_of_the_attention_grid_are_counted():
    def check(**settings):
        report = check_study(
            "data/studies/smoke.yaml", {"networks.missing_weights": "untrained", **settings}
        )
        return [line for head, line in report.plan if head == "grid"]

    assert check() == []  # AlexNet with and without the study's attention are trained anyway
    more = check(**{"grid.locations": ["conv1", "conv3"], "grid.people_prior": True})
    assert more == [
        "4 more networks, AlexNets with other attention settings"
    ]  # conv1, and conv3 with the prior
    study = load_study("data/studies/smoke.yaml")
    with_grid, without = (
        expected_cost(study, [], 100, 72, grid) for grid in ([Cell("alexnet", "untrained")] * 4, [])
    )
    assert with_grid.seconds > without.seconds and with_grid.gigabytes > without.gigabytes


def test_a_gpu_that_is_not_there_is_a_problem_like_any_other(capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    code, text = run(
        capsys,
        "check",
        "data/studies/smoke.yaml",
        "--set",
        "training.device=cuda",
        "training.epochs=2",
    )
    assert code == 1 and "1 thing is wrong" in text and "torch finds no such GPU; allowed" in text


def test_overrides_are_checked_too(capsys):
    code, text = run(
        capsys, "check", "data/studies/smoke.yaml", "--set", "training.epochs=0", "name=x"
    )
    assert code == 1 and "training.epochs: 0 given" in text


def test_missing_weights_are_left_out_with_the_remedy_or_stop_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr("lib.backbones.weight_files.FOLDER", tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    settings = {"networks.missing_weights": "leave_out", "networks.controls": ["untrained"]}
    report = check_study("data/studies/smoke.yaml", settings)
    assert not report.problems
    left_out = [line for head, line in report.plan if head == "left out"]
    assert left_out and "alexnet" in left_out[0] and "make weights" in left_out[0]
    report = check_study("data/studies/smoke.yaml", {"networks.missing_weights": "error"})
    assert len(report.problems) == 1 and "make weights" in report.problems[0]
    report = check_study("data/studies/smoke.yaml", {"networks.missing_weights": "untrained"})
    assert any("alexnet, fe_alexnet will be untrained" in warning for warning in report.warnings)
    for own in (ROOT / "data" / "weights").glob("*objects*"):
        (tmp_path / own.name).symlink_to(own)
    report = check_study("data/studies/smoke.yaml", {"networks.missing_weights": "objects"})
    (warning,) = [w for w in report.warnings if "will be" in w]
    assert (
        "alexnet, fe_alexnet will be pretrained on generated objects: no imagenet weights"
        in warning
    )


def test_networks_by_name_and_answers_from_elsewhere_are_said_or_refused(tmp_path):
    def check(**settings):
        given = {"networks.pretraining": "untrained", **settings}
        return check_study("data/studies/smoke.yaml", given)

    net = tmp_path / "net.py"
    net.write_text(
        "from torch import nn\n"
        "def small():\n"
        "    net = nn.Sequential(nn.Conv2d(3, 8, 5, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(6))\n"
        "    return net.eval(), '2', None\n",
        encoding="utf-8",
    )
    table = tmp_path / "answers.csv"
    table.write_text("observer,stimulus,p_happy\nclip,a.png,0.5\n", encoding="utf-8")
    report = check(
        **{
            "networks.architectures": ["torchvision:resnet18", f"{net}:small"],
            "networks.answers": str(table),
        }
    )
    said = "\n".join(line for head, line in report.plan if head == "networks")
    assert not report.problems and not [w for w in report.warnings if "will be" in w]
    assert "torchvision:resnet18: frozen" in said and "clip: answers computed elsewhere" in said
    assert "small: frozen; a new head is trained on the layer that its function names" in said
    report = check(
        **{
            "networks.architectures": ["torchvision:resnet18", f"{net}:small"],
            "networks.pretraining": "face",
            "networks.face_weights": str(tmp_path / "none.pth"),
        }
    )
    (warning,) = [w for w in report.warnings if "will be" in w]
    assert warning.startswith("torchvision:resnet18 will be untrained")  # the file's has its own
    for wrong, words in (
        ("torchvision:resnet19", "torchvision has no 'resnet19'"),
        (f"{tmp_path / 'no.py'}:small", "there is no file"),
    ):
        (problem,) = check(**{"networks.architectures": [wrong]}).problems
        assert words in problem
    table.write_text("observer,picture,p_happy\nclip,a.png,0.5\n", encoding="utf-8")
    (problem,) = check(**{"networks.answers": str(table)}).problems
    assert "no column stimulus" in problem


def test_more_morphs_than_test_images_is_a_problem_with_the_remedy(faces):
    report = check_study(
        "data/studies/smoke.yaml",
        {
            "images.source": "folder",
            "images.root": str(faces),
            "images.labels": {"joy": "happy", "sadness": "sad"},
            "morphs.source": "matched_pairs",
            "morphs.regions": "boxes",
            "morphs.identities": 10,
        },
    )
    assert len(report.problems) == 1 and "Lower morphs.identities" in report.problems[0]


def test_people_are_counted_with_who_is_excluded(answers, tmp_path):
    table = pd.read_csv(answers)
    table.loc[table["Participant"] == "P2", "Choice"] = np.nan
    table.to_csv(tmp_path / "people.csv", index=False)
    report = check_study(
        "data/studies/smoke.yaml",
        {
            "observers.file": str(tmp_path / "people.csv"),
            "observers.codes": {"H": 1, "S": 0},
            "observers.columns": {
                "observer": "Participant",
                "level": "Morph percent",
                "response": "Choice",
            },
            "observers.level_range": [0, 90],
        },
    )
    people = [line for head, line in report.plan if head == "people"]
    assert (
        not report.problems
        and "5 in" in people[0]
        and "4 kept, 1 excluded" in people[0]
        and "P2" in people[1]
    )


def test_a_block_that_is_taken_out_is_said():
    def notes(**settings):
        report = check_study("data/studies/smoke.yaml", settings)
        return [warning for warning in report.warnings if "attention.gain" in warning]

    assert len(notes(**{"attention.gain": 0})) == 1
    assert notes() == notes(**{"attention.gain": 0, "networks.architectures": ["alexnet"]}) == []


def test_a_study_that_is_no_file_is_one_message(capsys):
    code, text = run(capsys, "check", "no/such.yaml")
    assert code == 1 and "no such file" in text and "Traceback" not in text


def test_a_path_is_found_from_where_one_stands(tmp_path, monkeypatch, capsys):
    shutil.copy(ROOT / "data/studies/smoke.yaml", tmp_path / "here.yaml")
    monkeypatch.chdir(tmp_path)
    code, text = run(capsys, "check", "here.yaml", "--set", "name=here")
    assert code == 0 and "Study here can run" in text


def test_the_expected_cost_grows_with_images_seeds_and_depth():
    def cost(**settings):
        study = load_study("data/studies/smoke.yaml", settings)
        return expected_cost(study, cells(study)[0], study.images.n_train + 48, 72)

    small = cost()
    assert cost(**{"training.seeds": 4}).seconds > small.seconds
    assert cost(**{"training.seeds": 4}).gigabytes == pytest.approx(2 * small.gigabytes, rel=0.1)
    assert cost(**{"images.n_train": 640}).seconds > small.seconds
    assert cost(**{"networks.architectures": ["alexnet", "vgg16"]}).seconds > small.seconds


def test_nothing_heavy_is_loaded_to_check_a_study_or_write_one(tmp_path):
    heavy = ("torch", "torchvision", "sklearn", "matplotlib", "statsmodels", "pingouin", "IPython")
    code = (
        "import sys; from lib.study.command import main\n"
        "assert main(['check', 'data/studies/smoke.yaml']) == 0\n"
        f"assert main(['new', '--name', 'mine', '--output', {str(tmp_path / 'a.yaml')!r}]) == 0\n"
        f"print('loaded:', *(name for name in {heavy} if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "loaded:"


# ---- new
# ------------------------------------------------------------


def test_own_images_and_answers_become_a_study_that_can_run(faces, answers, tmp_path, capsys):
    target = tmp_path / "own.yaml"
    code, text = run(
        capsys, "new", "--name", "own", "--images", faces, "--people", answers, "--output", target
    )
    assert code == 0 and "Study own can run." in text, text
    assert (
        "6 test images: a network's accuracy is known to about ±0.40 only" in text
    )  # 1.96 · sqrt(0.25 / 6)
    study = load_study(target)
    assert (
        study.images.labels == {"joy": "happy", "sadness": "sad"}
        and study.images.source == "folder"
    )
    assert study.observers.columns == {
        "observer": "Participant",
        "level": "Morph percent",
        "response": "Choice",
        "rt_s": "RT (ms)",
    }
    assert study.observers.codes == {"H": 1, "S": 0} and study.observers.rt_unit == "ms"
    assert study.observers.level_range == (0, 100)  # per cent, although 90 is the largest
    assert study.morphs.identities == 3  # of the 20 images of each class, 3 are in the test split
    assert target.read_text().count("#") > 15
    # the boxes stand in the file, to be moved
    assert yaml.safe_load(target.read_text())["morphs"]["boxes"]["mouth"] == list(
        study.morphs.boxes["mouth"]
    )


@pytest.fixture(scope="module")
def angry_faces(tmp_path_factory):
    """Angry and happy faces, and others."""
    root, rng = tmp_path_factory.mktemp("angry"), np.random.default_rng(2)
    for label in ("anger", "happiness", "surprise"):
        (root / label).mkdir()
        for k in range(20):
            picture = rng.integers(0, 255, (48, 48), dtype=np.uint8)
            cv2.imwrite(str(root / label / f"{k:02d}.png"), picture)
    return root


def test_angry_faces_make_a_study_whose_poles_are_angry_and_happy(angry_faces, tmp_path, capsys):
    target = tmp_path / "own.yaml"
    table = pd.DataFrame(
        [
            {"subject": f"p{p}", "morph": level, "answer": ("a", "happy")[level > 40 + 5 * p]}
            for p in range(4)
            for level in range(0, 101, 10)
        ]
    )
    table.to_csv(tmp_path / "people.csv", index=False)
    given = ("--images", angry_faces, "--people", tmp_path / "people.csv", "--output", target)
    code, text = run(capsys, "new", *given)
    assert code == 0 and "happy, 14 angry" in text, text
    study = load_study(target)
    assert study.poles == ("angry", "happy")
    assert study.images.labels == {"happiness": "happy", "anger": "angry"}
    assert study.observers.codes == {"happy": 1, "a": 0}
    assert "sad" not in target.read_text(encoding="utf-8")


def test_poles_and_codes_may_be_said(angry_faces, answers, tmp_path, capsys):
    target = tmp_path / "own.yaml"
    given = ("--poles", "böse,froh", "--labels", "anger=negative happiness=froh")
    people = ("--people", answers, "--codes", "H=froh S=negative")
    code, text = run(capsys, "new", "--images", angry_faces, *given, *people, "--output", target)
    assert code == 0, text
    study = load_study(target)
    assert study.poles == ("böse", "froh") and study.observers.codes == {"H": 1, "S": 0}
    assert study.images.labels == {"anger": "böse", "happiness": "froh"}
    code, text = run(capsys, "new", "--poles", "happy", "--output", tmp_path / "x.yaml")
    assert code == 1 and "two words that differ" in text


def test_built_in_faces_under_other_names_are_said():
    report = check_study("data/studies/smoke.yaml", "poles=angry,happy")
    assert any("go from sad to happy" in warning for warning in report.warnings)
    assert not any(
        "go from" in warning for warning in check_study("data/studies/smoke.yaml").warnings
    )


def test_nothing_given_and_nobody_to_ask_is_a_message(capsys):
    code, text = run(capsys, "new")
    assert code == 1 and "--images" in text


def test_questions_make_the_same_study_as_flags(faces, answers, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("lib.study.new.ROOT", tmp_path)
    replies = iter(["asked", str(faces), str(answers), ""])
    code, _ = run(capsys, "new", ask=lambda question: next(replies))
    asked = (tmp_path / "data/studies/asked.yaml").read_text()
    run(
        capsys,
        "new",
        "--name",
        "asked",
        "--images",
        faces,
        "--people",
        answers,
        "--output",
        tmp_path / "flags.yaml",
    )
    assert code == 0 and asked == (tmp_path / "flags.yaml").read_text()


def test_empty_answers_make_a_study_of_built_in_faces_and_simulated_people(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("lib.study.new.ROOT", tmp_path)
    code, text = run(capsys, "new", ask=lambda question: "")
    assert code == 0 and "SIMULATED" in text
    assert load_study(tmp_path / "data/studies/mine.yaml").images.source == "builtin"


def test_a_file_that_is_there_is_never_overwritten(tmp_path, capsys):
    target = tmp_path / "mine.yaml"
    target.write_text("precious")
    code, text = run(capsys, "new", "--name", "mine", "--output", target)
    assert code == 1 and "was not changed" in text and target.read_text() == "precious"
    assert [p.name for p in tmp_path.iterdir()] == ["mine.yaml"]


def test_a_name_that_is_no_folder_name_is_refused_before_anything_is_written(tmp_path, capsys):
    code, text = run(capsys, "new", "--name", "a/b", "--output", tmp_path / "x.yaml")
    assert code == 1 and "'a/b' given" in text and not list(tmp_path.iterdir())


def test_damaged_tables_are_a_message_too(tmp_path, capsys):
    (tmp_path / "people.csv").write_bytes(b'a,b\n"c,1\n')
    code, text = run(
        capsys, "new", "--output", tmp_path / "one.yaml", "--people", tmp_path / "people.csv"
    )
    assert code == 1 and "people.csv cannot be read as a table" in text and "Allowed: .csv" in text
    assert not (tmp_path / "one.yaml").exists()
    (tmp_path / "list.csv").write_text('path,label\n"a.png,happy\n')
    code, text = run(
        capsys, "new", "--output", tmp_path / "two.yaml", "--images", tmp_path / "list.csv"
    )
    assert (
        code == 1 and "list.csv cannot be read as CSV" in text and (tmp_path / "two.yaml").is_file()
    )


def test_own_labels_columns_and_codes_go_before_the_guess(faces, answers, tmp_path, capsys):
    target = tmp_path / "own.yaml"
    run(
        capsys,
        "new",
        "--images",
        faces,
        "--labels",
        "joy=sad sadness=happy",
        "--people",
        answers,
        "--codes",
        "H=sad S=happy",
        "--columns",
        "identity=Participant",
        "--output",
        target,
    )
    study = load_study(target)
    assert study.images.labels == {"joy": "sad", "sadness": "happy"}
    assert (
        study.observers.codes == {"H": 0, "S": 1}
        and study.observers.columns["identity"] == "Participant"
    )


def test_a_malformed_word_is_a_message(tmp_path, capsys):
    code, text = run(
        capsys, "new", "--images", tmp_path, "--labels", "joy", "--output", tmp_path / "x.yaml"
    )
    assert code == 1 and "'joy' given" in text and not (tmp_path / "x.yaml").exists()


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        (
            "participant,trials.thisN,morph,key_resp.keys,key_resp.rt",
            "1,0,0.5,right,0.61",
            {
                "observer": "participant",
                "level": "morph",
                "response": "key_resp.keys",
                "rt_s": "key_resp.rt",
            },
        ),
        (
            "subject_id;intensity;answer",
            "7;0,5;1",
            {"observer": "subject_id", "level": "intensity", "response": "answer"},
        ),
    ],
)
def test_columns_are_guessed_from_names_in_common_use(tmp_path, header, row, expected):
    path = tmp_path / "table.csv"
    path.write_text(f"{header}\n{row}\n")
    assert guess_people(path, {}, {}).columns == expected


def test_unknown_columns_and_codes_are_left_to_the_user(tmp_path):
    (tmp_path / "table.csv").write_text("a,b,c\n1,x,q\n2,y,r\n")
    guess = guess_people(tmp_path / "table.csv", {}, {})
    assert guess.columns == {} and guess.codes == {"happy": 1, "sad": 0, "1": 1, "0": 0}


def test_the_command_runs_from_a_shell():
    done = subprocess.run(
        [sys.executable, "-m", "lib.study", "check", "data/studies/smoke.yaml", "--set", "nam=x"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (
        done.returncode == 1
        and "did you mean name?" in done.stderr
        and "Traceback" not in done.stderr
    )
