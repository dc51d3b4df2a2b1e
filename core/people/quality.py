"""How good groups are, where the people are known."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from core.evaluation.metrics import same_length


@dataclass(frozen=True)
class GroupQuality:
    """Groups against known people.

    Attributes:
        pair_precision: share of the pairs in one group that show one person; 1 when there is no pair.
        pair_recall: share of the pairs of one person that are in one group.
        perfect_groups: share of people whose photos are one group with nobody else's.
        people: how many people.
        photos: how many photos.
    """

    pair_precision: float
    pair_recall: float
    perfect_groups: float
    people: int
    photos: int

    @property
    def pair_f1(self) -> float:
        """Harmonic mean of pair precision and pair recall."""
        total = self.pair_precision + self.pair_recall
        return 2 * self.pair_precision * self.pair_recall / total if total else 0.0


def group_quality(groups: ArrayLike, person_ids: ArrayLike) -> GroupQuality:
    """Compare groups with the people they should be.

    Args:
        groups: (N,) group of each photo.
        person_ids: (N,) person of each photo.
    Raises:
        RunError: lengths differ.

    >>> group_quality([0, 0, 1, 1], ["a", "a", "a", "b"])
    GroupQuality(pair_precision=0.5, pair_recall=0.3333333333333333, perfect_groups=0.0, people=2, photos=4)
    """
    group, person = (np.unique(np.asarray(ids), return_inverse=True)[1] for ids in (groups, person_ids))
    same_length(groups=group, person_ids=person)
    both, shared = np.unique(np.stack([group, person], axis=1), axis=0, return_counts=True)
    of_group, of_person = np.bincount(group), np.bincount(person)
    right = _pairs(shared)
    perfect = (shared == of_group[both[:, 0]]) & (shared == of_person[both[:, 1]])
    return GroupQuality(
        pair_precision=float(right / max(_pairs(of_group), 1)) if _pairs(of_group) else 1.0,
        pair_recall=float(right / _pairs(of_person)) if _pairs(of_person) else 1.0,
        perfect_groups=float(perfect.sum() / max(len(of_person), 1)),
        people=len(of_person),
        photos=len(group),
    )


def _pairs(counts: np.ndarray) -> int:
    return int((counts * (counts - 1) // 2).sum())
