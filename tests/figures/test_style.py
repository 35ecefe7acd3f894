"""The palette: people black, and architectures told apart also by colour-blind readers."""

import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from lib.figures.style import COLOURS, PART_COLOURS, SPARE, colour, use_style
from lib.settings.options import ARCHITECTURES, CONDITIONS
from lib.settings.words import LABELS, label, people_label, title_note

# Machado, Oliveira & Fernandes (2009), IEEE TVCG 15(6), table 1, severity 1.0; they act on linear
# RGB
BLIND = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
# sRGB's linear RGB to XYZ (IEC 61966-2-1), white point D65
XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def linear(hexadecimal):
    rgb = np.array(to_rgb(hexadecimal))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE L*a*b* of linear RGB."""
    relative = np.clip(XYZ @ np.clip(rgb, 0, 1) / (XYZ @ np.ones(3)), 0, None)
    f = np.where(
        relative > (6 / 29) ** 3, np.cbrt(relative), relative / (3 * (6 / 29) ** 2) + 4 / 29
    )
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one, other, blindness="normal"):
    """Colour difference (CIE 1976) as a reader with this colour vision sees it; about 2.3 is
    just noticeable.
    """
    return np.linalg.norm(
        lab(BLIND[blindness] @ linear(one)) - lab(BLIND[blindness] @ linear(other))
    )


def test_the_distance_is_that_of_textbook_colours():
    assert distance("#ffffff", "#000000") == pytest.approx(100, abs=0.01)
    assert lab(linear("#ff0000")) == pytest.approx(
        [53.24, 80.09, 67.20], abs=0.05
    )  # Lindbloom's sRGB red
    # red and green of equal lightness come near to each other without red receptors: the simulation
    # does something
    assert distance("#c05000", "#5c7a00", "deuteranopia") < 0.4 * distance("#c05000", "#5c7a00")


def test_people_are_black_and_nothing_else_is():
    assert colour("people") == "#000000"
    assert all(distance(colour(a), "#000000") > 30 for a in COLOURS if a != "people")


@pytest.mark.parametrize("blindness", BLIND)
def test_the_architectures_and_controls_are_told_apart(blindness):
    assert {*ARCHITECTURES, "people"} <= set(COLOURS)
    near = {
        (a, b): distance(colour(a), colour(b), blindness)
        for a, b in itertools.combinations(COLOURS, 2)
    }
    worst = min(near, key=near.get)
    assert near[worst] > 20, f"{worst} differ by {near[worst]:.1f}"


def test_every_colour_stands_out_from_white():
    luminance = {c: linear(c) @ XYZ[1] for c in [*COLOURS.values(), *SPARE, *PART_COLOURS.values()]}
    # WCAG 2.1, 1.4.11: three to one for what a figure is made of
    assert {c: 1.05 / (y + 0.05) for c, y in luminance.items() if 1.05 / (y + 0.05) < 3} == {}


def test_the_two_that_every_figure_compares_differ_most_clearly_for_everyone():
    for blindness in BLIND:
        assert distance(colour("alexnet"), colour("fe_alexnet"), blindness) > 40


@pytest.mark.parametrize("blindness", ["normal", "protanopia", "deuteranopia"])
def test_the_conditions_are_told_apart(blindness):
    assert set(PART_COLOURS) == set(CONDITIONS)
    assert (
        min(distance(a, b, blindness) for a, b in itertools.combinations(PART_COLOURS.values(), 2))
        > 10
    )


@pytest.mark.parametrize("name", [n for n in COLOURS if n != "people"])
def test_each_colour_stands_out_from_white_paper(name):
    assert distance(colour(name), "#ffffff") > 35


def test_every_architecture_has_a_colour_and_a_label_and_no_two_share_one():
    assert set(ARCHITECTURES) <= COLOURS.keys() and set(ARCHITECTURES) <= LABELS.keys()
    assert len(set(COLOURS.values())) == len(COLOURS) and len(set(LABELS.values())) == len(LABELS)


def test_labels_name_the_pretraining_where_it_is_not_the_usual_one():
    assert label("alexnet") == label("alexnet", "imagenet") == "AlexNet"
    assert label("alexnet", "untrained") == "AlexNet (untrained)"
    assert label("something new") == "something new"


def test_simulated_people_are_called_so():
    assert (
        people_label("simulated", 40) == "40 simulated people"
        and people_label("human", 63) == "63 people"
    )
    assert "SIMULATED" in title_note("simulated") and title_note("human") == ""
    with pytest.raises(KeyError):
        people_label("robots")


def test_a_network_of_the_users_has_a_colour_of_its_own_the_same_every_time():
    assert colour("resnet18") == colour("resnet18") and colour("resnet18") in SPARE
    assert colour("resnet18") not in COLOURS.values()


def test_the_style_is_set_without_leaving_a_figure_open():
    with mpl.rc_context():
        before = plt.get_fignums()
        use_style()
        assert plt.rcParams["axes.spines.top"] is False and plt.get_fignums() == before
