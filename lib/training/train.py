"""Train a study's networks and let them answer its stimuli: what the notebooks call.

Convolutions are computed once per image (``lib.training.features``), heads train on them
(``lib.training.heads``), and what is finished is kept in the run's checkpoints, so that a second
call with the same settings reads it back.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.special import expit
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from lib.backbones import weights
from lib.backbones.outside import load_backbone
from lib.networks.answers import Halfway, answer
from lib.networks.design import Cell, cells, training_of
from lib.networks.devices import Device, choose_device
from lib.networks.network import Network, box_regions, build_cell
from lib.people.trials import trial_table
from lib.psychometrics.decisions import decide
from lib.settings.options import resolve
from lib.storage.files import file_hashes, settings_hash, write_json
from lib.storage.progress import Progress
from lib.storage.runs import MissingResult, Run
from lib.training.checkpoints import Checkpoint
from lib.training.features import channel_statistics, compute_features
from lib.training.heads import Data, total_steps, train_head

SPLITS = ("train", "validation", "test")
ACCURACY = ["architecture", "pretraining", "attention", "seed", "split", "n", "accuracy", "auc"]
HISTORY = [
    "architecture",
    "pretraining",
    "seed",
    "epoch",
    "train_loss",
    "validation_loss",
    "validation_accuracy",
    "block_share",
]


@dataclass(frozen=True)
class Base:
    """One set of convolutions with the images behind it: what cells of the same backbone and
    pretraining share.
    """

    maps: dict[int, Tensor]  # cut: (n, C, H, W)
    labels: np.ndarray  # (n,) 0 sad, 1 happy
    rows: dict[str, np.ndarray]
    standard: tuple[Tensor, Tensor] | None  # channel mean and SD for untrained convolutions
    key: str  # names images, labels, splits and weights
    regions: Mapping[str, np.ndarray]  # masks of the parts, for a region_prior


def train_cells(
    run: Run,
    chosen: Sequence[Cell],
    images: pd.DataFrame,
    *,
    regions: Mapping[str, np.ndarray] | None = None,
    every_s: float = 120.0,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Train every cell that is not trained yet; the test split is looked at once, after the last
    epoch.

    Parameters
    ----------
    chosen : of ``lib.networks.network.cells``. images : table ``images``.
    regions : masks of the parts for a ``region_prior``, such as ``regions_of(study, stimuli)``,
        which are averaged; None takes the study's boxes.
    every_s : seconds between two saved states of a long training.

    Returns
    -------
    accuracy : architecture, pretraining, attention, seed, split, n, accuracy, auc.
    history : architecture, pretraining, seed, epoch, train_loss, validation_loss,
        validation_accuracy.
    weights : architecture, pretraining, source, weights_set, sha256, loaded_keys, missing,
        unexpected, differs_from_init.
    """
    study, device, results = run.study, choose_device(run.study.training), {}
    for group, base in make_bases(run, chosen, images, device, regions):
        checkpoints = {
            cell: Checkpoint(folder_of(run, cell, base, device), every_s) for cell in group
        }
        waiting = {cell: place for cell, place in checkpoints.items() if not place.trained()}
        total = len(waiting) * total_steps(len(base.rows["train"]), study.training)
        with Progress(f"training {_name(group[0])}", total) as progress:
            train_all(run, waiting, base, device, lambda note: progress.step(note=note))
        for cell in group:
            results[cell] = checkpoints[cell].result()
            write_json(_pointer(run, cell), {"folder": checkpoints[cell].folder.name})
    accuracy = pd.DataFrame(
        [_who(cell) | row for cell in chosen for row in results[cell]["accuracy"]]
    )
    history = pd.DataFrame(
        [_who(cell) | row for cell in chosen for row in results[cell]["history"]]
    )
    return accuracy[ACCURACY], history.reindex(columns=HISTORY), weight_proofs(run, chosen)


def train_all(
    run: Run,
    waiting: Mapping[Cell, Checkpoint],
    base: Base,
    device: Device,
    tick: Callable[[str], None],
    then: Callable[[Cell, Network], None] | None = None,
) -> None:
    """Train cells of one base, one after the other; see ``train_cell`` for ``tick`` and ``then``.

    No network is kept: a VGG's head fills half a gigabyte.
    """
    for cell, checkpoint in waiting.items():
        train_cell(run, cell, base, device, checkpoint, tick, then)


def train_cell(
    run: Run,
    cell: Cell,
    base: Base,
    device: Device,
    checkpoint: Checkpoint,
    tick: Callable[[str], None] = lambda note: None,
    then: Callable[[Cell, Network], None] | None = None,
) -> Network:
    """Train one cell, judge it on validation and test, and keep it in its checkpoint.

    ``tick`` is called after every step. ``then`` is called with the trained network, whose results
    alone are kept in that case, not its head.
    """
    network = ready(run, cell, base)
    base.maps[network.cut] = on_gpu(base.maps[network.cut], device)  # for all seeds
    data = _data(cell, base, network)
    fit = train_head(
        network,
        data,
        run.study.training,
        seed=cell.seed,
        device=device,
        checkpoint=checkpoint,
        tick=tick,
    )
    judged = replace(data, labels=torch.from_numpy(base.labels))
    accuracy, log_odds = zip(
        *(judge(network, judged, split, device) for split in SPLITS[1:]), strict=True
    )
    result = {
        "cell": asdict(cell),
        "training": asdict(run.study.training),
        "precision": device.precision,
        "history": fit.history,
        "best_epoch": fit.best_epoch,
        "accuracy": list(accuracy),
        "test_log_odds": log_odds[-1].tolist(),
    }
    checkpoint.finish(None if then else fit.best, result)
    if then:
        then(cell, network)
    return network


def on_gpu(maps: Tensor, device: Device) -> Tensor:
    """The maps on the GPU where they fill less than half of its free memory, else as they are."""
    if device.name != "cuda" or maps.is_cuda:
        return maps
    torch.cuda.empty_cache()  # memory that torch keeps for later counts as taken
    fits = maps.nbytes < 0.5 * torch.cuda.mem_get_info()[0]
    return maps.to(device.name) if fits else maps


def judge(network: Network, data: Data, split: str, device: Device) -> tuple[dict, np.ndarray]:
    """split, n, accuracy and area under the ROC curve (NaN where only one class is there); and the
    log-odds (n,) behind them.
    """
    rows = data.rows[split]
    answers = answer(network, Halfway(data.maps, network.cut), device, rows=rows)
    p, labels = answers.p_happy, data.labels.numpy()[rows]
    auc = roc_auc_score(labels, p) if len(set(labels)) == 2 else np.nan
    row = {
        "split": split,
        "n": len(rows),
        "accuracy": float(((p > 0.5) == labels).mean()),
        "auc": float(auc),
    }
    return row, answers.log_odds


def answer_stimuli(
    run: Run,
    chosen: Sequence[Cell],
    stimuli: pd.DataFrame,
    elsewhere: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Every trained cell's answers to all stimuli, as rows of the trial table.

    ``p_happy`` is the softmax over the two classes; ``response`` follows from it by the study's
    decision rule.

    Parameters
    ----------
    elsewhere : rows of networks that ran elsewhere; see ``lib.training.elsewhere``.

    Raises
    ------
    MissingResult : a cell that is not trained.
    """
    device, rule, tables = choose_device(run.study.training), run.study.statistics, {}
    bases = {_name(group[0]): convolutions(run, group) for group in groups(chosen)}
    maps = compute_features(bases, list(stimuli["path"]), device)
    for group in groups(chosen):
        for cell in group:
            network = load_trained(run, cell)
            halfway = Halfway(maps[_name(cell)][network.cut], network.cut)
            tables[cell] = trial_rows(cell, stimuli, answer(network, halfway, device).log_odds)
            del network  # before the next is loaded
    more = [] if elsewhere is None or elsewhere.empty else [elsewhere]
    trials = pd.concat([*(tables[cell] for cell in chosen), *more], ignore_index=True)
    rng = run.rng("decisions")
    trials["response"] = decide(
        trials["p_happy"].to_numpy(), rule.decision, rng, rule.decision_noise
    )
    return trials


def answers_to_test(run: Run, chosen: Iterable[Cell], images: pd.DataFrame) -> pd.DataFrame:
    """Table ``test_answers``: what every trained cell said to each test image after its last epoch.

    Parameters
    ----------
    images : table ``images``, as they were trained on.

    Returns
    -------
    architecture, pretraining, attention, seed, image (its path), identity, label (1: the positive
    pole), log_odds, right (1 or 0)
    """
    test = images[images["split"] == "test"]
    identity = test["identity"] if "identity" in test else pd.Series(np.nan, test.index)
    label = (test["label"] == run.study.positive).to_numpy(int)
    tables = []
    for cell in chosen:
        result = _checkpoint(run, cell).result() or {}
        log_odds = np.array(result.get("test_log_odds", [np.nan] * len(test)))
        known = {"image": test["path"].to_numpy(), "identity": identity.to_numpy(), "label": label}
        right = np.where(np.isfinite(log_odds), (log_odds > 0) == label, np.nan)
        table = pd.DataFrame(_who(cell) | known | {"log_odds": log_odds, "right": right})
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def load_trained(run: Run, cell: Cell) -> Network:
    """A trained cell's network in fp32, in eval mode, ready for saliency.

    Raises
    ------
    MissingResult : the cell is not trained in this run.
    """
    return _checkpoint(run, cell).load_head(build_cell(cell, run.study, empty=True))


def _checkpoint(run: Run, cell: Cell) -> Checkpoint:
    """Where a trained cell's results lie; MissingResult where it is not trained."""
    pointer = _pointer(run, cell)
    if not pointer.is_file():
        raise MissingResult(
            f"run {run.study.name!r} has no trained {cell.observer} yet; networks are trained by "
            "notebooks 02 and 03. Run the notebooks in order, or `make workbook` once"
        )
    return Checkpoint(pointer.parent / json.loads(pointer.read_text(encoding="utf-8"))["folder"])


def weight_proofs(run: Run, chosen: Iterable[Cell]) -> pd.DataFrame:
    """Table ``weights``: one row per architecture and pretraining, read from the networks
    themselves.
    """
    rows = {}
    for cell in chosen:
        if (cell.architecture, cell.pretraining) not in rows:
            loaded = load_backbone(run.study, cell.backbone, cell.pretraining)
            rows[cell.architecture, cell.pretraining] = {
                "architecture": cell.architecture,
                "pretraining": cell.pretraining,
                **loaded.proof,
            }
    return pd.DataFrame(list(rows.values()))


def groups(chosen: Iterable[Cell]) -> Iterator[list[Cell]]:
    """Cells that share their convolutions, together."""

    def shared(cell):
        return cell.backbone, cell.pretraining

    for _, group in groupby(sorted(chosen, key=shared), key=shared):
        yield list(group)


def make_bases(
    run: Run,
    chosen: Sequence[Cell],
    images: pd.DataFrame,
    device: Device,
    regions: Mapping[str, np.ndarray] | None = None,
) -> Iterator[tuple[list[Cell], Base]]:
    """The cells in groups that share convolutions, each with its base; every image is read once
    for all of them.
    """
    paths, networks = (
        list(images["path"]),
        {_name(group[0]): convolutions(run, group) for group in groups(chosen)},
    )
    maps, read = compute_features(networks, paths, device), file_hashes(map(resolve, paths))
    rows = {split: np.flatnonzero(images["split"] == split) for split in SPLITS}
    labels = (images["label"] == run.study.positive).to_numpy().astype(np.int64)
    for group in groups(chosen):
        (features, _), own = networks[_name(group[0])], maps[_name(group[0])]
        key = settings_hash(
            read, labels.tolist(), list(images["split"]), weights.features_hash(features)
        )
        untrained = group[0].pretraining == "untrained"
        standard = (
            channel_statistics(own[len(features)], rows["train"], device) if untrained else None
        )
        yield (
            group,
            Base(own, labels, rows, standard, key, regions or box_regions(run.study.morphs.boxes)),
        )


def make_base(
    run: Run,
    group: Sequence[Cell],
    images: pd.DataFrame,
    device: Device,
    regions: Mapping[str, np.ndarray] | None = None,
) -> Base:
    """The base of one group."""
    return next(make_bases(run, group, images, device, regions))[1]


def load_base_features(run: Run, cell: Cell) -> nn.Sequential:
    """The convolutions of a cell."""
    return load_backbone(run.study, cell.backbone, cell.pretraining).features


def convolutions(run: Run, group: Sequence[Cell]) -> tuple[nn.Sequential, set[int]]:
    """A group's convolutions, and behind which layers the group and the study's others need the
    images.

    Untrained ones are also needed to their end, whose channels are standardised.
    """
    features, base = load_base_features(run, group[0]), (group[0].backbone, group[0].pretraining)
    others = [cell for cell in cells(run.study)[0] if (cell.backbone, cell.pretraining) == base]
    different = {replace(cell, seed=0) for cell in [*group, *others]}
    cuts = {build_cell(cell, run.study, empty=True).cut for cell in different}
    return features, cuts | ({len(features)} if group[0].pretraining == "untrained" else set())


def ready(run: Run, cell: Cell, base: Base) -> Network:
    """A cell's untrained network, fitted to its images."""
    network = build_cell(cell, run.study)
    if cell.attention is not None:
        network.set_regions(cell.attention, base.regions)
    if base.standard is not None:
        network.standardise(*base.standard)
    return network


def _data(cell: Cell, base: Base, network: Network) -> Data:
    """The cell's training data; shuffled labels are shuffled among the training images alone."""
    labels, train = base.labels.copy(), base.rows["train"]
    if cell.labels == "shuffled":
        labels[train] = np.random.default_rng([cell.seed, 77]).permutation(labels[train])
    return Data(base.maps[network.cut], torch.from_numpy(labels), base.rows)


def folder_of(run: Run, cell: Cell, base: Base, device: Device) -> Path:
    """The checkpoint folder of a cell, named by all that its training depends on."""
    training = training_of(cell, run.study.training)
    training = {
        name: value for name, value in training.items() if name not in ("device", "precision")
    }
    prior = cell.attention is not None and any(cell.attention.region_weights().values())
    masks = (
        {
            part: hashlib.sha256(np.asarray(mask, np.float32).tobytes()).hexdigest()
            for part, mask in base.regions.items()
        }
        if prior
        else None
    )
    key = settings_hash(asdict(cell), training, base.key, device.name, device.precision, masks)
    return run.folder / "checkpoints" / key


def _pointer(run: Run, cell: Cell) -> Path:
    """Says which checkpoint is the cell's in this run's present settings."""
    name = re.sub(r"[^\w.-]+", "_", cell.observer)  # without what a file's name may not have
    return run.folder / "checkpoints" / f"{name}.json"


def _who(cell: Cell) -> dict:
    return {
        "architecture": cell.architecture,
        "pretraining": cell.pretraining,
        "attention": cell.attention_name,
        "seed": cell.seed,
    }


def _name(cell: Cell) -> str:
    return f"{cell.backbone} ({cell.pretraining})"


def trial_rows(cell: Cell, stimuli: pd.DataFrame, log_odds: np.ndarray) -> pd.DataFrame:
    """Rows of the trial table, without responses yet.

    Parameters
    ----------
    stimuli : with columns stimulus, identity, level, condition.
    log_odds : the network's answers, (n,), positive - negative.
    """
    rows = stimuli[["stimulus", "identity", "level", "condition"]].reset_index(drop=True)
    return trial_table(
        **rows,
        observer=cell.observer,
        kind="cnn",
        architecture=cell.architecture,
        pretraining=cell.pretraining,
        seed=cell.seed,
        p_happy=expit(log_odds),
        log_odds=log_odds,
        response=np.nan,
    )
