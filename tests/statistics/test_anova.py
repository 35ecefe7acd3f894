"""rm_anova against statsmodels (F), pingouin (F, epsilon, corrected p), and a case worked by
hand.
"""

import itertools

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy import stats
from statsmodels.stats.anova import AnovaRM

from lib.statistics.anova import eta_interval, rm_anova


def simulated(sizes: dict[str, int], n: int = 9, seed: int = 0) -> pd.DataFrame:
    """Subjects with correlated, unequally variable cells: sphericity does not hold."""
    rng = np.random.default_rng(seed)
    cells = list(itertools.product(*[range(k) for k in sizes.values()]))
    scores = rng.normal(size=(n, len(cells))) @ rng.normal(
        size=(len(cells), len(cells))
    ) + rng.normal(size=(n, 1))
    rows = [(s, *cell, scores[s, i]) for s in range(n) for i, cell in enumerate(cells)]
    return pd.DataFrame(rows, columns=["subject", *sizes, "y"])


@pytest.mark.parametrize(
    "sizes", [{"a": 4}, {"a": 2, "b": 3}, {"a": 3, "b": 4}, {"a": 2, "b": 3, "c": 4}]
)
def test_f_equals_statsmodels(sizes):
    data = simulated(sizes)
    ours, theirs = (
        rm_anova(data, "y", "subject", list(sizes)),
        AnovaRM(data, "y", "subject", list(sizes)).fit(),
    )
    table = theirs.anova_table
    assert ours["source"].str.replace(" * ", ":").tolist() == table.index.tolist()
    for column, name in (("f", "F Value"), ("df1", "Num DF"), ("df2", "Den DF"), ("p", "Pr > F")):
        np.testing.assert_allclose(ours[column], table[name], rtol=1e-8, atol=1e-12)


def test_one_factor_equals_pingouin():
    data = simulated({"a": 5})
    ours = rm_anova(data, "y", "subject", "a").iloc[0]
    theirs = pingouin.rm_anova(
        data, dv="y", within="a", subject="subject", correction=True, detailed=True, effsize="np2"
    ).iloc[0]
    for column, name in (
        ("f", "F"),
        ("eps_gg", "eps"),
        ("p_gg", "p_GG_corr"),
        ("eta_p2", "np2"),
        ("ss", "SS"),
    ):
        assert ours[column] == pytest.approx(theirs[name], rel=1e-8), column


@pytest.mark.parametrize("sizes", [{"a": 2, "b": 3}, {"a": 4, "b": 2}])
def test_two_factors_equal_pingouin(sizes):
    data = simulated(sizes, seed=2)
    ours = rm_anova(data, "y", "subject", list(sizes))
    theirs = pingouin.rm_anova(
        data, dv="y", within=list(sizes), subject="subject", detailed=True, effsize="np2"
    )
    for column, name in (("f", "F"), ("eps_gg", "eps"), ("p_gg", "p_GG_corr"), ("eta_p2", "np2")):
        np.testing.assert_allclose(ours[column], theirs[name].astype(float), rtol=1e-8)


def test_two_by_three_by_five_worked_by_hand():
    """Five people; y = 2 [a = 1] + 3 b + person * [a = 1], nothing of c.

    a: the difference is 2 + 3 * 2 (mean person 2) = no: see the lines below, all in whole numbers.
    """
    rows = [
        (s, a, b, c, (2 + s) * a + 3 * b)
        for s in range(5)
        for a in range(2)
        for b in range(3)
        for c in range(5)
    ]
    data = pd.DataFrame(rows, columns=["subject", "a", "b", "c", "y"])
    table = rm_anova(data, "y", "subject", ["a", "b", "c"]).set_index("source")
    # a: differences 2, 3, 4, 5, 6: mean 4, variance 2.5, so t² = 16 / (2.5 / 5) = 32; SS = 30 * 5 *
    # (4 / 2)² = 600
    assert table.loc["a", ["df1", "df2", "f", "ss"]].tolist() == pytest.approx([1, 4, 32, 600])
    # error of a: 15 cells * sum of squares of the differences (10) / 2 = 75; eta_p2 = 600 / 675
    assert table.loc["a", "eta_p2"] == pytest.approx(600 / 675)
    # b: 0, 3, 6 for everyone: SS = 50 * (9 + 0 + 9) = 900
    assert table.loc["b", "ss"] == pytest.approx(900)
    assert table.loc["c", "ss"] == pytest.approx(0, abs=1e-9)
    assert table["df2"].tolist() == [4, 8, 16, 8, 16, 32, 32]


def test_epsilon_is_one_for_two_levels_and_at_least_its_lower_bound():
    assert rm_anova(simulated({"a": 2}), "y", "subject", "a")["eps_gg"].item() == pytest.approx(1)
    eps = rm_anova(simulated({"a": 6}), "y", "subject", "a")["eps_gg"].item()
    assert 1 / 5 <= eps <= 1


def test_a_missing_cell_is_named():
    data = simulated({"a": 2, "b": 3}).query("not (subject == 4 and a == 1 and b == 2)")
    with pytest.raises(ValueError, match=r"1 missing cells.*4 / 1 / 2.*mixed model"):
        rm_anova(data, "y", "subject", ["a", "b"])


@pytest.mark.parametrize(
    ("within", "message"),
    [(["a", "b", "c", "d"], "one to three"), (["z"], "not in the table"), ([], "one to three")],
)
def test_wrong_factors_are_refused(within, message):
    with pytest.raises(ValueError, match=message):
        rm_anova(simulated({"a": 2, "b": 2}), "y", "subject", within)


def test_the_interval_of_eta_squared_by_hand_and_its_coverage():
    """F's noncentrality by hand: at its ends F lies at the 97.5 and 2.5 % points; with no
    effect it starts at 0.
    """
    low, high = eta_interval(5.0, 2, 40)
    for end, share in ((low, 0.975), (high, 0.025)):
        assert stats.ncf.cdf(5.0, 2, 40, end / (1 - end) * 43) == pytest.approx(share, abs=1e-3)
    assert eta_interval(0.5, 2, 40)[0] == 0 and np.isnan(eta_interval(np.nan, 2, 40)).all()
    draws = stats.ncf.rvs(2, 40, 8, size=300, random_state=0)
    inside = [low <= 8 / (8 + 43) <= high for low, high in (eta_interval(f, 2, 40) for f in draws)]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.035)


@pytest.mark.parametrize("value", [lambda s: 0.1 * s, lambda s: 0.3, lambda s: 0.5])
def test_a_factor_without_any_effect_or_error_has_no_f_and_no_effect_size(value):
    rows = [{"s": s, "c": c, "y": value(s)} for s in range(6) for c in "abc"]
    row = rm_anova(pd.DataFrame(rows), "y", "s", "c").iloc[0]
    assert row["ss"] == 0 and row[["f", "p", "p_gg", "eps_gg", "eta_p2"]].isna().all()


def test_text_in_place_of_numbers_and_rows_without_a_level_are_named():
    rows = pd.DataFrame([{"s": s, "c": c, "y": s + len(c)} for s in range(3) for c in ("a", "bb")])
    with pytest.raises(ValueError, match=r"column 'y' of type .* given; allowed: numbers"):
        rm_anova(rows.assign(y=rows["y"].astype(str)), "y", "s", "c")
    with pytest.raises(ValueError, match=r"rows without a level given: \{'c': 3\}"):
        rm_anova(rows.assign(c=rows["c"].replace("a", None)), "y", "s", "c")
