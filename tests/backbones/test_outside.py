"""Networks from outside: taken as they are, or refused with the remedy before training."""

import textwrap

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lib.backbones.libraries import normalised
from lib.backbones.outside import as_map, load, tensors_alone
from lib.backbones.refusals import OutsideError
from lib.backbones.vision import torchvision
from lib.backbones.weight_files import from_file, is_outside, short_name
from lib.backbones.weights import MissingWeights, WrongArchitecture, features_hash
from lib.networks import answer, build_network
from lib.networks.network import preprocess

PICTURES = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
TEN_LINES = """
    import torch
    from torch import nn

    def make():
        torch.manual_seed(0)
        first = nn.Conv2d(3, 8, 7, stride=4)
        network = nn.Sequential(first, nn.ReLU(), nn.MaxPool2d(4), nn.Conv2d(8, 5, 3), nn.ReLU())
        {before}
        return network, {layer}, {transform}
"""


@pytest.fixture
def written(tmp_path):
    """A function that writes a network's file and gives its name in a study."""

    def write(before="pass", layer="'4'", transform="None", text=TEN_LINES):
        path = tmp_path / "my net.py"
        text = textwrap.dedent(text).format(before=before, layer=layer, transform=transform)
        path.write_text(text, encoding="utf-8")
        return f"{path}:make"

    return write


def test_names():
    assert is_outside("torchvision:resnet18") and not is_outside("fe_alexnet")
    assert from_file("C:\\nets\\mine.py:make") and not from_file("timm:vit_tiny_patch16_224")
    assert short_name("C:\\nets\\mine.py:make") == "make" and short_name("vgg11") == "vgg11"


def test_alexnet_by_torchvisions_name_is_the_built_in_alexnet():
    own = build_network("alexnet", pretraining="untrained", seed=4)
    other = build_network("torchvision:alexnet", pretraining="untrained", seed=4)
    assert answer(other, PICTURES).p_happy == pytest.approx(answer(own, PICTURES).p_happy, abs=1e-5)
    assert np.ptp(answer(own, PICTURES).log_odds) > 1e-3


@pytest.mark.parametrize("pooling", ["pooled", "flattened"])
def test_a_file_s_network_ends_in_its_layer_s_map(written, pooling):
    """Oracle: the module called by hand on what ImageNet's mean and SD make of the pictures."""
    loaded = load(written(), "own", pooling=pooling)
    body = loaded.features[0]
    with torch.no_grad():
        expected = body.module[:5](preprocess(PICTURES))
        found = loaded.features(preprocess(PICTURES))
    expected = expected.mean((2, 3), keepdim=True) if pooling == "pooled" else expected
    assert torch.allclose(found, expected, atol=1e-6) and body.shape == found.shape[1:]
    assert loaded.proof["weights_set"] == "own" and loaded.proof["loaded_keys"] == 4


def test_a_transform_gets_rgb_in_0_to_1_and_tensors_need_not_be_made_again(written):
    transform = "lambda x: (x - 0.5) / 0.25"
    body = load(written(transform=transform), "own").features[0]
    wanted = (torch.from_numpy(PICTURES).permute(0, 3, 1, 2) / 255 - 0.5) / 0.25
    assert torch.allclose(body.wanted(preprocess(PICTURES)), wanted, atol=1e-5)
    usual = torchvision.transforms
    steps = usual.Compose(
        [usual.ToTensor(), usual.Resize(64), usual.Normalize((0.5,) * 3, (1,) * 3)]
    )
    assert tensors_alone(steps)(torch.ones(1, 3, 224, 224)).sub(0.5).abs().max() < 1e-6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layer": "'layer4'"}, r"has no layer 'layer4'; there are 5 layers: 0, 1, 2, 3, 4"),
        (
            {"before": "network.append(nn.BatchNorm2d(5))"},
            r"1 layers are in training mode \(5\).*return module.eval\(\)",
        ),
        ({"before": "first.weight.data.fill_(float('nan'))"}, "hold NaN.*weights may be broken"),
        ({"before": "first.weight.data.zero_()"}, "the same for every picture"),
        ({"transform": "lambda x: x / 255"}, "do not divide by 255 again"),
        ({"transform": "lambda x: x - 129.0"}, "next to no contrast.*mean and SD for 0 … 1"),
        ({"transform": "lambda x: x[:, :, :8, :8]"}, r"does not take pictures \(4, 3, 8, 8\)"),
        ({"transform": "lambda x: x.mean(1)"}, r"makes torch.float32 \(4, 224, 224\)"),
        (
            {"transform": "lambda x: x.convert('RGB')"},
            "the transform refuses float.*AttributeError",
        ),
        ({"transform": "lambda x: x + torch.randn_like(x)"}, "change from one pass to the next"),
        ({"before": "return network"}, "the function returns Sequential; wanted: a module"),
        ({"before": "import nothing_of_this_name"}, "ModuleNotFoundError"),
    ],
)
def test_what_would_go_wrong_is_refused_with_the_remedy(written, changes, message):
    with pytest.raises(OutsideError, match=message):
        load(written(**changes), "own")


def test_unknown_names_are_refused_with_those_that_there_are(tmp_path):
    with pytest.raises(OutsideError, match="there is no file"):
        load(f"{tmp_path / 'none.py'}:make", "own")
    with pytest.raises(OutsideError, match=r"torchvision has no 'resnet19'; it has .*resnet18"):
        load("torchvision:resnet19", "untrained")
    with pytest.raises(OutsideError, match=r"has no layer 'layer9'; there are \d+ layers"):
        load("torchvision:squeezenet1_1", "untrained", layer="layer9")
    with pytest.raises(OutsideError, match=r"without a linear layer.*networks\.layer"):
        load("torchvision:squeezenet1_1", "untrained")


@pytest.mark.skipif(
    __import__("importlib.util").util.find_spec("timm") is not None, reason="timm is here"
)
def test_without_timm_its_networks_are_refused_with_the_remedy():
    with pytest.raises(OutsideError, match=r"needs the package timm.*pip install timm"):
        load("timm:vit_tiny_patch16_224", "untrained")


def test_a_network_of_torchvision_reads_what_its_last_layer_got_and_its_weights(tmp_path):
    """Oracle: the library's own network, whose last layer is applied by hand."""
    torch.manual_seed(1)
    whole = torchvision.models.shufflenet_v2_x0_5(num_classes=1000).eval()
    torch.save(
        {"model": {f"module.{k}": v for k, v in whole.state_dict().items()}},
        tmp_path / "shufflenet_v2_x0_5.pth",
    )
    name = "torchvision:shufflenet_v2_x0_5"
    loaded = load(name, "imagenet", weights_dir=tmp_path)
    x = preprocess(PICTURES)
    with torch.no_grad():
        assert torch.allclose(whole.fc(loaded.features(x).flatten(1)), whole(x), atol=1e-4)
    assert loaded.proof["loaded_keys"] == len(whole.state_dict())
    with pytest.raises(
        MissingWeights, match=r"put them into weights_dir as shufflenet_v2_x0_5\.pth"
    ):
        load(name, "objects", weights_dir=tmp_path)
    torch.save({"features.0.weight": torch.ones(2)}, tmp_path / "shufflenet_v2_x0_5.pth")
    with pytest.raises(
        WrongArchitecture, match="weights of another network than torchvision:shuff"
    ):
        load(name, "imagenet", weights_dir=tmp_path)


def test_another_size_and_mean_are_made_from_the_usual_pictures():
    assert normalised(224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)) is None
    made = normalised(64, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    x = torch.rand(2, 3, 224, 224)
    expected = F.interpolate(x, (64, 64), mode="bilinear", antialias=True) * 2 - 1
    assert torch.allclose(made(x), expected, atol=1e-6)


def test_maps_and_tokens_are_pooled_over_places():
    tokens, square = torch.rand(2, 9, 5), torch.rand(2, 7, 7, 5)
    assert torch.allclose(as_map(tokens, "pooled")[..., 0, 0], tokens.mean(1))
    assert torch.allclose(as_map(square, "pooled")[..., 0, 0], square.mean((1, 2)))
    assert as_map(tokens, "flattened").shape == (2, 5, 9, 1)
    assert as_map(torch.rand(2, 5), "pooled").shape == (2, 5, 1, 1)


def test_another_layer_or_file_makes_other_features(written):
    """Or the cache would give one network's features for another's."""
    hashes = {features_hash(load(written(layer=f"'{k}'"), "own").features) for k in (2, 4)}
    hashes.add(features_hash(load(written(before="1"), "own").features))
    assert len(hashes) == 3
    assert isinstance(load(written(), "own").features, nn.Sequential)
