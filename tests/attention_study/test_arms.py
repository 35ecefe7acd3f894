"""The arms of the attention experiment: effects and gains by hand, likeness on other people."""

import numpy as np
import pandas as pd
import pytest
from small_training import a_run, people_of

from lib.attention_study.arms import arms_table, grid_table, manipulation_table, score_cells
from lib.attention_study.grid import run_grid
from lib.attention_study.guidance import guiding
from lib.attention_study.points import points
from lib.networks.design import cells as cells_of
from lib.settings.options import Statistics
from lib.training.checkpoints import usable_cells


def said(log_odds, without, **changes):
    row = {"architecture": "fe_alexnet", "candidate": "self@conv3 r8", "pretraining": "imagenet"}
    table = pd.DataFrame({"log_odds": log_odds, "without_block": without, "condition": "full"})
    return table.assign(**row | {"seed": 0} | changes)


def test_what_a_block_moves_by_hand():
    """Log-odds -1, 0, 1 (SD 1) that were 0.3 lower without the block; hidden parts do not count."""
    moved = said([-1.0, 0.0, 1.0], [-1.3, -0.3, 0.7])
    hidden = said([5.0], [-5.0]).assign(condition="eyes")
    idle = said([1.0, 2.0], [1.0, 2.0], seed=1)
    found = manipulation_table(pd.concat([moved, hidden, idle]))
    assert found["share_of_sd"].tolist() == pytest.approx([0.3, 0])
    assert found["moved"].tolist() == pytest.approx([0.3, 0]) and found["seed"].tolist() == [0, 1]


def cells(**gains):
    """Two seeds of AlexNet (.6, .8) and of arms with settings a and b that gain as given."""
    rows = []
    for name, (architecture, gain) in {"none": ("alexnet", 0), **gains}.items():
        for seed, value in enumerate((0.6, 0.8)):
            rows.append(
                {
                    "candidate": name,
                    "architecture": architecture,
                    "kind": "self",
                    "location": "conv3",
                    "reduction": 8,
                    "prior": "prior" in name,
                    "pretraining": "imagenet",
                    "seed": seed,
                    "validation_accuracy": value + gain,
                    "accuracy": value + 2 * gain + 0.01 * seed * bool(gain),
                    "bits": -0.9 + gain,
                    "share_of_sd": 0.1,
                }
            )
    return pd.DataFrame(rows)


def test_validation_accuracy_alone_chooses_and_gains_are_paired_by_hand():
    table = cells(
        a=("fe_alexnet", 0.01),
        b=("fe_alexnet", 0.03),
        prior=("fe_alexnet", 0.1),
        c=("alexnet_se", -0.01),
    )
    worse = table["accuracy"].where(table["candidate"] != "b", table["accuracy"] - 0.5)
    found = arms_table(table.assign(accuracy=worse)).set_index("architecture")
    assert found["candidate"].to_dict() == {"alexnet": "none", "fe_alexnet": "b", "alexnet_se": "c"}
    assert found["n_candidates"].to_dict() == {"alexnet": 1, "fe_alexnet": 2, "alexnet_se": 1}
    # gains .06 and .07 less .5: mean -.435, t(1) at 97.5 % is 12.706 times the standard error .005
    fe = found.loc["fe_alexnet"]
    assert fe["accuracy_gain"] == pytest.approx(-0.435)
    assert fe["accuracy_gain_low"] == pytest.approx(-0.435 - 12.706 * 0.005, abs=1e-4)
    assert fe["bits_gain"] == pytest.approx(0.03)
    assert found.loc["alexnet", "accuracy_gain"] == 0


def test_the_grids_table_by_hand():
    """Mean 0.7 of 0.6 and 0.8; t(1) at 97.5 % is 12.706, times the standard error 0.1."""
    table = cells().assign(bits=[-0.9, np.nan])
    table = grid_table(table).set_index("metric")
    assert table.loc["accuracy", "gain"] == 0 and np.isnan(table.loc["bits", "gain_low"])
    assert table.loc["accuracy", ["value", "low", "high"]].tolist() == pytest.approx(
        [0.7, 0.7 - 1.2706, 0.7 + 1.2706], abs=1e-4
    )
    assert table.loc["bits", ["value", "n_seeds", "n_missing"]].tolist() == [-0.9, 1, 1]


@pytest.mark.usefixtures("small_heads")
def test_guided_attention_is_trained_beside_the_others_and_nobody_judges_who_guided(
    tmp_path, images, morphs
):
    changes = {"training.epochs": 2, "networks.controls": ["guided"], "training.attention_lr": 0.01}
    run = a_run(tmp_path, "03", **changes)
    masks = {part: np.zeros((224, 224), bool) for part in ("eyes", "nose", "mouth")}
    masks["mouth"][180:] = True
    chosen = points(run.study, ["untrained"], None, {"mouth": 1.0})
    accuracy, answers = run_grid(run, chosen, images, morphs, regions=masks)
    assert set(accuracy["architecture"]) == {"alexnet", "fe_alexnet", "fe_alexnet_guided"}
    effects = manipulation_table(answers).set_index(["architecture", "seed"])["share_of_sd"]
    assert set(effects.index.levels[0]) == {"fe_alexnet", "fe_alexnet_guided"}
    assert effects.gt(0.001).all()
    people = people_of(run, morphs)
    scored = score_cells(accuracy, answers, people, Statistics())
    assert len(scored) == 3 * 2 and scored["bits"].between(-8, 0).all()
    guides, judges = guiding(people)
    neither = people.drop(index=[*guides.index, *judges.index])
    spoiled = people.copy()
    spoiled.loc[neither.index, "response"] = 1 - spoiled.loc[neither.index, "response"]
    again = score_cells(accuracy, answers, spoiled, Statistics())
    assert again["bits"].tolist() == scored["bits"].tolist()
    alone = score_cells(accuracy, answers, people[people["observer"] == "s0"], Statistics())
    assert alone["bits"].isna().all()


def test_guided_networks_that_nobody_could_guide_are_not_looked_for(tmp_path):
    run = a_run(tmp_path, "05", **{"networks.controls": ["guided", "se"]})
    names = {cell.architecture for cell in usable_cells(run)}
    assert names == {"alexnet", "fe_alexnet", "alexnet_se"}
    guided = next(c for c in cells_of(run.study)[0] if c.architecture == "fe_alexnet_guided")
    pointer = run.folder / "checkpoints" / f"{guided.observer}.json"
    pointer.parent.mkdir(parents=True)
    pointer.write_text("{}", encoding="utf-8")
    assert guided in usable_cells(run)
