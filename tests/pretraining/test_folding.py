"""Folding: the plain convolutions do exactly what the normalised ones did."""

import pytest
import torch
from torch import nn

from lib.backbones.weights import new_features
from lib.pretraining.folding import folded, normalised


def seen(backbone: str) -> nn.Sequential:
    """Normalised convolutions that have seen a few pictures: statistics unlike a fresh layer's."""
    torch.manual_seed(0)
    features = normalised(new_features(backbone, 1))
    for layer in features:
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.uniform_(layer.bias, -0.3, 0.3)
    for _ in range(3):
        features(torch.randn(4, 3, 64, 64))
    return features.eval()


@pytest.mark.parametrize("backbone", ["alexnet", "vgg13"])
def test_folded_convolutions_give_what_normalised_ones_give(backbone):
    features, plain = seen(backbone), new_features(backbone)
    plain.load_state_dict(folded(features))
    x = torch.randn(2, 3, 96, 96)
    with torch.no_grad():
        torch.testing.assert_close(plain(x), features(x), rtol=1e-4, atol=1e-4)
        assert features(x).std() > 0.01


def test_without_the_normalisations_statistics_the_answer_would_differ():
    features, plain = seen("alexnet"), new_features("alexnet", 1)  # the same weights, not folded
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert not torch.allclose(plain(x), features(x), rtol=0.1, atol=0.1)


def test_names_and_shapes_are_torchvisions():
    plain = new_features("vgg11").state_dict()
    tensors = folded(normalised(new_features("vgg11")))
    assert {k: v.shape for k, v in tensors.items()} == {k: v.shape for k, v in plain.items()}
