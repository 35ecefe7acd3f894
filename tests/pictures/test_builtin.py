"""The built-in set's plan: people split once, nuisance and levels drawn from the seed alone."""

import pytest

from lib.pictures.builtin import SPLITS, _plan, drawing_version, split_identities, wanted
from lib.settings.options import Images, Study


@pytest.mark.parametrize("people", [3, 5, 24, 48, 200])
def test_every_person_is_in_exactly_one_split(people):
    splits = split_identities(Images(identities=people))
    assert sorted(i for split in SPLITS for i in splits[split]) == list(range(people))
    assert all(splits[split] for split in SPLITS) and len(splits["train"]) >= len(splits["test"])


def test_another_seed_splits_and_draws_otherwise():
    one, again, other = (Images(split_seed=seed) for seed in (0, 0, 1))
    assert split_identities(one) == split_identities(again) != split_identities(other)
    one, again, other = (_plan(Study(images=given), "test") for given in (one, again, other))
    assert one == again and [r["seed"] for r in one] != [r["seed"] for r in other]


def test_counts_are_half_of_each_class_and_null_takes_the_defaults():
    rows = _plan(Study(images=Images(n_test=10)), "test")
    assert [r["label"] for r in rows].count("happy") == [r["label"] for r in rows].count("sad") == 5
    assert wanted(Images(n_train=None), "train") == 200


def test_more_pictures_leave_the_first_ones_as_they_are():
    few, many = (
        {r["file"]: r for r in _plan(Study(images=Images(n_train=n)), "train")} for n in (20, 60)
    )
    assert all(many[name] == row for name, row in few.items())


def test_the_drawing_version_names_the_code():
    assert drawing_version() == drawing_version() and len(drawing_version()) == 12
