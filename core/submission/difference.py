"""What changes from one submission to another: photos, people, classes, and what it is worth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.evaluation.metrics import Float64Array, confusion_matrix, same_length
from core.submission.expectation import Belief
from core.taxonomy import AXES, CLASS_NAMES, IntArray, decode_axis


@dataclass(frozen=True)
class Difference:
    """From a first file to a second.

    Attributes:
        rows: (D,) rows of info.csv where they differ.
        moves: a row a pair of classes, the commonest first: from, to, from_name, to_name, photos, people.
        by_axis: photos that change on each axis.
        people: people of whom a photo changes, None where nobody knows them.
        gain: expected gain in macro F1 of the second over the first.
        low, high: 95 % of the drawn truths.
        wins: share of the drawn truths in which the second is better.
    """

    rows: IntArray
    moves: pd.DataFrame
    by_axis: dict[str, int]
    people: int | None
    gain: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    wins: float = float("nan")


def difference(
    first: IntArray, second: IntArray, *, people: Sequence[str] | None = None, belief: Belief | None = None
) -> Difference:
    """What changes from ``first`` to ``second``.

    Args:
        first, second: (E,) classes in info.csv's order.
        people: (E,) person of each photo, where photos are grouped.
        belief: gives the expected gain, by scoring both on the same drawn truths.
    Raises:
        RunError: the files differ in length, or hold what is no class.
    """
    same_length(first=first, second=second)
    rows = np.flatnonzero(first != second)
    matrix = confusion_matrix(first, second)
    np.fill_diagonal(matrix, 0)
    owners = None if people is None else np.asarray(people, dtype=object)
    moves = []
    for place in np.argsort(-matrix, axis=None, kind="stable"):
        old, new = divmod(int(place), len(matrix))
        if not matrix[old, new]:
            break
        mine = rows[(first[rows] == old) & (second[rows] == new)]
        moves.append((old, new, CLASS_NAMES[old], CLASS_NAMES[new], len(mine), _people(owners, mine)))
    table = pd.DataFrame(moves, columns=["from", "to", "from_name", "to_name", "photos", "people"])
    by_axis = {axis: int((decode_axis(first, axis) != decode_axis(second, axis)).sum()) for axis in AXES}
    found = (rows, table, by_axis, _people(owners, rows))
    if belief is None:
        return Difference(*found)
    gains: Float64Array = belief.truth.scores(second) - belief.truth.scores(first)
    low, high = np.quantile(gains, [0.025, 0.975])
    return Difference(*found, float(gains.mean()), float(low), float(high), float((gains > 0).mean()))


def _people(owners: np.ndarray[tuple[int], np.dtype[np.object_]] | None, rows: IntArray) -> int | None:
    return None if owners is None else len(set(owners[rows]))
