"""What is known of weights without torch is what torch and torchvision say."""

import pytest
import torch
from safetensors.torch import save_file

from lib.backbones import weight_files, weights
from lib.backbones.packing import pack


@pytest.mark.parametrize("backbone", weight_files.BACKBONES)
def test_shapes_and_file_names_are_torchvisions(backbone):
    tensors = weights.new_features(backbone).state_dict()
    shapes = {f"features.{name}": tuple(value.shape) for name, value in tensors.items()}
    assert weight_files.convolution_shapes(backbone) == shapes
    assert weights.torchvision_weights(backbone).url.endswith(
        f"/{weight_files.torchvision_file(backbone)}"
    )


@pytest.mark.parametrize("given", [{"TORCH_HOME": "th"}, {"XDG_CACHE_HOME": "xdg"}, {}])
def test_the_cache_is_where_torch_has_it(tmp_path, monkeypatch, given):
    for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, folder in given.items():
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    assert str(weight_files.hub_folder()) == torch.hub.get_dir()


def alexnet() -> dict[str, torch.Tensor]:
    return {f"features.{k}": v for k, v in weights.new_features("alexnet").state_dict().items()}


def test_a_file_with_all_tensors_is_whole_and_any_other_is_left_to_torch(tmp_path):
    path = tmp_path / "alexnet.safetensors"
    save_file(alexnet(), path)
    assert weight_files.is_whole(path, "alexnet") and not weight_files.is_whole(path, "vgg11")
    path.write_bytes(path.read_bytes()[:-1])
    assert not weight_files.is_whole(path, "alexnet")
    other = alexnet()
    other["features.0.bias"] = torch.zeros(65)
    save_file(other, path)
    assert not weight_files.is_whole(path, "alexnet")
    del other["features.0.bias"]
    save_file(other, path)
    assert not weight_files.is_whole(path, "alexnet")
    torch.save(alexnet(), tmp_path / "alexnet.pth")
    for name in ("alexnet.pth", "nothing.safetensors"):
        assert not weight_files.is_whole(tmp_path / name, "alexnet")


@pytest.mark.parametrize("content", [b"", b"x", b"\2\0\0\0\0\0\0\0{}", b"\2\0\0\0\0\0\0\0[]"])
def test_what_is_no_safetensors_file_is_not_whole(tmp_path, content):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    assert not weight_files.is_whole(path, "alexnet")


def test_int8_weights_with_their_scales_are_whole(tmp_path):
    bare = {name.removeprefix("features."): value for name, value in alexnet().items()}
    packed = {f"features.{name}": value for name, value in pack(bare).items()}
    save_file(packed, tmp_path / "a.safetensors")
    assert weight_files.is_whole(tmp_path / "a.safetensors", "alexnet")
    del packed["features.0.scale"]
    save_file(packed, tmp_path / "a.safetensors")
    assert not weight_files.is_whole(tmp_path / "a.safetensors", "alexnet")
