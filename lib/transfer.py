"""Pretraining bias: how well valence is read from different convolutions when few faces are labelled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def few_label_transfer(features: Mapping[str, list[np.ndarray]], labels: np.ndarray, test: np.ndarray, *,
                       n_labels: int, repeats: int, rng: np.random.Generator) -> pd.DataFrame:
    """Accuracy of a logistic read-out trained on few labelled faces, for each base.

    Every repeat draws new labelled faces, the same for all bases. A base may come in several versions (untrained
    convolutions of several seeds): repeat r uses version r modulo their number.

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
        raise ValueError(f"{n_labels} labelled faces asked for; allowed: at most {2 * min(map(len, pools))}, twice the "
                         "smaller class among the training faces")
    rows = []
    for repeat in range(repeats):
        drawn = np.concatenate([rng.choice(pool, n_labels // 2, replace=False) for pool in pools])
        for base, versions in features.items():
            x = versions[repeat % len(versions)]
            readout = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
            score = readout.fit(x[drawn], labels[drawn]).score(x[test], labels[test])
            rows.append({"base": base, "n_labels": n_labels, "repeat": repeat, "accuracy": score})
    return pd.DataFrame(rows)


def gain_over(transfer: pd.DataFrame, against: str, *, n_boot: int, rng: np.random.Generator) -> pd.DataFrame:
    """Each base's accuracy less that of ``against``, paired by repeat, with a 95 % bootstrap interval.

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
            rows.append({"base": base, "n_labels": n_labels, "difference": pairs.mean(), "low": low, "high": high,
                         "n": len(pairs)})
    return pd.DataFrame(rows)
