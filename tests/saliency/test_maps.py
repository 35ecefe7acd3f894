"""Saliency: closed forms, completeness, agreement with the grad-cam package, nothing left
behind.
"""

import gc

import numpy as np
import pytest
import torch
from torch import nn
from toy_networks import toy_attention, toy_network

from lib.backbones.vision import torchvision
from lib.networks.answers import log_odds
from lib.networks.network import Network, build_network, layer_at, preprocess
from lib.networks.panel import Panel
from lib.saliency.maps import (
    METHODS,
    attention,
    attention_rollout,
    enlarge,
    explain,
    gradcam,
    hirescam,
    integrated_gradients,
    layer_gradient,
    normalise,
    occlusion,
    occlusion_maps,
    recording,
)

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
X = preprocess(IMAGES)
METHOD_NAMES = [name for name in METHODS if name != "attention"]


def hooks(network):
    return sum(
        len(m._forward_hooks) + len(m._backward_hooks) + len(m._forward_pre_hooks)
        for m in network.modules()
    )


def copying_network(weights):
    """Layers that copy one positive channel through, and a linear head with ``weights`` (h, w)
    for happy alone.
    """
    layers = []
    for k in range(5):
        convolution = nn.Conv2d(3 if k == 0 else 1, 1, 1, bias=False)
        nn.init.ones_(convolution.weight)
        layers += [convolution, nn.ReLU(inplace=True)]
    head = nn.Linear(weights.numel(), 2, bias=False)
    head.weight.data = torch.stack([torch.zeros(weights.numel()), weights.flatten()])
    return Network(nn.Sequential(*layers), nn.Sequential(head), toy_network().block)


def test_cams_in_closed_form():
    """The activation is the sum of colours a, the gradient the head's weights w: HiResCAM w *
    a, Grad-CAM mean(w) a.
    """
    image = torch.tensor([[1.0, 2.0], [3.0, 0.0]]).expand(1, 3, 2, 2)
    weights = torch.tensor([[1.0, -1.0], [2.0, 4.0]])
    network = copying_network(weights)
    assert torch.allclose(hirescam(network, image), 3 * torch.tensor([[[1.0, -2.0], [6.0, 0.0]]]))
    assert torch.allclose(
        gradcam(network, image), 1.5 * 3 * torch.tensor([[[1.0, 2.0], [3.0, 0.0]]])
    )


def test_target_is_the_log_odds_and_the_sign_happy():
    """Exchanging the two classes turns every map round, whatever class is predicted."""
    network, turned = toy_network(3), toy_network(3)
    for name in ("weight", "bias"):
        parameter = getattr(turned.classifier[-1], name)
        parameter.data = parameter.data.flip(0)
    for name in METHOD_NAMES:
        assert METHODS[name](turned, X).numpy() == pytest.approx(
            -METHODS[name](network, X).numpy(), abs=1e-5
        )


def test_gradient_equals_the_one_through_the_whole_network():
    """Oracle: autograd through layers that are neither frozen nor in place."""
    network = toy_network(1, attention=toy_attention())
    plain = toy_network(1, attention=toy_attention())
    for module in plain.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    kept = {}

    def keep(module, inputs, output):
        output.retain_grad()
        kept["out"] = output

    layer_at(plain, "conv3").register_forward_hook(keep)
    log_odds(plain(X.clone().requires_grad_())).sum().backward()
    activation, gradient = layer_gradient(network, X, "conv3")
    assert torch.allclose(activation, kept["out"], atol=1e-6)
    assert torch.allclose(gradient, kept["out"].grad, atol=1e-7) and gradient.abs().max() > 0


def test_hirescam_is_complete_under_a_linear_head():
    network = toy_network(2, linear=True)
    bias = network.classifier[-1].bias
    with (
        torch.no_grad()
    ):  # conv5 feeds the head directly, so the map's sum is the log-odds less the bias
        expected = log_odds(network(X)) - (bias[1] - bias[0])
    assert torch.allclose(hirescam(network, X).sum((1, 2)), expected, atol=1e-5)


def test_integrated_gradients_are_complete():
    network = toy_network(2)
    plain = X.mean((2, 3), keepdim=True).expand_as(X)
    with torch.no_grad():
        expected = log_odds(network(X)) - log_odds(network(plain))
    assert torch.allclose(
        integrated_gradients(network, X, steps=200).sum((1, 2)), expected, atol=5e-3
    )
    one_by_one, together = (
        integrated_gradients(network, X, steps=6, batch=batch) for batch in (1, 64)
    )
    assert torch.allclose(one_by_one, together, atol=1e-6)


def test_occlusion_by_hand():
    """Four patches of a 2 x 2 image with a linear network: each lowers the log-odds by its own
    weight's part.
    """
    image = torch.tensor([[1.0, 2.0], [3.0, 0.0]]).expand(1, 3, 2, 2)
    weights = torch.tensor([[1.0, -1.0], [2.0, 4.0]])
    drop = 3 * weights * (torch.tensor([[1.0, 2.0], [3.0, 0.0]]) - 1.5)
    assert torch.allclose(
        occlusion(copying_network(weights), image, patch=1, stride=1)[0], drop, atol=1e-5
    )


def test_occlusion_covers_all_pixels_alike_and_shares_convolutions():
    networks = [toy_network(0), toy_network(1, attention=toy_attention())]
    maps = occlusion_maps(networks, X, patch=8, stride=4)
    assert maps.shape == (2, 4, 32, 32)
    for network, one in zip(networks, maps, strict=True):
        assert torch.allclose(occlusion(network, X, patch=8, stride=4), one, atol=1e-5)
    with pytest.raises(ValueError, match="divides the patch"):
        occlusion(networks[0], X, patch=8, stride=3)


def test_attention_map_and_rollout():
    network = toy_network(1, attention=toy_attention())
    looked_at = attention(network, X)
    assert looked_at.shape == (4, 8, 8) and torch.allclose(
        looked_at.sum((1, 2)), torch.ones(4), atol=1e-5
    )
    # by hand: everybody looks at place 0; half of it stays at home
    all_at_first = torch.zeros(1, 1, 4, 4)
    all_at_first[..., 0] = 1
    assert attention_rollout([all_at_first])[0].tolist() == pytest.approx(
        [5 / 8, 1 / 8, 1 / 8, 1 / 8]
    )
    assert attention_rollout([all_at_first] * 2)[0].tolist() == pytest.approx(
        [13 / 16, 1 / 16, 1 / 16, 1 / 16]
    )
    with pytest.raises(ValueError, match="self"):
        attention(toy_network(0), X)


@pytest.mark.parametrize("location", ["conv2", "conv5"])
@pytest.mark.parametrize("name", ["gradcam", "hirescam"])
def test_panel_gives_the_same_maps(name, location):
    for network in (toy_network(0), toy_network(1, attention=toy_attention())):
        whole = METHODS[name](network, X, location=location)
        shared = explain(network, Panel(IMAGES, batch=3), name, location=location)
        assert shared == pytest.approx(whole.numpy(), abs=1e-6)


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_maps_do_not_depend_on_the_batch_and_leave_the_network_alone(name):
    network = toy_network(4).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    together = explain(network, IMAGES, name)
    alone = np.concatenate([explain(network, image[None], name) for image in IMAGES])
    assert together == pytest.approx(alone, abs=1e-5)
    assert network.training and hooks(network) == 0
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters())


def test_hooks_go_even_after_an_error():
    network = toy_network(0)
    with pytest.raises(RuntimeError, match="stop"), recording(layer_at(network, "conv5")):
        raise RuntimeError("stop")
    assert hooks(network) == 0


def test_nothing_leaks_over_200_calls():
    network = toy_network(0, attention=toy_attention())

    def tensors():
        gc.collect()
        return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())

    gradcam(network, X)
    before = tensors()
    for _ in range(200):
        gradcam(network, X)
        hirescam(network, X)
    assert hooks(network) == 0 and tensors() <= before + 2


@pytest.mark.parametrize(
    "how, expected",
    [
        ("absolute", [[2, 1], [0, 4]]),
        ("positive", [[2, 0], [0, 4]]),
        ("negative", [[0, 1], [0, 0]]),
        ("peak", [[0.5, -0.25], [0, 1]]),
        ("sum", [[2 / 7, 1 / 7], [0, 4 / 7]]),
        ("minmax", [[0.6, 0], [0.2, 1]]),
    ],
)
def test_normalise_by_hand(how, expected):
    raw = np.array([[[2.0, -1.0], [0.0, 4.0]]])
    kept = raw.copy()
    assert normalise(raw, how)[0] == pytest.approx(np.array(expected, float), abs=1e-6)
    assert (raw == kept).all()
    assert np.isfinite(normalise(np.zeros((1, 2, 2)), how)).all()


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="allowed: gradcam"):
        explain(toy_network(0), IMAGES, "lrp")
    with pytest.raises(ValueError, match="allowed: absolute"):
        normalise(np.zeros((1, 2, 2)), "softmax")


def test_enlarge_keeps_range_and_flatness():
    assert (enlarge(np.full((1, 13, 13), 0.3)) == 0.3).all()
    small = RNG.random((2, 13, 13)).astype(np.float32)
    large = enlarge(small)
    assert (
        large.shape == (2, 224, 224) and large.min() >= small.min() and large.max() <= small.max()
    )


@pytest.mark.parametrize("location", ["conv3", "conv5"])
def test_gradcam_equals_the_grad_cam_package(location):
    """Oracle: pytorch_grad_cam 1.5.7 on the same AlexNet, layer and target, after its own
    normalisation.
    """
    assert torchvision  # declares what the package's own import of torchvision misses
    from pytorch_grad_cam import GradCAM

    network = build_network("alexnet", pretraining="untrained", seed=1)
    images = preprocess(RNG.integers(0, 256, (3, 224, 224, 3), dtype=np.uint8))
    with GradCAM(
        network, [layer_at(network, location)]
    ) as cam:  # frozen layers: it needs an input with a gradient
        theirs = cam(images.clone().requires_grad_(), [lambda output: output[1] - output[0]] * 3)
    ours = normalise(gradcam(network, images, location=location).numpy(), "positive")
    ours = normalise(enlarge(normalise(ours, "minmax")), "minmax")
    assert ours == pytest.approx(theirs, abs=1e-4) and theirs.max() > 0.99
