"""The mixed logistic model gives back what was put in, with honest intervals."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from lib.statistics.mixed import mixed_logistic


def simulated(
    rng: np.random.Generator, people: int = 30, trials: int = 96, spread: float = 0.6
) -> pd.DataFrame:
    """Log-odds = person + (6 + person's) (level - 0.5) + 0.5 (cue low)."""
    person = np.repeat(np.arange(people), trials)
    level, cue = (
        rng.choice(np.linspace(0, 1, 6), len(person)),
        rng.choice(["high", "low"], len(person)),
    )
    log_odds = (
        rng.normal(0, spread, people)[person]
        + (6 + rng.normal(0, 2 * spread, people)[person]) * (level - 0.5)
        + 0.5 * (cue == "low")
    )
    happy = (rng.random(len(person)) < 1 / (1 + np.exp(-log_odds))).astype(float)
    return pd.DataFrame({"observer": person, "level": level, "cue": cue, "response": happy})


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng, inside = np.random.default_rng(0), []
    for _ in range(40):
        table = mixed_logistic(simulated(rng), "level_centred + C(cue)").set_index("source")
        inside += [
            table.loc[s, "low"] < truth < table.loc[s, "high"]
            for s, truth in (("Intercept", 0), ("level_centred", 6), ("C(cue)[T.low]", 0.5))
        ]
    assert np.mean(inside) > 0.88  # 120 intervals of 95 %: fewer than this in 1 of 1,000 sets


def test_people_who_differ_in_the_effect_of_a_cue_make_its_interval_wide_enough():
    """By-person effects of the cue, SD 0.8: without a random effect of the cue its interval
    misses the truth often.
    """
    rng, inside, wider = np.random.default_rng(6), [], []
    for _ in range(10):
        data = simulated(rng, people=24, trials=120)
        shift = rng.normal(0, 0.8, 24)[data["observer"]] * (data["cue"] == "low")
        p = 1 / (1 + np.exp(-(6 * (data["level"] - 0.5) + 0.5 * (data["cue"] == "low") + shift)))
        data["response"] = (rng.random(len(data)) < p).astype(float)
        rows = [
            mixed_logistic(data, "level_centred + C(cue)", random=random)
            .set_index("source")
            .loc["C(cue)[T.low]"]
            for random in ("level_centred + C(cue)", "level_centred")
        ]
        inside.append(rows[0]["low"] < 0.5 < rows[0]["high"])
        wider.append((rows[0]["high"] - rows[0]["low"]) / (rows[1]["high"] - rows[1]["low"]))
        assert rows[0]["converged"] and rows[1]["converged"]
    assert np.mean(inside) >= 0.8 and np.median(wider) > 1.3


def test_spread_of_people_is_recovered():
    data = simulated(np.random.default_rng(1), people=80, trials=200)
    table = mixed_logistic(data, "level_centred").set_index("source")
    assert table.loc["SD of Intercept", "estimate"] == pytest.approx(0.6, abs=0.15)
    assert table.loc["SD of level_centred", "estimate"] == pytest.approx(1.2, abs=0.4)


def test_without_differences_of_people_it_is_plain_logistic_regression():
    data = simulated(np.random.default_rng(2), spread=0.0)
    ours = mixed_logistic(data, "level_centred * C(cue)").set_index("source")["estimate"].iloc[:4]
    plain = smf.logit(
        "response ~ level_centred * C(cue)", data.assign(level_centred=data["level"] - 0.5)
    ).fit(disp=0)
    np.testing.assert_allclose(ours, plain.params, atol=0.15)


def test_missed_trials_are_left_out_and_counted():
    data = simulated(np.random.default_rng(3), people=8)
    data.loc[:9, "response"] = np.nan
    assert (mixed_logistic(data, "level_centred")["n"] == len(data) - 10).all()


def test_one_observer_or_one_answer_is_refused():
    data = simulated(np.random.default_rng(4), people=3)
    for useless in (data.query("observer == 0"), data.assign(response=1.0)):
        with pytest.raises(ValueError, match="at least two of each"):
            mixed_logistic(useless, "level_centred")


def test_steep_and_different_people_are_no_trouble_for_the_search():
    """As real people: log-odds 13 a level with SD 4. The search for each person's mode once
    leapt past it here.
    """
    rng = np.random.default_rng(5)
    person = np.repeat(np.arange(60), 384)
    level, cue = (
        rng.choice(np.linspace(0, 1, 6), len(person)),
        rng.choice(["high", "low"], len(person)),
    )
    log_odds = (
        0.4
        + rng.normal(0, 1.2, 60)[person]
        + (13 + rng.normal(0, 4, 60)[person]) * (level - 0.5)
        - 0.5 * (cue == "low")
    )
    happy = (rng.random(len(person)) < 1 / (1 + np.exp(-log_odds))).astype(float)
    table = mixed_logistic(
        pd.DataFrame({"observer": person, "level": level, "cue": cue, "response": happy}),
        "level_centred * C(cue)",
    ).set_index("source")
    wide = (table["high"] - table["low"])["C(cue)[T.low]"]
    assert (
        0.1 < wide < 0.4
        and table.loc["C(cue)[T.low]", "low"] < -0.5 < table.loc["C(cue)[T.low]", "high"]
    )
    assert table.loc["SD of level_centred", "estimate"] == pytest.approx(4, rel=0.3)
