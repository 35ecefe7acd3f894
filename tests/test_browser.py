"""The notebooks as a person meets them: JupyterLab in a real browser."""

import os
import shutil
import time

import nbformat
import pytest
from browser_tools import chromium, find_browser
from lab import NotebookPage, copy_notebooks, jupyter_lab
from nbformat.v4 import new_code_cell, new_notebook
from scripted_observer import ScriptedObserver, grey_squares
from smoke_run import SMOKE

from lib.people.trial_file import TrialFile
from lib.people.trials import validate_trials
from lib.settings.options import ROOT
from lib.storage.runs import NOTEBOOKS

pytestmark = pytest.mark.browser
# what takes long and shows nothing more on the page
SHORT = "saliency.faces=1 saliency.bubbles=20 saliency.n_permutations=20 statistics.n_boot=20"

PROBE = (
    """
import matplotlib.pyplot as plt
from ipywidgets import IntSlider, interact

def line(slope=1):
    plt.figure(figsize=(3, 2)); plt.plot([0, slope]); plt.ylim(0, 10); plt.show()

line()
""",
    "interact(line, slope=IntSlider(value=1, min=0, max=10));",
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on copies of the notebooks: (folder, address, browser context)."""
    find_browser()
    folder = tmp_path_factory.mktemp("lab")
    copy_notebooks(ROOT / "notebooks", folder)
    # as `make lab STUDY=… SET=…` would start it
    environment = {
        "WORKBOOK_STUDY": str(ROOT / SMOKE),
        "WORKBOOK_SET": f"output='{folder / 'runs'}' {SHORT}",
    }
    with jupyter_lab(folder, environment) as address, chromium() as context:
        yield folder, address, context


@pytest.fixture(scope="module")
def finished(lab, smoke):
    """The finished smoke run as the lab's own: what has been trained and computed there is
    found again.
    """
    runs = lab[0] / "runs" / "smoke"
    if not runs.exists():
        # files are replaced, never changed in place; hidden ones belong to a run that another test
        # has going there
        shutil.copytree(
            smoke.folder, runs, copy_function=os.link, ignore=shutil.ignore_patterns(".*")
        )
    return runs


def write(folder, name, *cells):
    book = new_notebook(cells=[new_code_cell(source) for source in cells])
    book.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    nbformat.write(book, folder / name)
    return name


def test_the_harness_itself_sees_a_moved_slider_and_an_error(lab):
    folder, address, context = lab
    page = NotebookPage(context, address, write(folder, "probe.ipynb", *PROBE))
    page.run_all()
    assert not page.errors() and not page.red_lines() and len(page.figures()) == 2
    before = page.figures()
    page.nudge(page.sliders()[0], times=3)
    after = page.wait_for_change(before)
    assert after[0] == before[0] and after[1] != before[1]
    page.screenshot(folder / "probe.png")
    page.close()
    page = NotebookPage(context, address, write(folder, "wrong.ipynb", "1/0", "print('never')"))
    page.run_all()
    assert page.errors() == ["ZeroDivisionError: division by zero"]
    page.close()


TRAINER = """
import threading, time
import ipywidgets as widgets

bar = widgets.IntProgress(min=0, max=100)
train = widgets.Button(description="Train")
cancel = widgets.Button(description="Cancel")
stop = threading.Event()

def work():
    stop.clear()
    while not stop.wait(0.1) and bar.value < 100:
        bar.value += 1

train.on_click(lambda _: threading.Thread(target=work).start())
cancel.on_click(lambda _: stop.set())
widgets.VBox([train, cancel, bar])
"""


def train_and_cancel(page):
    """Press Train, see the bar move, press Cancel, and see it come to rest before its end."""
    before = page.bars()
    page.press("Train")
    page.wait_for_bar(before)
    page.press("Cancel")
    assert all(value < 100 for value in page.wait_for_rest())


def test_the_harness_sees_a_bar_move_after_train_and_rest_after_cancel(lab):
    folder, address, context = lab
    page = NotebookPage(context, address, write(folder, "trainer.ipynb", TRAINER))
    page.run_all()
    assert page.has_button("Train") and not page.has_button("Fly") and page.bars() == [0]
    train_and_cancel(page)
    with pytest.raises(AssertionError, match="no progress bar moved"):
        page.wait_for_bar(page.bars(), timeout_s=1)
    page.close()


def wait_until(true, timeout_s: float = 30) -> None:
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, f"not within {timeout_s} s"
        time.sleep(0.1)


TASK = """
import pandas as pd
from scripted_observer import FAST
from lib.observers.tables import fit_table
from lib.people.simulated import simulate_people
from lib.widgets.reader import reader_task
from lib.storage.runs import open_run
run = open_run("04", {study!r}, "name=task output={output!r}")
stimuli = pd.read_csv({table!r})
others = fit_table(simulate_people(run.study, stimuli), run.study.statistics)
reader_task(run, stimuli, others, task=FAST)
"""


def test_the_observer_task_in_a_notebook_keeps_every_trial_through_a_reload_and_ends_with_the_curve(
    lab,
):
    folder, address, context = lab
    stimuli = grey_squares(folder)
    stimuli.to_csv(folder / "stimuli.csv", index=False)
    answers = folder / "runs/task/observer/answers.csv"
    task = TASK.format(
        study=str(ROOT / SMOKE), output=str(folder / "runs"), table=str(folder / "stimuli.csv")
    )
    cells = [f"import sys; sys.path.insert(0, {str(ROOT / 'tests')!r})", task, "1 + 1"]
    page = NotebookPage(context, address, write(folder, "task.ipynb", *cells))
    page.run_all()
    observer = ScriptedObserver(page.page, stimuli)
    observer.consent()
    first = [observer.answer() for _ in range(10)]
    page.page.wait_for_selector(".status:has-text('10 of')")
    # F and J are JupyterLab's own keys too: they must not have reached it
    assert page.page.evaluate("jupyterapp.shell.currentWidget.content.activeCellIndex") <= 2
    assert page.page.locator(".jp-DocumentSearch-overlay").count() == 0
    wait_until(
        lambda: len(TrialFile(answers).read("me")) == 10
    )  # on the disk already, once Python has had its turn
    page.page.close()  # in the middle of a block

    again = NotebookPage(context, address, "task.ipynb")
    again.run_all()
    observer = ScriptedObserver(again.page, stimuli, seed=2)
    observer.consent()
    rest = [observer.answer() for _ in range(len(stimuli) * 2 - 10)]
    again.page.wait_for_selector("text=36 of 36 answers are on this machine's disk")
    again.page.wait_for_selector("text=Your PSE is")
    assert len(again.figures()) == 1
    trials = validate_trials(TrialFile(answers).read("me"))
    again.screenshot(folder / "task.png")
    again.page.click("button[name=delete]")
    again.page.wait_for_selector("text=Your answers are deleted")
    assert TrialFile(answers).read("me").empty
    again.page.wait_for_function("!document.body.innerText.includes('Your PSE is')")
    assert not again.errors() and not again.red_lines()
    again.close()
    assert [int(place) for place in first + rest] == list(range(1, 37)) == list(trials["trial"])


@pytest.mark.parametrize(
    "name", NOTEBOOKS[::-1]
)  # the longest first, so that no worker waits for another's in the end
def test_a_notebook_runs_shows_figures_and_its_sliders_change_them(lab, finished, name):
    _, address, context = lab
    page = NotebookPage(context, address, f"notebooks/{name}.ipynb")
    page.run_all(timeout_s=400)  # of a busy machine too
    assert not page.errors()
    assert page.figures(), "no figure is on the page"
    for handle in page.sliders():
        before = page.figures()
        page.nudge(handle)
        page.wait_for_change(before)
    if page.has_button("Train"):
        page.choose(
            "sits behind", "conv1"
        )  # a block that has not been trained yet, and trains slowly
        page.page.wait_for_selector("text=This block is new")
        train_and_cancel(page)
        page.page.wait_for_selector("text=cancelled; nothing has changed")
        page.page.locator("button:text-is('Copy settings')").press("Enter")
        page.page.wait_for_selector("text=Copied to the clipboard")
        page.page.wait_for_selector("pre:has-text('attention.location=conv1')")
        page.press("Reset")
        page.page.wait_for_selector("text=This block is trained")
    assert not page.errors() and not page.red_lines()
    page.screenshot(finished / "screenshots" / f"{name}.png")
    page.close()
