"""Training a head (and an attention block) on cached features.

Every random number of an epoch follows from (seed, epoch) alone, so that a training that was killed
and goes on behind its last saved epoch ends with the same numbers as one that was not.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lib.networks.answers import Halfway, answer
from lib.networks.devices import Device, sent
from lib.networks.dropout import own_numbers
from lib.networks.linear import clear_gradients, prepared
from lib.networks.network import Network
from lib.settings.options import Training
from lib.training.checkpoints import Checkpoint, put_head, take_head
from lib.training.steps import make_step
from lib.training.together import finished


class TrainingFailed(RuntimeError):
    """The loss is no longer a finite number."""


@dataclass(frozen=True)
class Data:
    """Cached maps (n, C, H, W), labels int64 (n,) (0 sad, 1 happy), and the rows of each split."""

    maps: Tensor
    labels: Tensor
    rows: dict[str, np.ndarray]

    def batches(self, order: np.ndarray, n: int, device: Device) -> Iterator[tuple[Tensor, Tensor]]:
        """Maps and labels of the rows ``order`` in ``n`` batches on the device, each in the
        order of the disk.
        """
        rows = torch.from_numpy(
            np.concatenate([np.sort(part) for part in np.array_split(order, n)])
        )
        labels = self.labels[rows].to(device.name)  # all at once: a GPU waits for what it is sent
        for these, y in zip(
            rows.to(self.maps.device).tensor_split(n), labels.tensor_split(n), strict=True
        ):
            yield take(self.maps, these, device), y


def near(maps: Tensor, device: Device) -> Tensor:
    """The maps on the GPU where they fill less than half of its free memory."""
    if device.name != "cuda" or maps.is_cuda:
        return maps
    torch.cuda.empty_cache()  # memory that torch keeps for later counts as taken
    if maps.nbytes >= 0.5 * torch.cuda.mem_get_info()[0]:
        return maps
    there = maps.to(device.name)
    torch.cuda.current_stream().synchronize()  # they may be read on another
    return there


def take(maps: Tensor, rows: Tensor, device: Device) -> Tensor:
    """Some maps on the device, channels last in memory, which convolutions behind a block want."""
    return sent(maps[rows.to(maps.device)], device).contiguous(memory_format=torch.channels_last)


@dataclass
class Fit:
    """What training left: one row of history an epoch, and the best epoch's head, by validation
    loss.
    """

    history: list[dict]
    best: dict[str, Tensor]

    @property
    def best_epoch(self) -> int:
        return min(self.history, key=lambda row: row["validation_loss"])["epoch"]


def train_head(
    network: Network,
    data: Data,
    training: Training,
    *,
    seed: int,
    device: Device,
    checkpoint: Checkpoint | None = None,
    tick: Callable[[str], None] = lambda note: None,
) -> Fit:
    """Train what is not frozen and leave the network with the head of its best epoch, in eval mode.

    Parameters
    ----------
    data : with rows of ``train`` and ``validation``.
    tick : called after every step with a note; what it raises stops the training (a *Cancel*
        button).

    Raises
    ------
    TrainingFailed : the loss became infinite or not a number.
    """
    return finished(
        head_steps(
            network, data, training, seed=seed, device=device, checkpoint=checkpoint, tick=tick
        )
    )


def head_steps(
    network: Network,
    data: Data,
    training: Training,
    *,
    seed: int,
    device: Device,
    checkpoint: Checkpoint | None = None,
    tick: Callable[[str], None] = lambda note: None,
) -> Generator[None, None, Fit]:
    """``train_head`` for ``lib.training.together``: yields after every step."""
    network.to(device.name).features.to(memory_format=torch.channels_last)
    optimiser = make_optimiser(network, training)
    saved = checkpoint.load_state(network, optimiser) if checkpoint else None
    fit = Fit(saved[0]["history"], saved[1]) if saved else Fit([], {})
    with own_numbers(network, device.name) as generator, computing(network, device, train=True):
        step = make_step(network, optimiser, device, generator)
        for epoch in range(len(fit.history) + 1, training.epochs + 1):
            network.train()
            rng = np.random.default_rng((seed, epoch))
            order = rng.permutation(data.rows["train"])
            generator.manual_seed(int(rng.integers(2**62)))  # dropout
            loss = yield from _epoch(
                step, data.batches(order, n_steps(len(order), training), device), epoch, tick
            )
            judged = evaluate(network, data, "validation", device)
            fit.history.append(
                {
                    "epoch": epoch,
                    "train_loss": loss,
                    "validation_loss": judged[0],
                    "validation_accuracy": judged[1],
                }
            )
            if fit.best_epoch == epoch:
                fit.best = take_head(network, device, into=fit.best)
            if checkpoint and checkpoint.due() and epoch < training.epochs:
                checkpoint.save_state(network, optimiser, fit.best, {"history": fit.history})
    put_head(network.eval(), fit.best)
    return fit


def make_optimiser(network: Network, training: Training) -> torch.optim.Adam:
    """Adam; the block has a learning rate of its own.

    Adam moves every number by about its rate a step. A rate of 1e-4, right for weights of about
    0.01, would leave the block's gain, which starts at 0, near 0 for thousands of steps.
    """
    block = [p for name, p in network.trained().items() if name.startswith("block.")]
    head = [p for name, p in network.trained().items() if not name.startswith("block.")]
    groups = [{"params": head, "lr": training.lr}] + [
        {"params": block, "lr": training.attention_lr}
    ] * bool(block)
    return torch.optim.Adam(groups, fused=True, capturable=network.mean.is_cuda)


def n_steps(n_train: int, training: Training) -> int:
    """Steps an epoch: batches of at most ``training.batch``, as equal as they can be."""
    return -(-n_train // training.batch)


def _epoch(
    step: Callable[[Tensor, Tensor], Tensor],
    batches: Iterator[tuple[Tensor, Tensor]],
    epoch: int,
    tick: Callable[[str], None],
) -> Generator[None, None, float]:
    """One pass over the batches: the mean loss of an image."""
    total, n = 0.0, 0
    for x, labels in batches:
        total = total + step(x, labels).double() * len(x)  # stays on the GPU: nobody waits for it
        n += len(x)
        tick(f"epoch {epoch}")
        yield
    mean = float(total) / n
    if not np.isfinite(mean):
        raise TrainingFailed(
            f"the training loss is {mean} in epoch {epoch}; try a lower training.lr or "
            "training.attention_lr"
        )
    return mean


@contextmanager
def computing(network: Network, device: Device, *, train: bool = False) -> Iterator[None]:
    """Prepare the large layers on a processor; a GPU needs no help. No gradients are left
    behind.
    """
    with ExitStack() as stack:
        if device.name == "cpu":
            stack.enter_context(prepared(network.classifier, device.dtype, train=train))
        stack.callback(clear_gradients, network)
        yield


def evaluate(network: Network, data: Data, split: str, device: Device) -> tuple[float, float]:
    """Mean loss and accuracy on a split."""
    rows = data.rows[split]
    odds = answer(network, Halfway(data.maps, network.cut), device, rows=rows).log_odds
    labels = data.labels.numpy()[rows]
    loss = np.logaddexp(0, np.where(labels == 1, -odds, odds)).mean()  # cross entropy
    return float(loss), float(((odds > 0) == labels).mean())
