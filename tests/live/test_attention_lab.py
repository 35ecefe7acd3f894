"""The attention lab: at gain 0 it is AlexNet, settings do what they say, training can be
stopped.
"""

import threading
import time
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
from lib.live import lab_reference
from lib.live.lab import AttentionLab
from lib.live.lab_controls import LabControls, attention_lab
from lib.live.lab_figure import LabFigure, plot_view, score_table
from lib.live.painter import BUSY, Stale
from lib.networks.attention import Attention
from lib.networks.design import cells
from lib.settings.loading import load_study
from lib.storage.runs import MissingResult
from lib.training.train import answer_stimuli, train_cells


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
    monkeypatch.setattr(import_module("lib.live.lab_networks"), "LOADED", 1)
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


def test_a_figure_that_is_set_anew_is_the_same_picture_as_a_fresh_one(lab):
    """Whatever it showed before."""
    start, people = lab.default(), lab.reference.at("full").people_fits
    used = LabFigure(people, looks=True)
    for state in (start, replace(start, gain=2.0, asks="eyes", level=0.5), start):
        fresh = LabFigure(people, looks=True)
        for made in (used, fresh):
            made.show(lab.view(state))
        assert used.png() == fresh.png() and len(used.figure.axes) == 3


def test_a_first_look_tells_the_shown_face_and_the_whole_the_same_of_it(lab):
    start = replace(lab.default(), gain=2.0)
    first, whole = lab.glance(start), lab.view(start)
    assert "of 10 faces" in first.draft and not whole.draft and first.scores.empty
    assert first.p_happy == pytest.approx(whole.p_happy, abs=1e-6)
    assert np.array_equal(first.attention, whole.attention)
    assert not lab.glance(replace(start, level=0.5)).draft  # nothing has to be computed


def test_what_is_no_longer_wanted_ends_between_faces(lab):
    def never():
        raise Stale

    with pytest.raises(Stale):
        lab.view(replace(lab.default(), gain=3.0), never)


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


@pytest.fixture
def controls(lab):
    made = LabControls(lab)
    made.painter.wait(60)
    return made


def move(controls, **values):
    """Controls moved, and the picture once it has come to rest."""
    for name, value in values.items():
        controls.controls[name].value = value
    controls.painter.wait(60)
    return controls.picture.value


def test_a_moved_control_dims_the_picture_until_the_new_one_is_there(controls, monkeypatch):
    first, waiting = controls.picture.value, []
    own = controls.lab.glance
    monkeypatch.setattr(
        controls.lab,
        "glance",
        lambda state: waiting.append(BUSY in controls.picture._dom_classes) or own(state),
    )
    assert move(controls, gain=3.0) != first
    assert waiting == [True] and BUSY not in controls.picture._dom_classes
    assert controls.status.value == ""


def test_another_block_says_that_the_gain_is_back(controls):
    move(controls, gain=3.0)
    move(controls, kind="se")
    assert controls.controls["asks"].disabled and controls.controls["gain"].value == 1.0
    assert "the gain is back at 1" in controls.note.value
    move(controls, gain=2.0)
    assert "back" not in controls.note.value


def test_training_tells_its_steps_and_what_it_changed_and_can_be_taken_back(controls):
    assert controls.buttons["Train"].disabled  # the study's own block is trained
    new = move(controls, kind="cbam")
    assert not controls.buttons["Train"].disabled and "new" in controls.note.value
    told, steps = [], controls.lab.steps()
    controls.left.observe(lambda change: told.append(change["new"]), names="value")
    controls.train()
    assert controls.buttons["Train"].disabled and not controls.buttons["Cancel"].disabled
    controls._training.wait(60)
    controls.painter.wait(60)
    assert told[0] == f"preparing the {steps} steps"
    assert any(words.startswith(f"step {steps} of {steps}, 0 s left") for words in told)
    assert "Learned: " in told[-1] and "AlexNet's" in told[-1]
    assert "trained" in controls.note.value and controls.picture.value != new
    controls.back()
    controls.painter.wait(60)
    assert controls.picture.value == new and "new" in controls.note.value
    assert controls.buttons["Back"].disabled and not controls.buttons["Train"].disabled


def test_cancel_is_answered_at_once_and_nothing_of_the_training_is_kept(controls):
    state = replace(controls.lab.default(), kind="matched", location="conv4")
    controls.reset()
    before = move(controls, kind="matched", location="conv4")
    begun = threading.Event()
    own = controls.lab.train

    def slow(state, tick, wanted):
        begun.set()
        time.sleep(0.5)
        return own(state, tick, wanted)

    controls.lab.train = slow
    controls.train()
    assert begun.wait(10)
    start = time.monotonic()
    controls.cancel()
    assert time.monotonic() - start < 0.3 and not controls.buttons["Train"].disabled
    assert controls.left.value == "cancelled; nothing has changed"
    controls._training.wait(60)
    assert controls.left.value == "cancelled; nothing has changed"
    assert not controls.lab.is_trained(state) and move(controls) == before


def test_reset_and_copy(controls):
    first = controls.picture.value
    move(controls, gain=2.0, temperature=10**0.3)
    assert "temperature: 2.0\n" in controls.copied.text  # and not 1.9952623149688795
    assert "attention.gain=2.0" in controls.copied.text
    controls.reset()
    assert move(controls) == first and controls.state() == controls.lab.default()
    assert "kind: self" in controls.copied.text and "attention.kind=self" in controls.copied.text


def test_controls_have_words_and_tooltips(controls):
    for control in (*controls.controls.values(), *controls.buttons.values()):
        assert len(control.tooltip) > 10
    assert len(controls.copied.hint) > 10
    assert dict(controls.controls["condition"].options)["mouth hidden"] == "mouth"
    assert "fe_alexnet" not in " ".join(word for word, _ in controls.controls["kind"].options)


def test_settings_that_do_not_fit_are_said_and_the_figure_stays(lab):
    controls = LabControls(lab)
    controls.painter.wait(60)
    before = controls.picture.value
    move(controls, location="conv1", reduction=32, heads=4)
    assert BUSY not in controls.picture._dom_classes
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
