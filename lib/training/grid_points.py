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
    is AlexNet itself.

    Parameters
    ----------
    prior : adds the study's attention with this region prior, on the first pretraining.
    shares : how much people use each part; adds guided attention where the study has that control.
    """
    own, grid, controls = Attention.of(study.attention), study.grid, study.networks.controls
    asked = [kind for kind in controls if kind in ("matched", "se")]
    kinds = [kind for kind in dict.fromkeys([own.kind, *asked, *grid.kinds]) if kind != "none"]
    wanted: list[Attention | None] = [None] * ("none" in grid.kinds)
    places = [(own.location, own.reduction)]
    places += [(place, by) for place in grid.locations for by in grid.reductions]
    for kind in kinds:
        wanted += [_at(own, kind, *place) for place in dict.fromkeys(places)]
    if shares and "guided" in controls:
        guides = [_at(own, "self", *place) for place in dict.fromkeys(places)]
        wanted += [replace(guided, guide=dict(shares)) for guided in guides]
    names = ["fe_alexnet" if one == own else architecture_of(one) for one in wanted]
    both = list(zip(names, wanted, strict=True))
    cells = [Cell(name, base, one) for base in pretraining for name, one in both]
    if prior and own.kind == "self":
        weighed = replace(own, region_prior=dict(prior))
        cells.insert(len(wanted), Cell(architecture_of(weighed), pretraining[0], weighed))
    return [Point(cell) for k, cell in enumerate(cells) if cell not in cells[:k]]


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
