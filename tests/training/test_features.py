"""The feature cache: the network's own numbers, keyed by what they depend on, whole or not
there.
"""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from lib.networks.devices import Device, choose_device
from lib.networks.network import build_network, preprocess
from lib.settings.options import Training
from lib.training import features as module
from lib.training.features import (
    cached_features,
    channel_statistics,
    compute_features,
    forward,
    group_size,
    loaded,
)

CPU = Device()


@pytest.fixture
def pictures(tmp_path):
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{i}.png" for i in range(10)]
    for path in paths:
        Image.fromarray(rng.integers(0, 255, (224, 224, 3), dtype=np.uint8)).save(path)
    return [str(path) for path in paths]


@pytest.fixture
def small(monkeypatch):
    """Four layers, computed in chunks of four images."""
    monkeypatch.setattr(module, "CHUNK", 4)
    monkeypatch.setattr(module, "COUNT_S", 0)
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(3, 4, 9, 8),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(4, 5, 3),
        nn.ReLU(inplace=True),
    )
    return layers.requires_grad_(False).eval()


def test_the_cache_holds_the_networks_own_numbers_behind_every_cut(small, pictures, tmp_path):
    images = preprocess(np.stack([np.asarray(Image.open(path)) for path in pictures]))
    found = cached_features(small, pictures, [1, 2, 5], CPU, folder=tmp_path)
    assert torch.allclose(found[1], small[:1](images), atol=1e-5)  # before the in-place ReLU
    assert found[1].min() < 0 <= found[2].min()
    assert torch.allclose(found[5], small(images), atol=1e-5)


def test_bf16_is_stored_as_computed(small, pictures, tmp_path):
    bf16 = Device("cpu", torch.bfloat16)
    found = cached_features(small, pictures, [5], bf16, folder=tmp_path)[5]
    images = np.stack([np.asarray(Image.open(path)) for path in pictures])
    expected = torch.cat(
        [forward(small, images[rows], [5], bf16)[5] for rows in np.split(np.arange(10), [4, 8])]
    )
    assert found.dtype == torch.bfloat16 and torch.equal(found, expected)
    exact = cached_features(small, pictures, [5], CPU, folder=tmp_path)[5]
    assert (found.float() - exact).abs().max() < 0.02 * exact.abs().max()


def test_nothing_is_computed_twice(small, pictures, tmp_path, monkeypatch):
    first = cached_features(small, pictures, [2, 5], CPU, folder=tmp_path)
    monkeypatch.setattr(module, "forward", None)
    again = cached_features(small, pictures, [5], CPU, folder=tmp_path)
    assert torch.equal(first[5], again[5])


def test_other_weights_another_order_and_a_changed_image_are_other_entries(
    small, pictures, tmp_path
):
    def entries():
        return {path.parent.name for path in tmp_path.glob("*/entry.json")}

    cached_features(small, pictures, [5], CPU, folder=tmp_path)
    assert len(entries()) == 1
    cached_features(small, pictures[::-1], [5], CPU, folder=tmp_path)
    small[0].bias += 1
    cached_features(small, pictures, [5], CPU, folder=tmp_path)
    Image.new("RGB", (224, 224)).save(pictures[3])
    changed = cached_features(small, pictures, [5], CPU, folder=tmp_path)[5]
    assert len(entries()) == 4
    assert torch.allclose(
        changed[3], small(preprocess(np.zeros((1, 224, 224, 3), np.uint8)))[0], atol=1e-5
    )


def test_a_killed_computation_goes_on_behind_its_last_chunk(small, pictures, tmp_path, monkeypatch):
    whole = cached_features(small, pictures, [2, 5], CPU, folder=tmp_path / "whole")
    computed = []

    def counting(features, images, cuts, device):
        if len(computed) == 2 and not (tmp_path / "second").exists():
            raise KeyboardInterrupt
        computed.append(len(images))
        return forward(features, images, cuts, device)

    monkeypatch.setattr(module, "forward", counting)
    with pytest.raises(KeyboardInterrupt):
        cached_features(small, pictures, [2, 5], CPU, folder=tmp_path / "cut")
    assert not list((tmp_path / "cut").glob("*/entry.json"))
    (tmp_path / "second").touch()
    resumed = cached_features(small, pictures, [2, 5], CPU, folder=tmp_path / "cut")
    assert computed == [4, 4, 2]
    assert all(torch.equal(resumed[cut], whole[cut]) for cut in (2, 5))


def test_chunks_are_counted_once_a_second_and_what_was_not_is_computed_again(
    small, pictures, tmp_path, monkeypatch
):
    whole = cached_features(small, pictures, [5], CPU, folder=tmp_path / "whole")[5]
    monkeypatch.setattr(module, "COUNT_S", 1e9)
    computed = []

    def failing(features, images, cuts, device):
        computed.append(len(images))
        if len(computed) == 3:
            raise KeyboardInterrupt
        return forward(features, images, cuts, device)

    monkeypatch.setattr(module, "forward", failing)
    with pytest.raises(KeyboardInterrupt):
        cached_features(small, pictures, [5], CPU, folder=tmp_path / "cut")
    assert not list((tmp_path / "cut").glob("*/*.json")) and list(
        (tmp_path / "cut").glob("*/features.bin")
    )
    assert torch.equal(
        cached_features(small, pictures, [5], CPU, folder=tmp_path / "cut")[5], whole
    )
    assert computed == [4, 4, 2, 4, 4, 2]


def test_what_lies_behind_the_last_counted_chunk_is_written_again(small, pictures, tmp_path):
    """A kill between writing and counting leaves bytes that do not count."""
    whole = cached_features(small, pictures, [5], CPU, folder=tmp_path / "whole")[5].clone()
    folder = next((tmp_path / "whole").glob("*/entry.json")).parent
    entry = json.loads((folder / "entry.json").read_text())
    (folder / "entry.json").unlink()
    (folder / "progress.json").write_text(json.dumps(entry | {"done": 4}))
    data = bytearray((folder / "features.bin").read_bytes())
    data[len(data) * 5 // 10 :] = b"x" * (len(data) - len(data) * 5 // 10)
    (folder / "features.bin").write_bytes(data)
    again = cached_features(small, pictures, [5], CPU, folder=tmp_path / "whole")[5]
    assert torch.equal(again, whole)


def test_an_entry_that_lost_bytes_is_computed_again(small, pictures, tmp_path):
    whole = cached_features(small, pictures, [5], CPU, folder=tmp_path)[5].clone()
    data = next(tmp_path.glob("*/features.bin"))
    data.write_bytes(data.read_bytes()[:100])
    assert torch.equal(cached_features(small, pictures, [5], CPU, folder=tmp_path)[5], whole)


def test_chunks_are_loaded_in_order():
    read = {"a": 1, "b": 2, "c": 3}
    chunks = list(
        loaded([["a", "b"], ["c"]], read=lambda path: np.full(2, read[path.name], np.uint8))
    )
    assert [chunk.tolist() for chunk in chunks] == [[[1, 1], [2, 2]], [[3, 3]]]


def test_channel_statistics_are_those_of_numpy():
    maps, rows = torch.randn(300, 3, 2, 2) * 4 + 7, np.arange(0, 300, 2)
    mean, spread = channel_statistics(maps, rows)
    chosen = maps.numpy()[rows].astype(float)
    assert np.allclose(mean, chosen.mean((0, 2, 3)), atol=1e-5)
    assert np.allclose(spread, chosen.std((0, 2, 3)), atol=1e-4)


def test_the_device_follows_the_study_and_says_what_it_is():
    fp32 = choose_device(Training(device="cpu", precision="fp32"))
    assert (fp32.name, fp32.precision, fp32.dtype) == (
        "cpu",
        "fp32",
        torch.float32,
    ) and "fp32" in fp32.describe()
    assert choose_device(Training(device="cpu", precision="bf16")).dtype == torch.bfloat16


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="allowed here: auto, cpu"):
        choose_device(Training(device="cuda"))


def test_several_networks_read_each_image_once_and_get_what_each_gets_alone(
    small, pictures, tmp_path, monkeypatch
):
    other = nn.Sequential(nn.Conv2d(3, 2, 9, 8), nn.ReLU(inplace=True)).requires_grad_(False).eval()
    alone = [
        cached_features(layers, pictures, cuts, CPU, folder=tmp_path / "alone")
        for layers, cuts in ((small, [2, 5]), (other, [2]))
    ]
    cached_features(other, pictures, [1], CPU, folder=tmp_path / "both")
    read = []
    monkeypatch.setattr(
        module,
        "loaded",
        lambda chunks, **kind: (
            read.extend(c) or x for c, x in zip(chunks, loaded(chunks, **kind), strict=True)
        ),
    )
    both = compute_features(
        {"small": (small, [2, 5]), "other": (other, [1, 2])},
        pictures,
        CPU,
        folder=tmp_path / "both",
    )
    assert read == pictures
    assert all(torch.equal(both["small"][cut], alone[0][cut]) for cut in (2, 5))
    assert torch.equal(both["other"][2], alone[1][2])
    read.clear()
    compute_features({"other": (other, [1, 2])}, pictures, CPU, folder=tmp_path / "both")
    assert read == []


def test_images_go_through_in_small_groups_in_their_order(pictures, monkeypatch):
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AvgPool2d(20)).requires_grad_(False)
    images, sizes = np.stack([np.asarray(Image.open(path)) for path in pictures]), []
    monkeypatch.setattr(module, "AT_ONCE", len(images))
    whole = forward(layers, images, [0, 3], CPU)
    layers[0].register_forward_hook(lambda layer, inputs, output: sizes.append(len(output)))
    monkeypatch.setattr(module, "AT_ONCE", 4)
    parts = forward(layers, images, [0, 3], CPU)
    assert (
        sizes == [4] * (len(images) // 4) + [len(images) % 4] * (len(images) % 4 > 0)
        and len(sizes) > 1
    )
    assert all(torch.allclose(parts[cut], whole[cut], atol=1e-6) for cut in (0, 3))


def test_only_large_first_maps_on_a_processor_are_made_in_small_groups():
    alexnet, vgg = (
        build_network(name, pretraining="untrained").features for name in ("alexnet", "vgg11")
    )
    assert group_size(vgg, CPU) == module.AT_ONCE < group_size(alexnet, CPU) == module.CHUNK
    assert group_size(vgg, Device("cuda")) == module.CHUNK
