"""Behaviour to log-weights: what was put into simulated people comes out."""

import numpy as np
import pandas as pd
import pytest

from lib.likeness.guidance import as_override, as_prior, missing_parts, prior_from_people
from lib.settings.loading import load_study, parse_overrides
from lib.settings.options import Simulated, Statistics

STATISTICS = Statistics(n_boot=200)


def people(
    factors: dict[str, float], shifts: dict[str, float], n=30, trials=60, seed=0
) -> pd.DataFrame:
    """Cumulative Gaussian observers with PSE 0.5 and SD 0.12, changed where a part is hidden."""
    from scipy.stats import norm

    rng, rows = np.random.default_rng(seed), []
    levels = np.linspace(0, 1, 11)
    for k in range(n):
        for condition in ("full", *factors):
            scale = 0.12 * factors.get(condition, 1)
            p = norm.cdf((levels - 0.5 - shifts.get(condition, 0)) / scale)
            for level, chance in zip(levels, p, strict=True):
                rows += [
                    (f"p{k}", condition, level, r, i)
                    for i, r in enumerate(rng.random(trials) < chance)
                ]
    table = pd.DataFrame(rows, columns=["observer", "condition", "level", "response", "repeat"])
    return table.assign(
        kind="simulated",
        architecture="",
        pretraining="",
        seed="",
        stimulus="",
        identity="",
        p_happy=np.nan,
        rt_s=np.nan,
        response=table["response"].astype(float),
    )


def test_the_parts_weights_are_recovered():
    """Recovery: the slope falls by the factor; a shift of 0.0809 is one JND of SD 0.12 (0.6745
    SD).
    """
    found = prior_from_people(
        people({"eyes": 1.5, "nose": 1.0, "mouth": 1.0}, {"mouth": 0.0809}),
        STATISTICS,
        np.random.default_rng(0),
    ).set_index("part")
    assert found["n"].min() == 30
    assert found["log_weight"].to_dict() == pytest.approx(
        {"eyes": np.log(1.5), "nose": 0.0, "mouth": 1.0}, abs=0.12
    )
    assert (found["low"] < found["log_weight"] + 1e-9).all() and (
        found["log_weight"] < found["high"] + 1e-9
    ).all()
    assert found.loc["eyes", "slope_factor"] == pytest.approx(1.5, abs=0.15)


def test_people_who_saw_whole_faces_alone_give_no_prior():
    whole = people({}, {}, n=3, trials=10)
    assert as_prior(prior_from_people(whole, STATISTICS, np.random.default_rng(0))) is None
    assert missing_parts(whole) == ["eyes", "nose", "mouth"]
    some = people({"eyes": 1.2}, {}, n=3, trials=10)
    assert as_prior(prior_from_people(some, STATISTICS, np.random.default_rng(0))) is None
    assert missing_parts(some) == ["nose", "mouth"]


def test_the_override_reads_back_as_the_same_prior():
    prior = {"eyes": 0.25, "nose": -0.1, "mouth": 0.9}
    assert load_study("data/studies/smoke.yaml", as_override(prior)).attention.region_prior == prior
    assert parse_overrides(as_override(prior), []) == {"attention.region_prior": prior}


def test_the_simulated_peoples_settings_rank_the_mouth_first():
    assert max(Simulated().part_scale_factor, key=Simulated().part_scale_factor.get) == "mouth"
    factors = Simulated().part_scale_factor
    found = prior_from_people(
        people(factors, Simulated().part_pse_shift, n=12), STATISTICS, np.random.default_rng(0)
    )
    prior = as_prior(found)
    assert prior["mouth"] > prior["eyes"] > prior["nose"]
