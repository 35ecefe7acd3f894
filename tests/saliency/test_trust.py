"""Checks of saliency: randomisation reaches every layer, imputation is smooth, a true map is
faithful.
"""

import copy

import numpy as np
import pytest
import torch
from toy_networks import toy_attention, toy_network

from lib.networks.answers import log_odds
from lib.networks.network import preprocess
from lib.saliency.maps import explain
from lib.saliency.trust import (
    cascade,
    cascade_rows,
    cell_order,
    deletion_curve,
    deletion_lead,
    faithfulness,
    faithfulness_score,
    impute,
    without,
)

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)


def test_cascade_goes_backwards_and_leaves_the_network_alone():
    network = toy_network(0, attention=toy_attention(location="conv3"))
    before = {k: v.clone() for k, v in network.state_dict().items()}
    names, same = [], []
    for name, changed in cascade(network, seed=1):
        names.append(name)
        state = changed.state_dict()
        same.append(sum(torch.equal(state[k], before[k]) for k in before if k.endswith("weight")))
    assert names == [
        "trained",
        "fc7",
        "fc6",
        "conv5",
        "conv4",
        "attention",
        "conv3",
        "conv2",
        "conv1",
    ]
    assert same[0] == len([k for k in before if k.endswith("weight")]) and same[-1] == 0
    assert same == sorted(same, reverse=True)
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())


def test_same_seed_same_cascade():
    ends = [
        [c.state_dict()["features.0.weight"].clone() for _, c in cascade(toy_network(0), s)][-1]
        for s in (1, 1, 2)
    ]
    assert torch.equal(ends[0], ends[1]) and not torch.equal(ends[0], ends[2])


def test_a_cascade_draws_the_same_in_any_order_of_memory():
    networks = [toy_network(0), toy_network(0)]
    networks[1].features.to(memory_format=torch.channels_last)
    ends = [
        [changed for _, changed in cascade(network, seed=1)][-1].state_dict()
        for network in networks
    ]
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_a_map_that_ignores_the_weights_is_caught():
    """An edge detector stays the same all the way, Grad-CAM does not."""
    rows = cascade_rows(
        toy_network(0),
        IMAGES,
        {
            "edges": lambda n, x: np.abs(np.diff(x.mean(3), axis=1)),
            "cam": lambda n, x: explain(n, x, "gradcam"),
        },
        seed=1,
    )
    edges, cam = (rows[rows["method"] == method] for method in ("edges", "cam"))
    assert edges.similarity.tolist() == pytest.approx([1] * len(edges))
    assert cam.similarity.iloc[0] == pytest.approx(1) and cam.similarity.iloc[-1] < 0.6


def test_imputation_is_smooth_and_touches_nothing_else():
    rows = np.linspace(20, 220, 64)[:, None, None]
    ramp = np.broadcast_to(rows, (64, 64, 3)).astype(np.uint8)
    missing = np.zeros((64, 64), bool)
    missing[24:40, 20:44] = True
    filled = impute(ramp, missing, RNG, noise=0)
    assert (filled[~missing] == ramp[~missing]).all()
    assert (
        np.abs(filled[missing].astype(float) - ramp[missing]).max() < 25
    )  # a grey hole would be off by 40
    assert impute(ramp, np.ones((64, 64), bool), RNG).std() < 10


def test_cells_by_hand():
    saliency = np.zeros((28, 28))
    saliency[14:, :14], saliency[:14, 14:] = 3, 1  # cells 0 1 / 2 3
    assert cell_order(saliency).tolist() == [2, 1, 0, 3]
    image = RNG.integers(0, 256, (28, 28, 3), dtype=np.uint8)
    changed = (without(image, np.array([2]), RNG) != image).any(axis=2)
    assert changed[14:, :14].mean() > 0.9 and not changed[:14].any() and not changed[:, 14:].any()


def test_curves_begin_and_end_where_they_must():
    network = toy_network(2)
    orders = [np.arange(4)] * 3
    with torch.no_grad():
        full = log_odds(network(preprocess(IMAGES))).numpy()
    gone = deletion_curve(network, IMAGES, orders, np.array([0.0, 1.0]), RNG)
    come = deletion_curve(network, IMAGES, orders, np.array([0.0, 1.0]), RNG, insert=True)
    assert gone[:, 0] == pytest.approx(full, abs=1e-4) and come[:, 1] == pytest.approx(
        full, abs=1e-4
    )
    assert gone[:, 1] == pytest.approx(come[:, 0], abs=0.2)  # noise alone


def reader_of_the_corner():
    """A network that reads redness at the top left alone, and two pictures that are red there."""
    network = toy_network(0, linear=True)
    with torch.no_grad():
        for layer in network.features:
            if isinstance(layer, torch.nn.Conv2d):
                layer.weight.zero_()
                layer.bias.zero_()
                layer.weight[0, 0, 1, 1] = 1
        network.classifier[0].weight.zero_()
        network.classifier[0].weight[1].view(6, 8, 8)[0, :4, :4] = 1
    images = np.full((2, 32, 32, 3), 40, np.uint8)
    images[:, :14, :14, 0] = 250
    return network, images


def test_a_true_map_is_faithful_and_a_turned_one_is_not():
    network, images = reader_of_the_corner()
    truth = np.zeros((2, 32, 32))
    truth[:, :14, :14] = 1
    fractions = np.array([0.25, 0.5])
    scores = [
        faithfulness_score(faithfulness(network, images, m, fractions, RNG))
        for m in (truth, -truth)
    ]
    assert (scores[0] > 0.1).all() and scores[1] == pytest.approx(-scores[0], abs=0.3)


def test_the_lead_is_that_of_the_networks_own_maps_and_none_where_nothing_matters():
    network, images = reader_of_the_corner()
    blind = copy.deepcopy(network)
    torch.nn.init.zeros_(blind.classifier[0].weight)
    reads, nothing = (
        deletion_lead(one, images, "hirescam", RNG, fractions=(0.25, 0.5))
        for one in (network, blind)
    )
    assert reads > 0.1 and nothing == pytest.approx(0, abs=1e-6)
