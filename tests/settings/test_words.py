"""Words: every network of the tables has its name, and poles have theirs."""

import pytest

from lib.settings.words import label, pole_word, problem_of_poles


def test_a_side_becomes_the_poles_word_and_other_words_stay():
    poles = ("angry", "happy")
    assert [pole_word(word, poles) for word in ("negative", "positive", "angry", "sad")] == [
        "angry",
        "happy",
        "angry",
        "sad",
    ]


@pytest.mark.parametrize("poles", [("sad", "happy"), ("negative", "positive"), ("sehr böse", "ja")])
def test_any_two_words_are_poles(poles):
    assert problem_of_poles(poles) == ""


def test_labels_of_networks():
    assert label("fe_alexnet_guided") == "FE-AlexNet, guided"
    assert label("alexnet", "untrained") == "AlexNet (untrained)"
    assert label("torchvision:resnet18") == "resnet18"
    assert label("nets/mine.py:small_net", "imagenet") == "small_net"
