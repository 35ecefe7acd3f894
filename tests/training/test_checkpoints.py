"""Trained heads on their way to the disk."""

import threading

import pytest
import torch

from lib.training.checkpoints import Checkpoint, Writer

HEAD = {"classifier.weight": torch.arange(6.0).reshape(2, 3)}


class Slow(Checkpoint):
    """Waits before it writes, until it may."""

    def finish(self, head, result):
        assert self.may.wait(20)
        super().finish(head, result)


def test_heads_are_written_while_the_next_network_is_made(tmp_path):
    slow = Slow(tmp_path)
    slow.may = threading.Event()
    with Writer() as writer:
        writer.finish(slow, HEAD, {"accuracy": 1})
        assert not slow.trained()  # the caller goes on before it is written
        slow.may.set()
        writer.wait()
        assert slow.trained() and slow.result() == {"accuracy": 1}


def test_leaving_the_block_waits_for_the_disk(tmp_path):
    slow = Slow(tmp_path)
    slow.may = threading.Event()
    with Writer() as writer:
        writer.finish(slow, HEAD, {})
        threading.Timer(0.2, slow.may.set).start()
    assert slow.trained()


@pytest.mark.parametrize("wait", [True, False])
def test_what_goes_wrong_on_the_disk_is_raised(tmp_path, wait):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FileExistsError), Writer() as writer:
        writer.finish(Checkpoint(tmp_path / "file"), HEAD, {})
        if wait:
            writer.wait()
            raise AssertionError("not reached")


def test_an_interruption_is_not_hidden_and_what_was_finished_is_kept(tmp_path):
    with pytest.raises(KeyboardInterrupt), Writer() as writer:
        writer.finish(Checkpoint(tmp_path), HEAD, {})
        raise KeyboardInterrupt
    assert Checkpoint(tmp_path).trained()
