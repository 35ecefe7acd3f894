"""Makes scipy_fits.csv: 500 simulated data sets and the best optimum that scipy finds for each from
many starts.

    python tests/reference/make_scipy_fits.py

The objective is written out again here from its definition (lib/psychometrics/fitting.py), with
scipy.special alone. About five minutes on two cores; run again only when the definition of the
objective changes.
"""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import optimize, special

LEVEL = np.linspace(0, 1, 21)
STARTS = 10
# name: levels shown (indices), trials at each, bounds of both gaps
DESIGNS = {
    "21 levels, 10 each": (slice(None, None, 1), 10, 0.05),
    "21 levels, 2 each": (slice(None, None, 1), 2, 0.05),
    "6 levels, 32 each": (slice(None, None, 4), 32, 0.05),
    "11 levels, 40 each": (slice(None, None, 2), 40, 0.05),
    "21 levels, 10 each, wide": (slice(None, None, 1), 10, 0.5),
}


def simulate(design: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    shown, trials, _ = DESIGNS[design]
    guess, lapse = rng.uniform(0, 0.05, 2)
    location, scale = rng.normal(0.5, 0.1), 0.12 * np.exp(rng.normal(0, 0.4))
    psi = guess + (1 - guess - lapse) * special.ndtr((LEVEL - location) / scale)
    n = np.zeros(LEVEL.size, int)
    n[shown] = trials
    return rng.binomial(n, psi), n


def objective(x: np.ndarray, happy: np.ndarray, n: np.ndarray, penalty: float, gap: float) -> float:
    """Minus log likelihood and minus log priors, both up to a constant."""
    location, log_scale, guess, lapse = x
    z = (LEVEL - location) / np.exp(log_scale)
    span = 1 - guess - lapse
    psi, rest = guess + span * special.ndtr(z), lapse + span * special.ndtr(-z)
    tested = LEVEL[n > 0]
    width, middle = np.ptp(tested), (tested[0] + tested[-1]) / 2
    priors = (
        0.5 * ((location - middle) / width) ** 2
        + 0.5 * (log_scale - np.log(0.15 * width)) ** 2
        - 9 * (np.log1p(-guess) + np.log1p(-lapse))
    )
    likelihood = happy * np.log(np.maximum(psi, 1e-150)) + (n - happy) * np.log(
        np.maximum(rest, 1e-150)
    )
    return -likelihood.sum() + penalty * priors


def best(job: tuple) -> dict:
    design, happy, n, penalty, seed = job
    rng, gap = np.random.default_rng(seed), DESIGNS[design][2]
    first, width = LEVEL[n > 0][0], np.ptp(LEVEL[n > 0])
    bounds = [
        (first - 3 * width, first + 4 * width),
        (np.log(width / 1000), np.log(10 * width)),
        (0, gap),
        (0, gap),
    ]
    found = []
    for _ in range(STARTS):
        start = [
            rng.uniform(0.2, 0.8),
            np.log(rng.choice([0.01, 0.03, 0.1, 0.2, 0.5])),
            *rng.uniform(0, gap, 2),
        ]
        fit = optimize.minimize(
            objective, start, (happy, n, penalty, gap), method="L-BFGS-B", bounds=bounds
        )
        found.append((fit.fun, fit.x))
    found.sort(key=lambda pair: pair[0])
    for place in range(5):  # a gradient search stops early on a plateau; a simplex does not
        data = (happy, n, penalty, gap)
        fit = optimize.minimize(
            objective, found[place][1], data, method="Nelder-Mead", bounds=bounds
        )
        found[place] = min((found[place], (fit.fun, fit.x)), key=lambda pair: pair[0])
    found.sort(key=lambda pair: pair[0])
    pse = np.array([crossing(x) for loss, x in found if loss < found[0][0] + 0.02])
    unique = np.ptp(pse) < 0.001 and not flat(found[0], (happy, n, penalty, gap))
    return {
        "design": design,
        "gap": gap,
        "penalty": penalty,
        "objective": found[0][0],
        "pse": pse[0],
        "unique": bool(unique),
        "happy": " ".join(map(str, happy)),
        "n": " ".join(map(str, n)),
    }


def flat(best: tuple, data: tuple) -> bool:
    """Whether the location can move by 0.004 at next to no cost: a step between two levels has
    no unique PSE.
    """
    loss, x = best
    return (
        min(objective(x + np.array([move, 0, 0, 0]), *data) for move in (-0.004, 0.004))
        < loss + 1e-3
    )


def crossing(x: np.ndarray) -> float:
    location, log_scale, guess, lapse = x
    return location + np.exp(log_scale) * special.ndtri((0.5 - guess) / (1 - guess - lapse))


def main() -> None:
    rng = np.random.default_rng(20)
    data = [(design, *simulate(design, rng)) for design in list(DESIGNS) * 100]
    jobs = [(*d, penalty, i) for i, d in enumerate(data) for penalty in (0.0, 1.0)]
    with ProcessPoolExecutor() as pool:
        table = pd.DataFrame(pool.map(best, jobs, chunksize=10))
    table.to_csv(Path(__file__).with_name("scipy_fits.csv"), index=False)


if __name__ == "__main__":
    main()
