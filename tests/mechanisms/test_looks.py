"""The look into all networks: everybody is asked everything once, and a second look asks nobody."""

import numpy as np
import pandas as pd
import pytest
from mechanism_run import CELLS, Loader, labelled_faces, small_run, small_stimuli
from torch import nn

from lib.mechanisms import looks as module
from lib.mechanisms.looks import (
    answered_elsewhere,
    look_inside,
    looked_at,
    methods_for,
    moving_blocks,
    profile_trials,
    why_no_maps,
)
from lib.mechanisms.shown import Display
from lib.mechanisms.survey import COLUMNS, map_rows
from lib.networks.answers import answer
from lib.networks.design import Cell
from lib.networks.network import Attention
from lib.parts.controls import control_stimuli, profile_stimuli
from lib.pictures.reading import read_image
from lib.saliency.enrichment import part_rows
from lib.saliency.maps import enlarge, explain, normalise
from lib.settings.options import resolve

TRIALS = pd.DataFrame(columns=["kind", "architecture", "pretraining", "stimulus"])


@pytest.fixture(scope="module")
def stimuli(tmp_path_factory):
    return small_stimuli(tmp_path_factory.mktemp("stimuli"))


@pytest.fixture(scope="module")
def looked(stimuli, tmp_path_factory):
    """(run, looks, loader) of a real look into three small networks."""
    run, loader = small_run(tmp_path_factory.mktemp("runs")), Loader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "load_trained", loader)
        found = look_inside(run, CELLS, stimuli, labelled_faces(stimuli), TRIALS)
    return run, found, loader


def test_every_network_is_asked_and_the_table_has_a_row_for_everything(looked):
    _, found, loader = looked
    assert loader.calls[:3] == [cell.observer for cell in CELLS]
    table = found["saliency"]
    assert list(table.columns) == COLUMNS
    cams = table[table["method"].isin(["gradcam", "hirescam"])]
    assert len(cams) == 3 * 2 * 2 * 2 * 3  # networks, methods, conditions, levels, parts
    assert "attention" not in set(table["method"])  # the block is not known to move anything
    occluded = table[table["method"] == "occlusion"]
    assert set(occluded["condition"]) == {"full"} and len(occluded) == 3 * 2 * 3
    assert (table["n_faces"] == 2).all() and table["p"].between(1 / 20, 1).all()
    assert found.chosen == CELLS[1] and set(found.images) == {cell.observer for cell in CELLS}
    for name in ("patches", "readout", "similarity", "controls", "lesions", "leads", "bubbles"):
        assert set(found[name]["seed"]) == {0, 1}, name


def test_a_second_look_loads_no_network_and_finds_the_same(looked, stimuli, monkeypatch):
    run, found, _ = looked
    loader = Loader()
    monkeypatch.setattr(module, "load_trained", loader)
    again = look_inside(run, CELLS, stimuli, labelled_faces(stimuli), TRIALS)
    assert loader.calls == []
    for name, table in found.tables.items():
        pd.testing.assert_frame_equal(table, again.tables[name])
    for key, maps in found.maps.items():
        assert (maps == again.maps[key]).all()


def test_a_look_from_nothing_finds_the_same(looked, stimuli, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "load_trained", Loader())
    again = look_inside(small_run(tmp_path), CELLS, stimuli, labelled_faces(stimuli), TRIALS)
    for name, table in looked[1].tables.items():
        pd.testing.assert_frame_equal(table, again.tables[name])


def test_rows_equal_those_of_the_network_asked_alone(looked, stimuli):
    """Oracle: the network without shared convolutions or walk."""
    run, found, loader = looked
    network = loader.networks[CELLS[2]]
    display = Display.of(run.study, stimuli)
    rows = np.flatnonzero((stimuli["condition"] == "mouth") & (stimuli["level"] == 0))
    sizes = enlarge(normalise(explain(network, display.panel.images[rows], "hirescam"), "absolute"))
    masks, rng = display.part_masks(rows), np.random.default_rng(0)
    alone = part_rows(sizes, masks, n_permutations=9, rng=rng).set_index("part")
    table = found["saliency"].query(
        "architecture == 'fe_alexnet' and seed == 1 and method == 'hirescam'"
        " and condition == 'mouth' and level == 0"
    )
    own = table.set_index("part")["enrichment"].to_dict()
    assert own == pytest.approx(alone["enrichment"].to_dict(), rel=1e-4)
    controls = found["controls"]
    mine = controls[(controls["architecture"] == "fe_alexnet") & (controls["seed"] == 1)]
    assert set(mine["condition"]) == {"control_mouth"} and (mine["kind"] == "cnn").all()


def test_control_pictures_get_the_networks_own_answers(looked, stimuli):
    run, found, loader = looked
    pictures = control_stimuli(run.study, profile_stimuli(stimuli))
    images = np.stack([read_image(path) for path in map(resolve, pictures["path"])])
    alone = answer(loader.networks[CELLS[0]], images).log_odds
    rows = found["controls"]
    own = rows[rows["observer"] == CELLS[0].observer].set_index("stimulus")["log_odds"]
    assert own[pictures["stimulus"]].to_numpy() == pytest.approx(
        alone, abs=0.05
    )  # bf16 has three digits


def test_what_seeds_share_is_read_once_and_what_they_do_not_is_their_own(looked):
    readout = looked[1]["readout"]
    convolutions = readout[readout["layer"].str.startswith("conv")]
    numbers = convolutions.groupby("layer")[["accuracy", "chance_high", "p"]].nunique()
    assert (numbers == 1).all(axis=None)
    assert convolutions.groupby("layer").size().tolist() == [3] * 5
    assert set(readout.loc[readout["layer"] == "attention", "seed"]) == {0, 1}


def test_rows_of_a_map_on_the_mouth_by_hand(stimuli, tmp_path):
    """All saliency on the mouth, for either pole: share 1, enrichment one over the area."""
    display = Display.of(small_run(tmp_path).study, stimuli)
    mouth = display.regions["mouth"]
    signs = np.where(stimuli["level"] > 0.5, 1.0, -1.0)[:, None, None]
    rows = map_rows(small_run(tmp_path), CELLS[1], "gradcam", mouth * signs, display)
    assert list(rows.columns) == COLUMNS and len(rows) == 2 * 3 * 3
    rows = rows.set_index(["condition", "level", "part"])
    areas = mouth[(stimuli["condition"] == "full") & (stimuli["level"] == 1)].mean(axis=(1, 2))
    one = rows.loc[("full", 1.0, "mouth")]
    assert one["share"] == pytest.approx(1)
    assert one["enrichment"] == pytest.approx((1 / areas).mean())
    assert one["p"] == 1 / 20 and one["n_faces"] == 2 and one["architecture"] == "fe_alexnet"
    assert (rows.xs("eyes", level="part")["share"] == 0).all()


def test_the_network_to_look_at_is_fe_alexnet_not_the_control_that_comes_last():
    ours = [Cell("fe_alexnet", "imagenet", Attention(), seed=s) for s in (1, 0)]
    untrained = [Cell("fe_alexnet", "untrained", Attention()), Cell("alexnet", "untrained")]
    given = [Cell("alexnet", "imagenet"), *ours, *untrained]
    assert looked_at(given) == ours[1] and looked_at(given[-1:]) == given[-1]
    assert looked_at([]) is None


@pytest.mark.parametrize(
    "cell, moving, has",
    [
        (Cell("alexnet", "imagenet"), {"alexnet": True}, False),
        (Cell("fe_alexnet", "imagenet", Attention()), {"fe_alexnet": True}, True),
        (Cell("fe_alexnet", "imagenet", Attention()), {"fe_alexnet": False}, False),
        (Cell("fe_alexnet", "imagenet", Attention()), {}, False),
        (Cell("fe_alexnet", "imagenet", Attention("se")), {"fe_alexnet": True}, False),
    ],
)
def test_only_self_attention_that_moves_the_answer_has_an_attention_map(cell, moving, has):
    names = methods_for(("gradcam", "attention"), cell, moving)
    assert ("attention" in names) == has and "gradcam" in names


def test_a_block_moves_where_notebook_03_measured_that_it_does(tmp_path):
    run = small_run(tmp_path)
    assert moving_blocks(run) == {}
    table = pd.DataFrame(
        {"architecture": ["fe_alexnet", "alexnet_se"], "share_of_sd": [0.5, 0.001]}
    )
    run.write_table("manipulation", table)
    assert moving_blocks(run) == {"fe_alexnet": True, "alexnet_se": False}


def test_networks_without_maps_say_why(looked):
    rows = pd.DataFrame(
        {"kind": ["cnn", "cnn", "human"], "architecture": ["alexnet", "theirs", None]}
    ).assign(pretraining=["untrained", "", None])
    found = answered_elsewhere(rows, CELLS)
    assert found == [("theirs", "", "its answers come from a table: no maps")]
    assert why_no_maps(looked[2].networks[CELLS[0]]) == ""
    assert "answers alone" in why_no_maps(nn.Linear(2, 2))


def test_profiles_are_made_of_peoples_rows_networks_rows_and_control_rows(stimuli):
    trials = pd.DataFrame(
        {"kind": ["cnn", "cnn", "human"], "stimulus": [stimuli["stimulus"][0], "other", "theirs"]}
    )
    controls = pd.DataFrame({"kind": ["cnn"], "stimulus": ["a_control_mouth"]})
    found = profile_trials(stimuli, trials, controls)
    assert found["stimulus"].tolist() == ["theirs", stimuli["stimulus"][0], "a_control_mouth"]
