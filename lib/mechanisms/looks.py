"""Notebook 05's look into all networks, one after another; what was found is kept on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lib.claims.ledger import OBJECT_BASED
from lib.mechanisms.kept import Result, kept, seen, trained
from lib.mechanisms.shown import Display, Shown, along, one_face
from lib.mechanisms.survey import look
from lib.networks.design import Cell
from lib.networks.network import Network, relu_index
from lib.parts.bubbles import ClassificationImage
from lib.parts.controls import profile_stimuli
from lib.saliency.maps import enlarge, explain
from lib.saliency.trust import cascade_rows, faithfulness
from lib.settings.options import LOCATIONS
from lib.storage.progress import Progress
from lib.storage.runs import Run
from lib.training.train import load_trained

TABLES = ("saliency", "patches", "readout", "similarity", "controls", "lesions", "leads", "bubbles")
CASCADE = {"gradcam": {}, "hirescam": {}, "integrated_gradients": {"steps": 4}}
FRACTIONS = (0.0, 0.1, 0.2, 0.35, 0.5)  # of the picture, taken away or given back


@dataclass
class Looks:
    """What was found.

    Parameters
    ----------
    tables : by the names in ``TABLES``, rows of all networks; and cascade, deletion of ``chosen``.
    maps : (observer, method) -> raw maps of one face along the morph, (levels, h, w).
    face : that face: images, levels, regions (a dict of masks for each level).
    images : observer -> classification image of its bubbles.
    chosen : the network that is shown where one must do; None without one of AlexNet's kind.
    without : architecture, pretraining, reason: networks that have answers and no maps.
    """

    tables: dict[str, pd.DataFrame]
    maps: dict[tuple[str, str], np.ndarray]
    face: dict
    images: dict[str, ClassificationImage]
    chosen: Cell | None
    without: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.tables[name]


def look_inside(
    run: Run,
    cells: Sequence[Cell],
    stimuli: pd.DataFrame,
    labelled: pd.DataFrame,
    trials: pd.DataFrame,
) -> Looks:
    """Ask every network everything, or read what it was found to say.

    Parameters
    ----------
    cells : of ``lib.networks.design.cells``. stimuli, trials : tables of these names.
    labelled : rows of table ``images`` that no network was trained on, for the read-out.
    """
    shown = Shown(run, stimuli, labelled)
    results = {}
    known = {}
    reasons = []
    moving = moving_blocks(run)
    pictures = [seen(shown.common), seen(shown.profile), seen(labelled)]
    settings = [run.study.to_dict()["saliency"], list(run.study.poles), moving]
    chosen = looked_at([cell for cell in cells if cell.backbone == "alexnet"])
    with Progress("looking into the networks", len(cells) + (chosen is not None)) as progress:
        for cell in cells:
            shared = known.setdefault((cell.backbone, cell.pretraining), {})
            key = [*trained(run, [cell]), *pictures, *settings]
            result = kept(
                run, cell.observer, key, lambda c=cell, s=shared: _look(shown, c, s, moving)
            )
            remember(result.get("readout"), shared)
            if "reason" in result:
                reasons.append((cell.architecture, cell.pretraining, str(result["reason"])))
            else:
                results[cell] = result
            progress.step(note=cell.observer)
        tables = {name: _together(results, name) for name in TABLES}
        if chosen in results:
            key = [*trained(run, [chosen]), *pictures, *settings]
            tables |= kept(run, "checks", key, lambda: checks(shown, load_trained(run, chosen)))
            progress.step(note="checks of the maps")
    reasons += answered_elsewhere(trials, cells)
    without = pd.DataFrame(reasons, columns=["architecture", "pretraining", "reason"])
    return Looks(
        tables,
        _maps(results),
        one_along(run, shown.common),
        _images(results),
        chosen if chosen in results else None,
        without.drop_duplicates(ignore_index=True),
    )


def _look(shown: Shown, cell: Cell, known: dict, moving: dict[str, bool]) -> Result:
    network = load_trained(shown.run, cell)
    reason = why_no_maps(network)
    if reason:
        return {"reason": np.array(reason)}
    methods = methods_for(shown.run.study.saliency.methods, cell, moving)
    return look(shown, cell, network, methods, known)


def remember(readout: pd.DataFrame | None, known: dict[str, dict]) -> None:
    """Put the read-outs of shared layers where the next network of their kind finds them."""
    numbers = ["accuracy", "chance", "chance_high", "p", "n", "n_groups"]
    if readout is not None:
        for row in readout[readout["shared"]].to_dict("records"):
            known.setdefault(row["layer"], {name: row[name] for name in numbers})


def methods_for(methods: Sequence[str], cell: Cell, moving: dict[str, bool]) -> list[str]:
    """The study's methods that a network can have: an attention map only where self-attention is
    known to move the answer.
    """
    looks = cell.attention is not None and cell.attention.kind == "self"
    shown = looks and moving.get(cell.architecture, False)
    return [name for name in methods if name != "attention" or shown]


def moving_blocks(run: Run) -> dict[str, bool]:
    """Which architectures' blocks move the log-odds by at least ``claims.manipulation`` of their
    SD, by table ``manipulation`` of notebook 03; nothing where it was not measured.
    """
    if not (run.folder / "tables" / "manipulation.csv").is_file():
        return {}
    shares = run.read_table("manipulation").groupby("architecture")["share_of_sd"].mean()
    return {name: bool(share >= run.study.claims.manipulation) for name, share in shares.items()}


def why_no_maps(network: Network) -> str:
    """Why a network cannot be looked into; empty where it can."""
    try:
        relu_index(network.features, LOCATIONS[-1])
    except (AttributeError, IndexError, TypeError, ValueError):
        return "its convolutions are not of a kind that this notebook knows: answers alone"
    return ""


def answered_elsewhere(trials: pd.DataFrame, cells: Sequence[Cell]) -> list[tuple[str, str, str]]:
    """Networks in the trial table that are not at hand themselves."""
    there = {(cell.architecture, cell.pretraining) for cell in cells}
    rows = trials.loc[trials["kind"] == "cnn", ["architecture", "pretraining"]].fillna("")
    given = dict.fromkeys(rows.itertuples(index=False, name=None))
    return [(*who, "its answers come from a table: no maps") for who in given if who not in there]


def looked_at(cells: Sequence[Cell]) -> Cell | None:
    """The one network that is shown where one must do: FE-AlexNet's first seed, rather an
    object-based one's.
    """

    def order(cell: Cell) -> tuple:
        return cell.architecture != "fe_alexnet", cell.pretraining not in OBJECT_BASED, cell.seed

    return min(cells, default=None, key=order)


def checks(shown: Shown, network: Network) -> Result:
    """Tables cascade (do maps go when the weights go?) and deletion (does what they mark matter?)
    of one network.
    """
    images = shown.ends.panel.images
    maps = {
        name: lambda n, x, m=name, o=options: explain(n, x, m, **o)
        for name, options in CASCADE.items()
    }
    cascade = cascade_rows(network, images[:2], maps, seed=0).drop(columns="maps")
    rows = []
    for method in ("gradcam", "hirescam"):
        own = enlarge(explain(network, images, method), images.shape[1])
        for insert in (False, True):
            rng = shown.run.rng("cells", method)
            curve = faithfulness(network, images, own, np.array(FRACTIONS), rng, insert=insert)
            rows.append(curve.assign(method=method, insert=insert))
    return {"cascade": cascade, "deletion": pd.concat(rows, ignore_index=True)}


def one_along(run: Run, common: pd.DataFrame) -> dict:
    """The first whole face at all its levels: images, levels, and the parts of each."""
    whole = common[common["condition"] == "full"]
    display = Display.of(run.study, whole[whole["identity"] == whole["identity"].iloc[0]])
    rows = along(display)
    return {
        "images": display.panel.images[rows],
        "levels": display.stimuli["level"].to_numpy()[rows],
        "regions": [one_face(display.part_masks(rows), k) for k in range(len(rows))],
    }


def _together(results: dict[Cell, Result], name: str) -> pd.DataFrame:
    found = [result[name] for result in results.values() if name in result]
    found = [table for table in found if len(table)] or found[:1]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _maps(results: dict[Cell, Result]) -> dict[tuple[str, str], np.ndarray]:
    return {
        (cell.observer, name.removeprefix("map_")): values
        for cell, result in results.items()
        for name, values in result.items()
        if name.startswith("map_")
    }


def _images(results: dict[Cell, Result]) -> dict[str, ClassificationImage]:
    return {
        cell.observer: ClassificationImage(r["z"], float(r["threshold"]), int(r["n"]))
        for cell, r in results.items()
        if "z" in r
    }


def profile_trials(
    stimuli: pd.DataFrame, trials: pd.DataFrame, controls: pd.DataFrame
) -> pd.DataFrame:
    """The rows that part profiles are made of: people's all, networks' of the profile's faces, and
    their answers to control pictures.
    """
    names = set(profile_stimuli(stimuli)["stimulus"])
    networks = trials[(trials["kind"] == "cnn") & trials["stimulus"].isin(names)]
    parts = [trials[trials["kind"] != "cnn"], networks, controls]
    return pd.concat([part for part in parts if len(part)], ignore_index=True)
