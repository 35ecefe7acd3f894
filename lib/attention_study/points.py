"""The attention settings that a study's grid compares, and which pretrainings it can use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import gcd

from lib.backbones.weight_files import find, missing_message
from lib.networks.attention_options import Attention
from lib.networks.design import Cell
from lib.settings.options import Study
from lib.settings.rules import CHANNELS

POINT = ["candidate", "architecture", "kind", "location", "reduction", "prior", "pretraining"]


@dataclass(frozen=True)
class Point:
    """One combination of settings; ``cell`` is its network with seed 0."""

    cell: Cell

    @property
    def candidate(self) -> str:
        """Its name in tables, such as ``self@conv3 r8`` or ``none``."""
        attention = self.cell.attention
        if attention is None:
            return "none"
        name = f"{attention.name} r{attention.reduction}"
        name += " + prior" if self.prior else ""
        return name + (" + guide" if attention.guide else "")

    @property
    def prior(self) -> bool:
        """Whether it weighs the parts of the face."""
        attention = self.cell.attention
        return attention is not None and any(attention.region_weights().values())

    def row(self) -> dict[str, object]:
        """The columns ``POINT``."""
        attention = self.cell.attention or Attention("none")
        return {
            "candidate": self.candidate,
            "architecture": self.cell.architecture,
            "kind": attention.kind,
            "location": attention.location,
            "reduction": attention.reduction,
            "prior": self.prior,
            "pretraining": self.cell.pretraining,
        }


def points(
    study: Study,
    pretraining: Sequence[str],
    prior: Mapping[str, float] | None = None,
    shares: Mapping[str, float] | None = None,
) -> list[Point]:
    """All combinations of the study's ``grid``, with the study's own networks among them.

    Every kind is tried at the same places with the same reductions: an equal budget. Kind ``none``
    is AlexNet itself. The study's controls are trained on the first pretraining only, unless the
    grid names their kind: the bias of pretraining is asked of AlexNet and of its attention.

    Parameters
    ----------
    prior : adds the study's attention with this region prior, on the first pretraining.
    shares : how much people use each part; adds guided attention where the study has that control.
    """
    own = Attention.of(study.attention)
    grid = study.grid
    controls = [kind for kind in study.networks.controls if kind in ("matched", "se")]
    places = [(own.location, own.reduction)]
    places += [(place, by) for place in grid.locations for by in grid.reductions]
    places = list(dict.fromkeys(places))
    in_grid = [kind for kind in dict.fromkeys([own.kind, *grid.kinds]) if kind != "none"]
    first = [kind for kind in dict.fromkeys([own.kind, *controls, *in_grid]) if kind != "none"]
    guides = [replace(_at(own, "self", *place), guide=dict(shares or {})) for place in places]
    cells = []
    for base in pretraining:
        kinds = in_grid if cells else first
        wanted: list[Attention | None] = [None] * ("none" in grid.kinds)
        wanted += [_at(own, kind, *place) for kind in kinds for place in places]
        if not cells and shares and "guided" in study.networks.controls:
            wanted += guides
        cells += [Cell(_name(one, own), base, one) for one in wanted]
    if prior and own.kind == "self":
        weighed = replace(own, region_prior=dict(prior))
        cells.append(Cell(architecture_of(weighed), pretraining[0], weighed))
    return [Point(cell) for k, cell in enumerate(cells) if cell not in cells[:k]]


def _name(attention: Attention | None, own: Attention) -> str:
    return "fe_alexnet" if attention == own else architecture_of(attention)


def _at(own: Attention, kind: str, location: str, reduction: int) -> Attention:
    """The study's attention of another kind at another place, with heads that fit there."""
    changed = replace(own, region_prior=own.region_prior if kind == "self" else None, kind=kind)
    heads = gcd(own.heads, CHANNELS[location] // reduction)
    return replace(changed, location=location, reduction=reduction, heads=heads)


def architecture_of(attention: Attention | None) -> str:
    """What tables call an AlexNet with this attention."""
    if attention is None:
        return "alexnet"
    if attention.guide:
        return "fe_alexnet_guided"
    return f"alexnet_{attention.kind}" if attention.kind in ("matched", "se") else "fe_alexnet"


def available(study: Study, wanted: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Which pretrainings can be used, and why the others cannot."""
    missing = {
        name: missing_message("alexnet", name, study.networks.face_weights)
        for name in wanted
        if name != "untrained"
        and find(
            "alexnet", name, weights_dir=study.weights_dir, face_weights=study.networks.face_weights
        )
        is None
    }
    return [name for name in wanted if name not in missing], missing
