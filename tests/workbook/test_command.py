"""The runner: order, outputs, messages, resuming, locking. Its notebooks are tiny ones made
here.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from tiny_notebooks import FIGURE, SET_UP, table_cell, write_notebook, write_notebooks

from lib.backbones import download
from lib.settings.options import ROOT
from lib.storage.runs import TABLES
from lib.workbook import command as workbook
from lib.workbook.arguments import parser

SMOKE = "data/studies/smoke.yaml"


@pytest.fixture
def bench(tmp_path, monkeypatch, capsys):
    """A folder of notebooks, a folder of runs, and a way to call the command with both."""
    monkeypatch.setattr(workbook, "NOTEBOOKS", tmp_path / "notebooks")
    return Bench(tmp_path, capsys)


class Bench:
    def __init__(self, folder: Path, capsys):
        self.notebooks, self.run_folder, self._capsys = (
            folder / "notebooks",
            folder / "runs" / "smoke",
            capsys,
        )
        self.output = f"output={folder / 'runs'}"

    def __call__(self, *arguments: str, settings: tuple[str, ...] = ()) -> tuple[int, str, str]:
        code = workbook.main(["run", "--study", SMOKE, "--set", self.output, *settings, *arguments])
        return code, *self._capsys.readouterr()

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.run_folder / "tables" / f"{name}.csv", dtype={"notebook": str})

    def process(self, *arguments: str) -> subprocess.Popen:
        # a shell that starts the tests in the background hands down an ignored SIGINT
        code = (
            "import signal, sys, pathlib; signal.signal(signal.SIGINT, "
            "signal.default_int_handler); "
            f"from lib.workbook import command as workbook; workbook.NOTEBOOKS = pathlib.Path("
            f"{str(self.notebooks)!r}); sys.exit(workbook.main(sys.argv[1:]))"
        )
        command = [
            sys.executable,
            "-c",
            code,
            "run",
            "--study",
            SMOKE,
            "--set",
            self.output,
            *arguments,
        ]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
        )


def wait_for(condition, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def test_a_whole_run_leaves_notebooks_tables_figures_manifest_excel_and_report(bench):
    write_notebooks(bench.notebooks)
    code, out, err = bench(settings=("training.epochs=5",))
    assert (code, err) == (0, "")
    assert (
        out.index("[1/5] 01_data_preparation")
        < out.index("[5/5] 05_mechanisms")
        < out.index("report.html")
    )
    names = {name for names in TABLES.values() for name in names}
    assert {p.stem for p in (bench.run_folder / "tables").glob("*.csv")} == names
    assert list(bench.table("trials")["notebook"]) == ["01", "02", "03"]
    assert bench.table("images")["value"].iloc[0] == 5 / 7
    assert len(list((bench.run_folder / "figures").glob("0?_line.png"))) == 5
    assert len(list((bench.run_folder / "notebooks").glob("*.ipynb"))) == 5
    assert (bench.run_folder / "report.html").stat().st_size > 5000
    assert len(pd.read_excel(bench.run_folder / "tables.xlsx", sheet_name=None)) == len(names)


def test_the_manifest_tells_settings_versions_seeds_hashes_time_and_memory(bench):
    write_notebooks(
        bench.notebooks,
        "1",
        n01=table_cell("01") + "\nballast = bytearray(300_000_000)\n"
        "ballast[::4096] = b'x' * len(ballast[::4096])\n"
        "import time; time.sleep(1)",
    )
    assert bench(settings=("training.epochs=5",))[0] == 0
    manifest = json.loads((bench.run_folder / "manifest.json").read_text())
    assert manifest["status"] == "complete"
    assert manifest["study"]["settings"]["training"]["epochs"] == 5
    assert manifest["study"]["overrides"] == [bench.output, "training.epochs=5"]
    assert manifest["seeds"]["networks"] == [0, 1]
    assert manifest["versions"]["papermill"] == "2.7.0" and manifest["versions"][
        "python"
    ].startswith("3.")
    assert manifest["machine"]["processors"] >= 1
    assert (
        manifest["tables"]["images"]["rows"] == 1
        and len(manifest["tables"]["images"]["sha256"]) == 64
    )
    cost = manifest["notebooks"]["01_data_preparation"]
    assert 1 < cost["seconds"] < 120 and 300 < cost["peak_memory_mb"] < 3000


def test_a_cells_error_is_one_message_and_the_executed_notebook_is_kept(
    bench,
):
    write_notebooks(
        bench.notebooks,
        "12",
        n02="def f():\n    raise ValueError('level 3 given; allowed: 0 to 1')\nf()",
    )
    code, out, err = bench()
    assert code == 1
    assert "notebook 02_transfer_training stopped in cell [4], which begins: def f():" in err
    assert "ValueError: level 3 given; allowed: 0 to 1" in err
    assert "Traceback" not in out + err and len(err.splitlines()) < 8
    executed = nbformat.read(bench.run_folder / "notebooks" / "02_transfer_training.ipynb", 4)
    assert any(
        output.output_type == "error"
        for cell in executed.cells
        for output in cell.get("outputs", [])
    )
    assert json.loads((bench.run_folder / "manifest.json").read_text())["status"] == "stopped"
    assert not (bench.run_folder / "report.html").exists()


def test_a_notebook_that_misses_an_earlier_one_says_which_to_run(bench):
    write_notebooks(bench.notebooks, "12", n02="run.read_table('stimuli')")
    code, _, err = bench("--only", "02")
    assert code == 1 and "has no table 'stimuli' yet; it is made by notebook 01" in err


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            [FIGURE],
            (
                "table 'images' was not written; table 'stimuli' was not "
                "written; table 'trials' was not written"
            ),
        ),
        ([table_cell("01").replace("}))", "}).head(0))"), FIGURE], "table 'images' has no rows"),
        ([table_cell("01")], "no figure figures/01_*.png"),
    ],
)
def test_a_notebook_that_ends_without_what_it_declares_is_a_failure(bench, cells, message):
    write_notebook(bench.notebooks, "01_data_preparation", SET_UP.format(number="01"), *cells)
    code, _, err = bench()
    assert code == 1 and "notebook 01_data_preparation ended but left out" in err and message in err


def test_files_of_an_earlier_run_do_not_pass_for_new_ones(bench):
    write_notebooks(bench.notebooks, "1")
    assert bench()[0] == 0
    write_notebook(bench.notebooks, "01_data_preparation", "pass")
    assert bench()[0] == 1
    assert not list((bench.run_folder / "tables").glob("*.csv"))


def test_an_unknown_parameter_is_an_error(bench):
    write_notebook(bench.notebooks, "01_data_preparation", "pass", parameters='study = ""')
    code, _, err = bench()
    assert (
        code == 1 and "has no parameter overrides; its cell tagged 'parameters' has: study" in err
    )


def test_a_wrong_study_key_stops_before_anything_runs(bench):
    write_notebooks(bench.notebooks, "1")
    code, out, err = bench(settings=("training.epoch=3",))
    assert code == 1 and "training.epoch: unknown key; did you mean training.epochs?" in err
    assert not bench.run_folder.exists() and "Traceback" not in out + err


def test_an_unknown_notebook_number_is_refused_with_those_there_are(bench):
    write_notebooks(bench.notebooks, "12")
    with pytest.raises(SystemExit) as stop:
        bench("--only", "07")
    assert stop.value.code == 2
    assert parser().parse_args(["run", "--only", "2, 01"]).only == ("02", "01")


def test_resume_goes_on_from_the_failure_and_keeps_what_is_done(bench):
    write_notebooks(bench.notebooks, "123", n02="raise RuntimeError('not today')")
    assert bench()[0] == 1
    written = (bench.run_folder / "tables" / "images.csv").stat().st_mtime_ns
    write_notebooks(bench.notebooks, "2")
    code, out, _ = bench("--resume")
    assert code == 0 and out.count("done before, kept") == 1
    assert (bench.run_folder / "tables" / "images.csv").stat().st_mtime_ns == written
    assert list(bench.table("trials")["notebook"]) == ["01", "02", "03"]


def test_resume_redoes_what_other_settings_sources_or_outputs_make_stale(bench):
    write_notebooks(bench.notebooks, "12")
    assert bench()[0] == 0
    assert bench("--resume")[1].count("kept") == 2
    assert bench("--resume", settings=("training.epochs=9",))[1].count("kept") == 0
    assert bench.table("history")["value"].iloc[0] == 9 / 7
    (bench.run_folder / "tables" / "parts" / "accuracy.02.csv").write_text("tampered\n1\n")
    assert bench("--resume", settings=("training.epochs=9",))[1].count("kept") == 1
    assert list(bench.table("accuracy")["notebook"]) == ["02"]
    # the first notebook's new rows are what the second one builds on
    write_notebooks(bench.notebooks, "1", n01=table_cell("01").replace("/ 7", "/ 8"))
    assert bench("--resume", settings=("training.epochs=9",))[1].count("kept") == 0


def test_resume_sees_other_answers_and_network_files_and_keeps_the_pictures(bench, tmp_path):
    write_notebooks(bench.notebooks, "12")
    files = [tmp_path / "answers.csv", tmp_path / "net.py"]
    named = f"networks.answers={files[0]}", f"networks.architectures=[alexnet, '{files[1]}:small']"
    assert bench(settings=named)[0] == 0
    for k, file in enumerate(files):
        file.write_text("#" * (k + 1), encoding="utf-8")
        assert bench("--resume", settings=named)[1].count("kept") == 1  # of notebook 01
        assert bench("--resume", settings=named)[1].count("kept") == 2


def test_only_leaves_the_other_notebooks_results_alone_and_resume_finds_them_stale(bench):
    write_notebooks(bench.notebooks, "123")
    assert bench()[0] == 0
    write_notebooks(bench.notebooks, "2", n02=table_cell("02").replace("/ 7", "/ 8"))
    code, out, _ = bench("--only", "02")
    assert code == 0 and "[1/1] 02_transfer_training" in out
    assert list(bench.table("trials")["notebook"]) == ["01", "02", "03"]
    assert list(bench.table("trials")["value"]) == [3 / 7, 3 / 8, 3 / 7]
    assert bench("--resume")[1].count("kept") == 2


def test_the_same_study_twice_gives_identical_bytes(bench):
    def contents() -> dict[str, bytes]:
        return {
            p.name: p.read_bytes()
            for kind in ("tables/*.csv", "figures/*.png")
            for p in bench.run_folder.glob(kind)
        }

    write_notebooks(bench.notebooks, "14")
    assert bench()[0] == 0
    first = contents()
    assert bench()[0] == 0
    assert contents() == first and len(first) == 8


def test_notebooks_run_from_the_root_in_this_very_python_with_the_runners_surroundings(bench):
    look = (
        "import json, os, sys\nseen = [os.getcwd(), sys.executable, "
        "os.environ['WORKBOOK_HEADLESS'],\n"
        "        os.environ['PYTHONHASHSEED'], os.environ.get('WORKBOOK_STUDY')]\n"
        "(run.folder / 'seen.json').write_text(json.dumps(seen))"
    )
    write_notebooks(bench.notebooks, "1", n01=table_cell("01") + "\n" + look)
    os.environ["WORKBOOK_STUDY"] = "stranger.yaml"
    try:
        assert bench()[0] == 0
    finally:
        del os.environ["WORKBOOK_STUDY"]
    assert json.loads((bench.run_folder / "seen.json").read_text()) == [
        str(ROOT),
        sys.executable,
        "1",
        "0",
        None,
    ]


def test_what_a_notebook_prints_reaches_the_terminal_and_a_dead_kernel_is_named(bench):
    write_notebooks(
        bench.notebooks,
        "1",
        n01="print('faces: 3 of 9, 4 s left', flush=True)\nimport os, time\n"
        "time.sleep(0.5)\nos.kill(os.getpid(), 9)",
    )
    code, out, err = bench()
    assert code == 1 and "      faces: 3 of 9, 4 s left" in out
    assert (
        "notebook 01_data_preparation stopped: its process died" in err and "Traceback" not in err
    )


def test_a_full_disk_is_named_with_the_remedy_even_where_a_library_met_it(bench):
    write_notebooks(
        bench.notebooks, "1", n01="import errno, os\nraise OSError(errno.ENOSPC, os.strerror(28))"
    )
    code, _, err = bench()
    assert code == 1 and "the disk is full" in err and "--resume" in err and "Traceback" not in err


def test_weights_are_downloaded_where_the_study_asks_and_a_broken_download_is_a_message(
    bench, monkeypatch
):
    asked = []

    def broken(architectures):
        asked.extend(architectures)
        raise download.DownloadError("alexnet.pth: the download broke off")

    monkeypatch.setattr(download, "download", broken)
    write_notebooks(bench.notebooks, "1")
    assert bench()[0] == 0 and asked == []
    code, _, err = bench(settings=("weights.download=true",))
    assert code == 1 and "weights.download: alexnet.pth: the download broke off" in err
    assert asked == ["alexnet", "fe_alexnet"]


def test_a_second_run_on_the_folder_is_refused_and_a_killed_owner_frees_it(bench):
    write_notebooks(
        bench.notebooks,
        "1",
        n01=table_cell("01") + "\n(run.folder / 'here').touch()\nimport time; time.sleep(60)",
    )
    owner = bench.process()
    wait_for((bench.run_folder / "here").exists)
    code, _, err = bench()
    assert (
        code == 1
        and f"is in use by process {owner.pid}, started 20" in err
        and "--set name=" in err
    )
    owner.kill()
    owner.wait()
    write_notebooks(bench.notebooks, "1")
    assert bench("--resume")[0] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_cleanly_and_leaves_no_kernel(bench, number):
    write_notebooks(
        bench.notebooks,
        "1",
        n01="import os, time\n(run.folder / 'pid').write_text(str(os.getpid()))\ntime.sleep(60)",
    )
    owner = bench.process()
    wait_for(
        lambda: (bench.run_folder / "pid").is_file() and (bench.run_folder / "pid").read_text()
    )
    owner.send_signal(number)
    _, err = owner.communicate(timeout=30)
    assert (
        owner.returncode == 130
        and "interrupted; --resume goes on" in err
        and "Traceback" not in err
    )
    kernel = int((bench.run_folder / "pid").read_text())
    wait_for(lambda: not Path(f"/proc/{kernel}").exists(), 10)


def test_networks_without_the_wanted_weights_are_named_once_with_the_remedy(bench):
    def cell(pretraining: str) -> str:
        return (
            table_cell("02")
            .replace("'pretraining': ['pretraining']", f"'pretraining': ['{pretraining}']")
            .replace("'architecture': ['architecture']", "'architecture': ['alexnet']")
        )

    left_out = (
        "\nrun.write_table('left_out', pd.DataFrame({'architecture': ['vgg11'],"
        " 'reason': ['no ImageNet weights of vgg11'], 'remedy': ['`make weights`']}))"
    )
    write_notebooks(bench.notebooks, "2", n02=cell("untrained") + left_out)
    out = bench()[1]
    assert out.count("UNTRAINED, for want of imagenet weights: alexnet. `make weights`") == 1
    assert "note: left out: no ImageNet weights of vgg11; `make weights`" in out
    write_notebooks(bench.notebooks, "2", n02=cell("objects"))
    assert "note: pretrained on generated objects instead: alexnet. `make weights`" in bench()[1]
    for had in ("imagenet", "own"):  # own: a user's file brings its weights
        write_notebooks(bench.notebooks, "2", n02=cell(had))
        assert "note:" not in bench()[1]


def test_a_study_beside_the_reader_is_found_from_any_directory(tmp_path, monkeypatch):
    (tmp_path / "mine.yaml").write_text("name: mine\n")
    monkeypatch.chdir(tmp_path)
    assert workbook.study_path("mine.yaml") == str(tmp_path / "mine.yaml")
    assert workbook.study_path(SMOKE) == SMOKE
    monkeypatch.chdir(ROOT / "data")
    assert workbook.study_path("studies/smoke.yaml") == SMOKE
