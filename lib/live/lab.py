"""The attention lab: every setting of the attention stage as a control, and what it does to map,
curve and likeness.

Gain, temperature and region prior act on a block as it is; kind, location, reduction and heads make
another block, which is new until it is trained. A new block sits in the trained AlexNet and changes
nothing yet; a trained one is AlexNet with another head at gain 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import torch
import yaml

from lib.attention_study.guidance import as_override
from lib.live.lab_networks import LabNetworks
from lib.live.lab_reference import Reference
from lib.live.lab_state import STRUCTURE, LabState, View
from lib.networks.answers import Halfway, answer
from lib.networks.attention import Attention
from lib.networks.attention_maps import place_of
from lib.networks.network import Network, parameter_counts
from lib.observers.tables import level_shares
from lib.pictures.reading import read_image
from lib.settings.options import PARTS, resolve
from lib.storage.runs import Run
from lib.training.train import trial_rows

FACES = 9  # answered at once, before the next key is listened to


class AttentionLab(LabNetworks):
    """One trained AlexNet (seed 0) and whatever attention stage the reader puts into it.

    Parameters
    ----------
    run : of notebook 03, with trained AlexNets (otherwise MissingResult). images, stimuli : the
        tables.
    people : their rows of the trial table.
    """

    def __init__(self, run: Run, images: pd.DataFrame, stimuli: pd.DataFrame, people: pd.DataFrame):
        super().__init__(run, images, stimuli)
        self.reference = Reference(people, self.plain_answers, run.study.statistics)

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

    def view(self, state: LabState, wanted: Callable[[], None] = lambda: None) -> View:
        """All that the state shows. ValueError as ``network``.

        Parameters
        ----------
        wanted : is called between faces; what it raises ends the computing.
        """
        network, rows = self._asked(state)
        return self._seen(state, network, rows, *self._behaviour(state, network, rows, wanted))

    def glance(self, state: LabState) -> View:
        """What can be told at once: all of it where only the face or the place changed, otherwise
        the curve of the shown face alone, without scores.
        """
        if self._last is not None and self._last[0] == _behaves(state):
            return self.view(state)
        network, rows = self._asked(state)
        few = rows[(self.stimuli["identity"].iloc[rows] == state.face).to_numpy()]
        answers = self._answers("fe_alexnet", network, self.maps(network.cut), few)
        statistics = self.run.study.statistics
        plain = self.reference.at(state.condition).plain_points
        points = pd.concat([level_shares(answers, statistics), plain])
        view = self._seen(state, network, few, answers, points, pd.DataFrame())
        return replace(view, draft=f"first look: {len(few)} of {len(rows)} faces")

    def _asked(self, state: LabState) -> tuple[Network, np.ndarray]:
        """The state's network, and the rows of its stimuli."""
        rows = np.flatnonzero(self.stimuli["condition"] == state.condition)
        return self.network(state), rows

    def _seen(
        self,
        state: LabState,
        network: Network,
        rows: np.ndarray,
        answers: pd.DataFrame,
        points: pd.DataFrame,
        scores: pd.DataFrame,
    ) -> View:
        """The shown face, its picture and its map, beside what the network does."""
        here = self.stimuli.iloc[rows]
        same = (here["identity"] == state.face) & np.isclose(here["level"], state.level)
        one = int(np.flatnonzero(same)[0])
        seen = self._map(network, self.maps(network.cut)[int(rows[one])])
        side = round((seen.shape[-1] if seen is not None else 1) ** 0.5)
        return View(
            state,
            read_image(resolve(here["path"].iloc[one])),
            seen,
            place_of(self.regions[state.asks], side * side),
            answers,
            points,
            scores,
            parameter_counts(network),
            float(answers["p_happy"].iloc[one]),
            self.note(state),
        )

    def _behaviour(
        self, state: LabState, network: Network, rows: np.ndarray, wanted: Callable[[], None]
    ) -> tuple:
        """Answers, points and scores of a state, kept for the next one that only shows another
        face or place.
        """
        behaves = _behaves(state)
        if self._last is None or self._last[0] != behaves:
            maps = self.maps(network.cut)
            answers = self._answers("fe_alexnet", network, maps, rows, wanted)
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
        """The state as a study's YAML and as the words after ``--set``; three digits are enough."""
        values = {
            name: float(f"{value:.3g}") if isinstance(value, float) else value
            for name, value in asdict(state.attention(self.run.study.attention.grid)).items()
        }
        prior = values.pop("region_prior")
        values.pop("guide")
        words = [f"attention.{name}={value}" for name, value in values.items()]
        values |= {"region_prior": prior} if prior else {}
        words += [as_override(prior)] if prior else []
        return yaml.safe_dump({"attention": values}, sort_keys=False), " ".join(words)

    def _answers(
        self,
        architecture: str,
        network: Network,
        maps: torch.Tensor,
        rows: np.ndarray,
        wanted: Callable[[], None] = lambda: None,
    ) -> pd.DataFrame:
        cell, odds = replace(self.plain_cell, architecture=architecture), []
        halfway = Halfway(maps, network.cut)
        for first in range(0, len(rows), FACES):
            wanted()
            some = rows[first : first + FACES]
            odds.append(answer(network, halfway, self.device, rows=some).log_odds)
        table = trial_rows(cell, self.stimuli.iloc[rows], np.concatenate(odds))
        return table.assign(condition="full")

    @torch.no_grad()
    def _map(self, network: Network, one: torch.Tensor) -> np.ndarray | None:
        if not hasattr(network.block, "attention_map"):
            return None
        x = one[None].to(self.device.name).float()
        return network.block.attention_map(x, network.prior).mean(dim=1).cpu().numpy()


def _behaves(state: LabState) -> LabState:
    """The part of a state that the answers depend on."""
    return replace(state, face="", level=0.0, asks="")
