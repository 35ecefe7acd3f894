"""Pretraining: the network learns what it is shown, and the file holds convolutions alone."""

import numpy as np
import pytest
from safetensors.torch import load_file

from lib.training import pretraining
from lib.training.pretraining import accuracy, classes, new_network, pretrain, render, save_features


def two_categories(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Plain discs (category 0) against striped triangles (category 1)."""
    labels = np.arange(n) % 2
    return np.stack(
        [render("objects", 5 * int(c), np.random.default_rng(i)) for i, c in enumerate(labels)]
    ), labels


def test_an_unknown_basis_is_refused_with_the_allowed_ones():
    with pytest.raises(ValueError, match="objects, faces"):
        classes("animals")


def test_faces_vary_in_expression_under_one_label():
    first, second = (render("faces", 3, np.random.default_rng(seed)) for seed in (0, 1))
    assert first.shape == (224, 224, 3) and not np.array_equal(first, second)


def test_a_network_learns_two_categories_and_the_same_seed_gives_the_same_network(tmp_path):
    images, labels = two_categories(16)
    assert (
        accuracy(pretrain(images, labels, epochs=12, seed=0, lr=3e-4, batch=8), images, labels)
        > 0.9
    )
    networks = [pretrain(images, labels, epochs=1, seed=0, lr=3e-4, batch=8) for _ in range(2)]
    one, other = (
        load_file(save_features(n, tmp_path / f"{i}.safetensors")) for i, n in enumerate(networks)
    )
    assert all((one[k] == other[k]).all() for k in one)


def test_the_file_holds_the_ten_convolutional_tensors_under_torchvisions_names(tmp_path):
    tensors = load_file(save_features(new_network(4, seed=0), tmp_path / "w.safetensors"))
    assert sorted(tensors) == sorted(
        f"features.{i}.{k}" for i in (0, 3, 6, 8, 10) for k in ("weight", "bias")
    )
    assert (tmp_path / "w.safetensors").stat().st_size < 6e6


def test_pictures_are_rendered_once_and_read_back(tmp_path, monkeypatch):
    monkeypatch.setattr(pretraining, "ROOT", tmp_path)
    first, labels = pretraining.pictures("objects", 6, seed=2)
    monkeypatch.setattr(pretraining, "render", None)
    again, same = pretraining.pictures("objects", 6, seed=2)
    assert np.array_equal(first, again) and np.array_equal(labels, same)
