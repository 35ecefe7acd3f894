"""Lesions: set the units of a layer that tell valence best to zero, and as many others that are
as active, and see what is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from lib.networks.answers import Halfway, evaluating, log_odds, logits
from lib.networks.network import Network, layer_at
from lib.networks.panel import Panel
from lib.parts.profiles import d_prime
from lib.settings.options import LOCATIONS
from lib.statistics.intervals import mean_interval

AT_A_TIME = 256  # pictures that go through a network
NEAREST = 5  # units in activity, one of which is drawn as a selective unit's match


def lesion_layer(network: Network, name: str) -> nn.Module:
    """A layer by its name: ``conv5`` (behind an attention block there), or ``fc6``, ``fc7`` after
    their ReLUs.

    Raises
    ------
    ValueError : a layer that the network lacks, with those that it has.
    """
    relus = (layer for layer in network.classifier if isinstance(layer, nn.ReLU))
    hidden = {f"fc{6 + k}": layer for k, layer in enumerate(relus)}
    if name in hidden:
        return hidden[name]
    if name != LOCATIONS[-1]:  # in front of conv5 the convolutions are shared and computed already
        raise ValueError(f"layer {name!r} given; allowed: {', '.join([LOCATIONS[-1], *hidden])}")
    return layer_at(network, name)


def unit_activity(network: Network, panel: Panel, layer: str) -> np.ndarray:
    """Each unit's answer to each picture, (n, units): a channel's mean over places, or a
    neuron's activity.
    """
    return panel.outputs(network, {layer: lesion_layer(network, layer)}, places=1)[layer]


def selectivity(activity: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Each unit's d', (units,): mean to the positive less mean to the negative class, over the
    pooled SD; 0 for a silent unit.

    Parameters
    ----------
    activity : (n, units). labels : (n,), 0 negative, 1 positive.
    """
    positive, negative = (activity[np.asarray(labels) == one] for one in (1, 0))
    spread = np.sqrt((positive.var(axis=0, ddof=1) + negative.var(axis=0, ddof=1)) / 2)
    difference = positive.mean(axis=0) - negative.mean(axis=0)
    return np.divide(difference, spread, out=np.zeros_like(difference), where=spread > 1e-12)


@contextmanager
def silenced(layer: nn.Module, lesions: Sequence[Sequence[int] | np.ndarray]) -> Iterator[None]:
    """Set some units of a layer to 0, a ReLU's silence, while the block lasts.

    ``lesions`` are lists of units; a batch holds as many pictures under the first, then under the
    second, and so on.
    """
    index = [torch.as_tensor(np.asarray(units), dtype=torch.long) for units in lesions]

    def silence(_module: nn.Module, _inputs: tuple, output: Tensor) -> Tensor:
        return torch.cat(
            [
                part.index_fill(1, units, 0.0)
                for part, units in zip(output.tensor_split(len(index)), index, strict=True)
            ]
        )

    handle = layer.register_forward_hook(silence)
    try:
        yield
    finally:
        handle.remove()


def lesion_answers(
    network: Network, panel: Panel, layer: str, lesions: Sequence[np.ndarray]
) -> np.ndarray:
    """Log-odds of a panel's pictures under each lesion (a list of units): float (n_lesions, n).

    Several lesions go through the network together: large layers are slow on few pictures at a
    time.
    """
    module = lesion_layer(network, layer)
    halfway = panel.at(network)
    answers = []
    at_once = max(1, AT_A_TIME // len(panel))
    for some in (lesions[k : k + at_once] for k in range(0, len(lesions), at_once)):
        pictures = Halfway(halfway.x.repeat(len(some), 1, 1, 1), halfway.start)
        with evaluating(network), silenced(module, some), torch.inference_mode():
            answers.append(log_odds(logits(network, pictures)).view(len(some), -1))
    return torch.cat(answers).numpy()


def plan_lesions(
    scores: np.ndarray,
    activity: np.ndarray,
    fractions: Sequence[float],
    n_random: int,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """Which units are silenced: none, the most selective of either sign, and random ones of equal
    number and matched activity.

    Parameters
    ----------
    scores : (units,), selectivity. activity : (units,), each unit's mean activity.
    fractions : shares of the units, above 0 to a half. n_random : random draws for each share.

    Returns
    -------
    lesion (``none``, ``selective``, ``matched``), fraction, n_units, draw, activity (mean of the
    silenced units); and the units of each row.

    Raises
    ------
    ValueError : a share above a half, which leaves too few others.
    """
    order = np.argsort(-np.abs(scores), kind="stable")
    plan = [("none", 0.0, 0, order[:0])]
    for fraction in fractions:
        if not 0 < fraction <= 0.5:
            raise ValueError(f"a share of {fraction} given; allowed: above 0 to 0.5")
        chosen = order[: round(fraction * len(scores))]
        plan.append(("selective", fraction, 0, chosen))
        for draw in range(n_random):
            plan.append(("matched", fraction, draw, matched_units(chosen, activity, rng)))
    rows = [
        {
            "lesion": lesion,
            "fraction": fraction,
            "n_units": len(units),
            "draw": draw,
            "activity": float(activity[units].mean()) if len(units) else np.nan,
        }
        for lesion, fraction, draw, units in plan
    ]
    return pd.DataFrame(rows), [units for *_, units in plan]


def matched_units(chosen: np.ndarray, activity: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For each chosen unit another one that is about as active, each taken once.

    What a silenced unit costs hangs on how active it was, whatever it told (Morcos et al. 2018):
    the chosen ones are answered, in a random order, by one of the ``NEAREST`` units in activity
    that are neither chosen nor taken.
    """
    free = np.setdiff1d(np.arange(len(activity)), chosen)
    taken = []
    for unit in rng.permutation(chosen):
        near = free[np.argsort(np.abs(activity[free] - activity[unit]), kind="stable")[:NEAREST]]
        taken.append(int(rng.choice(near)))
        free = free[free != taken[-1]]
    return np.array(taken, int)


def lesion_measures(plan: pd.DataFrame, answers: np.ndarray, level: np.ndarray) -> pd.DataFrame:
    """What is left under each lesion.

    Parameters
    ----------
    plan : the table of ``plan_lesions``. answers : log-odds (n_lesions, n). level : (n,) of the
        pictures, 0 to 1.

    Returns
    -------
    plan with accuracy (share of right answers, level 0.5 aside) and sensitivity (d').
    """
    level = np.asarray(level, float)
    counted = level != 0.5
    right = ((answers > 0) == (level > 0.5))[:, counted].mean(axis=1)
    return plan.assign(accuracy=right, sensitivity=d_prime(answers, level))


def lesion_effects(measures: pd.DataFrame, value: str) -> pd.DataFrame:
    """The selective lesion's effect beside that of matched lesions of equal size.

    Parameters
    ----------
    measures : rows of ``plan_lesions`` with a column ``value`` (accuracy, sensitivity).

    Returns
    -------
    fraction, n_units, value, intact, selective, matched (mean), matched_low, matched_high (extremes
    of the draws), p (share of draws, the selective one counted in, that change the value at least
    as much), n_draws, activity and matched_activity (mean of the silenced units').
    """
    intact = measures.loc[measures["lesion"] == "none", value].iloc[0]
    rows = []
    for fraction, group in measures[measures["lesion"] != "none"].groupby("fraction"):
        selective = group[group["lesion"] == "selective"].iloc[0]
        others = group[group["lesion"] == "matched"]
        draws = others[value].to_numpy()
        as_much = np.sum(np.abs(draws - intact) >= abs(selective[value] - intact))
        rows.append(
            {
                "fraction": fraction,
                "n_units": int(selective["n_units"]),
                "value": value,
                "intact": intact,
                "selective": selective[value],
                "matched": draws.mean(),
                "matched_low": draws.min(),
                "matched_high": draws.max(),
                "p": (1 + as_much) / (1 + len(draws)),
                "n_draws": len(draws),
                "activity": selective["activity"],
                "matched_activity": others["activity"].mean(),
            }
        )
    return pd.DataFrame(rows)


def lesion_costs(
    effects: pd.DataFrame, value: str = "accuracy", confidence: float = 0.95
) -> pd.DataFrame:
    """How much more the selective lesion costs than matched ones, over a network's seeds, by share
    of units.

    Parameters
    ----------
    effects : ``lesion_effects`` with architecture, pretraining, seed.

    Returns
    -------
    architecture, pretraining, fraction, value (matched less selective), low, high, n_seeds.
    """
    rows = []
    keys = ["architecture", "pretraining", "fraction"]
    for who, group in effects[effects["value"] == value].groupby(keys, sort=False):
        mean, low, high = mean_interval(group["matched"] - group["selective"], confidence)
        found = {"value": mean, "low": low, "high": high, "n_seeds": len(group)}
        rows.append(dict(zip(keys, who, strict=True)) | found)
    return pd.DataFrame(rows, columns=[*keys, "value", "low", "high", "n_seeds"])
