"""Sentences of notebook 03: each says what its table says, idle blocks included."""

import numpy as np
import pandas as pd
import pytest

from lib.attention_study import words
from lib.attention_study.guidance import Guide
from lib.networks.attention_options import Attention

PRIOR = pd.DataFrame({"part": ["eyes", "nose", "mouth"], "log_weight": [0.2, 0.0, 0.9]})


def effects(*shares):
    rows = [("fe_alexnet", seed, share) for seed, share in enumerate(shares)]
    return pd.DataFrame(rows, columns=["architecture", "seed", "share_of_sd"])


def arm(architecture="fe_alexnet", gain=(0.02, 0.01, 0.03), bits=(0.0, -0.1, 0.1), share=0.1):
    row = {"architecture": architecture, "candidate": "self@conv3 r8", "pretraining": "imagenet"}
    row |= {"accuracy": 0.8 + gain[0], "share_of_sd": share}
    for metric, values in (("accuracy", gain), ("bits", bits)):
        ends = (f"{metric}_gain", f"{metric}_gain_low", f"{metric}_gain_high")
        row |= dict(zip(ends, values, strict=True))
    return row


def test_a_block_that_moves_enough_was_given_and_another_is_called_idle():
    given = words.effect_sentence(effects(0.05, 0.03), 0.02)
    assert "**4.0% of their SD** (3.0% to 5.0% over 2 seeds)" in given and "was given" in given
    idle = words.effect_sentence(effects(0.001, 0.002), 0.02)
    assert "less than the 2%" in idle and "idle" in idle
    assert not words.idle(effects(0.05, 0.03), 0.02) and words.idle(effects(0.001), 0.02)
    assert words.idle(effects(), 0.02)
    assert "not among" in words.effect_sentence(effects(), 0.02)


@pytest.mark.parametrize(
    ("gain", "says"),
    [
        ((0.02, 0.01, 0.03), "better than AlexNet's (+0.020 [+0.010, +0.030])"),
        ((-0.02, -0.03, -0.01), "worse than AlexNet's"),
        ((0.0, -0.01, 0.01), "not told apart from AlexNet's"),
        ((0.02, np.nan, np.nan), "not told apart from AlexNet's (+0.020)"),
    ],
)
def test_every_arm_is_told_with_what_its_interval_allows(gain, says):
    lines = words.arm_sentences(pd.DataFrame([arm("alexnet"), arm(gain=gain)]), 0.02)
    assert len(lines) == 1 and says in lines[0] and "FE-AlexNet" in lines[0]
    assert "too little to matter" not in lines[0]
    small = words.arm_sentences(pd.DataFrame([arm(gain=gain, share=0.001)]), 0.02)
    assert "too little to matter" in small[0]
    unknown = words.arm_sentences(pd.DataFrame([arm(bits=(np.nan,) * 3)]), 0.02)
    assert "bits" not in unknown[0]


def test_what_was_found_names_a_control_that_does_as_well():
    alone = words.found_sentence(pd.DataFrame([arm()]), effects(0.1, 0.1), 0.02, "simulated")
    assert "better than AlexNet's" in alone and "Simulated people" in alone
    assert "not attention's" not in alone
    arms = pd.DataFrame([arm(), arm("alexnet_se", (0.03, 0.0, 0.06))])
    both = words.found_sentence(arms, effects(0.1, 0.1), 0.02, "human")
    assert "AlexNet + SE block does as well or better" in both
    none = words.found_sentence(arms.iloc[1:], effects(0.1), 0.02, "human")
    assert "trains no FE-AlexNet" in none


def test_the_guide_or_why_there_is_none():
    guide = Guide({"eyes": 0.25, "mouth": 0.75}, PRIOR, "20 people")
    text = words.guide_sentence(guide, "simulated")
    assert "eyes 25%, mouth 75%" in text and "20 simulated people" in text
    assert "No arm is guided: nobody knows." in words.guide_sentence(
        Guide(None, PRIOR, "", "nobody knows"), "human"
    )
    assert "{eyes: 0.2, nose: 0.0, mouth: 0.9}" in words.prior_sentence(PRIOR)
    assert words.prior_sentence(PRIOR.iloc[:1]) == ""


def test_maps_that_hang_on_the_place_asked_and_on_who_asks():
    fixed = np.tile([0.7, 0.1, 0.1, 0.1], (2, 4, 1))
    assert "a fixed weighting of places" in words.map_sentence(fixed)
    assert "who asks matters more" in words.map_sentence(np.eye(4)[None])


def test_start_size_and_setting():
    checked = pd.DataFrame({"untrained": [0.0, 2e-7], "gain_0": [0.0, 0.0]})
    assert "they are AlexNet" in words.start_sentence(checked)
    assert "**they are not AlexNet" in words.start_sentence(checked.assign(gain_0=0.1))
    table = pd.DataFrame({"block": [0, 1000], "all": [99_000, 100_000]})
    assert words.size_sentence(table) == "The block adds 1,000 parameters, 1.00% of all."
    assert "no" in words.size_sentence(table.iloc[:1]).lower()
    assert "behind conv3, 4 heads" in words.block_sentence("demo", Attention())
    assert "0.948" in words.hand_sentence(np.full((4, 4), 0.948), 1e-8)


def grid(gains, low=-0.01, high=0.01):
    rows = [{"metric": "accuracy", "kind": "self", "gain_low": low, "gain_high": high}] * gains
    return pd.DataFrame([*rows, {"metric": "accuracy", "kind": "none"}])


def test_a_grid_of_equal_numbers_is_not_drawn():
    assert words.flat(grid(5)) and words.flat(grid(2, 0.01, 0.02))
    assert not words.flat(grid(5, 0.01, 0.02))
    assert "5 settings were trained; 0 of them differ" in words.grid_sentence(grid(5))
    assert "not drawn" in words.grid_sentence(grid(5))


def test_bias_and_its_change():
    rows = [
        (candidate, base, seed, value)
        for candidate, values in (("none", (0.9, 0.6)), ("own", (0.8, 0.7)))
        for base, value in zip(("objects", "untrained"), values, strict=True)
        for seed in (0, 1, 2)
    ]
    cells = pd.DataFrame(rows, columns=["candidate", "pretraining", "seed", "accuracy"])
    (line,) = words.bias_sentences(cells, "own", ["accuracy"], 0.95)
    assert "0.300 without, 0.100 with attention" in line and "weakens the bias" in line
    (line,) = words.bias_sentences(cells.assign(accuracy=np.nan), "own", ["accuracy"], 0.95)
    assert "not known for any seed" in line


def test_selection_and_transfer_have_a_line_a_row():
    row = {"chosen_by": "people", "candidate": "se@conv3 r8", "share": 0.8, "bits": -0.9}
    summary = pd.DataFrame([row | {"gain": 0.01, "low": 0.0, "high": 0.02}])
    (line,) = words.selection_sentences(summary, "human", 0.95)
    assert line.startswith("- chosen by people: se@conv3 r8 (in 80% of the halves)")
    gained = pd.DataFrame(
        [{"base": "objects", "n_labels": 8, "difference": 0.1, "low": 0.05, "high": 0.15}]
    )
    assert words.transfer_sentences(gained) == [
        "- objects, 8 labelled faces: +0.100 accuracy over untrained [+0.050, +0.150]."
    ]
