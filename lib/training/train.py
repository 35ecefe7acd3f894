"""Train a study's networks and let them answer its stimuli: what the notebooks call.

Convolutions are computed once per image (``lib.training.features``), heads train on them
(``lib.training.heads``), and what is finished is kept in the run's checkpoints, so that a second
call with the same settings reads it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import torch
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from lib.networks.answers import Halfway, answer
from lib.networks.design import Cell
from lib.networks.devices import Device, choose_device
from lib.networks.network import Network, build_cell
from lib.observers.decisions import decide
from lib.people.trials import trial_table
from lib.storage.files import write_json
from lib.storage.progress import Progress
from lib.storage.runs import Run
from lib.training.bases import (
    SPLITS,
    Base,
    base_name,
    convolutions,
    groups,
    make_bases,
    on_gpu,
    weight_proofs,
)
from lib.training.checkpoints import Checkpoint, checkpoint_of, folder_of, load_trained, pointer_of
from lib.training.features import compute_features
from lib.training.heads import Data, total_steps, train_head

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
    study = run.study
    device = choose_device(run.study.training)
    results = {}
    for group, base in make_bases(run, chosen, images, device, regions):
        checkpoints = {
            cell: Checkpoint(folder_of(run, cell, base, device), every_s) for cell in group
        }
        waiting = {cell: place for cell, place in checkpoints.items() if not place.trained()}
        total = len(waiting) * total_steps(len(base.rows["train"]), study.training)
        with Progress(f"training {base_name(group[0])}", total) as progress:
            train_all(run, waiting, base, device, lambda note: progress.step(note=note))
        for cell in group:
            results[cell] = checkpoints[cell].result()
            write_json(pointer_of(run, cell), {"folder": checkpoints[cell].folder.name})
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


def judge(network: Network, data: Data, split: str, device: Device) -> tuple[dict, np.ndarray]:
    """split, n, accuracy and area under the ROC curve (NaN where only one class is there); and the
    log-odds (n,) behind them.
    """
    rows = data.rows[split]
    answers = answer(network, Halfway(data.maps, network.cut), device, rows=rows)
    p = answers.p_happy
    labels = data.labels.numpy()[rows]
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
    device = choose_device(run.study.training)
    rule = run.study.statistics
    tables = {}
    bases = {base_name(group[0]): convolutions(run, group) for group in groups(chosen)}
    maps = compute_features(bases, list(stimuli["path"]), device)
    for group in groups(chosen):
        for cell in group:
            network = load_trained(run, cell)
            halfway = Halfway(maps[base_name(cell)][network.cut], network.cut)
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
    """Table ``test_answers``: what every cell that is trained said to each test image after its
    last epoch.

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
    for cell in (cell for cell in chosen if pointer_of(run, cell).is_file()):
        result = checkpoint_of(run, cell).result() or {}
        log_odds = np.array(result.get("test_log_odds", [np.nan] * len(test)))
        known = {"image": test["path"].to_numpy(), "identity": identity.to_numpy(), "label": label}
        right = np.where(np.isfinite(log_odds), (log_odds > 0) == label, np.nan)
        table = pd.DataFrame(_who(cell) | known | {"log_odds": log_odds, "right": right})
        tables.append(table)
    names = ["architecture", "pretraining", "attention", "seed", "image", "identity", "label"]
    columns = [*names, "log_odds", "right"]
    found = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
    return found[columns]


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
    labels = base.labels.copy()
    train = base.rows["train"]
    if cell.labels == "shuffled":
        labels[train] = np.random.default_rng([cell.seed, 77]).permutation(labels[train])
    return Data(base.maps[network.cut], torch.from_numpy(labels), base.rows)


def _who(cell: Cell) -> dict:
    return cell.who | {"attention": cell.attention_name}


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
        **cell.who,
        p_happy=expit(log_odds),
        log_odds=log_odds,
        response=np.nan,
    )
