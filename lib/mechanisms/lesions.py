"""Lesions: silence the units of a layer that tell valence best, and as many at random, and see
what is left.
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
from lib.psychometrics.fitting import fit_psychometric
from lib.settings.options import LOCATIONS, Statistics
from lib.training.together import parted

AT_A_TIME = 256  # pictures that go through a network


def lesion_layer(network: Network, name: str) -> nn.Module:
    """A layer by its name: ``conv5`` (behind an attention block there), or ``fc6``, ``fc7`` after
    their ReLUs.

    Raises
    ------
    ValueError : a layer that the network lacks, with those that it has.
    """
    hidden = {
        f"fc{6 + k}": layer
        for k, layer in enumerate(
            layer for layer in network.classifier if isinstance(layer, nn.ReLU)
        )
    }
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
    """Each unit's d': mean to happy less mean to sad, over the pooled SD; 0 for a silent unit.
    (units,)

    Parameters
    ----------
    activity : (n, units). labels : (n,), 0 sad, 1 happy.
    """
    happy, sad = activity[np.asarray(labels) == 1], activity[np.asarray(labels) == 0]
    spread = np.sqrt((happy.var(axis=0, ddof=1) + sad.var(axis=0, ddof=1)) / 2)
    difference = happy.mean(axis=0) - sad.mean(axis=0)
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
    module, halfway, answers = lesion_layer(network, layer), panel.at(network), []
    for some in parted(lesions, max(1, AT_A_TIME // len(panel))):
        pictures = Halfway(halfway.x.repeat(len(some), 1, 1, 1), halfway.start)
        with evaluating(network), silenced(module, some), torch.inference_mode():
            answers.append(log_odds(logits(network, pictures)).view(len(some), -1))
    return torch.cat(answers).numpy()


def plan_lesions(
    scores: np.ndarray, fractions: Sequence[float], n_random: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """Which units are silenced: none, the most selective of either sign, and random ones of equal
    number.

    Parameters
    ----------
    scores : (units,), selectivity. fractions : shares of the units, 0 to 1. n_random : random draws
        for each share.

    Returns
    -------
    lesion (``none``, ``selective``, ``random``), fraction, n_units, draw; and the units of each
    row.
    """
    order = np.argsort(-np.abs(scores), kind="stable")
    rows, units = [{"lesion": "none", "fraction": 0.0, "n_units": 0, "draw": 0}], [order[:0]]
    for fraction in fractions:
        count = round(fraction * len(scores))
        rows.append({"lesion": "selective", "fraction": fraction, "n_units": count, "draw": 0})
        units.append(order[:count])
        for draw in range(n_random):
            rows.append({"lesion": "random", "fraction": fraction, "n_units": count, "draw": draw})
            units.append(rng.choice(len(scores), count, replace=False))
    return pd.DataFrame(rows), units


def lesion_measures(
    plan: pd.DataFrame, answers: np.ndarray, level: np.ndarray, statistics: Statistics
) -> pd.DataFrame:
    """Accuracy, PSE and slope under each lesion.

    Parameters
    ----------
    plan : the table of ``plan_lesions``. answers : log-odds (n_lesions, n). level : (n,) of the
        pictures.

    Returns
    -------
    plan with accuracy (mean probability of the right answer, level 0.5 aside), pse, slope (NaN
    where the curve no longer is one) and reason.
    """
    level = np.asarray(level, float)
    happy, levels = 1 / (1 + np.exp(-answers.astype(float))), np.unique(level)
    counts = np.stack([(level == one).sum() for one in levels])
    sums = np.stack([happy[:, level == one].sum(axis=1) for one in levels], axis=1)
    bounds = statistics.networks
    fit = fit_psychometric(
        levels,
        sums,
        counts,
        sigmoid=statistics.sigmoid,
        guess=bounds.guess,
        lapse=bounds.lapse,
        penalty=statistics.penalty,
    )
    right = np.where(level > 0.5, happy, 1 - happy)[:, level != 0.5].mean(axis=1)
    return plan.assign(accuracy=right, pse=fit.pse, slope=fit.slope, reason=fit.reason)


def lesion_effects(measures: pd.DataFrame, value: str) -> pd.DataFrame:
    """The selective lesion's effect beside that of random lesions of equal size.

    Parameters
    ----------
    measures : rows of ``plan_lesions`` with a column ``value`` (such as accuracy, slope, pse).

    Returns
    -------
    fraction, n_units, value, intact, selective, random (mean), random_low, random_high (extremes of
    the draws), p (share of draws, the selective one counted in, that change the value at least as
    much), n_random (that have the value at all). Values that cannot be estimated stay NaN.
    """
    intact = measures.loc[measures.lesion == "none", value].iloc[0]
    rows = []
    for fraction, group in measures[measures.lesion != "none"].groupby("fraction"):
        selective = group.loc[group.lesion == "selective", value].iloc[0]
        draws = group.loc[group.lesion == "random", value].dropna().to_numpy()
        p = (1 + np.sum(np.abs(draws - intact) >= abs(selective - intact))) / (1 + len(draws))
        rows.append(
            {
                "fraction": fraction,
                "n_units": int(group.n_units.iloc[0]),
                "value": value,
                "intact": intact,
                "selective": selective,
                "random": draws.mean() if len(draws) else np.nan,
                "random_low": draws.min() if len(draws) else np.nan,
                "random_high": draws.max() if len(draws) else np.nan,
                "p": p if np.isfinite(selective) and np.isfinite(intact) and len(draws) else np.nan,
                "n_random": len(draws),
            }
        )
    return pd.DataFrame(rows)
