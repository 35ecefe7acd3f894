"""Trainings at once: each as alone, in turns, and all ended where one fails."""

import pytest
import torch
from training.test_heads import TRAINING, separable, small_network

from lib.networks.devices import Device
from lib.training.heads import head_steps, train_head
from lib.training.together import at_once, finished, parted, together

CPU = Device()


def counting(name, n, log):
    try:
        for k in range(n):
            log.append((name, k))
            yield
    finally:
        log.append((name, "closed"))
    return name * n


def test_steps_are_made_in_turn_and_results_come_in_order():
    log = []
    assert together([counting("a", 1, log), counting("b", 3, log)], CPU) == ["a", "bbb"]
    assert log == [("a", 0), ("b", 0), ("a", "closed"), ("b", 1), ("b", 2), ("b", "closed")]
    assert together([], CPU) == [] and finished(counting("c", 2, log)) == "cc"


def test_where_one_fails_all_are_closed():
    log = []

    def failing():
        yield
        raise ValueError("no number")

    with pytest.raises(ValueError, match="no number"):
        together([counting("a", 9, log), failing(), counting("b", 9, log)], CPU)
    assert log[-2:] == [("a", "closed"), ("b", "closed")]


def test_heads_trained_at_once_are_the_heads_trained_alone():
    data, seeds = separable(), (0, 1, 2)
    alone = [
        train_head(small_network(seed=seed), data, TRAINING, seed=seed, device=CPU)
        for seed in seeds
    ]
    state = torch.get_rng_state()
    fits = together(
        [
            head_steps(small_network_of(seed), data, TRAINING, seed=seed, device=CPU)
            for seed in seeds
        ],
        CPU,
    )
    assert torch.equal(torch.get_rng_state(), state)
    for one, other in zip(alone, fits, strict=True):
        assert one.history == other.history
        assert all(torch.equal(one.best[name], other.best[name]) for name in one.best)


def small_network_of(seed):
    with torch.random.fork_rng():
        return small_network(seed=seed)


def test_a_processor_does_one_at_a_time():
    assert at_once(CPU) == 1


def test_parts_hold_all_in_order():
    assert parted([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]] and parted([], 3) == []
