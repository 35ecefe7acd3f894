"""Training on cached features against the plain loop that a user would write, for each
architecture, in one run.

``python tests/benchmarks/bench_plain_loop.py [--architectures alexnet,vgg16] [--images 192] [--test
200] [--warm 0]``

The plain loop is fp32: every image is read and goes through the frozen convolutions in every epoch;
layers, Adam and the order of numbers in memory (a picture's channels one after the other) are
torch's defaults. All its epochs cost the same, so some are timed and the rest counted at their
mean. Between it and the workbook's path, which also judges the validation images in every epoch and
keeps the best one, stand the steps one by one: features stored (the first loss must be the plain
loop's), bf16, Adam fused, and the head's own layers. Accuracies are those of the best epoch,
trained without dropout, whose random numbers differ. Untrained convolutions leave every head near
chance, where accuracies tell nothing: ``--warm`` trains them whole for so many steps first, on
other built-in faces at a lower resolution (look at the last loss: at ``--rate 3e-4`` VGG16 learned
nothing).
"""

from __future__ import annotations

import argparse
import copy
import itertools
import tempfile
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.backbones import weights
from lib.networks.answers import Halfway, answer
from lib.networks.devices import Device, choose_device
from lib.networks.network import Network, build_network, preprocess
from lib.pictures.labelled import load_images
from lib.pictures.reading import read_image
from lib.settings.loading import load_study
from lib.settings.options import Training, resolve
from lib.training.features import cached_features, channel_statistics
from lib.training.heads import Data, train_head


def images_of(n: int, n_test: int) -> pd.DataFrame:
    """Built-in faces: ``n`` to train, some to validate, ``n_test`` to test."""
    return load_images(
        load_study(
            "data/studies/smoke.yaml",
            {
                "images.n_train": n,
                "images.n_validation": 24,
                "images.n_test": n_test,
                "images.identities": 48,
            },
        )
    )


def batches(labels: np.ndarray, training: Training, epoch: int) -> list[np.ndarray]:
    """The batches of one epoch, as ``lib.training.heads`` makes them."""
    order = np.random.default_rng((0, epoch)).permutation(len(labels))
    return np.array_split(order, -(-len(order) // training.batch))


def plain_head(network: Network) -> nn.Sequential:
    """The same head out of torch's own layers."""
    return copy.deepcopy(network.classifier).train()


def loop(
    head: nn.Sequential, given: Iterable[tuple[Tensor, Tensor]], optimiser, bf16: bool
) -> Iterator[float]:
    """One step for each batch of flat features and labels; the losses."""
    for x, labels in given:
        yield one_step(head, x, labels, optimiser, bf16)


def one_step(head: nn.Sequential, x: Tensor, labels: Tensor, optimiser, bf16: bool) -> float:
    optimiser.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        loss = F.cross_entropy(head(x), labels)
    loss.backward()
    optimiser.step()
    return float(loss.detach())


def flat(network: Network, maps: Tensor) -> Tensor:
    return ((maps.float() - network.mean) / network.spread).flatten(1)


@cache
def convolutions(architecture: str, warm: tuple[int, float]) -> tuple[str, dict[str, Tensor]]:
    """What an architecture's convolutions have learned, and their weights."""
    if weights.find(architecture, "imagenet"):
        return "imagenet", weights.load(architecture, "imagenet").features.state_dict()
    features = weights.load(architecture, "untrained").features
    if warm[0]:
        warm_up(features, *warm)
    return f"{warm[0]} steps" if warm[0] else "untrained", features.state_dict()


def warm_up(
    features: nn.Sequential, steps: int, rate: float, *, size: int = 64, batch: int = 32
) -> None:
    """Train convolutions whole to tell built-in faces, in bf16."""
    faces = load_images(
        load_study(
            "data/studies/smoke.yaml",
            {
                "images.n_train": 1600,
                "images.n_validation": 24,
                "images.n_test": 24,
                "images.identities": 96,
                "images.split_seed": 1,
            },
        )
    ).query("split == 'train'")
    x = torch.cat(
        [
            F.interpolate(preprocess(read_image(resolve(path))[None]), (size, size), mode="area")
            for path in faces["path"]
        ]
    ).contiguous(memory_format=torch.channels_last)
    y, generator = (
        torch.from_numpy((faces["label"] == "happy").to_numpy(int)),
        torch.Generator().manual_seed(0),
    )
    torch.manual_seed(0)
    features.requires_grad_(True).to(memory_format=torch.channels_last)
    whole = nn.Sequential(features, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.LazyLinear(2))
    whole(x[:2])
    optimiser = torch.optim.Adam(whole.parameters(), lr=rate, fused=True)
    for _ in range(steps):
        rows = torch.randint(len(x), (batch,), generator=generator)
        loss = one_step(whole, x[rows], y[rows], optimiser, bf16=True)
    print(f"convolutions warmed up in {steps} steps: last loss {loss:.2f}", flush=True)


class Race:
    """One architecture: the same images, the same first head, the same batches for everybody."""

    def __init__(
        self,
        architecture: str,
        images: pd.DataFrame,
        training: Training,
        folder: Path,
        *,
        dropout: bool = True,
        warm: tuple[int, float] = (0, 0.0),
    ):
        pretraining, learned = convolutions(architecture, warm)
        self.network = build_network(architecture, pretraining="untrained")
        self.network.features.load_state_dict(learned)
        self.name, self.training, self.folder = f"{architecture} ({pretraining})", training, folder
        for layer in self.network.classifier:
            if isinstance(layer, nn.Dropout) and not dropout:
                layer.p = 0.0
        self.paths, labels = list(images["path"]), (images["label"] == "happy").to_numpy(int)
        self.labels = torch.from_numpy(labels)
        self.rows = {
            s: np.flatnonzero(images["split"] == s) for s in ("train", "validation", "test")
        }
        exact, self.seconds_fp32 = self.features(Device())
        if pretraining != "imagenet":
            self.network.standardise(*channel_statistics(exact, self.rows["train"]))
        self.exact = flat(self.network, exact)

    def features(self, device: Device) -> tuple[Tensor, float]:
        """All images' features, and the seconds that those of the training images took."""
        cut, seconds = self.network.cut, 0.0
        maps = []
        for rows in (self.rows["train"], np.r_[self.rows["validation"], self.rows["test"]]):
            started = time.perf_counter()
            maps.append(
                cached_features(
                    self.network.features,
                    [self.paths[i] for i in rows],
                    {cut},
                    device,
                    folder=self.folder / device.precision,
                )[cut]
            )
            seconds = seconds or time.perf_counter() - started
        order = np.argsort(np.r_[self.rows["train"], self.rows["validation"], self.rows["test"]])
        return torch.cat(maps)[torch.from_numpy(order)], seconds

    @torch.no_grad()
    def convolved(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """What the plain loop feeds its head: images read and convolved anew."""
        features = copy.deepcopy(self.network.features).to(memory_format=torch.contiguous_format)
        for rows in batches(self.rows["train"], self.training, epoch):
            chosen = self.rows["train"][rows]
            x = preprocess(np.stack([read_image(resolve(self.paths[i])) for i in chosen]))
            yield flat(self.network, features(x.contiguous())), self.labels[chosen]

    def stored(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        for rows in batches(self.rows["train"], self.training, epoch):
            chosen = self.rows["train"][rows]
            yield self.exact[chosen], self.labels[chosen]

    def plain(self, epochs: int) -> tuple[float, float]:
        """Seconds an epoch, and the first loss."""
        torch.manual_seed(0)
        head = plain_head(self.network)
        optimiser, started, losses = (
            torch.optim.Adam(head.parameters(), lr=self.training.lr),
            time.perf_counter(),
            [],
        )
        for epoch in range(1, epochs + 1):
            losses += loop(head, self.convolved(epoch), optimiser, bf16=False)
        return (time.perf_counter() - started) / epochs, losses[0]

    def on_stored(self, *, bf16: bool, fused: bool) -> tuple[float, float]:
        """Seconds of all epochs on stored features, and the first loss."""
        torch.manual_seed(0)
        head = plain_head(self.network)
        optimiser = torch.optim.Adam(head.parameters(), lr=self.training.lr, fused=fused or None)
        started, losses = time.perf_counter(), []
        for epoch in range(1, self.training.epochs + 1):
            losses += loop(head, self.stored(epoch), optimiser, bf16)
        return time.perf_counter() - started, losses[0]

    def plain_accuracy(self) -> float:
        """The plain loop's accuracy on the test images, after the epoch with the smallest
        validation loss.
        """
        head, found = plain_head(self.network), []
        optimiser = torch.optim.Adam(head.parameters(), lr=self.training.lr)
        for epoch in range(1, self.training.epochs + 1):
            list(loop(head.train(), self.stored(epoch), optimiser, bf16=False))
            (loss, _), (_, accuracy) = (
                self.judged(head.eval(), split) for split in ("validation", "test")
            )
            found.append((loss, epoch, accuracy))
        return min(found)[2]

    @torch.no_grad()
    def judged(self, head: nn.Sequential, split: str) -> tuple[float, float]:
        """Mean loss and accuracy."""
        answers, labels = head(self.exact[self.rows[split]]), self.labels[self.rows[split]]
        return float(F.cross_entropy(answers, labels)), float(
            (answers.argmax(1) == labels).float().mean()
        )

    def ours(self) -> tuple[float, float, float]:
        """The workbook's path: seconds of the features, seconds of the training, accuracy."""
        device = choose_device(self.training)
        maps, seconds = (
            self.features(device)
            if device.precision == "bf16"
            else (self.exact_maps(), self.seconds_fp32)
        )
        network, data = self.network, Data(maps, self.labels, self.rows)
        started = time.perf_counter()
        train_head(network, data, self.training, seed=0, device=device)
        trained = time.perf_counter() - started
        p = answer(network, Halfway(maps, network.cut), device, rows=self.rows["test"]).p_happy
        return seconds, trained, float(((p > 0.5) == self.labels.numpy()[self.rows["test"]]).mean())

    def exact_maps(self) -> Tensor:
        return self.features(Device())[0]


def race(
    architecture: str, images: pd.DataFrame, training: Training, timed: int, warm: tuple[int, float]
) -> None:
    """Print the ratio, what each step between the two brings, and both accuracies."""
    with tempfile.TemporaryDirectory() as folder:
        if timed:  # first: the other race finds its features on disk
            stopwatch(Race(architecture, images, training, Path(folder), warm=warm), timed)
        alike = Race(architecture, images, training, Path(folder), dropout=False, warm=warm)
        theirs, accuracy = alike.plain_accuracy(), alike.ours()[2]
    print(
        f"{alike.name}, accuracy of the plain loop and of the workbook: "
        f"{theirs:.3f} and {accuracy:.3f}, "
        f"{100 * (accuracy - theirs):+.1f} points on {len(alike.rows['test'])} images",
        flush=True,
    )


def stopwatch(one: Race, timed: int) -> None:
    epoch, first = one.plain(timed)
    steps = {
        "features stored": one.on_stored(bf16=False, fused=False),
        "bf16": one.on_stored(bf16=True, fused=False),
        "Adam fused": one.on_stored(bf16=True, fused=True),
    }
    if abs(steps["features stored"][1] - first) > 1e-3 * first:
        raise SystemExit(
            f"{one.name}: the plain loop's first loss is {first}, that on stored features "
            f"{steps['features stored'][1]}"
        )
    features, trained, _ = one.ours()
    before = {"features stored": one.seconds_fp32}  # bf16 features come with the step bf16
    seconds = {"plain": one.training.epochs * epoch}
    seconds |= {name: before.get(name, features) + result[0] for name, result in steps.items()}
    seconds["own layers"] = features + trained
    print(
        f"{one.name}: {len(one.rows['train'])} images, {one.training.epochs} epochs: plain loop "
        f"{seconds['plain']:.1f} s ({timed} epochs timed), the workbook "
        f"{seconds['own layers']:.1f} s "
        f"({features:.1f} s of them features): "
        f"{seconds['plain'] / seconds['own layers']:.1f} times as fast"
    )
    shares = [
        f"{name} {seconds[last] / seconds[name]:.2f}" for last, name in itertools.pairwise(seconds)
    ]
    print(f"{one.name}, each step's factor: {', '.join(shares)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architectures", default="alexnet,vgg11,vgg13,vgg16")
    parser.add_argument("--images", type=int, default=192, help="training images")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--test", type=int, default=200, help="test images")
    parser.add_argument(
        "--warm",
        type=int,
        default=0,
        help="steps for convolutions without weights, before the race",
    )
    parser.add_argument("--rate", type=float, default=1e-4, help="Adam's in these steps")
    parser.add_argument(
        "--timed", type=int, default=2, help="epochs of the plain loop that are timed, 0 for none"
    )
    options = parser.parse_args()
    training = Training(epochs=options.epochs, device="cpu")
    print(f"{torch.get_num_threads()} threads, {choose_device(training).describe()}")
    images = images_of(options.images, options.test)
    for architecture in options.architectures.split(","):
        race(architecture, images, training, options.timed, (options.warm, options.rate))


if __name__ == "__main__":
    main()
