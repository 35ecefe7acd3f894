"""Exports of the programs that laboratories use, recognised by their columns and read right through
the public commands.
"""

import json

import numpy as np
import pandas as pd
import pytest

from lib.people.exports import export_of
from lib.people.guess import guess_file_pattern
from lib.people.reading import read_people
from lib.settings.loading import load_study
from lib.study.command import main

LEVELS = range(0, 101, 10)
PEOPLE = ("P01", "P02")


def trials():
    """Two people, each level four times in a mixed order: who, level, happy?, time in ms."""
    rng = np.random.default_rng(5)
    for who in PEOPLE:
        for level in rng.permutation([*LEVELS] * 4):
            happy = level > 50 or (level == 50 and rng.random() < 0.5)
            yield who, int(level), bool(happy), int(rng.integers(300, 1800))


TRIALS = list(trials())


def psychopy(who=None):
    rows = [{"participant": "P01", "instr_key.keys": "space", "instr_key.rt": 2.5}]
    for n, (person, level, happy, ms) in enumerate(TRIALS):
        rows.append(
            {
                "participant": person,
                "morph": level / 100,
                "image": f"f{level}.jpg",
                "trials.thisN": n % 44,
                "key_resp.keys": "['right']" if happy else "['left']",
                "key_resp.corr": 1,
                "key_resp.rt": f"[{ms / 1000}]",
                "key_resp.started": 3.2,
                "session": 1,
                "expName": "morph",
                "psychopyVersion": "2024.1.4",
            }
        )
    return pd.DataFrame(rows)


def jspsych():
    rows = []
    for n, (person, level, happy, ms) in enumerate(TRIALS):
        common = {"subject_id": person, "plugin_version": "2.0", "internal_node_id": f"0-{n}"}
        rows.append(
            common | {"trial_type": "html-keyboard-response", "trial_index": 2 * n, "rt": None}
        )
        rows.append(
            common
            | {
                "trial_type": "image-keyboard-response",
                "trial_index": 2 * n + 1,
                "stimulus": f"img/f_{level}.jpg",
                "response": "j" if happy else "f",
                "rt": ms,
                "average_rt": 500,
                "morph": level,
                "task": "rate",
            }
        )
    rows[0] |= {"response": "0", "rt": 10_663, "trial_type": "html-button-response"}
    return pd.DataFrame(rows)


def gorilla():
    """Every zone of a trial is a row, with the spreadsheet's columns in each."""
    rows = []
    for n, (person, level, happy, ms) in enumerate(TRIALS):
        common = {
            "Event Index": 2 * n,
            "UTC Timestamp": 1.7e12,
            "Participant Public ID": "BLIND",
            "Participant Private ID": person,
            "Trial Number": n % 44 + 1,
            "display": "trial" if n % 11 else "practice",
            "Reaction Time": ms,
            "Spreadsheet: morph": level,
        }
        rows.append(common | {"Zone Type": "fixation", "Reaction Time": 250.0})
        rows.append(
            common
            | {
                "Zone Type": "response_keyboard_single",
                "Response": "Happy" if happy else "Sad",
                "Correct": 1,
            }
        )
    return pd.DataFrame([*rows, {"Event Index": "END OF FILE"}])


def qualtrics():
    rows = [
        {"StartDate": "2024-01-01", "ResponseId": f"R_{p}", "Morph": m, "Answer": a, "RT_ms": t}
        for p, m, happy, t in TRIALS
        for a in ["Happy" if happy else "Sad"]
    ]
    heads = [
        {"StartDate": "Start Date", "ResponseId": "Response ID", "Morph": "How much?"},
        {name: json.dumps({"ImportId": name}) for name in rows[0]},
    ]
    return pd.DataFrame([*heads, *rows])


def eprime():
    return pd.DataFrame(
        {
            "ExperimentName": "Morph",
            "Subject": person,
            "Session": 1,
            "Procedure[Block]": "PracProc" if n % 22 == 0 else "TrialProc",
            "Trial": n % 44 + 1,
            "Morph": level,
            "Face.ACC": 1,
            "Face.CRESP": "h",
            "Face.OnsetTime": 1000 * n,
            "Face.RESP": "h" if happy else "s",
            "Face.RT": ms,
            "Face.RTTime": 1000 * n + ms,
        }
        for n, (person, level, happy, ms) in enumerate(TRIALS)
    )


def opensesame():
    return pd.DataFrame(
        {
            "acc": 100,
            "average_response_time": 700.5,
            "avg_rt": 700.5,
            "correct": 1,
            "count_loop": n,
            "level": level / 100,
            "practice": "yes" if n % 22 == 0 else "no",
            "response": ("right" if happy else "left") if n % 9 else "None",
            "response_time": ms,
            "response_time_instructions": 5000,
            "subject_nr": person,
            "subject_parity": "odd",
            "title": "morph",
        }
        for n, (person, level, happy, ms) in enumerate(TRIALS)
    )


def psychtoolbox():
    return pd.DataFrame(
        {
            "subjectID": person,
            "trialNum": n % 44 + 1,
            "morphLevel": level,
            "respKey": 2 if happy else 1,
            "RT": ms / 1000,
            "isCorrect": 1,
        }
        for n, (person, level, happy, ms) in enumerate(TRIALS)
    )


def presentation():
    """A log: a preamble, then a row an event, times in tenths of ms."""
    lines = ["Scenario - morph", "Logfile written - 03/12/2024 10:11:12", ""]
    lines += ["Subject\tTrial\tEvent Type\tCode\tTime\tTTime\tUncertainty\tDuration", ""]
    time = 10_000
    for n, (person, level, happy, ms) in enumerate(TRIALS):
        lines.append(f"{person}\t{n + 1}\tPicture\tfix\t{time - 5000}\t0\t1\t5000")
        lines.append(f"{person}\t{n + 1}\tPicture\tface_{level}.jpg\t{time}\t0\t1\t9000")
        lines.append(f"{person}\t{n + 1}\tResponse\t{2 if happy else 1}\t{time + 10 * ms}\t0\t1\t")
        time += 40_000
    return "\n".join(lines) + "\n"


def read_by_new(tmp_path, content, name="answers.csv", **written):
    """``study new --people``, then the people of that study: trials, study, report."""
    path = tmp_path / name
    if isinstance(content, str):
        path.write_text(content, encoding="utf-8")
    else:
        content.to_csv(path, index=False, **written)
    target = tmp_path / "mine.yaml"
    target.unlink(missing_ok=True)
    code = main(["new", "--people", str(path), "--output", str(target)])
    study = load_study(target)
    assert code == 0
    return *read_people(study), study


def same(found, expected):
    """Level, answer and time of each trial, in their order."""
    assert set(found["observer"]) <= {*PEOPLE, *(f"R_{p}" for p in PEOPLE)}
    assert found["level"].tolist() == [level / 100 for _, level, _, _ in expected]
    assert found["response"].tolist() == [float(happy) for _, _, happy, _ in expected]
    assert found["rt_s"].tolist() == pytest.approx([ms / 1000 for *_, ms in expected])


@pytest.mark.parametrize(
    ("program", "table", "columns"),
    [
        ("PsychoPy", psychopy(), ("participant", "morph", "key_resp.keys", "key_resp.rt")),
        ("jsPsych", jspsych(), ("subject_id", "morph", "response", "rt")),
        ("Qualtrics", qualtrics(), ("ResponseId", "Morph", "Answer", "RT_ms")),
        ("", psychtoolbox(), ("subjectID", "morphLevel", "respKey", "RT")),
    ],
)
def test_exports_whose_rows_are_all_trials_or_none(tmp_path, program, table, columns):
    trials, _, study = read_by_new(tmp_path, table)
    same(trials, TRIALS)
    named = study.observers.columns
    assert tuple(named[c] for c in ("observer", "level", "response", "rt_s")) == columns
    found = export_of(table.columns)
    assert (found.program if found else "") == program


def test_jspsych_as_json(tmp_path):
    records = json.loads(jspsych().to_json(orient="records"))
    trials, _, _ = read_by_new(tmp_path, json.dumps(records), "data.json")
    same(trials, TRIALS)


def test_gorillas_rows_are_zones_and_practice_is_left_out(tmp_path):
    trials, report, study = read_by_new(tmp_path, gorilla(), encoding="utf-8-sig")
    same(trials, [t for n, t in enumerate(TRIALS) if n % 11])
    assert study.observers.rows == {
        "display": ("trial",),
        "Zone Type": ("response_keyboard_single",),
    }
    assert study.observers.columns["observer"] == "Participant Private ID"
    assert study.observers.columns["rt_s"] == "Reaction Time"
    assert report["trials_removed"].sum() == 2 * 88 + 1 - 80


def test_eprime_leaves_out_practice_and_never_takes_accuracy_or_clock_times(tmp_path):
    text = "C:\\Data\\Morph.emrg2\n" + eprime().to_csv(index=False, sep="\t")
    (tmp_path / "m.txt").write_bytes(text.encode("utf-16"))
    assert (
        main(["new", "--people", str(tmp_path / "m.txt"), "--output", str(tmp_path / "m.yaml")])
        == 0
    )
    study = load_study(tmp_path / "m.yaml")
    same(read_people(study)[0], [t for n, t in enumerate(TRIALS) if n % 22])
    assert study.observers.columns["response"] == "Face.RESP"
    assert study.observers.columns["rt_s"] == "Face.RT"


def test_opensesame_counts_none_as_missed_and_takes_no_average(tmp_path):
    trials, report, study = read_by_new(tmp_path, opensesame())
    kept = [(n, t) for n, t in enumerate(TRIALS) if n % 22]
    assert trials["response"].isna().tolist() == [n % 9 == 0 for n, _ in kept]
    assert trials["rt_s"].tolist() == pytest.approx([t[3] / 1000 for _, t in kept])
    assert study.observers.columns["rt_s"] == "response_time"
    assert study.observers.rows == {"practice": ("no",)}
    assert report["missed"].iloc[-1] == sum(n % 9 == 0 for n, _ in kept)


def test_presentations_log_is_a_row_an_event(tmp_path, capsys):
    trials, report, study = read_by_new(tmp_path, presentation(), "morph.log")
    same(trials, TRIALS)
    assert study.observers.codes in ({"1": 0, "2": 1}, {"2": 1, "1": 0})
    said = capsys.readouterr().out
    assert "GUESSED by which is answered at higher levels" in said
    assert "a log of Presentation: each picture with the response that follows" in said
    assert report["trials_removed"].tolist()[1] == 88  # the fixation crosses


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["01_morph.csv", "02_morph.csv"], "{observer}_morph.csv"),
        (["sub-01_a_2024-01.csv", "sub-02_a_2024-02.csv"], "sub-{observer}_*.csv"),
        (["anna.csv", "ben.csv"], "{observer}.csv"),
        (["only.csv"], None),
    ],
)
def test_the_person_from_the_files_names(tmp_path, names, pattern):
    folder = tmp_path / "people"
    folder.mkdir()
    table = psychtoolbox().drop(columns="subjectID")
    for k, name in enumerate(names):
        table[44 * k : 44 * (k + 1)].to_csv(folder / name, index=False)
    assert guess_file_pattern(folder) == pattern
    if pattern:
        assert main(["new", "--people", str(folder), "--output", str(tmp_path / "m.yaml")]) == 0
        found = read_people(load_study(tmp_path / "m.yaml"))[0]
        people = {n.removesuffix(".csv").removeprefix("sub-").split("_")[0] for n in names}
        assert set(found["observer"]) == people and len(found) == 88


def test_levels_called_after_the_negative_pole_are_turned_round(tmp_path):
    table = psychtoolbox().rename(columns={"morphLevel": "percent_sad"})
    table["percent_sad"] = 100 - table["percent_sad"]
    table["respKey"] = table["respKey"].map({1: "sad", 2: "happy"})
    trials, _, study = read_by_new(tmp_path, table)
    same(trials, TRIALS)
    assert study.observers.level_range == (100, 0)


def test_german_names_and_a_column_that_asks_for_the_pole(tmp_path):
    table = psychtoolbox().drop(columns=["trialNum", "isCorrect"])
    german = table.set_axis(["Versuchsperson", "Stufe", "Antwort", "Reaktionszeit"], axis=1)
    german["Antwort"] = german["Antwort"].map({1: "traurig", 2: "fröhlich"})
    same(read_by_new(tmp_path, german, sep=";", decimal=",", encoding="cp1252")[0], TRIALS)
    table["said_happy"] = table.pop("respKey") == 2
    same(read_by_new(tmp_path, table)[0], TRIALS)


def test_a_column_for_each_trial_is_refused_as_that(tmp_path, capsys):
    wide = pd.DataFrame(
        [{"ResponseId": f"R_{p}"} | {f"Q{k}": "Sad" for k in range(44)} for p in "ab"]
    )
    wide.to_csv(tmp_path / "wide.csv", index=False)
    assert (
        main(["new", "--people", str(tmp_path / "wide.csv"), "--output", str(tmp_path / "m.yaml")])
        == 1
    )
    said = capsys.readouterr().err
    assert "Q28 and 15 more" in said and "make it long, one row a trial" in said
