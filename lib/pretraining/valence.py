"""What convolutions are worth for valence: a read-out from few labelled built-in faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import nn

from lib.faces.render import Nuisance, make_identity, render_face
from lib.networks.devices import has_bf16
from lib.networks.network import preprocess
from lib.pretraining.transfer import few_label_transfer, gain_over

EACH = 8  # faces a person, half of them of each pole
END = 0.25  # how far from its end of the morph a face may be


def valence_transfer(
    bases: Mapping[str, Sequence[nn.Sequential]],
    *,
    against: str,
    seed: int,
    n: int = 400,
    n_labels: Sequence[int] = (20, 60, 160),
    repeats: int = 20,
) -> pd.DataFrame:
    """Accuracy of a read-out from few labelled faces, and its gain over one base.

    The faces are people of the studies, whom no pretraining has seen; those that are judged are
    other people than those that are learned from.

    Parameters
    ----------
    bases : name to convolutions, in several versions where a base has several (initialisations).
    against : the base that the others are compared with.
    n : faces; two thirds can be drawn as labelled ones.

    Returns
    -------
    base, n_labels, accuracy, reference (the accuracy of ``against``), difference, low, high (95 %
    bootstrap interval over ``n`` draws of labelled faces, paired), n
    """
    rng = np.random.default_rng([seed, 5])
    labels = np.arange(n) % 2
    people = np.arange(n) // EACH
    faces = valence_faces(labels, people, rng)
    maps = {name: [convolved(one, faces) for one in versions] for name, versions in bases.items()}
    test = people >= 2 * people.max() / 3
    parts = [
        few_label_transfer(maps, labels, test, n_labels=k, repeats=repeats, rng=rng)
        for k in n_labels
    ]
    table = pd.concat(parts)
    means = table.groupby(["base", "n_labels"])["accuracy"].mean()
    gain = gain_over(table, against, n_boot=2000, rng=rng)
    rows = list(zip(gain["base"], gain["n_labels"], strict=True))
    gain.insert(2, "accuracy", [means[row] for row in rows])
    gain.insert(3, "reference", [means[against, k] for _, k in rows])
    return gain


def valence_faces(labels: np.ndarray, people: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Faces near the end of the morph that their label names, uint8 (n, 224, 224, 3)."""
    faces = []
    for label, person in zip(labels, people, strict=True):
        level = (1 - END) * label + END * rng.uniform()
        nuisance = Nuisance.sample(rng)
        faces.append(render_face(make_identity(int(person)), level, nuisance=nuisance))
    return np.stack(faces)


@torch.no_grad()
def convolved(features: nn.Sequential, images: np.ndarray) -> np.ndarray:
    """Features, float32 (n, d), of uint8 images (n, 224, 224, 3)."""
    features = features.eval().to(memory_format=torch.channels_last)
    rows = []
    for start in range(0, len(images), 32):
        x = preprocess(images[start : start + 32])
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bf16("cpu")):
            maps = features(x.contiguous(memory_format=torch.channels_last))
        rows.append(maps.flatten(1).float().numpy())
    return np.concatenate(rows)
