"""Run the notebooks of a study without a screen: ``python -m lib.workbook run --study … --set
key=value``.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from lib.backbones.weight_files import OWN
from lib.execution.manifest import write_manifest
from lib.execution.notebooks import NotebookFailed, execute
from lib.execution.stages import Stage, stages
from lib.networks.devices import DeviceError
from lib.report.page import write_report
from lib.settings.loading import Study, StudyError, load_study
from lib.settings.options import ROOT
from lib.storage.files import FULL, remove_leftovers
from lib.storage.locks import locked
from lib.storage.progress import clock
from lib.storage.runs import Stopped, read_csv, relative
from lib.workbook.arguments import NOTEBOOKS, parser
from lib.workbook.lab import open_lab

STOPPED, INTERRUPTED = 1, 130


@dataclass(frozen=True)
class Request:
    """What the command line asks for."""

    study_file: str
    overrides: tuple[str, ...] = ()
    resume: bool = False
    only: tuple[str, ...] = ()
    notebooks: Path = NOTEBOOKS  # folder of NN_name.ipynb

    @property
    def parameters(self) -> dict[str, str]:
        """Values for the notebooks' cell tagged ``parameters``."""
        return {"study": self.study_file, "overrides": shlex.join(self.overrides)}


def run(request: Request) -> Path:
    """Execute the notebooks in order and write manifest, workbook of tables and report; returns the
    run's folder.

    Raises
    ------
    StudyError, Stopped : with the message that a reader needs.
    """
    study = load_study(request.study_file, request.overrides)
    remove_leftovers(ROOT / "data" / "derived")
    with locked(study.folder):
        remove_leftovers(study.folder)
        if study.weights.download:
            _download_weights(study)
        _run_stages(request, study)
    return study.folder


def _run_stages(request: Request, study: Study) -> None:
    everything = stages(study, request.notebooks)
    wanted = [stage for stage in everything if not request.only or stage.number in request.only]
    print(
        (
            f"study {study.name!r}, {len(wanted)} of {len(everything)} "
            f"notebooks, into {relative(study.folder)}/"
        ),
        flush=True,
    )
    if not (request.resume or request.only):
        _clear_folder(study.folder, everything)
    write_manifest(study, request, everything, status="running")
    try:
        for place, stage in enumerate(wanted, 1):
            print(f"[{place}/{len(wanted)}] {stage.name}", flush=True)
            _run_stage(request, stage, everything)
    except Stopped:
        write_manifest(study, request, everything, status="stopped")
        raise
    complete = all(stage.read_marker() for stage in everything)
    write_manifest(study, request, everything, status="complete" if complete else "partial")
    for line in _say_weights(study):
        print(line)
    print(f"report: {relative(write_report(study.folder))}", flush=True)


def _run_stage(request: Request, stage: Stage, everything: list[Stage]) -> None:
    before = everything[: everything.index(stage)]
    key = stage.key(before)
    if request.resume and stage.done(key):
        print("      done before, kept", flush=True)
        return
    # what comes later is built on this stage; with --only it is left alone, and --resume finds that
    # it is stale
    for late in [stage] if request.only else everything[len(before) :]:
        late.clear()
    started = time.time()
    cost = execute(stage.notebook, stage.executed, request.parameters)
    stage.check(started)
    stage.mark(key, cost)
    print(
        f"      done in {clock(cost.seconds)}, peak memory {cost.peak_memory_mb / 1024:.1f} GB",
        flush=True,
    )


def _say_weights(study: Study) -> list[str]:
    """Which networks went without the weights that the study wants, and which were left out:
    once, in plain words.
    """
    table, left_out = (study.folder / "tables" / f"{name}.csv" for name in ("weights", "left_out"))
    lines = []
    wanted = study.networks.pretraining
    if table.is_file() and wanted != "untrained":
        rows = read_csv(table)
        have = rows.groupby("architecture")["pretraining"].agg(set)
        trained = [name for name in study.networks.architectures if name in have]
        instead = {name: have[name] for name in trained if have[name].isdisjoint({wanted, OWN})}
        own = [name for name, bases in instead.items() if "objects" in bases]
        untrained = [name for name in instead if name not in own]
        said = (
            [f"UNTRAINED, for want of {wanted} weights: {', '.join(untrained)}"]
            if untrained
            else []
        )
        said += [f"pretrained on generated objects instead: {', '.join(own)}"] if own else []
        if said:
            lines.append(
                f"note: {'; '.join(said)}. `make weights` gets torchvision's ImageNet weights once"
            )
    if left_out.is_file():
        lines += [
            f"note: left out: {row.reason}; {row.remedy}" for row in read_csv(left_out).itertuples()
        ]
    return lines


def _clear_folder(folder: Path, everything: list[Stage]) -> None:
    """Remove earlier results, their markers first; checkpoints stay, for they are kept by their
    settings.
    """
    for stage in everything:
        stage.marker.unlink(missing_ok=True)
    for name in ("tables", "figures", "notebooks"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in ("report.html", "tables.xlsx", "manifest.json"):
        (folder / name).unlink(missing_ok=True)


def _download_weights(study: Study) -> None:
    """Get torchvision's weights where the study asks for it; imported here, for torch takes
    seconds.
    """
    from lib.backbones.download import DownloadError, download
    from lib.backbones.weights import WeightsError

    try:
        download(study.networks.architectures)
    except (DownloadError, WeightsError) as error:
        raise NotebookFailed(f"weights.download: {error}") from None


def study_path(given: str) -> str:
    """A study as notebooks get it: relative to the root where it lies inside, wherever the
    command was given.
    """
    here = Path(given).expanduser()
    if (ROOT / given).is_file() or not here.is_file():
        return given
    return relative(here.resolve())


def command(options: argparse.Namespace, more: list[str]) -> int:
    """Do what the command line says; returns the exit code.

    Parameters
    ----------
    more : options of JupyterLab, for ``lab``.
    """
    study = study_path(options.study)
    if options.command == "run":
        run(Request(study, tuple(options.set), options.resume, options.only, NOTEBOOKS))
        return 0
    if options.command == "lab":
        return open_lab(study, shlex.join(options.set), NOTEBOOKS, more)
    from lib.sweeps.command import command_sweep  # here, because it loads torch and Dask

    command_sweep(study, options)
    return 0


def main(arguments: list[str] | None = None) -> int:
    """The command; every expected failure is one message and exit code 1, an interruption is
    130.
    """
    signal.signal(signal.SIGTERM, _as_interrupt)
    words = parser()
    options, more = words.parse_known_args(arguments)
    if more and options.command != "lab":
        words.error(f"unrecognized arguments: {' '.join(more)}")
    try:
        return command(options, more)
    except KeyboardInterrupt:
        print("\ninterrupted; --resume goes on from here", file=sys.stderr)
        return INTERRUPTED
    except (Stopped, StudyError, DeviceError) as error:
        print(f"\n{error}", file=sys.stderr)
        return STOPPED
    except OSError as error:
        if error.errno not in FULL:
            raise
        said = str(error) if "disk is full" in str(error) else f"the disk is full: {error}"
        print(
            f"\n{said}\nWhat was finished is kept: free some space and run again with --resume",
            file=sys.stderr,
        )
        return STOPPED


def _as_interrupt(number, frame) -> None:
    raise KeyboardInterrupt
