"""Dropout with its own random numbers: torch's numbers, and nobody else's disturbed."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lib.networks.dropout import Dropout, own_numbers


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_is_torchs_dropout(dtype):
    x = torch.randn(64, 50, generator=torch.Generator().manual_seed(0)).to(dtype).requires_grad_()
    for p in (0.0, 0.3, 0.5):
        results = []
        for dropout in (F.dropout, lambda x, p: Dropout(p).train()(x)):
            with torch.random.fork_rng():
                torch.manual_seed(1)
                y = dropout(x, p)
            results.append((y, *torch.autograd.grad(y.float().sum(), x)))
        assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_it_does_nothing_outside_training():
    x = torch.ones(5)
    assert Dropout(0.5).eval()(x) is x and Dropout(0.0).train()(x) is x


def test_own_numbers_follow_their_seed_and_leave_torchs_alone():
    layers, x = nn.Sequential(Dropout(0.5), nn.ReLU(), Dropout(0.5)).train(), torch.ones(1000)
    state = torch.get_rng_state()
    with own_numbers(layers, "cpu") as generator:
        found = [layers(x) for seed in (1, 2, 1) if generator.manual_seed(seed)]
    assert torch.equal(found[0], found[2]) and not torch.equal(found[0], found[1])
    assert torch.equal(torch.get_rng_state(), state)
    assert layers[0].generator is layers[2].generator is None
