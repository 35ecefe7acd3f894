"""Every command of README.md and notebooks/README.md: run as it stands where that takes seconds,
else followed to what it would run.
"""

import re
import shlex
import subprocess
import sys
from functools import partial

import nbformat
import pytest
from make_tools import outside_make
from smoke_run import SMOKE
from study.test_command import answers, faces  # noqa: F401 - fixtures

from lib.settings.loading import load_study
from lib.settings.options import ROOT
from lib.statistics.precision import mean_half_width, needed, proportion_half_width
from lib.storage.runs import read_csv
from lib.study import command as study_command
from lib.workbook import command as workbook

PAGES = {
    name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "notebooks/README.md")
}
README = "\n".join(PAGES.values())
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = [
    shlex.split(line, comments=True)
    for kind, text in BLOCKS
    if kind == "sh"
    for line in text.splitlines()
]


def commands(*first: str) -> list[list[str]]:
    found = [command for command in COMMANDS if command[: len(first)] == list(first)]
    assert found, f"README.md has no command that begins with {' '.join(first)}"
    return found


def of_make(command: list[str]) -> list[list[str]]:
    """What make would run, in the words of a shell; variables with a PY of ours, so that
    nothing is installed.
    """
    told = subprocess.run(
        ["make", "-n", *command[1:], "PY=python"],
        cwd=ROOT,
        env=outside_make(),
        capture_output=True,
        text=True,
        check=True,
    )
    return [shlex.split(line) for line in told.stdout.splitlines()]


def test_no_command_is_of_a_kind_that_is_not_tested_here():
    kinds = {
        " ".join(command[: 4 if command[:3] == ["python", "-m", "lib.study"] else 3])
        if command[0] == "python"
        else command[0]
        for command in COMMANDS
    }
    assert kinds == {
        "make",
        "source",
        "conda",
        "papermill",
        "python -m lib.study new",
        "python -m lib.study check",
        "python -m lib.workbook",
        "python -m lib.setup_check",
    }


@pytest.mark.parametrize("command", commands("make"), ids=" ".join)
def test_make_runs_commands_that_the_workbook_understands(command):
    (told,) = of_make(command)
    others = {"bench": ["tests/benchmarks"]}
    if command[1] in others:
        assert told == ["python", *others[command[1]]]
        return
    assert told[:3] == ["python", "-m", "lib.workbook"]
    options = workbook.parser().parse_args(told[3:])
    # a study of the reader's own is not there
    study = options.study if (ROOT / options.study).is_file() else SMOKE
    assert load_study(study, options.set).name
    if options.command == "run":
        assert options.resume == ("RESUME=1" in command)
        assert options.only == (("04",) if "ONLY=04" in command else ())


def test_the_environments_are_those_that_make_and_conda_build():
    (source,), (create,), (activate,) = (
        commands("source"),
        commands("conda", "env"),
        commands("conda", "activate"),
    )
    assert source[1] == ".venv/bin/activate" and "-m venv .venv" in (ROOT / "Makefile").read_text()
    assert (ROOT / create[-1]).read_text().split("name: ")[1].startswith(activate[-1])


def test_own_faces_and_answers_become_a_study_that_can_run(
    faces,  # noqa: F811
    answers,  # noqa: F811
    tmp_path,
    capsys,
    monkeypatch,
):
    monkeypatch.setattr("lib.study.new.ROOT", tmp_path)
    (new,), (check,) = (
        commands("python", "-m", "lib.study", "new"),
        commands("python", "-m", "lib.study", "check"),
    )
    ours = {"path/to/faces": str(faces), "path/to/answers.csv": str(answers)}
    assert study_command.main([ours.get(word, word) for word in new[3:]]) == 0
    assert study_command.main([check[3], str(tmp_path / check[4])]) == 0
    assert capsys.readouterr().out.count("Study mine can run.") == 2
    wanted = f"STUDY={check[4]}"
    assert any(wanted in command for command in commands("make", "workbook"))


@pytest.mark.slow
def test_papermill_runs_a_notebook_of_the_study_that_it_is_given(tmp_path):
    (command,) = commands("papermill")
    out = tmp_path / "01.ipynb"
    given = [str(out) if word.startswith("runs/") else word for word in command]
    subprocess.run(
        [sys.executable, "-m", *given, "-p", "overrides", f"output={tmp_path}"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    cells = nbformat.read(out, as_version=4).cells
    assert all(cell.execution_count for cell in cells if cell.cell_type == "code")
    assert len(read_csv(tmp_path / "smoke" / "tables" / "stimuli.csv")) == 72


def test_the_set_up_check_runs():
    (command,) = commands("python", "-m", "lib.setup_check")
    told = subprocess.run([sys.executable, *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert (
        re.search(r"^ok +Python|^note +Python", told.stdout, flags=re.MULTILINE) and not told.stderr
    )


def test_sweeps_are_read_with_all_their_points():
    for command in commands("python", "-m", "lib.workbook", "sweep"):
        options = workbook.parser().parse_args(command[3:])
        ((key, values),) = workbook_grid(options).items()
        assert len(values) > 1 and load_study(options.study, {key: values[0]})


def workbook_grid(options) -> dict:
    from lib.sweeps.command import parse_grid

    return parse_grid(options.grid)


@pytest.mark.parametrize("page", PAGES)
def test_links_and_figures_lead_to_files_of_the_project(page):
    targets = re.findall(r"\]\(([^)#]+)(?:#[\w-]*)?\)", PAGES[page])
    inside = [target for target in targets if not target.startswith("http")]
    assert [target for target in inside if not ((ROOT / page).parent / target).exists()] == []
    drawn = "\n".join(path.read_text() for path in (ROOT / "notebooks").glob("*.ipynb"))
    for figure in (t for t in inside if t.startswith("figures/")):
        name = re.fullmatch(r"figures/(?:\w+/)?\d\d_(\w+)\.png", figure)[1]
        assert re.search(rf"save_figure\([^\n]*\b{re.escape(name)}", drawn), figure


def test_numbers_of_faces_people_and_seeds_are_those_of_the_formulas():
    told = [int(n.replace(",", "")) for n in re.findall(r"\| ([\d,]+) [a-z ]+\|$", README, re.M)]
    share = [partial(proportion_half_width, variance) for variance in (0.85 * 0.15, 0.05)]
    mean = [partial(mean_half_width, sd) for sd in (0.01, 0.10, 0.05)]
    assert told == [needed(width, 0.02) for width in (*share, *mean)]
