"""Answers of networks that ran elsewhere become rows of the trial table, or are refused by row."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

from lib.people.trials import validate_trials
from lib.settings.loading import load_study
from lib.training.elsewhere import AnswersError, read_answers


@pytest.fixture
def stimuli():
    levels = np.linspace(0, 1, 5)
    return pd.DataFrame(
        {
            "stimulus": [f"m{k}_full" for k in range(5)],
            "path": [f"morphs/m{k}_full.png" for k in range(5)],
            "identity": "m",
            "level": levels,
            "condition": "full",
        }
    )


@pytest.fixture
def answers(stimuli):
    p = 0.05 + 0.9 * stimuli["level"]
    return pd.concat(
        pd.DataFrame(
            {
                "observer": "clip",
                "seed": seed,
                "stimulus": stimuli["path"],
                "p_happy": p - seed / 50,
            }
        )
        for seed in (0, 1)
    )


def read(table, stimuli, tmp_path):
    table.to_csv(tmp_path / "answers.csv", index=False)
    given = {"networks.answers": str(tmp_path / "answers.csv")}
    return read_answers(load_study("data/studies/smoke.yaml", given), stimuli)


def test_rows_carry_the_pictures_and_the_networks_name(answers, stimuli, tmp_path):
    found = validate_trials(read(answers.sample(frac=1, random_state=0), stimuli, tmp_path))
    assert set(found["observer"]) == {"clip-own-s0", "clip-own-s1"}
    assert set(found["architecture"]) == {"clip"} and set(found["kind"]) == {"cnn"}
    one = found[found["seed"] == 1].sort_values("level")
    assert one["stimulus"].tolist() == stimuli["stimulus"].tolist()
    assert one["p_happy"].to_numpy() == pytest.approx(0.03 + 0.9 * stimuli["level"])
    assert one["log_odds"].to_numpy() == pytest.approx(logit(one["p_happy"]))


def test_a_study_without_a_table_has_no_rows(stimuli):
    found = read_answers(load_study("data/studies/smoke.yaml"), stimuli)
    assert len(found) == 0 and "log_odds" in found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="p_happy"), "no column p_happy; found: observer, seed, stim"),
        (lambda t: t.assign(p_happy=t["p_happy"] * 100), r"row 2: p_happy '5\.0'; allowed: 0 to 1"),
        (lambda t: t.replace({"stimulus": {"morphs/m3_full.png": "m9"}}), "row 5: stimulus 'm9'"),
        (lambda t: t.iloc[:-2], "clip, seed 1, has no answer to 2 of 5 pictures, such as m3_full"),
        (lambda t: pd.concat([t, t.tail(1)]), "row 12: 'm4_full' is answered twice"),
        (lambda t: t.assign(p_happy=1 - t["p_happy"]), "falls from 0.96 at fully sad"),
        (lambda t: t.assign(log_odds=1.0), r"row 2: log_odds '1\.0' is not ln"),
        (lambda t: t.assign(seed="first"), "row 2: seed 'first'; allowed: 0"),
    ],
)
def test_wrong_tables_are_refused_with_the_row(answers, stimuli, tmp_path, change, message):
    with pytest.raises(AnswersError, match=message):
        read(change(answers), stimuli, tmp_path)


def test_a_file_that_is_not_there_is_named(stimuli):
    study = load_study("data/studies/smoke.yaml", {"networks.answers": "data/raw/none.csv"})
    with pytest.raises(AnswersError, match=r"there is no file .*none\.csv"):
        read_answers(study, stimuli)
