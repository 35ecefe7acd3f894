"""The explorer: every choice is offered and answered, each network loaded once, all controls
work from the keyboard.
"""

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
from mechanism_run import CELLS, Loader, small_run, small_stimuli

from lib.live import explorer as saliency_widget
from lib.live.explorer import ExplorerControls, SaliencyExplorer, saliency_explorer
from lib.live.painter import BUSY
from lib.networks.answers import log_odds
from lib.networks.design import Cell
from lib.networks.network import preprocess
from lib.saliency.enrichment import enrichment
from lib.saliency.maps import METHODS, enlarge, explain, normalise


@pytest.fixture(scope="module")
def stimuli(tmp_path_factory):
    return small_stimuli(tmp_path_factory.mktemp("stimuli"), people=(3,))


@pytest.fixture
def loader(monkeypatch):
    loader = Loader()
    monkeypatch.setattr(saliency_widget, "load_trained", loader)
    yield loader
    plt.close("all")


@pytest.fixture
def explorer(loader, stimuli, tmp_path):
    return SaliencyExplorer(
        small_run(tmp_path, **{"morphs.conditions": ["full", "mouth"]}), stimuli, CELLS
    )


def test_networks_from_outside_have_no_maps_and_are_not_offered(loader, stimuli, tmp_path):
    outside = [Cell("torchvision:resnet18", "untrained"), Cell("mine.py:small", "own")]
    explorer = SaliencyExplorer(small_run(tmp_path), stimuli, [*CELLS, *outside])
    assert explorer.choices()["network"] == [cell.observer for cell in CELLS]
    assert explorer.default()["network"] == CELLS[-1].observer


def texts(figure):
    return " ".join(
        [ax.get_title() for ax in figure.axes]
        + [t.get_text() for ax in figure.axes for t in ax.texts]
    )


def test_everything_that_the_run_has_is_offered_and_the_default_among_it(explorer):
    offered, start = explorer.choices(), explorer.default()
    assert offered["network"] == [cell.observer for cell in CELLS] and offered["method"] == list(
        METHODS
    )
    assert offered["level"] == [0.0, 0.5, 1.0] and offered["condition"] == ["full", "mouth"]
    assert offered["layer"] == [f"conv{k}" for k in range(1, 6)] and list(start) == list(offered)
    assert all(start[name] in offered[name] for name in offered)


@pytest.mark.parametrize(
    "change", [{}, {"method": "gradcam", "layer": "conv3"}, {"condition": "mouth"}, {"level": 0.5}]
)
def test_the_figure_tells_the_answer_and_the_enrichment_of_that_state(
    explorer, loader, stimuli, change
):
    """Oracle: the network asked without the explorer."""
    state = explorer.default() | change
    figure = explorer.figure(**state)
    network = loader.networks[CELLS[-1]]
    saliency, regions = explorer.maps(**state)
    where = {name: state[name] for name in ("face", "level", "condition")}
    image = explorer.image(**where)
    answer = explorer.answer(**where, network=state["network"])
    row = stimuli[
        (stimuli["condition"] == state["condition"]) & (stimuli["level"] == state["level"])
    ]
    assert row["stimulus"].item().startswith("id003") and image.shape == (224, 224, 3)
    assert answer == pytest.approx(log_odds(network(preprocess(image[None]))).item(), abs=1e-4)
    alone = enlarge(explain(network, image[None], state["method"], location=state["layer"]))
    assert saliency == pytest.approx(alone[0], abs=1e-5)
    bars = {
        name.get_text(): bar.get_height()
        for name, bar in zip(figure.axes[2].get_xticklabels(), figure.axes[2].patches, strict=True)
    }
    assert bars == pytest.approx(
        {part: enrichment(normalise(alone, "absolute"), mask)[0] for part, mask in regions.items()},
        rel=1e-3,
    )
    assert f"p(happy) = {1 / (1 + np.exp(-answer)):.2f}" in texts(figure) and state[
        "layer"
    ] in texts(figure)


@pytest.mark.parametrize(
    "method", [name for name in METHODS if name not in ("gradcam", "hirescam")]
)
def test_every_method_answers_and_names_no_layer_that_it_does_not_use(explorer, method):
    figure = explorer.figure(**explorer.default() | {"method": method, "layer": "conv2"})
    assert len(figure.axes) == 3 and "conv2" not in texts(figure)
    assert ("where it looks" in texts(figure)) == (method == "attention")


def test_a_network_without_attention_says_so_instead_of_failing(explorer):
    figure = explorer.figure(
        **explorer.default() | {"network": CELLS[0].observer, "method": "attention"}
    )
    assert "has no self-attention" in texts(figure)


def test_a_picture_that_the_run_lacks_is_named(explorer):
    assert "no picture of id003, level 0.25, full" in texts(
        explorer.figure(**explorer.default() | {"level": 0.25})
    )


def test_going_back_and_forth_loads_and_computes_once(explorer, loader):
    state = explorer.default()
    for level in (0.0, 1.0, 0.0):
        explorer.figure(**state | {"level": level})
    explorer.figure(**state | {"method": "gradcam"})
    assert loader.calls == [CELLS[-1].observer]
    assert explorer.maps.cache_info().misses == 3


def move(controls, **values):
    """Controls moved, and the picture once it has come to rest."""
    for name, value in values.items():
        controls.controls[name].value = value
    controls.painter.wait(60)
    return controls.picture.value


def test_every_control_takes_the_keyboard_says_what_it_is_and_changes_the_figure(explorer):
    """Selects and sliders are native to Tab, arrows and letters; none is taken out of the tab
    order.
    """
    controls = ExplorerControls(explorer)
    first, start = move(controls), explorer.default()
    for name, control in controls.controls.items():
        assert isinstance(control, ipywidgets.Dropdown | ipywidgets.SelectionSlider)
        assert control.tabbable is not False and not control.disabled and len(control.tooltip) > 10
        for other in [value for value in explorer.choices()[name] if value != start[name]][:1]:
            assert move(controls, **{name: other}) != first
            assert move(controls, **{name: start[name]}) == first
        assert BUSY not in controls.picture._dom_classes
    assert not controls.controls["level"].continuous_update


def test_choices_are_called_by_words(explorer):
    words = {name: [word for word, _ in options] for name, options in explorer.words().items()}
    assert words["face"] == ["face 1"] and words["condition"] == ["whole face", "mouth hidden"]
    assert not any("_" in word for word in words["network"]) and "seed" in words["network"][0]


def test_the_poles_own_words_are_used(loader, stimuli, tmp_path):
    run = small_run(tmp_path, **{"poles": ["angry", "calm"]})
    angry = SaliencyExplorer(run, stimuli, CELLS)
    said = texts(angry.figure(**angry.default()))
    assert "p(calm)" in said and "purple: for angry" in said and "happy" not in said


def test_the_layer_rests_where_the_method_has_none(explorer):
    controls = ExplorerControls(explorer)
    controls.controls["method"].value = "occlusion"
    assert controls.controls["layer"].disabled
    controls.controls["method"].value = "gradcam"
    assert not controls.controls["layer"].disabled
    controls.painter.wait(60)


def test_headless_there_is_the_figure_alone_and_live_the_controls_too(
    explorer, loader, stimuli, monkeypatch
):
    displayed = []
    monkeypatch.setattr(saliency_widget, "display", lambda *things: displayed.extend(things))
    monkeypatch.setattr(saliency_widget, "headless", lambda: True)
    still = saliency_explorer(explorer.run, stimuli, CELLS)
    assert len(still.axes) == 3 and not displayed
    monkeypatch.setattr(saliency_widget, "headless", lambda: False)
    live = saliency_explorer(explorer.run, stimuli, CELLS)
    assert [type(thing) for thing in displayed if isinstance(thing, ipywidgets.VBox)] == [
        ipywidgets.VBox
    ]
    assert texts(live) == texts(still)  # the same default state
