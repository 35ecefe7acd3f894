"""A trial table of simulated people and made-up networks, for tests of tables and figures: no
network is trained.
"""

import numpy as np
import pandas as pd

from lib.people.simulated import simulate_people
from lib.people.trials import trial_table
from lib.settings.loading import load_study

# architecture, pretraining: where its log-odds cross 0, how steep they are, how noisy
NETWORKS = {
    ("alexnet", "objects"): (0.62, 8.0, 1.0),
    ("vgg16", "objects"): (0.55, 12.0, 1.0),
    ("fe_alexnet", "objects"): (0.52, 11.0, 0.8),
    ("alexnet", "untrained"): (-0.5, 1.0, 0.6),
    ("resnet18", "imagenet"): (0.35, 6.0, 2.0),
}
HIDDEN = {"full": 0.0, "eyes": 0.03, "nose": 0.0, "mouth": 0.2}


def stimuli(identities: int = 6, levels: int = 11, conditions=tuple(HIDDEN)) -> pd.DataFrame:
    rows = [
        (f"i{i}-{c}-{x:.2f}", f"i{i}", x, c)
        for i in range(identities)
        for c in conditions
        for x in np.linspace(0, 1, levels)
    ]
    return pd.DataFrame(rows, columns=["stimulus", "identity", "level", "condition"])


def made_trials(
    n_people: int = 12, seeds: int = 3, kind: str = "simulated", **shown
) -> pd.DataFrame:
    """People and ``NETWORKS`` who answer the same pictures."""
    pictures = stimuli(**shown)
    study = load_study("data/studies/demo.yaml", f"observers.simulated.n={n_people}")
    people = simulate_people(study, pictures).assign(kind=kind)
    parts = [people]
    rng = np.random.default_rng(0)
    own = rng.normal(0, 0.07, pictures["identity"].nunique())
    place = pd.factorize(pictures["identity"])[0]
    for (architecture, pretraining), (centre, steep, noise) in NETWORKS.items():
        for seed in range(seeds):
            away = pictures["level"] - centre - own[place] - pictures["condition"].map(HIDDEN)
            z = steep * (away + rng.normal(0, 0.03)) + rng.normal(0, noise, len(pictures))
            parts.append(
                trial_table(
                    **pictures,
                    observer=f"{architecture}-{pretraining}-s{seed}",
                    kind="cnn",
                    architecture=architecture,
                    pretraining=pretraining,
                    seed=seed,
                    log_odds=z,
                    p_happy=1 / (1 + np.exp(-z)),
                    response=(z > 0) * 1.0,
                )
            )
    return pd.concat(parts, ignore_index=True)
