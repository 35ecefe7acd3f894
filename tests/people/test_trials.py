"""The trial table and its counts, by hand."""

import numpy as np
import pandas as pd
import pytest

from lib.people.trials import (
    TRIAL_COLUMNS,
    TrialError,
    count_table,
    repeats,
    trial_table,
    validate_trials,
)


def trials(**changes):
    columns = {
        "observer": ["a", "a", "a", "b"],
        "kind": "human",
        "level": [0.0, 1.0, 1.0, 1.0],
        "response": [0.0, 1.0, np.nan, 0.0],
        "repeat": [1, 1, 2, 1],
    }
    return trial_table(**columns | changes)


def test_a_trial_table_has_all_columns_in_order_and_covariates_behind():
    table = trials(session="safe")
    assert list(table.columns) == [*TRIAL_COLUMNS, "session"]
    assert (table["condition"] == "full").all() and table["rt_s"].isna().all()


def test_missed_trials_are_not_counted():
    counts = count_table(trials(), by=["observer"])
    assert counts.to_dict("list") == {
        "observer": ["a", "a", "b"],
        "level": [0.0, 1.0, 1.0],
        "n_happy": [0.0, 1.0, 0.0],
        "n": [1, 1, 1],
    }
    assert count_table(trials())["n"].tolist() == [1, 2]


def test_trials_with_an_empty_group_cell_are_counted():
    counts = count_table(trials(cue=["low", None, "low", np.nan]), by=["cue"])
    assert counts["n"].sum() == 3 and counts["cue"].isna().tolist() == [False, True]
    assert counts["n"].tolist() == [1, 2] and counts["n_happy"].tolist() == [0.0, 1.0]


def test_a_networks_probabilities_are_summed_on_request():
    table = trials(kind="cnn", p_happy=[0.25, 0.5, 0.75, 1.0])
    assert count_table(table, answer="p_happy")["n_happy"].tolist() == [0.25, 2.25]


def test_repeats_are_counted_from_one_in_each_group():
    table = pd.DataFrame({"observer": list("aabba"), "level": [0, 0, 0, 1, 0]})
    assert repeats(table, ["observer", "level"]).tolist() == [1, 2, 1, 1, 3]


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"response": [0.0, 2.0, 1.0, 0.0]}, "row 3, column response: 2.0 found"),
        ({"level": [0.0, 1.0, 1.5, 1.0]}, "row 4, column level: 1.5 found"),
        ({"kind": "dog"}, "human, simulated, cnn"),
        ({"level": [0.0, "half", 1.0, 1.0]}, "row 3, column level: 'half' found"),
        (
            {"level": ["0.0", "1.0", "1.0", "0.5"]},
            "row 2, column level: '0.0' found .* as a number",
        ),
        ({"p_happy": [0.1, None, "much", 0.4]}, "row 4, column p_happy: 'much' found"),
        ({"condition": "ears"}, "full, eyes, nose, mouth"),
        ({"repeat": [1, 1, 1, 1]}, "1 trials are there twice"),
        ({"p_happy": [0.1, 0.2, 1.3, 0.4]}, "column p_happy"),
    ],
)
def test_what_is_no_trial_table_is_refused_by_row_and_column(changes, message):
    with pytest.raises(TrialError, match=message):
        validate_trials(trials(**changes))


def test_a_valid_table_passes_and_a_missing_column_is_named():
    assert len(validate_trials(trials())) == 4
    mixed = pd.Series([0, 1, np.float32(0.5), np.int64(1)], dtype=object)
    assert (
        len(validate_trials(trials(level=mixed, p_happy=pd.array([0.1, None, 1, 0], "Float64"))))
        == 4
    )
    with pytest.raises(TrialError, match="no column kind"):
        validate_trials(trials().drop(columns="kind"))
