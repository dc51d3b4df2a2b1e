"""Folds by person: even, the same again, and no way for a leak."""

import itertools

import numpy as np
import pandas as pd
import pytest

from core.config import DataConfig
from core.curation.labels import training_table
from core.dataset.splits import assign_folds, check_no_leak
from core.errors import DatasetError
from core.storage.decisions import DecisionStore


def _people(counts, seed=0):
    """One row a person, ``counts`` people in each of the six groups."""
    groups = [
        group
        for group, count in zip(itertools.product(range(2), range(3)), counts, strict=True)
        for _ in range(count)
    ]
    table = pd.DataFrame(groups, columns=["gender", "age_band"])
    table["person_id"] = [f"{number:06d}" for number in range(len(table))]
    return table.sample(frac=1, random_state=seed).reset_index(drop=True)


REAL = (549, 410, 83, 732, 817, 109)


@pytest.mark.parametrize("folds", [2, 3, 5, 10])
def test_folds_are_even_in_size_and_in_every_group(folds):
    people = _people(REAL)
    fold = assign_folds(people, folds=folds, seed=18)
    assert sorted(fold.index) == sorted(people.person_id)
    sizes = fold.value_counts()
    assert sizes.max() - sizes.min() <= 1
    table = people.assign(fold=people.person_id.map(fold))
    for _, group in table.groupby(["gender", "age_band"]):
        counts = group.fold.value_counts().reindex(range(folds), fill_value=0)
        assert counts.max() - counts.min() <= 1


def test_folds_follow_from_the_seed_and_not_from_the_order_of_rows():
    fold = assign_folds(_people(REAL, seed=1), folds=5, seed=7)
    again = assign_folds(_people(REAL, seed=2), folds=5, seed=7)
    people = _people(REAL)
    assert (people.person_id.map(fold) == people.person_id.map(again)).mean() == pytest.approx(1)
    other = assign_folds(people, folds=5, seed=8)
    assert 0.1 < (people.person_id.map(fold) == people.person_id.map(other)).mean() < 0.3


def test_a_group_smaller_than_the_folds_is_spread_out():
    people = _people((20, 20, 3, 20, 20, 2))
    fold = assign_folds(people, folds=5, seed=0)
    for band in ((0, 2), (1, 2)):
        members = people.person_id[(people.gender == band[0]) & (people.age_band == band[1])]
        assert fold[members].is_unique


def test_too_few_people_and_a_person_twice_are_refused():
    with pytest.raises(DatasetError, match="3 people cannot be split into 5 folds; set data.folds lower"):
        assign_folds(_people((1, 1, 1, 0, 0, 0)), folds=5, seed=0)
    people = pd.concat([_people((4, 0, 0, 0, 0, 0))] * 2)
    with pytest.raises(DatasetError, match="stands twice"):
        assign_folds(people, folds=2, seed=0)


def test_a_table_with_one_person_in_two_folds_is_refused_and_named():
    person_ids = pd.Series(["a", "a", "b", "b"])
    check_no_leak(person_ids, pd.Series([0, 0, 1, 1]))
    with pytest.raises(DatasetError, match=r"person b lies in folds \[0, 1\]"):
        check_no_leak(person_ids, pd.Series([0, 0, 1, 0]))


def test_all_photos_of_a_person_lie_in_one_fold_of_a_training_table(index, workspace):
    decisions = DecisionStore(workspace, index.dataset_id).effective()
    table = training_table(index.photos, decisions, DataConfig(folds=3), seed=18)
    assert (table.groupby("person_id").fold.nunique() == 1).all()
    assert set(table.fold) == {0, 1, 2}
    for fold in range(3):
        trained_on = set(table.person_id[table.fold != fold])
        assert not trained_on & set(table.person_id[table.fold == fold])


def test_the_folds_of_a_run_are_saved_with_it(trained_run):
    from core.storage.runs import open_run

    run = open_run(*trained_run)
    saved = pd.read_csv(run.path / "photos.csv", dtype={"photo_id": str, "person_id": str})
    expected = run.train_photos()
    assert saved.photo_id.tolist() == expected.photo_id.tolist()
    assert np.array_equal(saved.fold, expected.fold)
    assert (saved.groupby("person_id").fold.nunique() == 1).all()
