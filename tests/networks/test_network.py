"""The networks: torchvision's own functions, FE-AlexNet that starts as AlexNet, frozen
convolutions.
"""

import numpy as np
import pytest
import torch

from lib.backbones.vision import torchvision
from lib.networks.design import Cell
from lib.networks.network import (
    Attention,
    build_cell,
    build_network,
    layer_at,
    parameter_counts,
    preprocess,
    relu_index,
)
from lib.settings.options import KINDS, LOCATIONS, Study


def images(n=2, seed=0):
    return torch.randn(n, 3, 224, 224, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def plain():
    return build_network("alexnet", pretraining="untrained", seed=3)


@pytest.mark.parametrize("name", ["alexnet", "vgg11"])
def test_the_network_is_torchvisions_function(name):
    """Oracle: torchvision's own forward pass with the same tensors."""
    own, theirs = (
        build_network(name, pretraining="untrained"),
        getattr(torchvision.models, name)(num_classes=2).eval(),
    )
    theirs.features.load_state_dict(own.features.state_dict())
    theirs.classifier.load_state_dict(own.classifier.state_dict())
    with torch.no_grad():
        assert torch.allclose(own(images()), theirs(images()), atol=1e-5)


@pytest.mark.parametrize("location", LOCATIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_untrained_fe_alexnet_is_alexnet(plain, kind, location):
    other = build_network(
        "fe_alexnet", pretraining="untrained", attention=Attention(kind, location), seed=3
    )
    with torch.no_grad():
        assert (other(images()) - plain(images())).abs().max() < 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_at_gain_0_a_trained_fe_alexnet_is_alexnet(plain, kind):
    other = build_network(
        "fe_alexnet", pretraining="untrained", attention=Attention(kind, gain=0.0), seed=3
    )
    open_up(other)
    with torch.no_grad():
        assert (other(images()) - plain(images())).abs().max() < 1e-6


def open_up(network):
    """Last layers that are no longer zero, as after training."""
    has_block = next(network.block.parameters(), None) is not None
    for layer in network.block.last_layers() if has_block else ():
        torch.nn.init.normal_(layer.weight, std=0.1)


def test_fe_alexnets_default_is_self_attention_behind_conv3(plain):
    network = build_network("fe_alexnet", pretraining="untrained")
    assert network.block.attention_map(torch.randn(1, 384, 13, 13)).shape == (1, 4, 169, 169)
    assert network.location == "conv3" and plain.location is None
    assert network.attention_map(images(1)).sum(-1).allclose(torch.ones(1))
    with pytest.raises(ValueError, match="only kind 'self'"):
        plain.attention_map(images(1))


@pytest.mark.parametrize(
    ("architecture", "location"),
    [*(("alexnet", location) for location in LOCATIONS), ("vgg11", "conv2"), ("vgg11", "conv5")],
)
def test_going_on_from_the_cut_is_the_whole_way(architecture, location):
    network = build_network(
        architecture, pretraining="untrained", attention=Attention("se", location, gain=0.5)
    )
    with torch.no_grad():
        middle = network.features[: network.cut](images(1))
        assert torch.equal(network(middle.clone(), start=network.cut), network(images(1)))
    seen = []
    handle = layer_at(network, location).register_forward_hook(
        lambda *passed: seen.append(passed[1][0])
    )
    network(images(1))
    handle.remove()
    assert torch.equal(seen[0], middle)


def test_locations_are_the_relu_of_each_convolution_and_in_a_vgg_of_each_blocks_last():
    features = {
        name: build_network(name, pretraining="untrained").features for name in ("alexnet", "vgg11")
    }
    assert [relu_index(features["alexnet"], place) for place in LOCATIONS] == [1, 4, 7, 9, 11]
    assert [relu_index(features["vgg11"], place) for place in LOCATIONS] == [1, 4, 9, 14, 19]


def test_only_the_head_and_the_block_can_be_trained():
    network = build_network("fe_alexnet", pretraining="untrained").train()
    assert {name.split(".")[0] for name in network.trained()} == {"block", "classifier"}
    assert not network.features.training and network.classifier.training


def test_parameter_counts_are_the_published_ones(plain):
    """AlexNet has 61,100,840 parameters with 1000 outputs (torchvision's record); two outputs
    take 998 * 4097 off.
    """
    assert parameter_counts(plain)["all"] == 61_100_840 - 998 * 4097
    with_block = build_network("fe_alexnet", pretraining="untrained")
    assert parameter_counts(with_block)["block"] == 4 * 384 * 48 + 3 * 48 + 384 + 4 * 27**2


def test_the_seed_decides_the_head_and_the_block_but_not_the_convolutions(plain):
    again, other = (build_network("alexnet", pretraining="untrained", seed=seed) for seed in (3, 4))
    assert torch.equal(again.classifier[1].weight, plain.classifier[1].weight)
    assert not torch.equal(other.classifier[1].weight, plain.classifier[1].weight)
    assert torch.equal(other.features[0].weight, plain.features[0].weight)
    one, two = (build_network("fe_alexnet", pretraining="untrained", seed=seed) for seed in (3, 4))
    assert not torch.equal(one.block.query.weight, two.block.query.weight)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"architecture": "resnet"}, "allowed: alexnet, vgg11"),
        ({"pretraining": "clip"}, "allowed: imagenet, face"),
        ({"pretraining": "object"}, "allowed: imagenet"),
    ],
)
def test_unknown_names_are_refused_with_the_allowed_ones(given, says):
    with pytest.raises(ValueError, match=says):
        build_network(**{"architecture": "alexnet", "pretraining": "untrained", **given})


def test_a_region_prior_works_from_the_studys_boxes_and_an_even_one_does_nothing():
    prior = {"mouth": 4.0}
    network, free, flat = (
        build_network(
            "fe_alexnet", pretraining="untrained", attention=Attention(region_prior=one, heads=1)
        )
        for one in (prior, None, dict.fromkeys(("eyes", "nose", "mouth"), 1.0))
    )
    torch.manual_seed(0)
    open_up(network)
    for other in (free, flat):
        other.load_state_dict(network.state_dict(), strict=False)
    share, before = (
        one.attention_map(images(1))[0, 0].mean(0).view(13, 13)[10:12, 4:9].sum()
        for one in (network, free)
    )
    assert share > 2 * before
    with torch.no_grad():
        assert torch.equal(flat(images(1)), free(images(1)))
        assert not torch.equal(network(images(1)), free(images(1)))


def test_preprocessing_by_hand():
    x = preprocess(np.full((1, 2, 2, 3), 255, np.uint8))
    assert torch.allclose(
        x[0, :, 0, 0], torch.tensor([0.515 / 0.229, 0.544 / 0.224, 0.594 / 0.225]), atol=1e-5
    )
    with pytest.raises(ValueError, match="allowed: uint8"):
        preprocess(np.zeros((1, 3, 224, 224), np.float32))


@pytest.mark.parametrize("n", [0, 1, 3])
def test_preprocessing_is_torchvisions(n):
    """Oracle: its own normalisation, of all 256 values, in pictures of any shape and order in
    memory.
    """
    images = np.random.default_rng(n).permutation(
        np.resize(np.arange(256, dtype=np.uint8), (n, 20, 17, 3)).ravel()
    )
    images = images.reshape(n, 3, 20, 17).transpose(0, 2, 3, 1)
    found, normalise = preprocess(images), torchvision.transforms.functional.normalize
    wanted = normalise(
        torch.from_numpy(images.transpose(0, 3, 1, 2)) / 255,
        [0.485, 0.456, 0.406],
        [0.229, 0.224, 0.225],
    )
    assert found.shape == (n, 3, 20, 17) and torch.equal(found, wanted)


def test_a_cells_network_is_the_studys():
    cell = Cell("alexnet_matched", "untrained", Attention("matched", "conv4"), seed=2)
    network = build_cell(cell, Study())
    assert network.location == "conv4" and type(network.block).__name__ == "Matched"
    same = build_network("alexnet", pretraining="untrained", seed=2)
    assert torch.equal(network.classifier[1].weight, same.classifier[1].weight)
