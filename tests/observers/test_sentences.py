"""Every sentence of notebook 04 follows from its table."""

import numpy as np
import pandas as pd
import pytest
from made_trials import made_trials

from lib.observers import sentences as say
from lib.observers.multiverse import multiverse
from lib.observers.population import people_summary, pooled_people
from lib.observers.tables import fit_table, people_counts, shifts
from lib.settings.options import Statistics
from lib.statistics.tests import compare_curves

SETTINGS = Statistics(decision="noisy", n_boot=40)


@pytest.fixture(scope="module")
def trials():
    return made_trials(n_people=10, seeds=2)


@pytest.fixture(scope="module")
def fits(trials):
    return fit_table(trials, SETTINGS, np.random.default_rng(0), poles=("angry", "happy"))


def test_who_answers_counts_them_and_says_that_they_are_simulated(trials):
    text = say.who_answers(trials)
    assert "10 simulated people" in text and "10 trained networks" in text
    assert "nothing below is evidence about humans" in text
    real = say.who_answers(trials.replace({"kind": {"simulated": "human"}}))
    assert "10 people" in real and "The people are real." in real


def test_fits_say_how_many_have_a_pse_and_why_not(fits):
    text = "\n".join(say.fits_in_words(fits))
    networks = fits[fits["kind"] == "cnn"]
    assert f"{networks['pse'].notna().sum()} of {len(networks)} curves have a PSE" in text
    assert "identities happy at every level" in text and "% of 40 people's curves" in text
    few = say.fits_in_words(fits.assign(fit_p=np.nan))
    assert "nothing is left to test the form with" in few[-1]


def test_the_group_is_told_with_its_intervals(fits, trials):
    people = fits[(fits["kind"] != "cnn") & (fits["condition"] == "full")]
    summary = people_summary(people)
    lines = say.group_in_words(summary, "simulated")
    assert (
        f"mean PSE {summary['mean'].iloc[0]:.3f} [" in lines[0] and "without the error" in lines[0]
    )
    pooled = pooled_people(trials[trials["kind"] != "cnn"], SETTINGS)
    assert f"{pooled.mean[0]:.3f} [" in say.pooled_in_words(pooled)


def test_levels_say_where_priors_place_the_pse(fits, trials):
    whole = trials[(trials["kind"] != "cnn") & (trials["condition"] == "full")]
    people = fits[(fits["kind"] != "cnn") & (fits["condition"] == "full")]
    plain = people["pse"].to_numpy() + np.where(np.arange(len(people)) < 3, 0.05, 0.001)
    text = say.levels_in_words(people_counts(whole), people, plain)
    assert "answered 11 levels" in text and "in 3 of 10" in text and "ends tell" not in text
    four = whole[whole["level"].isin([0, 0.4, 0.6, 1])]
    assert "ends tell guess and lapse" in say.levels_in_words(people_counts(four), people, plain)


def test_networks_without_a_pse_have_a_reason_and_a_criterion(fits):
    lines = say.networks_in_words(fits)
    untrained = next(line for line in lines if "untrained" in line)
    assert "no PSE in 2 seeds" in untrained and "AUC" in untrained and "criterion +" in untrained
    trained = next(line for line in lines if "FE-AlexNet" in line)
    assert "over 2 of 2 seeds" in trained and "10 simulated people" in trained


def test_noise_names_the_rule_and_every_network(fits):
    text = say.noise_in_words(fits, "noisy")
    assert "Φ(z / σ)" in text and "FE-AlexNet" in text and "resnet18" in text
    assert "nothing is fitted" in say.noise_in_words(fits, "argmax")


def test_hiding_names_the_part_that_costs_most():
    rows = [
        {"observer": f"p{k}", "kind": "human", "architecture": "", "pretraining": "", "seed": ""}
        | {"condition": part, "sensitivity_loss": loss + 0.01 * k}
        for k in range(5)
        for part, loss in (("eyes", 0.1), ("mouth", 0.9))
    ]
    (line,) = say.hiding_in_words(pd.DataFrame(rows))
    assert line.startswith("- people: most by the mouth, +0.92 [+") and "no clear" not in line
    flat = pd.DataFrame(rows).assign(sensitivity_loss=[-0.1, 0.1, 0.1, -0.1, 0, 0, 0, 0, 0.1, 0])
    assert "no clear loss" in say.hiding_in_words(flat)[0]


def test_the_multiverse_tells_a_sign_that_changes(trials, fits):
    assert not shifts(fits).empty
    lines = say.multiverse_in_words(multiverse(trials, SETTINGS))
    assert any("resnet18: from -" in line and "keeps its sign" in line for line in lines)
    assert any("untrained): no PSE where its line is" in line for line in lines)
    assert all("With the line moved to people's" in line for line in lines)


def test_the_multiverse_says_of_whom_it_has_no_pse_at_all():
    world = {"metric": "pse_difference", "architecture": "mine.py:small", "pretraining": "own"}
    worlds = pd.DataFrame([world] * 3).assign(decision="noisy", value=np.nan, low=np.nan, high=0)
    assert say.multiverse_in_words(worlds) == ["- small (own): no PSE in any of 3 analyses."]


def test_three_findings_are_computed(fits):
    people = fits[(fits["kind"] != "cnn") & (fits["condition"] == "full")]
    claims = pd.DataFrame({"id": ["C1", "C2"], "verdict": ["not testable here", "inconclusive"]})
    text = say.found_in_words(people_summary(people), fits, claims, ("angry", "happy"))
    assert text.count("\n") == 2 and "as often as angry" in text
    assert "C1 not testable here; C2 inconclusive" in text and "no verdict about people" in text


def test_a_comparison_is_reported_or_its_absence_explained(fits):
    full = fits[fits["condition"] == "full"]
    humans, networks = full[full["kind"] != "cnn"], full[full["kind"] == "cnn"]
    table = compare_curves(humans, networks, ["architecture", "pretraining"])
    lines = say.comparison_in_words(table, "simulated")
    assert any("against 10 simulated people" in line for line in lines)
    assert any("untrained" in line and "not tested" in line for line in lines)
    assert "Too few" in say.comparison_in_words(table[:0], "human")[0]


def test_a_card_has_verdict_claim_and_what_this_run_says():
    row = {"id": "C2", "verdict": "inconclusive", "claim": "FE-AlexNet outperforms all four"}
    text = say.claim_card(row | {"evidence": "No difference.", "simulated": True})
    assert "C2: inconclusive" in text and "demonstration" in text and "No difference." in text
