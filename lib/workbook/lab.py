"""``python -m lib.workbook lab``: working copies of the notebooks, and JupyterLab on them.

The copies lie in the run's folder, so that running them leaves the project's own notebooks as they
are. A copy that a reader has changed is never overwritten.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from lib.settings.loading import load_study
from lib.settings.options import ROOT
from lib.storage.files import file_hash, write_json
from lib.storage.runs import relative

START = "00_start.ipynb"
CONFIGURATION = Path(__file__).parent / "jupyter"


def working_copies(notebooks: Path, folder: Path) -> list[str]:
    """Copy the notebooks into ``folder``; returns the names of those that a reader has changed.

    Parameters
    ----------
    notebooks : folder of the project's ``NN_name.ipynb``.
    folder : where the copies are; made where it is not there.
    """
    record = folder / ".copied.json"
    copied = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
    changed = []
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted(notebooks.glob("[0-9][0-9]_*.ipynb")):
        copy = folder / source.name
        if copy.is_file() and copied.get(source.name) != file_hash(copy):
            changed.append(source.name)
            continue
        shutil.copyfile(source, copy)
        copied[source.name] = file_hash(copy)
    write_json(record, copied)
    return changed


def lab_command(folder: Path) -> list[str]:
    """JupyterLab at the start page; the project's root is served, with README and reports."""
    first = folder / START
    if not first.is_file():
        first = sorted(folder.glob("[0-9][0-9]_*.ipynb"))[0]
    place = first.relative_to(ROOT) if first.is_relative_to(ROOT) else Path(first.name)
    root = ROOT if first.is_relative_to(ROOT) else folder
    return [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url=/lab/tree/{place.as_posix()}",
    ]


def lab_environment(study_file: str, overrides: str) -> dict[str, str]:
    """What the live notebooks inherit: their study, this environment's kernel, no news popup."""
    paths = [str(CONFIGURATION), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    return {
        **os.environ,
        "WORKBOOK_STUDY": study_file,
        "WORKBOOK_SET": overrides,
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_CONFIG_PATH": os.pathsep.join(path for path in paths if path),
    }


def open_lab(study_file: str, overrides: str, notebooks: Path, more: list[str]) -> int:
    """Open JupyterLab on working copies; returns its exit code.

    Parameters
    ----------
    more : JupyterLab's own options, such as ``--no-browser``.
    """
    study = load_study(study_file, overrides)
    folder = study.folder / "lab"
    for name in working_copies(notebooks, folder):
        print(f"{name}: your changed copy is kept; delete it to get the project's own again")
    print(f"working copies of the notebooks: {relative(folder)}/", flush=True)
    environment = lab_environment(study_file, overrides)
    return subprocess.run([*lab_command(folder), *more], env=environment).returncode
