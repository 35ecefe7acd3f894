"""Pretraining bias: how well valence is read from different convolutions when few faces are
labelled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lib.networks.design import Cell
from lib.networks.devices import choose_device
from lib.storage.runs import Run
from lib.training.bases import load_base_features
from lib.training.features import cached_features


def few_label_transfer(
    features: Mapping[str, list[np.ndarray]],
    labels: np.ndarray,
    test: np.ndarray,
    *,
    n_labels: int,
    repeats: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Accuracy of a logistic read-out trained on few labelled faces, for each base.

    Every repeat draws new labelled faces, the same for all bases. A base may come in several
    versions (untrained convolutions of several seeds): repeat r uses version r modulo their number.

    Parameters
    ----------
    features : base name to its versions, each (n, d), raw.
    labels : int (n,), 0 sad, 1 happy.
    test : bool (n,), the faces that are judged and never drawn.
    n_labels : labelled faces in all, half of each class.

    Returns
    -------
    base, n_labels, repeat, accuracy

    Raises
    ------
    ValueError : fewer training faces of a class than asked for.
    """
    pools = [np.flatnonzero((labels == c) & ~test) for c in (0, 1)]
    if min(map(len, pools)) < n_labels // 2:
        raise ValueError(
            f"{n_labels} labelled faces asked for; allowed: at most "
            f"{2 * min(map(len, pools))}, twice the "
            "smaller class among the training faces"
        )
    rows = []
    for repeat in range(repeats):
        drawn = np.concatenate([rng.choice(pool, n_labels // 2, replace=False) for pool in pools])
        for base, versions in features.items():
            x = versions[repeat % len(versions)]
            readout = make_pipeline(
                StandardScaler(), LogisticRegression(C=0.01, solver="newton-cg", max_iter=500)
            )
            score = readout.fit(x[drawn], labels[drawn]).score(x[test], labels[test])
            rows.append({"base": base, "n_labels": n_labels, "repeat": repeat, "accuracy": score})
    return pd.DataFrame(rows)


def gain_over(
    transfer: pd.DataFrame, against: str, *, n_boot: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Each base's accuracy less that of ``against``, paired by repeat, with a 95 % bootstrap
    interval.

    Returns
    -------
    base, n_labels, difference, low, high, n
    """
    wide = transfer.pivot(index=["n_labels", "repeat"], columns="base", values="accuracy")
    rows = []
    for base in wide.columns.drop(against):
        for n_labels, pairs in (wide[base] - wide[against]).groupby(level="n_labels"):
            means = rng.choice(pairs.to_numpy(), (n_boot, len(pairs))).mean(1)
            low, high = np.quantile(means, (0.025, 0.975))
            rows.append(
                {
                    "base": base,
                    "n_labels": n_labels,
                    "difference": pairs.mean(),
                    "low": low,
                    "high": high,
                    "n": len(pairs),
                }
            )
    return pd.DataFrame(rows)


def transfer_table(
    run: Run,
    bases: Sequence[str],
    images: pd.DataFrame,
    rng: np.random.Generator,
    *,
    n_labels: Sequence[int] = (10, 30, 100),
    repeats: int = 12,
    most: int = 400,
) -> pd.DataFrame:
    """``few_label_transfer`` of a study's own AlexNet convolutions on its own images.

    Parameters
    ----------
    bases : pretrainings that are at hand. images : table ``images``; at most ``most`` of its
        training and of its test
        images are used. n_labels : those that the images do not suffice for are left out.

    Returns
    -------
    base, n_labels, repeat, accuracy
    """
    picked = [_some(images, split, most, rng) for split in ("train", "test")]
    rows = np.concatenate(picked)
    test = np.repeat([False, True], [len(part) for part in picked])
    labels = (images["label"].to_numpy()[rows] == "happy").astype(int)
    features = {base: [_base_features(run, base, images, rows)] for base in bases}
    enough = [n for n in n_labels if n <= 2 * np.bincount(labels[~test], minlength=2).min()]
    return pd.concat(
        [
            few_label_transfer(features, labels, test, n_labels=n, repeats=repeats, rng=rng)
            for n in enough
        ],
        ignore_index=True,
    )


def _some(images: pd.DataFrame, split: str, most: int, rng: np.random.Generator) -> np.ndarray:
    rows = np.flatnonzero(images["split"] == split)
    return np.sort(rng.choice(rows, min(most, len(rows)), replace=False))


def _base_features(run: Run, base: str, images: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
    convolutions = load_base_features(run, Cell("alexnet", base))
    cut = len(convolutions)
    maps = cached_features(
        convolutions,
        list(images["path"]),
        {cut},
        choose_device(run.study.training),
        name=f"alexnet ({base})",
    )
    return flat_features(maps[cut], rows)


def flat_features(maps: torch.Tensor, rows: np.ndarray) -> np.ndarray:
    """Feature maps (n, C, H, W) of some images as float32 (rows, C * H * W), as the read-out
    wants them.
    """
    return maps[torch.from_numpy(rows)].float().flatten(1).numpy()


def spread_over_bases(cells: pd.DataFrame, metric: str) -> pd.DataFrame:
    """How much hangs on the pretraining: the range of a metric over the bases, for each candidate
    and seed.

    Parameters
    ----------
    cells : one row a trained network: candidate, pretraining, seed and the metric (see
        ``lib.attention_study.arms.score_cells``).

    Returns
    -------
    architecture (the candidate), seed, bases (how many), spread (largest less smallest value). NaN
    where a base has no value. Candidates with one base are left out.
    """
    wide = cells.pivot_table(
        index=["candidate", "seed"], columns="pretraining", values=metric, sort=False, dropna=False
    )
    spread = wide.max(axis=1, skipna=False) - wide.min(axis=1, skipna=False)
    table = spread.rename("spread").reset_index().rename(columns={"candidate": "architecture"})
    bases = cells.groupby("candidate")["pretraining"].nunique()
    table = table.assign(bases=table["architecture"].map(bases))
    return table.loc[table["bases"] > 1, ["architecture", "seed", "bases", "spread"]].reset_index(
        drop=True
    )
