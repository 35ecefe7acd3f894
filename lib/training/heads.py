"""Training a head (and an attention block) on cached features.

Every random number of an epoch follows from (seed, epoch) alone, so that a training that was killed
and goes on behind its last saved epoch ends with the same numbers as one that was not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from lib.networks.answers import Halfway, answer
from lib.networks.attention_maps import without_block
from lib.networks.devices import Device
from lib.networks.network import Network
from lib.settings.options import Training
from lib.training.checkpoints import Checkpoint, put_head, take_head
from lib.training.recorded import Recorded


class TrainingFailed(RuntimeError):
    """The loss is no longer a finite number."""


@dataclass(frozen=True)
class Data:
    """Cached maps (n, C, H, W), labels int64 (n,) (0 negative, 1 positive), rows of each split."""

    maps: Tensor
    labels: Tensor
    rows: dict[str, np.ndarray]

    def batches(
        self, order: np.ndarray, size: int, device: Device
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Maps (B, C, H, W) and labels (B,) on the device, of the rows ``order``.

        Batches hold at most ``size`` images and are as equal as they can be; each is read in the
        order of the disk.
        """
        for part in np.array_split(order, -(-len(order) // size)):
            rows = torch.from_numpy(np.sort(part))
            x = self.maps[rows.to(self.maps.device)].to(device.name)
            x = x.contiguous(memory_format=torch.channels_last)  # as convolutions want them
            yield x, self.labels[rows].to(device.name)


@dataclass
class Fit:
    """What training left: one row of history an epoch, and the best epoch's head, by validation
    loss.
    """

    history: list[dict]
    best: dict[str, Tensor]

    @property
    def best_epoch(self) -> int:
        """The epoch with the lowest validation loss, from 1."""
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
    network.to(device.name).features.to(memory_format=torch.channels_last)
    optimiser = make_optimiser(network, training)
    saved = checkpoint.load_state(network, optimiser) if checkpoint else None
    fit = Fit(saved[0]["history"], saved[1]) if saved else Fit([], {})
    step = make_step(network, optimiser, device)
    with torch.random.fork_rng(devices=[0] if device.name == "cuda" else []):
        for epoch in range(len(fit.history) + 1, training.epochs + 1):
            rng = np.random.default_rng((seed, epoch))
            order = rng.permutation(data.rows["train"])
            torch.manual_seed(int(rng.integers(2**62)))  # dropout
            network.train()
            loss = _epoch(step, data.batches(order, training.batch, device), epoch, tick)
            judged = evaluate(network, data, "validation", device)
            share = block_share(network, data, device)
            row = {"epoch": epoch, "train_loss": loss, **judged, "block_share": share}
            fit.history.append(row)
            if fit.best_epoch == epoch:
                fit.best = take_head(network, device, into=fit.best)
            if checkpoint and checkpoint.due() and epoch < training.epochs:
                checkpoint.save_state(network, optimiser, fit.best, {"history": fit.history})
    put_head(network.eval(), fit.best)
    network.zero_grad()  # their memory is not needed any more
    return fit


def make_optimiser(network: Network, training: Training) -> torch.optim.Adam:
    """Adam; the block has a learning rate of its own.

    Adam moves every number by about its rate a step; the block starts without effect and has to
    come further than the head's weights.
    """
    block = [p for name, p in network.trained().items() if name.startswith("block.")]
    head = [p for name, p in network.trained().items() if not name.startswith("block.")]
    groups = [{"params": head, "lr": training.lr}]
    if block:
        groups.append({"params": block, "lr": training.attention_lr})
    device = network.mean.device.type
    return torch.optim.Adam(groups, fused=device != "mps", capturable=device == "cuda")


def make_step(
    network: Network, optimiser: torch.optim.Adam, device: Device
) -> Callable[[Tensor, Tensor], Tensor]:
    """One step of training: a function of maps and labels that returns the batch's mean loss."""
    criterion = nn.CrossEntropyLoss()

    def step(x: Tensor, labels: Tensor) -> Tensor:
        optimiser.zero_grad()
        with device.autocast():
            loss = criterion(network(x, start=network.cut), labels) + network.guidance_loss(x)
        loss.backward()
        optimiser.step()
        return loss.detach()

    return Recorded(step) if device.name == "cuda" else step


def total_steps(n_train: int, training: Training) -> int:
    """Steps of one network's whole training on ``n_train`` images."""
    return training.epochs * -(-n_train // training.batch)


def _epoch(
    step: Callable[[Tensor, Tensor], Tensor],
    batches: Iterator[tuple[Tensor, Tensor]],
    epoch: int,
    tick: Callable[[str], None],
) -> float:
    """One pass over the batches: the mean loss of an image."""
    losses = []
    sizes = []
    for x, labels in batches:
        losses.append(step(x, labels).clone())  # stays on the GPU: nobody waits for it
        sizes.append(len(x))
        tick(f"epoch {epoch}")
    mean = float(np.average(torch.stack(losses).cpu().double().numpy(), weights=sizes))
    if not np.isfinite(mean):
        raise TrainingFailed(
            f"the training loss is {mean} in epoch {epoch}; try a lower training.lr or "
            "training.attention_lr"
        )
    return mean


def evaluate(network: Network, data: Data, split: str, device: Device) -> dict[str, float]:
    """Mean loss (cross entropy) and accuracy on a split: ``<split>_loss``, ``<split>_accuracy``."""
    rows = data.rows[split]
    odds = answer(network, Halfway(data.maps, network.cut), device, rows=rows).log_odds
    labels = data.labels.numpy()[rows]
    loss = np.logaddexp(0, np.where(labels == 1, -odds, odds)).mean()
    accuracy = ((odds > 0) == labels).mean()
    return {f"{split}_loss": float(loss), f"{split}_accuracy": float(accuracy)}


def block_share(network: Network, data: Data, device: Device) -> float | None:
    """How far the block moves the log-odds of validation images, over their SD; None without one.

    Root mean square of the change when the block is taken out.
    """
    if not hasattr(network.block, "gain"):
        return None
    halfway = Halfway(data.maps, network.cut)
    rows = data.rows["validation"]
    there = answer(network, halfway, device, rows=rows).log_odds
    with without_block(network):
        away = answer(network, halfway, device, rows=rows).log_odds
    spread = there.std(ddof=1) if len(there) > 1 else 0.0
    return float(np.sqrt(np.mean((there - away) ** 2)) / spread) if spread else None
