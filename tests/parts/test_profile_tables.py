"""Table ``part_profiles``: rows of seeds, architectures and people, and what sets them apart."""

import numpy as np
import pandas as pd
import pytest
from part_answers import CONDITIONS, LEVELS, trials
from scipy import stats

from lib.parts.profile_tables import (
    DIFFERENCES,
    PROFILES,
    measured,
    part_profiles,
    pooled,
    profile_differences,
)

GAINS = dict(zip(CONDITIONS, (6, 6, 1, 6, 5), strict=True))


def networks(architecture, gains, seed=0):
    table = trials(gains, identities=6, rng=np.random.default_rng(seed))
    return table.assign(
        kind="cnn", architecture=architecture, pretraining="objects", response=np.nan, p_happy=0.5
    )


def people(gains, n=8):
    """Choices of simulated people on the same six faces."""
    rng = np.random.default_rng(5)
    rows = [
        {
            "observer": f"sim{k}",
            "kind": "simulated",
            "identity": f"id{identity}",
            "level": level,
            "condition": condition,
            "response": float(rng.random() < stats.norm.cdf(gain * (level - 0.5))),
        }
        for k in range(n)
        for identity in range(6)
        for level in LEVELS
        for condition, gain in gains.items()
        for _ in range(2)
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def table():
    """AlexNet needs the mouth, FE-AlexNet the eyes, people the mouth."""
    fe = dict(zip(CONDITIONS, (6, 1, 6, 5, 6), strict=True))
    return pd.concat(
        [
            networks("alexnet", GAINS),
            networks("fe_alexnet", fe, 1),
            people({"full": 4, "eyes": 4, "mouth": 0.5}),
        ],
        ignore_index=True,
    )


def test_every_seed_every_architecture_and_people_as_one_have_a_row_a_part(table):
    found = part_profiles(table)
    assert list(found.columns) == PROFILES and len(found) == 2 * (3 + 1) * 2 + 2
    assert found["seed"].notna().sum() == 2 * 3 * 2
    assert (found["n_identities"] == 6).all() and (found["n_levels"] == 9).all()
    crowd = pooled(found, "people")
    assert crowd["kind"].tolist() == ["simulated"] * 2 and crowd["n_observers"].tolist() == [8, 8]
    assert not any(found[name].astype(str).str.contains("sim0").any() for name in found)
    means = found[found["seed"].notna()].groupby(["architecture", "part"])["loss"].mean()
    whole = pooled(found).set_index(["architecture", "part"])["loss"]
    assert means.to_dict() == pytest.approx(whole.to_dict())
    assert (found["low"] < found["loss"]).all() and (found["loss"] < found["high"]).all()


def test_profiles_that_are_put_in_are_found_and_told_from_flat(table):
    found = pooled(part_profiles(table)).set_index(["architecture", "part"])
    for name, part, other in (("alexnet", "mouth", "eyes"), ("fe_alexnet", "eyes", "mouth")):
        assert found.loc[(name, part), "low"] > 0.5
        assert found.loc[(name, other), "low"] < 0.5
        assert measured(found.loc[name])


def test_a_flat_profile_is_hardly_ever_told_from_flat():
    """30 networks whom each part costs the same."""
    gains = dict(zip(CONDITIONS, (6, 2, 2, 6, 6), strict=True))
    found = [
        measured(pooled(part_profiles(networks("alexnet", gains, seed)))) for seed in range(30)
    ]
    assert np.mean(found) <= 0.15


def test_differences_find_the_network_that_is_unlike_people(table):
    found = profile_differences(table)
    assert list(found.columns) == DIFFERENCES
    against = found[found["against"] == "people"].set_index(["architecture", "part"])
    assert set(against["compared"]) == {"hidden part alone"}
    assert against.loc[("fe_alexnet", "eyes"), "low"] > 0.25
    assert against.loc[("fe_alexnet", "mouth"), "high"] < -0.1
    assert abs(against.loc[("alexnet", "eyes"), "value"]) < 0.25
    paired = found[found["against"] == "alexnet"]
    assert paired["architecture"].tolist() == ["fe_alexnet"] * 2
    assert set(paired["compared"]) == {"less the control patch"}
    assert "seeds" in paired["reason"].iloc[0]


def test_people_who_saw_whole_faces_alone_and_networks_without_hidden_parts_have_no_profile():
    table = pd.concat([networks("alexnet", {"full": 6.0}), people({"full": 4})], ignore_index=True)
    assert len(part_profiles(table)) == 0 and len(profile_differences(table)) == 0
    seen = pd.concat([networks("alexnet", GAINS), people({"full": 4})], ignore_index=True)
    assert set(part_profiles(seen)["kind"]) == {"cnn"} and len(profile_differences(seen)) == 0
