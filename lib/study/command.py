"""``python -m lib.study check my.yaml`` and ``python -m lib.study new``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from lib.people.trials import TrialError
from lib.settings.loading import StudyError, resolve
from lib.study.check import check_study
from lib.study.new import Answers, StudyExists, ask_for, new_study


def main(arguments: Sequence[str] | None = None, ask: Callable[[str], str] | None = None) -> int:
    """Run the command; the exit code is 0 when the study can run, 1 when something is wrong.

    Parameters
    ----------
    ask : puts a question and returns the answer; None asks on the terminal, where there is one.
    """
    options = _parser().parse_args(arguments)
    try:
        if options.command == "check":
            return check(options.study, options.set)
        return new(options, ask or (input if sys.stdin.isatty() else None))
    except (StudyError, StudyExists, TrialError, OSError) as error:
        print(error, file=sys.stderr)
    except (EOFError, KeyboardInterrupt):
        print("stopped; nothing was written", file=sys.stderr)
    return 1


def check(path: str, overrides: Sequence[str] = ()) -> int:
    """Print everything that is wrong with a study and what a run of it will do."""
    report = check_study(_here_or_root(path), overrides)
    print(report.text(), file=sys.stderr if report.problems else sys.stdout)
    return 1 if report.problems else 0


def new(options: argparse.Namespace, ask: Callable[[str], str] | None) -> int:
    """Write a study from flags, or from questions where no flag is given and someone can answer."""
    answers = Answers(**{name: getattr(options, name) for name in Answers.__dataclass_fields__})
    if answers == Answers() and ask is None:
        print(
            "nothing to make a study from: give --images, --people or "
            "--name (see python -m lib.study new --help), "
            "or answer questions in a terminal",
            file=sys.stderr,
        )
        return 1
    if answers == Answers():
        answers = ask_for(ask)
    path = new_study(answers)
    print(
        f"Wrote {path}. Read it, change what is not right, and look at it again with\n"
        f"  python -m lib.study check {path}\n"
    )
    for line in path.read_text(encoding="utf-8").splitlines():
        if "GUESSED" in line:
            print(f"Look at this line:\n{line}\n")
    return check(str(path))


def _here_or_root(path: str) -> Path:
    """A path as typed in a shell: relative to where one stands if it is there, else to the
    project's root.
    """
    return Path(path).resolve() if Path(path).is_file() else resolve(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lib.study", description="Check a study, or write a new one."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    check_it = commands.add_parser(
        "check", help="everything that is wrong with a study, and what a run will do"
    )
    check_it.add_argument("study", help="a YAML file, such as data/studies/demo.yaml")
    check_it.add_argument(
        "--set", nargs="*", default=[], metavar="KEY=VALUE", help="such as training.epochs=10"
    )
    make = commands.add_parser("new", help="write a commented study")
    make.add_argument("--name", help="name of the study, its file and its run folder")
    make.add_argument(
        "--poles", help="the ends of the morph, such as 'angry,happy'; sad,happy where not given"
    )
    make.add_argument(
        "--images", help="folder of images, or a CSV file; without it the built-in faces are used"
    )
    make.add_argument(
        "--source",
        choices=("folder", "fer2013_csv", "manifest", "filenames"),
        help="how the images are laid out; found out where not given",
    )
    make.add_argument(
        "--pattern",
        help="file names: a regular expression with (?P<label>...) and (?P<identity>...)",
    )
    make.add_argument("--labels", help="your labels, such as 'joy=happy grief=sad'")
    make.add_argument("--morphs", help="folder of your own morphs, with {step} in --morph-pattern")
    make.add_argument("--morph-pattern", help="such as '{identity}_{condition}_{step}.jpg'")
    make.add_argument("--people", help="table of people's answers: .csv, .tsv or .xlsx")
    make.add_argument(
        "--columns",
        help="'observer=participant level=percent response=answer rt_s=rt'; guessed from "
        "the names where not given; names with spaces in quotes, 'rt_s=\"RT (ms)\"'",
    )
    make.add_argument("--codes", help="your codes of the answers, such as 'h=happy s=sad'")
    make.add_argument("--output", help="file to write; data/studies/<name>.yaml where not given")
    return parser
