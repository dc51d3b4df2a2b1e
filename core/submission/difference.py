"""What changes from one submission to another: photos, people, classes, and what it is worth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.evaluation.metrics import Float64Array
from core.people.changes import Changes, class_changes
from core.submission.expectation import Belief
from core.taxonomy import IntArray


@dataclass(frozen=True)
class Difference(Changes):
    """From a first file to a second.

    Attributes:
        gain: expected gain in macro F1 of the second over the first.
        low, high: 95 % of the drawn truths.
        wins: share of the drawn truths in which the second is better.
    """

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
    found = vars(class_changes(first, second, people=people))
    if belief is None:
        return Difference(**found)
    gains: Float64Array = belief.truth.scores(second) - belief.truth.scores(first)
    low, high = np.quantile(gains, [0.025, 0.975])
    return Difference(**found, gain=float(gains.mean()), low=float(low), high=float(high),
                      wins=float((gains > 0).mean()))  # fmt: skip
