"""What is kept of a network's training: its state while it lasts, and its head and results once it
is done.

A folder ``runs/<name>/checkpoints/<hash of all settings>/`` holds ``state-<epoch>.safetensors`` and
``state.json`` during training, ``head.safetensors`` and ``result.json`` afterwards. The JSON is
written last and makes it count.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from lib.networks.design import Cell, cells, training_of
from lib.networks.devices import Device
from lib.networks.network import Network, build_cell
from lib.storage.files import settings_hash, write_json, write_with
from lib.storage.runs import MissingResult, Run
from lib.training.bases import Base

BUFFERS = ("mean", "spread", "prior")


@dataclass
class Checkpoint:
    """One cell's folder. ``every_s``: how long training may go on between two saved states."""

    folder: Path
    every_s: float = 120.0
    _saved: float = field(default_factory=time.monotonic)

    def result(self) -> dict | None:
        """What a finished training left, None where it is not finished."""
        return _read(self.folder / "result.json")

    def finish(self, head: dict[str, Tensor] | None, result: dict) -> None:
        """Keep the trained head and the results, or with None the results alone; drop the state."""
        if head is not None:
            write_with(self.folder / "head.safetensors", lambda path: save_file(head, path))
        write_json(self.folder / "result.json", result)
        (self.folder / "state.json").unlink(missing_ok=True)
        self._drop_states()

    def trained(self) -> bool:
        """Whether the trained head is there, too; a grid keeps results and answers alone."""
        return self.result() is not None and (self.folder / "head.safetensors").is_file()

    def load_head(self, network: Network) -> Network:
        """The trained head and block into an empty network of the same cell."""
        put_head(network, load_file(self.folder / "head.safetensors"))
        network.features.to(
            memory_format=torch.channels_last
        )  # convolutions take a fifth to a quarter less time
        return network.eval()

    def due(self) -> bool:
        """Whether the last saved state is old enough for another."""
        return time.monotonic() - self._saved >= self.every_s

    def save_state(
        self, network: Network, optimiser: torch.optim.Adam, best: dict[str, Tensor], progress: dict
    ) -> None:
        """All that training needs to go on behind an epoch with the same numbers."""
        tensors = {f"best.{name}": value for name, value in best.items()}
        for name, parameter in network.trained().items():
            state = optimiser.state[parameter]
            tensors |= {
                f"value.{name}": parameter.detach(),
                f"mean.{name}": state["exp_avg"],
                f"square.{name}": state["exp_avg_sq"],
            }
            progress = {**progress, "step": float(state["step"])}
        name = f"state-{len(progress['history'])}.safetensors"
        tensors = {key: value.cpu().contiguous() for key, value in tensors.items()}
        write_with(self.folder / name, lambda path: save_file(tensors, path))
        write_json(self.folder / "state.json", {**progress, "file": name})
        self._drop_states(keep=name)
        self._saved = time.monotonic()

    def load_state(
        self, network: Network, optimiser: torch.optim.Adam
    ) -> tuple[dict, dict[str, Tensor]] | None:
        """Put a saved state into network and optimiser: the progress and the best head so far;
        None without one.
        """
        progress = _read(self.folder / "state.json")
        if progress is None:
            return None
        tensors = load_file(self.folder / progress["file"])
        for name, parameter in network.trained().items():
            parameter.data.copy_(tensors[f"value.{name}"])
            optimiser.state[parameter] = {
                "step": torch.tensor(progress["step"], device=parameter.device),
                "exp_avg": tensors[f"mean.{name}"].to(parameter.device),
                "exp_avg_sq": tensors[f"square.{name}"].to(parameter.device),
            }
        return progress, {
            k.removeprefix("best."): v for k, v in tensors.items() if k.startswith("best.")
        }

    def _drop_states(self, keep: str = "") -> None:
        for path in self.folder.glob("state-*.safetensors"):
            if path.name != keep:
                path.unlink()


def take_head(
    network: Network, device: Device, into: dict[str, Tensor] | None = None
) -> dict[str, Tensor]:
    """A copy of what was trained, and of the buffers that belong to it; ``into`` is an earlier copy
    to overwrite.

    The large layers compute from their weights rounded to the device's precision, so these are kept
    rounded, at half the space in bf16, and give the same logits.
    """
    rounded = {
        f"classifier.{k}.{kind}"
        for k, layer in enumerate(network.classifier[:-1])  # the last computes in fp32
        if isinstance(layer, nn.Linear)
        for kind in ("weight", "bias")
    }
    tensors = network.trained() | {name: getattr(network, name) for name in BUFFERS}
    head = into or {}
    for name, value in tensors.items():
        if value is None:
            continue
        if name not in head:
            dtype = device.dtype if name in rounded else torch.float32
            head[name] = torch.empty(value.shape, dtype=dtype, device=value.device)
        head[name].copy_(value.detach())
    return head


@torch.no_grad()
def put_head(network: Network, head: dict[str, Tensor]) -> None:
    """The other way: ``head`` into the network."""
    for name, parameter in network.trained().items():
        parameter.copy_(head[name])
    network.mean.copy_(head["mean"])
    network.spread.copy_(head["spread"])
    network.prior = head["prior"].to(network.mean.device) if "prior" in head else None


def load_trained(run: Run, cell: Cell) -> Network:
    """A trained cell's network in fp32, in eval mode, ready for saliency.

    Raises
    ------
    MissingResult : the cell is not trained in this run.
    """
    return checkpoint_of(run, cell).load_head(build_cell(cell, run.study, empty=True))


def usable_cells(run: Run) -> list[Cell]:
    """The study's cells, without guided ones that nobody's behaviour could guide."""
    return [
        cell
        for cell in cells(run.study)[0]
        if cell.architecture != "fe_alexnet_guided" or pointer_of(run, cell).is_file()
    ]


def checkpoint_of(run: Run, cell: Cell) -> Checkpoint:
    """Where a trained cell's results lie; MissingResult where it is not trained."""
    pointer = pointer_of(run, cell)
    if not pointer.is_file():
        raise MissingResult(
            f"run {run.study.name!r} has no trained {cell.observer} yet; networks are trained by "
            "notebooks 02 and 03. Run the notebooks in order, or `make workbook` once"
        )
    return Checkpoint(pointer.parent / json.loads(pointer.read_text(encoding="utf-8"))["folder"])


def folder_of(run: Run, cell: Cell, base: Base, device: Device) -> Path:
    """The checkpoint folder of a cell, named by all that its training depends on."""
    training = training_of(cell, run.study.training)
    training = {
        name: value for name, value in training.items() if name not in ("device", "precision")
    }
    masks = None
    if _looks_at_parts(cell):
        masks = {
            part: hashlib.sha256(np.asarray(mask, np.float32).tobytes()).hexdigest()
            for part, mask in base.regions.items()
        }
    key = settings_hash(asdict(cell), training, base.key, device.name, device.precision, masks)
    return run.folder / "checkpoints" / key


def _looks_at_parts(cell: Cell) -> bool:
    """Whether training depends on where the parts of the face are."""
    attention = cell.attention
    return attention is not None and (
        any(attention.region_weights().values()) or bool(attention.guide)
    )


def pointer_of(run: Run, cell: Cell) -> Path:
    """Says which checkpoint is the cell's in this run's present settings."""
    name = re.sub(r"[^\w.-]+", "_", cell.observer)  # without what a file's name may not have
    return run.folder / "checkpoints" / f"{name}.json"


def _read(path: Path) -> dict | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
