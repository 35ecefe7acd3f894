"""The set-up check: what is missing is found, and what to do is said."""

import pytest

from lib.settings.loading import load_study
from lib.settings.options import ROOT
from lib.study import setup as setup_check
from lib.study.setup import NOTE, OK, PROBLEM, check_setup, main, pinned


def study(**settings):
    return load_study(
        "data/studies/smoke.yaml", {k.replace("__", "."): v for k, v in settings.items()}
    )


def row(table, check):
    return table.set_index("check").loc[check]


def test_this_environment_can_run_the_smallest_study():
    table = check_setup(study())
    assert list(table.columns) == ["check", "found", "state", "what_to_do"]
    assert not (table["state"] == PROBLEM).any(), table.to_string()
    assert set(table["state"]) <= {OK, NOTE}
    assert table.loc[table["state"] != OK, "what_to_do"].all()


def test_every_pinned_package_of_environment_yml_is_looked_at():
    pins = pinned((ROOT / "environment.yml").read_text())
    assert (
        pins["python"] == "3.11"
        and {"torch", "numpy", "jupyterlab", "anywidget", "PyYAML"} <= pins.keys()
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("      - torch==2.13.0", {"torch": "2.13.0"}),
        ("  - python=3.11", {"python": "3.11"}),
        ("      # numbers", {}),
        ("      - -e .", {}),
        ("  - pip:", {}),
        ("- grad-cam==1.5.7  # why", {"grad-cam": "1.5.7"}),
    ],
)
def test_pins_are_read_line_by_line(line, expected):
    assert pinned(line) == expected


def test_another_version_is_a_note_and_a_missing_package_a_problem(monkeypatch):
    monkeypatch.setattr(setup_check, "_pins", lambda: {"python": "3.11", "numpy": "0.1"})
    found = row(check_setup(study()), "packages")
    assert (
        found["state"] == NOTE and "pinned 0.1" in found["found"] and "conda" in found["what_to_do"]
    )
    monkeypatch.setattr(setup_check, "_pins", lambda: {"python": "2.7", "no-such-package": "1.0"})
    table = check_setup(study())
    assert (
        row(table, "packages")["state"] == PROBLEM
        and "no-such-package" in row(table, "packages")["found"]
    )
    assert row(table, "Python")["state"] == NOTE


def test_missing_weights_follow_the_study(monkeypatch, tmp_path):
    monkeypatch.setattr("lib.backbones.weight_files.FOLDER", tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for policy, state, words in (
        ("untrained", NOTE, "stay untrained"),
        ("leave_out", NOTE, "left out"),
        ("error", PROBLEM, "the run stops"),
    ):
        found = row(check_setup(study(networks__missing_weights=policy)), "weights")
        assert (
            found["state"] == state
            and "make weights" in found["what_to_do"]
            and words in found["what_to_do"]
        )
    (tmp_path / "alexnet_features_imagenet1k_v1.safetensors").touch()
    assert row(check_setup(study()), "weights")["state"] == OK


def test_little_disk_and_little_memory_are_said(monkeypatch):
    class Usage:
        free, available = 0.5e9, 1e9

    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage)
    monkeypatch.setattr("psutil.virtual_memory", lambda: Usage)
    table = check_setup(study())
    assert row(table, "disk")["state"] == PROBLEM and row(table, "memory")["state"] == NOTE


def test_a_wanted_gpu_that_is_not_there_is_a_problem(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert row(check_setup(study(training__device="cuda")), "GPU")["state"] == PROBLEM
    assert row(check_setup(study()), "GPU")["state"] == OK


def test_the_command_prints_the_table_and_its_exit_code_tells(capsys, monkeypatch):
    assert main(["data/studies/smoke.yaml"]) == 0
    assert "torchvision" in capsys.readouterr().out
    monkeypatch.setattr(setup_check, "_pins", lambda: {"python": "3.11", "no-such-package": "1.0"})
    assert main(["data/studies/smoke.yaml"]) == 1
    assert main(["no/such.yaml"]) == 1
