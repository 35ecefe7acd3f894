"""The built-in training, validation and test pictures: people split by split, labels from
levels, real nuisance.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from lib.faces.render import Nuisance, make_identity, render_face
from lib.pictures.reading import keep_pictures
from lib.settings.options import ROOT, Images, Study
from lib.storage.files import file_hash, settings_hash

SPLITS = ("train", "validation", "test")
LEVELS = ((0.0, 0.25), (0.75, 1.0))  # of the negative and the positive pictures
_DEFAULT_COUNTS = {
    "train": 400,
    "validation": 100,
    "test": 100,
}  # for a count of null: all there are has no end


@cache
def drawing_version() -> str:
    """Names the drawing code, so that pictures drawn by an older one are not taken for new."""
    return settings_hash(*[file_hash(path) for path in sorted((ROOT / "lib/faces").glob("*.py"))])


def split_identities(images: Images) -> dict[str, list[int]]:
    """Which built-in people belong to which split: two thirds train, and a sixth each validate and
    test.

    The same study always gives the same people; no one is in two splits.
    """
    order = np.random.default_rng([11, images.split_seed]).permutation(images.identities)
    few = max(1, images.identities // 6)
    ends = {"validation": order[:few], "test": order[few : 2 * few], "train": order[2 * few :]}
    return {split: sorted(int(i) for i in ends[split]) for split in SPLITS}


def wanted(images: Images, split: str) -> int:
    """How many built-in pictures of each class a split has."""
    count = getattr(images, f"n_{split}")
    return (_DEFAULT_COUNTS[split] if count is None else count) // 2


def builtin_set(study: Study, folder: Path) -> pd.DataFrame:
    """Draw the built-in set below ``folder``.

    Returns
    -------
    Columns path, label, split, identity, level, sha256.
    """
    images = study.images
    rows = pd.DataFrame([row for split in SPLITS for row in _plan(study, split)])
    settings = settings_hash(
        drawing_version(),
        images.identities,
        images.split_seed,
        images.diagnosticity,
        [wanted(images, split) for split in SPLITS],
        study.poles,
    )
    place = folder / "faces" / settings
    # person by person: of the heads, which take longer than the rest of a face, only some are kept
    # in memory
    rows = keep_pictures(
        place,
        rows.sort_values("person", kind="stable"),
        lambda row: _draw(row, images),
        "drawing faces",
    ).sort_index()
    paths = [str(place / file) for file in rows["file"]]
    return rows.assign(path=paths)[["path", "label", "split", "identity", "level", "sha256"]]


def _plan(study: Study, split: str) -> list[dict]:
    """One row a picture: person, level and the seed of its nuisance."""
    images = study.images
    people = split_identities(images)[split]
    rows = []
    for side, (label, (low, high)) in enumerate(zip(study.poles, LEVELS, strict=True)):
        for k in range(wanted(images, split)):
            seed = (images.split_seed, SPLITS.index(split), side, k)
            person = people[k % len(people)]
            rows.append(
                {
                    "file": f"{split}/{label}/id{person:03d}_{k:05d}.png",
                    "label": label,
                    "split": split,
                    "identity": f"id{person:03d}",
                    "person": person,
                    "seed": seed,
                    "level": round(np.random.default_rng([12, *seed]).uniform(low, high), 3),
                }
            )
    return rows


def _draw(row, images: Images) -> np.ndarray:
    nuisance = Nuisance.sample(np.random.default_rng([13, *row.seed]))
    return render_face(
        make_identity(row.person), row.level, nuisance=nuisance, diagnosticity=images.diagnosticity
    )
