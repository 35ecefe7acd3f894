"""Sizes against the published counts, the closed gain against plain AlexNet, and bf16 against
fp32.
"""

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from lib.networks.attention import Attention
from lib.networks.design import Cell
from lib.networks.devices import Device
from lib.networks.network import build_cell
from lib.settings.loading import load_study
from lib.storage.runs import Run
from lib.training import checks as network_tables
from lib.training.checks import network_table, precision_check, start_check

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


def test_before_training_and_without_its_block_fe_alexnet_is_alexnet_to_the_last_bit(run, stimuli):
    chosen = [
        Cell(f"alexnet_{kind}", "untrained", Attention(kind), seed=3) for kind in ("matched", "se")
    ]
    table = start_check(run, [Cell("fe_alexnet", "untrained", ATTENTION, seed=3), *chosen], stimuli)
    assert table["architecture"].tolist() == ["fe_alexnet", "alexnet_matched", "alexnet_se"]
    assert (table[["untrained", "gain_0"]] == 0).all(axis=None)


def test_the_check_of_the_start_can_fail(run, stimuli, monkeypatch):
    real = network_tables.build_cell

    def opened(cell, study):
        network = real(cell, study)
        if cell.attention is not None:
            torch.nn.init.normal_(network.block.out.weight)
        return network

    monkeypatch.setattr(network_tables, "build_cell", opened)
    table = start_check(run, [Cell("fe_alexnet", "untrained", ATTENTION)], stimuli)
    assert table["untrained"].item() > 1e-4 and table["gain_0"].item() == 0


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
