"""What moves from one set of classes to another: photos, people, axes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.evaluation.metrics import same_length
from core.evaluation.shift import moves
from core.taxonomy import AXES, CLASS_NAMES, IntArray, decode_axis


@dataclass(frozen=True)
class Changes:
    """From first classes to second ones.

    Attributes:
        rows: (D,) photos that differ.
        moves: a row a pair of classes, the commonest first: from, to, from_name, to_name, photos, people.
        by_axis: photos that change on each axis.
        people: people of whom a photo changes, None where nobody knows them.
    """

    rows: IntArray
    moves: pd.DataFrame
    by_axis: dict[str, int]
    people: int | None


def class_changes(first: IntArray, second: IntArray, *, people: Sequence[object] | None = None) -> Changes:
    """What changes from ``first`` to ``second``.

    Args:
        first, second: (E,) classes of the same photos.
        people: (E,) person of each photo, where photos are grouped.
    Raises:
        RunError: lengths differ, or a number that is no class.
    """
    same_length(first=first, second=second)
    table = moves(first, second).rename(columns={"before": "from", "after": "to"})
    for end in ("from", "to"):
        table[f"{end}_name"] = [CLASS_NAMES[label] for label in table[end]]
    owners = None if people is None else np.asarray(people, dtype=object)
    pairs = zip(table["from"], table["to"], strict=True)
    table["people"] = [_people(owners, np.flatnonzero((first == old) & (second == new))) for old, new in pairs]
    rows = np.flatnonzero(first != second)
    by_axis = {axis: int((decode_axis(first, axis) != decode_axis(second, axis)).sum()) for axis in AXES}
    return Changes(rows, table, by_axis, _people(owners, rows))


def _people(owners: NDArray[np.object_] | None, rows: IntArray) -> int | None:
    return None if owners is None else len(set(owners[rows]))
