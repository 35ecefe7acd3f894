"""Trials that a Psychtoolbox script saved: vectors of a MATLAB struct, or an array of structs."""

from __future__ import annotations

import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from lib.people.trials import TrialError
from lib.storage.table_files import cell_text

COMPRESSED = 15  # MATLAB's miCOMPRESSED


def mat_structs(path: str | Path) -> dict[str, object]:
    """Everything in a ``.mat`` file, structs as dicts.

    Raises
    ------
    TrialError : no such file, or none that can be read here, with the remedy.
    """
    from scipy.io import loadmat  # here, because few files are such

    try:
        _refuse_damaged(Path(path))
        found = loadmat(path, simplify_cells=True)
    except NotImplementedError:  # HDF5 inside
        raise TrialError(
            f"{Path(path).name} is a MATLAB file of version 7.3; allowed: earlier ones. Save it "
            "again in MATLAB with save(…, '-v7')"
        ) from None
    except Exception as error:  # a damaged file makes the reader stumble in many ways
        reason = " ".join(str(error).split())[:200]
        raise TrialError(f"{Path(path).name} cannot be read as a MATLAB file: {reason}") from None
    return {name: value for name, value in found.items() if not name.startswith("__")}


def _refuse_damaged(path: Path) -> None:
    """ValueError for a file whose damage would end the whole process within SciPy's reader.

    MATLAB compresses by default, with a checksum. What is not compressed is read by a process of
    its own first.
    """
    data = path.read_bytes()
    order = "big" if data[126:128] == b"MI" else "little"
    at = 128
    while data[124:128] and at < len(data):
        kind, size = (int.from_bytes(data[k : k + 4], order) for k in (at, at + 4))
        if kind != COMPRESSED:
            break
        zlib.decompress(data[at + 8 : at + 8 + size])
        at += 8 + size
    if 128 < at == len(data):
        return
    code = "import sys; from scipy.io import loadmat; loadmat(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=False)
    if done.returncode not in (0, 1):  # 1 is an error in words, which comes once more
        raise ValueError("it is damaged")


def trials_of(struct: Mapping | list | np.ndarray) -> pd.DataFrame:
    """The trials of a struct: one column for each vector of the commonest length.

    An array of structs, one a trial, gives a row for each. What is no vector of numbers or words
    (settings, tables, MATLAB's string objects) is left out.
    """
    if not isinstance(struct, Mapping):
        rows = [row for row in struct if isinstance(row, Mapping)]
        plain = {k: [row.get(k) for row in rows] for row in rows[:1] for k in row}
        return pd.DataFrame({k: v for k, v in plain.items() if all(map(np.isscalar, v))})
    vectors = {name: np.asarray(value) for name, value in struct.items()}
    vectors = {k: v for k, v in vectors.items() if v.ndim == 1 and v.dtype.kind in "biufUO"}
    vectors = {k: v for k, v in vectors.items() if v.size > 1 and all(map(np.isscalar, v))}
    if not vectors:
        return pd.DataFrame()
    length = Counter(map(len, vectors.values())).most_common(1)[0][0]
    return pd.DataFrame({name: v for name, v in vectors.items() if len(v) == length})


def read_mat(path: str | Path) -> pd.DataFrame:
    """The trials of the file's struct that has most vectors, every cell as text, NaN as empty.

    Raises
    ------
    TrialError : a file that cannot be read, or without a struct of trials.
    """
    tables = [trials_of(s) for s in mat_structs(path).values() if _may_hold_trials(s)]
    tables = [table for table in tables if len(table)]
    if not tables:
        raise TrialError(
            f"{Path(path).name} holds no struct with a vector for each column of the trials; "
            "allowed: such a struct, or an array of structs, one a trial"
        )
    table = max(tables, key=lambda t: t.shape[1])
    return table.map(lambda cell: cell_text(getattr(cell, "item", lambda: cell)()))


def _may_hold_trials(value: object) -> bool:
    several = isinstance(value, list | np.ndarray) and len(np.atleast_1d(value)) > 1
    return isinstance(value, Mapping) or (
        several and all(isinstance(one, Mapping) for one in np.atleast_1d(value))
    )
