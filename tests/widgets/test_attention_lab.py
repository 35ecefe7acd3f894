"""The attention lab: at gain 0 it is AlexNet, settings do what they say, training can be
stopped.
"""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
import yaml
from small_training import a_run, draw_images, draw_morphs, make_small, people_of

from lib.attention_study.grid import Cancelled
from lib.attention_study.scores import Scorer
from lib.likeness.scorecard import human_likeness
from lib.networks.attention import Attention
from lib.networks.design import cells
from lib.settings.loading import load_study
from lib.storage.runs import MissingResult
from lib.training.train import answer_stimuli, train_cells
from lib.widgets import lab_reference
from lib.widgets.attention_controls import LabControls, _png, attention_lab, plot_view, score_table
from lib.widgets.lab import AttentionLab


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run with one trained AlexNet and one trained FE-AlexNet, its images and morphs."""
    folder = tmp_path_factory.mktemp("lab")
    with pytest.MonkeyPatch.context() as patch:
        make_small(patch, folder / "f")
        run = a_run(folder, "03", **{"training.seeds": 1, "training.epochs": 2, "morphs.levels": 5})
        images, morphs = draw_images(folder), draw_morphs(folder)
        train_cells(run, cells(run.study)[0], images)
        yield run, images, morphs


@pytest.fixture
def lab(trained):
    run, images, morphs = trained
    return AttentionLab(run, images, morphs, people_of(run, morphs))


@pytest.fixture
def morphs(trained):
    return trained[2]


def test_the_default_is_the_studys_trained_network(lab, morphs):
    state = lab.default()
    assert (state.kind, state.location, state.level, state.condition) == (
        "self",
        "conv3",
        1.0,
        "full",
    )
    view = lab.view(state)
    fe = [cell for cell in cells(lab.run.study)[0] if cell.architecture == "fe_alexnet"]
    whole = answer_stimuli(lab.run, fe, morphs)
    expected = whole[whole["condition"] == "full"]["p_happy"].to_numpy()
    assert view.answers["p_happy"].to_numpy() == pytest.approx(expected, abs=1e-6)
    assert view.attention.shape == (1, 169, 169) and view.attention.sum(-1) == pytest.approx(
        1, abs=1e-4
    )
    assert "trained" in view.note and view.p_happy == view.answers["p_happy"].iloc[4]


@pytest.mark.parametrize(
    ("kind", "location"),
    [("self", "conv5"), ("se", "conv5"), ("cbam", "conv4"), ("matched", "conv5")],
)
@pytest.mark.parametrize("gain", [0.0, 5.0])
def test_a_new_block_is_alexnet_whatever_its_gain_and_is_called_new(lab, kind, location, gain):
    state = replace(lab.default(), kind=kind, location=location, gain=gain)
    view = lab.view(state)
    plain = lab.plain_answers("full")["p_happy"].to_numpy()
    assert view.answers["p_happy"].to_numpy() == pytest.approx(plain, abs=1e-6)
    assert "new" in view.note and view.counts["block"] > 0
    assert view.scores["now"].to_numpy() == pytest.approx(
        view.scores["AlexNet"].to_numpy(), abs=1e-5, nan_ok=True
    )


def test_trained_networks_that_were_put_away_come_back_the_same(lab, monkeypatch):
    monkeypatch.setattr(import_module("lib.widgets.lab"), "LOADED", 1)
    one = replace(lab.default(), kind="se", location="conv4")
    lab.train(one)
    first = lab.view(one).answers["p_happy"].to_numpy()
    lab.train(replace(one, location="conv5"))
    assert one.structure not in lab.networks and len(lab.networks) == 2  # with AlexNet itself
    again = lab.view(one)
    assert (
        np.array_equal(again.answers["p_happy"].to_numpy(), first)
        and "This block is trained" in again.note
    )


def test_a_weight_on_the_mouth_draws_attention_there_and_an_even_one_changes_nothing(lab):
    state = replace(lab.default(), gain=1.0)
    even, mouth = (
        lab.view(replace(state, eyes=1.0, nose=1.0, mouth=1.0)),
        lab.view(replace(state, mouth=3.0)),
    )
    assert even.attention == pytest.approx(lab.view(state).attention, abs=1e-6)
    place = mouth.asks[0] * 13 + mouth.asks[1]
    assert mouth.attention[0, :, place].mean() > 2 * even.attention[0, :, place].mean()


def test_another_face_or_place_keeps_the_answers_and_another_setting_or_training_does_not(
    lab, monkeypatch
):
    asked, state, own = [], lab.default(), lab._answers
    monkeypatch.setattr(lab, "_answers", lambda *given: asked.append(given[0]) or own(*given))
    first = lab.view(state)
    asked.clear()
    other = lab.view(replace(state, level=0.5, asks="eyes"))
    assert not asked and other.scores.equals(first.scores) and other.p_happy != first.p_happy
    assert (
        not lab.view(replace(state, gain=state.gain + 1))
        .answers["p_happy"]
        .equals(first.answers["p_happy"])
    )
    lab.view(state)
    asked.clear()
    lab.train(state)
    lab.view(state)
    assert asked == ["fe_alexnet"]


def test_a_network_without_attention_shows_the_picture_alone(lab):
    view = lab.view(replace(lab.default(), kind="none"))
    assert view.attention is None and view.counts["block"] == 0
    assert len(plot_view(view, lab.reference.at("full").people_fits).axes) == 2


def test_a_figure_drawn_into_once_more_is_the_same_picture(lab):
    """Whatever it showed before: another map, or none."""
    start, used, people = lab.default(), None, lab.reference.at("full").people_fits
    for state in (start, replace(start, gain=2.0, asks="eyes"), replace(start, kind="none"), start):
        used = plot_view(lab.view(state), people, figure=used)
        assert _png(used) == _png(plot_view(lab.view(state), people)) and len(used.axes) == 2 + (
            state.kind == "self"
        )


def test_whom_a_condition_is_compared_with_is_computed_once(lab, monkeypatch):
    conditions, reference = lab.stimuli["condition"].unique(), lab.reference
    reference.prepare(conditions)
    monkeypatch.setattr(lab_reference, "fit_table", None)
    monkeypatch.setattr(lab_reference, "Scorer", None)
    reference.prepare(conditions)
    assert set(reference.at("full").plain_points["architecture"]) == {"alexnet"}


def test_training_makes_the_block_the_labs_and_the_studys_checkpoints_stay(lab):
    pointers = {p.name: p.read_bytes() for p in (lab.run.folder / "checkpoints").glob("*.json")}
    state = replace(lab.default(), kind="se")
    steps = []
    judged = lab.train(state, steps.append)
    assert len(steps) == lab.steps() and judged["split"] == "test" and judged["n"] == 8
    assert "trained" in lab.note(state)
    here, out = (lab.view(replace(state, gain=g)).answers["p_happy"] for g in (1.0, 0.0))
    assert np.abs(here - out).max() > 1e-4
    assert {
        p.name: p.read_bytes() for p in (lab.run.folder / "checkpoints").glob("*.json")
    } == pointers
    assert (
        lab.train(state, steps.append) == judged and len(steps) == lab.steps()
    )  # read back, not trained again


def test_a_stopped_training_changes_nothing(lab):
    state = replace(lab.default(), kind="matched", location="conv4")
    before = lab.view(state).answers["p_happy"].to_numpy()

    def stop(note):
        raise Cancelled

    with pytest.raises(Cancelled):
        lab.train(state, stop)
    assert "new" in lab.note(state) and np.array_equal(before, lab.view(state).answers["p_happy"])
    with pytest.raises(ValueError, match="Allowed: self, se, cbam, matched"):
        lab.train(replace(state, kind="none"))


def test_copied_settings_are_read_back_as_the_same_attention(lab, tmp_path):
    state = replace(
        lab.default(),
        kind="self",
        location="conv4",
        reduction=4,
        heads=2,
        temperature=0.5,
        gain=0.25,
        mouth=1.5,
    )
    section, words = lab.settings(state)
    wanted = state.attention(14)
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"name": "mine", **yaml.safe_load(section)}))
    assert Attention.of(load_study(path).attention).region_weights() == wanted.region_weights()
    assert Attention.of(load_study(path).attention, region_prior=None) == replace(
        wanted, region_prior=None
    )
    assert load_study("data/studies/smoke.yaml", words).attention == load_study(path).attention


def test_the_scores_are_those_of_the_scorecard(lab, morphs):
    run, people = lab.run, lab.reference.people
    networks = answer_stimuli(run, cells(run.study)[0][:1], morphs)
    s = run.study.statistics
    both = pd.concat([networks, people], ignore_index=True)
    whole = human_likeness(both, s).set_index("metric")
    scorer = Scorer(people, networks, s)
    assert scorer.score(networks) == pytest.approx(whole["value"].to_dict(), nan_ok=True)
    assert scorer.anchors["chance"].to_dict() == pytest.approx(
        whole["chance"].to_dict(), nan_ok=True
    )
    assert scorer.anchors["ceiling"].to_dict() == pytest.approx(
        whole["ceiling_low"].to_dict(), nan_ok=True
    )


def test_controls_move_the_figure_train_cancel_and_reset(lab):
    controls = LabControls(lab)
    first = controls.picture.value
    controls.controls["gain"].value = 3.0
    assert controls.picture.value != first
    controls.controls["kind"].value = "se"
    assert (
        controls.controls["asks"].disabled
        and controls.controls["gain"].value == lab.run.study.attention.gain
    )
    controls.train()
    controls._thread.join(60)
    assert controls.left.value.startswith("trained: ") and controls.bar.value == controls.bar.max
    assert not controls.buttons["Train"].disabled and controls.buttons["Cancel"].disabled
    controls.controls["kind"].value = "cbam"
    controls.cancel = lambda: None
    controls._stop.set()
    controls._train(controls.state())
    assert controls.left.value == "cancelled; nothing has changed"
    controls.reset()
    assert controls.state() == lab.default() and controls.picture.value == first
    controls.copy()
    assert "kind: self" in controls.text.value and "attention.kind=self" in controls.text.value


def test_settings_that_do_not_fit_are_said_and_the_figure_stays(lab):
    controls = LabControls(lab)
    before = controls.picture.value
    controls.controls["location"].value = "conv1"
    controls.controls["reduction"].value = 32
    controls.controls["heads"].value = 4
    assert "heads 4 given for 2 inner channels" in controls.note.value and controls.picture.value
    assert before != b""


def test_the_static_twin_and_its_table(lab, capsys):
    figure = attention_lab(lab)
    assert "SIMULATED" in figure.axes[0].get_title()
    table = score_table(lab.view(lab.default()), lab.reference.at("full").people_fits)
    assert (
        "parameters of the block" in table.index and "ceiling (simulated people)" in table.columns
    )


def test_without_a_trained_alexnet_there_is_no_lab(tmp_path, images, morphs):
    run = a_run(tmp_path, "03", **{"networks.architectures": ["fe_alexnet"]})
    with pytest.raises(MissingResult, match="no AlexNet"):
        AttentionLab(run, images, morphs, people_of(run, morphs))
