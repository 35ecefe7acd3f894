"""Comparisons, equivalence, corrections, the mixed model and the sentences made of them."""

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy import stats

from lib.statistics.reporting import report
from lib.statistics.tests import (
    adjust,
    compare_curves,
    compare_to_observers,
    complete_cases,
    equivalence,
    simple_effects,
)


def frames(seeds=(0.6, 0.62, 0.64), n: int = 30) -> tuple[pd.DataFrame, pd.DataFrame]:
    people = pd.DataFrame({"pse": np.random.default_rng(0).normal(0.5, 0.05, n)})
    return people, pd.DataFrame({"architecture": "alexnet", "pse": list(seeds)})


def test_seeds_are_compared_by_welch_as_scipy_does():
    people, networks = frames()
    row = compare_to_observers(people, networks, "pse").iloc[0]
    oracle = stats.ttest_ind(networks["pse"], people["pse"], equal_var=False)
    assert (row["t"], row["df"], row["p"]) == pytest.approx(
        (oracle.statistic, oracle.df, oracle.pvalue)
    )
    assert row["low"] < row["difference"] < row["high"]
    assert row["z"] == pytest.approx((0.62 - people["pse"].mean()) / people["pse"].std())


def test_one_network_is_a_constant_and_the_difference_is_network_less_people():
    people, networks = frames(seeds=(0.6,))
    row = compare_to_observers(people, networks, "pse").iloc[0]
    oracle = stats.ttest_1samp(people["pse"], 0.6)
    assert (row["t"], row["p"]) == pytest.approx((-oracle.statistic, oracle.pvalue))
    assert row["low"] < row["difference"] < row["high"] and row["difference"] > 0
    expected = float(pingouin.bayesfactor_ttest(oracle.statistic, 30))
    assert row["bf10"] == pytest.approx(expected)


def test_an_architecture_without_any_value_is_nan_and_says_so():
    people, networks = frames(seeds=(np.nan,))
    row = compare_to_observers(people, networks, "pse").iloc[0]
    assert np.isnan(row["p"]) and np.isnan(row["p_adjusted"]) and row["test"].startswith("none")


def test_one_seed_that_is_left_of_several_is_no_constant():
    people, networks = frames(seeds=(0.6, np.nan, np.nan))
    row = compare_to_observers(people, networks, "pse").iloc[0]
    assert (
        np.isnan(row["p"])
        and row["test"] == "none: 1 of 3 seeds have a value"
        and row["mean_networks"] == 0.6
    )


def test_curves_are_compared_by_pse_and_slope_as_far_as_people_have_them():
    people, networks = frames()
    people, networks = people.assign(slope=np.nan), networks.assign(slope=3.0)
    table = compare_curves(people, networks, ["architecture"])
    assert set(table["quantity"]) == {"pse"}
    pd.testing.assert_frame_equal(
        table.drop(columns="quantity"), compare_to_observers(people, networks, "pse")
    )
    none = compare_curves(people.assign(pse=np.nan), networks, ["architecture"])
    assert none.empty and {"quantity", "architecture", "n_seeds", "test", "p"} <= set(none)


def test_no_networks_make_an_empty_table_of_the_usual_columns():
    people, networks = frames()
    usual = compare_to_observers(people, networks, "pse")
    for none in (networks.iloc[:0], pd.DataFrame()):
        table = compare_to_observers(people, none, "pse")
        assert table.empty and list(table) == list(usual)
    curves = compare_curves(people.assign(slope=people["pse"]), networks.iloc[:0], ["architecture"])
    assert curves.empty and list(curves) == ["quantity", *usual]
    assert list(
        compare_curves(people.assign(pse=0.5, slope=1.0), networks, ["architecture"])
    ) == list(curves)
    first_untested = pd.concat([frames(seeds=(np.nan,))[1].assign(architecture="vgg11"), networks])
    assert list(compare_to_observers(people, first_untested, "pse")) == list(usual)


@pytest.mark.parametrize("column", ["pse", "architecture"])
def test_a_missing_column_of_the_networks_is_named_with_those_there(column):
    people, networks = frames()
    with pytest.raises(ValueError, match=f"column '{column}' is not in the table; there are: "):
        compare_to_observers(people, networks.drop(columns=column), "pse")


def test_complete_cases_are_those_with_a_value_everywhere():
    data = pd.DataFrame(
        {
            "observer": list("aabbc"),
            "condition": ["full", "eyes"] * 2 + ["full"],
            "pse": [0.5, 0.6, 0.4, np.nan, 0.5],
        }
    )
    assert set(complete_cases(data, "pse", "observer", "condition")["observer"]) == {"a"}


def test_people_without_variance_are_refused():
    people, networks = frames()
    with pytest.raises(ValueError, match="at least two people who differ"):
        compare_to_observers(people.assign(pse=0.5), networks, "pse")


def test_equivalence_by_hand_and_its_interval_decides_as_its_p():
    x = np.array([0.49, 0.5, 0.51, 0.5, 0.5, 0.49, 0.51, 0.5])
    row = equivalence(x, 0.5, bound=0.02).iloc[0]
    t = 0.02 / (x.std(ddof=1) / np.sqrt(8))
    assert row["p"] == pytest.approx(stats.t.sf(t, 7)) and row["equivalent"]
    far = equivalence(x, 0.53, bound=0.02).iloc[0]
    assert not far["equivalent"] and not (far["low"] > -0.02 and far["high"] < 0.02)
    with pytest.raises(ValueError, match="above 0"):
        equivalence(x, 0.5, bound=0)


@pytest.mark.parametrize("paired", [False, True])
def test_equivalence_of_two_samples_is_welchs_and_leaves_missing_values_out(paired):
    """By hand: two one-sided tests of x - y against either bound, without the NaN."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(0, 1, 20), rng.normal(0.1, 3, 20)
    row = equivalence(
        np.append(x, np.nan), np.append(y, 5.0 if paired else np.nan), bound=1, paired=paired
    ).iloc[0]
    against = (
        (lambda v, **o: stats.ttest_rel(v, y, **o))
        if paired
        else (lambda v, **o: stats.ttest_ind(v, y, equal_var=False, **o))
    )
    tests = [against(x + 1, alternative="greater"), against(x - 1, alternative="less")]
    worse = max(tests, key=lambda test: test.pvalue)
    assert (row["p"], row["t"], row["df"]) == pytest.approx(
        (worse.pvalue, worse.statistic, worse.df)
    )
    ends = against(x).confidence_interval(0.9)
    assert (row["low"], row["high"], row["n"]) == pytest.approx((ends.low, ends.high, 20))
    assert row["difference"] == pytest.approx(x.mean() - y.mean()) and "TOST" in report(row)
    assert row["correction"] == "none" and "(" not in report(row).partition("TOST")[2]
    corrected = adjust(pd.DataFrame([row, row])).iloc[0]
    assert corrected["correction"] == "holm" and report(corrected).endswith("(Holm)")


def test_equivalence_of_one_value_is_refused():
    with pytest.raises(ValueError, match="two or more of each"):
        equivalence([0.5], [0.4, 0.6], bound=0.1)


def test_the_bayes_factor_of_seeds_goes_with_their_t():
    """Seeds that hardly vary are as good as one network; seeds that vary as much as they lie
    away are no evidence.
    """
    people, networks = frames(seeds=(0.6, 0.6001, 0.5999))
    constant = compare_to_observers(people, frames(seeds=(0.6,))[1], "pse").iloc[0]
    row = compare_to_observers(people, networks, "pse").iloc[0]
    assert row["bf10"] == pytest.approx(constant["bf10"], rel=0.02) and row["bf10"] > 100
    assert compare_to_observers(people, frames(seeds=(0.4, 0.6, 0.8))[1], "pse").iloc[0]["bf10"] < 1


def test_holm_by_hand_and_nan_stays():
    table = adjust(pd.DataFrame({"p": [0.01, 0.04, np.nan, 0.03]}))
    assert table["p_adjusted"].tolist() == pytest.approx([0.03, 0.06, np.nan, 0.06], nan_ok=True)
    assert adjust(pd.DataFrame({"p": [0.01, 0.04]}), method="fdr")[
        "p_adjusted"
    ].tolist() == pytest.approx([0.02, 0.04])
    with pytest.raises(ValueError, match="holm, fdr"):
        adjust(table, method="bonferroni")


def test_simple_effects_equal_paired_t():
    rng = np.random.default_rng(1)
    wide = rng.normal([0, 0.5, 1.0], 1, (20, 3))
    data = pd.DataFrame(
        [(s, c, wide[s, i]) for s in range(20) for i, c in enumerate(("full", "eyes", "mouth"))],
        columns=["observer", "condition", "pse"],
    )
    table = simple_effects(data, "pse", "observer", "condition", reference="full").set_index("a")
    oracle = stats.ttest_rel(wide[:, 2], wide[:, 0])
    assert table.loc["mouth", "t"] == pytest.approx(oracle.statistic)
    assert len(simple_effects(data, "pse", "observer", "condition")) == 3


def test_simple_effects_without_a_pair_are_an_empty_table_of_the_usual_columns():
    data = pd.DataFrame(
        {
            "observer": [1, 1, 2, 2],
            "condition": ["full", "eyes"] * 2,
            "cue": "low",
            "pse": [0.5, 0.6, 0.4, 0.45],
        }
    )
    usual = list(simple_effects(data, "pse", "observer", "condition", at="cue"))
    assert usual[:4] == ["cue", "a", "b", "difference"] and usual[-2:] == [
        "p_adjusted",
        "correction",
    ]
    one = data[data["condition"] == "full"]
    for few, reference in (
        (one, None),
        (one, "full"),
        (data.iloc[:0], None),
        (data.iloc[:0], "full"),
    ):
        table = simple_effects(few, "pse", "observer", "condition", at="cue", reference=reference)
        assert table.empty and list(table) == usual
    elsewhere = pd.concat([data, data[data["condition"] == "eyes"].assign(cue="high")])
    table = simple_effects(elsewhere, "pse", "observer", "condition", at="cue", reference="full")
    assert table["cue"].tolist() == ["low"]  # no full faces at the other


def test_an_unknown_reference_is_refused_with_the_levels_there_are():
    data = pd.DataFrame({"observer": [1, 1], "condition": ["full", "eyes"], "pse": [0.5, 0.6]})
    with pytest.raises(
        ValueError, match="reference 'mouth' given; allowed: a level of condition: full, eyes"
    ):
        simple_effects(data, "pse", "observer", "condition", reference="mouth")


def test_sentences():
    anova = {
        "f": 5.312,
        "df1": 2,
        "df2": 16,
        "p": 0.0171,
        "eps_gg": 1.0,
        "p_gg": 0.0171,
        "eta_p2": 0.399,
    }
    assert report(anova) == "F(2, 16) = 5.31, p = .017, ηp² = .40"
    assert report(anova | {"eps_gg": 0.75, "p_gg": 0.0004}).startswith(
        "F(1.50, 12) = 5.31, p < .001"
    )
    paired = {
        "t": -2.0,
        "df": 19.0,
        "p": 0.06,
        "difference": -0.1,
        "low": -0.2,
        "high": 0.005,
        "dz": -0.45,
    }
    assert (
        report(paired) == "t(19) = -2.00, p = .060, difference -0.100 [-0.200, 0.005], dz = -0.45"
    )
    assert "p = .120 (Holm)" in report(paired | {"p_adjusted": 0.12, "correction": "holm"})
    assert "p = .120 (FDR)" in report(paired | {"p_adjusted": 0.12, "correction": "fdr"})
    assert report(dict.fromkeys(paired, np.nan)).startswith("t(nan) = nan")
    with pytest.raises(ValueError, match="this module"):
        report({"x": 1})
    with pytest.raises(ValueError, match="this module"):
        report({0: 1})


def test_a_row_of_human_likeness_has_a_sentence():
    row = {
        "architecture": "alexnet",
        "pretraining": "imagenet",
        "metric": "image_consistency",
        "value": 0.42,
        "low": 0.3,
        "high": 0.512,
        "chance": 0.0,
        "ceiling_low": 0.553,
        "ceiling_high": 1.0,
        "n_observers": 8,
        "n_seeds": 3,
        "reason": "",
    }
    assert report(row) == (
        "image consistency = 0.42 [0.30, 0.51], chance 0.00, lower ceiling 0.55, "
        "upper ceiling 1.00, 8 people and 3 seeds"
    )
    empty = dict.fromkeys(("value", "low", "high", "chance"), np.nan) | {
        "n_seeds": 1,
        "reason": "no level shared",
    }
    assert report(pd.Series(row | empty)) == (
        "image consistency = none, lower ceiling 0.55, upper ceiling 1.00, 8 people and 1 seed "
        "(no level shared)"
    )
