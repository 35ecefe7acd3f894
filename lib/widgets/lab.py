"""The attention lab: every setting of the attention stage as a control, and what it does to map,
curve and likeness.

Gain, temperature and region prior act on a block as it is; kind, location, reduction and heads make
another block, which is new until it is trained. A new block sits in the trained AlexNet and changes
nothing yet; a trained one is AlexNet with another head at gain 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial

import numpy as np
import pandas as pd
import torch
import yaml

from lib.attention_study.guidance import as_override
from lib.attention_study.points import architecture_of
from lib.morphs.stimuli import regions_of
from lib.networks.answers import Halfway, answer
from lib.networks.attention import Attention, make_block
from lib.networks.attention_maps import place_of
from lib.networks.design import Cell, cells
from lib.networks.devices import choose_device
from lib.networks.network import Network, block_channels, build_cell, parameter_counts
from lib.pictures.reading import read_image
from lib.settings.options import PARTS, resolve
from lib.storage.runs import MissingResult, Run
from lib.training.bases import make_base
from lib.training.checkpoints import Checkpoint, folder_of, load_trained
from lib.training.features import cached_features
from lib.training.heads import total_steps
from lib.training.train import train_cell, trial_rows
from lib.widgets.lab_reference import Reference
from lib.widgets.lab_state import STRUCTURE, LabState, View, _structure

# trained networks in memory, a quarter of a gigabyte or more each; others are read back when wanted
LOADED = 4


class AttentionLab:
    """One trained AlexNet (seed 0) and whatever attention stage the reader puts into it.

    Parameters
    ----------
    run : of notebook 03, with trained AlexNets (otherwise MissingResult). images, stimuli : the
        tables.
    people : their rows of the trial table.
    """

    def __init__(self, run: Run, images: pd.DataFrame, stimuli: pd.DataFrame, people: pd.DataFrame):
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
        self._open: list[tuple] = []  # whose networks are in memory, the latest last
        self.plain = self._prepare(("none",), load_trained(run, self.plain_cell))
        self.reference = Reference(people, self.plain_answers, run.study.statistics)
        self.networks: dict[tuple, Network] = {("none",): self.plain}
        self.trained: set[tuple] = {("none",)}

    def default(self) -> LabState:
        """The study's attention as it was trained, a fully happy face, and the mouth asking."""
        attention, faces = (
            Attention.of(self.run.study.attention),
            self.stimuli[self.stimuli["condition"] == "full"],
        )
        weights = attention.region_prior or {}
        return LabState(
            *(getattr(attention, name) for name in STRUCTURE),
            attention.temperature,
            attention.gain,
            *(float(weights.get(part, 0)) for part in PARTS),
            faces["identity"].iloc[0],
            faces["level"].max(),
            "full",
            "mouth",
        )

    def network(self, state: LabState, apply: bool = True) -> Network:
        """The state's network: trained where it is, otherwise a new block in the trained AlexNet.

        ValueError : settings that do not fit each other, such as heads that do not divide the
            channels.
        """
        key, attention = state.structure, state.attention(self.run.study.attention.grid)
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

    def train(self, state: LabState, tick: Callable[[str], None] = lambda note: None) -> dict:
        """Train the state's network (seed 0) from its head on; what ``tick`` raises stops it, and
        nothing changes.

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
        base = make_base(self.run, [cell], self.images, self.device, self.regions)
        checkpoint = Checkpoint(folder_of(self.run, cell, base, self.device))

        def read() -> Network:
            return checkpoint.load_head(build_cell(cell, study, empty=True))

        network = (
            read()
            if checkpoint.trained()
            else train_cell(self.run, cell, base, self.device, checkpoint, tick)
        )
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

    def view(self, state: LabState) -> View:
        """All that the state shows. ValueError as ``network``."""
        network, rows = (
            self.network(state),
            np.flatnonzero(self.stimuli["condition"] == state.condition),
        )
        here, maps = self.stimuli.iloc[rows], self.maps(network.cut)
        answers, points, scores = self._behaviour(state, network, maps, rows)
        one = int(
            np.flatnonzero(
                (here["identity"] == state.face) & np.isclose(here["level"], state.level)
            )[0]
        )
        seen = self._map(network, maps[int(rows[one])])
        side = round((seen.shape[-1] if seen is not None else 1) ** 0.5)
        picture, asks = (
            read_image(resolve(here["path"].iloc[one])),
            place_of(self.regions[state.asks], side * side),
        )
        return View(
            state,
            picture,
            seen,
            asks,
            answers,
            points,
            scores,
            parameter_counts(network),
            float(answers["p_happy"].iloc[one]),
            self.note(state),
        )

    def _behaviour(
        self, state: LabState, network: Network, maps: torch.Tensor, rows: np.ndarray
    ) -> tuple:
        """Answers, points and scores of a state, kept for the next one that only shows another
        face or place.
        """
        behaves = replace(state, face="", level=0.0, asks="")
        if self._last is None or self._last[0] != behaves:
            answers = self._answers("fe_alexnet", network, maps, rows)
            self._last = (behaves, answers, *self.reference.compare(answers, state.condition))
        return self._last[1:]

    def note(self, state: LabState) -> str:
        """Whether the block is trained, in words."""
        if state.kind == "none":
            return "AlexNet without a block."
        if state.structure in self.trained:
            gain = self.run.study.attention.gain
            return f"This block is trained. Gain {gain:g} is as it was trained, 0 takes it out."
        return "This block is new: it changes nothing yet, whatever its gain. Press Train."

    def plain_answers(self, condition: str) -> pd.DataFrame:
        """The trained AlexNet's answers to a condition."""
        rows = np.flatnonzero(self.stimuli["condition"] == condition)
        return self._answers("alexnet", self.plain, self.maps(self.plain.cut), rows)

    def settings(self, state: LabState) -> tuple[str, str]:
        """The state as a study's YAML and as the words after ``--set``."""
        values = asdict(state.attention(self.run.study.attention.grid))
        prior = values.pop("region_prior")
        values.pop("guide")
        words = [f"attention.{name}={value}" for name, value in values.items()]
        values |= {"region_prior": prior} if prior else {}
        words += [as_override(prior)] if prior else []
        return yaml.safe_dump({"attention": values}, sort_keys=False), " ".join(words)

    def _answers(
        self, architecture: str, network: Network, maps: torch.Tensor, rows: np.ndarray
    ) -> pd.DataFrame:
        cell = replace(self.plain_cell, architecture=architecture)
        odds = answer(network, Halfway(maps, network.cut), self.device, rows=rows).log_odds
        table = trial_rows(cell, self.stimuli.iloc[rows], odds)
        return table.assign(condition="full")

    @torch.no_grad()
    def _map(self, network: Network, one: torch.Tensor) -> np.ndarray | None:
        if not hasattr(network.block, "attention_map"):
            return None
        x = one[None].to(self.device.name).float()
        return network.block.attention_map(x, network.prior).mean(dim=1).cpu().numpy()
