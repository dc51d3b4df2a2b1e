"""Two predictions of the same photos: is one better, on what, and do they err together?

People are the unit throughout: the seven photos of a person are right or wrong together.
"""

from dataclasses import dataclass
from math import comb

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.errors import RunError
from core.evaluation.metrics import (
    Float64Array,
    axis_accuracy,
    confusion_matrix,
    f1_per_class,
    paired,
    same_length,
)
from core.evaluation.uncertainty import f1_draws, share_draws
from core.taxonomy import AXES, CLASS_NAMES, NUM_CLASSES, decode_axis


@dataclass(frozen=True)
class McNemar:
    """A test of whether two predictions are right equally often.

    Attributes:
        first, second: units for which only the first, or only the second, is right.
        exact: two-sided p-value given their sum; never too small, and too large with few units.
        mid_p: half of the observed outcome's probability left out; close to its level.
    """

    first: int
    second: int
    exact: float
    mid_p: float


def signed(difference: float, digits: int = 4) -> str:
    """A difference of scores in words: with its sign, which one that rounds to zero has not.

    >>> signed(0.01234), signed(-0.5), signed(-2e-5), signed(0.0)
    ('+0.0123', '-0.5000', 'about 0', '0')
    """
    told = f"{difference:+.{digits}f}"
    return told if float(told) else "about 0" if difference else "0"


def mcnemar(first: int, second: int) -> McNemar:
    """McNemar's test from the two counts of units on which the predictions differ.

    Args:
        first, second: units for which only the first, or only the second, is right.
    Raises:
        RunError: a count below 0.

    Source: McNemar, Psychometrika 1947; mid-p: Fagerland, Lydersen, Laake, The McNemar test for binary
        matched-pairs data, BMC Medical Research Methodology 2013.

    >>> mcnemar(1, 9).exact, round(mcnemar(1, 9).mid_p, 4)
    (0.021484375, 0.0117)
    """
    if min(first, second) < 0:
        raise RunError(f"{first} and {second} units cannot be; count those on which only one is right")
    units, fewer = first + second, min(first, second)
    if not units:
        return McNemar(0, 0, 1.0, 1.0)
    tail = sum(comb(units, k) for k in range(fewer + 1)) / 2**units  # whole numbers: exact for any count
    exact = min(1.0, 2 * tail)
    observed = comb(units, fewer) / 2**units
    return McNemar(first, second, exact, exact - observed if first != second else 1 - observed / 2)


def mcnemar_by_person(labels: ArrayLike, first: ArrayLike, second: ArrayLike, people: ArrayLike) -> McNemar:
    """McNemar's test with people as units: a person speaks for the prediction that has more of its photos right.

    People of whom both have equally many photos right say nothing. With one photo a person it is the usual test.

    Args:
        labels, first, second: (N,) classes.
        people: (N,) person_id of each photo.
    Raises:
        RunError: lengths differ, or a value is no class.
    """
    true, one = paired(labels, first)
    _, other = paired(labels, second)
    codes, known = pd.factorize(np.asarray(people))
    same_length(labels=true, people=codes)
    gain = np.bincount(codes, weights=(other == true) * 1.0 - (one == true), minlength=len(known))
    return mcnemar(int((gain < 0).sum()), int((gain > 0).sum()))


def error_correlation(wrong: ArrayLike) -> Float64Array:
    """(M, M) correlation of being wrong; 0 with a prediction that is never or always wrong.

    Args:
        wrong: (M, N) whether each of M predictions is wrong about a photo.

    Source: the phi coefficient, Yule, On the methods of measuring association between two attributes, JRSS 1912.
    """
    errors = np.asarray(wrong, dtype=np.float64)
    errors = errors - errors.mean(axis=1, keepdims=True)
    norms = np.maximum(np.sqrt((errors**2).sum(axis=1)), 1e-12)
    correlation: Float64Array = np.einsum("in,jn->ij", errors, errors, optimize=True) / np.outer(norms, norms)
    return correlation


def score_differences(
    labels: ArrayLike, first: ArrayLike, second: ArrayLike, people: ArrayLike, *, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """What the second prediction scores more than the first, in all and by axis and class.

    Args:
        labels, first, second: (N,) classes.
        people: (N,) person_id of each photo.
    Returns:
        kind (``macro F1``, ``accuracy``, ``axis``: accuracy on it, ``class``: its F1), name, first, second,
        difference with low and high (95 %: both scored on the same draws of people; -1 and 1 with fewer than two
        people), photos (of the class, else all).
    Raises:
        RunError: lengths differ, a value is no class, or there is no photo.

    Source: paired percentile bootstrap over people, Efron, Tibshirani 1993, chapters 8 and 13.
    """
    true, one = paired(labels, first)
    _, other = paired(labels, second)
    by_axis = [axis_accuracy(true, guess) for guess in (one, other)]
    by_class = [f1_per_class(confusion_matrix(true, guess)) for guess in (one, other)]
    rows: dict[str, list[object]] = {
        "kind": ["macro F1", "accuracy", *["axis"] * len(AXES), *["class"] * NUM_CLASSES],
        "name": ["macro F1", "accuracy", *AXES, *CLASS_NAMES],
    }
    for column, guess, axes, classes in zip(("first", "second"), (one, other), by_axis, by_class, strict=True):
        rows[column] = [classes.mean(), (guess == true).mean(), *axes.values(), *classes]
    table = pd.DataFrame(rows)
    table["difference"] = table.second - table["first"]
    table["low"], table["high"] = -1.0, 1.0
    if len(np.unique(np.asarray(people))) > 1:
        f1 = f1_draws(true, [one, other], people, draws=draws, seed=seed)
        shares = share_draws(_right([one, other], true), people, draws=draws, seed=seed)
        shares = shares.reshape(2, -1, draws)
        gained = np.concatenate([(f1[1] - f1[0]).mean(axis=1)[None], shares[1] - shares[0], (f1[1] - f1[0]).T])
        table["low"], table["high"] = np.quantile(gained, [0.025, 0.975], axis=1)
    all_photos = [len(true)] * (2 + len(AXES))
    table["photos"] = [*all_photos, *np.bincount(true, minlength=NUM_CLASSES)]
    return table


def _right(guesses: list[np.ndarray], true: np.ndarray) -> np.ndarray:
    """(M * 4, N): right at all, and on each axis, by each of M predictions."""
    return np.concatenate(
        [
            [guess == true, *(decode_axis(guess, axis) == decode_axis(true, axis) for axis in AXES)]
            for guess in guesses
        ]
    )
