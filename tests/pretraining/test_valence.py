"""Few labelled faces: better features are found better, by the same faces."""

import numpy as np
import torch
from torch import nn

from lib.pretraining import valence
from lib.pretraining.valence import valence_faces, valence_transfer


class Brightness(nn.Module):
    """Tells a face by what ``valence_faces`` is made to hide in it."""

    def forward(self, x):
        return x[:, :, ::56, ::56]


class Nothing(nn.Module):
    """Noise that does not depend on the picture."""

    def forward(self, x):
        return torch.randn(len(x), 12, generator=torch.Generator().manual_seed(len(x)))


def test_features_that_hold_the_label_beat_features_that_do_not(monkeypatch):
    def marked(labels, people, rng):
        faces = rng.integers(0, 60, (len(labels), 224, 224, 3))
        return (faces + 150 * labels[:, None, None, None]).astype(np.uint8)

    monkeypatch.setattr(valence, "valence_faces", marked)
    bases = {"bright": [nn.Sequential(Brightness())], "none": [nn.Sequential(Nothing())]}
    table = valence_transfer(bases, against="none", seed=0, n=96, n_labels=(20,), repeats=5)
    assert list(table["base"]) == ["bright"]
    row = table.iloc[0]
    assert row["accuracy"] == 1 and row["low"] > 0 and row["n"] == 5
    assert np.isclose(row["difference"], row["accuracy"] - row["reference"])


def test_the_faces_are_different_people_at_the_ends_of_the_morph():
    labels, people = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    faces = valence_faces(labels, people, np.random.default_rng(0))
    assert faces.shape == (4, 224, 224, 3) and len({face.tobytes() for face in faces}) == 4
