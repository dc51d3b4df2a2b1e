"""Folds by person, so that no photo of a person is scored by a model that saw another one."""

import numpy as np
import pandas as pd

from core.errors import DatasetError


def assign_folds(people: pd.DataFrame, *, folds: int, seed: int) -> pd.Series:
    """The fold of each person, with gender and age band spread evenly.

    People of one gender and age band are shuffled and dealt out in turn; the dealing goes on where
    the group before ended, so fold sizes differ by one person at most.

    Args:
        people: one row a person: person_id, gender, age_band.
        folds: how many, at least 2.
        seed: the shuffle; the order of the rows does not matter.
    Returns:
        fold (0..folds-1), indexed by person_id.
    Raises:
        DatasetError: fewer people than folds, or a person twice.
    """
    if people.person_id.duplicated().any():
        twice = people.person_id[people.person_id.duplicated()].iloc[0]
        raise DatasetError(f"person {twice} stands twice in the table of people; give one row a person")
    if len(people) < folds:
        raise DatasetError(f"{len(people)} people cannot be split into {folds} folds; set data.folds lower")
    rng = np.random.default_rng(seed)
    dealt: list[str] = []
    ordered = people.sort_values("person_id")
    for _, group in ordered.groupby(["gender", "age_band"], sort=True):
        dealt += rng.permutation(group.person_id.to_numpy(dtype=object)).tolist()
    return pd.Series(np.arange(len(dealt)) % folds, index=pd.Index(dealt, name="person_id"), name="fold")


def check_no_leak(person_ids: pd.Series, folds: pd.Series) -> None:
    """Refuse a fold table in which one person's photos lie in two folds.

    Raises:
        DatasetError: names a person and the folds.
    """
    per_person = folds.groupby(person_ids.to_numpy()).nunique()
    torn = per_person[per_person > 1]
    if len(torn):
        person = torn.index[0]
        where = sorted(folds[(person_ids == person).to_numpy()].unique().tolist())
        raise DatasetError(f"person {person} lies in folds {where}; folds must be by person")
