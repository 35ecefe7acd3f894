"""The large layers' own training path gives autocast's numbers."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lib.networks.linear import Linear, clear_gradients, prepared


def head(kind: type) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(kind(96, 64), nn.ReLU(), kind(64, 48), nn.ReLU(), nn.Linear(48, 2))


def steps(network: nn.Module, dtype: torch.dtype, n: int = 5) -> list[torch.Tensor]:
    x, y = torch.randn(16, 96, generator=torch.Generator().manual_seed(1)), torch.arange(16) % 2
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2, fused=True)
    for _ in range(n):
        clear_gradients(network)
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            F.cross_entropy(network(x), y).backward()
        optimiser.step()
        for layer in network:
            if isinstance(layer, Linear):
                layer.refresh()
    return [p.detach().clone() for p in network.parameters()]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_prepared_layers_train_to_the_same_numbers_as_torchs_under_autocast(dtype):
    expected = steps(head(nn.Linear), dtype)
    own = head(Linear)
    with prepared(own, dtype, train=True):
        found = steps(own, dtype)
    assert not torch.equal(expected[0], next(iter(head(nn.Linear).parameters())))
    for a, b in zip(found, expected, strict=True):
        assert torch.equal(a, b)


def test_the_gradient_reaches_the_input():
    layer, x = Linear(5, 3), torch.randn(4, 5, requires_grad=True)
    (expected,) = torch.autograd.grad(layer(x).square().sum(), x)
    with prepared(nn.Sequential(layer), torch.float32, train=True):
        (found,) = torch.autograd.grad(layer(x).square().sum(), x)
    assert torch.allclose(found, expected, atol=1e-6)


def test_outside_the_block_nothing_is_left_behind():
    network = head(Linear)
    with pytest.raises(RuntimeError, match="stop"), prepared(network, torch.bfloat16, train=True):
        raise RuntimeError("stop")
    assert all(
        layer.work is None and layer.weight.grad is None
        for layer in network
        if isinstance(layer, Linear)
    )
