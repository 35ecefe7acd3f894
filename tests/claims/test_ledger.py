"""The ledger on tables whose truth is known: each verdict is reached, and limits are stated."""

import numpy as np
import pandas as pd
import pytest
from ledger_tables import (
    PUBLISHED,
    accuracy,
    differences,
    likeness,
    manipulation,
    psychometrics,
    tables,
)

from lib.claims.ledger import CLAIMS, COLUMNS, criteria_table, ledger
from lib.claims.verdicts import INCONCLUSIVE, NOT_TESTABLE, PARTLY, REFUTED, SUPPORTED
from lib.settings.options import Claims

FAR = dict.fromkeys(PUBLISHED, 9.0)
OTHER = "people and networks saw different pictures"


def judged(**given):
    return ledger(tables(**given), Claims()).set_index("id")


def test_columns_sentences_and_margins():
    found = ledger(tables(), Claims())
    assert list(found) == [*COLUMNS, "stands_in"]
    assert list(found["id"]) == ["C1", "C2", "C3"]
    assert (found["claim"] == found["id"].map(CLAIMS)).all()
    for row in found.itertuples():
        assert row.evidence[0].isupper() and row.evidence.endswith(".")
    assert found.set_index("id").loc["C2", ["value", "margin"]].tolist() == [0.03, 0.01]
    assert found.set_index("id").loc["C3", "margin"] == 0.9
    assert (found["verdict"] == SUPPORTED).all()


def test_networks_that_the_paper_does_not_have_stand_beside_c1_and_change_no_verdict():
    row = {"architecture": "torchvision:resnet18", "pretraining": "untrained"}
    row |= {"metric": "log_likelihood", "value": 9.0, "low": 8.0, "high": 9.5}
    scores = pd.concat([likeness({"fe_alexnet": 1.1}), pd.DataFrame([row])], ignore_index=True)
    plain = judged()
    found = judged(human_likeness=scores)
    columns = ["value", "low", "high", "verdict"]
    pd.testing.assert_frame_equal(found[columns], plain[columns])
    said = "not counted: log likelihood above level (bits a choice) of resnet18 (untrained) 9.000"
    assert said in found.loc["C1", "evidence"] and "counted" not in plain.loc["C1", "evidence"]
    rows = criteria_table(tables(human_likeness=scores), Claims())
    (one,) = rows[rows["network"] == "resnet18 (untrained)"].to_dict("records")
    assert (one["id"], one["verdict"], one["value"]) == ("C1", NOT_TESTABLE, 9.0)
    untrained = judged(human_likeness=scores, accuracy=accuracy("faces"))
    assert "resnet18 (untrained) 9.000" in untrained.loc["C1", "evidence"]


def test_fault_12_c1_is_about_partly():
    """Some criteria met and some missed is what the paper claims; all or none is not."""
    partly = judged()
    assert partly.loc["C1", "verdict"] == SUPPORTED
    assert partly.loc["C1", "evidence"].count("partly as people") == 4
    none = judged(
        psychometrics=psychometrics(dict.fromkeys(PUBLISHED, 0.99), FAR),
        human_likeness=likeness(dict.fromkeys(PUBLISHED, 0.0), half=0.02),
    )
    assert none.loc["C1", "verdict"] == REFUTED
    assert none.loc["C1", "evidence"].count("none of it as people") == 4
    every = judged(psychometrics=psychometrics())
    assert every.loc["C1", "verdict"] == REFUTED
    assert every.loc["C1", "evidence"].count("all of it as people") == 4


def test_c1_is_partly_so_where_networks_differ_and_open_where_intervals_are_wide():
    two = judged(psychometrics=psychometrics(sensitivity={"vgg13": 9.0, "vgg16": 9.0}))
    assert two.loc["C1", ["verdict", "value"]].tolist() == [PARTLY, 0.5]
    wide = likeness(dict.fromkeys(PUBLISHED, 0.05), half=3)
    assert judged(psychometrics=psychometrics(), human_likeness=wide).loc["C1", "verdict"] == (
        INCONCLUSIVE
    )


def test_fault_9_networks_without_pse_are_outside_only_where_they_say_one_thing():
    none = dict.fromkeys(PUBLISHED, np.nan)
    said = "calls 8 of 8 identities happy at every level"
    outside = judged(psychometrics=psychometrics(none, reason=said))
    assert "the same answer at every level" in outside.loc["C1", "evidence"]
    assert outside.loc["C1", "verdict"] == SUPPORTED  # d' and pictures as people, PSE not
    unknown = judged(psychometrics=psychometrics(none, reason="log-odds do not rise"))
    assert unknown.loc["C1", "verdict"] == INCONCLUSIVE


def test_fault_2_simulated_people_carry_no_verdict_about_people():
    found = judged(psychometrics=psychometrics(kind="simulated"))
    assert found.loc[["C1", "C3"], "verdict"].eq(NOT_TESTABLE).all()
    assert found.loc[["C1", "C3"], "value"].isna().all()
    assert found.loc["C2", "verdict"] == SUPPORTED  # of accuracy alone
    assert "Likeness is not judged: the people are simulated" in found.loc["C2", "evidence"]
    assert found["simulated"].all()


def test_fault_3_different_pictures_leave_c3_untested():
    other = likeness(n_stimuli=0, reason=OTHER)
    blank = differences("log_likelihood", np.nan, np.nan)
    found = judged(human_likeness=other, likeness_differences=blank)
    assert found.loc["C3", "verdict"] == NOT_TESTABLE
    assert OTHER in found.loc["C3", "evidence"].lower() and OTHER in found.loc["C2", "evidence"]
    assert found.loc["C1", "verdict"] == SUPPORTED  # by level alone, and it says so
    assert OTHER in found.loc["C1", "evidence"]


@pytest.mark.parametrize(
    "by, verdict",
    [
        (0.03, SUPPORTED),
        (-0.03, REFUTED),
        ({"vgg16": -0.03}, PARTLY),
    ],
)
def test_c2_in_accuracy(by, verdict):
    found = judged(
        accuracy_differences=differences("accuracy", by),
        psychometrics=psychometrics(kind="simulated"),
    )
    assert found.loc["C2", "verdict"] == verdict


def test_c2_needs_likeness_too_and_is_open_where_intervals_are_wide():
    behind = judged(likeness_differences=differences("log_likelihood", -0.05))
    assert behind.loc["C2", "verdict"] == PARTLY
    wide = judged(
        accuracy_differences=differences("accuracy", 0.02, 0.05),
        likeness_differences=differences("log_likelihood", 0.01, 0.05),
    )
    assert wide.loc["C2", "verdict"] == INCONCLUSIVE


def test_c2_is_held_together_by_holm():
    """Four differences, each clear alone (t = 2.6 at 6 df, p = .04), are not clear together."""
    found = judged(
        accuracy_differences=differences("accuracy", 0.0052, 0.002),
        psychometrics=psychometrics(kind="simulated"),
    )
    assert found.loc["C2", "verdict"] in (INCONCLUSIVE, REFUTED)


def test_c2_against_fewer_than_four_is_at_most_partly():
    some = {
        "accuracy_differences": differences("accuracy", 0.03, versus=("alexnet", "vgg11")),
        "likeness_differences": differences("log_likelihood", 0.05, versus=("alexnet", "vgg11")),
    }
    found = judged(**some)
    assert found.loc["C2", "verdict"] == PARTLY
    assert "Not comparable here: VGG13, VGG16." in found.loc["C2", "evidence"]


@pytest.mark.parametrize("given", [pd.DataFrame(), manipulation(0.0001)])
def test_fault_2_an_idle_block_is_not_judged(given):
    found = judged(manipulation=given)
    assert found.loc[["C2", "C3"], "verdict"].eq(NOT_TESTABLE).all()
    assert found.loc["C1", "verdict"] == SUPPORTED


@pytest.mark.parametrize(
    "share, half, verdict",
    [
        (1.1, 0.05, SUPPORTED),
        (0.5, 0.05, PARTLY),  # far from people, better than the rivals
        (1.0, 0.5, PARTLY),
    ],
)
def test_fault_5_c3_goes_by_the_bound_of_the_interval(share, half, verdict):
    found = judged(human_likeness=likeness({"fe_alexnet": share}, half))
    assert found.loc["C3", "verdict"] == verdict
    assert found.loc["C3", ["value", "low"]].tolist() == pytest.approx([share, share - half])


def test_c3_needs_to_be_better_than_its_rivals():
    same = differences("log_likelihood", 0.0)
    worse = judged(likeness_differences=same)
    assert worse.loc["C3", "verdict"] == PARTLY
    far = judged(likeness_differences=same, human_likeness=likeness({"fe_alexnet": 0.3}))
    assert far.loc["C3", "verdict"] == REFUTED
    alone = differences("log_likelihood", 0.05, versus=PUBLISHED)
    found = judged(likeness_differences=alone)
    assert found.loc["C3", "verdict"] == PARTLY
    assert "Not trained here: AlexNet + matched block." in found.loc["C3", "evidence"]


def test_c3_without_agreement_of_people_is_not_testable():
    none = likeness({"fe_alexnet": 1.0}).assign(of_ceiling=np.nan, reason="no agreement")
    assert judged(human_likeness=none).loc["C3", "verdict"] == NOT_TESTABLE


def test_two_seeds_are_too_few():
    few = {
        "psychometrics": psychometrics(sensitivity=FAR, seeds=2),
        "human_likeness": likeness(seeds=2),
        "likeness_differences": differences("log_likelihood", 0.05, seeds=2),
        "accuracy_differences": differences("accuracy", 0.03, seeds=2),
    }
    assert judged(**few)["verdict"].eq(NOT_TESTABLE).all()


def test_untrained_networks_are_not_what_the_claims_are_about():
    run = {
        name: table.assign(pretraining="untrained") if "pretraining" in table else table
        for name, table in tables().items()
    }
    run["accuracy"] = accuracy().assign(pretraining="untrained").drop_duplicates()
    found = ledger(run, Claims()).set_index("id")
    assert found["verdict"].eq(NOT_TESTABLE).all()
    assert found["evidence"].str.contains("these are untrained").all()


def test_a_comparison_of_pretrainings_needs_a_control_that_does_worse():
    assert "Pretraining is worth +0.300" in judged().loc["C2", "evidence"]
    as_well = judged(accuracy=accuracy(untrained=0.9))
    assert "a comparison of pretrainings is not testable here" in as_well.loc["C2", "evidence"]


def test_mixed_sets_of_weights_are_said():
    names = [*PUBLISHED, "fe_alexnet"]
    weights = pd.DataFrame({"architecture": names, "pretraining": "imagenet", "source": "a.pth"})
    assert "more than one set" not in judged(weights=weights).loc["C2", "evidence"]
    weights.loc[3, "source"] = "vgg16_features_imagenet1k_features.safetensors"
    told = judged(weights=weights).loc["C2", "evidence"]
    assert "VGG16: ImageNet, features" in told and "AlexNet: ImageNet," in told


def test_fault_6_the_ledger_says_in_how_many_analyses_a_verdict_stands():
    names = ("psychometrics", "human_likeness", "likeness_differences")
    same = {name: tables()[name] for name in names}
    behind = same | {"likeness_differences": differences("log_likelihood", -0.05)}
    others = {"noisy": same, "noisy_shifted": same, "argmax": behind, "softmax": same}
    found = ledger(tables(), Claims(), others=others).set_index("id")
    assert found["stands_in"].tolist() == pytest.approx([1, 0.75, 0.75])
    assert "Under argmax and softmax the verdict is not the same" in found.loc["C2", "evidence"]
    assert "Under argmax and softmax the verdict is the same" in found.loc["C1", "evidence"]
    idle = ledger(tables(manipulation=manipulation(0)), Claims(), others=others).set_index("id")
    assert np.isnan(idle.loc["C2", "stands_in"])


def test_every_effect_behind_the_verdicts_is_in_a_table():
    found = criteria_table(tables(), Claims())
    assert found.groupby("id").size().to_dict() == {"C1": 20, "C2": 8, "C3": 5}
    assert set(found.columns) >= {"network", "criterion", "value", "low", "high", "margin"}
    ours = found[found["id"].eq("C3") & found["criterion"].str.contains("ceiling")]
    assert (ours["margin"] == 0.9).all() and (ours["low"] > 0.9).all()


def test_an_interval_of_zero_width_is_never_the_deciding_number():
    blank = differences("accuracy", 0.0, np.nan)
    found = judged(accuracy_differences=blank, psychometrics=psychometrics(kind="simulated"))
    assert found.loc["C2", "verdict"] == NOT_TESTABLE
    assert "[0.000, 0.000]" not in " ".join(found["evidence"])
