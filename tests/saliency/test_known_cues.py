"""Known cues: the faces carry one cue, a trained network's maps find it, a randomised network's
do not.
"""

import numpy as np
import pandas as pd
import pytest
import torch

from lib.saliency import known_cues as ground_truth
from lib.saliency.enrichment import over_seeds
from lib.saliency.known_cues import (
    METHODS,
    SEEDS,
    CueFaces,
    cue_network,
    cue_rows,
    known_cues,
    new_faces,
    randomised,
    right_on,
    small_network,
    train_networks,
    train_whole,
    training_faces,
)


@pytest.fixture(scope="module")
def mouth() -> tuple[pd.DataFrame, pd.Series]:
    """The real thing, on mouth-only faces: networks trained whole and the same networks
    randomised.
    """
    truth = known_cues()
    truth = truth[(truth["cue"] == "mouth") & (truth["part"] == "mouth")]
    found = over_seeds(truth, ["weights", "method"])
    return found.set_index(["weights", "method"]), truth.groupby("seed")["accuracy"].first()


def test_the_networks_have_learned_the_cue(mouth):
    assert mouth[1].min() > 0.75 and mouth[1].mean() > 0.85 and len(mouth[1]) == len(SEEDS)


@pytest.mark.parametrize("method", ["hirescam", "occlusion"])
def test_the_mouth_is_found_in_trained_networks_and_not_in_randomised_ones(mouth, method):
    """Median above 2 with the weights, an interval that comes to 1, give or take, without them."""
    trained, drawn_anew = (mouth[0].loc[(weights, method)] for weights in ("trained", "randomised"))
    assert trained["median"] > 2 and trained["low"] > 2 > drawn_anew["high"]
    assert drawn_anew["low"] <= 1.05 and drawn_anew["high"] >= 0.95


def test_integrated_gradients_find_the_mouth_and_edges_a_little_in_any_network(mouth):
    trained, drawn_anew = (
        mouth[0].loc[(weights, "integrated_gradients")] for weights in ("trained", "randomised")
    )
    assert trained["low"] > 2 and drawn_anew["low"] > 1 and drawn_anew["high"] < 1.25


def test_the_methods_that_fail_are_seen_to_fail(mouth):
    """Grad-CAM forgets where a channel matters, and attention has no target: neither comes near
    the others.
    """
    trained = mouth[0].loc["trained"]["median"]
    assert (
        max(trained["gradcam"], trained["attention"])
        < 2
        < min(trained["hirescam"], trained["occlusion"])
    )
    assert mouth[0].loc[("trained", "attention"), "mean"] == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize("cue", ["mouth", "eyes"])
def test_pictures_of_one_face_differ_in_the_cue_alone(cue):
    """Between fully sad and fully happy nothing changes outside the part, but for a rim of
    softened pixels.
    """
    faces = new_faces(cue, 3)
    change = np.abs(faces.images[1::2].astype(int) - faces.images[::2]).sum(axis=(1, 2, 3))
    off = ~np.logical_or(*(faces.regions[cue][k::2] for k in (0, 1)))
    outside = (np.abs(faces.images[1::2].astype(int) - faces.images[::2]) * off[..., None]).sum(
        axis=(1, 2, 3)
    )
    assert (change > 0).all() and (outside < 0.1 * change).all()


def test_training_and_new_faces_are_other_people_and_both_answers_are_there():
    faces = training_faces("mouth", 6, np.random.default_rng(0), people=3)
    again = training_faces("mouth", 6, np.random.default_rng(0), people=3)
    assert faces.labels.tolist() == [0, 1] * 3 and (faces.images == again.images).all()
    assert not any(
        (one == other).all() for one in faces.images for other in new_faces("mouth", 2).images
    )
    assert new_faces("eyes", 2, (0.0, 0.75)).labels.tolist() == [0, 1, 0, 1]
    with pytest.raises(ValueError, match="allowed: eyes, nose, mouth"):
        new_faces("chin", 1)


def test_the_network_follows_from_its_seed_and_every_method_can_be_asked():
    faces = training_faces("mouth", 4, np.random.default_rng(0), people=2)
    one, same, other = (small_network(seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(value, same[key]) for key, value in one.items())
    assert not torch.equal(one["features.0.weight"], other["features.0.weight"])
    rows = cue_rows(small_network(1), faces)
    assert set(rows["method"]) == set(METHODS) and len(rows) == len(METHODS) * 3 * 4
    assert (rows["enrichment"] >= 0).all()


def test_training_reaches_every_weight_is_repeatable_and_leaves_the_global_generator_alone():
    faces, state = (
        training_faces("mouth", 8, np.random.default_rng(0), people=2),
        torch.get_rng_state(),
    )
    before = small_network(0).state_dict()
    first, again = (train_whole(small_network(0), faces, 3, epochs=2) for _ in range(2))
    assert all(
        torch.equal(value, again.state_dict()[key]) for key, value in first.state_dict().items()
    )
    changed = [
        key for key, value in first.state_dict().items() if not torch.equal(value, before[key])
    ]
    assert {key for key in before if key.endswith(("weight", "position"))} <= set(changed)
    assert torch.equal(state, torch.get_rng_state())
    assert not first.training and not any(p.requires_grad for p in first.features.parameters())
    assert all(p.grad is None for p in first.parameters())


def test_randomised_draws_every_weight_and_keeps_the_given_network():
    network = small_network(0)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    drawn = randomised(network, 5).state_dict()
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert not any(torch.equal(drawn[key], before[key]) for key in before if key.endswith("weight"))


def test_right_answers_by_hand():
    """A head that always says happy is right on the happy half."""
    network, faces = small_network(0), new_faces("mouth", 1, (0.0, 0.1, 1.0))
    with torch.no_grad():
        network.classifier[-1].weight.zero_()
        network.classifier[-1].bias.copy_(torch.tensor([-1.0, 1.0]))
    assert right_on(network, faces) == pytest.approx(1 / 3)
    assert right_on(
        network, CueFaces("mouth", faces.images, 1 - faces.labels, faces.regions)
    ) == pytest.approx(2 / 3)


def test_the_shipped_networks_are_those_that_the_command_trains():
    """Rounding differs between machines, and training enlarges it: the answers are compared,
    not the weights.
    """
    anew, shipped = small_network(0), cue_network("mouth", 0)
    anew.load_state_dict(
        {
            key.removeprefix("mouth.0."): value
            for key, value in train_networks(["mouth"], [0]).items()
        }
    )
    faces = new_faces("mouth", 6, (0.0, 0.25, 0.75, 1.0))
    answers = [faces.panel.log_odds(network) for network in (anew, shipped, small_network(0))]
    assert np.corrcoef(answers)[0, 1] > 0.8 > np.corrcoef(answers)[1, 2]
    assert right_on(anew, faces) > 0.75


def test_known_cues_are_computed_once_and_read_back_the_same(tmp_path, monkeypatch):
    calls, compute = [], ground_truth.ground_truth

    def counted():
        calls.append(1)
        return compute()

    monkeypatch.setattr(ground_truth, "CUES", ["mouth"])
    monkeypatch.setattr(ground_truth, "SEEDS", [0])
    monkeypatch.setattr(ground_truth, "ground_truth", counted)
    first, again = known_cues(tmp_path), known_cues(tmp_path)
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    assert len(calls) == 1 and set(first["weights"]) == {"trained", "randomised"}
    monkeypatch.setattr(ground_truth, "file_hash", lambda source: "changed")
    known_cues(tmp_path)
    assert len(calls) == 2
