"""Nothing half-written is read back as whole, and a full disk says so."""

import errno
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from lib.storage import files
from lib.storage.files import (
    DiskFullError,
    file_hash,
    file_hashes,
    process_lives,
    processors,
    remove_leftovers,
    replacing,
    settings_hash,
    write_csv,
    write_json,
    write_text,
    write_with,
)
from lib.storage.runs import read_csv


def test_processors_are_counted_where_the_system_does_not_tell_which_may_be_used(monkeypatch):
    assert processors() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity")  # macOS
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert processors() == 8 == files.threads()


def test_a_failing_writer_leaves_the_old_file_and_no_other(tmp_path):
    path = write_text(tmp_path / "table.csv", "old")

    def half(temporary):
        temporary.write_text("ha")
        raise RuntimeError("killed here")

    with pytest.raises(RuntimeError):
        write_with(path, half)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]


def test_the_temporary_name_lies_beside_the_file_and_keeps_its_suffix(tmp_path):
    with replacing(tmp_path / "deep" / "figure.png") as temporary:
        temporary.write_bytes(b"x")
        assert temporary.parent == tmp_path / "deep" and temporary.suffix == ".png"
        assert not (tmp_path / "deep" / "figure.png").exists()
    assert (tmp_path / "deep" / "figure.png").read_bytes() == b"x"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_names_the_file_and_the_remedy(tmp_path, code):
    def full(temporary):
        raise OSError(code, os.strerror(code))

    with pytest.raises(
        DiskFullError, match=r"full while writing features\.bin.*free some space.*--resume"
    ):
        write_with(tmp_path / "features.bin", full)


def test_any_other_error_of_the_system_stays_what_it_is(tmp_path):
    with pytest.raises(IsADirectoryError):
        write_with(tmp_path / "x", lambda temporary: open(tmp_path, "w"))  # noqa: SIM115


def test_numbers_survive_a_table_to_the_last_bit(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"value": np.concatenate([rng.normal(size=200), [1e-300, 0.1, np.nan]]), "word": "NA"}
    )
    back = read_csv(write_csv(tmp_path / "t.csv", frame))
    np.testing.assert_array_equal(back["value"], frame["value"])
    assert set(back["word"]) == {"NA"}


def test_hashes_are_those_of_the_bytes_and_of_the_sorted_settings(tmp_path):
    path = write_text(tmp_path / "abc", "abc")
    # FIPS 180-2, appendix B.1
    assert file_hash(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (
        settings_hash({"a": 1, "b": 2})
        == settings_hash({"b": 2, "a": 1})
        != settings_hash({"a": 1, "b": 3})
    )
    assert write_json(tmp_path / "x.json", {"b": 1, "a": [2]}).read_text().index('"a"') == 4


def test_a_file_is_hashed_again_only_after_it_was_touched(tmp_path, monkeypatch):
    one, other = write_text(tmp_path / "a", "abc"), write_text(tmp_path / "b", "abd")
    first = file_hashes([one, other, one])
    assert first == [file_hash(one), file_hash(other), file_hash(one)] and first[0] != first[1]
    monkeypatch.setattr(files, "open", None, raising=False)  # reading is an error
    assert file_hash(one) == first[0]
    monkeypatch.undo()
    one.write_text("xyz")  # in its place, of the same size
    os.replace(other, tmp_path / "c")
    assert file_hash(one) not in first and file_hash(tmp_path / "c") == first[1]


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_kept(tmp_path):
    code = (
        "import os, sys; from lib.storage.files import replacing\n"
        "with replacing(sys.argv[1]) as temporary: temporary.write_text('half'); "
        "os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "sub.d" / "cache.npy")], check=False
    )
    assert killed.returncode == -9 and len(list((tmp_path / "sub.d").iterdir())) == 1
    with replacing(tmp_path / "mine.csv") as temporary:
        temporary.write_text("being written")
        assert [p.name.startswith(".cache.npy.") for p in remove_leftovers(tmp_path)] == [True]
    assert (tmp_path / "mine.csv").read_text() == "being written"
    assert list((tmp_path / "sub.d").iterdir()) == []


def test_a_living_process_is_told_from_a_finished_one():
    finished = subprocess.Popen([sys.executable, "-c", ""])
    finished.wait()
    assert process_lives(os.getpid()) and process_lives(1) and not process_lives(finished.pid)
