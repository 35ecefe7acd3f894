"""One way from pictures to answers: whatever form the pictures come in, the answer is the same."""

import numpy as np
import pytest
import torch
from toy_networks import toy_attention, toy_network

from lib.networks import answer
from lib.networks.answers import Halfway, answer_of, evaluating, log_odds
from lib.networks.devices import Device
from lib.networks.network import preprocess

DTYPES = (torch.float32, torch.bfloat16)
IMAGES = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)


def network():
    return toy_network(1, attention=toy_attention(location="conv3"))


def test_answers_by_hand():
    """Logits 0 and ln 3: three to one for the positive pole."""
    found = answer_of(torch.tensor([[0.0, 0.0], [0.0, np.log(3)], [2.0, -1.0]]))
    assert found.p_happy == pytest.approx([0.5, 0.75, 1 / (1 + np.exp(3))], abs=1e-7)
    assert found.log_odds == pytest.approx([0, np.log(3), -3], abs=1e-6)


@pytest.mark.parametrize("start", [0, 1, 3, 8])
def test_bytes_floats_and_pictures_halfway_give_the_same_answers(start):
    net, floats = network(), preprocess(IMAGES)
    with torch.no_grad():
        expected = log_odds(net(floats)).numpy()
        maps = net.features[:start](floats)
    for images in (IMAGES, floats, Halfway(maps, start)):
        assert answer(net, images).log_odds == pytest.approx(expected, abs=1e-5)
        assert answer(net, images).p_happy == pytest.approx(1 / (1 + np.exp(-expected)), abs=1e-5)


def test_the_same_pictures_may_be_asked_twice():
    """Because the next ReLU works in place."""
    net = network()
    with torch.no_grad():
        halfway = Halfway(net.features[:8](preprocess(IMAGES)), 8)  # conv4 before its ReLU
    assert np.array_equal(answer(net, halfway).log_odds, answer(net, halfway).log_odds)


def test_answers_follow_the_order_of_the_rows_and_may_be_none():
    net, rows = network(), np.array([4, 0, 2])
    whole = answer(net, IMAGES).log_odds
    assert answer(net, IMAGES, rows=rows).log_odds == pytest.approx(whole[rows], abs=1e-5)
    assert answer(net, IMAGES, rows=[]).p_happy.shape == (0,)


def test_log_odds_are_exact_differences_of_fp32_logits():
    """And tell a saturated network's pictures apart, whose p_happy has long been 1."""
    net = network()
    with torch.no_grad():
        net.classifier[-1].weight *= -1e4
        both = net(preprocess(IMAGES)).double().numpy()
    found = answer(net, preprocess(IMAGES))
    assert np.array_equal(found.log_odds, both[:, 1] - both[:, 0])
    assert len(np.unique(found.p_happy)) < len(np.unique(found.log_odds)) == 5


def test_a_network_in_training_mode_answers_without_dropout_and_stays_in_it():
    net = network()
    expected = answer(net, IMAGES).log_odds
    assert np.array_equal(answer(net.train(), IMAGES).log_odds, expected)
    assert net.classifier.training and all(p.grad is None for p in net.parameters())


def test_bf16_moves_answers_a_little():
    exact, half = (answer(network(), IMAGES, Device("cpu", d)) for d in DTYPES)
    assert 0 < np.abs(exact.log_odds - half.log_odds).max() < 0.05


def test_evaluating_puts_every_module_back():
    net = network().train()
    before = [m.training for m in net.modules()]
    with evaluating(net):
        assert not any(m.training for m in net.modules())
    assert [m.training for m in net.modules()] == before
