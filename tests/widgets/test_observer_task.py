"""The observer task: files that lose nothing, and a scripted observer in a real browser who is
found again.
"""

import json
import re
from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
import pytest
from browser_tools import chromium
from scripted_observer import FAST, PSE, ScriptedObserver, grey_squares

from lib.people.simulated import read_people, validate_trials
from lib.people.trial_file import FILE_COLUMNS, TrialFile
from lib.people.trials import TrialError, count_table
from lib.psychometrics.fitting import fit_psychometric
from lib.settings.loading import load_study
from lib.widgets.observer_task import (
    choose_stimuli,
    data_uri,
    export_task,
    observer_task,
    task_data,
)
from lib.widgets.task_settings import TaskSettings, Timing


@pytest.fixture(scope="module")
def stimuli(tmp_path_factory):
    return grey_squares(tmp_path_factory.mktemp("pictures"))


# ---- pure Python
# ------------------------------------------------------------


def trial(stimulus="id00_full_0.000", repeat=1, response=1, **more):
    return {
        "observer": "me",
        "stimulus": stimulus,
        "identity": "id00",
        "level": 0.0,
        "condition": "full",
        "repeat": repeat,
        "response": response,
        "rt_s": 0.5,
        "trial": 1,
        "shown_s": 0.2,
        "frame_s": 0.0167,
        **more,
    }


def test_appended_trials_read_back_as_a_valid_trial_table(tmp_path):
    file = TrialFile(tmp_path / "own.csv")
    file.append(trial())
    file.append(trial(repeat=2, response=None, rt_s=None))
    trials = file.read("me")
    validate_trials(trials)
    assert list(trials.columns) == FILE_COLUMNS and list(trials["kind"]) == ["human", "human"]
    assert trials["response"].iloc[0] == 1 and np.isnan(trials["response"].iloc[1])


def test_a_half_written_row_is_cut_off_when_the_file_is_opened_again(tmp_path):
    TrialFile(tmp_path / "own.csv").append(trial())
    with open(tmp_path / "own.csv", "a") as handle:
        handle.write("me,human,,,,id00_fu")
    again = TrialFile(tmp_path / "own.csv")
    again.append(trial(repeat=2))
    assert list(again.read("me")["repeat"]) == [1, 2]


def test_the_same_trial_twice_is_refused_but_another_observer_may_give_it(tmp_path):
    file = TrialFile(tmp_path / "own.csv")
    file.append(trial())
    with pytest.raises(TrialError, match="answered before"):
        file.append(trial(response=0))
    file.append(trial(observer="you"))
    assert len(file.read()) == 2 and len(file.read("you")) == 1


def test_deleting_an_observer_leaves_the_others_as_they_were(tmp_path):
    file = TrialFile(tmp_path / "own.csv")
    file.append(trial())
    file.append(trial(observer="you"))
    other = (tmp_path / "own.csv").read_text().splitlines()[2]
    file.delete("me")
    assert (tmp_path / "own.csv").read_text().splitlines() == [",".join(FILE_COLUMNS), other]
    file.append(trial())  # and they may begin again


def test_a_file_of_another_form_is_refused_and_left_alone(tmp_path):
    (tmp_path / "own.csv").write_text("a,b\n1,2\n")
    with pytest.raises(TrialError, match="Give another path"):
        TrialFile(tmp_path / "own.csv")
    assert (tmp_path / "own.csv").read_text() == "a,b\n1,2\n"


def test_a_subset_keeps_both_ends_and_equal_steps(stimuli):
    few = choose_stimuli(stimuli, levels=5, identities=1)
    assert list(few["level"]) == [0, 0.25, 0.5, 0.75, 1] and set(few["identity"]) == {"id00"}
    assert len(choose_stimuli(stimuli, levels=99, identities=99)) == len(stimuli)


def test_pictures_travel_without_loss():
    import base64

    picture = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    coded = np.frombuffer(base64.b64decode(data_uri(picture).split(",")[1]), np.uint8)
    assert np.array_equal(cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1], picture)


def test_the_task_is_named_by_what_it_holds(stimuli):
    first, again = task_data(stimuli, FAST), task_data(stimuli, FAST)
    other = task_data(stimuli, replace(FAST, repeats=3))
    assert first == again and first["id"] != other["id"]
    assert len(first["stimuli"]) == len(stimuli)


def test_the_task_speaks_of_the_studys_poles_and_tells_its_true_length(stimuli):
    task = replace(FAST, poles=("angry", "calm"), happy_side="left", practice=2)
    data = task_data(stimuli, task)
    assert data["title"] == "Calm or angry?" and "happy" not in data["instructions"].lower()
    assert "Angry: key J or →. Calm: key F or ←" in data["instructions"]
    assert data["length"] == "36 faces after 2 for practice: about 1 minute"
    usual = TaskSettings(repeats=4)  # 144 + 4 trials of 0.5 + 0.8 + 0.4 s
    assert usual.minutes(36) == pytest.approx(148 * 1.7 / 60)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"poles": ("sad", "sad")}, "two words that differ"),
        ({"repeats": 0}, "allowed: 1 to 1000"),
        ({"happy_side": "up"}, "left, right"),
        ({"name": "a/b"}, "letters"),
    ],
)
def test_impossible_settings_are_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        replace(FAST, **wrong)
    with pytest.raises(ValueError, match="0 to 60 seconds"):
        Timing(present_s=-1)


def test_no_stimuli_and_stimuli_twice_are_refused(stimuli):
    with pytest.raises(TrialError, match="no stimuli"):
        task_data(stimuli.head(0), FAST)
    with pytest.raises(TrialError, match="there twice"):
        task_data(pd.concat([stimuli, stimuli.head(1)]), FAST)


@pytest.fixture
def widget(stimuli, tmp_path):
    """The widget and the messages that it sends to the browser."""
    ends = []
    made = observer_task(stimuli, tmp_path / "own.csv", task=FAST, on_end=ends.append)
    sent = []
    made.send = lambda content, buffers=None: sent.append(content)
    return made, sent, ends


def test_the_widget_keeps_each_answer_and_says_so(widget, stimuli):
    made, sent, ends = widget
    made._receive(made, {"type": "trial", "trial": trial(level=0.9)}, [])
    assert sent == [{"type": "saved"}]
    # the level is that of the stimulus, whatever the browser says
    assert made.trials["level"].iloc[0] == 0.0
    made._receive(made, {"type": "finished?"}, [])
    assert sent[-1] == {
        "type": "finished",
        "trials": [{"stimulus": "id00_full_0.000", "repeat": 1}],
    }
    made._receive(made, {"type": "end"}, [])
    assert sent[-1] == {"type": "ended", "kept": 1} and len(ends[0]) == 1
    assert made.total == len(stimuli) * 2
    json.dumps(sent)


def test_deleted_answers_are_gone_and_may_be_given_again(widget):
    made, sent, ends = widget
    made._receive(made, {"type": "trial", "trial": trial()}, [])
    made._receive(made, {"type": "delete"}, [])
    assert sent[-1] == {"type": "deleted"} and made.trials.empty and ends[-1].empty
    made._receive(made, {"type": "trial", "trial": trial()}, [])
    assert sent[-1] == {"type": "saved"}


@pytest.mark.parametrize(
    "wrong", [{"stimulus": "other"}, {"repeat": 3}, {"response": 2}, {"repeat": 0}]
)
def test_the_widget_refuses_what_is_not_part_of_the_task(widget, wrong):
    made, sent, _ = widget
    made._receive(made, {"type": "trial", "trial": {**trial(), **wrong}}, [])
    assert sent[0]["type"] == "refused" and made.trials.empty


def test_the_widget_state_holds_no_pictures(widget):
    made, sent, _ = widget
    assert "data:image" not in json.dumps({k: str(v) for k, v in made.get_state().items()})
    made._receive(made, {"type": "task?"}, [])
    assert sent[0]["task"]["stimuli"][0]["image"].startswith("data:image/webp")


def test_the_exported_page_asks_for_nothing_outside(stimuli, tmp_path):
    page = export_task(
        stimuli, tmp_path / "task.html", task=replace(FAST, title="Faces & <b>")
    ).read_text()
    assert not re.search(
        r"""(src|href)\s*=\s*["'](?!data:)""", page
    ) and "http" not in page.replace("http-equiv", "")
    assert "connect-src 'none'" in page and "default-src 'none'" in page
    assert "<title>Faces &amp; &lt;b&gt;</title>" in page


# ---- in a browser
# ------------------------------------------------------------


# what the page has kept so far
KEPT = """new Promise((resolve) => indexedDB.open("observer-task").onsuccess = (event) => {
  event.target.result.transaction("trials").objectStore("trials").getAll().onsuccess = (e) =>
    resolve(e.target.result.sort((a, b) => a.trial - b.trial));
})"""

# tries to reach out, and gives the part of the page's policy that forbids it
REFUSED = """new Promise((resolve) => {
  const tell = (event) => resolve(event.effectiveDirective);
  document.addEventListener("securitypolicyviolation", tell);
  fetch("http://127.0.0.1:9/").catch(() => 0);
})"""


def read_back(path):
    """The CSV file through the workbook's own reader, with the settings that data/README.md
    gives.
    """
    study = load_study(
        "data/studies/smoke.yaml",
        {"observers.file": str(path), "observers.covariates": ["shown_s", "frame_s"]},
    )
    return read_people(study)[0]


@pytest.mark.browser
def test_a_scripted_observer_is_found_again_from_the_saved_file(stimuli, tmp_path, capsys):
    task = replace(FAST, repeats=8)
    url = export_task(stimuli, tmp_path / "task.html", task=task).as_uri()
    with chromium() as context:
        page, outside, errors = context.new_page(), [], []
        page.on("request", lambda request: outside.append(request.url))
        page.on("pageerror", lambda e: errors.append(str(e)))
        observer = ScriptedObserver(page, stimuli)
        observer.begin(url, "P1")
        for _ in range(len(stimuli) * 8):
            observer.answer()
        trials = read_back(observer.save(tmp_path / "faces_P1.csv"))
        assert all(one.startswith(("file:", "data:", "blob:")) for one in outside)
        assert page.evaluate(REFUSED) == "connect-src"
    assert not errors
    assert len(trials) == len(stimuli) * 8 and trials["response"].notna().all()
    # balanced: each picture equally often, and each level once in every nine trials
    assert set(trials["stimulus"].value_counts()) == {8}
    assert (trials.groupby(np.arange(len(trials)) // 9)["level"].nunique() == 9).all()

    wanted = (0.05 / trials["frame_s"]).round() * trials["frame_s"]
    late = (trials["shown_s"] - wanted) / trials["frame_s"]
    with capsys.disabled():
        print(
            f"\npresentation of {len(trials)} faces: frame "
            f"{1000 * trials['frame_s'].median():.2f} ms, wanted "
            f"{1000 * wanted.median():.1f} ms, shown {1000 * trials['shown_s'].min():.1f} to "
            f"{1000 * trials['shown_s'].max():.1f} ms, median error {late.median():.2f} frames, "
            f"{(late.abs() < 1).mean():.1%} within one frame"
        )
    # a machine that is busy with other things drops frames; most are right where the task is
    assert (late.abs() <= 1.05).mean() >= 0.5 and late.median() < 0.5

    counts = count_table(trials)
    fit = fit_psychometric(counts["level"], counts["n_happy"], counts["n"])
    low, high = np.ravel(fit.bootstrap(200, np.random.default_rng(0))["pse"])
    assert low < PSE < high, (low, PSE, high)


@pytest.mark.browser
def test_a_page_closed_in_the_middle_loses_no_trial(stimuli, tmp_path):
    url = export_task(stimuli, tmp_path / "task.html", task=FAST).as_uri()
    total = 2 * len(stimuli)
    with chromium() as context:
        first = ScriptedObserver(context.new_page(), stimuli)
        first.begin(url, "P2")
        for _ in range(10):
            first.answer()
        first.page.wait_for_selector(".status:has-text('10 of')")
        first.page.close()

        second = ScriptedObserver(context.new_page(), stimuli, seed=2)
        second.page.goto(url)
        assert second.page.input_value("input[name=code]") == "P2"  # suggested
        second.begin(url, "P2")
        places = [second.answer(("ArrowLeft", "ArrowRight")) for _ in range(total - 10)]
        trials = read_back(second.save(tmp_path / "p2.csv"))
    assert places == [str(k) for k in range(11, total + 1)]
    assert len(trials) == total and not trials.duplicated(["stimulus", "repeat"]).any()


@pytest.mark.browser
def test_keyboard_alone_consent_pause_buttons_break_and_a_missed_trial(stimuli, tmp_path):
    task = replace(
        FAST,
        repeats=1,
        practice=2,
        break_every=3,
        timing=replace(FAST.timing, timeout_s=1.0, mask_s=0.05),
    )
    url = export_task(stimuli, tmp_path / "task.html", task=task).as_uri()
    with chromium() as context:
        page = context.new_page()
        observer = ScriptedObserver(page, stimuli)
        page.goto(url)
        page.wait_for_selector("input[name=code]")
        press = page.keyboard.press
        press("Tab"), press("Tab"), press("Enter")  # start without consent
        page.wait_for_selector("text=Please tick the box")
        press("Tab"), press("Space"), press("Tab"), press("Enter")
        observer.answer(), observer.answer()
        page.wait_for_selector("text=your answers are kept")
        press("Enter")
        page.wait_for_selector(".stage[data-trial='1']")
        press("Escape")
        page.wait_for_selector("text=Paused")
        press("Enter")
        assert observer.answer() == "1"  # the same face again
        page.wait_for_selector(".stage[data-trial='2']")
        press("Tab"), press("Enter")  # the first button: sad
        page.wait_for_selector(".stage[data-trial='3']")
        page.wait_for_selector("text=A break", timeout=5000)  # trial 3 ran out of time
        trials = page.evaluate(KEPT)
    assert [t["trial"] for t in trials] == [1, 2, 3]
    assert (
        trials[1]["response"] == 0 and trials[2]["response"] is None and trials[2]["rt_s"] is None
    )


@pytest.mark.browser
def test_the_order_depends_on_the_observer_and_on_nothing_else(stimuli, tmp_path):
    export_task(stimuli, tmp_path / "task.html", task=FAST)
    script = (
        (tmp_path / "task.html")
        .read_text()
        .split('<script type="module">')[1]
        .split("\nrunPage(")[0]
    )
    (tmp_path / "order.html").write_text(
        f'<script type="module">{script}\nwindow.order = trialOrder;</script>'
    )
    with chromium() as context:
        page = context.new_page()
        page.goto((tmp_path / "order.html").as_uri())
        rows = stimuli[["stimulus", "level"]].to_dict("records")

        def order(code):
            return [
                t["stimulus"] for t in page.evaluate("([s, c]) => order(s, 2, 0, c)", [rows, code])
            ]

        first, again, other = order("A"), order("A"), order("B")
    assert first == again and first != other and sorted(first) == sorted(other)


@pytest.mark.browser
def test_on_a_phone_the_task_fits_and_unsaved_answers_are_deleted_after_a_second_word(
    stimuli, tmp_path
):
    task = replace(FAST, repeats=1, poles=("angry", "calm"))
    url = export_task(stimuli.head(2), tmp_path / "task.html", task=task).as_uri()
    with chromium(is_mobile=True, has_touch=True) as context:
        page = context.new_page()
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(url)
        page.check("input[name=consent]")
        page.tap("button[name=start]")
        for place in (1, 2):
            page.wait_for_selector(f".stage[data-trial='{place}']")
            assert page.evaluate("document.documentElement.scrollWidth") == 390
            page.tap("button[name=Angry]")
        page.tap("button[name=remove]")
        page.tap("button[name=no]")
        assert [trial["response"] for trial in page.evaluate(KEPT)] == [0, 0]
        page.tap("button[name=remove]")
        page.tap("button[name=yes]")
        page.wait_for_selector("text=Your answers are deleted")
        assert page.evaluate(KEPT) == []
