"""What looking into networks has found is kept on disk, so that a second look takes seconds.

One file a result in the run's folder, named by all that the result hangs on: the trained networks,
the pictures, the settings, and the code that looks.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from lib.networks.design import Cell
from lib.settings.options import ROOT, resolve
from lib.storage.files import file_hash, file_hashes, settings_hash, write_with
from lib.storage.runs import Run

Result = dict[str, np.ndarray | pd.DataFrame]
# rooms whose code decides what is found
SOURCES = ("mechanisms", "saliency", "parts", "networks", "faces", "pictures", "morphs")
TABLE = "table:"  # in front of the names of tables in a file
WORDS = ("identity", "stimulus", "observer", "seed_name")  # text, also where it is digits alone


def kept(run: Run, name: str, key: Iterable, compute: Callable[[], Result]) -> Result:
    """A result as it was found before, or computed and kept.

    Parameters
    ----------
    name : of the step; in the file's name.
    key : what else it hangs on, JSON-able, such as ``trained(run, cells)`` and ``seen(stimuli)``.
    compute : gives arrays and tables by name.
    """
    digest = settings_hash(name, list(key), code_version(), torch.__version__)
    path = run.folder / "looks" / f"{name}-{digest}.npz"
    if not path.is_file():
        write_with(path, lambda temporary: save(temporary, compute()))
    return load(path)


def save(path: Path, result: Result) -> None:
    """Arrays as they are; tables as CSV text with every digit. Nothing is pickled."""
    arrays = {}
    for name, value in result.items():
        if isinstance(value, pd.DataFrame):
            arrays[TABLE + name] = np.array(value.to_csv(index=False))
        else:
            arrays[name] = np.asarray(value)
    with open(path, "wb") as handle:
        np.savez_compressed(handle, **arrays)


def load(path: Path) -> Result:
    """What ``save`` wrote."""
    found = {}
    with np.load(path, allow_pickle=False) as arrays:
        for name in arrays.files:
            if name.startswith(TABLE):
                found[name.removeprefix(TABLE)] = _table(str(arrays[name]))
            else:
                found[name] = arrays[name]
    return found


def _table(text: str) -> pd.DataFrame:
    """As ``lib.storage.runs.read_csv`` reads, to the last digit."""
    names = pd.read_csv(io.StringIO(text), nrows=0).columns
    return pd.read_csv(
        io.StringIO(text),
        keep_default_na=False,
        na_values=[""],
        dtype={name: str for name in WORDS if name in names},
    )


def trained(run: Run, cells: Iterable[Cell]) -> list[str]:
    """Names of networks with the hash of what says which checkpoint is theirs."""
    found = []
    for cell in cells:
        pointer = run.folder / "checkpoints" / f"{cell.observer}.json"
        found.append(f"{cell.observer} {file_hash(pointer) if pointer.is_file() else ''}")
    return found


def seen(pictures: pd.DataFrame) -> str:
    """A digest of pictures and what is said of them: a table with the column ``path``."""
    hashes = file_hashes(resolve(path) for path in pictures["path"])
    return settings_hash(hashes, pictures.drop(columns="path").to_csv(index=False))


@cache
def code_version() -> str:
    """A digest of the code that decides what is found."""
    paths = [path for room in SOURCES for path in sorted((ROOT / "lib" / room).glob("*.py"))]
    return settings_hash(file_hashes(paths))
