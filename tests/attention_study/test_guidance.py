"""Behaviour to log-weights: what was put into simulated people comes out."""

import numpy as np
import pandas as pd
import pytest

from lib.attention_study.guidance import (
    as_override,
    as_prior,
    as_shares,
    guide_of,
    guiding,
    missing_parts,
    prior_from_people,
)
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


def of_four_faces(factors=None, **changes):
    table = people(factors or {"eyes": 1.3, "nose": 1.0, "mouth": 2.0}, {}, n=10, **changes)
    faces = np.array(["id000", "id001", "id002", "id003"])
    return table.assign(identity=faces[np.arange(len(table)) % 4])


def found_guide(trials, **options):
    return guide_of(trials, STATISTICS, np.random.default_rng(0), **options)


def test_nobody_and_no_face_both_guides_and_judges():
    guides, judges = guiding(of_four_faces())
    assert not set(guides["observer"]) & set(judges["observer"])
    assert not set(guides["identity"]) & set(judges["identity"])
    assert len(set(guides["observer"])) == len(set(judges["observer"])) == 5
    assert len(set(guides["identity"])) == len(set(judges["identity"])) == 2
    one_face = of_four_faces().assign(identity="id000")
    assert sum(map(len, guiding(one_face))) == len(one_face)


def test_what_judges_has_no_say_in_the_guide():
    """No leak: turn round every answer of judging people, and every answer to a judged face."""
    trials = of_four_faces()
    guides, _ = guiding(trials)
    inside = trials.index.isin(guides.index)
    spoiled = trials.assign(response=trials["response"].where(inside, 1 - trials["response"]))
    assert found_guide(spoiled).shares == found_guide(trials).shares
    other = trials.assign(response=trials["response"].where(~inside, 1.0 * (trials["level"] > 0.3)))
    assert found_guide(other).shares != found_guide(trials).shares


def test_the_guide_says_how_much_people_use_each_part():
    guide = found_guide(of_four_faces(trials=120))
    assert sum(guide.shares.values()) == pytest.approx(1) and guide.source == "5 people"
    assert guide.shares["mouth"] > guide.shares["eyes"] > guide.shares["nose"]
    weights = pd.DataFrame({"part": ["eyes", "nose", "mouth"], "log_weight": [0.5, -0.2, 1.5]})
    assert as_shares(weights) == {"eyes": 0.25, "nose": 0.0, "mouth": 0.75}
    assert as_shares(weights.assign(log_weight=-1.0)) is None


def test_without_hidden_parts_a_published_result_guides_or_nothing_does():
    whole = people({}, {}, n=4, trials=10)
    guide = found_guide(whole, published={"eyes": 1.0, "mouth": 3.0})
    assert guide.shares == {"eyes": 0.25, "mouth": 0.75} and "published" in guide.source
    nothing = found_guide(whole)
    assert nothing.shares is None
    assert nothing.reason.endswith("with the eyes or the nose or the mouth hidden")
