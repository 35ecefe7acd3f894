"""Answers of networks to faces with hidden parts, whose profiles are known."""

from __future__ import annotations

import numpy as np
import pandas as pd

LEVELS = np.linspace(0, 1, 9)
CONDITIONS = ("full", "eyes", "mouth", "control_eyes", "control_mouth")


def trials(gains, seeds=3, identities=4, sd=1.0, rng=None, offsets=None):
    """Networks whose log-odds rise by ``gains`` of a condition over the morph, with noise."""
    rng = rng or np.random.default_rng(0)
    offsets = offsets or {}
    rows = [
        {
            "observer": f"net-{seed}",
            "seed": seed,
            "identity": f"id{identity}",
            "level": level,
            "condition": condition,
            "p_happy": np.nan,
            "log_odds": gain * level + offsets.get(condition, 0) + rng.normal(0, sd),
        }
        for seed in range(seeds)
        for identity in range(identities)
        for level in LEVELS
        for condition, gain in gains.items()
    ]
    return pd.DataFrame(rows)
