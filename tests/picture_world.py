"""People and networks who judge morphs of some identities, with a known truth: what each picture
looks like beyond its level, and how much of that each of them sees.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.stats import norm

from lib.people.trials import trial_table


@dataclass
class World:
    """Pictures of ``identities`` x ``levels``; ``effect`` (S,) is how much more positive each looks
    than its level says, in probits.
    """

    identities: int = 8
    levels: int = 11
    identity_sd: float = 0.3
    picture_sd: float = 0.3
    seed: int = 0
    level: np.ndarray = field(init=False)
    identity: np.ndarray = field(init=False)
    effect: np.ndarray = field(init=False)

    def __post_init__(self):
        rng = np.random.default_rng([self.seed, 1])
        self.level = np.repeat(np.linspace(0, 1, self.levels), self.identities)
        self.identity = np.tile(np.arange(self.identities), self.levels)
        of_identity = rng.normal(0, self.identity_sd, self.identities)[self.identity]
        self.effect = of_identity + rng.normal(0, self.picture_sd, self.level.size)

    @property
    def stimulus(self) -> np.ndarray:
        places = zip(self.identity, self.level, strict=True)
        return np.array([f"id{i:02d}_{x:.3f}" for i, x in places])

    def rows(self, observer: str, kind: str, **columns) -> pd.DataFrame:
        """One observer's answers to all pictures, rows of the trial table."""
        return trial_table(
            observer=[observer] * self.level.size,
            kind=kind,
            stimulus=self.stimulus,
            identity=[f"id{i:02d}" for i in self.identity],
            level=self.level,
            **columns,
        )

    def people(
        self, count: int, rng: np.random.Generator, *, repeats: int = 1, kind: str = "human"
    ) -> pd.DataFrame:
        """People with PSE 0.5 +- 0.08 and scale 0.15 who see the pictures' effects."""
        tables = []
        for k in range(count):
            p = norm.cdf((self.level - rng.normal(0.5, 0.08)) / 0.15 + self.effect)
            for repeat in range(repeats):
                answer = (rng.random(p.size) < p).astype(float)
                tables.append(self.rows(f"p{k:03d}", kind, response=answer, repeat=repeat + 1))
        return pd.concat(tables, ignore_index=True)

    def network(self, architecture: str, seed: int, log_odds) -> pd.DataFrame:
        """A network with these log-odds (S,)."""
        z = np.broadcast_to(np.asarray(log_odds, float), self.level.shape)
        table = self.rows(
            f"{architecture}-{seed}",
            "cnn",
            architecture=architecture,
            pretraining="imagenet",
            seed=seed,
            response=(z > 0).astype(float),
            p_happy=1 / (1 + np.exp(-z)),
        )
        return table.assign(log_odds=z)

    def networks(
        self,
        architecture: str,
        seeds: int,
        rng: np.random.Generator,
        *,
        insight: float = 0.5,
        noise: float = 0.3,
        bias: float = 0.3,
    ) -> pd.DataFrame:
        """Seeds that see ``insight`` of the pictures' effects beside noise of their own, and differ
        in where they draw the line (``bias``, SD in probits).
        """
        tables = []
        for seed in range(seeds):
            own = rng.normal(0, noise, self.level.size) + rng.normal(0, bias)
            z = (self.level - 0.5) / 0.15 + insight * self.effect + own
            tables.append(self.network(architecture, seed, 1.7 * z))
        return pd.concat(tables, ignore_index=True)

    def level_alone(self) -> np.ndarray:
        """Log-odds (base e) of an observer who knows exactly what people answer at each level on
        average and nothing else.
        """
        spread = np.sqrt(1 + (0.08 / 0.15) ** 2)
        p = norm.cdf(((self.level - 0.5) / 0.15 + self.effect) / spread)
        mean = np.bincount(self._code, p) / np.bincount(self._code)
        return np.log(mean / (1 - mean))[self._code]

    @property
    def _code(self) -> np.ndarray:
        return np.unique(self.level, return_inverse=True)[1]
