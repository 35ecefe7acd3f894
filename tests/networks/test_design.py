"""The design: which networks a study trains, and what happens when weights are not at hand."""

import pytest
import torch
from safetensors.torch import save_file

from lib.backbones import weight_files, weights
from lib.networks.design import cells, with_guide
from lib.settings.loading import load_study


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    """No weights but AlexNet's under ``given``."""
    monkeypatch.setattr(weight_files, "FOLDER", tmp_path / "none")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    state = {
        name: value + 0.01
        for name, value in weights.new_features("alexnet", 1).state_dict().items()
    }
    (tmp_path / "given").mkdir()
    torch.save(
        {f"features.{name}": value for name, value in state.items()}, tmp_path / "given/alexnet.pth"
    )
    return tmp_path / "given"


def study(**changes):
    return load_study("data/studies/smoke.yaml", {"training.seeds": 2} | changes)


def names(study):
    return [cell.observer for cell in cells(study)[0]]


def test_without_weights_a_study_that_allows_it_goes_on_untrained():
    assert names(study()) == [
        "alexnet-untrained-s0",
        "alexnet-untrained-s1",
        "fe_alexnet-untrained-s0",
        "fe_alexnet-untrained-s1",
    ]


def test_without_weights_alexnets_go_on_with_the_projects_own_and_a_vgg_untrained(
    nowhere, monkeypatch
):
    given = {
        "networks.missing_weights": "objects",
        "networks.architectures": ["alexnet", "vgg11"],
        "training.seeds": 1,
    }
    assert names(study(**given)) == [
        "alexnet-untrained-s0",
        "vgg11-untrained-s0",
    ]  # none at hand: as untrained
    state = {
        f"features.{k}": v + 0.01
        for k, v in weights.new_features("alexnet", 1).state_dict().items()
    }
    save_file(state, nowhere / "alexnet_features_objects.safetensors")
    monkeypatch.setattr(weight_files, "FOLDER", nowhere)
    (nowhere / "alexnet.pth").unlink()
    assert names(study(**given)) == ["alexnet-objects-s0", "vgg11-untrained-s0"]


def test_without_weights_a_study_that_does_not_stops_with_the_remedies():
    with pytest.raises(weights.MissingWeights, match="make weights"):
        cells(study(**{"networks.missing_weights": "error"}))


def test_networks_without_weights_are_left_out_and_listed(nowhere):
    given = study(
        **{
            "networks.missing_weights": "leave_out",
            "weights_dir": str(nowhere),
            "networks.architectures": ["alexnet", "vgg16"],
            "networks.controls": ["untrained"],
        }
    )
    kept, left_out = cells(given)
    assert {cell.observer for cell in kept} == {
        f"alexnet-{p}-s{s}" for p in ("imagenet", "untrained") for s in (0, 1)
    }
    (row,) = left_out.to_dict("records")
    assert row["architecture"] == "vgg16" and row["reason"] == "no ImageNet weights of vgg16"
    assert row["remedy"].startswith("`make weights`") and "weights_dir=" in row["remedy"]


def test_nothing_left_to_train_is_an_error():
    with pytest.raises(weights.MissingWeights):
        cells(study(**{"networks.missing_weights": "leave_out"}))


def test_a_face_file_fits_one_architecture_and_the_others_are_left_out(nowhere):
    given = study(
        **{
            "networks.pretraining": "face",
            "networks.face_weights": str(nowhere / "alexnet.pth"),
            "networks.missing_weights": "leave_out",
            "networks.architectures": ["vgg11", "fe_alexnet"],
        }
    )
    kept, left_out = cells(given)
    assert [cell.observer for cell in kept] == ["fe_alexnet-face-s0", "fe_alexnet-face-s1"]
    assert (
        left_out["architecture"].tolist() == ["vgg11"]
        and "another network" in left_out["reason"][0]
    )


def test_a_broken_file_always_stops(nowhere):
    (nowhere / "alexnet.pth").write_bytes(b"broken")
    with pytest.raises(weights.WeightsError, match=r"alexnet\.pth"):
        cells(study(**{"networks.missing_weights": "untrained", "weights_dir": str(nowhere)}))


def test_controls_are_named_apart_and_matched_stands_where_attention_stands(nowhere):
    given = study(
        **{
            "weights_dir": str(nowhere),
            "networks.controls": ["untrained", "matched", "shuffled"],
            "attention.location": "conv3",
            "attention.reduction": 4,
            "training.seeds": 1,
        }
    )
    kept = {cell.observer: cell for cell in cells(given)[0]}
    assert list(kept) == [
        "alexnet-imagenet-s0",
        "fe_alexnet-imagenet-s0",
        "alexnet-untrained-s0",
        "alexnet_matched-imagenet-s0",
        "alexnet_shuffled-imagenet-s0",
    ]
    matched = kept["alexnet_matched-imagenet-s0"].attention
    assert (matched.kind, matched.location, matched.reduction) == ("matched", "conv3", 4)
    assert kept["alexnet_shuffled-imagenet-s0"].labels == "shuffled"
    assert kept["fe_alexnet-imagenet-s0"].attention_name == "self@conv3"


def test_the_untrained_control_is_not_trained_twice_where_all_are_untrained():
    assert len(names(study(**{"networks.controls": ["untrained"]}))) == 4


def test_a_network_from_outside_is_a_cell_of_its_own(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import torch\n\n\ndef small():\n    return torch.nn.Conv2d(3, 2, 9, 8), '', None\n",
        encoding="utf-8",
    )
    own = f"{tmp_path / 'mine.py'}:small"
    study = load_study(
        "data/studies/smoke.yaml",
        {"networks.architectures": ["alexnet", "torchvision:alexnet"], "training.seeds": 1},
    )
    with pytest.raises(ValueError, match="has no layer ''"):
        cells(study, [own])
    found, _ = cells(study)
    assert [cell.backbone for cell in found] == ["alexnet", "torchvision:alexnet"]
    assert found[1].observer == "torchvision:alexnet-untrained-s0"


def test_the_guided_control_needs_somebody_who_could_say_which_parts_people_use():
    whole = {"networks.controls": ["guided"], "morphs.conditions": ["full"]}
    kept, left_out = cells(study(**whole))
    assert "fe_alexnet_guided" not in {cell.architecture for cell in kept}
    assert left_out["architecture"].tolist() == ["fe_alexnet_guided"]
    assert "attention.guide" in left_out["remedy"].item()
    kept, left_out = cells(study(**whole, **{"attention.guide": {"mouth": 1.0}}))
    (guided, *_) = [cell for cell in kept if cell.architecture == "fe_alexnet_guided"]
    assert guided.attention.guide == {"mouth": 1.0} and left_out.empty
    plain = next(cell for cell in kept if cell.architecture == "fe_alexnet")
    assert plain.attention.guide is None
    shared = with_guide(kept, {"eyes": 1.0})
    assert {cell.attention.guide["eyes"] for cell in shared if "guided" in cell.architecture} == {1}
    assert not [cell for cell in with_guide(kept, None) if "guided" in cell.architecture]
