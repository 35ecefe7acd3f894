"""Every recipe of a network in data/README.md, as it stands there, offline and untrained."""

import importlib.util
import re

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from safetensors.torch import save_file

from lib.backbones.inputs import FEATURES_SET
from lib.backbones.outside import load_backbone
from lib.backbones.refusals import OutsideError
from lib.backbones.weights import new_features
from lib.networks import answer
from lib.networks.design import cells
from lib.networks.network import build_cell
from lib.settings.loading import load_study
from lib.settings.options import ROOT
from lib.training.elsewhere import read_answers

README = (ROOT / "data/README.md").read_text(encoding="utf-8")
SECTIONS = dict(
    re.findall(r"^### Network recipe: (.+?)\n(.*?)(?=^##)", README, flags=re.DOTALL | re.MULTILINE)
)
PICTURES = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)


def recipe(name, folder, replaced=()):
    """The recipe's study; ``replaced`` are paths of the recipe and those that stand for them."""
    text = re.search(r"```yaml\n(.*?)```", SECTIONS[name], re.DOTALL)[1]
    for old, new in replaced:
        assert old in text
        text = text.replace(old, str(new))
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(text)), encoding="utf-8")
    return load_study(path, {"training.seeds": 1})


def answers_of(study):
    """Each network's answers to two pictures, untrained."""
    return {c.architecture: answer(build_cell(c, study), PICTURES) for c in cells(study)[0]}


def test_the_recipes_are_these():
    assert [name.split()[0] for name in SECTIONS] == [
        "torchvision's",
        "timm's",
        "a",
        "answers",
        "a",
        "VGG16's",
    ]


def test_torchvisions_by_name(tmp_path):
    found = answers_of(recipe("torchvision's by name", tmp_path))
    assert list(found) == ["alexnet", "torchvision:shufflenet_v2_x0_5"]
    assert all(np.ptp(one.log_odds) > 0 for one in found.values())


def test_timms_by_name(tmp_path):
    study = recipe("timm's by name", tmp_path)
    if importlib.util.find_spec("timm") is None:
        with pytest.raises(OutsideError, match="pip install timm"):
            cells(study)
    else:
        assert list(answers_of(study)) == ["timm:resnet10t"]


def test_a_function_in_a_file(tmp_path):
    name = "a function in a file of yours"
    code = re.search(r"```python\n(.*?)```", SECTIONS[name], re.DOTALL)[1]
    (tmp_path / "mine.py").write_text(code, encoding="utf-8")
    study = recipe(name, tmp_path, [("data/raw/mine.py", tmp_path / "mine.py")])
    found = answers_of(study)
    assert list(found)[1].endswith("mine.py:small") and np.ptp(found["alexnet"].log_odds) > 0
    own = cells(study)[0][1]
    assert own.pretraining == "own"
    features = load_backbone(study, own.backbone, own.pretraining).features[0]
    assert features.shape == (8, 13, 13)  # flattened in front of the head, not pooled


def test_answers_computed_elsewhere(tmp_path):
    level = np.linspace(0, 1, 3)
    names = [f"m{k}" for k in range(3)]
    stimuli = pd.DataFrame({"stimulus": names, "path": names, "identity": "m", "level": level})
    table = {"observer": "clip", "seed": 0, "stimulus": names, "p_happy": 0.1 + 0.8 * level}
    pd.DataFrame(table).to_csv(tmp_path / "answers.csv", index=False)
    place = [("data/raw/answers.csv", tmp_path / "answers.csv")]
    study = recipe("answers computed elsewhere", tmp_path, place)
    found = read_answers(study, stimuli.assign(condition="full"))
    assert found["architecture"].tolist() == ["clip"] * 3 and found["level"].tolist() == [*level]


def changed(backbone):
    """Tensors that differ from a fresh initialisation."""
    state = new_features(backbone, seed=9).state_dict()
    return {f"features.{name}": value + 0.01 for name, value in state.items()}


def test_a_checkpoint_of_your_own(tmp_path):
    state = {f"module.{name}": value for name, value in changed("alexnet").items()}
    torch.save({"state_dict": state, "epoch": 7}, tmp_path / "checkpoint.pth")
    place = [("data/raw/checkpoint.pth", tmp_path / "checkpoint.pth")]
    study = recipe("a checkpoint of your own", tmp_path, place)
    loaded = load_backbone(study, "alexnet", "face")
    assert (loaded.proof["loaded_keys"], loaded.proof["weights_set"]) == (10, "face")
    assert list(answers_of(study)) == ["alexnet"]


def test_vgg16s_second_set(tmp_path):
    save_file(changed("vgg16"), tmp_path / "vgg16_features_imagenet1k_features.safetensors")
    name = "VGG16's second set of weights"
    study = recipe(name, tmp_path, [("data/raw/weights", tmp_path)])
    assert load_backbone(study, "vgg16", "imagenet").proof["weights_set"] == FEATURES_SET
