"""Inside a network: how well each layer's activity tells valence, and which faces each layer
takes to be alike.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.spatial.distance import pdist
from scipy.stats import rankdata
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import GroupKFold
from threadpoolctl import threadpool_limits
from torch import nn

from lib.networks.network import Network, layer_at
from lib.networks.panel import SUMMARY, Panel
from lib.settings.options import LOCATIONS

# a unit whose SD is below a hundredth of the layer's typical one is noise: dividing by it would
# make its few accidental values louder than all the others
FLOOR = 0.01


def layer_features(network: Network, panel: Panel) -> dict[str, np.ndarray]:
    """What each layer does with a panel's pictures, in the order of the way through.

    Returns
    -------
    conv1 … conv5 (averaged to 6 x 6 places), ``attention`` behind the convolution where the block
    sits, then the classifier's hidden layers fc6, fc7 (as many as it has), after their ReLUs:
    name -> float32 (n, d). Convolutions behind a block are taken as this network has them.
    """
    before = LOCATIONS
    after = ()
    if network.location is not None:
        behind = LOCATIONS.index(network.location) + 1
        before = LOCATIONS[:behind]
        after = LOCATIONS[behind:]
    own = {} if network.location is None else {"attention": network.block}
    own |= {name: layer_at(network, name) for name in after}
    hidden = [layer for layer in network.classifier if isinstance(layer, nn.ReLU)]
    own |= {f"fc{6 + k}": layer for k, layer in enumerate(hidden)}
    frozen = panel.summaries(network)
    return {name: frozen[name] for name in before} | panel.outputs(network, own, SUMMARY)


def standardised(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both less the training mean, over the training SD; an SD is at least ``FLOOR`` times the
    root mean square of all units' SDs.

    Parameters
    ----------
    train, test : (n, d) and (m, d), one layer.
    """
    spread = train.std(axis=0)
    spread = np.maximum(spread, FLOOR * np.sqrt(np.mean(spread**2)))
    spread[spread == 0] = 1
    return (train - train.mean(axis=0)) / spread, (test - train.mean(axis=0)) / spread


# matrices so small that threads cost more than they do
@threadpool_limits.wrap(limits=1, user_api="blas")
def valence_readout(
    features: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    rng: np.random.Generator,
    *,
    folds: int = 5,
    n_permutations: int = 100,
    alpha: float = 100.0,
) -> dict[str, float]:
    """How well a linear read-out tells the classes apart on people that it has not seen.

    Parameters
    ----------
    features : (n, d), one layer.
    labels : (n,), 0 negative, 1 positive.
    groups : (n,), the identity: nobody is in the training and the test part of a fold at once.
    alpha : ridge penalty on standardised features, for every hundred of them.

    Returns
    -------
    accuracy, chance (mean over shuffled labels), chance_high (their 95 % quantile), p, n, n_groups.

    Notes
    -----
    Labels are shuffled within each identity that has both, so that chance keeps the number of
    answers of each person; the labels of identities with one alone, such as a photograph each,
    change places with one another. Ridge regression on -1, +1, in its dual form, answers the true
    and all shuffled labels in one small solution.
    """
    labels = np.asarray(labels)
    groups = np.asarray(groups)
    if len(set(groups)) < 2 or len(set(labels)) < 2:
        raise ValueError(
            f"{len(set(groups))} identities and {len(set(labels))} classes "
            "given; allowed: two and more "
            "of each, so that people and valence can be told apart"
        )
    targets = np.column_stack([labels, shuffled_labels(labels, groups, n_permutations, rng)])
    right = np.zeros(targets.shape)
    splits = GroupKFold(min(folds, len(set(groups))))
    for train, test in splits.split(features, labels, groups):
        seen, unseen = standardised(features[train], features[test])
        wanted = 2.0 * targets[train] - 1
        # features are centred on the training part, so that its mean answer is the intercept
        model = KernelRidge(alpha=alpha * features.shape[1] / 100)
        model.fit(seen, wanted - wanted.mean(axis=0))
        answers = model.predict(unseen) + wanted.mean(axis=0)
        right[test] = (answers > 0) == targets[test]
    accuracy = right[:, 0].mean()
    chance = right[:, 1:].mean(axis=0)
    return {
        "accuracy": accuracy,
        "chance": chance.mean(),
        "chance_high": np.quantile(chance, 0.95),
        "p": (1 + np.sum(chance >= accuracy)) / (1 + n_permutations),
        "n": len(labels),
        "n_groups": len(set(groups)),
    }


def shuffled_labels(
    labels: np.ndarray, groups: np.ndarray, n: int, rng: np.random.Generator
) -> np.ndarray:
    """Labels shuffled ``n`` times, (len(labels), n), within each group that has both; groups of one
    label alone exchange theirs whole."""
    _, who = np.unique(groups, return_inverse=True)
    members = [np.flatnonzero(who == k) for k in range(who.max() + 1)]
    mixed = [rows for rows in members if np.ptp(labels[rows])]
    alone = [rows for rows in members if not np.ptp(labels[rows])]
    theirs = np.array([labels[rows[0]] for rows in alone], labels.dtype)
    sizes = [len(rows) for rows in alone]
    places = np.concatenate([*alone, np.array([], int)])
    shuffled = np.repeat(labels[:, None], n, axis=1)
    for column in shuffled.T:
        for rows in mixed:
            column[rows] = rng.permutation(labels[rows])
        column[places] = np.repeat(rng.permutation(theirs), sizes)
    return shuffled


def dissimilarity(features: np.ndarray) -> np.ndarray:
    """Representational dissimilarity of all pairs of faces: 1 - Pearson correlation, condensed (n
    (n - 1) / 2,).

    Kriegeskorte, Mur & Bandettini (2008).
    """
    return pdist(np.asarray(features, float), "correlation")


def model_dissimilarities(level: np.ndarray, identity: np.ndarray) -> dict[str, np.ndarray]:
    """What the pairs would look like if a layer knew one thing only: ``level``, ``valence`` or
    ``identity``.
    """
    level = np.asarray(level, float)
    identity = np.asarray(identity)
    _, codes = np.unique(identity, return_inverse=True)
    one = np.triu_indices(len(level), 1)
    return {
        "level": np.abs(level[one[0]] - level[one[1]]),
        "valence": np.abs(np.sign(level - 0.5)[one[0]] - np.sign(level - 0.5)[one[1]]) / 2,
        "identity": (codes[one[0]] != codes[one[1]]).astype(float),
    }


def similarity(one: np.ndarray, other: np.ndarray) -> float | np.ndarray:
    """Spearman's correlation of dissimilarities, (n,) with (n,) or with each of (m, n); NaN
    where one is constant.
    """
    one = np.asarray(one, float)
    other = np.asarray(other, float)
    ranks = [rankdata(v, axis=-1) - (v.shape[-1] + 1) / 2 for v in (one, other)]
    norm = np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum(-1))
    known = (norm > 0) & np.isfinite(one).all() & np.isfinite(other).all(-1)
    return np.divide(ranks[1] @ ranks[0], norm, out=np.full(norm.shape, np.nan), where=known)[()]


def model_fits(
    features: Mapping[str, np.ndarray],
    level: np.ndarray,
    identity: np.ndarray,
    rng: np.random.Generator,
    n_permutations: int = 100,
) -> pd.DataFrame:
    """How far each layer's similarities follow the morph's level, its valence, or who it is.

    Returns
    -------
    layer, model, rho (Spearman), chance_high (95 % quantile when the faces of the layer are
    shuffled).
    """
    level = np.asarray(level)
    identity = np.asarray(identity)
    models = model_dissimilarities(level, identity)
    rows = []
    orders = [rng.permutation(len(level)) for _ in range(n_permutations)]
    shuffled = [model_dissimilarities(level[order], identity[order]) for order in orders]
    shuffled = {model: np.stack([other[model] for other in shuffled]) for model in models}
    for layer, values in features.items():
        pairs = dissimilarity(values)
        for model, wanted in models.items():
            chance = similarity(pairs, shuffled[model])
            rho = similarity(pairs, wanted)  # NaN where the model takes all pairs to be alike
            rows.append(
                {
                    "layer": layer,
                    "model": model,
                    "rho": rho,
                    "chance_high": np.nan if np.isnan(rho) else np.quantile(chance, 0.95),
                }
            )
    return pd.DataFrame(rows)
