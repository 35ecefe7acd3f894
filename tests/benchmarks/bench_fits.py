"""Fits a second beside psignifit, bootstrap time and memory of the fits, in one run.

python tests/benchmarks/bench_fits.py
"""

import resource
import time

import numpy as np
import psignifit

from lib.psychometrics.fitting import fit_psychometric
from lib.psychometrics.sigmoids import both_tails

LEVEL = np.linspace(0, 1, 21)


def simulated(n: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    gaps = rng.uniform(0, 0.05, (2, n))
    parameters = np.stack([rng.normal(0.5, 0.1, n), np.log(0.12) + rng.normal(0, 0.4, n), *gaps], 1)
    return rng.binomial(10, both_tails(parameters, LEVEL, "norm")[0])


def seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    happy = simulated(100_000)
    fit_psychometric(LEVEL, happy[:2000], 10)  # the grid is made once
    ours = 20_000 / seconds(lambda: fit_psychometric(LEVEL, happy[:20_000], 10))
    print(f"fits at 21 levels: {ours:,.0f} a second")
    one, rng = fit_psychometric(LEVEL, happy[0], 10), np.random.default_rng(1)
    print(
        f"2,000 bootstrap samples of one curve: {seconds(lambda: one.bootstrap(2000, rng)):.3f} s"
    )
    print(f"one fit: {1000 * seconds(lambda: fit_psychometric(LEVEL, happy[1], 10)):.1f} ms")
    before = peak_mb()
    large = seconds(lambda: fit_psychometric(LEVEL, happy, 10))
    data = 4 * happy.size * 8 / 2**20
    print(
        f"100,000 fits: {large:.1f} s, {peak_mb() - before:.0f} MB more "
        f"at the peak (counts: {data:.0f} MB)"
    )
    table = np.column_stack([LEVEL, happy[0], np.full(21, 10)])
    theirs = seconds(lambda: psignifit.psignifit(table, experiment_type="yes/no", sigmoid="norm"))
    print(f"psignifit: {theirs:.1f} s for one; ratio {theirs * ours:,.0f}")


if __name__ == "__main__":
    main()
