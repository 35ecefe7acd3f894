"""Small but real: AlexNet's convolutions, heads of eight units, and pictures whose classes can
be told apart.
"""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from torch import Generator, nn

from lib.networks import network as networks
from lib.people.simulated import simulate_people
from lib.settings.loading import load_study
from lib.storage.runs import Run
from lib.training import features


def small_classifier(backbone, n_classes, seed, dropout):
    """Heads of eight units instead of 4096."""
    classifier = nn.Sequential(
        nn.Dropout(dropout), nn.Linear(9216, 8), nn.ReLU(), nn.Linear(8, n_classes)
    )
    generator = Generator().manual_seed(seed or 0)
    for layer in (classifier[1], classifier[3]):
        nn.init.normal_(layer.weight, 0, 0.02, generator=generator)
        nn.init.zeros_(layer.bias)
    return classifier


@pytest.fixture
def small_heads(monkeypatch, tmp_path):
    """Small heads, and a cache of this test's own."""
    make_small(monkeypatch, tmp_path / "f")


def make_small(monkeypatch, folder, head=small_classifier) -> None:
    """Small heads (or others), and a feature cache in ``folder``."""
    monkeypatch.setattr(networks, "make_classifier", head)
    monkeypatch.setattr(features, "FOLDER", folder)


def stripes(happy: float, rng: np.random.Generator) -> np.ndarray:
    """Striped across where happy is 1, down where it is 0, and mixed between, with noise."""
    wave = np.sin(np.arange(224) / 3 + rng.uniform(0, 6))
    mixed = happy * wave[None] + (1 - happy) * wave[:, None]
    grey = (120 + 60 * mixed + rng.normal(0, 20, (224, 224))).clip(0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


@pytest.fixture
def images(tmp_path):
    """Table ``images``: 24 to train, 8 to validate, 8 to test."""
    return draw_images(tmp_path)


@pytest.fixture
def morphs(tmp_path):
    """Table ``stimuli``: two identities, five levels, whole and with the mouth hidden."""
    return draw_morphs(tmp_path)


def draw_images(folder) -> pd.DataFrame:
    rng, rows = np.random.default_rng(0), []
    for i in range(40):
        path = folder / f"{i}.png"
        Image.fromarray(stripes(float(i % 2), rng)).save(path)
        split = "train" if i < 24 else "validation" if i < 32 else "test"
        rows.append(
            {"path": str(path), "label": ("sad", "happy")[i % 2], "split": split, "identity": ""}
        )
    return pd.DataFrame(rows)


def draw_morphs(folder) -> pd.DataFrame:
    rng, rows = np.random.default_rng(1), []
    for identity in ("id000", "id001"):
        for condition in ("full", "mouth"):
            for level in np.linspace(0, 1, 5):
                picture = stripes(level, rng)
                if condition == "mouth":
                    picture[150:200, 60:160] = 120
                name = f"{identity}_{condition}_{level:.2f}"
                Image.fromarray(picture).save(folder / f"{name}.png")
                rows.append(
                    {
                        "stimulus": name,
                        "path": str(folder / f"{name}.png"),
                        "identity": identity,
                        "level": level,
                        "condition": condition,
                    }
                )
    return pd.DataFrame(rows)


def a_run(tmp_path, number: str = "02", **changes) -> Run:
    """A run of the smoke study with untrained convolutions, ready to train on ``images``."""
    given = {
        "output": str(tmp_path / "runs"),
        "networks.pretraining": "untrained",
        "training.epochs": 6,
        "training.lr": 1e-3,
        "training.batch": 16,
        "training.seeds": 2,
        "training.precision": "fp32",
        "training.device": "cpu",
    }
    return Run(load_study("data/studies/smoke.yaml", given | changes), number)


def people_of(run: Run, stimuli: pd.DataFrame) -> pd.DataFrame:
    """Simulated people's answers to the stimuli."""
    return simulate_people(run.study, stimuli, np.random.default_rng(0))
