"""What one network is asked: maps, their place on the face, what each layer tells, lesions,
bubbles, and its answers to control pictures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.mechanisms.kept import Result
from lib.mechanisms.lesions import (
    lesion_answers,
    lesion_effects,
    lesion_measures,
    plan_lesions,
    selectivity,
    unit_activity,
)
from lib.mechanisms.representations import layer_features, model_fits, valence_readout
from lib.mechanisms.shown import Display, Shown, along, is_small
from lib.morphs.hiding import control_patch
from lib.networks.design import Cell
from lib.networks.network import Network
from lib.networks.panel import Panel
from lib.parts.bubbles import classification_image, part_marks
from lib.saliency.enrichment import control_rows, part_rows
from lib.saliency.maps import CAMS, enlarge, explain, explain_cams, normalise
from lib.saliency.trust import deletion_lead
from lib.storage.runs import Run
from lib.training.train import trial_rows

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
LESIONS = (0.1, 0.25)  # shares of conv5's channels that are set to zero
DRAWS = 5  # sets of other channels for each


def look(
    shown: Shown, cell: Cell, network: Network, methods: Sequence[str], known: dict[str, dict]
) -> Result:
    """All that one network is asked.

    Parameters
    ----------
    methods : of saliency, that this network can have.
    known : read-outs of layers that it shares with networks looked at before, by layer.

    Returns
    -------
    tables saliency, patches, readout, similarity, controls; of AlexNet's kind also lesions, leads
    (one row) and bubbles, with the arrays z, threshold, n of the classification image; and arrays
    ``map_<method>``, raw maps of the first face along the morph.
    """
    run = shown.run
    display = shown.display(cell)
    who = cell.who
    maps = maps_of(network, display.panel, methods, run.study.saliency.location)
    rows = [map_rows(run, cell, name, maps[name], display) for name in methods if name in maps]
    found: Result = {f"map_{name}": values[along(display)] for name, values in maps.items()}
    if is_small(cell):
        if "occlusion" in methods:
            occluded = explain(network, shown.occluded.panel, "occlusion")
            rows.append(map_rows(run, cell, "occlusion", occluded, shown.occluded))
        found |= lesions(shown, cell, network, who) | bubbles(shown, cell, network)
        main = main_method(methods)
        lead = deletion_lead(network, shown.ends.panel.images, main, run.rng("leads"))
        found["leads"] = pd.DataFrame([who | {"method": main, "lead": lead}])
    found["saliency"] = pd.concat(rows) if rows else pd.DataFrame(columns=COLUMNS)
    found["patches"] = patches(run, display, maps, main_method(methods)).assign(**who)
    answers = shown.control_panel.log_odds(network) if len(shown.controls) else np.zeros(0)
    found["controls"] = trial_rows(cell, shown.controls, answers)
    return found | inside(shown, cell, network, known, who)


def maps_of(
    network: Network, panel: Panel, methods: Sequence[str], location: str
) -> dict[str, np.ndarray]:
    """Raw maps by method; occlusion, which costs fifty times as much, is not among them."""
    cams = [name for name in methods if name in CAMS]
    maps = explain_cams(network, panel, cams, location=location) if cams else {}
    others = [name for name in methods if name not in CAMS and name != "occlusion"]
    return maps | {name: explain(network, panel, name) for name in others}


def main_method(methods: Sequence[str]) -> str:
    """The method that the notebook goes by: HiResCAM, which finds known cues, else the first."""
    return "hirescam" if "hirescam" in methods else methods[0]


def patches(run: Run, display: Display, maps: dict[str, np.ndarray], method: str) -> pd.DataFrame:
    """What patches of the parts' areas get from a network's maps of whole faces."""
    rows = display.rows("full")
    sizes = enlarge(normalise(maps[method][rows], "absolute"))
    return control_rows(sizes, display.part_masks(rows), control_patch, run.rng("control"))


def lesions(shown: Shown, cell: Cell, network: Network, who: dict) -> Result:
    """Lesions of conv5: the channels that tell the classes, and others as active."""
    reading = shown.reading
    line = shown.line
    activity = unit_activity(network, reading.panel, "conv5")
    scores = selectivity(activity, reading.labels)
    rng = shown.run.rng("lesions", cell.observer)
    plan, units = plan_lesions(scores, activity.mean(axis=0), LESIONS, DRAWS, rng)
    answers = lesion_answers(network, line.panel, "conv5", units)
    measured = lesion_measures(plan, answers, line.stimuli["level"])
    effects = [lesion_effects(measured, value) for value in ("accuracy", "sensitivity")]
    return {"lesions": pd.concat(effects, ignore_index=True).assign(**who)}


def bubbles(shown: Shown, cell: Cell, network: Network) -> Result:
    """The classification image of one network, and what it says of the parts."""
    masks, which, signs, panel, regions = shown.behind_bubbles
    image = classification_image(
        masks, panel.log_odds(network) * signs, which, shown.run.rng("chance")
    )
    marks = part_marks(image, regions).assign(
        **cell.who,
        n_trials=image.n,
        threshold=image.threshold,
        largest=image.z.max(),
        smallest=image.smallest,
    )
    return {"bubbles": marks, "z": image.z, "threshold": image.threshold, "n": image.n}


def map_rows(run: Run, cell: Cell, method: str, maps: np.ndarray, display: Display) -> pd.DataFrame:
    """Rows of table ``saliency``: means over faces, by condition, level and part.

    The size of the evidence counts, whichever pole it speaks for.
    """
    sizes = normalise(maps, "absolute")
    rows = []
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
    return pd.concat(rows, ignore_index=True).assign(method=method, **cell.who)[COLUMNS]


def inside(shown: Shown, cell: Cell, network: Network, known: dict[str, dict], who: dict) -> Result:
    """Tables readout (how well each layer tells the classes) and similarity (what its layers take
    to be alike). What seeds share is read once: it is put into ``known``.
    """
    run = shown.run
    reading = shown.reading if is_small(cell) else shown.some_reading
    layers = layer_features(network, reading.panel)
    rows = []
    own = list(layers).index("attention") if "attention" in layers else len(layers)
    for place, (layer, values) in enumerate(layers.items()):
        shared = layer.startswith("conv") and place < own
        if not (shared and layer in known):
            rng = run.rng("readout", cell.backbone, cell.pretraining, layer)
            found = valence_readout(values, reading.labels, reading.groups, rng)
            if shared:
                known[layer] = found
        rows.append((known[layer] if shared else found) | who | {"layer": layer, "shared": shared})
    display = shown.display(cell)
    whole = display.rows("full")
    features = {name: x[whole] for name, x in layer_features(network, display.panel).items()}
    levels, people = (display.stimuli[name].to_numpy()[whole] for name in ("level", "identity"))
    rng = run.rng("similarity", cell.backbone, cell.pretraining)
    fits = model_fits(features, levels, people, rng, n_permutations=50)
    return {"readout": pd.DataFrame(rows), "similarity": fits.assign(**who)}
