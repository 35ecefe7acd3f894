"""What was found is kept to the last digit, and found anew when something it hangs on changes."""

import numpy as np
import pandas as pd
import pytest
from mechanism_run import CELLS, small_run, small_stimuli

from lib.mechanisms import kept as module
from lib.mechanisms.kept import kept, load, save, seen, trained

TABLE = pd.DataFrame(
    {"identity": ["01", "2"], "value": [0.1 + 0.2, np.nan], "word": ["NA", "b"], "n": [3, 4]}
)


def test_tables_and_arrays_come_back_to_the_last_digit(tmp_path):
    maps = np.random.default_rng(0).normal(size=(2, 3, 3)).astype(np.float32)
    save(tmp_path / "one.npz", {"maps": maps, "rows": TABLE, "none": TABLE[:0]})
    found = load(tmp_path / "one.npz")
    assert (found["maps"] == maps).all() and found["maps"].dtype == np.float32
    pd.testing.assert_frame_equal(found["rows"], TABLE)
    assert list(found["none"].columns) == list(TABLE.columns) and len(found["none"]) == 0


def test_computed_once_and_again_when_the_key_or_the_code_changes(tmp_path, monkeypatch):
    run, calls = small_run(tmp_path), []

    def compute():
        calls.append(1)
        return {"value": np.arange(len(calls))}

    first = kept(run, "step", ["a"], compute)
    assert (kept(run, "step", ["a"], compute)["value"] == first["value"]).all() and len(calls) == 1
    assert len(kept(run, "step", ["b"], compute)["value"]) == 2
    monkeypatch.setattr(module, "code_version", lambda: "new")
    assert len(kept(run, "step", ["a"], compute)["value"]) == 3


def test_a_failed_step_keeps_nothing(tmp_path):
    run = small_run(tmp_path)
    with pytest.raises(ZeroDivisionError):
        kept(run, "step", [], lambda: {"value": np.array(1 / 0)})
    assert not list(run.folder.rglob("*.npz"))


def test_the_key_follows_checkpoints_and_pictures(tmp_path):
    run, stimuli = small_run(tmp_path), small_stimuli(tmp_path)
    before = trained(run, CELLS[:1]), seen(stimuli)
    pointer = run.folder / "checkpoints" / f"{CELLS[0].observer}.json"
    pointer.parent.mkdir(parents=True)
    pointer.write_text("{}", encoding="utf-8")
    assert trained(run, CELLS[:1]) != before[0]
    assert seen(stimuli[:-1]) != before[1] and seen(stimuli) == before[1]
    path = stimuli["path"].iloc[0]
    with open(path, "ab") as handle:
        handle.write(b"x")
    assert seen(stimuli) != before[1]
