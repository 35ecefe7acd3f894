"""Training heads: learns what is there, repeats itself exactly, survives being killed, leaves
frozen tensors alone.
"""

import numpy as np
import pytest
import torch
from torch import nn

from lib.backbones.weights import new_features
from lib.networks.answers import Halfway, answer
from lib.networks.attention import Attention, make_block
from lib.networks.devices import Device
from lib.networks.network import Network
from lib.settings.options import LOCATIONS, Training
from lib.training.checkpoints import Checkpoint, put_head, take_head
from lib.training.heads import (
    Data,
    TrainingFailed,
    evaluate,
    make_optimiser,
    total_steps,
    train_head,
)

FP32, BF16 = Device("cpu", torch.float32), Device("cpu", torch.bfloat16)
TRAINING = Training(epochs=4, lr=1e-3, attention_lr=1e-2, batch=8)


def small_network(
    attention: Attention | None = None, channels: int = 256, seed: int = 0
) -> Network:
    """AlexNet's convolutions with a small head."""
    torch.manual_seed(seed)
    classifier = nn.Sequential(nn.Dropout(0.3), nn.Linear(9216, 16), nn.ReLU(), nn.Linear(16, 2))
    block = make_block(attention, channels, torch.Generator().manual_seed(seed))
    return Network(
        new_features("alexnet"), classifier, block, attention.location if attention else None
    )


def separable(shape=(256, 6, 6), n=40, seed=1) -> Data:
    """Happy maps have a little more in the first half of the channels."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 2
    maps = torch.randn(n, *shape, generator=generator).abs()
    maps[:, : shape[0] // 2] += 0.6 * labels.view(-1, 1, 1, 1)
    rows = np.random.default_rng(0).permutation(n)
    return Data(maps, labels, {"train": rows[:24], "validation": rows[24:32], "test": rows[32:]})


def halfway(data: Data, network: Network) -> Halfway:
    return Halfway(data.maps, network.cut)


@pytest.mark.parametrize("device", [FP32, BF16])
def test_a_head_learns_what_is_there_and_nothing_from_noise(device):
    training = Training(epochs=12, lr=1e-3, batch=8)
    fit = train_head(
        network := small_network(), data := separable(), training, seed=0, device=device
    )
    assert fit.history[-1]["train_loss"] < 0.5 * fit.history[0]["train_loss"]
    assert evaluate(network, data, "test", device)["test_accuracy"] == 1.0
    noise = Data(
        torch.randn(40, 256, 6, 6, generator=torch.Generator().manual_seed(5)),
        data.labels,
        data.rows,
    )
    train_head(network := small_network(), noise, training, seed=0, device=device)
    assert evaluate(network, noise, "test", device)["test_accuracy"] < 0.9


def test_the_same_seed_gives_the_same_numbers_and_another_other_ones():
    heads, histories = [], []
    for seed in (0, 0, 1):
        fit = train_head(small_network(), separable(), TRAINING, seed=seed, device=BF16)
        heads.append(fit.best)
        histories.append(fit.history)
    assert histories[0] == histories[1] != histories[2]
    assert all(torch.equal(heads[0][name], heads[1][name]) for name in heads[0])


class Killed(Exception):
    pass


@pytest.mark.parametrize("attention", [None, Attention("self", "conv5", heads=1)])
def test_a_killed_training_that_goes_on_ends_with_the_same_numbers(tmp_path, attention):
    data = separable((256, 13, 13) if attention else (256, 6, 6))
    whole = train_head(small_network(attention), data, TRAINING, seed=3, device=BF16)
    steps = []

    def kill_in_the_third_epoch(note):
        steps.append(note)
        if len(steps) == 8:
            raise Killed

    checkpoint = Checkpoint(tmp_path, every_s=0)
    with pytest.raises(Killed):
        train_head(
            small_network(attention),
            data,
            TRAINING,
            seed=3,
            device=BF16,
            checkpoint=checkpoint,
            tick=kill_in_the_third_epoch,
        )
    assert [path.name for path in tmp_path.glob("state-*")] == ["state-2.safetensors"]
    steps.clear()
    resumed = train_head(
        small_network(attention, seed=9),
        data,
        TRAINING,
        seed=3,
        device=BF16,
        checkpoint=Checkpoint(tmp_path, every_s=1e9),
        tick=steps.append,
    )
    assert len(steps) == 2 * 3  # the third and fourth epoch alone
    assert resumed.history == whole.history
    assert resumed.best.keys() == whole.best.keys()
    assert all(torch.equal(resumed.best[name], whole.best[name]) for name in whole.best)


def test_the_global_generator_is_left_as_it_was():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    train_head(small_network_with_kept_seed(), separable(), TRAINING, seed=0, device=FP32)
    assert torch.equal(torch.rand(1), expected)


def small_network_with_kept_seed() -> Network:
    with torch.random.fork_rng():
        return small_network()


@pytest.mark.parametrize("location", LOCATIONS)
@pytest.mark.parametrize("kind", ["self", "se", "cbam", "matched"])
def test_the_block_trains_through_frozen_convolutions_and_leaves_them_alone(kind, location):
    channels, size = dict(
        zip(LOCATIONS, [(64, 55), (192, 27), (384, 13), (256, 13), (256, 13)], strict=True)
    )[location]
    network = small_network(Attention(kind, location), channels)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    data = separable((channels, size, size), n=8)
    data = Data(data.maps, data.labels, {"train": np.arange(4), "validation": np.arange(4, 8)})
    train_head(network, data, Training(epochs=3, batch=4), seed=0, device=FP32)
    moved = {
        name for name, value in network.state_dict().items() if not torch.equal(value, before[name])
    }
    assert not any(name.startswith("features.") for name in moved)
    still = {"block.key.bias"}  # adds the same to all logits of a query: no effect by construction
    trained = {name for name in network.trained() if name.startswith("block.")}
    assert trained - still <= moved and "block.gain" not in moved
    assert {"classifier.1.weight", "classifier.3.weight"} <= moved


def test_the_network_is_left_with_its_best_epoch_by_validation_loss():
    data = separable()
    flipped = Data(data.maps, data.labels.clone(), data.rows)
    flipped.labels[torch.from_numpy(data.rows["validation"])] ^= (
        1  # learning makes validation worse
    )
    fit = train_head(network := small_network(), flipped, TRAINING, seed=0, device=FP32)
    losses = [row["validation_loss"] for row in fit.history]
    assert losses[-1] > min(losses) and fit.best_epoch == 1 + int(np.argmin(losses))
    judged = evaluate(network, flipped, "validation", FP32)
    assert judged["validation_loss"] == pytest.approx(min(losses), abs=1e-6)


def test_a_loss_that_is_no_number_stops_with_a_remedy():
    data = separable()
    data.maps[3] = torch.inf
    with pytest.raises(TrainingFailed, match=r"try a lower training\.lr"):
        train_head(
            small_network(),
            Data(data.maps, data.labels, {"train": np.arange(8), "validation": np.arange(8)}),
            TRAINING,
            seed=0,
            device=FP32,
        )


def test_the_block_has_its_own_learning_rate():
    network = small_network(Attention())
    head, block = make_optimiser(network, TRAINING).param_groups
    assert (head["lr"], block["lr"]) == (TRAINING.lr, TRAINING.attention_lr)
    assert {id(p) for p in block["params"]} == {id(p) for p in network.block.parameters()}
    assert len(make_optimiser(small_network(), TRAINING).param_groups) == 1


def test_batches_are_as_equal_as_they_can_be_and_their_number_is_told():
    for n, sizes in ((1, [1]), (8, [8]), (9, [5, 4]), (20, [7, 7, 6])):
        found = list(separable().batches(np.arange(n)[::-1], TRAINING.batch, FP32))
        assert [len(x) for x, _ in found] == sizes
        assert total_steps(n, TRAINING) == TRAINING.epochs * len(sizes)
        first = np.sort(np.arange(n)[::-1][: sizes[0]])  # in the order of the disk
        assert torch.equal(found[0][0], separable().maps[first])


def test_a_kept_head_gives_the_trained_networks_logits(tmp_path):
    data, rows = separable(), np.arange(40)
    fit = train_head(network := small_network(), data, TRAINING, seed=0, device=BF16)
    checkpoint = Checkpoint(tmp_path)
    checkpoint.finish(take_head(network, BF16), {"history": fit.history})
    loaded = checkpoint.load_head(small_network(seed=8))
    before, after = (answer(net, halfway(data, net), BF16, rows=rows) for net in (network, loaded))
    assert np.array_equal(before.log_odds, after.log_odds)
    assert checkpoint.result()["history"] == fit.history
    assert sorted(path.name for path in tmp_path.iterdir()) == ["head.safetensors", "result.json"]


def test_buffers_travel_with_the_head():
    network, other = small_network(), small_network(seed=2)
    network.standardise(torch.arange(256.0), torch.full((256,), 3.0))
    network.prior = torch.ones(1, 36)
    put_head(other, take_head(network, FP32))
    assert torch.equal(other.mean, network.mean) and torch.equal(other.prior, network.prior)
    assert other.spread.unique().tolist() == [3.0]


def test_bf16_agrees_with_fp32():
    data = separable()
    train_head(network := small_network(), data, TRAINING, seed=0, device=FP32)
    exact, half = (
        answer(network, halfway(data, network), device).p_happy for device in (FP32, BF16)
    )
    assert 0 < np.abs(exact - half).max() < 0.02
