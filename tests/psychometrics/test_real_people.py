"""The 120 people of the reference study: an independent optimum, the group, and the cue.

Their file is not part of the project; without it these tests are skipped.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special

from lib.observers.covariates import covariate_model, cue_effect
from lib.observers.population import people_summary, pooled_people
from lib.observers.tables import fit_table, people_counts, wide_counts
from lib.psychometrics.fitting import fit_psychometric
from lib.settings.options import ROOT, Statistics

FILE = ROOT.parent / "shared/data/angry_happy/people.csv"
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="no people's file here")


@pytest.fixture(scope="module")
def people():
    file = pd.read_csv(FILE, dtype=str)
    table = pd.DataFrame({"observer": file["participant"], "stimulus": file["stimulus"]})
    return table.assign(
        kind="human",
        architecture="",
        pretraining="",
        seed="",
        identity=file["face_sex"],
        level=file["morph"].astype(float) / 200,
        condition="full",
        response=file["response"].map({"angry": 0.0, "happy": 1.0}),
        p_happy=np.nan,
        cue=file["cue_p_happy"].astype(float),
    )


@pytest.fixture(scope="module")
def fits(people):
    return fit_table(people, Statistics(n_boot=100), np.random.default_rng(0))


def stated(x, level, happy, n):
    """The objective as lib/psychometrics/fitting.py states it, written out again."""
    location, log_scale, guess, lapse = x
    z = (level - location) / np.exp(log_scale)
    psi = guess + (1 - guess - lapse) * special.ndtr(z)
    rest = lapse + (1 - guess - lapse) * special.ndtr(-z)
    width, middle = np.ptp(level), (level[0] + level[-1]) / 2
    priors = 0.5 * ((location - middle) / width) ** 2
    priors += 0.5 * (log_scale - np.log(0.15 * width)) ** 2
    priors -= 9 * (np.log1p(-guess) + np.log1p(-lapse))
    likelihood = happy @ np.log(np.maximum(psi, 1e-150))
    return priors - likelihood - (n - happy) @ np.log(np.maximum(rest, 1e-150))


def test_everybodys_pse_is_an_independent_optimum(people):
    _, level, happy, n = wide_counts(people_counts(people), ["observer"])
    fit = fit_psychometric(level, happy, n)
    assert len(n) == 120 and ((n > 0).sum(1) == 4).all()
    bounds = [(-3, 4), (np.log(1e-3), np.log(10)), (0, 0.05), (0, 0.05)]
    for k in range(len(n)):
        shown = n[k] > 0
        data = level[shown], happy[k, shown], n[k, shown]
        starts = [(x, s, 0.01, 0.01) for x in (0.35, 0.5, 0.65) for s in (-3.5, -2.2)]
        runs = [optimize.minimize(stated, s, data, "L-BFGS-B", bounds=bounds) for s in starts]
        location, log_scale, guess, lapse = min(runs, key=lambda run: run.fun).x
        pse = location + np.exp(log_scale) * special.ndtri((0.5 - guess) / (1 - guess - lapse))
        assert fit.pse[k] == pytest.approx(pse, abs=0.005)


def test_the_group_is_where_a_first_look_found_it(fits):
    table = people_summary(fits).set_index("quantity")
    pse, slope = table.loc["pse"], table.loc["slope"]
    assert pse["low"] < 0.481 < pse["high"] and pse["sd_low"] < 0.075 < pse["sd_high"]
    assert slope["low"] < 4.9 < slope["high"] and pse["n"] == 120
    assert 0 < pse["latent_low"] < pse["latent_sd"] < pse["sd"]


def test_pooling_and_single_fits_agree_and_four_levels_leave_the_form_untested(people, fits):
    pooled = pooled_people(people, Statistics())
    assert pooled.mean[0] == pytest.approx(fits["location"].mean(), abs=2 * pooled.mean_error[0])
    assert pooled.fit.pse.std() < fits["pse"].std() and fits["fit_p"].isna().all()


def test_the_cue_is_a_bias_of_known_sign_with_an_interval(people):
    model = covariate_model(people)
    row = model.set_index("source").loc["cue"]
    assert 0 < row["low"] < row["estimate"] < row["high"] and row["converged"]
    assert "face" in " ".join(model["source"]) and "moves people's answers" in cue_effect(model)
