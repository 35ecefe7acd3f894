"""The walk through all networks: who sees what, rows by hand, everything computed once, the
same again.
"""

import numpy as np
import pandas as pd
import pytest
from mechanism_run import CELLS, Loader, small_run, small_stimuli

from lib.mechanisms import survey
from lib.mechanisms.enrichment import part_rows
from lib.mechanisms.saliency import enlarge, explain, normalise
from lib.mechanisms.survey import (
    COLUMNS,
    Display,
    Survey,
    chosen_stimuli,
    few_stimuli,
    looked_at,
    map_rows,
    methods_for,
    one_face,
    reading_panel,
    walk,
)
from lib.networks.design import Cell
from lib.networks.network import Attention
from lib.networks.panel import Panel


@pytest.fixture(scope="module")
def stimuli(tmp_path_factory):
    return small_stimuli(tmp_path_factory.mktemp("stimuli"))


@pytest.fixture(scope="module")
def labelled(stimuli):
    """The two ends of each face as labelled photographs of different people."""
    ends = stimuli[stimuli["level"] != 0.5].reset_index(drop=True)
    return ends.assign(
        label=np.where(ends["level"] > 0.5, "happy", "sad"), identity=[f"p{k}" for k in ends.index]
    )


@pytest.fixture(scope="module")
def walked(stimuli, labelled, tmp_path_factory):
    """(run, survey, family, loader) of a real walk through three small networks."""
    run, loader = small_run(tmp_path_factory.mktemp("runs")), Loader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(survey, "load_trained", loader)
        found, family = walk(run, CELLS, stimuli, labelled)
    return run, found, family, loader


def test_the_first_faces_at_the_levels_nearest_to_those_wanted(tmp_path):
    table = pd.DataFrame(
        [
            {"identity": name, "level": level, "condition": condition}
            for name in ("b", "a", "c")
            for condition in ("mouth", "full")
            for level in (0.0, 0.3, 0.6, 1.0)
        ]
    )
    found = chosen_stimuli(small_run(tmp_path).study, table, faces=2, levels=(0.25, 0.9, 1.0))
    assert set(found["identity"]) == {"a", "b"} and sorted(set(found["level"])) == [0.3, 1.0]
    assert found["condition"].tolist() == ["full"] * 4 + [
        "mouth"
    ] * 4 and found.index.tolist() == list(range(8))
    assert sorted(set(chosen_stimuli(small_run(tmp_path).study, table)["level"])) == [
        0.0,
        1.0,
    ]  # the study's own


def test_the_network_to_look_at_is_fe_alexnet_not_the_control_that_comes_last():
    ours = [Cell("fe_alexnet", "imagenet", Attention(), seed=s) for s in (1, 0)]
    given = [
        Cell("alexnet", "imagenet"),
        *ours,
        Cell("fe_alexnet", "untrained", Attention()),
        Cell("alexnet", "untrained"),
    ]
    assert (
        looked_at(given) == ours[1] and looked_at(given[-1:]) == given[-1] and looked_at([]) is None
    )


def test_few_stimuli_keep_whole_faces_and_the_ends_of_the_others(stimuli):
    found = few_stimuli(stimuli, faces=1)
    assert set(found["identity"]) == {"id000"}
    assert sorted(found.loc[found["condition"] == "full", "level"]) == [0.0, 0.5, 1.0]
    assert sorted(found.loc[found["condition"] == "mouth", "level"]) == [0.0, 1.0]


@pytest.mark.parametrize(
    "cell, has",
    [
        (Cell("alexnet", "imagenet"), False),
        (Cell("fe_alexnet", "imagenet", Attention()), True),
        (Cell("fe_alexnet", "imagenet", Attention("se")), False),
    ],
)
def test_only_self_attention_has_an_attention_map(cell, has, tmp_path):
    names = methods_for(small_run(tmp_path).study, cell)
    assert ("attention" in names) == has and "gradcam" in names and "occlusion" not in names


def test_rows_of_a_map_on_the_mouth_by_hand(stimuli, tmp_path):
    """All saliency on the mouth, for sad as much as for happy: share 1, enrichment one over the
    area.
    """
    display = Display.of(small_run(tmp_path).study, stimuli)
    mouth = display.regions["mouth"]
    signs = np.where(stimuli["level"] > 0.5, 1.0, -1.0)[:, None, None]
    rows = map_rows(small_run(tmp_path), CELLS[1], "gradcam", mouth * signs, display)
    assert list(rows.columns) == COLUMNS and len(rows) == 2 * 3 * 3
    rows = rows.set_index(["condition", "level", "part"])
    areas = mouth[(stimuli["condition"] == "full") & (stimuli["level"] == 1)].mean(axis=(1, 2))
    one = rows.loc[("full", 1.0, "mouth")]
    assert one["share"] == pytest.approx(1) and one["enrichment"] == pytest.approx(
        (1 / areas).mean()
    )
    assert one["p"] == 1 / 20 and one["n_faces"] == 2 and one["architecture"] == "fe_alexnet"
    assert (rows.xs("eyes", level="part")["share"] == 0).all()


def test_every_network_is_loaded_once_and_the_table_has_a_row_for_everything(walked):
    _, found, family, loader = walked
    assert loader.calls == [cell.observer for cell in CELLS] and list(family) == CELLS
    table = found.table
    assert list(table.columns) == COLUMNS
    cams = table[table["method"].isin(["gradcam", "hirescam"])]
    assert len(cams) == 3 * 2 * 2 * 2 * 3  # networks, methods, conditions, levels, parts
    assert len(table[table["method"] == "attention"]) == 2 * 2 * 2 * 3  # FE-AlexNets alone
    occluded = table[table["method"] == "occlusion"]
    assert set(occluded["condition"]) == {"full"} and len(occluded) == 3 * 2 * 3
    assert (table["n_faces"] == 2).all() and table["p"].between(1 / 20, 1).all()


def test_rows_and_log_odds_equal_those_of_the_network_asked_alone(walked):
    """Oracle: the network without panel, shared convolutions or walk."""
    _, found, family, _ = walked
    cell = CELLS[2]
    display = found.displays[cell.observer]
    images = display.panel.images
    assert found.log_odds[cell.observer] == pytest.approx(
        Panel(images, batch=1).log_odds(family[cell]), abs=1e-5
    )
    rows = np.flatnonzero(
        (display.stimuli["condition"] == "mouth") & (display.stimuli["level"] == 0)
    )
    sizes = enlarge(normalise(explain(family[cell], images[rows], "hirescam"), "absolute"))
    alone = part_rows(
        sizes, display.part_masks(rows), n_permutations=9, rng=np.random.default_rng(0)
    ).set_index("part")
    table = found.table.query(
        "architecture == 'fe_alexnet' and seed == 1 and method == 'hirescam'"
        " and condition == 'mouth' and level == 0"
    ).set_index("part")
    assert table["enrichment"].to_dict() == pytest.approx(alone["enrichment"].to_dict(), rel=1e-4)


def test_what_seeds_share_is_read_once_and_what_they_do_not_is_their_own(walked):
    readout = pd.DataFrame(walked[1].readout)
    convolutions = readout[readout["layer"].str.startswith("conv")]
    assert (convolutions.groupby("layer")[["accuracy", "chance_high", "p"]].nunique() == 1).all(
        axis=None
    )
    assert convolutions.groupby("layer").size().tolist() == [3] * 5
    assert set(readout.loc[readout["layer"] == "attention", "seed"]) == {0, 1}
    assert readout["accuracy"].between(0, 1).all()


def test_the_same_walk_gives_the_same_table(walked, stimuli, labelled, monkeypatch):
    run, found, _, _ = walked
    monkeypatch.setattr(survey, "load_trained", Loader())
    again = walk(run, CELLS, stimuli, labelled)[0]
    pd.testing.assert_frame_equal(found.table, again.table)
    pd.testing.assert_frame_equal(pd.concat(found.similarity), pd.concat(again.similarity))


def test_along_the_morph_goes_one_face_from_sad_to_happy(walked):
    along = walked[1].along_morph(CELLS[1].observer, "gradcam")
    assert along["levels"].tolist() == [0.0, 1.0] and along["images"].shape == (2, 224, 224, 3)
    assert along["maps"].shape == (2, 224, 224) and set(along["regions"][0]) == {
        "eyes",
        "nose",
        "mouth",
    }
    assert along["regions"][0]["mouth"].shape == (224, 224)
    assert walked[1].identities == ["id000", "id001"]


def test_dissimilarities_are_of_the_faces_that_all_networks_saw():
    rng = np.random.default_rng(0)
    last = {
        "a": pd.DataFrame(rng.normal(size=(4, 5)), index=list("wxyz")),
        "b": pd.DataFrame(rng.normal(size=(3, 7)), index=list("xzw")),
    }
    found = Survey(last=last).mean_dissimilarity(["a", "b"])
    by_hand = [
        1 - np.corrcoef(last[name].loc[list("wxz")].to_numpy())[np.triu_indices(3, 1)]
        for name in "ab"
    ]
    assert found == pytest.approx(np.mean(by_hand, axis=0))


def test_an_empty_survey_has_an_empty_table_with_its_columns():
    assert list(Survey().table.columns) == COLUMNS and len(Survey().table) == 0


def test_one_face_of_shared_and_of_own_regions():
    own, shared = np.zeros((2, 4, 4), bool), np.ones((4, 4), bool)
    own[1] = True
    found = one_face({"eyes": own, "mouth": shared}, 1)
    assert found["eyes"].all() and found["mouth"] is shared


def test_the_reading_has_half_of_each_class_and_takes_unknown_people_as_different(labelled):
    missing = labelled.assign(identity=["", np.nan, *labelled["identity"][2:]])
    reading = reading_panel(missing, 4)
    assert reading.labels.tolist().count(1) == 2 and len(reading.panel) == 4
    assert len(set(reading.groups)) == 4 and reading.groups[0] == missing["path"][0]
