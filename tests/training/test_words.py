"""Sentences of notebook 02 say what their tables hold."""

import numpy as np
import pandas as pd

from lib.backbones.weight_files import FEATURES_SET
from lib.networks.design import Cell
from lib.settings.loading import load_study
from lib.training import words

SMOKE = load_study("data/studies/smoke.yaml", {"networks.pretraining": "imagenet"})


def test_sizes_are_compared_where_they_are_published():
    table = pd.DataFrame(
        {
            "architecture": ["alexnet", "torchvision:resnet18"],
            "with_1000_outputs": pd.array([5, None], "Int64"),
            "published": pd.array([5, None], "Int64"),
        }
    )
    text = words.sizes_in_words(table)
    assert "exactly those" in text and "resnet18: from outside" in text
    assert "NOT those" in words.sizes_in_words(table.assign(published=[6, None]))
    assert "outside" not in words.sizes_in_words(table.iloc[:1])


def test_histories_are_said_network_by_network():
    cells = [
        Cell("alexnet", "imagenet"),
        Cell("alexnet", "untrained"),  # the control
        Cell("alexnet_shuffled", "untrained", labels="shuffled"),
        Cell("vgg11", "untrained"),
        Cell("vgg13", "objects"),
        Cell("nets.py:mine", "own"),
    ]
    found = words.bases_in_words(SMOKE, cells)
    assert len(found) == 4
    assert (
        found[0] == "The convolutions of AlexNet are pretrained on ImageNet photographs of objects."
    )
    assert found[1].startswith("**VGG11: untrained.**") and "`make weights`" in found[1]
    assert found[2].startswith("**VGG13: pretrained on generated objects.**")
    assert found[3] == "The convolutions of mine are pretrained on what their own file says."


def test_the_set_of_vgg16_is_named_and_mixed_sets_are_said():
    weights = pd.DataFrame(
        {"architecture": ["alexnet", "vgg16"], "weights_set": ["IMAGENET1K_V1", FEATURES_SET]}
    )
    found = words.sets_in_words(weights)
    assert "AlexNet: torchvision's `IMAGENET1K_V1`" in found[0]
    assert "VGG16: torchvision's `IMAGENET1K_FEATURES`, the VGG group's own" in found[1]
    assert "different histories (IMAGENET1K_V1 and IMAGENET1K_FEATURES)" in found[2]
    assert len(words.sets_in_words(weights.iloc[:1])) == 1


def history(losses):
    return pd.DataFrame(
        [
            {"architecture": "alexnet", "pretraining": "x", "seed": s, "epoch": e + 1}
            | {"validation_loss": loss}
            for s, row in enumerate(losses)
            for e, loss in enumerate(row)
        ]
    )


def test_best_epochs():
    text = words.best_epochs_in_words(history([[3, 1, 2], [3, 2, 1]]))
    assert text == (
        "Of 2 networks, 50% were at their best before the last of 3 epochs; the mean best epoch "
        "is 2.5."
    )


def test_accuracies_and_what_pretraining_is_worth():
    rows = [["alexnet", "objects", 0.8], ["alexnet", "objects", 0.9], ["alexnet", "untrained", 0.6]]
    accuracy = pd.DataFrame(rows, columns=["architecture", "pretraining", "accuracy"])
    accuracy = accuracy.assign(split="test")
    assert "worth +0.250 of accuracy" in words.pretraining_in_words(accuracy, "objects")
    assert words.pretraining_in_words(accuracy, "imagenet") == ""
    assert words.pretraining_in_words(accuracy, "untrained") == ""
    summary = pd.DataFrame(
        [["vgg11", "objects", 3, 0.81, 0.79, 0.83, 400, 0.77, 0.85]],
        columns=[
            "architecture",
            "pretraining",
            "n_seeds",
            "mean",
            "low",
            "high",
            "n",
            "image_low",
            "image_high",
        ],
    )
    assert words.accuracies_in_words(summary) == [
        "- VGG11 (objects): 0.810 [0.790, 0.830] over 3 seeds, [0.770, 0.850] over 400 images"
    ]


def test_answers_at_the_ends_are_means_and_flat_ones_are_called_so():
    rows = [
        ["alexnet", "imagenet", level, "full", p]
        for level, p in [(1.0, 0.9), (0.0, 0.1), (0.5, 0.4), (0.0, 0.3), (1.0, 0.7)]
    ]
    rows += [["vgg11", "untrained", level, "full", 0.5] for level in (0.0, 0.5, 1.0)]
    rows += [["vgg11", "untrained", 0.0, "eyes", 0.0]]
    trials = pd.DataFrame(
        rows, columns=["architecture", "pretraining", "level", "condition", "p_happy"]
    )
    ends = words.answers_at_ends(trials)
    assert list(ends.columns) == ["level 0", "level 0.5", "level 1"]
    np.testing.assert_allclose(ends.to_numpy(), [[0.2, 0.4, 0.8], [0.5] * 3])
    found = words.ends_in_words(ends, ("angry", "happy"))
    assert found[0] == "- AlexNet: mean p(happy) from 0.20 at fully angry to 0.80 at fully happy"
    assert found[1].endswith("(**nearly flat: it hardly tells the morphs apart**)")


def test_networks_that_ran_elsewhere_say_what_they_lack():
    rows = pd.DataFrame({"architecture": ["clip"] * 4, "seed": [0, 0, 1, 1]})
    (line,) = words.elsewhere_in_words(rows)
    assert line.startswith("- clip (2 seeds) ran elsewhere") and "no accuracy on the test" in line
    assert words.elsewhere_in_words(rows[:0]) == []


def test_precision():
    check = {"precision": "bf16", "n": 64, "largest": 0.012, "mean": 0.001, "flipped": 2}
    text = words.precision_in_words(check, Cell("alexnet", "imagenet"))
    assert text.startswith("AlexNet on 64 pictures") and text.endswith("2 answers change sides.")
    assert "nothing to compare" in words.precision_in_words({"precision": "fp32"}, None)
