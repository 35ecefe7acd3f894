"""Shared convolutions give the very answers that whole passes give."""

import numpy as np
import pytest
import torch
from toy_networks import toy_attention, toy_network

from lib.networks.answers import log_odds, logits
from lib.networks.network import preprocess
from lib.networks.panel import Panel, shared_log_odds

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)


def family():
    return [
        toy_network(0),
        toy_network(1),
        toy_network(2, attention=toy_attention()),
        toy_network(3, attention=toy_attention(location="conv3")),
    ]


def test_shared_answers_equal_whole_passes():
    x = preprocess(IMAGES)
    with torch.no_grad():
        whole = torch.stack([log_odds(network(x).double()) for network in family()])
    assert torch.allclose(shared_log_odds(family(), x), whole, atol=1e-5)


@pytest.mark.parametrize("location", ["conv1", "conv3", "conv5"])
def test_halfway_equals_whole_and_may_be_used_twice(location):
    """Twice, because the next ReLU works in place."""
    panel = Panel(IMAGES, batch=2)
    for network in family():
        halfway = panel.at(network, location)
        with torch.no_grad():
            once, again, whole = (
                logits(network, halfway),
                logits(network, halfway),
                network(preprocess(IMAGES)),
            )
        assert torch.equal(once, again) and torch.allclose(once, whole, atol=1e-5)
        assert panel.log_odds(network) == pytest.approx(log_odds(whole).numpy(), abs=1e-5)


def test_convolutions_run_once_for_all_seeds(monkeypatch):
    panel, walks = Panel(IMAGES), []
    walk = Panel._walk
    monkeypatch.setattr(Panel, "_walk", lambda self, *a: (walks.append(1), walk(self, *a)))
    for network in family()[:3]:
        panel.at(network)
        panel.summaries(network)
    assert len(walks) == 1


def test_other_convolutions_are_not_mixed_up():
    one, other = toy_network(0), toy_network(0, channels=8)
    panel = Panel(IMAGES)
    assert panel.at(one).x.shape[1] == 6 and panel.at(other).x.shape[1] == 8
    with pytest.raises(ValueError, match="2 different sets"):
        shared_log_odds([one, other], preprocess(IMAGES))


def test_summaries_are_the_layers_means():
    network = toy_network(0)
    found = Panel(IMAGES).summaries(network)
    with torch.no_grad():
        last = network.features(preprocess(IMAGES))
    assert list(found) == ["conv1", "conv2", "conv3", "conv4", "conv5"]
    expected = torch.nn.functional.adaptive_avg_pool2d(last, 6).flatten(1).numpy()
    assert found["conv5"] == pytest.approx(expected, abs=1e-6)
