"""AlexNet's convolutions, pretrained by the project itself on generated objects or on generated
faces.

``python -m lib.pretraining objects`` and ``python -m lib.pretraining faces`` make the files under
data/weights/. Both bases get the same number of pictures, epochs and steps, so that they differ in
what they saw alone: 48 categories of rendered objects, or the identities of 200 built-in people
whose expression varies and is irrelevant. A file is kept only if its convolutions beat untrained
ones at reading valence from few labelled faces.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file
from torch import nn

from lib.faces.objects import CATEGORIES, render_object
from lib.faces.render import Nuisance, make_identity, render_face
from lib.networks.devices import has_bf16
from lib.networks.vision import torchvision
from lib.networks.weights import new_features
from lib.settings.options import ROOT
from lib.storage.files import settings_hash, write_json, write_with
from lib.storage.progress import Progress
from lib.training.transfer import few_label_transfer, gain_over

FIRST_IDENTITY, IDENTITIES = (
    1000,
    200,
)  # far from the people of the studies, who are numbered from 0
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
SPREAD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


def classes(basis: str) -> int:
    """How many categories a basis tells apart; ValueError for anything but ``objects`` and
    ``faces``.
    """
    if basis not in ("objects", "faces"):
        raise ValueError(f"basis {basis!r} given; allowed: objects, faces")
    return len(CATEGORIES) if basis == "objects" else IDENTITIES


def render(basis: str, label: int, rng: np.random.Generator) -> np.ndarray:
    """One training picture, uint8 (224, 224, 3); a face's level is uniform and tells nothing
    about the label.
    """
    if basis == "objects":
        return render_object(label, rng)
    return render_face(
        make_identity(FIRST_IDENTITY + label), rng.uniform(), nuisance=Nuisance.sample(rng)
    )


def pictures(basis: str, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """``n`` pictures, uint8 (n, 224, 224, 3) on disk, and their labels; rendered once, then read
    back.

    Each label's pictures are rendered together (a face's layers are kept between calls).
    """
    labels = np.sort(np.arange(n) % classes(basis))
    path = ROOT / "data/derived/pretraining" / f"{basis}_{settings_hash(n, seed)}.npy"
    if not path.is_file():
        with Progress(f"rendering {basis}", n) as progress:
            write_with(path, lambda p: _render_all(p, basis, labels, seed, progress))
    return np.load(path, mmap_mode="r"), labels


def _render_all(path: Path, basis: str, labels: np.ndarray, seed: int, progress: Progress) -> None:
    out = np.lib.format.open_memmap(path, "w+", np.uint8, (len(labels), 224, 224, 3))
    for i, label in enumerate(labels):
        out[i] = render(basis, int(label), np.random.default_rng([seed, i]))
        progress.step()
    out.flush()


def new_network(n_classes: int, seed: int) -> nn.Sequential:
    """AlexNet's convolutions (He initialisation) and one linear layer, so that they must do the
    work.
    """
    torch.manual_seed(seed)
    features = torchvision.models.alexnet(weights=None).features
    for layer in features:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return nn.Sequential(features, nn.Flatten(), nn.Dropout(0.5), nn.Linear(9216, n_classes))


def as_input(batch: np.ndarray, device: str = "cpu") -> torch.Tensor:
    """uint8 (B, 224, 224, 3) as torchvision's normalised float (B, 3, 224, 224)."""
    x = torch.from_numpy(np.array(batch)).to(device).permute(0, 3, 1, 2).float() / 255
    return (x - MEAN.to(device)) / SPREAD.to(device)


def pretrain(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    epochs: int,
    seed: int,
    lr: float = 5e-4,
    batch: int = 64,
    device: str = "cpu",
) -> nn.Sequential:
    """Train all layers: Adam with a one-cycle rate, bf16 where the hardware has it, random mirror
    images.

    Parameters
    ----------
    images : uint8 (n, 224, 224, 3); labels : int (n,).
    """
    network = (
        new_network(int(labels.max()) + 1, seed).to(device).to(memory_format=torch.channels_last)
    )
    optimiser = torch.optim.Adam(network.parameters(), lr=lr, fused=True)
    steps = epochs * (len(labels) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=steps, pct_start=0.15)
    rng = np.random.default_rng(seed)
    with Progress("pretraining", steps) as progress:
        for _ in range(epochs):
            for rows in np.array_split(rng.permutation(len(labels)), len(labels) // batch):
                loss = _step(network, optimiser, images, labels, np.sort(rows), rng, device)
                schedule.step()
                progress.step(note=f"loss {loss:.2f}")
    return network


def _step(network, optimiser, images, labels, rows, rng, device) -> float:
    x, y = as_input(images[rows], device), torch.from_numpy(labels[rows]).to(device)
    x = x.flip(-1) if rng.uniform() < 0.5 else x
    with torch.autocast(device, torch.bfloat16, enabled=has_bf16(device)):
        loss = nn.functional.cross_entropy(
            network.train()(x.contiguous(memory_format=torch.channels_last)), y
        )
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.item()


@torch.no_grad()
def accuracy(
    network: nn.Module, images: np.ndarray, labels: np.ndarray, device: str = "cpu"
) -> float:
    """Share of pictures given their right label."""
    network.eval()
    right = 0
    for start in range(0, len(labels), 128):
        with torch.autocast(device, torch.bfloat16, enabled=has_bf16(device)):
            guess = network(as_input(images[start : start + 128], device)).argmax(1).cpu().numpy()
        right += (guess == labels[start : start + 128]).sum()
    return float(right / len(labels))


def gain_on_valence(
    features: nn.Sequential,
    seed: int,
    *,
    n: int = 600,
    n_labels: Sequence[int] = (20, 60),
    repeats: int = 40,
) -> pd.DataFrame:
    """What the convolutions are worth for happy and sad: a read-out from few labelled built-in
    faces.

    The faces are people of the studies, whom neither basis has seen; untrained convolutions of five
    initialisations are what it must beat.

    Returns
    -------
    of ``lib.training.transfer.gain_over``: base, n_labels, difference, low, high, n
    """
    rng = np.random.default_rng([seed, 5])
    labels, who = np.arange(n) % 2, np.arange(n) // 12
    faces = np.stack(
        [
            render_face(
                make_identity(int(one)),
                0.2 * rng.uniform() + 0.8 * label,
                nuisance=Nuisance.sample(rng),
            )
            for one, label in zip(who, labels, strict=True)
        ]
    )
    bases = {
        "pretrained": [convolved(features, faces)],
        "untrained": [convolved(new_features("alexnet", k), faces) for k in range(5)],
    }
    test = who >= 2 * who.max() / 3  # other people
    parts = [
        few_label_transfer(bases, labels, test, n_labels=k, repeats=repeats, rng=rng)
        for k in n_labels
    ]
    return gain_over(pd.concat(parts), "untrained", n_boot=2000, rng=rng)


@torch.no_grad()
def convolved(features: nn.Sequential, images: np.ndarray) -> np.ndarray:
    """Features (n, d) of uint8 images (n, 224, 224, 3)."""
    rows = []
    for start in range(0, len(images), 64):
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bf16("cpu")):
            rows.append(
                features.eval()(as_input(images[start : start + 64])).flatten(1).float().numpy()
            )
    return np.concatenate(rows)


def save_features(network: nn.Sequential, path: Path) -> Path:
    """The convolutions alone, fp16, under torchvision's names: features.N.weight and
    features.N.bias.
    """
    tensors = {
        f"features.{k}": v.detach().cpu().half().contiguous()
        for k, v in network[0].state_dict().items()
    }
    return write_with(path, lambda p: save_file(tensors, p))


def main(words: list[str] | None = None) -> int:
    """Make one weights file: pictures, training, held-out accuracy, file and its description."""
    parser = argparse.ArgumentParser(
        prog="python -m lib.pretraining", description=__doc__.split("\n\n")[0]
    )
    parser.add_argument("basis", choices=("objects", "faces"))
    parser.add_argument("--n", type=int, default=12_000, help="training pictures")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=ROOT / "data/weights")
    parser.add_argument("--keep", action="store_true", help="keep the file whatever it is worth")
    given = parser.parse_args(words)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = pretrain(
        *pictures(given.basis, given.n, given.seed),
        epochs=given.epochs,
        seed=given.seed,
        device=device,
    )
    held_out = accuracy(
        network, *pictures(given.basis, max(500, given.n // 10), given.seed + 1), device
    )
    print(f"{given.basis}: held-out accuracy {held_out:.3f} on {classes(given.basis)} categories")
    gain = gain_on_valence(network[0].cpu(), given.seed)
    print(gain.round(3).to_string(index=False))
    if not ((gain["low"] > 0).all() or given.keep):
        print(
            "Not kept: the interval of the gain over untrained convolutions "
            "does not exclude 0 (--keep keeps it)."
        )
        return 1
    path = save_features(network, given.folder / f"alexnet_features_{given.basis}.safetensors")
    write_json(
        path.with_suffix(".json"),
        {
            "basis": given.basis,
            "categories": classes(given.basis),
            "images": given.n,
            "epochs": given.epochs,
            "seed": given.seed,
            "held_out_accuracy": held_out,
            "chance": 1 / classes(given.basis),
            "gain_over_untrained": gain.drop(columns="base").to_dict("records"),
        },
    )
    print(f"kept as {path.name}")
    return 0
