"""The test that photographs cannot give: faces whose only cue is one part, and whether a saliency method finds it.

Small heads are trained on built-in faces in which only the mouth (or only the eyes) carries the expression. A method
is then asked on new people where the evidence was; the right answer is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn

from lib.attention import make_block
from lib.devices import Device
from lib.enrichment import enrichment
from lib.faces import PARTS, Nuisance, make_identity, part_regions, render_face
from lib.heads import Data, train_head
from lib.networks import Network
from lib.panel import Panel
from lib.saliency import enlarge, explain, normalise, occlusion_maps
from lib.saliency_checks import cascade
from lib.settings import Training

FIRST_TRAINED, FIRST_NEW = 2000, 3000  # people of the training and the test faces; the studies' are numbered from 0
RECIPE = Training(epochs=30, lr=1e-3, batch=32)
METHODS = {"gradcam": {}, "hirescam": {}, "occlusion": {}, "integrated_gradients": {"steps": 8}}
N_TRAIN, N_VALIDATION, N_PEOPLE = 160, 40, 2


@dataclass(frozen=True)
class CueFaces:
    """images uint8 (n, 224, 224, 3), labels (n,) 0 sad 1 happy, regions: part -> bool (n, 224, 224)."""

    cue: str
    images: np.ndarray
    labels: np.ndarray
    regions: dict[str, np.ndarray]

    @property
    def panel(self) -> Panel:
        return Panel(self.images)


def training_faces(cue: str, n: int, rng: np.random.Generator, *, people: int = 20) -> CueFaces:
    """Faces of ``people`` persons under varied light and pose, sad (level to 0.4) or happy (from 0.6) by ``cue`` alone.

    Raises
    ------
    ValueError : an unknown part.
    """
    labels = np.arange(n) % 2
    who = [FIRST_TRAINED + k * people // n for k in range(n)]
    levels = np.where(labels == 1, rng.uniform(0.6, 1, n), rng.uniform(0, 0.4, n))
    return _render(cue, who, levels, labels, [Nuisance.sample(rng) for _ in range(n)])


def new_faces(cue: str, people: int, levels: Sequence[float] = (0.0, 1.0)) -> CueFaces:
    """The same cue in persons that no network was trained on, in neutral pose and light."""
    pairs = [(FIRST_NEW + k, level) for k in range(people) for level in levels]
    return _render(cue, [p[0] for p in pairs], [p[1] for p in pairs], np.array([p[1] > 0.5 for p in pairs]).astype(int),
                   [Nuisance.neutral()] * len(pairs))


def _render(cue: str, who: list[int], levels, labels: np.ndarray, nuisances: list[Nuisance]) -> CueFaces:
    if cue not in PARTS:
        raise ValueError(f"cue {cue!r} given; allowed: {', '.join(PARTS)}")
    weights = {part: float(part == cue) for part in PARTS}
    images, regions = [], {part: [] for part in PARTS}
    for person, level, nuisance in zip(who, levels, nuisances, strict=True):
        identity = make_identity(person)
        images.append(render_face(identity, float(level), nuisance=nuisance, diagnosticity=weights))
        for part, mask in part_regions(identity, nuisance=nuisance).items():
            regions[part].append(mask)
    return CueFaces(cue, np.stack(images), labels, {part: np.stack(masks) for part, masks in regions.items()})


def new_reader(features: nn.Sequential, seed: int, *, outputs: int = 9216) -> Network:
    """AlexNet's convolutions with one linear layer that reads them; ``seed`` decides the layer."""
    generator = torch.Generator().manual_seed(seed)
    layer = nn.Linear(outputs, 2)
    nn.init.uniform_(layer.weight, -outputs ** -0.5, outputs ** -0.5, generator=generator)
    nn.init.zeros_(layer.bias)
    return Network(features, nn.Sequential(nn.Dropout(0.5), layer), make_block(None, 0, None)).eval()


def train_readers(features: nn.Sequential, train: CueFaces, validation: CueFaces, seeds: Sequence[int],
                  recipe: Training = RECIPE) -> tuple[list[Network], list[float]]:
    """Linear readers of frozen convolutions, one a seed, and their validation accuracies.

    Features are standardised by channel on the training faces, as the workbook does for untrained convolutions.
    """
    with torch.no_grad():
        maps = torch.cat([features(batch) for faces in (train, validation) for batch in faces.panel.batches()])
    labels = torch.from_numpy(np.concatenate([train.labels, validation.labels]))
    rows = {"train": np.arange(len(train.labels)), "validation": np.arange(len(train.labels), len(labels))}
    seen = maps[:len(train.labels)]
    readers, accuracies = [], []
    for seed in seeds:
        reader = new_reader(features, seed, outputs=maps[0].numel())
        reader.standardise(seen.mean(dim=(0, 2, 3)), seen.std(dim=(0, 2, 3)))
        fit = train_head(reader, Data(maps, labels, rows), recipe, seed=seed, device=Device())
        readers.append(reader)
        accuracies.append(max(row["validation_accuracy"] for row in fit.history))
    return readers, accuracies


def randomised(network: Network, seed: int) -> Network:
    """The same architecture with every weight drawn anew, the end of ``lib.saliency_checks.cascade``."""
    return [changed for _, changed in cascade(network, seed)][-1]


def cue_rows(networks: Sequence[Network], seeds: Sequence[int], faces: CueFaces, weights: str,
             methods: Mapping[str, dict] = METHODS) -> pd.DataFrame:
    """Enrichment of every part on faces with one cue, for networks that share their convolutions.

    Parameters
    ----------
    methods : name -> options.

    Returns
    -------
    cue, method, part, seed, weights, image, enrichment
    """
    panel, rows = faces.panel, []
    for method, options in methods.items():
        if method == "occlusion":  # its many pictures go through the shared convolutions once
            every = torch.cat([occlusion_maps(networks, batch, **options) for batch in panel.batches()], dim=1).numpy()
        else:
            every = [explain(network, panel, method, **options) for network in networks]
        for seed, maps in zip(seeds, every, strict=True):
            sizes = enlarge(normalise(maps, "absolute"))
            rows += [{"cue": faces.cue, "method": method, "part": part, "seed": seed, "weights": weights,
                      "image": index, "enrichment": value}
                     for part, region in faces.regions.items() for index, value in enumerate(enrichment(sizes, region))]
    return pd.DataFrame(rows)


def ground_truth(features: nn.Sequential, seeds: Sequence[int], rng: np.random.Generator,
                 cues: Sequence[str] = ("mouth", "eyes"), methods: Mapping[str, dict] = METHODS
                 ) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train readers on faces with one cue and ask every method where the evidence was.

    Parameters
    ----------
    features : AlexNet's frozen convolutions. seeds : one reader each.

    Returns
    -------
    rows of ``cue_rows`` with seed and weights (``trained``; for the first cue also ``randomised``: every weight drawn
    anew); and cue, seed, accuracy on validation faces.
    """
    rows, accuracies = [], []
    for cue in cues:
        readers, scores = train_readers(features, training_faces(cue, N_TRAIN, rng),
                                        training_faces(cue, N_VALIDATION, rng), seeds)
        faces = new_faces(cue, N_PEOPLE)
        rows.append(cue_rows(readers, seeds, faces, "trained", methods))
        if cue == cues[0]:
            rows += [cue_rows([randomised(reader, seed)], [seed], faces, "randomised", methods)
                     for reader, seed in zip(readers, seeds, strict=True)]
        accuracies += [{"cue": cue, "seed": seed, "accuracy": score}
                       for seed, score in zip(seeds, scores, strict=True)]
    return pd.concat(rows, ignore_index=True), pd.DataFrame(accuracies)
