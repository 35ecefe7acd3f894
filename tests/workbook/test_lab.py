"""JupyterLab opens working copies at the start page."""

import json
import os

import pytest

from lib.settings.options import ROOT
from lib.workbook import command
from lib.workbook.lab import CONFIGURATION, lab_command, lab_environment, working_copies


@pytest.fixture
def notebooks(tmp_path):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in ("00_start.ipynb", "01_data_preparation.ipynb"):
        (folder / name).write_text("first", encoding="utf-8")
    return folder


def test_a_copy_follows_its_notebook_until_a_reader_changes_it(notebooks, tmp_path):
    copies = tmp_path / "lab"
    assert working_copies(notebooks, copies) == []
    (notebooks / "01_data_preparation.ipynb").write_text("second", encoding="utf-8")
    assert working_copies(notebooks, copies) == []
    assert (copies / "01_data_preparation.ipynb").read_text(encoding="utf-8") == "second"
    (copies / "01_data_preparation.ipynb").write_text("mine", encoding="utf-8")
    (notebooks / "01_data_preparation.ipynb").write_text("third", encoding="utf-8")
    assert working_copies(notebooks, copies) == ["01_data_preparation.ipynb"]
    assert (copies / "01_data_preparation.ipynb").read_text(encoding="utf-8") == "mine"


def test_the_start_page_opens_within_the_projects_root(tmp_path):
    *_, root, url = lab_command(ROOT / "notebooks")
    assert root.endswith(f"root_dir={ROOT}") and "/lab/tree/notebooks/0" in url


def test_live_notebooks_learn_their_study_and_nothing_pops_up():
    environment = lab_environment("mine.yaml", "name=x")
    assert environment["WORKBOOK_STUDY"] == "mine.yaml" and environment["WORKBOOK_SET"] == "name=x"
    assert environment["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0] == str(CONFIGURATION)
    path = CONFIGURATION / "labconfig" / "default_setting_overrides.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    assert settings["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


def test_the_command_hands_jupyterlabs_own_options_on(monkeypatch):
    seen = []
    monkeypatch.setattr(command, "open_lab", lambda *given: seen.append(given) or 0)
    assert command.main(["lab", "--study", "a.yaml", "--set", "name=x", "--no-browser"]) == 0
    (study, overrides, _, more) = seen[0]
    assert (study, overrides, more) == ("a.yaml", "name=x", ["--no-browser"])
