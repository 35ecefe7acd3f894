"""What the attention lab's controls say, and what the lab shows of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.networks.attention import Attention
from lib.settings.options import PARTS

# what an attention block is made of; another one is another network
STRUCTURE = ("kind", "location", "reduction", "heads")


@dataclass(frozen=True)
class LabState:
    """Where every control stands: the attention's settings, the face that is shown, and the
    part that asks.
    """

    kind: str
    location: str
    reduction: int
    heads: int
    temperature: float
    gain: float
    eyes: float
    nose: float
    mouth: float
    face: str
    level: float
    condition: str
    asks: str

    @property
    def structure(self) -> tuple:
        """What needs another block when it changes."""
        if self.kind == "none":
            return ("none",)
        return tuple(getattr(self, name) for name in STRUCTURE[: 4 if self.kind == "self" else 3])

    def attention(self, grid: int) -> Attention:
        """The attention settings; parts are weighed in kind ``self`` alone. ValueError as
        ``Attention``.
        """
        looks = self.kind == "self"
        prior = {
            part: getattr(self, part)
            for part in PARTS
            if looks and (self.eyes or self.nose or self.mouth)
        }
        return Attention(
            self.kind,
            self.location,
            self.reduction,
            self.heads if looks else 1,
            self.temperature,
            self.gain,
            prior or None,
            grid,
        )


@dataclass(frozen=True)
class View:
    """What one state shows.

    attention : (1, N, N) map of the shown face, heads averaged; None without self-attention.
    asks : (row, column) of the place that asks. points : shares and curves of the two networks.
    scores : metric, now, AlexNet, chance, ceiling; empty in a first look.
    counts : parameters by stage.
    """

    state: LabState
    picture: np.ndarray
    attention: np.ndarray | None
    asks: tuple[int, int]
    answers: pd.DataFrame
    points: pd.DataFrame
    scores: pd.DataFrame
    counts: dict[str, int]
    p_happy: float
    note: str
    draft: str = ""  # what is still being computed, where this is a first look


def _structure(attention: Attention) -> tuple:
    last = (attention.heads,) if attention.kind == "self" else ()
    return (attention.kind, attention.location, attention.reduction, *last)
