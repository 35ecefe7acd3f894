"""manifest.json: what a run was made from and what it cost."""

from __future__ import annotations

import hashlib
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Protocol

import pandas as pd

from lib.execution.stages import Stage
from lib.settings.loading import Study
from lib.settings.options import ROOT, resolve
from lib.storage.files import file_hash, processors, write_json
from lib.storage.runs import read_csv


class Asked(Protocol):
    """What the command line asked for."""

    study_file: str
    overrides: tuple[str, ...]


def write_manifest(study: Study, request: Asked, stages: list[Stage], *, status: str) -> Path:
    """Write ``manifest.json`` into the run's folder.

    Parameters
    ----------
    request : what was asked for.
    status : running, stopped, partial (some notebooks were not asked for) or complete.
    """
    markers = {stage.name: stage.read_marker() for stage in stages}
    costs = {
        name: {key: marker[key] for key in ("seconds", "peak_memory_mb")}
        for name, marker in markers.items()
        if marker
    }
    return write_json(
        study.folder / "manifest.json",
        {
            "status": status,
            "study": {
                "file": request.study_file,
                "overrides": list(request.overrides),
                "settings": study.to_dict(),
            },
            "revision": revision(),
            "versions": versions(),
            "machine": machine(),
            "seeds": {
                "networks": list(range(study.training.seeds)),
                "split": study.images.split_seed,
                "simulated people": study.observers.simulated.seed,
            },
            "data": data_hashes(study),
            "weights": weights(study.folder),
            "tables": tables(study.folder),
            "notebooks": costs,
            "seconds": round(sum(cost["seconds"] for cost in costs.values()), 1),
            "peak_memory_mb": max((cost["peak_memory_mb"] for cost in costs.values()), default=0.0),
        },
    )


def versions() -> dict[str, str]:
    """Python and every package that environment.yml pins, as installed."""
    pinned = re.findall(
        r"^\s*- ([A-Za-z0-9_.-]+)==",
        (ROOT / "environment.yml").read_text(encoding="utf-8"),
        flags=re.M,
    )
    return {"python": platform.python_version()} | {name: _version(name) for name in pinned}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def revision() -> str | None:
    """The git revision, with ``+changes`` where files differ from it; None outside a repository."""
    commands = (
        ["git", "rev-parse", "HEAD"],
        ["git", "status", "--porcelain", "--untracked-files=no"],
    )
    try:
        head, changes = (
            subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, check=True
            ).stdout.strip()
            for command in commands
        )
    except (subprocess.CalledProcessError, FileNotFoundError):
        return None
    return head + ("+changes" if changes else "")


def machine() -> dict:
    """The hardware that timings depend on."""
    import torch  # here, because it takes seconds

    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processors": processors(),
        "torch_threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def data_hashes(study: Study) -> dict:
    """The number of images and one digest of their hashes (table ``images``), and that of the
    people's file.
    """
    people = study.observers.file and resolve(study.observers.file)
    found = {"people_sha256": file_hash(people) if people and people.is_file() else None}
    path = study.folder / "tables" / "images.csv"
    if not path.is_file():
        return found
    images = read_csv(path)
    rows = images.sort_values("path")[
        ["path", "label", "split", *images.columns.intersection(["sha256"])]
    ]
    digest = hashlib.sha256(rows.to_csv(index=False).encode()).hexdigest()
    return found | {"images": len(images), "images_sha256": digest}


def weights(folder: Path) -> list[dict]:
    """Source and hash of every network's weights, from table ``weights``."""
    path = folder / "tables" / "weights.csv"
    if not path.is_file():
        return []
    columns = ["architecture", "pretraining", "source", "sha256"]
    return read_csv(path)[columns].drop_duplicates().fillna("").to_dict("records")


def tables(folder: Path) -> dict[str, dict]:
    """Rows and hash of every table."""
    return {
        path.stem: {"rows": len(pd.read_csv(path, usecols=[0])), "sha256": file_hash(path)}
        for path in sorted((folder / "tables").glob("*.csv"))
    }
