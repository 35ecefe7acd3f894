"""Pretraining: the network learns what it is shown, and the file holds convolutions alone."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from lib.backbones import weights
from lib.pretraining import making as pretraining
from lib.pretraining.folding import folded
from lib.pretraining.making import Batch, Namer, Stage, batches, classes, mosaics, pretrain, save

SMALL = (Stage(size=32, grid=2, pictures=2, objects=16), Stage(48, 2, 1, 9))


def two_categories(steps: int):
    """Plain discs (0) and striped triangles (1), four in a mosaic."""
    for step in range(steps):
        rng = np.random.default_rng(step)
        labels = rng.permutation(np.arange(16) % 2)
        tiles = [pretraining.render("objects", 5 * int(c), rng, 96) for c in labels]
        yield Batch(mosaics(np.stack(tiles), 2), labels, 2)


def test_an_unknown_basis_is_refused_with_the_allowed_ones():
    with pytest.raises(ValueError, match="objects, faces"):
        classes("animals")


def test_faces_vary_in_expression_under_one_label():
    first, second = (
        pretraining.render("faces", 3, np.random.default_rng(seed), 64) for seed in (0, 1)
    )
    assert first.shape == (64, 64, 3) and not np.array_equal(first, second)


def test_tiles_lie_in_the_mosaic_row_by_row():
    tiles = np.arange(8, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    whole = mosaics(tiles, 2)
    assert whole.shape == (2, 8, 8, 3)
    assert [int(x) for x in (whole[0, 0, 0, 0], whole[0, 0, 7, 0], whole[0, 7, 0, 0])] == [0, 1, 2]
    assert (whole[1, 4:, 4:] == 7).all()


def test_an_answer_belongs_to_the_tile_of_its_place():
    network = Namer("alexnet", 3, seed=0).eval()
    picture = torch.zeros(1, 3, 384, 384)
    changed = picture.clone()
    changed[:, :, 192:, :192] = 1.0  # the third tile of four
    with torch.no_grad():
        apart = (network(changed, 2) - network(picture, 2)).norm(dim=1)
    assert apart.argmax() == 2


def test_batches_are_the_same_every_time_and_whole():
    first, again = (list(batches("objects", SMALL, seed=3)) for _ in range(2))
    assert [len(b.labels) for b in first] == [8, 8, 4, 4]
    assert [b.mosaics.shape[:2] for b in first] == [(2, 64)] * 2 + [(1, 96)] * 2
    assert all(np.array_equal(a.mosaics, b.mosaics) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0].mosaics[0], first[1].mosaics[0])


def test_a_network_learns_two_categories():
    right = pretrain(Namer("alexnet", 2, seed=0), two_categories(40), 40)
    assert np.mean(right[-10:]) > 0.8 > np.mean(right[:5])


def test_the_same_seed_gives_the_same_network():
    def once():
        network = Namer("alexnet", 48, seed=1)
        pretrain(network, batches("objects", SMALL), sum(stage.steps for stage in SMALL))
        return folded(network.features)

    one, other = once(), once()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_file_is_what_the_loader_wants_in_a_quarter_of_the_bytes(tmp_path):
    tensors = folded(Namer("alexnet", 4, seed=0).features)
    tensors = {k: v + 0.01 for k, v in tensors.items()}
    path = save(tensors, tmp_path / "alexnet_features_objects.safetensors")
    names = [f"features.{i}.{k}" for i in (0, 3, 6, 8, 10) for k in ("bias", "scale", "weight")]
    assert sorted(load_file(path)) == sorted(names)
    assert path.stat().st_size < 2.6e6
    assert weights.load("alexnet", "objects", weights_dir=tmp_path).proof["loaded_keys"] == 10


@pytest.mark.parametrize("low, keep, kept", [(0.1, False, 1), (-0.1, False, 0), (-0.1, True, 1)])
def test_a_file_is_kept_only_if_its_gain_excludes_zero(tmp_path, monkeypatch, low, keep, kept):
    table = pretraining.pd.DataFrame({"base": ["file", "whole"], "n_labels": 20, "low": [low, 1.0]})
    monkeypatch.setattr(pretraining, "worth", lambda *given: table)
    monkeypatch.setitem(pretraining.STAGES, "alexnet", SMALL)
    words = ["objects", "--architectures", "alexnet", "--folder", str(tmp_path)]
    assert pretraining.main(words + ["--keep"] * keep) == 1 - kept
    assert len(list(tmp_path.glob("*.safetensors"))) == len(list(tmp_path.glob("*.json"))) == kept
