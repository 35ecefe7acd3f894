"""The test that photographs cannot give: faces whose only cue is one part, and whether a saliency
method finds it.

Small networks are trained whole on built-in faces in which only the mouth (or only the eyes)
carries the expression. A method is then asked on new people where the evidence was; the right
answer is known. The networks are of FE-AlexNet's kind (five convolutions, self-attention, a linear
head), so that every method can be asked; readers of frozen convolutions would answer for what these
happen to offer and not for the method.

They come with the workbook; ``python -m lib.saliency.known_cues`` trains them anew, in less than
a minute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

from lib.faces.render import PARTS, Nuisance, make_identity, part_regions, render_face
from lib.networks.attention import Attention, make_block
from lib.networks.network import Network, preprocess
from lib.networks.panel import Panel
from lib.saliency.enrichment import enrichment
from lib.saliency.maps import enlarge, explain, normalise
from lib.saliency.trust import cascade
from lib.settings.options import ROOT
from lib.storage.files import file_hash, settings_hash, write_csv, write_with
from lib.storage.locks import locked
from lib.storage.progress import Progress
from lib.storage.runs import read_csv

FOLDER = ROOT / "data/derived/known_cues"
WEIGHTS = ROOT / "data/weights/known_cues.safetensors"
SEEDS = (0, 1, 2, 3, 4)
CUES = ("mouth", "eyes")
FIRST_TRAINED = 2000  # person of the training faces; the studies' are numbered from 0
FIRST_NEW = 3000
METHODS = {
    "gradcam": {},
    "hirescam": {},
    "occlusion": {},
    "integrated_gradients": {"steps": 8},
    "attention": {},
}
# a subtle cue needs more faces, of more people
FACES = {"mouth": 200, "eyes": 300, "nose": 300}
PEOPLE = {"mouth": 40, "eyes": 100, "nose": 100}
N_PEOPLE = 4
EPOCHS, BATCH, PEAK_RATE = 12, 20, 4e-3
WIDTHS = (12, 24, 32, 32, 32)  # channels of the five convolutions


@dataclass(frozen=True)
class CueFaces:
    """images uint8 (n, 224, 224, 3); labels (n,), 0 negative, 1 positive; regions: part -> bool
    (n, 224, 224).
    """

    cue: str
    images: np.ndarray
    labels: np.ndarray
    regions: dict[str, np.ndarray]

    @property
    def panel(self) -> Panel:
        """The faces as networks are asked about them."""
        return Panel(self.images)


def training_faces(cue: str, n: int, rng: np.random.Generator, *, people: int = 40) -> CueFaces:
    """Faces of ``people`` persons, at the negative (level to 0.25) or the positive end (from 0.75)
    by ``cue`` alone.

    Place, size and light vary a little, so that the cue cannot be read from one pixel.

    Raises
    ------
    ValueError : an unknown part.
    """
    labels = np.arange(n) % 2
    who = [FIRST_TRAINED + k * people // n for k in range(n)]
    levels = np.where(labels == 1, rng.uniform(0.75, 1, n), rng.uniform(0, 0.25, n))
    return _render(cue, who, levels, labels, [_unsteady(rng) for _ in range(n)])


def _unsteady(rng: np.random.Generator) -> Nuisance:
    return Nuisance(
        shift_x=rng.normal(0, 1.2),
        shift_y=rng.normal(0, 1.2),
        scale=rng.uniform(0.96, 1.05),
        exposure=rng.uniform(0.85, 1.1),
        light_x=rng.uniform(-0.4, 0.4),
    )


def new_faces(cue: str, people: int, levels: Sequence[float] = (0.0, 1.0)) -> CueFaces:
    """The same cue in persons that no network was trained on, in neutral pose and light."""
    who = np.repeat(FIRST_NEW + np.arange(people), len(levels)).tolist()
    level = np.tile(levels, people)
    return _render(cue, who, level, (level > 0.5).astype(int), [Nuisance.neutral()] * len(who))


def _render(
    cue: str, who: list[int], levels, labels: np.ndarray, nuisances: list[Nuisance]
) -> CueFaces:
    if cue not in PARTS:
        raise ValueError(f"cue {cue!r} given; allowed: {', '.join(PARTS)}")
    weights = {part: float(part == cue) for part in PARTS}
    images = []
    regions = {part: [] for part in PARTS}
    for person, level, nuisance in zip(who, levels, nuisances, strict=True):
        identity = make_identity(person)
        images.append(render_face(identity, float(level), nuisance=nuisance, diagnosticity=weights))
        for part, mask in part_regions(identity, nuisance=nuisance).items():
            regions[part].append(mask)
    return CueFaces(
        cue, np.stack(images), labels, {part: np.stack(masks) for part, masks in regions.items()}
    )


def small_network(seed: int) -> Network:
    """Five convolutions (14 x 14 places behind the fifth), self-attention and a linear head, all
    drawn from ``seed``.
    """
    layers = []
    before = 3
    with torch.random.fork_rng(devices=[]):  # what torch draws here is drawn anew below
        for k, width in enumerate(WIDTHS):
            shape = {"kernel_size": 3, "padding": 1}
            if k == 0:
                shape = {"kernel_size": 7, "stride": 4, "padding": 3}
            layers += [nn.Conv2d(before, width, **shape), nn.ReLU(inplace=True)]
            layers += [nn.MaxPool2d(2)] * (k in (0, 1, 4))
            before = width
        attention = Attention(location="conv5", reduction=2, heads=1)
        block = make_block(attention, before, torch.Generator().manual_seed(seed))
        head = nn.Sequential(nn.Dropout(0.3), nn.Linear(before * 7 * 7, 2))
    return randomised(Network(nn.Sequential(*layers), head, block, "conv5").eval(), seed)


def randomised(network: Network, seed: int) -> Network:
    """The same architecture with every weight drawn anew, the end of
    ``lib.saliency.trust.cascade``.
    """
    return [changed for _, changed in cascade(network, seed)][-1]


def train_whole(network: Network, faces: CueFaces, seed: int, *, epochs: int = EPOCHS) -> Network:
    """Train every weight, the convolutions too: Adam, one cycle of the rate (Smith 2018), faces
    also mirrored.

    Returns
    -------
    the network, trained in place, its convolutions frozen again, in eval mode
    """
    images = preprocess(faces.images)
    labels = torch.from_numpy(faces.labels)
    network.requires_grad_(True)
    optimiser = torch.optim.Adam(network.parameters(), PEAK_RATE)
    n_steps = -(-len(labels) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, PEAK_RATE, total_steps=epochs * n_steps
    )
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        network.train()
        for _ in range(epochs):
            for rows in torch.randperm(len(labels)).tensor_split(n_steps):
                batch = images[rows].flip(3) if torch.rand(()) < 0.5 else images[rows]
                optimiser.zero_grad()
                F.cross_entropy(network(batch), labels[rows]).backward()
                optimiser.step()
                schedule.step()
    network.zero_grad()
    network.features.requires_grad_(False)
    return network.eval()


def right_on(network: Network, faces: CueFaces) -> float:
    """Share of the faces that the network calls by their label."""
    return float(((faces.panel.log_odds(network) > 0) == faces.labels).mean())


def cue_rows(
    network: Network, faces: CueFaces, methods: Mapping[str, dict] = METHODS
) -> pd.DataFrame:
    """Enrichment of every part on faces with one cue, by each method.

    Parameters
    ----------
    methods : name -> options.

    Returns
    -------
    cue, method, part, image, enrichment
    """
    panel = faces.panel
    rows = []
    for method, options in methods.items():
        sizes = enlarge(normalise(explain(network, panel, method, **options), "absolute"))
        rows += [
            {"cue": faces.cue, "method": method, "part": part, "image": index, "enrichment": value}
            for part, region in faces.regions.items()
            for index, value in enumerate(enrichment(sizes, region))
        ]
    return pd.DataFrame(rows)


def train_networks(
    cues: Sequence[str] = CUES, seeds: Sequence[int] = SEEDS
) -> dict[str, torch.Tensor]:
    """Small networks trained on faces with one cue: their weights as
    ``<cue>.<seed>.<parameter>``.
    """
    rng = np.random.default_rng(0)
    tensors = {}
    with Progress("small networks that learn one cue", len(cues) * len(seeds)) as progress:
        for cue in cues:
            faces = training_faces(cue, FACES[cue], rng, people=PEOPLE[cue])
            for seed in seeds:
                network = train_whole(small_network(seed), faces, seed)
                tensors |= {
                    f"{cue}.{seed}.{key}": value for key, value in network.state_dict().items()
                }
                progress.step()
    return tensors


def cue_network(cue: str, seed: int) -> Network:
    """One of the trained networks that come with the workbook."""
    network = small_network(seed)
    start = f"{cue}.{seed}."
    kept = {name: value for name, value in load_file(WEIGHTS).items() if name.startswith(start)}
    own = {name.removeprefix(start): value for name, value in kept.items()}
    network.load_state_dict(network.state_dict() | own)
    network.features.to(memory_format=torch.channels_last)
    return network


def ground_truth() -> pd.DataFrame:
    """Ask every method where small networks that were trained on faces with one cue see the
    evidence.

    Returns
    -------
    rows of ``cue_rows`` with seed, weights (``trained``, ``randomised``: every weight drawn anew)
    and accuracy, that of the trained network on people that it was not trained on.
    """
    rows = []
    with Progress("small networks that learned one cue", len(CUES) * len(SEEDS)) as progress:
        for cue in CUES:
            new = new_faces(cue, N_PEOPLE)
            judged = new_faces(cue, 2 * N_PEOPLE, (0.0, 0.125, 0.25, 0.75, 0.875, 1.0))
            for seed in SEEDS:
                network = cue_network(cue, seed)
                accuracy = right_on(network, judged)
                both = {"trained": network, "randomised": randomised(network, 1000 + seed)}
                for weights, one in both.items():
                    found = cue_rows(one, new)
                    rows.append(found.assign(seed=seed, weights=weights, accuracy=accuracy))
                progress.step()
    return pd.concat(rows, ignore_index=True)


def sources() -> list[Path]:
    """The files that decide what is found: faces, networks, maps and how these are scored."""
    rooms = [path for room in ("faces", "networks") for path in (ROOT / "lib" / room).glob("*.py")]
    here = [ROOT / "lib/saliency" / name for name in ("maps.py", "enrichment.py", "trust.py")]
    return [*sorted(rooms), *here, Path(__file__).resolve()]


def known_cues(folder: Path = FOLDER) -> pd.DataFrame:
    """``ground_truth``, computed once: it judges the methods and hangs on nothing in a study.

    Kept under a name that the code which draws, answers and explains, and torch's version, decide.
    """
    key = settings_hash(torch.__version__, [file_hash(source) for source in [WEIGHTS, *sources()]])
    path = folder / f"{key}.csv"
    with locked(folder, wait=True):  # one process computes, others wait
        if not path.is_file():
            write_csv(path, ground_truth())
    return read_csv(path)


if __name__ == "__main__":
    networks = train_networks()
    write_with(WEIGHTS, lambda path: save_file(networks, path))
