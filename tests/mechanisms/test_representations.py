"""Read-out and similarity: planted signals are found, chance is chance, hand cases."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from toy_networks import toy_attention, toy_network

from lib.mechanisms.representations import (
    dissimilarity,
    layer_features,
    model_dissimilarities,
    model_fits,
    shuffled_labels,
    similarity,
    valence_readout,
)
from lib.networks.network import preprocess
from lib.networks.panel import Panel

GROUPS = np.repeat(np.arange(12), 6)
LABELS = np.tile([0, 1], 36)


def test_readout_recovers_a_planted_signal_and_not_the_person():
    """Features carry the person strongly and valence weakly: new people's valence is read all
    the same.
    """
    rng = np.random.default_rng(0)
    person = 5 * rng.normal(size=(12, 40))[GROUPS]
    features = person + rng.normal(size=(72, 40))
    features[:, :4] += 2.5 * (2 * LABELS[:, None] - 1)
    found = valence_readout(features, LABELS, GROUPS, rng)
    assert found["accuracy"] > 0.75 > found["chance_high"] and found["p"] < 0.02
    assert found["n"] == 72 and found["n_groups"] == 12


def test_units_that_are_silent_in_training_do_not_shout_at_the_test():
    """60 units tell valence; 120 are silent but for rounding, and speak for one person alone.
    Over an SD near zero that person's answers would be as large as the rounding is small.
    """
    rng = np.random.default_rng(7)
    telling = rng.normal(size=(72, 60)) + 0.5 * (2 * LABELS[:, None] - 1)
    speaks = np.arange(120) % 12 == GROUPS[:, None]
    silent = np.where(speaks, rng.normal(size=(72, 120)), rng.normal(0, 1e-7, (72, 120)))
    alone = valence_readout(telling, LABELS, GROUPS, rng)["accuracy"]
    together = valence_readout(np.hstack([telling, silent]), LABELS, GROUPS, rng)["accuracy"]
    assert alone > 0.9 and together > 0.8


def test_readout_of_noise_is_at_chance_and_p_uniform():
    rng = np.random.default_rng(1)
    found = [
        valence_readout(rng.normal(size=(72, 20)), LABELS, GROUPS, rng, n_permutations=39)
        for _ in range(60)
    ]
    assert np.mean([f["accuracy"] for f in found]) == pytest.approx(0.5, abs=0.03)
    assert np.mean([f["chance"] for f in found]) == pytest.approx(0.5, abs=0.02)
    assert np.mean([f["p"] <= 0.1 for f in found]) == pytest.approx(0.1, abs=0.1)


def test_chance_is_shuffled_among_photographs_of_somebody_else_each():
    """Where every face is its own group, labels change places between groups; within groups
    they could not.
    """
    rng = np.random.default_rng(5)
    alone, features = np.arange(72), rng.normal(size=(72, 40))
    noise = [
        valence_readout(rng.normal(size=(72, 20)), LABELS, alone, rng, n_permutations=39)["p"]
        for _ in range(40)
    ]
    assert np.mean(noise) == pytest.approx(0.5, abs=0.15)
    features[:, :4] += 2.5 * (2 * LABELS[:, None] - 1)
    found = valence_readout(features, LABELS, alone, rng)
    assert found["p"] < 0.02 and found["chance"] == pytest.approx(0.5, abs=0.05)


def test_shuffled_labels_keep_each_identitys_number_and_move_whole_identities_of_one_label():
    labels, groups = np.array([0, 1, 1, 0, 0, 1]), np.array(list("aaabcd"))
    drawn = shuffled_labels(labels, groups, 50, np.random.default_rng(0)).T
    assert (
        (drawn[:, :3].sum(1) == 2).all()
        and (drawn[:, 3:].sum(1) == 1).all()
        and (drawn.std(0) > 0).all()
    )


def test_readout_cannot_use_who_it_is():
    """Identity alone tells valence here: a fold that mixed a person's pictures would score near
    1.
    """
    rng = np.random.default_rng(2)
    labels = GROUPS % 2
    features = 5 * rng.normal(size=(12, 40))[GROUPS] + 0.1 * rng.normal(size=(72, 40))
    assert valence_readout(features, labels, GROUPS, rng)["accuracy"] < 0.85
    with pytest.raises(ValueError, match="two and more"):
        valence_readout(features, labels, np.zeros(72), rng)


def test_readout_equals_ridge_regression_with_an_intercept():
    """Oracle: scikit-learn's Ridge in its primal form, fold by fold."""
    rng = np.random.default_rng(6)
    features = rng.normal(size=(72, 30)) + 0.4 * LABELS[:, None]
    right = []
    for train, test in GroupKFold(5).split(features, LABELS, GROUPS):
        model = make_pipeline(StandardScaler(), Ridge(30.0)).fit(
            features[train], 2 * LABELS[train] - 1
        )
        right += list((model.predict(features[test]) > 0) == LABELS[test])
    assert valence_readout(features, LABELS, GROUPS, rng)["accuracy"] == pytest.approx(
        np.mean(right)
    )


def test_dissimilarity_and_models_by_hand():
    features = np.array([[1.0, 2, 3], [2, 4, 6], [3, 2, 1]])
    assert dissimilarity(features) == pytest.approx([0, 2, 2])
    models = model_dissimilarities(np.array([0, 0.25, 1]), np.array(["a", "a", "b"]))
    assert models["level"] == pytest.approx([0.25, 1, 0.75])
    assert models["valence"].tolist() == [0, 1, 1] and models["identity"].tolist() == [0, 1, 1]


def test_similarity_equals_scipy_and_constant_is_nan():
    rng = np.random.default_rng(3)
    one, other = rng.integers(0, 5, 45).astype(float), rng.normal(size=45)
    assert similarity(one, other) == pytest.approx(spearmanr(one, other).statistic)
    assert np.isnan(similarity(np.ones(45), other))


def test_model_fits_find_the_layer_that_follows_the_level():
    rng = np.random.default_rng(4)
    level, identity = np.tile(np.linspace(0, 1, 7), 5), np.repeat(list("abcde"), 7)
    sad, happy, who = rng.normal(size=30), rng.normal(size=30), rng.normal(size=(5, 30))
    features = {
        "levels": level[:, None] * happy
        + (1 - level[:, None]) * sad
        + 0.1 * rng.normal(size=(35, 30)),
        "people": np.repeat(who, 7, axis=0) + 0.1 * rng.normal(size=(35, 30)),
    }
    rho = model_fits(features, level, identity, rng, 40).pivot(
        index="layer", columns="model", values="rho"
    )
    assert rho.loc["levels", "level"] > 0.5 > rho.loc["people", "level"]
    assert rho.loc["people", "identity"] > 0.5 > rho.loc["levels", "identity"]


def test_layer_features_are_the_layers_outputs():
    """Oracle: the classifier run by hand on the block's output."""
    images = np.random.default_rng(5).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    network = toy_network(1, attention=toy_attention())
    found = layer_features(network, Panel(images, batch=2))
    assert list(found) == ["conv1", "conv2", "conv3", "conv4", "conv5", "attention", "fc6"]
    with torch.no_grad():
        maps = network.features[: network.cut](preprocess(images))
        hidden = network.classifier[:2](network.block(maps).flatten(1))
    assert found["fc6"] == pytest.approx(hidden.numpy(), abs=1e-5)
    assert not any(len(m._forward_hooks) for m in network.modules())


def test_behind_a_block_each_network_has_its_own_convolutions():
    """Oracle: the way of a network with a block at conv3, walked by hand to conv5."""
    images = np.random.default_rng(5).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    network = toy_network(1, attention=toy_attention(location="conv3"))
    found = layer_features(network, Panel(images, batch=2))
    names = ["conv1", "conv2", "conv3", "attention", "conv4", "conv5", "fc6"]
    assert list(found) == names
    with torch.no_grad():
        x = network.block(network.features[: network.cut](preprocess(images)))
        x = network.features[network.cut :](x)
        last = torch.nn.functional.adaptive_avg_pool2d(x, 6).flatten(1).numpy()
    assert found["conv5"] == pytest.approx(last, abs=1e-5)
    plain = layer_features(toy_network(1), Panel(images))
    assert np.abs(found["conv5"] - plain["conv5"]).max() > 1e-4
    assert found["conv3"] == pytest.approx(plain["conv3"], abs=1e-6)


def test_similarity_with_several_vectors_is_scipys_with_each():
    rng = np.random.default_rng(5)
    one, others = rng.normal(size=30), rng.integers(0, 4, size=(5, 30)).astype(float)
    others[3] = 1.0  # constant
    found = similarity(one, others)
    assert np.isnan(found[3]) and found[[0, 1, 2, 4]].tolist() == pytest.approx(
        [spearmanr(one, others[k]).statistic for k in (0, 1, 2, 4)]
    )
    assert similarity(one, others[0]) == pytest.approx(found[0])
