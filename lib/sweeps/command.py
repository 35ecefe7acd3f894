"""A grid of settings times seeds: every cell trained once, by local processes or on a Dask cluster.

``python -m lib.workbook sweep --study … --grid attention.location=conv1,conv3 --grid
training.lr=1e-4,1e-3 --seeds 10``

Dask sends work to processes as Python objects: connect only to a scheduler that you trust. All its
workers need this environment and this folder on a shared disk whose locks (``flock``) hold across
machines, as those of NFS 4 do.

On a SLURM cluster dask-jobqueue starts the workers as jobs, one process each (a cell computes in
one thread, so that its result does not depend on where it ran). Leave this running on the login
node, in the project's folder::

    from dask_jobqueue import SLURMCluster  # pip install dask-jobqueue
    cluster = SLURMCluster(cores=1, processes=1, memory="8GB", walltime="04:00:00",
    queue="your-partition",
                           python=".venv/bin/python", local_directory="/tmp",
                           worker_extra_args=["--lifetime", "230m"])
    cluster.scale(jobs=40)
    print(cluster.scheduler_address)  # tcp://…, for --scheduler

and start the sweep in a second shell with ``--scheduler tcp://…``. Jobs that end, are preempted or
killed cost the cell they were at; cells that are finished stay, and the same command goes on with
the rest.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pandas as pd

from lib.backbones.weights import MissingWeights, WeightsError
from lib.execution.manifest import revision, versions
from lib.settings.loading import load_study
from lib.storage.files import remove_leftovers, write_csv, write_json
from lib.storage.locks import locked
from lib.storage.progress import Progress
from lib.storage.runs import Stopped, read_csv, relative
from lib.sweeps.cells import (
    Job,
    do_cell,
    jobs_of,
    prepare_data,
    prepare_features,
    read_result,
)
from lib.sweeps.collect import collect
from lib.sweeps.grid import Sweep, parse_grid
from lib.sweeps.summary import mixture, summarise

CONNECT_S = 30  # how long a scheduler may take to answer


class SweepFailed(Stopped):
    """Some cells could not be finished; all others are kept."""


def run_sweep(sweep: Sweep) -> Path:
    """Finish every cell and write ``sweep/results.csv`` and ``sweep/summary.csv``; returns the
    sweep's folder.

    Raises
    ------
    StudyError, Stopped : with the message that a reader needs.
    """
    study = load_study(sweep.study_file, sweep.overrides)
    folder = study.folder / "sweep"
    planned = plan(sweep)
    with locked(folder):
        remove_leftovers(folder)
        write_json(
            folder / "sweep.json",
            {
                "study": sweep.study_file,
                "overrides": list(sweep.overrides),
                "grid": sweep.grid,
                "settings": study.to_dict(),
                "revision": revision(),
                "versions": versions(),
            },
        )
        different = list({job.key: job for _, job in planned}.values())
        failures = _finish(folder, different, sweep)
        results = collect(folder, planned)
        write_csv(folder / "results.csv", results)
        write_csv(folder / "summary.csv", summarise(results, list(sweep.grid)))
    if failures:
        listed = "\n".join(f"  {name}: {reason}" for name, reason in failures.items())
        raise SweepFailed(
            f"{len(failures)} of {len(different)} cells could not be "
            f"finished:\n{listed}\nAll others are "
            "kept; the same command tries these again"
        )
    return folder


def plan(sweep: Sweep) -> list[tuple[dict, Job]]:
    """Every cell at every point of the grid; equal cells at different points carry the same key.

    Raises
    ------
    StudyError, SweepFailed : a point that is no study, or weights that are not at hand or cannot be
        used.
    """
    try:
        return [(point, job) for point, study in sweep.points() for job in jobs_of(study)]
    except (MissingWeights, WeightsError) as error:
        raise SweepFailed(str(error)) from None


def _finish(folder: Path, jobs: list[Job], sweep: Sweep) -> dict[str, str]:
    """Run all jobs that have no result yet; returns the reasons of those that failed."""
    waiting = [job for job in jobs if read_result(folder, job) is None]
    where = sweep.scheduler or (
        f"{sweep.workers} local processes" if sweep.workers else "this process"
    )
    print(
        (
            f"{len(jobs)} different cells, {len(jobs) - len(waiting)} done "
            f"before; {len(waiting)} to train on {where}"
        ),
        flush=True,
    )
    if not waiting:
        return {}
    with Progress("cells", len(waiting)) as progress:
        if sweep.scheduler or sweep.workers:
            return _with_dask(folder, waiting, sweep, progress)
        return _one_by_one(folder, waiting, progress)


def _one_by_one(folder: Path, jobs: list[Job], progress: Progress) -> dict[str, str]:
    failures: dict[str, str] = {}
    for group in _groups(jobs):
        _try(lambda group=group: prepare_data(folder, group[0]), group, failures)
        _try(
            lambda group=group: prepare_features(folder, group, os.cpu_count() or 1),
            group,
            failures,
        )
        for job in group:
            _try(lambda job=job: do_cell(folder, job), [job], failures)
            progress.step()
    return failures


def _try(work: Callable[[], object], jobs: Iterable[Job], failures: dict[str, str]) -> None:
    """Do it, or note why not, unless that is known: a cell that diverges must not cost the
    others.
    """
    names = [f"{job.cell.observer} ({job.key})" for job in jobs]
    if failures.keys() & set(names):
        return
    try:
        work()
    except (ValueError, RuntimeError, OSError) as error:
        failures.update(dict.fromkeys(names, f"{type(error).__name__}: {error}"))


def _with_dask(folder: Path, jobs: list[Job], sweep: Sweep, progress: Progress) -> dict[str, str]:
    """The same on Dask: data, then features, then cells; a worker that dies is replaced and its
    work given on.
    """
    from distributed import as_completed

    failures: dict[str, str] = {}
    with _client(sweep) as client:
        futures = {}
        threads = max(1, (os.cpu_count() or 1) // max(sweep.workers, 1))
        for group in _groups(jobs):
            data = client.submit(
                prepare_data, folder, group[0], key=f"data-{group[0].data}", pure=False
            )
            base = client.submit(
                prepare_features,
                folder,
                group,
                threads,
                data,
                key=f"features-{group[0].base}",
                pure=False,
            )
            futures |= {
                client.submit(do_cell, folder, job, base, key=f"cell-{job.key}", pure=False): job
                for job in group
            }
        for future in as_completed(list(futures)):
            _try(future.result, [futures[future]], failures)
            progress.step()
    return failures


@contextmanager
def _client(sweep: Sweep):
    """A client of the scheduler that is given, or of local processes that live as long as the
    sweep.
    """
    import dask
    from distributed import Client, LocalCluster
    from distributed.utils import get_mp_context

    with ExitStack() as stack:
        stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": 10}))
        if sweep.scheduler:
            yield stack.enter_context(_connected(sweep.scheduler))
            return
        if (
            sys.platform == "linux"
        ):  # processes begin as copies of one that has done the imports; not safe elsewhere
            stack.enter_context(
                dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
            )
            get_mp_context().set_forkserver_preload(["distributed", "lib.sweeps.cells"])
        scratch = stack.enter_context(tempfile.TemporaryDirectory())
        # no memory limit: memory-mapped features count as a process's own, which would be killed
        # for nothing
        cluster = stack.enter_context(
            LocalCluster(
                n_workers=sweep.workers,
                threads_per_worker=1,
                processes=True,
                memory_limit=0,
                dashboard_address=None,
                local_directory=scratch,
            )
        )
        yield stack.enter_context(Client(cluster))


def _connected(scheduler: str):
    from distributed import Client

    try:
        return Client(scheduler, timeout=CONNECT_S)
    except (OSError, ValueError) as error:
        raise SweepFailed(
            f"--scheduler {scheduler}: no Dask scheduler answers "
            f"({' '.join(str(error).split())[:120]}). "
            "Allowed: the address that it prints when it starts, such as "
            "tcp://10.0.0.1:8786; without "
            "--scheduler the sweep runs on this machine"
        ) from None


def _groups(jobs: Iterable[Job]) -> list[list[Job]]:
    """Jobs that share data and convolutions, together."""
    groups: dict[str, list[Job]] = {}
    for job in jobs:
        groups.setdefault(job.base, []).append(job)
    return list(groups.values())


def command_sweep(study_file: str, options: argparse.Namespace) -> None:
    """``python -m lib.workbook sweep``; prints where the tables are and test accuracies with
    their intervals.
    """
    seeds = () if options.seeds is None else (f"training.seeds={options.seeds}",)
    folder = run_sweep(
        Sweep(
            study_file,
            (*options.set, *seeds),
            parse_grid(options.grid),
            options.scheduler,
            options.workers,
        )
    )
    summary = pd.read_csv(folder / "summary.csv", keep_default_na=False)
    shown = summary[summary["measure"] == "test_accuracy"].drop(columns="measure")
    print(
        f"\ntest accuracy, mean over seeds with 95 % interval\n{shown.to_string(index=False)}\n\n"
        f"{mixture(read_csv(folder / 'results.csv'))}"
        f"all: {relative(folder / 'results.csv')}, {relative(folder / 'summary.csv')}",
        file=sys.stdout,
    )
