"""Weights as people have them: wrapped, prefixed, with the VGG group's names; or refused."""

import pickle
import zipfile

import pytest
import torch
from torch import nn

from lib.backbones import weights
from lib.backbones.state_dicts import WeightsError, read_state, unwrap, vgg_names
from lib.backbones.weights import new_features, read_set

TENSORS = {"features.0.weight": torch.ones(2, 2), "n_averaged": torch.tensor(3)}
# of VGG16, block by block (Simonyan & Zisserman 2015, table 1, column D)
WIDTHS = [[64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3]


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "model.", "module._orig_mod."])
@pytest.mark.parametrize("wrapper", [None, "state_dict", "model", "ema", "state_dict_ema"])
def test_wrappings_and_prefixes_are_taken_off(tmp_path, prefix, wrapper):
    state = {prefix + name: value for name, value in TENSORS.items()}
    torch.save({wrapper: state, "epoch": 3} if wrapper else state, tmp_path / "w.pth")
    found = read_state(tmp_path / "w.pth")
    assert found.keys() == TENSORS.keys() and found["n_averaged"] == 3


def test_the_weights_come_before_their_average():
    assert unwrap({"ema": {"a": 1}, "model": {"state_dict": {"b": 2}}}) == {"b": 2}


def vgg_group_names() -> dict[str, torch.Tensor]:
    """Tensors as in VGG-Face's file: conv1_1 … conv5_3 and fc6, of VGG16's shapes."""
    state, before = {}, 3
    for block, widths in enumerate(WIDTHS, start=1):
        for k, width in enumerate(widths, start=1):
            state[f"conv{block}_{k}.weight"] = torch.zeros(width, before, 3, 3)
            state[f"conv{block}_{k}.bias"] = torch.full((width,), float(10 * block + k))
            before = width
    return state | {"fc6.weight": torch.zeros(4096, 2)}


def test_vgg_faces_names_are_torchvisions_of_vgg16(tmp_path):
    named = vgg_names(vgg_group_names())
    wanted = new_features("vgg16").state_dict()
    found = {k.removeprefix("features."): v for k, v in named.items() if k.startswith("features")}
    assert {k: v.shape for k, v in found.items()} == {k: v.shape for k, v in wanted.items()}
    assert (named["features.0.bias"][0], named["features.28.bias"][0]) == (11, 53)
    torch.save(vgg_group_names(), tmp_path / "vgg_face.pth")
    tensors, name = read_set(tmp_path / "vgg_face.pth", "face")
    assert name == "VGG-Face" and tensors["28.bias"][0] == 53


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [(".h5", "a Keras file"), (".onnx", "an ONNX graph"), (".MAT", "a MATLAB file")],
)
def test_other_programs_files_are_refused_by_their_kind(tmp_path, suffix, kind):
    (tmp_path / f"net{suffix}").write_bytes(b"anything")
    with pytest.raises(WeightsError, match=rf"because it is {kind}; allowed: a state dict"):
        read_state(tmp_path / f"net{suffix}")


def test_torchscript_is_refused_with_the_way_out(tmp_path):
    with zipfile.ZipFile(tmp_path / "net.pt", "w") as archive:
        archive.writestr("net/code/__torch__.py", "class Net: pass")
    with pytest.raises(WeightsError, match=r"TorchScript.*torch\.jit\.load\(path\)\.state_dict"):
        read_state(tmp_path / "net.pt")


def test_a_pickled_module_a_broken_file_and_one_without_tensors_are_refused(tmp_path):
    path = tmp_path / "net.pth"
    torch.save(nn.Linear(2, 2), path)
    with pytest.raises(WeightsError, match="holds code or other objects"):
        read_state(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(WeightsError, match=r"not readable|holds code"):
        read_state(path)
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(WeightsError):
        read_state(path)
    torch.save({"epoch": 3}, path)
    with pytest.raises(WeightsError, match="holds no tensors by name"):
        weights.read(path)
