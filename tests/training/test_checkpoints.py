"""Trained heads on the disk."""

import pytest
import torch

from lib.training.checkpoints import Checkpoint

HEAD = {"classifier.weight": torch.arange(6.0).reshape(2, 3)}


def test_a_head_counts_once_its_results_are_there(tmp_path):
    checkpoint = Checkpoint(tmp_path)
    assert checkpoint.result() is None and not checkpoint.trained()
    checkpoint.finish(HEAD, {"accuracy": 1})
    assert checkpoint.trained() and checkpoint.result() == {"accuracy": 1}


def test_results_alone_are_no_trained_head(tmp_path):
    checkpoint = Checkpoint(tmp_path)
    checkpoint.finish(None, {"accuracy": 1})
    assert checkpoint.result() == {"accuracy": 1} and not checkpoint.trained()


def test_what_goes_wrong_on_the_disk_is_raised(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(FileExistsError):
        Checkpoint(tmp_path / "file").finish(HEAD, {})
