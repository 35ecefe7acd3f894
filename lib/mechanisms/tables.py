"""Tables over seeds that notebook 05 draws and writes."""

from __future__ import annotations

import pandas as pd

from lib.saliency.enrichment import over_seeds

NETWORK = ["architecture", "pretraining"]
METHODS = {
    "gradcam": "Grad-CAM",
    "hirescam": "HiResCAM",
    "occlusion": "occlusion",
    "attention": "the attention map",
    "integrated_gradients": "integrated gradients",
}


def enrichment_table(
    saliency: pd.DataFrame, patches: pd.DataFrame, method: str, confidence: float = 0.95
) -> pd.DataFrame:
    """Enrichment of the parts of whole faces over seeds, beside what patches of the same area off
    the parts get from the same maps.

    Parameters
    ----------
    saliency : the table of that name. patches : ``lib.saliency.enrichment.control_rows`` of every
        network, with architecture, pretraining, seed.

    Returns
    -------
    ``over_seeds`` by architecture, pretraining and part, with control (mean over seeds and
    patches), control_low, control_high (extremes), share_marked (seeds × levels with p < .05).
    """
    keys = [*NETWORK, "part"]
    full = saliency[(saliency["condition"] == "full") & (saliency["method"] == method)]
    summary = over_seeds(full, keys, confidence=confidence)
    how = {"control": "mean", "control_low": "min", "control_high": "max"}
    beside = patches.groupby(keys, sort=False).agg(how).reset_index()
    marked = (full["p"] < 0.05).groupby([full[key] for key in keys], sort=False).mean()
    summary = summary.merge(beside, on=keys, how="left", validate="one_to_one")
    return summary.merge(marked.rename("share_marked").reset_index(), on=keys, how="left")


def known_cue_table(truth: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """How far each method's maps lie on the part that is the only cue, over seeds.

    Parameters
    ----------
    truth : ``lib.saliency.known_cues.known_cues``.

    Returns
    -------
    ``over_seeds`` by cue, method and weights, with verdict (of trained weights: ``finds it``,
    ``misses it``, ``cannot be told from a flat map``, ``marks it hardly more than random
    weights``).
    """
    own = truth[truth["part"] == truth["cue"]]
    table = over_seeds(own, ["cue", "method", "weights"], confidence=confidence)
    anew = table[table["weights"] == "randomised"].set_index(["cue", "method"])["high"]
    table["verdict"] = [
        _verdict(row, anew[row["cue"], row["method"]]) if row["weights"] == "trained" else ""
        for row in table.to_dict("records")
    ]
    return table


def _verdict(row: dict, nothing: float) -> str:
    """What an interval says; ``nothing`` is the highest that random weights plausibly get."""
    if row["high"] < 1:
        return "misses it"
    if not row["low"] > 1:
        return "cannot be told from a flat map"
    return "finds it" if row["low"] > nothing else "marks it hardly more than random weights"


def bubble_table(bubbles: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """What bubbles say of each part, over seeds.

    Parameters
    ----------
    bubbles : ``lib.parts.bubbles.part_marks`` of every network, with architecture,
        pretraining, seed.

    Returns
    -------
    architecture, pretraining, part, mean (z), low, high, n_units, n_marked (seeds in which the part
    is beyond chance).
    """
    keys = [*NETWORK, "part"]
    if bubbles.empty:
        return pd.DataFrame(columns=[*keys, "mean", "low", "high", "n_units", "n_marked"])
    table = over_seeds(bubbles, keys, "z", confidence=confidence).drop(columns=["median", "reason"])
    marked = bubbles.groupby(keys, sort=False)["marked"].sum().astype(int)
    return table.merge(marked.rename("n_marked").reset_index(), on=keys)


def lesion_table(effects: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """What lesions cost over seeds: the fall of accuracy and d' from the intact network.

    Parameters
    ----------
    effects : ``lib.mechanisms.lesions.lesion_effects`` of every network.

    Returns
    -------
    ``over_seeds`` by architecture, pretraining, value, fraction and lesion (``selective``,
    ``matched``); mean is the fall.
    """
    parts = [
        effects.assign(lesion=name, fall=effects["intact"] - effects[name])
        for name in ("selective", "matched")
    ]
    keys = [*NETWORK, "value", "fraction", "lesion"]
    return over_seeds(pd.concat(parts), keys, "fall", confidence=confidence)


def first_part(rows: pd.DataFrame, value: str) -> str:
    """The part with the largest value; empty where there is none."""
    known = rows.dropna(subset=[value])
    return "" if known.empty else str(known.loc[known[value].idxmax(), "part"])
