"""What a CUDA GPU makes of it: ``bench_gpu.py [steps] [features] [agreement] [pictures] [protocol
[weights_dir=…]]``.

``steps``: a training step recorded and not; every block at every location, and what the whole
attention grid at the paper's size would take. ``features``: loading against the bare forward pass.
``agreement``: the same study on processor and GPU. Only where they are named: ``protocol``, the
paper's size (28,000 training images, 40 epochs, 5 seeds), end to end, which goes on where it was
stopped; ``pictures``, its images alone, made here. Without a GPU there is nothing to measure.
"""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lib.attention_study.points import points
from lib.morphs.stimuli import make_stimuli
from lib.networks.attention import Attention
from lib.networks.design import cells
from lib.networks.devices import Device, choose_device
from lib.networks.network import build_network, grid_size
from lib.pictures import builtin as face_sets
from lib.pictures.labelled import load_images
from lib.pictures.reading import keep_pictures
from lib.settings.loading import load_study
from lib.settings.options import ROOT, Training
from lib.storage.files import threads, write_csv
from lib.storage.runs import Run
from lib.training.features import CHUNK, cached_features, forward, loaded
from lib.training.heads import make_optimiser, make_step
from lib.training.recorded import WARM_UP, Recorded
from lib.training.train import answer_stimuli, train_cells

BATCH, N_TRAIN, EPOCHS = 128, 28_000, 40
PICTURES = {"train": N_TRAIN, "validation": 2000, "test": 2000}
PROTOCOL = [
    "images.root=data/derived/protocol",
    "morphs.source=builtin",
    "networks.controls=[]",
    "networks.missing_weights=untrained",
    "name=protocol",
]


def milliseconds(call, repeats: int = 50) -> float:
    """A call's time on the GPU, mean over repeats."""
    call()
    torch.cuda.synchronize()
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(repeats):
        call()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / repeats


def a_step(
    architecture: str, attention: Attention | None, device: Device
) -> tuple[Recorded, Tensor, Tensor]:
    """A training step that has been recorded, with a batch of maps and labels."""
    network = (
        build_network(architecture, pretraining="untrained", attention=attention).to("cuda").train()
    )
    network.features.to(memory_format=torch.channels_last)
    channels = next(
        layer.out_channels
        for layer in reversed(network.features[: network.cut])
        if isinstance(layer, torch.nn.Conv2d)
    )
    x = torch.randn(
        BATCH,
        channels,
        *grid_size(network.features, network.cut),
        device="cuda",
        dtype=device.dtype,
    )
    x, labels = (
        x.abs().contiguous(memory_format=torch.channels_last),
        torch.arange(BATCH, device="cuda") % 2,
    )
    step = make_step(network, make_optimiser(network, Training()), device)
    for _ in range(WARM_UP + 1):
        step(x, labels)
    return step, x, labels


def steps(device: Device) -> None:
    pair = torch.zeros(2, 2**29, device="cuda")
    rate = pair.nbytes / milliseconds(lambda: pair[0].copy_(pair[1]), 10) / 1e6
    print(f"GPU memory: {rate:.0f} GB/s, bytes read and written")
    for architecture in ("alexnet", "vgg16"):
        step, *batch = a_step(architecture, None, device)
        recorded, launched = (
            milliseconds(lambda call=call, batch=batch: call(*batch), 20)
            for call in (step, step.step)
        )
        print(
            f"a step of {architecture}'s head: {recorded:.2f} ms recorded, "
            f"{launched:.2f} ms launched one by one",
            flush=True,
        )
    study = load_study(ROOT / "data/studies/attention_grid.yaml")
    chosen = points(study, study.grid.pretraining)
    times, hours = {}, 0.0
    for point in chosen:
        attention = point.cell.attention or Attention("none")
        for key in ((kind, attention.location) for kind in ("none", attention.kind)):
            if key not in times:
                step, *batch = a_step("alexnet", Attention(*key), device)
                times[key] = milliseconds(lambda step=step, batch=batch: step(*batch))
                print(
                    f"a step with {key[0]} at {key[1]}: {times[key]:.2f} ms, "
                    f"{times[key] / times['none', key[1]]:.2f} times the same without",
                    flush=True,
                )
        hours += times[attention.kind, attention.location] * -(-N_TRAIN // BATCH) * EPOCHS
    hours *= study.training.seeds / 3.6e6
    print(
        f"the whole grid at the paper's size ({len(chosen) * study.training.seeds} "
        f"trainings, {N_TRAIN:,} images, "
        f"{EPOCHS} epochs): {hours:.1f} h of steps, reckoned from these"
    )


def features(device: Device) -> None:
    images = list(
        drawn(
            load_study(
                ROOT / "data/studies/demo.yaml",
                ["images.n_train=4096", "images.n_validation=2", "images.n_test=2"],
            )
        )["path"]
    )
    batch = np.zeros((CHUNK, 224, 224, 3), np.uint8)
    started = time.perf_counter()
    n = sum(
        len(chunk)
        for chunk in loaded([images[k : k + CHUNK] for k in range(0, len(images), CHUNK)])
    )
    print(f"reading pictures alone: {n / (time.perf_counter() - started):.0f} a second")
    for architecture in ("alexnet", "vgg16"):
        layers = (
            build_network(architecture, pretraining="untrained")
            .features.to("cuda")
            .to(memory_format=torch.channels_last)
        )
        bare = (
            milliseconds(lambda layers=layers: forward(layers, batch, {len(layers)}, device), 20)
            / CHUNK
        )
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            cached_features(layers, images, {len(layers)}, device, folder=Path(folder))
            whole = 1000 * (time.perf_counter() - started) / len(images)
        print(
            f"features of {architecture}: {1 / whole * 1000:.0f} images a "
            "second, from disk to disk, "
            f"{bare / whole:.0%} of the bare forward pass with the images sent"
        )


def drawn(study) -> pd.DataFrame:
    """A study's built-in set on disk, drawn by all processors."""
    parts = threads()
    with multiprocessing.get_context("fork").Pool(parts) as pool:
        rows = pd.concat(pool.starmap(draw_shard, [(study, part, parts) for part in range(parts)]))
    place = Path(rows["path"].iloc[0]).parents[2]
    write_csv(
        place / "index.csv",
        pd.DataFrame(
            {
                "file": [str(Path(path).relative_to(place)) for path in rows["path"]],
                "sha256": rows["sha256"],
            }
        ),
    )
    return rows


def draw_shard(study, part: int, parts: int) -> pd.DataFrame:
    """Every ``parts``-th picture."""
    cv2.setNumThreads(1)
    face_sets.keep_pictures = lambda place, rows, draw, name: keep_pictures(
        place, rows.iloc[part::parts], draw, name
    )
    return face_sets.builtin_set(study, ROOT / "data/derived")


def agreement(device: Device) -> None:
    """The smoke study's four networks trained and asked: twice on the GPU, and without dropout,
    whose random numbers differ, on processor and GPU."""
    plain, found = ["training.dropout=0"], {}
    kinds = {
        "once": [],
        "again": [],
        "processor": ["training.device=cpu", "training.precision=fp32", *plain],
        "fp32": ["training.precision=fp32", *plain],
        "bf16": ["training.precision=bf16", *plain],
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, own in kinds.items():
            study = load_study(
                ROOT / "data/studies/smoke.yaml",
                [
                    f"name={name}",
                    f"output={folder}",
                    "training.batch=32",
                    "networks.missing_weights=objects",
                    *own,
                ],
            )
            run, images, (chosen, _) = Run(study, "02"), load_images(study), cells(study)
            accuracy, history, _ = train_cells(run, chosen, images)
            found[name] = (
                accuracy,
                history,
                answer_stimuli(run, chosen, make_stimuli(study, images)),
            )
    same = all(one.equals(other) for one, other in zip(found["once"], found["again"], strict=True))
    print(
        f"twice on the GPU: accuracies, losses and answers {'identical' if same else 'DIFFERENT'}"
    )
    for name in ("fp32", "bf16"):
        gap = (found[name][2]["p_happy"] - found["processor"][2]["p_happy"]).abs()
        loss = (found[name][1]["train_loss"] - found["processor"][1]["train_loss"]).abs()
        print(
            f"GPU in {name} against processor in fp32, trained alike without "
            "dropout: p(happy) differs by "
            f"{gap.mean():.1e} on average and {gap.max():.1e} at most over "
            f"{len(gap)} answers, training losses by "
            f"{loss.max():.1e} at most"
        )


def pictures(device: Device) -> None:
    last = ROOT / f"data/derived/protocol/test/sad/{PICTURES['test'] // 2 - 1}.png"
    if last.is_file():
        return
    faces = drawn(
        load_study(
            ROOT / "data/studies/demo.yaml",
            [
                "images.identities=60",
                "images.n_train=1000",
                "images.n_validation=200",
                "images.n_test=200",
            ],
        )
    )
    with multiprocessing.get_context("fork").Pool(threads()) as pool:
        pool.starmap(vary, [(faces, part) for part in range(threads())])
    print(f"{sum(PICTURES.values()):,} pictures made")


def protocol(device: Device) -> None:
    pictures(device)
    study = load_study(ROOT / "data/studies/paper.yaml", PROTOCOL)
    started = time.perf_counter()
    subprocess.run(
        [
            sys.executable,
            "-m",
            "lib.workbook",
            "run",
            "--study",
            "data/studies/paper.yaml",
            "--resume",
            "--set",
            *PROTOCOL,
        ],
        cwd=ROOT,
        check=True,
    )
    whole, folder = time.perf_counter() - started, ROOT / "runs" / study.name
    print(f"stages: {json.dumps(json.loads((folder / 'manifest.json').read_text())['notebooks'])}")
    print(
        pd.read_csv(folder / "tables" / "accuracy.csv")
        .query("split == 'test'")
        .groupby("architecture")["accuracy"]
        .agg(["mean", "min", "max"])
        .round(4)
        .to_string()
    )
    print(f"the paper's protocol, end to end or from where it was stopped: {whole:.0f} s")


def vary(faces: pd.DataFrame, part: int) -> None:
    """A share of the protocol's pictures: the drawn faces turned, shifted and lit anew, as
    split/class/file.
    """
    cv2.setNumThreads(1)
    for (split, label), rows in faces.groupby(["split", "label"]):
        folder = ROOT / "data/derived/protocol" / split / label
        folder.mkdir(parents=True, exist_ok=True)
        for k in range(part, PICTURES[split] // 2, threads()):
            rng = np.random.default_rng([part, k])
            turn = cv2.getRotationMatrix2D((112, 112), rng.uniform(-8, 8), rng.uniform(0.9, 1.1))
            turn[:, 2] += rng.uniform(-8, 8, 2)
            face = cv2.warpAffine(
                cv2.imread(rows["path"].iloc[k % len(rows)]),
                turn,
                (224, 224),
                borderMode=cv2.BORDER_REPLICATE,
            )
            cv2.imwrite(
                str(folder / f"{k}.png"), cv2.convertScaleAbs(face, alpha=rng.uniform(0.8, 1.2))
            )


PARTS = {part.__name__: part for part in (steps, features, agreement, pictures, protocol)}
ONLY_NAMED = (pictures, protocol)


def main(wanted: list[str]) -> None:
    if not torch.cuda.is_available():
        print("no CUDA GPU here: nothing measured")
        return
    device = choose_device(Training())
    print(device.describe(), flush=True)
    PROTOCOL.extend(word for word in wanted if "=" in word)
    for part in PARTS.values():
        if part.__name__ in wanted or (
            part not in ONLY_NAMED and not any(name in PARTS for name in wanted)
        ):
            began = time.perf_counter()
            part(device)
            print(f"[{part.__name__}: {time.perf_counter() - began:.0f} s]", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
