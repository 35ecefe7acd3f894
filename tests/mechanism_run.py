"""A run whose networks are small and need no training, for the tests of what looks into
networks.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from PIL import Image

from lib.faces.render import make_identity, part_regions, render_face
from lib.morphs.hiding import occlude
from lib.networks.attention import make_block
from lib.networks.design import Cell
from lib.networks.network import Attention, Network
from lib.saliency.known_cues import small_network
from lib.settings.loading import load_study
from lib.storage.runs import Run

LEVELS = (0.0, 0.5, 1.0)
CELLS = [
    Cell("alexnet", "untrained", seed=0),
    Cell("fe_alexnet", "untrained", Attention(), seed=0),
    Cell("fe_alexnet", "untrained", Attention(), seed=1),
]


def small_run(folder, **changes) -> Run:
    given = {
        "output": str(folder),
        "saliency.faces": 2,
        "saliency.levels": [0.0, 1.0],
        "saliency.n_permutations": 19,
    }
    return Run(load_study("data/studies/smoke.yaml", given | changes), "05")


def small_stimuli(folder, people=(0, 1)) -> pd.DataFrame:
    """Built-in faces at three levels, whole and without the mouth: table ``stimuli``."""
    rows = []
    for person in people:
        identity, name = make_identity(person), f"id{person:03d}"
        for level in LEVELS:
            face = render_face(identity, level)
            for condition in ("full", "mouth"):
                shown = (
                    face if condition == "full" else occlude(face, part_regions(identity)["mouth"])
                )
                path = folder / f"{name}_{condition}_{level}.png"
                Image.fromarray(shown).save(path)
                rows.append(
                    {
                        "stimulus": path.stem,
                        "path": str(path),
                        "identity": name,
                        "condition": condition,
                        "level": level,
                    }
                )
    return pd.DataFrame(rows)


def labelled_faces(stimuli: pd.DataFrame) -> pd.DataFrame:
    """The two ends of each face as labelled photographs of different people."""
    ends = stimuli[stimuli["level"] != 0.5].reset_index(drop=True)
    return ends.assign(
        label=np.where(ends["level"] > 0.5, "happy", "sad"), identity=[f"p{k}" for k in ends.index]
    )


def small_networks() -> dict[Cell, Network]:
    """A network a cell, all on the same convolutions; AlexNet has no block."""
    shared = small_network(0)
    networks = {
        CELLS[0]: Network(shared.features, shared.classifier, make_block(None, 0, None)).eval()
    }
    for cell in CELLS[1:]:
        own = small_network(cell.seed)
        networks[cell] = Network(shared.features, own.classifier, own.block, "conv5").eval()
    return networks


class Loader:
    """Stands in for ``lib.training.train.load_trained`` and counts."""

    def __init__(self):
        self.networks, self.calls = small_networks(), []

    def __call__(self, run: Run, cell: Cell) -> Network:
        self.calls.append(cell.observer)
        return self.networks[replace(cell)]
