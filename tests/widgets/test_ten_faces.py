"""Ten faces for the start page: of the run where it has them, drawn where it has not."""

import numpy as np
import pandas as pd
from PIL import Image

from lib.settings.loading import load_study
from lib.storage.runs import Run
from lib.widgets import ten_faces as module
from lib.widgets.ten_faces import TASK, choose_ten, find_ten


def table(levels, identities=2, path="x.png"):
    return pd.DataFrame(
        [
            [f"id{i}_{condition}_{level:.3f}", path, f"id{i}", level, condition]
            for i in range(identities)
            for condition in ("full", "mouth")
            for level in levels
        ],
        columns=["stimulus", "path", "identity", "level", "condition"],
    )


def test_ten_different_whole_faces_span_the_morph_and_take_turns():
    ten = choose_ten(table(np.linspace(0, 1, 9)))
    assert len(ten) == ten["stimulus"].nunique() == 10 and set(ten["condition"]) == {"full"}
    assert (ten["level"].min(), ten["level"].max()) == (0, 1) and ten[
        "level"
    ].is_monotonic_increasing
    assert list(ten["identity"].value_counts()) == [5, 5]
    assert len(choose_ten(table([0.0, 1.0]))) == 4  # all there are
    assert TASK.minutes(10) < 2


def test_pictures_and_people_are_the_runs_where_it_has_them(tmp_path):
    run = Run(load_study("data/studies/smoke.yaml", {"output": str(tmp_path)}), "04")
    picture = tmp_path / "face.png"
    Image.new("RGB", (8, 8)).save(picture)
    run.write_table("stimuli", table(np.linspace(0, 1, 9), path=str(picture)))
    rows = {"observer": ["a", "a", "n"], "kind": ["human", "human", "cnn"]}
    run.write_table("psychometrics", pd.DataFrame(rows | {"condition": ["full", "eyes", "full"]}))
    ten = find_ten(run)
    assert list(ten.people["observer"]) == ["a"] and set(ten.stimuli["path"]) == {str(picture)}
    assert ten.run.study.name == "smoke"


def test_on_a_fresh_clone_faces_are_drawn_and_simulated_people_stand_beside(tmp_path, monkeypatch):
    drawn = table(np.linspace(0, 1, 9))
    monkeypatch.setattr(module, "make_stimuli", lambda study, images, folder: drawn)
    run = Run(load_study("data/studies/smoke.yaml", {"output": str(tmp_path)}), "00")
    ten = find_ten(run, tmp_path)
    assert ten.run.study.name == "demo" and ten.run.folder.parent == tmp_path
    assert len(ten.stimuli) == 10 and set(ten.people["kind"]) == {"simulated"}
    assert ten.people["pse"].notna().sum() > 30
