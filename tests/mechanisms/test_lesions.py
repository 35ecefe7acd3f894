"""Lesions: the unit that carries valence is found, silencing it hurts, silencing others does
not.
"""

import numpy as np
import pandas as pd
import pytest
import torch
from toy_networks import toy_attention, toy_network

from lib.mechanisms import lesions
from lib.mechanisms.lesions import (
    lesion_answers,
    lesion_costs,
    lesion_effects,
    lesion_layer,
    lesion_measures,
    matched_units,
    plan_lesions,
    selectivity,
    silenced,
    unit_activity,
)
from lib.networks.answers import log_odds
from lib.networks.network import preprocess
from lib.networks.panel import Panel

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)


def test_selectivity_by_hand_and_silent_units():
    activity = np.array([[1.0, 0, 5], [3, 0, 5], [5, 0, 1], [7, 0, 1]])
    d = selectivity(activity, np.array([0, 0, 1, 1]))
    assert (
        d[0] == pytest.approx(4 / np.sqrt(2)) and d[1] == 0 and d[2] == 0
    )  # unit 2 has no spread at all


@pytest.mark.parametrize("layer", ["conv5", "fc6"])
def test_silencing_equals_zeroing_the_weights_behind(layer):
    """Oracle: the same network whose weights from those units are zero."""
    network, edited = (
        toy_network(1, attention=toy_attention()),
        toy_network(1, attention=toy_attention()),
    )
    units = [1, 4]
    if layer == "fc6":
        edited.classifier[-1].weight.data[:, units] = 0
    else:
        edited.classifier[0].weight.data.view(16, 6, 64)[:, units] = 0
    with torch.no_grad():
        expected = log_odds(edited(preprocess(IMAGES))).numpy()
    panel = Panel(IMAGES)
    answers = lesion_answers(network, panel, layer, [np.array(units), np.array([], int)])
    assert answers[0] == pytest.approx(expected, abs=1e-5)
    assert answers[1] == pytest.approx(panel.log_odds(network), abs=1e-6)
    assert np.abs(answers[0] - answers[1]).max() > 1e-4


def test_lesions_together_are_lesions_one_by_one(monkeypatch):
    network, panel = toy_network(1, attention=toy_attention()), Panel(IMAGES)
    units = [np.array(some, int) for some in ([], [0], [1, 4], [2, 3, 5], [5])]
    together = lesion_answers(network, panel, "conv5", units)
    monkeypatch.setattr(lesions, "AT_A_TIME", 2 * len(panel))
    assert lesion_answers(network, panel, "conv5", units) == pytest.approx(together, abs=1e-6)
    alone = [lesion_answers(network, panel, "conv5", [one])[0] for one in units]
    assert together == pytest.approx(np.stack(alone), abs=1e-6)
    assert together.std(axis=0).min() > 0


def test_units_and_layers():
    network = toy_network(0)
    assert unit_activity(network, Panel(IMAGES), "conv5").shape == (6, 6)
    assert unit_activity(network, Panel(IMAGES), "fc6").shape == (6, 16)
    with pytest.raises(ValueError, match="allowed: conv5, fc6"):
        lesion_layer(network, "fc7")


def test_silence_ends_with_the_block():
    network = toy_network(0)
    with pytest.raises(RuntimeError), silenced(lesion_layer(network, "fc6"), [[0]]):
        raise RuntimeError
    assert not any(len(m._forward_hooks) for m in network.modules())


def test_plan_takes_the_most_selective_and_equal_numbers_of_others():
    scores = np.array([0.1, -3, 0.2, 2, 0, 0.1])
    table, units = plan_lesions(scores, np.ones(6), [1 / 6, 1 / 3], 3, np.random.default_rng(0))
    assert list(table.lesion) == ["none", *2 * ["selective", *3 * ["matched"]]]
    assert units[1].tolist() == [1] and units[5].tolist() == [1, 3] and len(units[0]) == 0
    assert [len(set(u)) for u in units] == table.n_units.tolist()
    assert all(not {1, 3} & set(u) for u in units[6:])
    with pytest.raises(ValueError, match="above 0 to"):
        plan_lesions(scores, np.ones(6), [0.6], 1, np.random.default_rng(0))


def test_others_are_as_active_as_the_selective_ones():
    """Selective units are among the most active, as they are in networks: units drawn regardless
    of it would be half as active, and silencing them would cost less for that alone."""
    rng = np.random.default_rng(0)
    activity = rng.gamma(1, 1, 256)
    scores = activity + rng.normal(0, 0.5, 256)
    table, _ = plan_lesions(scores, activity, [0.1], 40, rng)
    selective, matched = (table[table.lesion == name].activity for name in ("selective", "matched"))
    anyone = np.mean([activity[rng.choice(256, 26, replace=False)].mean() for _ in range(40)])
    assert selective.iloc[0] > 2 * anyone
    assert matched.mean() > 0.6 * selective.iloc[0] > 1.2 * anyone
    exact = matched_units(np.array([0, 1]), np.tile(np.arange(8.0), 7), rng)
    assert len(set(exact)) == 2 and sorted(exact % 8) == [0, 1]


def test_effects_by_hand():
    table = pd.DataFrame(
        {
            "lesion": ["none", "selective", "matched", "matched", "matched"],
            "fraction": [0, 0.1, 0.1, 0.1, 0.1],
            "n_units": [0, 2, 2, 2, 2],
            "activity": [np.nan, 3.0, 2.0, 3.0, 4.0],
            "accuracy": [0.9, 0.6, 0.85, 0.95, 0.5],
        }
    )
    row = lesion_effects(table, "accuracy").iloc[0]
    assert (row.intact, row.selective, row.p, row.n_draws) == (0.9, 0.6, 2 / 4, 3)
    assert row.matched == pytest.approx(2.3 / 3) and row.matched_activity == row.activity == 3


def test_the_cost_over_seeds_is_matched_less_selective():
    effects = pd.DataFrame(
        {
            "architecture": "alexnet",
            "pretraining": "imagenet",
            "fraction": 0.25,
            "value": "accuracy",
            "matched": [0.8, 0.9],
            "selective": [0.6, 0.6],
        }
    )
    row = lesion_costs(effects).iloc[0]
    assert row["value"] == pytest.approx(0.25) and row["n_seeds"] == 2
    assert row["low"] < 0.25 < row["high"] and len(lesion_costs(effects, "sensitivity")) == 0


def test_recovery_of_the_unit_that_decides():
    """A network whose answer hangs on one hidden unit: it is the most selective and its loss is
    the network's.
    """
    network = toy_network(3)
    network.classifier[-1].weight.data[:] = 0
    network.classifier[-1].weight.data[1, 5] = 4.0
    network.classifier[0].bias.data[5] = 10.0  # never below the ReLU's threshold
    panel = Panel(np.random.default_rng(1).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8))
    intact = panel.log_odds(network)
    labels = (intact > np.median(intact)).astype(int)
    scores = selectivity(unit_activity(network, panel, "fc6"), labels)
    assert np.abs(scores).argmax() == 5
    _, units = plan_lesions(scores, np.ones(16), [1 / 16], 8, np.random.default_rng(0))
    answers = lesion_answers(network, panel, "fc6", units)
    assert answers[1].std() == pytest.approx(0, abs=1e-6)
    kept = [a for a, u in zip(answers[2:], units[2:], strict=True) if 5 not in u]
    assert kept and all(a == pytest.approx(intact, abs=1e-5) for a in kept)


def test_right_answers_are_counted_not_averaged():
    """Log-odds near 0 that are always on the right side: every answer is right, though the mean
    probability of the right one is near a half."""
    level = np.repeat(np.linspace(0, 1, 11), 20)
    noise = np.random.default_rng(0).normal(0, 0.001, level.shape)
    answers = np.stack([0.05 * (level - 0.5) + 0.1 * noise, np.full(level.shape, 2.0)])
    plan = pd.DataFrame({"lesion": ["none", "selective"]})
    found = lesion_measures(plan, answers, level)
    assert found.accuracy.tolist() == [1.0, 0.5]  # always positive: right on the upper half
    ends = [answers[0][level > 2 / 3], answers[0][level < 1 / 3]]
    spread = np.sqrt((ends[0].var(ddof=1) + ends[1].var(ddof=1)) / 2)
    assert found.sensitivity[0] == pytest.approx((ends[0].mean() - ends[1].mean()) / spread)
    assert np.isnan(found.sensitivity[1])
