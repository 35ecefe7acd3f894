"""Each set of weights sees the pictures that it was trained on, whoever shows them."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lib.backbones import weight_files, weights
from lib.backbones.inputs import FEATURES_SET, OtherInput, preprocess
from lib.settings.options import ROOT

SHARED = ROOT.parent / "shared/weights"
NAME = "vgg16_features_imagenet1k_features.safetensors"


def rgb(seed=0, size=224):
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (2, size, size, 3), dtype=np.uint8)


def as_the_vgg_group(pictures: np.ndarray) -> torch.Tensor:
    """As torchvision's record of the set says: RGB in 0 … 1 less the mean, over 1/255."""
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255
    mean = torch.tensor([0.48235, 0.45882, 0.40784]).view(3, 1, 1)
    return (x - mean) / (1 / 255)


def test_by_hand_a_first_convolution_that_sums_sees_the_other_input():
    """Grey of 0.5: 255 times 0.5 less each mean, summed over nine places and three channels."""
    plain = torch.nn.Conv2d(3, 1, 3, padding=1)
    torch.nn.init.ones_(plain.weight)
    torch.nn.init.zeros_(plain.bias)
    grey = torch.full((1, 3, 5, 5), 0.5)
    usual_mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    usual_spread = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    found = OtherInput(plain, FEATURES_SET)((grey - usual_mean) / usual_spread)
    one = 255 * (3 * 0.5 - 0.48235 - 0.45882 - 0.40784)
    assert found[0, 0, 2, 2].item() == pytest.approx(9 * one, rel=1e-4)
    assert found[0, 0, 0, 0].item() == pytest.approx(4 * one, rel=1e-4)  # the margin is the mean


@pytest.fixture
def folder(tmp_path):
    """Weights under the second set's name, drawn anew."""
    state = weights.new_features("vgg16", seed=3).state_dict()
    generator = torch.Generator().manual_seed(1)
    state = {
        f"features.{k}": v + 0.01 * torch.randn(v.shape, generator=generator)
        for k, v in state.items()
    }
    save_file(state, tmp_path / NAME)
    return tmp_path


def test_vgg16s_second_set_is_known_by_its_name_and_proved(folder, monkeypatch):
    monkeypatch.setattr(weight_files, "FOLDER", folder / "none")
    loaded = weights.load("vgg16", "imagenet", weights_dir=folder)
    assert loaded.proof["weights_set"] == FEATURES_SET
    assert loaded.proof["loaded_keys"] == loaded.proof["differs_from_init"] == 26
    plain = weights.new_features("vgg16")
    plain.load_state_dict(loaded.features.state_dict())
    with torch.no_grad():
        right = plain[:5](as_the_vgg_group(rgb(size=64)))
        found = loaded.features[:5](preprocess(rgb(size=64)))
        wrong = plain[:5](preprocess(rgb(size=64)))
    assert torch.allclose(found, right, rtol=1e-4, atol=1e-3 * right.abs().max().item())
    assert not torch.allclose(wrong, right, rtol=0.5)
    other = weights.features_hash(plain)
    assert weights.features_hash(loaded.features) != other  # or the cache would mix them up


def test_the_first_set_comes_first_where_both_are_there(folder):
    state = {f"features.{k}": v for k, v in weights.new_features("vgg16", 5).state_dict().items()}
    save_file(state, folder / "vgg16_features_imagenet1k_v1.safetensors")
    assert weights.find("vgg16", "imagenet", weights_dir=folder).name.endswith("_v1.safetensors")


@pytest.mark.skipif(not (SHARED / NAME).is_file(), reason="the VGG group's weights are not here")
def test_the_vgg_groups_own_weights_give_features_that_only_the_right_input_gives():
    """With the right input most last maps are silent, as in the VGG group's networks; with the
    usual one, a fiftieth of it in size, the same filters answer otherwise.
    """
    loaded = weights.load("vgg16", "imagenet", weights_dir=SHARED)
    assert loaded.proof["weights_set"] == FEATURES_SET and loaded.proof["loaded_keys"] == 26
    plain = weights.new_features("vgg16")
    plain.load_state_dict(loaded.features.state_dict())
    with torch.no_grad():
        right = plain(as_the_vgg_group(rgb()))
        found, wrong = loaded.features(preprocess(rgb())), plain(preprocess(rgb()))
    scale = right.abs().max().item()
    assert torch.allclose(found, right, atol=1e-3 * scale)
    assert (wrong - right).abs().max().item() > 0.3 * scale
