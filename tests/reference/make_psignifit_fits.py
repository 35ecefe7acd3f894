"""Makes psignifit_fits.csv: five data sets with psignifit's threshold at 0.5 and its 95 % interval.

    python tests/reference/make_psignifit_fits.py

psignifit (Schuett, Harmeling, Macke & Wichmann 2016) with a cumulative Gaussian, in yes/no mode:
both asymptotes free.
"""

from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import psignifit

# counts of happy answers: few trials, an ordinary observer, a biased one, a shallow one, and six
# levels
DATA = {
    "few trials": (
        np.linspace(0, 1, 21),
        3,
        [0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 2, 1, 2, 3, 3, 2, 3, 3, 3, 3, 3],
    ),
    "ordinary": (
        np.linspace(0, 1, 21),
        10,
        [0, 0, 0, 1, 0, 0, 1, 1, 2, 4, 5, 6, 8, 9, 9, 10, 10, 9, 10, 10, 10],
    ),
    "biased": (
        np.linspace(0, 1, 21),
        10,
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 3, 4, 6, 8, 8, 10, 10, 10, 10],
    ),
    "shallow": (np.linspace(0, 1, 11), 20, [1, 2, 4, 5, 7, 11, 12, 15, 16, 18, 19]),
    "six levels": (np.linspace(0, 1, 6), 32, [1, 1, 8, 25, 31, 32]),
}


def fit(name: str) -> dict:
    level, n, happy = DATA[name]
    data = np.column_stack([level, happy, np.full(level.size, n)])
    result = psignifit.psignifit(
        data, experiment_type="yes/no", sigmoid="norm", stimulus_range=(0, 1)
    )
    low, high = result.confidence_intervals["threshold"]["0.95"]
    return {
        "name": name,
        "threshold": result.threshold(0.5, return_ci=False),
        "low": low,
        "high": high,
        "level": " ".join(map(str, level.round(6))),
        "happy": " ".join(map(str, happy)),
        "n": n,
        "psignifit": version("psignifit"),
    }


if __name__ == "__main__":
    table = pd.DataFrame([fit(name) for name in DATA])
    table.to_csv(Path(__file__).with_name("psignifit_fits.csv"), index=False)
