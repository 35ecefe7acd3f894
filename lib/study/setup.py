"""Is everything there that the workbook needs? A small table that says what to do where it is
not.
"""

from __future__ import annotations

import platform
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

import pandas as pd
import psutil

from lib.backbones.weight_files import find
from lib.settings.loading import StudyError, load_study
from lib.settings.options import ARCHITECTURES, ROOT, Study, resolve

OK = "ok"
NOTE = "note"
PROBLEM = "problem"
# of the default study: heads of 15 networks, features, pictures
DISK_GB = 8.0
MEMORY_GB = 5.0

Finding = tuple[str, str, str]  # what was found; ok, note or problem; what to do


def check_setup(study: Study) -> pd.DataFrame:
    """Look at the installation as a study needs it; takes a second or two.

    Returns
    -------
    Columns check, found, state (ok, note, problem), what_to_do (empty where all is well).
    """
    checks: dict[str, Callable[[Study], Finding]] = {
        "Python": _python,
        "packages": _packages,
        "torchvision": _torchvision,
        "GPU": _gpu,
        "memory": _memory,
        "disk": _disk,
        "weights": _weights,
    }
    rows = [(name, *look(study)) for name, look in checks.items()]
    return pd.DataFrame(rows, columns=["check", "found", "state", "what_to_do"])


def setup_in_words(setup: pd.DataFrame) -> str:
    """Whether anything stops the study, in a sentence.

    Parameters
    ----------
    setup : what ``check_setup`` returned.
    """
    problems = setup.loc[setup["state"] == PROBLEM, "check"]
    if problems.empty:
        return "Everything that this study needs is there."
    return (
        f"**{len(problems)} things stop this study**: {', '.join(problems)}; the last column says "
        "what to do."
    )


def pinned(text: str) -> dict[str, str]:
    """The versions that environment.yml pins, by package, python among them.

    Example
    -------
    >>> pinned("- python=3.11\\n- numpy==2.4.6")
    {'python': '3.11', 'numpy': '2.4.6'}
    """
    return dict(
        re.findall(r"^\s*- ([A-Za-z0-9_.-]+?)={1,2}([0-9][^\s#]*)", text, flags=re.MULTILINE)
    )


def _pins() -> dict[str, str]:
    return pinned((ROOT / "environment.yml").read_text(encoding="utf-8"))


def _python(study: Study) -> Finding:
    wanted = _pins()["python"]
    have = platform.python_version()
    if have.startswith(f"{wanted}."):
        return have, OK, ""
    return (
        f"{have} (pinned {wanted})",
        NOTE,
        f"tested with {wanted}: make PYTHON=python{wanted}, or conda",
    )


def installed(name: str) -> str | None:
    """A package's version without its local part (``2.13.0+cpu`` is 2.13.0); None where it is
    not installed.
    """
    try:
        return metadata.version(name).partition("+")[0]
    except metadata.PackageNotFoundError:
        return None


def _packages(study: Study) -> Finding:
    pins = {name: version for name, version in _pins().items() if name != "python"}
    have = {name: installed(name) for name in pins}
    missing = [name for name, version in have.items() if version is None]
    other = [
        f"{name} {have[name]} (pinned {pins[name]})"
        for name in pins
        if have[name] not in (None, pins[name])
    ]
    remedy = "remove .venv and run `make`, or `conda env update -f environment.yml`"
    if missing:
        return f"not installed: {', '.join(missing)}", PROBLEM, remedy
    if other:
        return ", ".join(other), NOTE, f"results may differ in the last digits; {remedy}"
    return f"all {len(pins)} as pinned", OK, ""


def _torchvision(study: Study) -> Finding:
    import torch

    from lib.backbones.vision import torchvision

    have = f"torch {torch.__version__}, torchvision {torchvision.__version__}"
    try:
        torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
    except (NotImplementedError, RuntimeError):
        return f"{have}; without its compiled operators", OK, "nothing: no network here uses them"
    return f"{have}, operators work", OK, ""


def _gpu(study: Study) -> Finding:
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name(), OK, ""
    if torch.backends.mps.is_available():
        return "Apple's, by way of mps", OK, ""
    if shutil.which("nvidia-smi"):
        return (
            "one is there, but this torch cannot use it",
            NOTE,
            "install torch with CUDA, see pytorch.org",
        )
    remedy = "nothing for the default study; large studies are quicker with one"
    wanted = study.training.device
    if wanted in ("cuda", "mps"):
        return f"none, and the study asks for {wanted}", PROBLEM, "set training.device=auto"
    return f"none; {torch.get_num_threads()} processor threads", OK, remedy


def _memory(study: Study) -> Finding:
    free = psutil.virtual_memory().available / 1e9
    if free >= MEMORY_GB:
        return f"{free:.0f} GB available", OK, ""
    return (
        f"{free:.1f} GB available",
        NOTE,
        f"close other programs; the default study needs {MEMORY_GB:.0f} GB",
    )


def _disk(study: Study) -> Finding:
    folder = next(p for p in (study.folder, *study.folder.parents) if p.exists())
    free = shutil.disk_usage(folder).free / 1e9
    if free >= DISK_GB:
        return f"{free:.0f} GB free", OK, ""
    state = PROBLEM if free < 1 else NOTE
    return (
        f"{free:.1f} GB free",
        state,
        "free some; `python -m lib.study check <study>` tells how much a study needs",
    )


def _weights(study: Study) -> Finding:
    wanted = study.networks.pretraining
    if wanted == "untrained":
        return "none needed", OK, ""
    built_in = [name for name in study.networks.architectures if name in ARCHITECTURES]
    backbones = list(dict.fromkeys("alexnet" if "alexnet" in a else a for a in built_in))
    there = [
        b
        for b in backbones
        if find(b, wanted, weights_dir=study.weights_dir, face_weights=study.networks.face_weights)
    ]
    missing = [b for b in backbones if b not in there]
    found = f"{wanted}: {', '.join(there) or 'none'}" + (
        f"; missing: {', '.join(missing)}" if missing else ""
    )
    if not missing:
        return found, OK, ""
    state = PROBLEM if study.networks.missing_weights == "error" else NOTE
    then = {
        "error": "the run stops",
        "leave_out": "these networks are left out",
        "untrained": "these networks stay untrained",
        "objects": "the project's own (generated objects) take their place where there are some",
    }[study.networks.missing_weights]
    remedy = (
        "`make weights` gets them once"
        if wanted == "imagenet"
        else "name your file in networks.face_weights"
    )
    return found, state, f"{remedy}; without them {then}"


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m lib.setup_check [study.yaml]``: print the table; exit code 1 where something
    stops a run.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        study = load_study(
            resolve(Path(arguments[0])) if arguments else ROOT / "data/studies/demo.yaml"
        )
    except StudyError as error:
        print(error, file=sys.stderr)
        return 1
    table = check_setup(study)
    for row in table.itertuples():
        print(f"{row.state:<8} {row.check:<12} {row.found}")
        if row.what_to_do:
            print(f"{'':<21} {row.what_to_do}")
    return int((table["state"] == PROBLEM).any())
