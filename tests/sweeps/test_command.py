"""Sweeps: equal cells are trained once, killed workers cost nothing, and the table is that of a
serial run.
"""

import os
import re
import signal
import sys
import threading
import time
import types
from dataclasses import replace

import numpy as np
import pandas as pd
import psutil
import pytest
from distributed import LocalCluster
from scipy import stats

from lib.settings.loading import StudyError, load_study
from lib.settings.options import ROOT
from lib.storage.runs import read_csv
from lib.sweeps import cells as sweep_cells
from lib.sweeps import command as sweep
from lib.sweeps.command import Sweep, SweepFailed, parse_grid, plan, run_sweep, summarise
from lib.workbook.command import main

SMOKE = "data/studies/smoke.yaml"
SMALL = (
    "images.n_train=32",
    "images.n_validation=12",
    "images.n_test=12",
    "morphs.identities=1",
    "morphs.levels=5",
    "morphs.conditions=[full]",
    "training.epochs=2",
)


def small(tmp_path, **changes) -> Sweep:
    """A grid in which AlexNet is the same at both places of the attention: 2 places x 1 seed, 3
    cells.
    """
    given = {"grid": {"attention.location": ["conv3", "conv5"]}, "seeds": 1} | changes
    overrides = (*SMALL, f"output={tmp_path}", f"training.seeds={given.pop('seeds')}")
    return Sweep(SMOKE, overrides, **given)


def test_a_grid_is_read_as_settings_and_values():
    grid = parse_grid(
        ["training.lr=1e-4,1e-3", "attention.region_prior=null,{mouth: 1}", "training.epochs=3"]
    )
    assert grid == {
        "training.lr": ["1e-4", "1e-3"],
        "attention.region_prior": [None, {"mouth": 1}],
        "training.epochs": [3],
    }
    studies = [study for _, study in Sweep(SMOKE, (), grid).points()]
    assert [s.training.lr for s in studies] == [1e-4, 1e-4, 1e-3, 1e-3]
    assert [s.attention.region_prior for s in studies] == [None, {"mouth": 1.0}] * 2


@pytest.mark.parametrize(
    "words", [["training.lr"], ["training.lr="], ["a=1", "a=2"], ["training.lr={1e-4"], ["a=b]"]]
)
def test_a_grid_that_says_nothing_is_refused_with_an_example(words):
    with pytest.raises(StudyError, match="allowed: key=value,value once for each setting"):
        parse_grid(words)


def test_every_point_is_validated_before_anything_runs(tmp_path, capsys):
    code = main(
        [
            "sweep",
            "--study",
            SMOKE,
            "--set",
            f"output={tmp_path}",
            "--grid",
            "attention.location=conv3,conv9",
        ]
    )
    assert (
        code == 1 and "attention.location: 'conv9' given; allowed: conv1" in capsys.readouterr().err
    )
    assert list(tmp_path.iterdir()) == []


def test_missing_weights_are_one_message(tmp_path, capsys):
    code = main(
        [
            "sweep",
            "--study",
            SMOKE,
            "--set",
            f"output={tmp_path}",
            "networks.missing_weights=error",
            "networks.pretraining=face",
            f"networks.face_weights={tmp_path}/mine.pth",
        ]
    )
    err = capsys.readouterr().err
    assert code == 1 and "no file" in err and "mine.pth" in err and "Traceback" not in err


def test_cells_that_differ_in_nothing_that_matters_to_them_are_one(tmp_path):
    planned = plan(small(tmp_path, seeds=2))
    keys = {}
    for point, job in planned:
        keys.setdefault((job.cell.architecture, job.cell.seed), []).append(
            (point["attention.location"], job.key)
        )
    assert len(planned) == 8
    assert (
        len({key for _, key in keys["alexnet", 0]}) == 1
        and len({key for _, key in keys["fe_alexnet", 0]}) == 2
    )
    assert len({job.base for _, job in planned}) == 1
    study = planned[0][1].study
    slower = sweep_cells.jobs_of(replace(study, training=replace(study.training, lr=0.01)))
    assert {job.key for job in slower}.isdisjoint({job.key for _, job in planned})
    other_block = sweep_cells.jobs_of(
        replace(study, training=replace(study.training, attention_lr=0.01))
    )
    assert {
        job.cell.architecture
        for job in other_block
        if job.key not in {job.key for _, job in planned}
    } == {"fe_alexnet"}  # AlexNet has no block
    more_seeds = sweep_cells.jobs_of(
        replace(study, training=replace(study.training, seeds=5), name="other")
    )
    assert {job.key for job in more_seeds} >= {
        job.key for point, job in planned if point["attention.location"] == "conv3"
    }


def test_the_layer_and_pooling_that_a_head_reads_make_another_cell_of_networks_from_outside(
    tmp_path,
):
    grid = {"networks.layer": ["layer1", "layer4"], "networks.pooling": ["pooled", "flattened"]}
    more = ("networks.architectures=[alexnet, 'torchvision:resnet18']",)
    planned = plan(Sweep(SMOKE, (*SMALL, *more, "training.seeds=1"), grid))
    for key in ("key", "base"):
        of = {}
        for _, job in planned:
            of.setdefault(job.cell.architecture, set()).add(getattr(job, key))
        assert {name: len(keys) for name, keys in of.items()} == {
            "alexnet": 1,
            "torchvision:resnet18": 4,
        }


def test_weights_that_cannot_be_used_are_one_message(tmp_path, capsys):
    (tmp_path / "mine.safetensors").write_bytes(b"half a file")
    code = main(
        [
            "sweep",
            "--study",
            SMOKE,
            "--set",
            f"output={tmp_path}",
            "networks.pretraining=face",
            "networks.missing_weights=error",
            f"networks.face_weights={tmp_path}/mine.safetensors",
        ]
    )
    err = capsys.readouterr().err
    assert code == 1 and "mine.safetensors: not readable" in err and "Traceback" not in err


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """The folder of a sweep with two seeds, one cell after the other in this process."""
    return run_sweep(small(tmp_path_factory.mktemp("serial"), seeds=2))


@pytest.mark.slow
def test_a_serial_sweep_leaves_a_row_for_each_point_and_does_nothing_twice(serial, capsys):
    results = read_csv(serial / "results.csv")
    assert list(results["attention.location"]) == ["conv3"] * 4 + ["conv5"] * 4
    assert results["computed_in"].isin(["cpu fp32", "cpu bf16", "cuda fp32", "cuda bf16"]).all()
    assert (
        results["test_accuracy"].between(0, 1).all()
        and (results["pse"].notna() | results["reason"].notna()).all()
    )
    assert results["cell"].nunique() == 6 and len(events(serial, "finished")) == 6
    first = (serial / "results.csv").read_bytes()
    run_sweep(small(serial.parent.parent, seeds=2))
    assert "6 done before; 0 to train" in capsys.readouterr().out
    assert (serial / "results.csv").read_bytes() == first and len(events(serial, "started")) == 6


@pytest.mark.slow
def test_on_four_processes_one_of_which_is_killed_nothing_is_lost_or_done_twice(serial, tmp_path):
    killer = threading.Thread(target=kill_a_worker_at_work, args=(tmp_path,))
    killer.start()
    parallel = run_sweep(small(tmp_path, seeds=2, workers=4))
    killer.join()
    for table in ("results.csv", "summary.csv"):
        assert (parallel / table).read_bytes() == (serial / table).read_bytes()
    finished = [line.split()[0] for line in events(parallel, "finished")]
    assert len(finished) == len(set(finished)) == 6
    assert len(events(parallel, "started")) == 7  # the killed one was started again


@pytest.mark.slow
def test_the_running_cluster_of_the_readme_gives_the_same_rows(
    serial, tmp_path, monkeypatch, capsys
):
    """README's lines for SLURM with two local processes in its place: a sweep can use the
    address that they print.
    """

    def slurm_cluster(*, cores, processes, memory, walltime):
        cluster = LocalCluster(
            n_workers=0,
            threads_per_worker=1,
            dashboard_address=None,
            memory_limit=0,
            local_directory=tmp_path,
        )
        scale = (
            cluster.scale
        )  # dask-jobqueue's counts in jobs; closing scales to 0 by the cluster's own
        monkeypatch.setattr(cluster, "scale", lambda n=0, jobs=0: scale(processes if jobs else n))
        clusters.append(cluster)
        return cluster

    def while_it_runs(_):
        address = capsys.readouterr().out.split()[-1]
        folders.append(run_sweep(small(tmp_path, scheduler=address)))
        assert len(clusters[0].workers) == 2  # the sweep leaves somebody else's cluster alone

    clusters, folders = [], []
    monkeypatch.setitem(
        sys.modules, "dask_jobqueue", types.SimpleNamespace(SLURMCluster=slurm_cluster)
    )
    lines = re.search(
        r"```python\n(.*?)```",
        (ROOT / "notebooks/README.md").read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )[1]
    try:
        exec(compile(lines, "notebooks/README.md", "exec"), {"input": while_it_runs})
    finally:
        for cluster in clusters:
            cluster.close()
    rows = (serial / "results.csv").read_text().splitlines()
    seed = rows[0].split(",").index("seed")
    kept = [row for row in rows if row.split(",")[seed] in ("seed", "0")]
    assert (folders[0] / "results.csv").read_text().splitlines() == kept and len(kept) == 5


def test_a_scheduler_that_does_not_answer_is_one_message_with_the_remedy(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(sweep, "CONNECT_S", 0.3)
    code = main(
        [
            "sweep",
            "--study",
            SMOKE,
            "--set",
            f"output={tmp_path}",
            "--grid",
            "training.lr=1e-4",
            "--scheduler",
            "tcp://127.0.0.1:9",
        ]
    )
    err = capsys.readouterr().err
    assert (
        code == 1
        and "--scheduler tcp://127.0.0.1:9: no Dask scheduler answers" in err
        and "Traceback" not in err
    )
    assert "tcp://10.0.0.1:8786" in err


def events(folder, event: str) -> list[str]:
    """``<cell> <line of its journal>`` for every such event."""
    return [
        f"{path.parent.name} {line}"
        for path in sorted(folder.glob("cells/*/journal.txt"))
        for line in path.read_text().splitlines()
        if f" {event} by" in line
    ]


def kill_a_worker_at_work(folder) -> None:
    """SIGKILL the process that began a cell most recently, while it is in the middle of it."""
    sweep_folder = folder / "smoke" / "sweep"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        started, finished = events(sweep_folder, "started"), events(sweep_folder, "finished")
        busy = {line.split()[0]: int(line.split()[-1]) for line in started}
        for line in finished:
            busy.pop(line.split()[0], None)
        if finished and busy:
            worker = psutil.Process(busy.popitem()[1])
            assert worker.pid != os.getpid()
            worker.send_signal(signal.SIGKILL)
            return
        time.sleep(0.01)


def test_a_cell_that_fails_is_named_and_costs_the_others_nothing(tmp_path, monkeypatch):
    def fails(folder, job, *after):
        if job.cell.architecture == "alexnet":
            raise RuntimeError("the training loss is nan")
        return sweep_cells.do_cell(folder, job)

    monkeypatch.setattr(sweep, "do_cell", fails)
    with pytest.raises(
        SweepFailed,
        match=r"(?s)1 of 3 cells.*alexnet-untrained-s0.*RuntimeError: the training loss",
    ):
        run_sweep(small(tmp_path))
    results = read_csv(
        load_study(SMOKE, {"output": str(tmp_path)}).folder / "sweep" / "results.csv"
    )
    assert list(results["architecture"]) == ["fe_alexnet", "fe_alexnet"]


def test_a_sweep_that_went_on_on_another_kind_of_machine_says_so():
    results = pd.DataFrame({"computed_in": ["cpu fp32", "cpu fp32", "cuda bf16"]})
    assert sweep.mixture(results[:2]) == sweep.mixture(pd.DataFrame()) == ""
    assert "2 in cpu fp32, 1 in cuda bf16" in sweep.mixture(results)
    assert "training.device and training.precision" in sweep.mixture(results)


def test_the_summary_gives_students_interval_over_seeds():
    values = np.array([0.7, 0.8, 0.85, 0.75])
    results = pd.DataFrame(
        {
            "training.lr": "1e-4",
            "architecture": "alexnet",
            "pretraining": "untrained",
            "attention": "none",
            "seed": range(4),
            "test_accuracy": values,
            "pse": [0.5, np.nan, 0.4, 0.6],
        }
    )
    table = summarise(results, ["training.lr"]).set_index("measure")
    low, high = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))
    assert table.loc[
        "test_accuracy", ["n_seeds", "mean", "low", "high"]
    ].to_list() == pytest.approx([4, values.mean(), low, high])
    assert table.loc["pse", "n_seeds"] == 3
    assert np.isnan(summarise(results[:1], ["training.lr"]).set_index("measure").loc["pse", "low"])
