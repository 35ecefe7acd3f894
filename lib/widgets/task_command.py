"""``python -m lib.task export --study my.yaml``: the observer task as one HTML file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lib.morphs.stimuli import make_stimuli
from lib.pictures.labelled import load_images
from lib.settings.loading import StudyError, load_study
from lib.storage.runs import Stopped, relative
from lib.widgets.observer_task import TaskSettings, choose_stimuli, export_task


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0 when the page was written, 1 when something is wrong."""
    options = _parser().parse_args(arguments)
    try:
        study = load_study(options.study, options.set)
        stimuli = choose_stimuli(
            make_stimuli(study, load_images(study)),
            levels=options.levels,
            identities=options.identities,
            conditions=options.conditions,
        )
        task = TaskSettings(name=study.name, poles=study.poles, repeats=options.repeats)
        path = export_task(stimuli, options.output, task=task)
    except (StudyError, Stopped, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{relative(path)}: {task.length(len(stimuli))}; open it in any browser")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lib.task", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    export = commands.add_parser("export", help="write the task as one HTML file")
    export.add_argument("--study", default="data/studies/demo.yaml", help="whose pictures")
    export.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE")
    export.add_argument("--levels", type=int, default=9, help="steps of the morph")
    export.add_argument("--identities", type=int, default=4, help="faces")
    export.add_argument("--conditions", nargs="+", default=["full"], help="full, eyes, nose, mouth")
    export.add_argument("--repeats", type=int, default=2, help="how often each picture is shown")
    export.add_argument("--output", type=Path, default=Path("task.html"), help="the file to write")
    return parser
