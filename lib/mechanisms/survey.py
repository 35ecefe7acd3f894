"""Notebook 05's walk through all networks: each is loaded once and asked everything that is
asked of all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lib.likeness.claims import OBJECT_BASED
from lib.mechanisms.enrichment import part_rows
from lib.mechanisms.representations import (
    dissimilarity,
    layer_features,
    model_fits,
    valence_readout,
)
from lib.mechanisms.saliency import CAMS, enlarge, explain, explain_cams, normalise, occlusion_maps
from lib.networks.design import Cell
from lib.networks.devices import Device, choose_device
from lib.networks.network import Network
from lib.networks.panel import Panel
from lib.pictures.labelled import read_image
from lib.pictures.stimuli import regions_of
from lib.settings.loading import resolve
from lib.settings.options import Study
from lib.storage.progress import Progress
from lib.storage.runs import Run
from lib.training.train import groups, load_trained

COLUMNS = [
    "architecture",
    "pretraining",
    "seed",
    "condition",
    "level",
    "part",
    "method",
    "share",
    "enrichment",
    "p",
    "n_faces",
]


def pictures(paths: Iterable[str]) -> np.ndarray:
    """uint8 (n, 224, 224, 3) of the paths in a table."""
    return np.stack([read_image(resolve(path)) for path in paths])


def chosen_stimuli(
    study: Study,
    stimuli: pd.DataFrame,
    *,
    faces: int | None = None,
    levels: Sequence[float] | None = None,
) -> pd.DataFrame:
    """The stimuli that saliency looks at: the first faces, and the levels nearest to the study's.

    Parameters
    ----------
    faces, levels : None takes ``saliency.faces`` and ``saliency.levels``.

    Returns
    -------
    rows of ``stimuli``, index from 0, sorted by condition, level, identity as they come.
    """
    there = np.sort(stimuli["level"].unique())
    wanted = sorted(
        {there[np.abs(there - level).argmin()] for level in levels or study.saliency.levels}
    )
    who = list(dict.fromkeys(stimuli["identity"]))[: faces or study.saliency.faces]
    rows = stimuli[stimuli["identity"].isin(who) & stimuli["level"].isin(wanted)]
    return rows.sort_values(["condition", "level", "identity"], kind="stable", ignore_index=True)


@dataclass
class Display:
    """Stimuli with their pictures and part regions, ready to be looked at by any number of
    networks.
    """

    stimuli: pd.DataFrame
    panel: Panel
    regions: dict[str, np.ndarray]  # part -> (n, H, W) or one (H, W) for all

    @classmethod
    def of(cls, study: Study, stimuli: pd.DataFrame, device: Device | None = None) -> Display:
        stimuli = stimuli.reset_index(drop=True)
        return cls(
            stimuli, Panel(pictures(stimuli["path"]), device=device), regions_of(study, stimuli)
        )

    def part_masks(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The regions of some of the stimuli."""
        return {part: mask if mask.ndim == 2 else mask[rows] for part, mask in self.regions.items()}

    def rows(self, condition: str = "full") -> np.ndarray:
        return np.flatnonzero(self.stimuli["condition"] == condition)


@dataclass
class Survey:
    """What was found: table ``saliency`` and the raw maps behind it."""

    rows: list[pd.DataFrame] = field(default_factory=list)
    maps: dict[tuple[str, str], np.ndarray] = field(
        default_factory=dict
    )  # (observer, method) -> (n, h, w)
    displays: dict[str, Display] = field(default_factory=dict)  # observer -> what it saw
    log_odds: dict[str, np.ndarray] = field(default_factory=dict)  # observer -> (n,)
    readout: list[dict] = field(default_factory=list)  # a row a network and layer
    similarity: list[pd.DataFrame] = field(default_factory=list)  # rows of model_fits
    last: dict[str, pd.DataFrame] = field(
        default_factory=dict
    )  # observer -> last hidden layer (stimulus x unit)

    def along_morph(self, observer: str, method: str) -> dict:
        """The first face at all its levels: images, maps (enlarged, signed), levels and regions
        of each.
        """
        display = self.displays[observer]
        whole = display.stimuli.iloc[display.rows("full")]
        rows = (
            whole[whole["identity"] == whole["identity"].iloc[0]]
            .sort_values("level")
            .index.to_numpy()
        )
        return {
            "images": display.panel.images[rows],
            "maps": enlarge(self.maps[observer, method][rows]),
            "levels": display.stimuli["level"].iloc[rows].to_numpy(),
            "regions": [one_face(display.part_masks(rows), k) for k in range(len(rows))],
        }

    @property
    def table(self) -> pd.DataFrame:
        """Table ``saliency``."""
        return (
            pd.concat(self.rows, ignore_index=True) if self.rows else pd.DataFrame(columns=COLUMNS)
        )

    @property
    def identities(self) -> list[str]:
        """Everybody whom some network was shown."""
        return sorted(
            {name for display in self.displays.values() for name in display.stimuli["identity"]}
        )

    def mean_dissimilarity(self, observers: Sequence[str]) -> np.ndarray:
        """Dissimilarities of the faces that all networks saw, in the last hidden layer, mean
        over some networks.
        """
        common = [
            name
            for name in next(iter(self.last.values())).index
            if all(name in frame.index for frame in self.last.values())
        ]
        return np.mean(
            [dissimilarity(self.last[name].loc[common].to_numpy()) for name in observers], axis=0
        )


def one_face(regions: dict[str, np.ndarray], k: int) -> dict[str, np.ndarray]:
    """The part masks (H, W) of face k."""
    return {part: mask if mask.ndim == 2 else mask[k] for part, mask in regions.items()}


def methods_for(study: Study, cell: Cell) -> list[str]:
    """The study's methods that this network can have one by one; occlusion is done for many at
    once.
    """
    names = [name for name in study.saliency.methods if name != "occlusion"]
    has_map = cell.attention is not None and cell.attention.kind == "self"
    return [name for name in names if name != "attention" or has_map]


def survey_network(run: Run, cell: Cell, network: Network, display: Display, found: Survey) -> None:
    """Add one network's maps, log-odds and rows to what was found."""
    found.displays[cell.observer] = display
    found.log_odds[cell.observer] = display.panel.log_odds(network)
    wanted = methods_for(run.study, cell)
    maps = explain_cams(
        network,
        display.panel,
        [name for name in wanted if name in CAMS],
        location=run.study.saliency.location,
    )
    maps |= {name: explain(network, display.panel, name) for name in wanted if name not in CAMS}
    for method in wanted:
        found.maps[cell.observer, method] = maps[method]
        found.rows.append(map_rows(run, cell, method, maps[method], display))


def survey_occlusion(
    run: Run, cells: Sequence[Cell], networks: Sequence[Network], display: Display, found: Survey
) -> None:
    """The same for occlusion sensitivity of networks that share their convolutions."""
    parts = [occlusion_maps(networks, batch) for batch in display.panel.batches()]
    for cell, *pieces in zip(cells, *parts, strict=True):
        maps = np.concatenate([piece.numpy() for piece in pieces])
        found.maps[cell.observer, "occlusion"] = maps
        found.rows.append(map_rows(run, cell, "occlusion", maps, display))


def map_rows(run: Run, cell: Cell, method: str, maps: np.ndarray, display: Display) -> pd.DataFrame:
    """Rows of table ``saliency``: means over faces, by condition, level and part.

    The size of the evidence counts, whether it speaks for happy or for sad.
    """
    sizes, rows = normalise(maps, "absolute"), []
    rng = run.rng("shifts", cell.observer, method)
    for (condition, level), group in display.stimuli.groupby(["condition", "level"], sort=False):
        index = group.index.to_numpy()
        found = part_rows(
            enlarge(sizes[index]),
            display.part_masks(index),
            rng=rng,
            n_permutations=run.study.saliency.n_permutations,
        )
        rows.append(found.assign(condition=condition, level=level))
    whole = pd.concat(rows, ignore_index=True)
    who = {
        "architecture": cell.architecture,
        "pretraining": cell.pretraining,
        "seed": cell.seed,
        "method": method,
    }
    return whole.assign(**who)[COLUMNS]


def walk(
    run: Run, cells: Sequence[Cell], stimuli: pd.DataFrame, labelled: pd.DataFrame
) -> tuple[Survey, dict[Cell, Network]]:
    """All networks in turn; those on AlexNet's convolutions are kept for what comes after.

    A VGG's convolutions cost twenty times AlexNet's: VGGs see fewer faces (column n_faces says how
    many), in the precision they were trained in.

    Parameters
    ----------
    labelled : rows of table ``images`` for the read-out of valence.
    """
    study, found, family = run.study, Survey(), {}
    common = chosen_stimuli(study, stimuli)
    ends = chosen_stimuli(study, stimuli, levels=(0.0, 1.0))
    device = choose_device(study.training)
    everything, occluded = (
        Display.of(study, common),
        Display.of(study, ends[ends["condition"] == "full"]),
    )
    few = Display.of(study, few_stimuli(common, faces=3), device)
    reading, some = reading_panel(labelled, 200), reading_panel(labelled, 48, device)
    with Progress("looking into the networks", len(cells)) as progress:
        for cell in cells:
            network, small = load_trained(run, cell), cell.backbone == "alexnet"
            survey_network(run, cell, network, everything if small else few, found)
            inside(run, cell, network, reading if small else some, found)
            if small:
                family[cell] = network
            progress.step(note=cell.observer)
    if "occlusion" in study.saliency.methods:
        for group in groups(family):
            survey_occlusion(run, group, [family[cell] for cell in group], occluded, found)
    return found, family


def looked_at(cells: Iterable[Cell]) -> Cell | None:
    """The one network that is shown where one must do: FE-AlexNet's first seed, rather an
    object-based one's.
    """
    return min(
        cells,
        default=None,
        key=lambda cell: (
            cell.architecture != "fe_alexnet",
            cell.pretraining not in OBJECT_BASED,
            cell.seed,
        ),
    )


def few_stimuli(stimuli: pd.DataFrame, faces: int) -> pd.DataFrame:
    """Fewer faces, and with a part hidden only the lowest and highest level."""
    who, ends = (
        list(dict.fromkeys(stimuli["identity"]))[:faces],
        stimuli["level"].agg(["min", "max"]),
    )
    kept = stimuli["identity"].isin(who) & (
        (stimuli["condition"] == "full") | stimuli["level"].isin(ends)
    )
    return stimuli[kept].reset_index(drop=True)


@dataclass(frozen=True)
class Reading:
    """Labelled faces that no network was trained on, for the read-out of valence."""

    panel: Panel
    labels: np.ndarray  # (n,) 0 sad, 1 happy
    groups: np.ndarray  # (n,) who it is; every face is somebody else where that is not known


def reading_panel(labelled: pd.DataFrame, n: int, device: Device | None = None) -> Reading:
    """The first ``n`` faces, half of each class."""
    labelled = labelled.groupby("label", sort=False).head(n // 2)
    known = labelled["identity"].notna() & (labelled["identity"].astype(str) != "")
    groups = labelled["identity"].astype(str).where(known, labelled["path"])
    return Reading(
        Panel(pictures(labelled["path"]), device=device),
        (labelled["label"] == "happy").to_numpy().astype(int),
        groups.to_numpy(),
    )


def inside(run: Run, cell: Cell, network: Network, reading: Reading, found: Survey) -> None:
    """Add one network's read-out of valence by layer, and the similarities of its last hidden
    layer.

    What seeds share, the convolutions, is read once for all of them.
    """
    who = {"architecture": cell.architecture, "pretraining": cell.pretraining, "seed": cell.seed}
    shared = {
        row["layer"]: row
        for row in found.readout
        if (row["backbone"], row["pretraining"]) == (cell.backbone, cell.pretraining)
        and row["shared"]
    }
    rng = run.rng("readout", cell.backbone, cell.pretraining)
    for layer, values in layer_features(network, reading.panel).items():
        common = layer.startswith("conv")
        row = shared.get(layer) if common else None
        row = row or valence_readout(values, reading.labels, reading.groups, rng)
        found.readout.append(
            {**row, **who, "backbone": cell.backbone, "layer": layer, "shared": common}
        )
    display = found.displays[cell.observer]
    whole = display.rows("full")
    features = {
        layer: values[whole] for layer, values in layer_features(network, display.panel).items()
    }
    seen = display.stimuli.iloc[whole]
    fits = model_fits(
        features, seen["level"].to_numpy(), seen["identity"].to_numpy(), rng, n_permutations=50
    )
    found.similarity.append(fits.assign(**who))
    found.last[cell.observer] = pd.DataFrame(list(features.values())[-1], index=seen["stimulus"])
