"""People's files of any form: columns, codes, units, missed trials, exclusions, and what is
refused.
"""

import numpy as np
import pandas as pd
import pytest

from lib.people.exclusion import end_accuracy
from lib.people.reading import read_people
from lib.people.trials import TrialError, count_table, validate_trials
from lib.settings.loading import ROOT, load_study

REAL = ROOT.parent / "shared/data/human_happy_sad_2afc.csv"
COLUMNS = {"observer": "who", "level": "percent", "response": "answer", "rt_s": "ms"}


def good_rows(people=("p1", "p2"), session="s1"):
    """Each person answers 0, 50 and 100 per cent four times, right at the ends."""
    return [
        {
            "who": who,
            "session": session,
            "number": 12 * (session == "s2") + 4 * k + j + 1,
            "percent": percent,
            "answer": "glad" if percent + 10 * j > 60 else "down",
            "ms": 500 + 10 * j,
        }
        for who in people
        for k, percent in enumerate((0, 50, 100))
        for j in range(4)
    ]


def read(tmp_path, rows, /, name="answers.csv", text=None, **settings):
    path = tmp_path / name
    if text is not None:
        path.write_text(text, encoding="utf-8")
    elif path.suffix == ".xlsx":
        pd.DataFrame(rows).to_excel(path, index=False, sheet_name="main")
    else:
        pd.DataFrame(rows).to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    given = {
        "observers.file": str(path),
        "observers.columns": COLUMNS,
        "observers.level_range": [0, 100],
        "observers.codes": {"glad": 1, "down": 0},
        "observers.rt_unit": "ms",
    }
    study = load_study(
        "data/studies/smoke.yaml", given | {f"observers.{k}": v for k, v in settings.items()}
    )
    return read_people(study)


@pytest.mark.parametrize("name", ["answers.csv", "answers.tsv", "answers.xlsx"])
def test_columns_codes_and_units_are_mapped(tmp_path, name):
    trials, report = read(tmp_path, good_rows(), name)
    validate_trials(trials)
    assert sorted(trials["level"].unique()) == [0, 0.5, 1] and set(trials["response"]) == {0, 1}
    assert trials["rt_s"].tolist()[:4] == [0.5, 0.51, 0.52, 0.53]
    assert count_table(trials)["n_happy"].tolist() == [0, 4, 8]
    assert report["observers"].iloc[-1] == 2 and report["missed"].iloc[-1] == 0


def test_a_semicolon_file_with_decimal_commas_is_read(tmp_path):
    text = "who;percent;answer;ms\n" + "".join(
        f"p1;{x};{a};412,5\n" for x, a in (("0", "down"), ("12,5", "down"), ("100", "glad"))
    )
    trials, _ = read(tmp_path, None, text=text)
    assert trials["level"].tolist() == [0, 0.125, 1] and trials["rt_s"].tolist() == [0.4125] * 3


def test_a_range_from_happy_to_sad_is_turned_round(tmp_path):
    rows = [r | {"percent": 100 - r["percent"]} for r in good_rows()]
    trials, _ = read(tmp_path, rows, level_range=[100, 0])
    assert count_table(trials)["n_happy"].tolist() == [0, 4, 8]


def test_numeric_codes_survive_a_spreadsheet(tmp_path):
    rows = [r | {"answer": 1.0 if r["answer"] == "glad" else 0.0} for r in good_rows()]
    trials, _ = read(tmp_path, rows, "answers.xlsx", codes={"1": 1, "0": 0})
    assert count_table(trials)["n_happy"].tolist() == [0, 4, 8]


def test_missed_trials_stay_as_missing_and_are_counted(tmp_path):
    rows = good_rows()
    for k, missing in ((0, ""), (5, "NA"), (15, "none")):
        rows[k]["answer"] = missing
    trials, report = read(tmp_path, rows)
    assert len(trials) == 24 and trials["response"].isna().sum() == report["missed"].iloc[0] == 3
    assert count_table(trials)["n"].sum() == 21


def test_covariates_are_kept_and_repeats_start_again_in_each_session(tmp_path):
    rows = good_rows() + good_rows(session="s2")
    trials, _ = read(tmp_path, rows, covariates=["session", "number"])
    assert trials["number"].tolist()[:3] == [1, 2, 3] and set(trials["session"]) == {"s1", "s2"}
    assert (
        trials.groupby(["observer", "session", "level"])["repeat"]
        .apply(list)
        .map(lambda r: r == [1, 2, 3, 4])
        .all()
    )


def test_conditions_of_the_file_are_used(tmp_path):
    rows = [r | {"shown": "Mouth" if k % 2 else "full"} for k, r in enumerate(good_rows())]
    trials, _ = read(tmp_path, rows, columns=COLUMNS | {"condition": "shown"})
    assert set(trials["condition"]) == {"full", "mouth"}
    rows[3]["shown"] = "ears"
    with pytest.raises(
        TrialError, match=r"row 5, column 'shown': 'ears' found .* full, eyes, nose, mouth"
    ):
        read(tmp_path, rows, columns=COLUMNS | {"condition": "shown"})


@pytest.mark.parametrize(
    "change, message",
    [
        (
            {"answer": "maybe"},
            (
                r"row 4, column 'answer': 'maybe' found \(1 such rows: 'maybe'\); "
                r"allowed: glad \(happy\)"
            ),
        ),
        ({"percent": 120}, r"row 4, column 'percent': '120' found .* from 0 to 100"),
        ({"percent": "lots"}, r"row 4, column 'percent': 'lots' found"),
        ({"who": ""}, "row 4, column 'who'"),
        ({"ms": "fast"}, "row 4, column 'ms'"),
    ],
)
def test_a_wrong_cell_is_refused_by_row_and_column_with_what_is_allowed(tmp_path, change, message):
    rows = good_rows()
    rows[2] |= change
    with pytest.raises(TrialError, match=message):
        read(tmp_path, [{k: str(v) for k, v in r.items()} for r in rows])


def test_rows_without_a_level_are_no_trials_and_counted(tmp_path):
    rows = good_rows()
    rows[2] |= {"percent": "", "answer": ""}
    rows[3] |= {"percent": "nan"}  # with an answer, which is said
    trials, report = read(tmp_path, [{k: str(v) for k, v in r.items()} for r in rows])
    step = report.iloc[1]
    assert len(trials) == 22 and step["trials_removed"] == 2 and "no trials" in step["rule"]
    assert report["trials"].tolist()[:2] == [24, 22]
    text, example = report.attrs["notes"][0]
    assert "1 rows without a level have an answer" in text and example == "answers.csv, row 5"


@pytest.mark.parametrize("odd", [-5, 0, 601_000])
def test_reaction_times_that_can_be_none_are_missing_and_counted(tmp_path, odd):
    rows = good_rows()
    rows[2] |= {"ms": odd}
    trials, report = read(tmp_path, rows)
    assert trials["rt_s"].isna().tolist() == [k == 2 for k in range(24)]
    assert trials["response"].notna().all()
    text, example = report.attrs["notes"][0]
    assert text.startswith("1 reaction times of 0 s or less or above 600 s")
    assert example == "answers.csv, row 4"


def test_rows_are_chosen_by_a_filter(tmp_path):
    rows = [r | {"phase": ("practice", "Main", "late")[k % 3]} for k, r in enumerate(good_rows())]
    for k in range(0, 24, 3):
        rows[k] |= {"percent": "anything", "answer": "what"}
    trials, report = read(tmp_path, rows, rows={"phase": ["main", "late"]})
    assert len(trials) == 16 and report["trials"].tolist()[:2] == [24, 16]
    assert report.iloc[1][["limit", "trials_removed"]].tolist() == ["phase: main, late", 8]
    assert len(read(tmp_path, rows, rows={"phase": "late"})[0]) == 8
    with pytest.raises(TrialError, match="no row has test in column 'phase'; found: 'practice'"):
        read(tmp_path, rows, rows={"phase": "test"})
    with pytest.raises(TrialError, match=r"observers\.rows: answers\.csv has no column 'part'"):
        read(tmp_path, rows, rows={"part": "x"})
    flags = [r | {"practice": str(k % 2 == 0).lower()} for k, r in enumerate(good_rows())]
    assert len(read(tmp_path, flags, rows={"practice": False})[0]) == 12


def test_the_same_trial_number_twice_is_refused_with_both_rows(tmp_path):
    rows = good_rows()
    rows[6]["number"] = rows[1]["number"]
    with pytest.raises(TrialError, match=r"row 8: observer 'p1' has trial '2' already in row 3"):
        read(tmp_path, rows, columns=COLUMNS | {"trial": "number"})


def test_trial_numbers_may_start_again_in_another_session(tmp_path):
    rows = good_rows() + [r | {"session": "s2"} for r in good_rows()]
    trials, _ = read(tmp_path, rows, columns=COLUMNS | {"trial": "number"}, covariates=["session"])
    assert len(trials) == 48


def numbered(rows):
    """Without a number of the trial, but with that of the repetition: four of each level."""
    return [
        {
            **{k: v for k, v in r.items() if k != "number"},
            "stimulus": f"face_{r['percent']}",
            "repeat": k % 4 + 1,
        }
        for k, r in enumerate(rows)
    ]


@pytest.mark.parametrize("name", ["repeat", "rep"])
def test_the_same_repetition_twice_is_refused_with_both_rows(tmp_path, name):
    rows = [{name if k == "repeat" else k: v for k, v in r.items()} for r in numbered(good_rows())]
    columns = COLUMNS | ({} if name == "repeat" else {"repeat": name})
    assert len(read(tmp_path, rows, columns=columns)[0]) == 24
    doubled = [r for r in rows for _ in range(2)]
    with pytest.raises(
        TrialError,
        match=r"row 3: observer 'p1' has repeat '1' already in row 2 \(24 such rows\); "
        r"allowed: each repetition .* Remove the copies, or .* session",
    ):
        read(tmp_path, doubled, columns=columns)
    rows[5] |= {name: 1, "ms": 777}  # one copy, whose time differs
    if name == "repeat":  # nobody said that it counts repetitions
        trials, report = read(tmp_path, rows, columns=columns)
        assert trials["repeat"].tolist()[:4] == [1, 2, 3, 4]
        assert "column 'repeat' is not used: it counts again" in report.attrs["notes"][0][0]
        return
    with pytest.raises(
        TrialError, match=r"row 7: observer 'p1' has repeat '1' already in row 6 \(1 such"
    ):
        read(tmp_path, rows, columns=columns)


def test_the_files_repetitions_are_kept_where_they_are_numbers(tmp_path):
    rows = [r | {"repeat": 5 - r["repeat"]} for r in numbered(good_rows())]
    trials, _ = read(tmp_path, rows)
    assert trials["repeat"].tolist()[:4] == [4, 3, 2, 1]
    rows[0]["repeat"], rows[1]["repeat"] = "", ""
    assert read(tmp_path, rows)[0]["repeat"].tolist()[:4] == [1, 2, 3, 4]  # counted, and no copies
    sessions = numbered(good_rows()) + [r | {"session": "s2"} for r in numbered(good_rows())]
    assert len(read(tmp_path, sessions, covariates=["session"])[0]) == 48


def test_rows_without_numbers_that_are_all_there_twice_are_refused(tmp_path):
    rows = [
        {k: v for k, v in r.items() if k != "number"} | {"ms": 500 + 7 * n}
        for n, r in enumerate(good_rows())
    ]
    assert len(read(tmp_path, [*rows, rows[3]])[0]) == 25  # one row twice can be chance
    for copied in (
        rows * 2,
        rows + rows[:12],
        [r for r in rows for _ in range(3)],
    ):  # all, one person's, three times
        with pytest.raises(
            TrialError,
            match=r"observer 'p1' has this row, reaction time included, already in row 2, "
            r"and so each of \d+ rows with a time [23] times; .*trial or repeat",
        ):
            read(tmp_path, copied)
    for ms in (
        "",
        500,
    ):  # where times are missing or all the same, nothing tells copies from repetitions
        assert len(read(tmp_path, [r | {"ms": ms} for r in rows] * 2)[0]) == 48


def test_missing_files_columns_sheets_and_rows_are_refused(tmp_path):
    with pytest.raises(TrialError, match=r"no column 'answer' \(for response\); found: who"):
        read(tmp_path, [{k: v for k, v in r.items() if k != "answer"} for r in good_rows()])
    with pytest.raises(TrialError, match="header and no rows"):
        read(tmp_path, None, text="who,percent,answer,ms\n")
    with pytest.raises(TrialError, match="empty"):
        read(tmp_path, None, text="")
    with pytest.raises(TrialError, match="no sheet 'other'; found: main"):
        read(tmp_path, good_rows(), "answers.xlsx", sheet="other")
    with pytest.raises(TrialError, match="no such file"):
        read_people(
            load_study("data/studies/smoke.yaml", {"observers.file": str(tmp_path / "none.csv")})
        )
    with pytest.raises(TrialError, match=r"observers.columns: mood given"):
        read(tmp_path, good_rows(), columns=COLUMNS | {"mood": "answer"})


def test_exclusion_rules_report_the_numbers_they_remove(tmp_path):
    rows = good_rows(("steady", "absent", "guesser", "hasty"))
    for r in rows:
        if r["who"] == "absent" and r["percent"] == 50:
            r["answer"] = ""
        if r["who"] == "guesser":
            r["answer"] = "glad"
        if r["who"] == "hasty" and r["percent"] == 0 and r["ms"] == 500:
            r["ms"] = 90
    trials, report = read(
        tmp_path, rows, exclude={"max_missed": 0.25, "min_rt_s": 0.2, "min_end_accuracy": 0.6}
    )
    assert set(trials["observer"]) == {"steady", "hasty"}
    removed = report.set_index("rule")
    assert report["observers_removed"].tolist() == [0, 0, 1, 1] and report["who"].tolist()[2:] == [
        "absent",
        "guesser",
    ]
    assert report["trials_set_missed"].tolist() == [0, 1, 0, 0]
    assert report["observers"].tolist() == [4, 4, 3, 2] and report["trials_removed"].tolist() == [
        0,
        0,
        12,
        12,
    ]
    assert removed["missed"].iloc[-1] == trials["response"].isna().sum() == 1


def test_end_accuracy_by_hand():
    trials = pd.DataFrame(
        {
            "observer": list("aaaab"),
            "condition": "full",
            "level": [0, 0, 1, 0.5, 0.5],
            "response": [0, 1, 1, 0, 1.0],
        }
    )
    assert end_accuracy(trials)["a"] == pytest.approx(2 / 3) and np.isnan(end_accuracy(trials)["b"])


def test_rules_that_remove_everybody_are_an_error(tmp_path):
    with pytest.raises(TrialError, match=r"remove everybody:\n.*\n.*2 removed"):
        read(tmp_path, good_rows(), codes={"glad": 0, "down": 1})


@pytest.mark.skipif(not REAL.is_file(), reason="the real people's answers are not at hand")
def test_the_real_people_are_read_whole():
    trials, report = read_people(
        load_study("data/studies/fer2013.yaml", {"observers.file": str(REAL)})
    )
    first = report.iloc[0]
    assert (first["observers"], first["trials"], first["missed"]) == (63, 63 * 2 * 192, 312)
    assert sorted(trials["level"].unique()) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert set(trials["session"]) == {"safe", "threat"}
    assert trials["repeat"].max() == 32 and trials["rt_s"].max() == 4.0
    validate_trials(trials)
