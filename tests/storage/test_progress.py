"""Progress says how much is done and how long the rest takes, once every few seconds."""

import pytest

from lib.storage import progress
from lib.storage.progress import Progress, clock


class Clock:
    """A hand-wound time.monotonic."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def hands(monkeypatch):
    monkeypatch.setattr(progress, "time", hands := Clock())
    return hands


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_durations_read_as_a_person_says_them(seconds, text):
    assert clock(seconds) == text


def test_headless_lines_hold_the_count_and_the_time_left_at_the_pace_so_far(hands, capsys):
    with Progress("training", 10) as steps:
        for _ in range(10):
            hands.now += 3
            steps.step(note="loss 0.5")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "training: 1 of 10, 27 s left, loss 0.5"
    assert (
        lines[1] == "training: 3 of 10, 21 s left, loss 0.5"
    )  # 6 s later: at most one line in 5 s
    assert lines[-1] == "training: 10 of 10 in 30 s"


def test_a_short_step_prints_nothing(hands, capsys):
    with Progress("quick", 100) as steps:
        for _ in range(100):
            hands.now += 0.01
            steps.step()
    assert capsys.readouterr().out == ""


def test_a_failing_step_is_not_called_done(hands, capsys):
    def fail():
        with Progress("training", 2) as steps:
            hands.now += 3
            steps.step()
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        fail()
    assert capsys.readouterr().out == "training: 1 of 2, 3 s left\n"


def test_in_a_live_notebook_a_bar_moves(monkeypatch):
    shown = []
    monkeypatch.setattr(progress, "headless", lambda: False)
    monkeypatch.setattr("tqdm.notebook.display", shown.append)
    with Progress("training", 4) as steps:
        steps.step(2, note="loss 0.5")
        steps.step(2, note="loss 0.25")
    name, bar, text = shown[0].children
    assert "training" in name.value and (bar.value, bar.max) == (4, 4)
    words = text.value.replace("\u2007", " ")  # a space as wide as a digit
    assert "4/4" in words and "loss 0.25" in words and bar.bar_style == "success"


def test_a_bar_that_is_left_early_says_so(monkeypatch):
    shown = []
    monkeypatch.setattr(progress, "headless", lambda: False)
    monkeypatch.setattr("tqdm.notebook.display", shown.append)
    with pytest.raises(RuntimeError), Progress("training", 4) as steps:
        steps.step(2)
        raise RuntimeError
    assert shown[0].children[1].bar_style == "danger"


def test_in_a_terminal_a_bar_moves_and_no_line_is_printed(monkeypatch, capsys):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True)
    with Progress("training", 4) as steps:
        steps.step(4)
    out, err = capsys.readouterr()
    assert out == "" and "4/4" in err


def test_without_a_kernel_or_under_the_runner_nobody_can_move_a_slider(monkeypatch):
    monkeypatch.delenv("WORKBOOK_HEADLESS", raising=False)
    assert progress.headless()
    monkeypatch.setattr("IPython.get_ipython", lambda: type("Shell", (), {"kernel": object()})())
    assert not progress.headless()
    monkeypatch.setenv("WORKBOOK_HEADLESS", "1")
    assert progress.headless()
