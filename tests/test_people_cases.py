"""People's tables in the forms that laboratories really have, through the public commands: read
right, or refused with the true reason.
"""

import numpy as np
import pandas as pd
import pytest
import yaml

from lib.people.reading import read_people
from lib.people.words import notes_in_words
from lib.settings.loading import StudyError, load_study
from lib.study.command import main


def rows(**more):
    """Two people, eleven levels in per cent four times each, in a mixed order."""
    rng = np.random.default_rng(8)
    table = pd.DataFrame(
        [
            {"who": who, "percent": int(level), "answer": "happy" if level > 50 else "sad"}
            for who in ("p1", "p2")
            for level in rng.permutation([*range(0, 101, 10)] * 4)
        ]
    )
    return table.assign(rt=rng.integers(3501, 14_000, len(table)) / 10_000, **more)


@pytest.fixture
def new(tmp_path, capsys):
    """``study new --people``: exit code, what it says, the study's people and its report."""

    def run(path, *arguments, name="mine"):
        target = tmp_path / f"{name}.yaml"
        target.unlink(missing_ok=True)
        code = main(["new", "--people", str(path), "--output", str(target), *map(str, arguments)])
        said = " ".join("".join(capsys.readouterr()).split())
        if code:
            return code, said, target, None
        return code, said, target, read_people(load_study(target))

    return run


@pytest.fixture
def check(capsys):
    """``study check`` with settings: exit code and everything it says."""

    def run(study, *settings):
        code = main(["check", str(study), "--set", *settings])
        return code, " ".join("".join(capsys.readouterr()).split())

    return run


def written(tmp_path, table, name="a.csv", encoding="utf-8", **how):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(table.to_csv(index=False, lineterminator="\n", **how).encode(encoding))
    return path


def same(people, table):
    """Person, level, answer and time of each row of the table."""
    trials = people[0]
    assert trials["observer"].tolist() == table["who"].tolist()
    assert trials["level"].tolist() == (table["percent"] / 100).tolist()
    assert trials["response"].tolist() == (table["answer"] == "happy").astype(float).tolist()
    assert trials["rt_s"].tolist() == pytest.approx(table["rt"].tolist(), abs=1e-9)


DIALECTS = {
    "UTF-16": lambda text: text.replace(",", "\t").encode("utf-16"),
    "UTF-16 without its mark": lambda text: text.replace(",", "\t").encode("utf-16-le"),
    "UTF-8 with its mark": lambda text: text.encode("utf-8-sig"),
    "Windows-1252": lambda text: text.replace("who,", "wer ä,").encode("cp1252"),
    "spaces": lambda text: text.replace(",", " , ").encode(),
    "trailing commas": lambda text: text.replace("\n", ",\n").encode(),
    "trailing commas below": lambda text: (
        text.replace("\n", ",\n").replace("rt,", "rt", 1).encode()
    ),
    "semicolons and decimal commas": lambda text: text.replace(",", ";").replace(".", ",").encode(),
    "sep=": lambda text: ("sep=;\r\n" + text.replace(",", ";")).replace("\n", "\r\n").encode(),
    "a title": lambda text: ("My study\n\n" + text).encode(),
    "R": lambda text: "\n".join(
        line if n == 0 else f'"{n}",{line}' for n, line in enumerate(text.splitlines())
    ).encode(),
    "per cent": lambda text: text.replace(",sad", "%,sad").replace(",happy", "%,happy").encode(),
    "old Mac": lambda text: text.replace("\n", "\r").encode(),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect(new, tmp_path, dialect):
    (tmp_path / "a.csv").write_bytes(DIALECTS[dialect](rows().to_csv(index=False)))
    words = ["--columns", '"observer"="wer ä"'] if dialect == "Windows-1252" else []
    code, said, _, people = new(tmp_path / "a.csv", *words)
    assert code == 0, said
    same(people, rows())
    assert ("header is in row 3" in said) == (dialect == "a title")


def test_excel_with_a_title_and_cells_that_show_per_cent(new, tmp_path):
    table = rows()
    with pd.ExcelWriter(tmp_path / "a.xlsx") as book:
        shares = table.assign(percent=table["percent"] / 100)
        shares.to_excel(book, index=False, startrow=2, sheet_name="data")
        sheet = book.sheets["data"]
        sheet["A1"] = "My study"
        for cell in sheet["B"][3:]:
            cell.number_format = "0%"
    code, said, path, people = new(tmp_path / "a.xlsx")
    assert code == 0 and "header is in row 3" in said
    same(people, table)
    assert load_study(path).observers.level_range == (0, 100)
    unit = load_study(path, {"observers.level_range": [0, 1]})  # 30 % is 0.3 as well
    same(read_people(unit), table)


def test_a_comma_before_three_digits_is_asked_about_and_never_guessed(new, check, tmp_path):
    table = rows()
    table["rt"] = (table["rt"] * 1000).round() / 1000
    ms = [f"{round(1000 * rt):,}" for rt in table["rt"]]
    path = written(tmp_path, table.drop(columns="rt").assign(rt_ms=ms))
    code, said, study, _ = new(path)
    first = next(n for n, text in enumerate(ms) if "," in text)
    assert code == 1 and f"a.csv, row {first + 2}, column 'rt_ms': '{ms[first]}' can be" in said
    assert "observers.thousands: ','" in said and "observers.decimal: ','" in said
    assert check(study, "observers.thousands=','")[0] == 0
    same(read_people(load_study(study, {"observers.thousands": ","})), table)
    # a column where other cells decide is read
    seconds = [f"{rt:.4f}".replace(".", ",") for rt in table["rt"]]
    code, _, _, people = new(written(tmp_path, table.assign(rt=seconds)), name="two")
    assert code == 0
    same(people, table)


def psychopy_folder(tmp_path):
    folder = tmp_path / "data"
    for who, own in rows().groupby("who"):
        table = pd.DataFrame(
            {
                "participant": who,
                "morph": own["percent"] / 100,
                "key_resp.keys": own["answer"].map({"happy": "right", "sad": "left"}),
                "key_resp.rt": own["rt"],
                "expName": "m",
            }
        )
        start = pd.DataFrame([{"participant": who, "expName": "m"}])
        written(tmp_path, pd.concat([start, table]), f"data/{who}_m.csv")
    return folder


def test_a_psychopy_folder_with_odd_files(new, tmp_path):
    folder = psychopy_folder(tmp_path)
    stopped = pd.read_csv(folder / "p1_m.csv")[:24].assign(participant="p3")
    stopped["trials_2.thisTrial"] = "None"  # a session that was stopped has another column
    written(tmp_path, stopped, "data/p3_m.csv")
    written(tmp_path, pd.DataFrame({"participant": ["p1"], "age": [33]}), "data/ages.csv")
    written(tmp_path, pd.read_csv(folder / "p1_m.csv"), "data/old/p1_m.csv")
    (folder / "empty.csv").write_text("")
    (folder / "~$a.xlsx").write_bytes(b"\5Anna")
    (folder / "._p1_m.csv").write_bytes(b"\0\5\26\7")
    (folder / "broken.xlsx").write_bytes(b"PK\3\4 no workbook")
    (folder / "p1_m.psydat").write_bytes(b"x")
    code, said, _, people = new(folder)
    assert code == 0 and "3 in" in said and "111 trials" in said
    for words in (
        "(2): hidden, or the lock of an open workbook (such as ._p1_m.csv)",
        "(1): no table by the suffix .psydat (such as p1_m.psydat)",
        "(1): cannot be read as a table: the file is empty (such as empty.csv)",
        "the workbook is damaged",
        "(1): deeper in the folder than p1_m.csv (such as old/p1_m.csv)",
        "(1): without 'morph', 'key_resp.keys' (such as ages.csv)",
    ):
        assert words in said, said
    same((people[0][people[0]["observer"] != "p3"],), rows())


def test_folders_in_a_folder_and_errors_by_file_and_row(new, check, tmp_path):
    for who, own in rows().groupby("who"):
        written(tmp_path, own, f"nested/{who}/t.csv")
    code, _, study, people = new(tmp_path / "nested")
    assert code == 0
    same(people, rows())
    wrong = rows()[:44]
    wrong.loc[4, "answer"] = "what"
    written(tmp_path, wrong, "nested/p1/t.csv")
    code, said = check(study)
    assert code == 1 and "p1/t.csv, row 6, column 'answer': 'what' found (1 such rows" in said


def test_a_file_that_lacks_a_column_is_read_and_named(new, tmp_path):
    for who, own in rows().groupby("who"):
        written(tmp_path, own.drop(columns="rt") if who == "p2" else own, f"f/{who}.csv")
    code, said, _, people = new(tmp_path / "f")
    assert code == 0 and "no column 'rt', empty there (such as p2.csv)" in said
    assert people[0]["rt_s"].isna().sum() == 44


MISSING = [
    "nan",
    "NaN",
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "<NA>",
    "null",
    "NULL",
    "None",
    "none",
    ".",
    "",
]
NO_ANSWER = ["-", "timeout", "no response", "undefined", "-1", "9999", "Too slow"]


@pytest.mark.parametrize("word", [*MISSING, *NO_ANSWER])
def test_words_for_missing_are_the_same_in_new_and_in_the_run(new, tmp_path, word):
    table = rows().astype({"rt": object})
    table.loc[[5, 50], ["answer", "rt"]] = word
    code, said, study, people = new(written(tmp_path, table))
    assert code == 0 and "2 of them missed" in said
    trials = people[0]
    assert trials.index[trials["response"].isna()].tolist() == [5, 50]
    assert trials.index[trials["rt_s"].isna()].tolist() == [5, 50] and len(trials) == 88
    assert load_study(study).observers.missing == ((word,) if word in NO_ANSWER else ())


OWN = {
    "condition": ["inverted", "upright"],
    "trial": ["main"],
    "repeat": ["no"],
    "rt_s": ["fast"],
}


@pytest.mark.parametrize("name", OWN)
def test_columns_of_another_meaning_are_used_only_where_they_are_mapped(new, check, tmp_path, name):
    table = rows()
    table[name] = [OWN[name][n % len(OWN[name])] for n in range(len(table))]
    code, said, study, people = new(written(tmp_path, table))
    assert code == 0, said
    same(people, table)
    columns = "{observer: who, level: percent, response: answer"
    code, said = check(study, f"observers.columns={columns}}}")
    assert code == 0 and f"column '{name}' is not used: '{OWN[name][0]}' is no" in said
    code, said = check(study, f"observers.columns={columns}, {name}: null}}")
    assert code == 0 and "is not used" not in said
    code, said = check(study, f"observers.columns={columns}, {name}: {name}}}")
    assert code == 1 and "a.csv, row" in said  # mapped, it is held to what it says


def test_trial_numbers_that_start_again_are_said_and_copies_refused(new, check, tmp_path):
    table = rows(trial=[n % 11 + 1 for n in range(88)])
    code, said, study, people = new(written(tmp_path, table))
    assert code == 0 and "column 'trial' is not used: it counts again" in said
    same(people, table)
    columns = "{observer: who, level: percent, response: answer, trial: trial}"
    code, said = check(study, f"observers.columns={columns}")
    assert code == 1 and "row 13: observer 'p1' has trial '1' already in row 2" in said
    numbered = rows(trial=[n % 44 + 1 for n in range(88)])
    code, said, _, _ = new(written(tmp_path, pd.concat([numbered, numbered[:20]])), name="two")
    assert code == 1 and "row 90: observer 'p1' has trial '1' already in row 2" in said


def test_practice_is_left_out_and_counted(new, tmp_path):
    phase = ["practice" if n % 44 < 4 else "main" for n in range(88)]
    code, said, study, people = new(written(tmp_path, rows(phase=phase)))
    assert code == 0 and "left out: 8 rows that observers.rows leaves out (phase: main)" in said
    assert load_study(study).observers.rows == {"phase": ("main",)} and len(people[0]) == 80


@pytest.mark.parametrize("codes", [("1.0", "2.0"), ("01", "02"), ("1", "2"), ("f1", "f2")])
def test_codes_as_they_stand(new, check, tmp_path, codes):
    table = rows()
    given = table["answer"].map({"sad": codes[0], "happy": codes[1]})
    code, said, study, people = new(written(tmp_path, table.assign(answer=given)))
    assert code == 0 and "GUESSED by which is answered at higher levels" in said
    same(people, table)
    if codes[0] != "f1":  # however the number is written in the study
        assert check(study, "observers.codes={1: 0, 2: 1}")[0] == 0
    code, said, _, people = new(
        tmp_path / "a.csv", "--codes", f"{codes[0]}=happy {codes[1]}=sad", name="two"
    )
    assert code == 1 and "the exclusion rules remove everybody" in said  # the user's word counts


def test_levels_and_times_in_another_unit_are_warned_of(new, check, tmp_path):
    table = rows()
    path = written(tmp_path, table.assign(percent=table["percent"] / 100))
    _, _, study, people = new(path)
    same(people, table)
    code, said = check(study, "observers.level_range=[0, 100]")
    assert code == 0
    assert "levels fill 1% of observers.level_range [0, 100]: they go from 0 to 1. Set" in said
    code, said = check(study, "observers.rt_unit=ms")
    assert code == 0 and "are they in s? Then set observers.rt_unit: s" in said
    written(tmp_path, table.assign(rt=(table["rt"] * 1000).round()))
    per_cent = "observers.level_range=[0, 100]"
    code, said = check(study, per_cent, "observers.rt_unit=s")
    assert code == 0 and "are they in ms? Then set observers.rt_unit: ms" in said
    code, said = check(study, per_cent, "observers.rt_unit=ms")
    assert code == 0 and "are they in" not in said


def test_notebook_01_says_it_without_files_and_rows(tmp_path, new):
    table = rows()
    table.loc[3, "rt"] = -1
    _, said, _, people = new(written(tmp_path, table))
    assert "reaction times of 0 s or less or above 600 s are missing (such as a.csv, row 5)" in said
    (note,) = notes_in_words(people[1], examples=False)
    assert note.startswith("1 reaction times of 0 s or less") and "a.csv" not in note
    assert "row 5" in notes_in_words(people[1], examples=True)[0]


def test_rows_of_instructions_share_the_column_of_answers(new, tmp_path):
    table = rows()
    lines = pd.DataFrame(
        [
            {"trial_type": "html-keyboard-response", "response": " ", "rt": 10_663},
            {"trial_type": "html-button-response", "response": "0", "rt": 3_613},
        ]
    )
    trials = pd.DataFrame(
        {
            "trial_type": "image-keyboard-response",
            "response": table["answer"].map({"happy": "j", "sad": "f"}),
            "rt": table["rt"] * 1000,
            "subject": table["who"],
            "morph": table["percent"],
        }
    )
    whole = pd.concat([lines, trials]).assign(trial_index=range(90))
    code, said, _, people = new(written(tmp_path, whole))
    assert code == 0 and "left out: 2 rows without a level, which are no trials" in said
    same(people, table)


def test_the_person_from_the_files_name_as_the_study_says(check, new, tmp_path):
    for who, own in rows(session=1).groupby("who"):
        written(tmp_path, own.drop(columns=["who", "session"]), f"f/sub-{who}_ses-1_m.csv")
    code, _, study, people = new(tmp_path / "f")
    same(people, rows())
    given = {"observers.file_pattern": "sub-{observer}_ses-{session}_*.csv"}
    trials, _ = read_people(load_study(study, given | {"observers.covariates": ["session"]}))
    assert set(trials["observer"]) == {"p1", "p2"} and set(trials["session"]) == {1}
    (tmp_path / "f/notes.csv").write_text("percent,answer,rt\n50,happy,1\n")
    code, said = check(study, "observers.file_pattern='sub-{observer}_*.csv'")
    assert code == 0 and "does not fit (such as notes.csv)" in said
    code, said = check(study, "observers.file_pattern=null")
    assert code == 1 and "no column 'observer'" in said and "observers.file_pattern=" in said
    for wrong in ("{who}.csv", "{observer}*.csv", "{observer}{observer}"):
        with pytest.raises(StudyError, match="file_pattern"):
            load_study(study, {"observers.file_pattern": wrong})


def test_names_with_spaces_in_quotes(new, tmp_path):
    table = rows()
    odd = table.rename(columns={"who": "Person code", "percent": "How much (%)", "rt": "x"})
    odd["answer"] = odd["answer"].map({"happy": "very happy", "sad": "not, really"})
    code, said, _, people = new(
        written(tmp_path, odd),
        *("--columns", "observer=\"Person code\" level='How much (%)' response=answer rt_s=x"),
        *("--codes", '"very happy"=happy "not, really"=sad'),
    )
    assert code == 0, said
    same(people, table)
    code, said, _, _ = new(tmp_path / "a.csv", "--columns", "observer=Person code", name="two")
    assert code == 1 and "names with spaces in quotes" in said
    code, said, _, _ = new(tmp_path / "a.csv", "--columns", 'observer="Person', name="two")
    assert code == 1 and "never closed" in said
    code, said, study, _ = new(written(tmp_path, rows()), "--columns", "rt_s=null", name="two")
    assert yaml.safe_load(study.read_text())["observers"]["columns"]["rt_s"] is None


def test_new_ends_in_a_sentence_whatever_happens(tmp_path, capsys):
    def stop(question):
        raise EOFError

    assert main(["new"], stop) == 1 and "nothing was written" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["new", "--output", str(tmp_path / "file/x.yaml")]) == 1
    assert "Traceback" not in capsys.readouterr().err
