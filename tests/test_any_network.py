"""Networks from anywhere in one study: the workbook's own, torchvision's, a file's, and a table of
answers. Each is named wherever networks are, and what cannot be had of it has its reason.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.special import expit
from smoke_run import SMOKE, Result

from lib.pictures.reading import read_image
from lib.settings.loading import load_study
from lib.settings.options import ROOT, resolve
from lib.storage.alt_text import read_alt_text
from lib.storage.runs import read_csv

pytestmark = pytest.mark.slow
TEN_LINES = """
import torch
from torch import nn


def small():
    torch.manual_seed(0)
    first, second = nn.Conv2d(3, 16, 9, stride=4), nn.Conv2d(16, 8, 5, stride=4)
    network = nn.Sequential(first, nn.ReLU(), second, nn.ReLU())
    return network.eval(), "3", lambda x: (x - 0.5) / 0.25
"""
SEEDS = (0, 1)
SHOWN = ("AlexNet", "FE-AlexNet", "resnet18", "small", "template")


@pytest.fixture(scope="module")
def anywhere(tmp_path_factory) -> Result:
    """A finished run: notebook 01 makes the pictures, the table's network answers them, and
    the other notebooks follow. ANY_RUN names the folder of one that is there already.
    """
    folder = Path(os.environ.get("ANY_RUN") or tmp_path_factory.mktemp("any"))
    path = folder / "any.yaml"
    if not path.is_file():
        write_study(path)
        workbook(path, "--only", "01")
        template_answers(load_study(path).folder).to_csv(folder / "answers.csv", index=False)
        workbook(path, "--resume")
    study = load_study(path)
    return Result(study.folder, study, "")


def write_study(path: Path) -> None:
    """The smoke study with two networks from outside and a table of a third's answers."""
    study = yaml.safe_load((ROOT / SMOKE).read_text(encoding="utf-8"))
    (path.parent / "mine.py").write_text(TEN_LINES, encoding="utf-8")
    study["networks"] |= {
        "architectures": [
            "alexnet",
            "fe_alexnet",
            "torchvision:resnet18",
            f"{path.parent / 'mine.py'}:small",
        ],
        "answers": str(path.parent / "answers.csv"),
    }
    study |= {"name": "any", "output": str(path.parent)}
    path.write_text(yaml.safe_dump(study), encoding="utf-8")


def workbook(path: Path, *words: str) -> None:
    command = [sys.executable, "-m", "lib.workbook", "run", "--study", str(path), *words]
    machine = {"MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=os.environ | machine, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-3000:]


def template_answers(run: Path) -> pd.DataFrame:
    """A network that is no network: on which side of the mean happy and sad face a picture is."""
    stimuli = read_csv(run / "tables" / "stimuli.csv")
    pictures = [read_image(resolve(path)).astype(float).ravel() for path in stimuli["path"]]
    whole = stimuli["condition"] == "full"
    sad, happy = (
        np.mean([pictures[k] for k in np.flatnonzero(whole & (stimuli["level"] == level))], axis=0)
        for level in (0, 1)
    )
    side = (np.array(pictures) - (sad + happy) / 2) @ (happy - sad)
    odds = 6 * side / np.abs(side).max()
    answers = [
        stimuli[["stimulus"]].assign(observer="template", seed=k, p_happy=expit(odds + 0.3 * k))
        for k in SEEDS
    ]
    return pd.concat(answers)


@pytest.fixture(scope="module")
def names(anywhere) -> set[str]:
    return {*anywhere.study.networks.architectures, "template"}


@pytest.mark.parametrize(
    "table",
    ["trials", "psychometrics", "human_likeness", "comparison", "multiverse", "part_profiles"],
)
def test_every_table_of_answers_names_them_all(anywhere, names, table):
    rows = anywhere.table(table)
    assert names <= set(rows["architecture"].dropna())
    if "seed" in rows:
        seeds = rows.dropna(subset=["seed"]).groupby("architecture")["seed"].agg(set)
        assert all(seeds[name] >= set(SEEDS) for name in names)


def test_those_trained_here_have_their_accuracy_and_the_ledger_counts_them(anywhere, names):
    trained = set(anywhere.table("accuracy")["architecture"])
    assert trained == names - {"template"}
    claims = anywhere.table("claims")
    assert set(claims["id"]) == {"C1", "C2", "C3", "C4"}
    said = " ".join([*claims["claim"], *claims["evidence"]])
    assert [name for name in SHOWN if name not in said] == []
    criteria = anywhere.table("claim_criteria").query("id == 'C1'")
    beside = criteria.loc[criteria["reason"].str.contains("not counted", na=False), "network"]
    assert set(beside) == {"resnet18 (untrained)", "small (own)", "template (own)"}


def test_the_curves_name_them_all(anywhere):
    said = read_alt_text(anywhere.folder / "figures" / "04_whole_face.png")
    assert [name for name in SHOWN if name not in said] == []


def test_what_needs_maps_leaves_them_out_with_the_reason(anywhere):
    assert set(anywhere.table("saliency")["architecture"]) == {"alexnet", "fe_alexnet"}
    (path,) = (anywhere.folder / "notebooks").glob("05_*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    said = json.dumps([cell.get("outputs", []) for cell in cells])
    assert [name for name in SHOWN if name not in said] == []
    assert "template (own): its answers come from a table: no maps" in said
    for name in ("resnet18 (untrained)", "small (own)"):
        assert f"{name}: its convolutions are not of a kind that this notebook knows" in said
