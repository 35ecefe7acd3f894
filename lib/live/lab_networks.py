"""The networks of the attention lab: trained ones read back, new ones made, and trained on
demand.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch.nn.modules.module import register_module_forward_pre_hook

from lib.attention_study.points import architecture_of
from lib.live.lab_state import LabState, _structure
from lib.morphs.stimuli import regions_of
from lib.networks.attention import Attention, make_block
from lib.networks.design import Cell, cells
from lib.networks.devices import choose_device
from lib.networks.network import Network, block_channels, build_cell
from lib.storage.runs import MissingResult, Run
from lib.training.bases import make_base
from lib.training.checkpoints import Checkpoint, folder_of, load_trained
from lib.training.features import cached_features
from lib.training.heads import total_steps
from lib.training.train import train_cell

# trained networks in memory, a quarter of a gigabyte or more each; others are read back when wanted
LOADED = 4


class LabNetworks:
    """One trained AlexNet (seed 0) and every block that was asked for in its place.

    Parameters
    ----------
    run : of notebook 03, with trained AlexNets (otherwise MissingResult). images, stimuli : the
        tables.
    """

    def __init__(self, run: Run, images: pd.DataFrame, stimuli: pd.DataFrame):
        self.run, self.images, self.stimuli = run, images, stimuli.reset_index(drop=True)
        self.device = choose_device(run.study.training)
        self.regions = {
            part: np.asarray(mask, float) for part, mask in regions_of(run.study, stimuli).items()
        }
        self.regions = {
            part: mask.mean(0) if mask.ndim == 3 else mask for part, mask in self.regions.items()
        }
        own = [cell for cell in cells(run.study)[0] if cell.seed == 0]
        self._files: dict[tuple, Callable[[], Network]] = {
            _structure(cell.attention): partial(load_trained, run, cell)
            for cell in own
            if cell.attention is not None and cell.architecture != "fe_alexnet_guided"
        }
        plain = [cell for cell in own if cell.architecture == "alexnet"]
        if not plain:
            raise MissingResult(
                "this study trains no AlexNet; the attention lab puts its "
                "blocks into one. Add alexnet "
                "to networks.architectures"
            )
        self.plain_cell, self._maps, self._last = plain[0], {}, None
        self._store = threading.RLock()  # a training keeps its network in a thread of its own
        self._open: list[tuple] = []  # whose networks are in memory, the latest last
        self.plain = self._prepare(("none",), load_trained(run, self.plain_cell))
        self.networks: dict[tuple, Network] = {("none",): self.plain}
        self.trained: set[tuple] = {("none",)}

    def network(self, state: LabState, apply: bool = True) -> Network:
        """The state's network: trained where it is, otherwise a new block in the trained AlexNet.

        ValueError : settings that do not fit each other, such as heads that do not divide the
            channels.
        """
        key, attention = state.structure, state.attention(self.run.study.attention.grid)
        with self._store:
            if key not in self.networks:
                self.networks[key] = self._read_back(key) or self._new(attention)
            network = self.networks[key]
        if apply and key != ("none",):
            network.block.gain.data.fill_(state.gain)
            network.block.temperature = state.temperature
            network.set_regions(attention, self.regions)
        return network

    def _read_back(self, key: tuple) -> Network | None:
        """A network that the study, or this lab, has trained; None where neither has."""
        try:
            return self._keep(key, self._files[key]()) if key in self._files else None
        except MissingResult:
            return None

    def _new(self, attention: Attention) -> Network:
        """A new block; convolutions and head are the trained AlexNet's own."""
        channels = block_channels(self.plain.features, attention.location)
        block = make_block(attention, channels, torch.Generator().manual_seed(0))
        network = Network(self.plain.features, self.plain.classifier, block, attention.location)
        network.standardise(self.plain.mean.flatten(), self.plain.spread.flatten())
        return network.to(self.device.name).eval()

    def _keep(self, key: tuple, network: Network) -> Network:
        """Remember a trained network as it is now, and put away those that have been here
        longest.
        """
        with self._store:
            self._last = None
            self.networks[key] = self._prepare(key, network)
            self.trained.add(key)
            for old in [k for k in self._open if k != ("none",)][:-LOADED]:
                self._open.remove(old)
                del self.networks[old]
        return network

    def _prepare(self, key: tuple, network: Network) -> Network:
        """On the device; the latest of those in memory."""
        self._open = [other for other in self._open if other != key] + [key]
        return network.to(self.device.name).eval()

    def is_trained(self, state: LabState) -> bool:
        """Whether there is nothing to train: the block is trained, or there is none."""
        return state.kind == "none" or state.structure in self.trained

    def forget(self, state: LabState) -> None:
        """The way back: the state's block is new again. What was trained stays on the disk."""
        for known in (self._files, self.networks):
            known.pop(state.structure, None)
        self.trained.discard(state.structure)
        self._open = [key for key in self._open if key != state.structure]
        self._last = None

    def train(
        self,
        state: LabState,
        tick: Callable[[str], None] = lambda note: None,
        wanted: Callable[[], None] = lambda: None,
    ) -> dict:
        """Train the state's network (seed 0) from its head on; what ``tick`` (after a step) or
        ``wanted`` (before each layer of it) raises stops it, and nothing changes.

        Returns
        -------
        split, n, accuracy, auc of the test images.
        """
        if state.kind == "none":
            raise ValueError(
                "attention kind 'none' given; there is no block to train. Allowed: "
                "self, se, cbam, matched"
            )
        attention, study = state.attention(self.run.study.attention.grid), self.run.study
        cell = Cell(
            architecture_of(attention),
            self.plain_cell.pretraining,
            replace(attention, gain=study.attention.gain),
        )
        with before_layers(wanted):
            base = make_base(self.run, [cell], self.images, self.device, self.regions)
            checkpoint = Checkpoint(folder_of(self.run, cell, base, self.device))

            def read() -> Network:
                return checkpoint.load_head(build_cell(cell, study, empty=True))

            network = (
                read()
                if checkpoint.trained()
                else train_cell(self.run, cell, base, self.device, checkpoint, tick)
            )
        wanted()
        self._files[state.structure] = read
        self._keep(state.structure, network)
        return checkpoint.result()["accuracy"][-1]

    def steps(self) -> int:
        """Steps of one training."""
        training = self.run.study.training
        return total_steps(int((self.images["split"] == "train").sum()), training)

    def maps(self, cut: int) -> torch.Tensor:
        """The stimuli at a cut, from the cache."""
        if cut not in self._maps:
            paths = list(self.stimuli["path"])
            self._maps |= cached_features(
                self.plain.features, paths, {cut}, self.device, name="alexnet"
            )
        return self._maps[cut]


@contextmanager
def before_layers(check: Callable[[], None]) -> Iterator[None]:
    """``check`` is called before every layer that this thread computes while this lasts."""
    mine = threading.get_ident()

    def ask(module: torch.nn.Module, given: tuple) -> None:
        if threading.get_ident() == mine:
            check()

    handle = register_module_forward_pre_hook(ask)
    try:
        yield
    finally:
        handle.remove()
