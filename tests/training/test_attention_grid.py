"""The attention grid: which points there are, that cells are trained once, and its table by
hand.
"""

import numpy as np
import pandas as pd
import pytest
from small_training import a_run, people_of

from lib.networks.attention import Attention
from lib.networks.design import cells
from lib.pictures.stimuli import regions_of
from lib.settings.loading import load_study
from lib.training import train as training
from lib.training.attention_grid import (
    Cancelled,
    available,
    grid_table,
    point_name,
    points,
    run_grid,
    score_grid,
)
from lib.training.train import train_cells

PRIOR = {"eyes": 0.5, "nose": 0.0, "mouth": 1.0}
TINY = {"training.epochs": 1, "grid.kinds": ["none", "self", "se"], "training.seeds": 2}


def test_points_are_all_combinations_once_with_the_studys_own_among_them():
    study = load_study(
        "data/studies/smoke.yaml",
        {
            "grid.kinds": ["none", "self", "se"],
            "grid.locations": ["conv3", "conv5"],
            "grid.reductions": [8, 16],
        },
    )
    names = [point.candidate for point in points(study, ["untrained"], PRIOR)]
    assert names == [
        "none",
        "self@conv3 r8",
        "self@conv3 r16",
        "self@conv5 r8",
        "self@conv5 r16",
        "se@conv3 r8",
        "se@conv3 r16",
        "se@conv5 r8",
        "se@conv5 r16",
        "self@conv3 r8 + prior",
    ]
    assert point_name(Attention.of(study.attention)) == names[1]
    both = points(study, ["untrained", "objects"])
    assert len(both) == 2 * 9 and {point.row()["pretraining"] for point in both} == {
        "untrained",
        "objects",
    }


@pytest.mark.usefixtures("small_heads")
def test_every_cell_is_trained_once_and_those_of_the_study_not_again(
    tmp_path, images, morphs, monkeypatch
):
    run, trained = a_run(tmp_path, "03", **TINY), []
    own, real = cells(run.study)[0], training.cell_steps
    train_cells(run, own, images)
    monkeypatch.setattr(
        training,
        "cell_steps",
        lambda run, cell, *rest: trained.append(cell) or real(run, cell, *rest),
    )
    chosen, regions = points(run.study, ["untrained"], PRIOR), regions_of(run.study, morphs)
    accuracy, answers = run_grid(run, chosen, images, morphs, regions=regions)
    # AlexNet and its self-attention were trained by the study, two kinds remain, two seeds each
    assert sorted((c.attention_name, bool(c.attention.region_prior), c.seed) for c in trained) == [
        ("se@conv3", False, 0),
        ("se@conv3", False, 1),
        ("self@conv3", True, 0),
        ("self@conv3", True, 1),
    ]
    assert len(accuracy) == 4 * 2 and len(answers) == 4 * 2 * len(morphs)
    again = run_grid(run, chosen, images, morphs, regions=regions)
    assert len(trained) == 4 and accuracy.equals(again[0]) and answers.equals(again[1])
    heads = list((run.folder / "checkpoints").glob("*/head.safetensors"))
    assert len(heads) == len(own)  # a grid's own heads are not kept


@pytest.mark.usefixtures("small_heads")
def test_a_cancelled_grid_goes_on_behind_its_last_cell(tmp_path, images, morphs):
    run, calls = a_run(tmp_path, "03", **TINY), []
    chosen = points(run.study, ["untrained"])

    def after_seven() -> bool:
        calls.append(1)
        return len(calls) > 7

    with pytest.raises(Cancelled):
        run_grid(run, chosen, images, morphs, cancelled=after_seven)
    finished = len(list((run.folder / "checkpoints").glob("*/result.json")))
    assert 0 < finished < 6
    whole = run_grid(run, chosen, images, morphs)
    other = run_grid(a_run(tmp_path, "03", **TINY, name="other"), chosen, images, morphs)
    assert whole[0].equals(other[0]) and whole[1].equals(other[1])


@pytest.mark.usefixtures("small_heads")
def test_the_scores_of_the_grid_join_accuracy_and_likeness(tmp_path, images, morphs):
    run = a_run(tmp_path, "03", **TINY)
    accuracy, answers = run_grid(run, points(run.study, ["untrained"])[:1], images, morphs)
    scored = score_grid(run, accuracy, answers, people_of(run, morphs))
    assert (
        len(scored) == 2
        and scored["rmse"].between(0, 1).all()
        and (scored["log_likelihood"] < 0).all()
    )


def test_the_table_by_hand():
    """Mean 0.7 of 0.6 and 0.8; t(1) at 97.5 % is 12.706, times the standard error 0.1."""
    rows = [
        {
            "candidate": "none",
            "kind": "none",
            "location": "conv3",
            "reduction": 8,
            "prior": False,
            "pretraining": "untrained",
            "seed": seed,
            "accuracy": value,
            "validation_accuracy": value,
            "delta_pse": [0.1, np.nan][seed],
            "rmse": 0.2,
            "log_likelihood": -1.0,
            "image_consistency": np.nan,
        }
        for seed, value in enumerate((0.6, 0.8))
    ]
    table = grid_table(pd.DataFrame(rows)).set_index("metric")
    assert table.loc["accuracy", ["value", "low", "high"]].tolist() == pytest.approx(
        [0.7, 0.7 - 1.2706, 0.7 + 1.2706], abs=1e-4
    )
    assert table.loc["delta_pse", ["value", "n_seeds", "n_missing"]].tolist() == [0.1, 1, 1]
    assert (
        np.isnan(table.loc["image_consistency", "value"])
        and table.loc["image_consistency", "n_missing"] == 2
    )


def test_a_pretraining_that_is_not_at_hand_is_left_out_with_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setattr("lib.backbones.weight_files.FOLDER", tmp_path)
    study = load_study("data/studies/smoke.yaml")
    there, missing = available(study, ["untrained", "faces"])
    assert there == ["untrained"] and "python -m lib.pretraining faces" in missing["faces"]
