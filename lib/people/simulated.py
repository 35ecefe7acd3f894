"""The people of a study: read from a file, or simulated where there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import norm

from lib.people.reading import read_people
from lib.people.trials import TRIAL_COLUMNS, TrialError, count_table, trial_table, validate_trials
from lib.settings.options import Simulated, Study

__all__ = [
    "TRIAL_COLUMNS",
    "TrialError",
    "count_table",
    "people",
    "read_people",
    "simulate_people",
    "simulated_parameters",
    "trial_table",
    "validate_trials",
]


def people(
    study: Study, stimuli: pd.DataFrame, rng: np.random.Generator | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The study's people: those of ``observers.file``, or simulated ones who answer the stimuli.

    Returns
    -------
    trials, report : as ``read_people``; the report of simulated people has one row.
    """
    if study.observers.file is not None:
        trials, report = read_people(study, stimuli)
        return validate_trials(trials), report
    trials = simulate_people(study, stimuli, rng)
    report = pd.DataFrame(
        [
            {
                "rule": "simulated",
                "limit": "",
                "observers_removed": 0,
                "trials_removed": 0,
                "trials_set_missed": 0,
                "observers": trials["observer"].nunique(),
                "trials": len(trials),
                "missed": 0,
                "who": "",
            }
        ]
    )
    report.attrs["notes"] = []
    return validate_trials(trials), report


def simulated_parameters(settings: Simulated, rng: np.random.Generator) -> pd.DataFrame:
    """One row a simulated person: observer, pse, scale, guess, lapse of the whole face.

    PSEs are normal, scales log-normal, guess and lapse rates uniform from 0 to ``lapse_max``.
    """
    n = settings.n
    return pd.DataFrame(
        {
            "observer": [f"sim{k + 1:0{max(2, len(str(n)))}d}" for k in range(n)],
            "pse": np.clip(rng.normal(settings.pse_mean, settings.pse_sd, n), 0.05, 0.95),
            "scale": settings.scale_mean * np.exp(rng.normal(0, settings.scale_log_sd, n)),
            "guess": rng.uniform(0, settings.lapse_max, n),
            "lapse": rng.uniform(0, settings.lapse_max, n),
        }
    )


def chance_of_happy(
    level: ArrayLike, pse: ArrayLike, scale: ArrayLike, guess: ArrayLike, lapse: ArrayLike
) -> np.ndarray:
    """The simulated people's psychometric function, a cumulative Gaussian (Wichmann & Hill 2001,
    eq. 1).

    ``pse`` is where it crosses 0.5: with unequal guess and lapse rates that is not its location.
    """
    location = pse - scale * norm.ppf((0.5 - guess) / (1 - guess - lapse))
    return guess + (1 - guess - lapse) * norm.cdf((level - location) / scale)


def simulate_people(
    study: Study, stimuli: pd.DataFrame, rng: np.random.Generator | None = None
) -> pd.DataFrame:
    """Answers of simulated people to the stimuli.

    Each person answers ``trials_per_level`` times at every level of every condition, the identities
    in turn from a random one. Hiding a part shifts the PSE and widens the scale by the study's
    values for that part.

    Parameters
    ----------
    rng : None takes the study's own seed.

    Returns
    -------
    The trial table, kind ``simulated``. Reaction times are not simulated.
    """
    settings = study.observers.simulated
    rng = np.random.default_rng([16, settings.seed]) if rng is None else rng
    persons = simulated_parameters(settings, rng)
    shown = pd.concat(
        [_session(person.observer, stimuli, settings, rng) for person in persons.itertuples()],
        ignore_index=True,
    ).merge(persons, on="observer", how="left")
    shift = shown["condition"].map(settings.part_pse_shift).fillna(0.0)
    wider = shown["condition"].map(settings.part_scale_factor).fillna(1.0)
    chance = chance_of_happy(
        shown["level"], shown["pse"] + shift, shown["scale"] * wider, shown["guess"], shown["lapse"]
    )
    return trial_table(
        observer=shown["observer"],
        kind="simulated",
        stimulus=shown["stimulus"],
        identity=shown["identity"],
        level=shown["level"],
        condition=shown["condition"],
        repeat=shown["repeat"],
        response=(rng.random(len(shown)) < chance).astype(float),
    )


def _session(
    observer: str, stimuli: pd.DataFrame, settings: Simulated, rng: np.random.Generator
) -> pd.DataFrame:
    """What one person is shown, and how often they have seen it: repeat counts from 1."""
    identities = rng.permutation(np.array(sorted(stimuli["identity"].unique())))
    ordered = stimuli.assign(
        place=stimuli["identity"].map({name: k for k, name in enumerate(identities)})
    )
    ordered = ordered.sort_values(["condition", "level", "place"], kind="stable")
    place = ordered.groupby(["condition", "level"]).cumcount()
    available = ordered.groupby(["condition", "level"])["stimulus"].transform("size")
    # times a stimulus is shown: trials are dealt to the identities in turn
    times = (settings.trials_per_level - place + available - 1) // available
    shown = ordered.loc[
        ordered.index.repeat(times.clip(lower=0)), ["stimulus", "identity", "level", "condition"]
    ]
    return shown.assign(observer=observer, repeat=shown.groupby("stimulus").cumcount() + 1)
