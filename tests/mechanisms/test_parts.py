"""Part shifts and their agreement with saliency: hand cases, recovery, invariants."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import spearmanr
from toy_networks import toy_network

from lib.mechanisms.parts import (
    agreement_text,
    control_losses,
    part_losses,
    rank_agreement,
    same_order,
    spearman,
)


def trials(kind="cnn", **p):
    """One observer; p: condition -> p_happy at levels 0, 0.5, 1."""
    rows = [
        {
            "observer": "o",
            "kind": kind,
            "architecture": "alexnet" if kind == "cnn" else np.nan,
            "pretraining": "untrained" if kind == "cnn" else np.nan,
            "seed": 0 if kind == "cnn" else np.nan,
            "condition": condition,
            "level": level,
            "response": value,
            "p_happy": value if kind == "cnn" else np.nan,
        }
        for condition, values in p.items()
        for level, value in zip((0, 0.5, 1), values, strict=True)
    ]
    return pd.DataFrame(rows)


def test_losses_by_hand():
    found = part_losses(trials(full=(0.1, 0.9, 0.9), mouth=(0.4, 0.1, 0.5), eyes=(0.1, 0, 0.9)))
    found = found.set_index("part")
    assert found.loc["mouth", ["intact", "masked", "loss"]].tolist() == pytest.approx(
        [0.9, 0.55, 0.35]
    )
    assert found.loc["eyes", "loss"] == pytest.approx(0) and "nose" not in found.index
    assert found.loc["mouth", "seed"] == 0


def test_people_count_by_response_and_missed_trials_do_not():
    table = pd.concat(
        [
            trials("human", full=(0, 1, 1), mouth=(0, 1, 0)),
            trials("human", full=(0, 1, np.nan), mouth=(np.nan, 1, 1)),
        ]
    )
    found = part_losses(table).set_index("part")
    assert found.loc["mouth", ["intact", "masked"]].tolist() == [1.0, 0.75] and np.isnan(
        found.loc["mouth", "seed"]
    )


def test_nothing_hidden_gives_an_empty_table():
    assert len(part_losses(trials(full=(0, 0.5, 1)))) == 0
    assert "part" in part_losses(trials(full=(0, 0.5, 1)))


def test_control_losses_by_hand():
    """The network reads redness at the top left alone: hiding that costs, hiding as much
    elsewhere does not.
    """
    network = toy_network(0, linear=True)
    with torch.no_grad():
        for layer in network.features:
            if isinstance(layer, torch.nn.Conv2d):
                layer.weight.zero_()
                layer.bias.zero_()
                layer.weight[0, 0, 1, 1] = 1
        network.classifier[0].weight.zero_()
        network.classifier[0].bias.zero_()
        network.classifier[0].weight[1].view(6, 8, 8)[0, :2, :2] = 1
    images = np.full((2, 32, 32, 3), 120, np.uint8)
    images[:, :8, :8, 0] = 250
    corner = np.zeros((32, 32), bool)
    corner[:8, :8] = True
    found = control_losses(
        [network], images, np.array([1.0, 1.0]), {"eyes": corner}, np.random.default_rng(0)
    ).iloc[0]
    assert found.loss > 0.1 and found.control_loss == pytest.approx(0, abs=1e-6)


def points(link, n_networks=5, n_seeds=4, seed=0):
    rng = np.random.default_rng(seed)
    rows = []
    for network in range(n_networks):
        saliency = rng.uniform(0.5, 3, 3)
        for s in range(n_seeds):
            for part, x in zip(("eyes", "nose", "mouth"), saliency, strict=True):
                y = link * x + rng.normal(0, 0.1) + (1 - abs(link)) * rng.normal()
                rows.append(
                    {
                        "network": network,
                        "seed": s,
                        "part": part,
                        "x": x + rng.normal(0, 0.05),
                        "y": y,
                    }
                )
    return pd.DataFrame(rows)


def test_agreement_is_found_and_its_sign():
    rng = np.random.default_rng(0)
    for link in (1, -1):
        found = rank_agreement(points(link), "x", "y", n_boot=200, rng=rng)
        assert found["rho"] * link > 0.8 and found["low"] <= found["rho"] <= found["high"]
        assert found["p"] == pytest.approx(1 / 6 if link > 0 else 1, abs=0.01)
        assert found["n_points"] == 15 and found["n_networks"] == 5


def test_p_is_uniform_without_a_link():
    rng = np.random.default_rng(1)
    values = [
        rank_agreement(points(0, seed=s), "x", "y", n_boot=40, rng=rng)["p"] for s in range(50)
    ]
    assert [np.mean(np.array(values) <= k / 6 + 1e-9) for k in (1, 2, 3, 6)] == pytest.approx(
        [1 / 6, 1 / 3, 1 / 2, 1], abs=0.15
    )


def test_networks_of_one_kind_are_no_independent_witnesses():
    """Twenty copies of one network whose parts agree by chance once in six: p stays that of one
    network.
    """
    one = points(1, n_networks=1, seed=4)
    copies = pd.concat([one.assign(network=k) for k in range(20)])
    for given in (one, copies):
        assert rank_agreement(given, "x", "y", n_boot=20, rng=np.random.default_rng(0))[
            "p"
        ] == pytest.approx(1 / 6)


def test_more_parts_than_can_be_ordered_are_shuffled():
    rng = np.random.default_rng(3)
    rows = pd.DataFrame(
        [
            {"network": 0, "seed": s, "part": k, "x": k + rng.normal(0, 0.01), "y": k}
            for s in range(2)
            for k in range(8)
        ]
    )
    assert rank_agreement(rows, "x", "y", n_boot=99, rng=rng)["p"] == pytest.approx(0.01)


def test_one_seed_has_no_interval_and_no_points_no_value():
    found = rank_agreement(points(1, n_seeds=1), "x", "y", n_boot=50, rng=np.random.default_rng(0))
    assert np.isfinite(found["rho"]) and np.isnan(found["low"])
    empty = rank_agreement(
        points(1).assign(y=np.nan), "x", "y", n_boot=50, rng=np.random.default_rng(0)
    )
    assert np.isnan(empty["rho"]) and np.isnan(empty["p"])


def test_spearman_equals_scipy():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 6, 20), rng.normal(size=20)
    assert spearman(x, y) == pytest.approx(spearmanr(x, y).statistic)
    assert np.isnan(spearman(np.ones(3), np.arange(3)))


def test_same_order_by_hand():
    people = pd.DataFrame(
        {"part": ["eyes", "nose", "mouth"] * 2, "loss": [0.1, 0, 0.3, 0.1, 0, 0.3]}
    )
    networks = pd.DataFrame(
        {
            "network": ["a"] * 3 + ["b"] * 3,
            "seed": 0,
            "part": ["eyes", "nose", "mouth"] * 2,
            "loss": [0.1, 0.0, 0.3, 0.4, 0.0, 0.3],
        }
    )
    found = same_order(people, networks).set_index("network")
    assert found.loc["a", "distance"] == pytest.approx(0) and found.loc["a", "as_people"]
    assert (
        found.loc["b", "distance"] == pytest.approx(np.sqrt(0.09 / 3))
        and found.loc["b", "first"] == "eyes"
    )
    assert found.loc["b", "rho"] == pytest.approx(0.5) and not found.loc["b", "as_people"]


def test_an_agreement_in_words():
    assert agreement_text({"rho": 0.812, "low": 0.6, "high": 1.0}) == "rho = 0.81 [0.60, 1.00]"
    assert agreement_text({"rho": 1.0, "low": np.nan, "high": np.nan}) == "rho = 1.00"
    assert agreement_text({"rho": np.nan, "low": np.nan, "high": np.nan}).startswith(
        "no rank correlation"
    )
