"""How often 95 % intervals hold the true value, by simulation with 3, 5 and 10 seeds.

``python tests/benchmarks/bench_coverage.py`` writes data/reference/coverage.csv, which notebook 04
shows. A first argument gives other numbers of draws than the default.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import norm
from statsmodels.stats.proportion import proportion_confint

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from picture_world import World

from lib.likeness.answers import Candidate, people_of
from lib.likeness.picture_scores import METRICS, PictureScores
from lib.likeness.samples import Scores
from lib.settings.options import ROOT, Statistics
from lib.statistics.crossed import CrossedInterval, crossed_interval, jackknife_interval
from lib.statistics.intervals import mean_interval
from lib.storage.files import write_csv

SEEDS = (3, 5, 10)
IDENTITIES, IMAGES, PEOPLE = 40, 5, 40
DRAWS = 2000
PICTURE_DRAWS = 500
CROSSED, STUDENT, BOOTSTRAP = (
    "crossed",
    "Student's t over seeds alone",
    "percentile bootstrap of seeds",
)
Ends = tuple[float, float]
SPREADS = {  # SD of architectures' differences between seeds, between identities; rest is residual
    "seeds and identities vary": (0.5, 0.7),
    "seeds vary most": (1.0, 0.1),
    "identities vary most": (0.1, 1.0),
    "only the residual varies": (0.0, 0.0),
}


def accuracy_draw(seeds: int, spread: Ends, rng: np.random.Generator) -> np.ndarray:
    """Right or wrong of one architecture less another that is as good, seeds x images."""
    images = IDENTITIES * IMAGES
    easy = rng.normal(1.5, 1.0, images)
    apart = []
    for _ in range(2):
        own = rng.normal(0, spread[1], IDENTITIES)[np.arange(images) // IMAGES]
        ability = rng.normal(0, spread[0], (seeds, 1))
        apart.append(rng.random((seeds, images)) < expit(easy + own + ability))
    return apart[0].astype(float) - apart[1]


def bootstrap_of_seeds(values: np.ndarray, rng: np.random.Generator) -> Ends:
    """The interval that used to be drawn: percentiles of resampled means of seeds."""
    means = values[rng.integers(len(values), size=(500, len(values)))].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def accuracy_intervals(
    seeds: int, spread: Ends, draws: int, rng: np.random.Generator
) -> Iterator[dict[str, Ends]]:
    """Intervals of a difference of accuracies that is truly 0."""
    identity = np.arange(IDENTITIES * IMAGES) // IMAGES
    for _ in range(draws):
        apart = accuracy_draw(seeds, spread, rng)
        crossed = crossed_interval(apart, {"seeds": None, "identities": identity})
        by_seed = apart.mean(1)
        yield {
            CROSSED: (crossed.low, crossed.high),
            STUDENT: mean_interval(by_seed)[1:],
            BOOTSTRAP: bootstrap_of_seeds(by_seed, rng),
        }


def pse_intervals(
    seeds: int, identities: int, spread: Ends, draws: int, rng: np.random.Generator
) -> Iterator[dict[str, Ends]]:
    """Intervals of networks' mean PSE less people's that is truly 0."""
    for _ in range(draws):
        pse = 0.1 * spread[0] * rng.normal(size=(seeds, 1))
        pse = pse + 0.1 * spread[1] * rng.normal(size=identities)
        pse = pse + 0.05 * rng.normal(size=(seeds, identities))
        people = rng.normal(0, 0.1, PEOPLE)
        left = {
            "seeds": (pse.sum() - pse.sum(1)) / (pse.size - identities) - people.mean(),
            "identities": (pse.sum() - pse.sum(0)) / (pse.size - seeds) - people.mean(),
            "people": pse.mean() - (people.sum() - people) / (PEOPLE - 1),
        }
        found = jackknife_interval(pse.mean() - people.mean(), left)
        yield {CROSSED: (found.low, found.high)}


def likeness_draw(draw: int) -> dict[str, tuple[Scores, Scores | None]]:
    """Scores of ten seeds in a new world of pictures, and their lower ceilings."""
    rng = np.random.default_rng([draw, 5])
    world = World(identities=8, levels=7, identity_sd=0.3, picture_sd=0.3, seed=draw)
    people = people_of(world.people(24, rng))
    ready = PictureScores(people, Statistics(), rng)
    order = pd.Index(world.stimulus).get_indexer(people.picture)
    z = (world.level - 0.5) / 0.15 + 0.6 * world.effect
    own = rng.normal(0, 0.25, (max(SEEDS), 1)) + rng.normal(0, 0.4, (max(SEEDS), z.size))
    chance = norm.cdf(z + own)[:, order]
    names = np.arange(max(SEEDS)).astype(str)
    found = ready.scores(Candidate(names, np.stack([chance, chance])))
    low = ready.ceilings()
    return {metric: (found[metric], low[metric].low) for metric in METRICS}


def first(scores: Scores, seeds: int) -> Scores:
    """The first seeds alone."""
    return Scores(
        scores.seeds[:seeds],
        scores.value[:seeds],
        scores.identities[:, :seeds],
        scores.people[:, :seeds],
    )


def likeness_rows(draws: int) -> list[dict]:
    """Coverage of scores, and of their share of the lower ceiling; the true value is the mean over
    all draws.
    """
    found: dict[tuple[str, int], list[CrossedInterval]] = {}
    for draw in range(draws):
        for metric, (scores, ceiling) in likeness_draw(draw).items():
            for seeds in SEEDS:
                some = first(scores, seeds)
                found.setdefault((metric, seeds), []).append(some.interval())
                if metric == "error_consistency":
                    share = some.over(ceiling).interval()
                    found.setdefault((f"{metric}, share of ceiling", seeds), []).append(share)
    rows = []
    for metric, _ in dict.fromkeys((m, 0) for m, _ in found):
        known = [x for seeds in SEEDS for x in found[metric, seeds] if np.isfinite(x.low)]
        truth = float(np.median([x.value for x in known]))
        if "share" not in metric:
            truth = float(np.mean([x.value for x in known]))
        for seeds in SEEDS:
            ends = [(x.low, x.high) for x in found[metric, seeds] if np.isfinite(x.low)]
            rows.append(row(metric, "all vary", CROSSED, seeds, ends, truth, identities=8))
    return rows


def row(
    quantity: str,
    varies: str,
    method: str,
    seeds: int,
    ends: list[Ends],
    truth: float = 0.0,
    identities: int = IDENTITIES,
) -> dict:
    """One row of the table: the share of intervals that hold the truth, and how sure that is."""
    inside = sum(low <= truth <= high for low, high in ends)
    low, high = proportion_confint(inside, len(ends), method="wilson")
    return {
        "quantity": quantity,
        "varies": varies,
        "method": method,
        "seeds": seeds,
        "identities": identities,
        "draws": len(ends),
        "coverage": round(inside / len(ends), 4),
        "coverage_low": round(float(low), 4),
        "coverage_high": round(float(high), 4),
        "mean_width": float(f"{np.mean([b - a for a, b in ends]):.3g}"),
    }


def gathered(
    quantity: str,
    varies: str,
    seeds: int,
    intervals: Callable[[], Iterator[dict[str, Ends]]],
    identities: int = IDENTITIES,
) -> list[dict]:
    """One row a method."""
    ends: dict[str, list[Ends]] = {}
    for found in intervals():
        for method, pair in found.items():
            if np.isfinite(pair[0]):
                ends.setdefault(method, []).append(pair)
    return [
        row(quantity, varies, method, seeds, pairs, identities=identities)
        for method, pairs in ends.items()
    ]


def table(draws: int, picture_draws: int) -> pd.DataFrame:
    """Coverage of accuracy differences, PSE differences and likeness scores."""
    rows = []
    for seeds in SEEDS:
        for varies, spread in SPREADS.items():
            rng = np.random.default_rng([seeds, len(varies)])
            rows += gathered(
                "accuracy difference",
                varies,
                seeds,
                lambda n=seeds, s=spread, r=rng: accuracy_intervals(n, s, draws, r),
            )
            for m in (8, 27):
                rows += gathered(
                    "PSE, networks less people",
                    varies,
                    seeds,
                    lambda n=seeds, k=m, s=spread, r=rng: pse_intervals(n, k, s, draws, r),
                    m,
                )
    frame = pd.DataFrame([*rows, *likeness_rows(picture_draws)])
    return frame.sort_values(["quantity", "varies", "identities", "method", "seeds"])


def main() -> None:
    """Write the table and print it as sentences."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS
    found = table(draws, min(draws, PICTURE_DRAWS))
    write_csv(ROOT / "data" / "reference" / "coverage.csv", found)
    for known in found.to_dict("records"):
        print(
            f"{known['quantity']}, {known['varies']}, {known['seeds']} seeds, "
            f"{known['identities']} identities, {known['method']}: "
            f"{known['coverage']:.3f} of {known['draws']} 95 % intervals hold the true value"
        )


if __name__ == "__main__":
    main()
