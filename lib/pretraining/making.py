"""The project's own convolutions, pretrained on generated objects or on generated faces.

``python -m lib.pretraining objects`` makes the files under data/weights/, one for each backbone and
all of one history: the same objects in the same order, the same steps, the same rates. A picture is
a mosaic of objects side by side, each of which the network has to name; small objects come first,
larger ones after them. Batch normalisation helps on the way and is folded into the convolutions
before they are saved, as int8 (``lib.backbones.packing``). A file is kept only if its convolutions
beat untrained ones at reading valence from few labelled faces.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from lib.backbones.packing import pack, unpack
from lib.backbones.weights import BACKBONES, new_features
from lib.faces.objects import CATEGORIES, render_object
from lib.faces.render import Nuisance, make_identity, render_face
from lib.networks.devices import has_bf16
from lib.networks.network import preprocess
from lib.pretraining.folding import folded, normalised
from lib.pretraining.valence import valence_transfer
from lib.settings.options import ROOT
from lib.storage.files import write_json, write_with
from lib.storage.progress import Progress

FIRST_IDENTITY = 1000  # far from the people of the studies, who are numbered from 0
IDENTITIES = 200
LR = 1e-3
DECAY = 0.02
LAST = 20  # steps of a stage over which its accuracy is told
UNTRAINED = 3  # initialisations that a file has to beat


@dataclass(frozen=True)
class Stage:
    """A part of pretraining: mosaics of ``grid`` × ``grid`` objects.

    ``size`` is an object's side in pixels, ``pictures`` the mosaics of a batch, ``objects`` how
    many are seen in all, each of them once.
    """

    size: int
    grid: int
    pictures: int
    objects: int

    @property
    def batch(self) -> int:
        """Objects a step."""
        return self.pictures * self.grid**2

    @property
    def steps(self) -> int:
        """Whole batches."""
        return self.objects // self.batch


@dataclass(frozen=True)
class Batch:
    """Mosaics, uint8 (pictures, side, side, 3), and the labels of their tiles, row by row."""

    mosaics: np.ndarray
    labels: np.ndarray
    grid: int


LARGE = Stage(96, 2, 4, 6000)
STAGES = dict.fromkeys(BACKBONES, (Stage(48, 4, 2, 24_000), LARGE))
# the same objects and steps, but large from the start: AlexNet's first layer goes by four pixels
STAGES["alexnet"] = (Stage(96, 2, 8, 24_000), LARGE)


class Namer(nn.Module):
    """Convolutions with batch normalisation, and one linear layer that names every tile."""

    def __init__(self, backbone: str, n_classes: int, seed: int):
        super().__init__()
        torch.manual_seed(seed)
        self.features = normalised(new_features(backbone, seed))
        convolutions = [layer for layer in self.features if isinstance(layer, nn.Conv2d)]
        self.head = nn.Linear(convolutions[-1].out_channels, n_classes)

    def forward(self, mosaics: Tensor, grid: int) -> Tensor:
        """Logits (pictures * grid * grid, classes) of mosaics (pictures, 3, side, side)."""
        tiles = nn.functional.adaptive_avg_pool2d(self.features(mosaics), grid)
        return self.head(tiles.permute(0, 2, 3, 1).flatten(0, 2))


def classes(basis: str) -> int:
    """How many categories a basis tells apart.

    Raises
    ------
    ValueError : anything but ``objects`` and ``faces``.
    """
    if basis not in ("objects", "faces"):
        raise ValueError(f"basis {basis!r} given; allowed: objects, faces")
    return len(CATEGORIES) if basis == "objects" else IDENTITIES


def render(basis: str, label: int, rng: np.random.Generator, size: int) -> np.ndarray:
    """One object or face, uint8 (size, size, 3); a face's level is uniform and says nothing about
    the label.
    """
    if basis == "objects":
        return render_object(label, rng, size)
    identity = make_identity(FIRST_IDENTITY + label)
    level = rng.uniform()
    return render_face(identity, level, nuisance=Nuisance.sample(rng), size=size)


def batches(basis: str, stages: Iterable[Stage], seed: int = 0) -> Iterator[Batch]:
    """The batches of all stages, drawn while they are wanted; each object is drawn once."""
    for number, stage in enumerate(stages):
        own = 1000 * seed + number
        every = np.arange(stage.objects) % classes(basis)
        labels = np.random.default_rng(own).permutation(every)
        for start in range(0, stage.steps * stage.batch, stage.batch):
            rows = range(start, start + stage.batch)
            tiles = [
                render(basis, int(labels[i]), np.random.default_rng([own, i]), stage.size)
                for i in rows
            ]
            yield Batch(mosaics(np.stack(tiles), stage.grid), labels[list(rows)], stage.grid)


def mosaics(tiles: np.ndarray, grid: int) -> np.ndarray:
    """Tiles (n, size, size, 3) as n / grid² pictures, (…, grid * size, grid * size, 3)."""
    size = tiles.shape[1]
    rows = tiles.reshape(-1, grid, grid, size, size, 3).swapaxes(2, 3)
    return rows.reshape(-1, grid * size, grid * size, 3)


def pretrain(
    network: Namer, shown: Iterable[Batch], steps: int, *, lr: float = LR, device: str = "cpu"
) -> list[float]:
    """Train all layers: AdamW with a one-cycle rate, bf16 where the hardware has it.

    Parameters
    ----------
    shown : ``steps`` batches. lr : the highest rate.

    Returns
    -------
    The share of every batch's objects that were given their right name, before the network learned
    from them: objects that are shown once are unseen ones.
    """
    right = []
    network = network.train().to(device).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=lr, weight_decay=DECAY, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=steps, pct_start=0.15)
    with Progress("pretraining", steps) as progress:
        for batch in shown:
            labels = torch.from_numpy(batch.labels).to(device)
            answers = logits(network, batch, device)
            loss = nn.functional.cross_entropy(answers, labels)
            right.append(float((answers.argmax(1) == labels).float().mean()))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            progress.step(note=f"loss {loss.item():.2f}")
    network.eval()
    return right


def logits(network: Namer, batch: Batch, device: str = "cpu") -> Tensor:
    """fp32 logits of every tile."""
    x = preprocess(batch.mosaics, device).contiguous(memory_format=torch.channels_last)
    with torch.autocast(device, torch.bfloat16, enabled=has_bf16(device)):
        return network(x, batch.grid).float()


def plain(backbone: str, tensors: dict[str, Tensor]) -> nn.Sequential:
    """torchvision's convolutions with these tensors."""
    features = new_features(backbone)
    features.load_state_dict(tensors)
    return features


def worth(backbone: str, tensors: dict[str, Tensor], seed: int) -> pd.DataFrame:
    """What the convolutions are worth for valence, before and after packing.

    Returns
    -------
    of ``valence_transfer``: bases ``file`` (packed, as it will be read), ``whole``, ``untrained``.
    """
    return valence_transfer(
        {
            "file": [plain(backbone, unpack(pack(tensors)))],
            "whole": [plain(backbone, tensors)],
            "untrained": [new_features(backbone, k) for k in range(UNTRAINED)],
        },
        against="untrained",
        seed=seed,
    )


def make(backbone: str, basis: str, *, seed: int, folder: Path, keep: bool) -> bool:
    """Pretrain one backbone, judge it and keep its file; False where it is not worth keeping."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    start = time.process_time()
    network = Namer(backbone, classes(basis), seed)
    stages = STAGES[backbone]
    ends = np.cumsum([stage.steps for stage in stages])
    right = pretrain(network, batches(basis, stages, seed), int(ends[-1]), device=device)
    seconds = time.process_time() - start
    named = [float(np.mean(right[end - LAST : end])) for end in ends]
    tensors = folded(network.features)
    gain = worth(backbone, tensors, seed)
    print(f"{backbone}: {named[0]:.3f} of unseen objects named, {classes(basis)} categories")
    print(gain.round(3).to_string(index=False))
    if not ((gain.loc[gain["base"] == "file", "low"] > 0).all() or keep):
        print(f"{backbone} not kept: its gain over untrained convolutions does not exclude 0")
        return False
    path = folder / f"{backbone}_features_{basis}.safetensors"
    save(tensors, path)
    about = {"architecture": backbone, "basis": basis, "categories": classes(basis), "seed": seed}
    about |= {"stages": [asdict(stage) for stage in stages], "unseen_objects_named": named}
    about |= {"chance": 1 / classes(basis), "processor_seconds": round(seconds)}
    write_json(path.with_suffix(".json"), about | {"valence": gain.to_dict("records")})
    print(f"kept as {path.name}")
    return True


def save(tensors: dict[str, Tensor], path: Path) -> Path:
    """The convolutions alone, int8 with scales, under torchvision's names."""
    named = {f"features.{name}": tensor for name, tensor in pack(tensors).items()}
    return write_with(path, lambda p: save_file(named, p))


def main(words: list[str] | None = None) -> int:
    """Make the weights files of some backbones; 1 where one was not worth keeping."""
    about = (__doc__ or "").split("\n\n")[0]
    parser = argparse.ArgumentParser(prog="python -m lib.pretraining", description=about)
    parser.add_argument("basis", choices=("objects", "faces"))
    parser.add_argument("--architectures", nargs="+", choices=BACKBONES, default=BACKBONES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=ROOT / "data/weights")
    parser.add_argument("--keep", action="store_true", help="keep files whatever they are worth")
    given = parser.parse_args(words)
    kept = [
        make(backbone, given.basis, seed=given.seed, folder=given.folder, keep=given.keep)
        for backbone in given.architectures
    ]
    return 0 if all(kept) else 1
