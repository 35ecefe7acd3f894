"""Control pictures: whole faces with a patch of a part's area hidden, off the parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from lib.morphs.hiding import control_patch, occlude
from lib.morphs.stimuli import regions_of
from lib.pictures.reading import keep_pictures, read_image
from lib.settings.options import PARTS, ROOT, Study, resolve
from lib.storage.files import file_hash, file_hashes, settings_hash
from lib.storage.runs import relative

CONTROL = "control_"  # in front of the part whose area is hidden elsewhere
FACES, LEVELS = 12, 12  # at most: every further picture goes through every network


def profile_stimuli(stimuli: pd.DataFrame) -> pd.DataFrame:
    """The stimuli that part profiles are measured on: all conditions of at most ``FACES``
    identities at ``LEVELS`` levels, evenly chosen, the ends among them.
    """
    names = list(dict.fromkeys(stimuli["identity"]))[:FACES]
    rows = stimuli[stimuli["identity"].isin(names)]
    shared = rows.groupby("level")["identity"].nunique()
    levels = np.sort(shared.index[shared == shared.max()].to_numpy(float))
    wanted = np.linspace(levels[0], levels[-1], min(LEVELS, len(levels)))
    chosen = {levels[np.abs(levels - one).argmin()] for one in wanted}
    return rows[rows["level"].isin(chosen)].reset_index(drop=True)


def control_stimuli(
    study: Study, stimuli: pd.DataFrame, seed: int = 0, folder: Path | None = None
) -> pd.DataFrame:
    """Whole faces with a patch hidden, drawn where they are not there yet.

    A patch is where ``control_patch`` puts it for a face, the same along its morph.

    Parameters
    ----------
    stimuli : rows of table ``stimuli``; their whole faces get a patch for each part that is hidden
        in others.
    folder : where the pictures are kept; None is data/derived.

    Returns
    -------
    rows like ``stimuli``, condition ``control_eyes``, ``control_nose``, ``control_mouth``; empty
    where no part is hidden.
    """
    parts = [part for part in PARTS if (stimuli["condition"] == part).any()]
    whole = stimuli[stimuli["condition"] == "full"].reset_index(drop=True)
    rows = pd.concat(
        [_renamed(whole, part) for part in parts] or [whole[:0].assign(face=0, part="")],
        ignore_index=True,
    )
    if rows.empty:
        return rows.drop(columns=["face", "part"])
    paths = [resolve(path) for path in whole["path"]]
    regions = regions_of(study, whole)
    code = file_hash(ROOT / "lib/morphs/hiding.py")
    boxes = {part: np.packbits(mask).tobytes().hex() for part, mask in regions.items()}
    key = settings_hash(list(rows["stimulus"]), file_hashes(paths), boxes, code, seed)
    place = (folder or ROOT / "data/derived") / "controls" / key
    rows["file"] = rows["stimulus"] + ".png"

    def draw(row) -> np.ndarray:
        masks = {p: m if m.ndim == 2 else m[row.face] for p, m in regions.items()}
        rng = np.random.default_rng([seed, *row.identity.encode(), PARTS.index(row.part)])
        return occlude(read_image(paths[row.face]), control_patch(masks[row.part], masks, rng))

    keep_pictures(place, rows, draw, "drawing control patches")
    rows["path"] = [relative(place / file) for file in rows["file"]]
    return rows.drop(columns=["face", "part", "file"])


def _renamed(whole: pd.DataFrame, part: str) -> pd.DataFrame:
    """Whole faces as rows of a part's control condition."""
    named = whole["stimulus"] + "_" + CONTROL + part
    return whole.assign(stimulus=named, condition=CONTROL + part, part=part, face=whole.index)
