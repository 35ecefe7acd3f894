"""The command line of ``python -m lib.workbook``."""

from __future__ import annotations

import argparse
import os

from lib.settings.options import ROOT

NOTEBOOKS = ROOT / "notebooks"


def parser() -> argparse.ArgumentParser:
    """``run``, ``lab`` and ``sweep`` with their options."""
    main = argparse.ArgumentParser(
        prog="python -m lib.workbook", description="Run a study's notebooks, or open them."
    )
    commands = main.add_subparsers(dest="command", required=True)
    _add_run(commands.add_parser("run", help="run the notebooks of a study in order"))
    lab = commands.add_parser("lab", help="open working copies of the notebooks in JupyterLab")
    _add_study(lab)
    sweep = commands.add_parser("sweep", help="train a study's networks over a grid of settings")
    _add_sweep(sweep)
    return main


def _add_study(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--study", default="data/studies/demo.yaml", help="a study file (default: %(default)s)"
    )
    command.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="settings that differ from the study file, such as training.epochs=10",
    )


def _add_run(command: argparse.ArgumentParser) -> None:
    _add_study(command)
    command.add_argument(
        "--resume", action="store_true", help="keep what is done and current, go on with the rest"
    )
    command.add_argument(
        "--only", type=_numbers, default=(), metavar="04[,05]", help="just these notebooks"
    )


def _add_sweep(command: argparse.ArgumentParser) -> None:
    _add_study(command)
    command.add_argument(
        "--grid", action="append", default=[], metavar="KEY=V1,V2", help="a setting and its values"
    )
    command.add_argument(
        "--seeds", type=int, help="seeds of every point; the same as --set training.seeds=…"
    )
    command.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        help="local processes (default: %(default)s); 0: one point after the other in this process",
    )
    command.add_argument(
        "--scheduler", metavar="tcp://HOST:PORT", help="a running Dask scheduler instead"
    )


def _numbers(text: str) -> tuple[str, ...]:
    known = sorted(path.name[:2] for path in NOTEBOOKS.glob("[0-9][1-9]_*.ipynb"))
    numbers = tuple(word.strip().zfill(2) for word in text.split(",") if word.strip())
    unknown = [number for number in numbers if number not in known]
    if unknown or not numbers:
        raise argparse.ArgumentTypeError(
            f"{text!r} given; allowed: {', '.join(known)}, separated by commas"
        )
    return numbers
