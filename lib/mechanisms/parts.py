"""What a part of the face does to behaviour when it is hidden, beside what saliency says of it.

Hiding a part can shift the PSE and change the slope (``lib.psychometrics.tables.shifts``). Where a
masked curve no longer crosses 0.5 neither exists; the *loss* of right answers, here, always does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np
import pandas as pd
import torch
from scipy.stats import rankdata

from lib.likeness.agreement import resampled
from lib.networks.network import Network
from lib.networks.panel import Panel, shared_log_odds
from lib.pictures.hiding import control_patch, occlude
from lib.settings.options import PARTS
from lib.statistics.intervals import interval_text

WHO = ["observer", "kind", "architecture", "pretraining", "seed"]


def part_losses(trials: pd.DataFrame) -> pd.DataFrame:
    """The loss of right answers when a part is hidden.

    Parameters
    ----------
    trials : the trial table. Networks count by ``p_happy``, people by ``response``; missed trials
        do not count.

    Returns
    -------
    observer, kind, architecture, pretraining, seed, part, intact, masked (shares right, 0 to 1),
    loss (intact - masked). Level 0.5 has no right answer and is left out. Levels weigh equally.
    """
    rows = trials[trials["level"] != 0.5]
    happy = rows["p_happy"].where(rows["kind"] == "cnn", rows["response"])
    right = happy.where(rows["level"] > 0.5, 1 - happy)
    keys = [*WHO, "condition", "level"]
    curves = right.groupby([rows[key] for key in keys], dropna=False).mean()
    wide = curves.groupby(level=keys[:-1], dropna=False).mean().unstack("condition")
    return _by_part(
        wide,
        lambda part: pd.DataFrame(
            {"intact": wide["full"], "masked": wide[part], "loss": wide["full"] - wide[part]}
        ),
    )


def _by_part(wide: pd.DataFrame, compute) -> pd.DataFrame:
    """Stack ``compute(part)`` for every part among the columns; an empty frame where only
    ``full`` is there.
    """
    found = [compute(part).assign(part=part) for part in PARTS if part in wide]
    if not found:
        return pd.DataFrame(columns=[*wide.index.names, "part", "intact", "masked", "loss"])
    return pd.concat(found).reset_index()


def control_losses(
    networks: Sequence[Network],
    images: np.ndarray,
    levels: np.ndarray,
    regions: Mapping[str, np.ndarray],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """The loss of right answers when a part is hidden, and when a patch of the same area off the
    parts is.

    Parameters
    ----------
    networks : with the same convolutions. images : uint8 (n, H, W, 3), whole faces. levels : (n,),
        none of them 0.5.
    regions : part -> bool (n, H, W) or one (H, W).

    Returns
    -------
    network (its place in ``networks``), part, loss, control_loss: means over the images.
    """
    right = {"full": _right(networks, images, levels)}
    for part in regions:
        masks = [
            {name: mask if mask.ndim == 2 else mask[k] for name, mask in regions.items()}
            for k in range(len(images))
        ]
        hidden = [occlude(image, mask[part]) for image, mask in zip(images, masks, strict=True)]
        control = [
            occlude(image, control_patch(mask[part], mask, rng))
            for image, mask in zip(images, masks, strict=True)
        ]
        right[part] = _right(networks, np.stack(hidden), levels)
        right[part, "control"] = _right(networks, np.stack(control), levels)
    return pd.DataFrame(
        [
            {
                "network": k,
                "part": part,
                "loss": right["full"][k] - right[part][k],
                "control_loss": right["full"][k] - right[part, "control"][k],
            }
            for k in range(len(networks))
            for part in regions
        ]
    )


def _right(networks: Sequence[Network], images: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Mean probability of the right answer, a number a network."""
    batches = [shared_log_odds(networks, batch) for batch in Panel(images).batches()]
    happy = torch.sigmoid(torch.cat(batches, dim=1)).numpy()
    return np.where(np.asarray(levels) > 0.5, happy, 1 - happy).mean(axis=1)


def rank_agreement(
    points: pd.DataFrame,
    x: str,
    y: str,
    *,
    n_boot: int,
    rng: np.random.Generator,
    confidence: float = 0.95,
) -> dict[str, float]:
    """Do parts that saliency ranks high matter more to behaviour? Spearman's correlation within
    networks.

    Parameters
    ----------
    points : rows with network, seed, part, ``x`` and ``y``.

    Returns
    -------
    rho : mean over networks of the rank correlation across parts, of means over seeds;
    low, high : percentile interval of seeds drawn anew within each network;
    p : share of the orders of parts, the given one counted in, with a rho at least as large.
    Networks share faces and convolutions, so a part takes another's place in all of them at once:
    three parts have six orders, and p >= 1/6;
    pooled : one rank correlation over all points; n_points, n_networks.
    Networks without two parts that have both values are left out; rho is NaN where none is left.
    """
    points = points.dropna(subset=[x, y])
    parts = list(dict.fromkeys(points["part"]))
    cubes = [_cube(group, x, y, parts) for _, group in points.groupby("network")]
    cubes = [cube for cube in cubes if len(_over_seeds(cube)) > 1]
    table = [_over_seeds(cube) for cube in cubes]
    rho = _mean_rho(table)
    boot = [
        _mean_rho([_over_seeds(cube[resampled(rng, 1, len(cube))[0]]) for cube in cubes])
        for _ in range(n_boot)
    ]
    alone = max(map(len, cubes), default=0) < 2 or np.isnan(rho)
    low, high = (
        (np.nan, np.nan)
        if alone
        else np.nanquantile(boot, [0.5 - confidence / 2, 0.5 + confidence / 2])
    )
    every = np.concatenate(table) if table else np.empty((0, 2))
    return {
        "rho": rho,
        "low": float(low),
        "high": float(high),
        "p": np.nan if np.isnan(rho) else _share_of_orders(cubes, rho, n_boot, rng),
        "pooled": spearman(*every.T),
        "n_points": len(every),
        "n_networks": len(table),
    }


def agreement_text(agreement: Mapping[str, float]) -> str:
    """``rho = 0.81 [0.60, 0.95]``, or that there is none."""
    if np.isnan(agreement["rho"]):
        return "no rank correlation, for want of two parts with both values"
    return "rho = " + interval_text(agreement["rho"], agreement["low"], agreement["high"], 2)


def _share_of_orders(
    cubes: Sequence[np.ndarray], rho: float, n_orders: int, rng: np.random.Generator
) -> float:
    """Share of the orders of x's parts with a mean rank correlation of ``rho`` or more; drawn
    where there are many.
    """
    n = cubes[0].shape[1]
    orders = (
        list(permutations(range(n)))
        if n <= 5
        else [np.arange(n), *(rng.permutation(n) for _ in range(n_orders))]
    )
    found = [
        _mean_rho(
            [
                _over_seeds(np.stack([cube[:, list(order), 0], cube[:, :, 1]], axis=2))
                for cube in cubes
            ]
        )
        for order in orders
    ]
    return float(np.mean(np.nan_to_num(found, nan=-np.inf) >= rho - 1e-12))


def _cube(group: pd.DataFrame, x: str, y: str, parts: Sequence[str]) -> np.ndarray:
    """One network's values, (seeds, parts, 2); NaN where a seed lacks a part."""
    wide = {
        value: group.pivot_table(index="seed", columns="part", values=value).reindex(columns=parts)
        for value in (x, y)
    }
    return np.stack([wide[x].to_numpy(), wide[y].to_numpy()], axis=2)


def _over_seeds(cube: np.ndarray) -> np.ndarray:
    """Means over seeds of the parts that have both values, (parts, 2)."""
    known = np.isfinite(cube).all(axis=2).any(axis=0)
    return np.nanmean(cube[:, known], axis=0)


def _mean_rho(table: Sequence[np.ndarray]) -> float:
    values = [spearman(t[:, 0], t[:, 1]) for t in table]
    return float(np.nanmean(values)) if np.isfinite(values).any() else np.nan


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's rank correlation; NaN for fewer than two points or a constant."""
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.nan
    a, b = rankdata(x) - (len(x) + 1) / 2, rankdata(y) - (len(y) + 1) / 2
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def same_order(people: pd.DataFrame, networks: pd.DataFrame, value: str = "loss") -> pd.DataFrame:
    """How each network's order of parts agrees with people's.

    Parameters
    ----------
    people, networks : rows of part shifts; ``networks`` with a column network.

    Returns
    -------
    network, seed, distance (root mean square difference from people's mean over parts, in units of
    ``value``), rho (rank correlation over parts), first (the part that matters most), as_people
    (whether it is people's).
    """
    wanted = people.groupby("part")[value].mean()
    rows = []
    for (network, seed), group in networks.groupby(["network", "seed"], sort=False):
        given = group.set_index("part")[value].reindex(wanted.index)
        known = given.notna()
        rows.append(
            {
                "network": network,
                "seed": seed,
                "distance": np.sqrt(((given - wanted)[known] ** 2).mean()),
                "rho": spearman(given[known].to_numpy(), wanted[known].to_numpy()),
                "first": given.idxmax() if known.any() else "",
                "as_people": bool(known.any() and given.idxmax() == wanted.idxmax()),
            }
        )
    return pd.DataFrame(rows)
