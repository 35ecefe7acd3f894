"""Structs of vectors and arrays of structs, as Psychtoolbox scripts save their trials."""

import numpy as np
import pytest
from scipy.io import savemat

from lib.people.files import read_answers
from lib.people.mat_files import read_mat
from lib.people.trials import TrialError

TRIALS = {
    "level": [0.0, 0.5, 1.0],
    "resp": [0.0, np.nan, 1.0],
    "face": np.array(["F1", "F2", "F1"], object),
    "screen": [1920, 1080],
    "name": "task",
}


def test_vectors_of_one_struct_become_columns(tmp_path):
    savemat(tmp_path / "p1.mat", {"Results": TRIALS, "scr": {"w": 5}})
    table = read_mat(tmp_path / "p1.mat")
    assert list(table.columns) == ["level", "resp", "face"]
    assert table["level"].tolist() == ["0", "0.5", "1"] and table["resp"].tolist() == ["0", "", "1"]
    assert table["face"].tolist() == ["F1", "F2", "F1"]


def test_an_array_of_structs_has_a_row_each(tmp_path):
    rows = [{"level": 0.25, "resp": 1}, {"level": 0.75, "resp": 0}]
    savemat(tmp_path / "p1.mat", {"trial": np.array(rows, object)})
    assert read_mat(tmp_path / "p1.mat")["level"].tolist() == ["0.25", "0.75"]


def test_a_folder_of_mat_files_is_a_table_like_any_other(tmp_path):
    for who in ("a", "b"):
        savemat(tmp_path / f"{who}.mat", {"R": TRIALS | {"id": np.array([who] * 3, object)}})
    assert read_answers(tmp_path)["id"].tolist() == list("aaabbb")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"no MATLAB", "cannot be read as a MATLAB file"), (None, "holds no struct with a vector")],
)
def test_other_files_are_refused(tmp_path, content, message):
    path = tmp_path / "x.mat"
    savemat(path, {"a": 1}) if content is None else path.write_bytes(content)
    with pytest.raises(TrialError, match=message):
        read_mat(path)


@pytest.mark.parametrize("compressed", [True, False])
def test_damage_that_would_end_the_process_is_refused(tmp_path, compressed):
    path = tmp_path / "p1.mat"
    results = {"level": np.array([0.0, 0.5, 1.0]), "who": np.array(["a", "b", "c"], object)}
    savemat(path, {"R": results}, do_compression=compressed)
    assert read_mat(path)["who"].tolist() == ["a", "b", "c"]
    data = bytearray(path.read_bytes())
    data[225] = 255  # within SciPy's reader a jump to nowhere, where nothing is compressed
    path.write_bytes(bytes(data))
    with pytest.raises(TrialError, match=r"p1\.mat cannot be read as a MATLAB file"):
        read_mat(path)
