"""int8 weights with scales: read back close, the same through the loader, faults refused."""

import pytest
import torch
from safetensors.torch import save_file

from lib.backbones import weights
from lib.backbones.packing import pack, unpack

BIASES = "0.bias", "3.bias", "6.bias", "8.bias", "10.bias"


def alexnets() -> dict[str, torch.Tensor]:
    """An AlexNet's convolutions whose biases are not 0."""
    state = weights.new_features("alexnet", 3).state_dict()
    return {name: value + 0.01 * name.endswith("bias") for name, value in state.items()}


def stored(folder, tensors):
    path = folder / "alexnet_features_objects.safetensors"
    save_file({f"features.{name}": tensor for name, tensor in tensors.items()}, path)
    return path


def test_a_weight_comes_back_within_half_a_step_of_its_channel():
    whole = alexnets()
    packed = pack(whole)
    again = unpack(packed)
    assert again.keys() == whole.keys()
    for name in whole:
        if name in BIASES:
            assert torch.equal(again[name], whole[name])
            continue
        step = whole[name].abs().amax((1, 2, 3), keepdim=True) / 127
        assert ((again[name] - whole[name]).abs() <= 0.5001 * step).all()


def test_numbers_that_are_whole_steps_come_back_exactly_and_a_channel_of_zeros_stays_zero():
    weight = torch.tensor([[127.0, -3.0], [0.0, 0.0]]).view(2, 2, 1, 1) / 4
    packed = pack({"0.weight": weight})
    assert packed["0.weight"].flatten().tolist() == [127, -3, 0, 0]
    assert torch.equal(unpack(packed)["0.weight"], weight)


def test_the_loader_reads_packed_files_as_it_reads_whole_ones(tmp_path):
    whole = alexnets()
    path = stored(tmp_path, pack(whole))
    assert path.stat().st_size < 0.3 * sum(4 * tensor.numel() for tensor in whole.values())
    loaded = weights.load("alexnet", "objects", weights_dir=tmp_path)
    assert loaded.proof["loaded_keys"] == loaded.proof["differs_from_init"] == 10
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    plain = weights.new_features("alexnet")
    plain.load_state_dict(whole)
    close, exact = loaded.features(x), plain(x)
    assert (close - exact).norm() < 0.02 * exact.norm()


@pytest.mark.parametrize("scale", [None, torch.ones(3)])
def test_an_int8_weight_without_the_right_scales_is_refused(tmp_path, scale):
    packed = pack(alexnets())
    del packed["0.scale"]
    packed |= {} if scale is None else {"0.scale": scale}
    path = stored(tmp_path, packed)
    with pytest.raises(weights.WeightsError, match=r"features\.0\.scale of shape \(64,\)"):
        weights.read(path)


def test_a_packed_weight_of_another_network_is_refused(tmp_path):
    whole = alexnets() | {"3.weight": torch.ones(192, 64, 3, 3)}
    stored(tmp_path, pack(whole))
    with pytest.raises(weights.WrongArchitecture, match=r"features\.3\.weight has shape"):
        weights.load("alexnet", "objects", weights_dir=tmp_path)
