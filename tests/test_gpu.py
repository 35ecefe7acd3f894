"""On a CUDA GPU: the recorded step is the step, trainings repeat themselves and resume, answers
are the processor's.
"""

import cv2
import numpy as np
import pytest
import torch
from training.test_heads import Killed, separable, small_network

from lib.networks.answers import Halfway, answer
from lib.networks.attention import Attention
from lib.networks.devices import Device, choose_device
from lib.networks.network import build_network
from lib.networks.panel import Panel
from lib.settings.options import LOCATIONS, Training
from lib.training.checkpoints import Checkpoint, put_head
from lib.training.features import cached_features
from lib.training.heads import make_optimiser, make_step, train_head
from lib.training.recorded import WARM_UP, Recorded
from lib.training.train import on_gpu

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
SHAPES = dict(
    zip(
        LOCATIONS,
        [(64, 55, 55), (192, 27, 27), (384, 13, 13), (256, 13, 13), (256, 13, 13)],
        strict=True,
    )
)
TRAINING = Training(
    epochs=3, lr=1e-3, attention_lr=1e-2, batch=8
)  # 24 images in 4 batches are not of one size


@pytest.fixture
def gpu():
    return choose_device(Training())


def trained(attention, gpu, data, **options):
    channels = data.maps.shape[1]
    return train_head(
        small_network(attention, channels), data, TRAINING, seed=3, device=gpu, **options
    )


def uneven(shape):
    data = separable(shape)
    return type(data)(
        data.maps.bfloat16(), data.labels, {"train": np.arange(30), "validation": np.arange(30, 40)}
    )


def same(one, two):
    return one.history == two.history and all(
        torch.equal(one.best[k].cpu(), two.best[k].cpu()) for k in one.best
    )


def test_a_recorded_step_is_the_step_dropout_included(gpu):
    data, parameters = uneven((256, 6, 6)), []
    for recorded in (False, True):
        network = small_network().to("cuda").train()
        step = make_step(network, make_optimiser(network, TRAINING), gpu)
        assert isinstance(step, Recorded)
        step = step if recorded else step.step
        for seed in range(2):  # what is recorded under one seed is replayed under another
            torch.manual_seed(seed)
            for n in [8, 7] * (WARM_UP + 3):
                step(data.maps[:n].cuda(), data.labels[:n].cuda())
        parameters.append([p.detach().clone() for p in network.trained().values()])
    assert all(torch.equal(a, b) for a, b in zip(*parameters, strict=True))


CASES = [
    (None, "conv5"),
    *[(kind, where) for kind in ("self", "se", "cbam", "matched") for where in LOCATIONS],
]


@pytest.mark.parametrize(("kind", "location"), CASES)
def test_a_training_repeats_itself_and_goes_on_where_it_was_killed(tmp_path, gpu, kind, location):
    attention = kind and Attention(kind, location, gain=0.1)
    data = uneven(SHAPES[location] if kind else (256, 6, 6))
    whole, steps = trained(attention, gpu, data), []

    def kill_in_the_third_epoch(note):
        steps.append(note)
        if len(steps) == 10:
            raise Killed

    with pytest.raises(Killed):
        trained(
            attention,
            gpu,
            data,
            checkpoint=Checkpoint(tmp_path, every_s=0),
            tick=kill_in_the_third_epoch,
        )
    assert same(trained(attention, gpu, data, checkpoint=Checkpoint(tmp_path, every_s=1e9)), whole)
    assert same(
        trained(attention, gpu, type(data)(on_gpu(data.maps, gpu), data.labels, data.rows)), whole
    )


def test_a_gpu_trains_as_the_processor_does():
    """Without dropout, whose random numbers are others there."""
    data, losses = separable(), {}
    for device in (Device(), Device("cuda"), choose_device(Training())):
        network = small_network()
        network.classifier[0].p = 0.0
        fit = train_head(network, data, TRAINING, seed=0, device=device)
        losses[device] = np.array([row["train_loss"] for row in fit.history])
    exact, fp32, bf16 = losses.values()
    assert (
        exact[-1] < exact[0]
        and np.abs(fp32 - exact).max() < 1e-3
        and np.abs(bf16 - exact).max() < 0.05
    )


def test_a_gpu_answers_as_the_processor_does(gpu):
    answers = {}
    data, network = separable(), small_network()
    fit = train_head(network, data, TRAINING, seed=0, device=Device())
    for device in (Device(), Device("cuda"), gpu):
        other = small_network().to(device.name)
        put_head(other, fit.best)
        answers[device] = answer(other, Halfway(data.maps, other.cut), device).p_happy
    exact, fp32, bf16 = answers.values()
    assert np.abs(fp32 - exact).max() < 1e-4 and np.abs(bf16 - exact).max() < 0.05


def test_pictures_go_through_a_gpus_convolutions_as_through_the_processors(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (6, 224, 224, 3), dtype=np.uint8)
    paths = [str(tmp_path / f"{k}.png") for k in range(6)]
    for path, image in zip(paths, images, strict=True):
        cv2.imwrite(path, image[..., ::-1])
    network = build_network("vgg11", pretraining="untrained")
    maps = [
        cached_features(
            build_network("vgg11", pretraining="untrained").features,
            paths,
            {network.cut},
            device,
            folder=tmp_path,
        )[network.cut]
        for device in (Device(), Device("cuda"))
    ]
    torch.testing.assert_close(*maps, rtol=1e-3, atol=1e-3 * float(maps[0].max()))
    panels = [
        Panel(images, device=device).log_odds(network) for device in (Device(), Device("cuda"))
    ]
    np.testing.assert_allclose(*panels, atol=1e-3)
    assert next(network.parameters()).device.type == "cpu"
