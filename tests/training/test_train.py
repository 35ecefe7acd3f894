"""From images to trained networks to answers: real convolutions, small heads, pictures that can
be told apart.
"""

import json
import weakref

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from scipy.special import expit
from small_training import a_run, make_small

from lib.networks.design import Cell, cells
from lib.networks.network import Attention, make_classifier, preprocess
from lib.storage.runs import MissingResult
from lib.training import heads
from lib.training import train as training
from lib.training.bases import groups, make_base
from lib.training.checkpoints import load_trained, pointer_of
from lib.training.elsewhere import read_answers
from lib.training.train import (
    answer_stimuli,
    answers_to_test,
    train_cells,
)

pytestmark = pytest.mark.usefixtures("small_heads")


@pytest.fixture
def stimuli(images):
    test = images[images["split"] == "test"].reset_index(drop=True)
    return pd.DataFrame(
        {
            "stimulus": [f"s{i}" for i in test.index],
            "path": test["path"],
            "identity": "one",
            "level": (test["label"] == "happy").astype(float),
            "condition": "full",
        }
    )


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_networks_learn_what_tells_the_classes_apart_and_answer_with_it(tmp_path, images, stimuli):
    run = a_run(tmp_path)
    chosen, _ = cells(run.study)
    accuracy, history, proof = train_cells(run, chosen, images)
    assert list(accuracy) == [
        "architecture",
        "pretraining",
        "attention",
        "seed",
        "split",
        "n",
        "accuracy",
        "auc",
    ]
    assert len(accuracy) == 4 * 2 and set(accuracy["n"]) == {8}
    assert (accuracy["accuracy"] == 1).all() and (accuracy["auc"] == 1).all()
    losses = history.groupby(["architecture", "seed"])["train_loss"]
    assert len(history) == 4 * 6 and (losses.last() < 0.6 * losses.first()).all()
    assert proof[["architecture", "loaded_keys"]].to_numpy().tolist() == [
        ["alexnet", 0],
        ["fe_alexnet", 0],
    ]
    answers = answers_to_test(run, chosen, images)
    shares = answers.groupby(["architecture", "pretraining", "seed"])["right"].mean()
    assert len(answers) == 4 * 8 and (shares == 1).all()
    assert ((answers["log_odds"] > 0) == answers["label"]).all()
    trials = answer_stimuli(run, chosen, stimuli)
    assert len(trials) == 4 * 8 and list(trials["observer"].unique()) == [
        cell.observer for cell in chosen
    ]
    assert ((trials["p_happy"] > 0.5) == (trials["level"] == 1)).all()
    assert expit(trials["log_odds"]).to_numpy() == pytest.approx(trials["p_happy"], abs=1e-12)
    assert (
        set(trials["response"]) <= {0.0, 1.0}
        and trials["rt_s"].isna().all()
        and set(trials["kind"]) == {"cnn"}
    )


def test_what_is_trained_is_read_back_and_other_settings_train_anew(tmp_path, images, monkeypatch):
    run = a_run(tmp_path)
    chosen = cells(run.study)[0][:1]
    first = train_cells(run, chosen, images)
    trained = []

    def counting(*passed, **named):
        trained.append(named["seed"])
        return heads.train_head(*passed, **named)

    monkeypatch.setattr(training, "train_head", counting)
    again = train_cells(run, chosen, images)
    assert trained == [] and all(a.equals(b) for a, b in zip(first, again, strict=True))
    longer = a_run(tmp_path, **{"training.epochs": 2})
    train_cells(longer, cells(longer.study)[0][:1], images)
    relabelled = images.assign(label=images["label"].to_numpy()[::-1])
    train_cells(run, chosen, relabelled)
    assert trained == [0, 0]


def test_a_killed_run_ends_with_the_same_tables(tmp_path, images, stimuli, monkeypatch):
    whole = a_run(tmp_path, name="whole")
    chosen, _ = cells(whole.study)
    expected = train_cells(whole, chosen, images), answer_stimuli(whole, chosen, stimuli)
    run, steps = a_run(tmp_path, name="killed"), []

    def make_step(*passed, make=heads.make_step):
        real = make(*passed)

        def step(*batch):
            if len(steps) == 17:  # in the second cell
                steps.append("killed")
                raise KeyboardInterrupt
            steps.append("done")
            return real(*batch)

        return step

    monkeypatch.setattr(heads, "make_step", make_step)
    with pytest.raises(KeyboardInterrupt):
        train_cells(run, chosen, images, every_s=0)
    resumed = train_cells(run, chosen, images, every_s=0)
    assert len(steps) < 4 * 6 * 2 + 4  # one step and one epoch at most are done twice
    assert all(a.equals(b) for a, b in zip(resumed, expected[0], strict=True))
    assert answer_stimuli(run, chosen, stimuli).equals(expected[1])


def test_the_test_images_have_no_say_in_training(tmp_path, images):
    run, other = a_run(tmp_path, name="one"), a_run(tmp_path, name="two")
    chosen = cells(run.study)[0][:1]
    flipped = images.copy()
    test = flipped["split"] == "test"
    flipped.loc[test, "label"] = flipped.loc[test, "label"].map({"happy": "sad", "sad": "happy"})
    one, two = train_cells(run, chosen, images), train_cells(other, chosen, flipped)
    assert one[1].equals(two[1])
    assert two[0].set_index("split").loc["test", "accuracy"] == 0.0


def test_untrained_features_are_standardised_on_the_training_images_alone(tmp_path, images):
    run = a_run(tmp_path)
    group = next(groups(cells(run.study)[0]))
    base = make_base(run, group, images, training.choose_device(run.study.training))
    mean, spread = base.standard
    train = base.maps[13][torch.from_numpy(base.rows["train"])]
    z = (train - mean.view(-1, 1, 1)) / spread.clamp_min(1e-6).view(-1, 1, 1)
    alive = spread > 1e-6
    assert z.mean(dim=(0, 2, 3))[alive].abs().max() < 1e-3
    assert torch.allclose(
        z.square().mean(dim=(0, 2, 3))[alive], torch.ones(int(alive.sum())), atol=1e-2
    )


def test_shuffled_labels_are_shuffled_for_training_alone(tmp_path, images):
    run = a_run(tmp_path)
    cell = Cell("alexnet_shuffled", "untrained", labels="shuffled", seed=1)
    base = make_base(run, [cell], images, training.choose_device(run.study.training))
    data = training._data(cell, base, training.ready(run, cell, base))
    train, rest = base.rows["train"], np.r_[base.rows["validation"], base.rows["test"]]
    assert (data.labels.numpy()[rest] == base.labels[rest]).all()
    assert (data.labels.numpy()[train] != base.labels[train]).any()
    assert data.labels.numpy()[train].sum() == base.labels[train].sum()


def test_a_loaded_network_sees_the_picture_as_the_cached_one_did(tmp_path, images, stimuli):
    run = a_run(tmp_path)
    cell = Cell("fe_alexnet", "untrained", Attention(gain=0.5), seed=0)
    train_cells(run, [cell], images)
    network = load_trained(run, cell)
    pictures = np.stack([np.asarray(Image.open(path)) for path in stimuli["path"]])
    with torch.no_grad():
        p = torch.softmax(network(preprocess(pictures)), dim=1)[:, 1]
    assert np.allclose(p, answer_stimuli(run, [cell], stimuli)["p_happy"], atol=1e-4)
    assert not network.training and network.mean.abs().max() > 0


def test_a_network_that_is_not_trained_is_named_with_the_remedy(tmp_path):
    with pytest.raises(MissingResult, match=r"alexnet-untrained-s0.*notebooks 02 and 03"):
        load_trained(a_run(tmp_path), Cell("alexnet", "untrained"))


@pytest.mark.parametrize("name", ["083617000134", "12345e678901"])
def test_a_checkpoint_whose_name_looks_like_a_number_or_a_date_is_found(tmp_path, images, name):
    run, cell = a_run(tmp_path), Cell("alexnet", "untrained")
    train_cells(run, [cell], images)
    before = [p.clone() for p in load_trained(run, cell).classifier.parameters()]
    pointer = pointer_of(run, cell)
    folder = pointer.parent / json.loads(pointer.read_text())["folder"]
    folder.rename(folder.with_name(name))
    pointer.write_text(json.dumps({"folder": name}))
    after = load_trained(run, cell).classifier.parameters()
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_fe_alexnet_at_gain_0_trains_to_exactly_alexnet(tmp_path, images, stimuli):
    """Invariant: one seed means the same head, the same batches and the same dropout."""
    run = a_run(tmp_path)
    pair = [Cell("alexnet", "untrained"), Cell("fe_alexnet", "untrained", Attention(gain=0.0))]
    _, history, _ = train_cells(run, pair, images)
    one, two = (history[history["architecture"] == cell.architecture] for cell in pair)
    assert np.allclose(one["validation_loss"], two["validation_loss"], atol=1e-4)


def test_a_region_prior_follows_the_regions_of_the_stimuli(tmp_path, images):
    run = a_run(tmp_path, **{"training.epochs": 1})
    cell = Cell("fe_alexnet", "untrained", Attention(region_prior={"mouth": 2.0}), seed=0)
    masks = {part: np.zeros((3, 224, 224), bool) for part in ("eyes", "nose", "mouth")}
    masks["mouth"][:, 180:] = True
    masks["eyes"][0, :40] = True  # in one stimulus of three
    train_cells(run, [cell], images)
    by_box = load_trained(run, cell).prior.view(13, 13)
    train_cells(run, [cell], images, regions=masks)
    by_mask = load_trained(run, cell).prior.view(13, 13)
    weight = cell.attention.region_weights()
    assert torch.allclose(by_mask[12], torch.full((13,), weight["mouth"]))
    assert torch.allclose(by_mask[0], torch.full((13,), weight["eyes"] / 3))
    assert by_box[12].abs().max() == 0


@pytest.mark.parametrize("maker", ["ready", "load_trained"])
def test_one_network_at_a_time_is_in_memory(tmp_path, images, stimuli, monkeypatch, maker):
    """A VGG's head fills half a gigabyte."""
    run = a_run(tmp_path)
    chosen, made, real = cells(run.study)[0], [], getattr(training, maker)

    def making(*passed):
        assert not any(network() for network in made)
        network = real(*passed)
        made.append(weakref.ref(network))
        return network

    monkeypatch.setattr(training, maker, making)
    train_cells(run, chosen, images)
    answer_stimuli(run, chosen, stimuli)
    assert len(made) == len(chosen) == 4


@pytest.mark.slow
def test_twice_on_two_threads_the_numbers_are_the_same(
    tmp_path, images, stimuli, monkeypatch, two_threads
):
    """Nothing cached, real heads: convolutions, training and answers."""
    tables = []
    for name in ("first", "second"):
        make_small(monkeypatch, tmp_path / name / "features", head=make_classifier)
        run = a_run(
            tmp_path / name,
            **{"training.epochs": 2, "training.seeds": 1, "training.precision": "auto"},
        )
        chosen = cells(run.study)[0][1:]  # FE-AlexNet
        accuracy, history, _ = train_cells(run, chosen, images)
        tables.append([accuracy, history, answer_stimuli(run, chosen, stimuli)])
    for first, second in zip(*tables, strict=True):
        pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_networks_from_outside_are_trained_and_asked_like_the_workbooks_own(
    tmp_path, images, stimuli
):
    """And AlexNet by torchvision's name gives the built-in AlexNet's answers."""
    file = tmp_path / "mine.py"
    file.write_text(
        "import torch\nfrom torch import nn\n\n\ndef small():\n    torch.manual_seed(0)\n"
        "    layers = nn.Conv2d(3, 16, 9, stride=4), nn.ReLU(), nn.Conv2d(16, 8, 5, stride=4)\n"
        "    return nn.Sequential(*layers), '2', None\n",
        encoding="utf-8",
    )
    names = ["alexnet", "torchvision:alexnet", "torchvision:shufflenet_v2_x0_5", f"{file}:small"]
    run = a_run(
        tmp_path,
        **{"networks.architectures": names, "training.seeds": 1, "networks.pooling": "flattened"},
    )
    chosen, left_out = cells(run.study)
    assert [cell.architecture for cell in chosen] == names and left_out.empty
    accuracy, history, proof = train_cells(run, chosen, images)
    assert list(proof["weights_set"]) == ["untrained"] * 3 + ["own"]
    assert len(history) == 4 * 6 and set(accuracy["architecture"]) == set(names)
    elsewhere = read_answers(run.study, stimuli)
    trials = answer_stimuli(run, chosen, stimuli, elsewhere).set_index(["architecture", "stimulus"])
    own, other = (trials.loc[name, "p_happy"].to_numpy() for name in names[:2])
    assert other == pytest.approx(own, abs=1e-5) and np.ptp(own) > 0.1
    assert trials.loc[names[3], "pretraining"].eq("own").all()
    assert trials["p_happy"].between(0, 1).all() and np.ptp(trials.loc[names[3], "log_odds"]) > 0
    assert not load_trained(run, chosen[2]).maps  # what looks into layers leaves it out
