"""Sizes against the published counts, the closed gain against plain AlexNet, and bf16 against
fp32.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from lib.networks.attention import Attention
from lib.networks.design import Cell
from lib.networks.devices import Device
from lib.networks.network import build_cell, preprocess
from lib.settings.loading import load_study
from lib.storage.runs import Run
from lib.training import checks as network_tables
from lib.training.checks import network_table, precision_check, zero_gain_check

ATTENTION = Attention(gain=0.5)


@pytest.fixture
def run(tmp_path):
    return Run(
        load_study(
            "data/studies/smoke.yaml",
            {
                "output": str(tmp_path),
                "networks.pretraining": "untrained",
                "training.device": "cpu",
            },
        ),
        "02",
    )


@pytest.fixture
def stimuli(tmp_path):
    rng, rows = np.random.default_rng(0), []
    for k in range(5):
        Image.fromarray(rng.integers(0, 255, (224, 224, 3), dtype=np.uint8)).save(
            tmp_path / f"{k}.png"
        )
        rows.append({"stimulus": f"s{k}", "path": str(tmp_path / f"{k}.png")})
    return pd.DataFrame(rows)


def test_with_a_thousand_outputs_every_network_has_the_published_number_of_parameters(run):
    chosen = [
        Cell(a, "untrained", seed=s) for a in ("alexnet", "vgg11", "vgg13", "vgg16") for s in (0, 1)
    ]
    chosen.append(Cell("fe_alexnet", "untrained", ATTENTION))
    table = network_table(run, chosen).set_index("architecture")
    # Krizhevsky (2014) as torchvision counts it, and Simonyan & Zisserman (2015), table 2: 133, 133
    # and 138 million
    assert table["published"].to_dict() == {
        "alexnet": 61100840,
        "vgg11": 132863336,
        "vgg13": 133047848,
        "vgg16": 138357544,
        "fe_alexnet": 61100840,
    }
    assert (table["with_1000_outputs"] == table["published"]).all()
    assert (table["block"] > 0).to_dict() == dict.fromkeys(table.index, False) | {
        "fe_alexnet": True
    }
    assert (table["trained"] == table["classifier"] + table["block"]).all()


def test_at_gain_0_fe_alexnet_is_alexnet_to_the_last_bit_and_an_open_gain_is_not(run, stimuli):
    table = zero_gain_check(run, [Cell("fe_alexnet", "untrained", ATTENTION, seed=3)], stimuli)
    assert table.to_numpy().tolist() == [["fe_alexnet", ATTENTION.name, 0.0]]
    images = torch.rand(2, 3, 224, 224)
    cell = Cell("fe_alexnet", "untrained", ATTENTION)
    with torch.no_grad():
        plain = build_cell(Cell("alexnet", "untrained"), run.study)(images)
        network = build_cell(cell, run.study)
        assert torch.equal(network(images), plain)
        torch.nn.init.normal_(network.block.out.weight)
        assert (network(images) - plain).abs().max() > 1e-4


def test_what_a_block_does_to_the_log_odds(run, stimuli):
    """Nothing at gain 0; otherwise what AlexNet's own answers say, and the network stays as it
    was.
    """
    stimuli = stimuli.assign(condition=["full"] * 4 + ["eyes"])
    cells = [
        Cell("fe_alexnet", "untrained", replace(ATTENTION, gain=gain), seed=k)
        for k, gain in enumerate((0.0, 9.0))
    ]
    networks = {cell: build_cell(cell, run.study).eval() for cell in cells}
    for network in networks.values():
        torch.nn.init.ones_(network.block.out.weight)
    table = network_tables.block_effects(
        networks | {Cell("alexnet", "untrained"): networks[cells[0]]}, stimuli
    )
    assert table["moved"].tolist()[::2] == [0, 0] and table["seed"].tolist() == [0, 1, 0]
    images = preprocess(np.stack([np.asarray(Image.open(path)) for path in stimuli["path"][:4]]))
    with torch.no_grad():
        here, plain = (
            np.subtract(*net(images).numpy().T[::-1])
            for net in (
                networks[cells[1]],
                build_cell(Cell("alexnet", "untrained", seed=1), run.study).eval(),
            )
        )
    assert table["moved"][1] == pytest.approx(np.sqrt(np.mean((here - plain) ** 2)), rel=1e-3)
    assert table["spread"][1] == pytest.approx(here.std(ddof=1), rel=1e-3)
    assert table["share"][1] == pytest.approx(table["moved"][1] / table["spread"][1])
    assert networks[cells[1]].block.gain.item() == 9


@pytest.mark.parametrize(
    ("dtype", "precision"), [(torch.float32, "fp32"), (torch.bfloat16, "bf16")]
)
def test_bf16_moves_answers_a_little_and_fp32_not_at_all(
    run, stimuli, monkeypatch, dtype, precision
):
    cell = Cell("alexnet", "untrained")
    monkeypatch.setattr(
        network_tables, "load_trained", lambda run, cell: build_cell(cell, run.study)
    )
    monkeypatch.setattr(network_tables, "choose_device", lambda training: Device("cpu", dtype))
    found = precision_check(run, cell, stimuli, n=3)
    assert (found["n"], found["precision"]) == (3, precision) and found["mean"] <= found[
        "largest"
    ] < 0.05
    assert (found["largest"] == 0) == (precision == "fp32") and found["flipped"] <= 3
