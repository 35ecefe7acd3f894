"""The attention settings that a study's grid compares, and which pretrainings it can use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lib.backbones.weight_files import find, missing_message
from lib.networks.attention_options import Attention
from lib.networks.design import Cell
from lib.settings.options import Study

POINT = ["candidate", "kind", "location", "reduction", "prior", "pretraining"]


@dataclass(frozen=True)
class Point:
    """One combination of settings; ``cell`` is its network with seed 0."""

    cell: Cell

    @property
    def candidate(self) -> str:
        """Its name in tables, such as ``self@conv5 r8`` or ``none``."""
        attention = self.cell.attention
        if attention is None:
            return "none"
        return f"{attention.name} r{attention.reduction}" + (" + prior" if self.prior else "")

    @property
    def prior(self) -> bool:
        """Whether it weighs the parts of the face."""
        return self.cell.attention is not None and any(
            self.cell.attention.region_weights().values()
        )

    def row(self) -> dict:
        attention = self.cell.attention or Attention("none")
        return {
            "candidate": self.candidate,
            "kind": attention.kind,
            "location": attention.location,
            "reduction": attention.reduction,
            "prior": self.prior,
            "pretraining": self.cell.pretraining,
        }


def point_name(attention: Attention) -> str:
    """What the grid calls an AlexNet with this attention."""
    return Point(Cell(architecture_of(attention), "", attention)).candidate


def points(
    study: Study, pretraining: Sequence[str], people_prior: Mapping[str, float] | None = None
) -> list[Point]:
    """All combinations of the study's ``grid``; the study's own FE-AlexNet is always among them.

    Kind ``none`` is AlexNet itself, whatever location and reduction. ``people_prior`` adds the
    study's attention with that region prior, on the first pretraining.
    """
    own, grid = Attention.of(study.attention), study.grid
    wanted: list[Attention | None] = [None] * ("none" in grid.kinds) + [own]
    wanted += [
        replace(
            own,
            kind=kind,
            location=location,
            reduction=reduction,
            region_prior=own.region_prior if kind == "self" else None,
        )
        for kind in grid.kinds
        if kind != "none"
        for location in grid.locations
        for reduction in grid.reductions
    ]
    cells = [
        Cell(architecture_of(attention), base, attention)
        for base in pretraining
        for attention in wanted
    ]
    if people_prior and own.kind == "self":
        guided = replace(own, region_prior=dict(people_prior))
        cells.insert(len(wanted), Cell(architecture_of(guided), pretraining[0], guided))
    return [Point(cell) for k, cell in enumerate(cells) if cell not in cells[:k]]


def architecture_of(attention: Attention | None) -> str:
    """What tables call an AlexNet with this attention."""
    return (
        "alexnet"
        if attention is None
        else "alexnet_matched"
        if attention.kind == "matched"
        else "fe_alexnet"
    )


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
