"""Decision noise: recovered from choices, equal to a probit regression, judged on other people."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from lib.observers import decision_noise as dn
from lib.observers.decisions import Noise, halves, probability
from lib.settings.options import Statistics


def network(z, level, condition="full", observer="alexnet-s0"):
    names = [f"{condition}{k}" for k in range(len(z))]
    return pd.DataFrame(
        {
            "observer": observer,
            "kind": "cnn",
            "stimulus": names,
            "level": level,
            "condition": condition,
            "log_odds": z,
            "p_happy": 1 / (1 + np.exp(-np.asarray(z))),
            "response": np.nan,
        }
    )


def people(pictures, chance, n, seed=0, stimulus=True):
    """``n`` people who answer each picture once."""
    rng = np.random.default_rng(seed)
    rows = [
        pictures.assign(
            observer=f"p{k:02d}",
            kind="human",
            log_odds=np.nan,
            p_happy=np.nan,
            response=(rng.random(len(pictures)) < chance).astype(float),
            stimulus=pictures["stimulus"] if stimulus else "",
        )
        for k in range(n)
    ]
    return pd.concat(rows, ignore_index=True)


LEVEL = np.repeat(np.linspace(0, 1, 21), 5)
Z = 6 * (LEVEL - 0.4) + np.random.default_rng(1).normal(0, 2, len(LEVEL))


def test_noise_and_shift_of_constructed_people_are_found():
    pictures = network(Z, LEVEL)
    told = people(pictures, stats.norm.cdf((Z - 0.8) / 2.5), 200)
    found = dn.fit_noise(told, pictures, "noisy_shifted")
    assert (found.sigma, found.shift) == pytest.approx((2.5, -0.8), rel=0.05)
    plain = people(pictures, stats.norm.cdf(Z / 1.3), 200)
    assert dn.fit_noise(plain, pictures).sigma == pytest.approx(1.3, rel=0.05)


def test_on_the_same_pictures_it_is_a_probit_regression():
    pictures = network(Z, LEVEL)
    told = people(pictures, stats.norm.cdf((Z - 0.5) / 3), 20)
    z = np.tile(Z, 20)
    probit = sm.Probit(told["response"], sm.add_constant(z)).fit(disp=0).params.to_numpy()
    found = dn.fit_noise(told, pictures, "noisy_shifted")
    assert (1 / found.sigma, found.shift / found.sigma) == pytest.approx(
        (probit[1], probit[0]), abs=1e-3
    )
    alone = sm.Probit(told["response"], z).fit(disp=0).params.item()
    assert 1 / dn.fit_noise(told, pictures).sigma == pytest.approx(alone, abs=1e-3)


def test_on_other_pictures_level_and_condition_stand_for_them():
    whole, mouth = network(Z, LEVEL), network(Z - 3, LEVEL, "mouth")
    both = pd.concat([whole, mouth])
    chance = [
        probability(table["log_odds"], "noisy", Noise(2.0)).reshape(21, 5).mean(1).repeat(5)
        for table in (whole, mouth)
    ]
    told = people(both, np.concatenate(chance), 100, stimulus=False)
    assert dn.fit_noise(told, both).sigma == pytest.approx(2.0, rel=0.1)
    between = told.assign(level=(told["level"] + 0.01).clip(0, 1))  # the nearest level stands in
    assert dn.fit_noise(between, both).sigma == pytest.approx(dn.fit_noise(told, both).sigma)
    unseen = told[told["condition"] == "full"]  # the network's other conditions say nothing
    assert dn.fit_noise(unseen, both).sigma == pytest.approx(
        dn.fit_noise(unseen, whole).sigma, rel=1e-4
    )


def test_the_mean_over_pictures_does_not_underflow():
    choices = dn.Choices(
        np.array([3.0]), np.array([6.0]), np.array([-900.0, 900.0]), np.array([0]), np.array([2])
    )
    assert dn.loss(choices, 1.0, 0.0) == pytest.approx(-6 * np.log(0.5))


def test_a_network_that_knows_nothing_gets_noise_without_end_and_no_people_the_softmax():
    pictures = network(Z, LEVEL)
    against = people(pictures, stats.norm.cdf(-Z), 10)
    assert dn.fit_noise(against, pictures).sigma > 100 * Z.std()
    assert dn.fit_noise(against[:0], pictures) == Noise()
    assert dn.fit_noise(against, pictures.assign(log_odds=0.3)) == Noise()
    assert dn.fit_noise(against, pictures, "argmax") == Noise()


def test_noise_is_fitted_on_one_half_alone():
    pictures = network(Z, LEVEL)
    told = people(pictures, stats.norm.cdf(Z / 2), 10)
    fitted_on, judged_on = halves(told, 3)
    turned = told["response"].where(told["observer"].isin(fitted_on["observer"]), 0.0)
    both = [pd.concat([p, pictures]) for p in (told, told.assign(response=turned))]
    one, other = (dn.noises(t, Statistics(), rule="noisy", seed=3)["alexnet-s0"] for t in both)
    assert one == other and len(judged_on) == len(fitted_on)
    assert dn.noises(both[1], Statistics(), rule="noisy", seed=4)["alexnet-s0"] != one


def test_decided_trials_hold_the_probability_of_networks_alone():
    pictures = network(Z, LEVEL)
    told = people(pictures, stats.norm.cdf(Z / 2), 4)
    table = pd.concat([told, pictures], ignore_index=True)
    out = dn.decided(table, Statistics(), rule="noisy")
    machine = out["kind"] == "cnn"
    sigma = out.loc[machine, "sigma"].unique().item()
    np.testing.assert_allclose(out.loc[machine, "p_positive"], stats.norm.cdf(Z / sigma))
    assert out.loc[~machine, ["p_positive", "sigma"]].isna().all(axis=None)
    soft = dn.decided(table, Statistics(), rule="softmax")
    np.testing.assert_allclose(soft.loc[machine, "p_positive"], pictures["p_happy"])
