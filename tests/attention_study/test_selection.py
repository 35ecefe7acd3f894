"""Human-guided selection: finds the observer it should, and nothing leaks from the half that
judges.
"""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from lib.attention_study.selection import (
    CHOOSERS,
    SIGMAS,
    Choices,
    _halves,
    _level_halves,
    choose,
    cross_validate,
    gather,
    held_out_bits,
    selection_summary,
)
from lib.settings.options import Statistics

LEVELS = np.linspace(0, 1, 9)
NAMES = ("flat", "early", "right", "late")


def candidates() -> np.ndarray:
    return np.stack(
        [np.full(9, 0.5), *(norm.cdf((LEVELS - pse) / 0.15) for pse in (0.3, 0.5, 0.7))]
    )[:, None]


def answers(pse=0.5, people=12, trials=20, seed=0) -> Choices:
    rng = np.random.default_rng(seed)
    n = np.full((people, 9), float(trials))
    happy = rng.binomial(trials, norm.cdf((LEVELS - pse) / 0.15), size=n.shape).astype(float)
    return Choices(happy, n, LEVELS, candidates())


def table_of(choices, **changes):
    options = {"n_splits": 20, "rng": np.random.default_rng(1)} | changes
    return cross_validate(choices, NAMES, [0.9, 0.6, 0.7, 0.8], "early", **options)


@pytest.mark.parametrize(("pse", "name"), [(0.5, "right"), (0.3, "early"), (0.7, "late")])
def test_people_choose_the_candidate_that_answers_as_they_do(pse, name):
    table = table_of(answers(pse))
    assert (table.loc[table["chosen_by"] == "people", "candidate"] == name).all()
    assert set(table.loc[table["chosen_by"] == "accuracy", "candidate"]) == {"flat"}
    assert set(table.loc[table["chosen_by"] == "default", "candidate"]) == {"early"}


def test_changing_the_held_out_people_or_levels_never_changes_the_choice():
    """No leak: whatever the judging half answers, the choosing half chooses the same."""
    clean, rng = answers(), np.random.default_rng(1)
    people, items = _halves(12, rng), _level_halves(LEVELS, rng)
    first = table_of(clean, n_splits=1)
    for side, other in ((0, 1), (1, 0)):
        spoiled = Choices(clean.positive.copy(), clean.n, clean.level, clean.likely)
        seen = np.ix_(people[side], items[side])
        spoiled.positive[:] = clean.n - clean.positive  # everything turned round ...
        spoiled.positive[seen] = clean.positive[seen]  # ... but what chooses
        second = table_of(spoiled, n_splits=1)
        fold = (first["fold"] == side) & (first["chosen_by"] == "people")
        assert first.loc[fold, "candidate"].equals(second.loc[fold, "candidate"])
        assert not first.loc[fold, "bits"].equals(second.loc[fold, "bits"])
        assert not set(people[side]) & set(people[other]) and not set(items[side]) & set(
            items[other]
        )


def test_changing_the_choosing_half_does_change_the_choice():
    clean, rng = answers(), np.random.default_rng(1)
    people, items = _halves(12, rng), _level_halves(LEVELS, rng)
    spoiled = Choices(clean.positive.copy(), clean.n, clean.level, clean.likely)
    spoiled.positive[np.ix_(people[0], items[0])] = norm.cdf((LEVELS[items[0]] - 0.7) / 0.15) * 20
    first, second = table_of(clean, n_splits=1), table_of(spoiled, n_splits=1)
    fold = (first["fold"] == 0) & (first["chosen_by"] == "people")
    assert (
        first.loc[fold, "candidate"].item() == "right"
        and second.loc[fold, "candidate"].item() == "late"
    )


def test_bits_by_hand():
    """Three of four choices happy under p = 0.75: (3 log2 0.75 + log2 0.25) / 4; under a coin
    -1.
    """
    choices = Choices(
        np.array([[3.0]]), np.array([[4.0]]), np.array([0.5]), np.array([[[0.75]], [[0.5]]])
    )
    assert choices.bits()[:, 0] == pytest.approx([(3 * np.log2(0.75) - 2) / 4, -1])
    assert choose(choices)[0] == 0
    sure = Choices(np.array([[1.0]]), np.array([[1.0]]), np.array([0.5]), np.array([[[0.0]]]))
    assert sure.bits()[:, 0] == pytest.approx([np.log2(0.01)])


def test_the_summary_states_the_gain_over_the_default():
    table = table_of(answers())
    summary = selection_summary(table).set_index("chosen_by")
    assert list(summary.index) == list(CHOOSERS)
    assert summary.loc["people", "gain"] > 0 and summary.loc["people", "share"] == 1
    assert summary.loc["default", ["gain", "low", "high"]].tolist() == [0, 0, 0]
    assert summary.loc["accuracy", "gain"] < 0


def people_table(stimulus: list[str]) -> pd.DataFrame:
    rows = [("p1", 1.0), ("p1", np.nan), ("p2", 0.0)]
    return pd.DataFrame(
        [
            {
                "observer": who,
                "condition": "full",
                "kind": "human",
                "response": r,
                "stimulus": s,
                "level": 0.25,
                "p_happy": np.nan,
            }
            for (who, r), s in zip(rows, stimulus, strict=True)
        ]
    )


def network_table() -> pd.DataFrame:
    rows = [("a", 0.0, 0.1), ("b", 0.5, 0.5), ("a", 0.0, 0.3), ("b", 0.5, 0.7)]  # two seeds
    return pd.DataFrame(rows, columns=["stimulus", "level", "p_happy"]).assign(
        condition="full", kind="cnn"
    )


def test_people_and_networks_meet_on_pictures_where_they_saw_the_same_and_on_levels_otherwise():
    by_picture = gather(
        people_table(["a", "b", "b"]), {"one": network_table()}, Statistics(decision="softmax")
    )
    assert by_picture.n.tolist() == [[1, 0], [0, 1]] and by_picture.positive.tolist() == [
        [1, 0],
        [0, 0],
    ]
    assert by_picture.likely == pytest.approx(np.array([[[0.2, 0.6]]]))
    by_level = gather(
        people_table(["", "", ""]), {"one": network_table()}, Statistics(decision="softmax")
    )
    assert by_level.level.tolist() == [0.25] and by_level.likely == pytest.approx(
        np.array([[[0.4]]])
    )
    assert by_level.n.tolist() == [[1], [1]]


def test_too_few_people_or_an_unknown_default_are_refused():
    choices = answers(people=1)
    with pytest.raises(ValueError, match="1 people and 9 levels"):
        table_of(choices)
    with pytest.raises(ValueError, match="allowed: flat, early"):
        cross_validate(
            answers(), NAMES, [0.5] * 4, "none", n_splits=1, rng=np.random.default_rng(0)
        )


def test_each_candidate_has_the_noise_that_the_choosing_half_gives_it():
    """A network four times as sure as people are is not punished for it; noise brings it back."""
    sure = network_table().assign(log_odds=lambda t: np.tile([-4.0, 4.0], 2))
    people = pd.concat([people_table(["a", "b", "b"]), people_table(["b", "a", "a"])])
    noisy = gather(people, {"one": sure}, Statistics(decision="noisy"))
    argmax = gather(people, {"one": sure}, Statistics(decision="argmax"))
    assert noisy.likely.shape == (1, len(SIGMAS), 2) and argmax.likely.shape == (1, 1, 2)
    # half of the answers are each way: a coin is likeliest
    assert held_out_bits(noisy, noisy)[0] == pytest.approx(-1, abs=0.01)
    assert held_out_bits(argmax, argmax)[0] < -2
    given = gather(people, {"one": sure}, Statistics(decision="noisy", decision_noise=2.0))
    assert given.likely[0, 0] == pytest.approx(norm.cdf([-2, 2]))
