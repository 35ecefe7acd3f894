"""The attention grid: which points there are, and that cells are trained once."""

from collections import Counter
from dataclasses import replace

import pytest
from small_training import a_run

from lib.attention_study.grid import (
    Cancelled,
    run_grid,
)
from lib.attention_study.points import available, points
from lib.morphs.stimuli import regions_of
from lib.networks.design import cells, with_guide
from lib.settings.loading import load_study
from lib.training import train as training
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
    places = ["conv3 r8", "conv3 r16", "conv5 r8", "conv5 r16"]
    wanted = [f"self@{place}" for place in places] + [f"se@{place}" for place in places]
    assert names == ["none", *wanted, "self@conv3 r8 + prior"]
    both = points(study, ["untrained", "objects"])
    assert len(both) == 2 * 9
    assert {point.row()["pretraining"] for point in both} == {"untrained", "objects"}


def test_every_arm_has_the_same_budget():
    study = load_study(
        "data/studies/smoke.yaml",
        {
            "networks.controls": ["matched", "se", "guided"],
            "grid.locations": ["conv1", "conv5"],
            "grid.reductions": [8, 32],
        },
    )
    chosen = points(study, ["untrained"], None, {"mouth": 1.0})
    count = Counter(point.cell.architecture for point in chosen)
    arms = ("fe_alexnet", "alexnet_matched", "alexnet_se", "fe_alexnet_guided")
    assert count == {"alexnet": 1, **dict.fromkeys(arms, 5)}
    own = {replace(cell, seed=0) for cell in with_guide(cells(study)[0], {"mouth": 1.0})}
    assert own <= {point.cell for point in chosen}  # trained once, by notebooks 02 and 03
    assert not any(point.cell.attention.guide for point in points(study, ["untrained"])[1:])
    heads = {point.cell.attention.heads for point in chosen[1:]}
    assert heads == {2, 4}  # conv1 reduced by 32 leaves two channels


@pytest.mark.usefixtures("small_heads")
def test_every_cell_is_trained_once_and_those_of_the_study_not_again(
    tmp_path, images, morphs, monkeypatch
):
    run, trained = a_run(tmp_path, "03", **TINY), []
    own, real = cells(run.study)[0], training.train_cell
    train_cells(run, own, images)
    monkeypatch.setattr(
        training,
        "train_cell",
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


def test_a_pretraining_that_is_not_at_hand_is_left_out_with_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setattr("lib.backbones.weight_files.FOLDER", tmp_path)
    study = load_study("data/studies/smoke.yaml")
    there, missing = available(study, ["untrained", "faces"])
    assert there == ["untrained"] and "python -m lib.pretraining faces" in missing["faces"]
