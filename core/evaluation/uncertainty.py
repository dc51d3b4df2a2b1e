"""How far a score could be off by chance: intervals over people, and over counted successes."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.errors import RunError
from core.evaluation.metrics import Float64Array, f1_from_counts, paired, same_length
from core.one_thread import on_one_thread
from core.taxonomy import NUM_CLASSES

_BLOCK = 4_000_000
"""Drawn people held in memory at once (32 MB)."""


def macro_f1_interval(
    labels: ArrayLike,
    predictions: ArrayLike,
    groups: ArrayLike,
    *,
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Interval of macro F1 when other people of the same kind had been photographed.

    Percentile bootstrap with people as units: the seven photos of one person are right or wrong
    together, and photos as units give an interval that is far too narrow. A class with very few
    people is absent from some draws and counts 0 there, which pulls the interval down.

    Args:
        labels: (N,) true class.
        predictions: (N,) predicted class.
        groups: (N,) person_id of each photo.
        level: share of draws inside.
    Returns:
        (low, high); (0, 1) when there are fewer than two people, who tell nothing about others.
    Raises:
        RunError: lengths differ, or a value is no class.

    Source: Efron, Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13; Field, Welsh,
        Bootstrapping clustered data, JRSS B 2007.
    """
    if len(np.unique(np.asarray(groups))) < 2:
        paired(labels, predictions)
        return 0.0, 1.0
    (scores,) = macro_f1_draws(labels, [predictions], groups, draws=draws, seed=seed)
    tail = (1 - level) / 2
    low, high = np.quantile(scores, [tail, 1 - tail])
    return float(low), float(high)


def macro_f1_draws(
    labels: ArrayLike,
    predictions: Sequence[ArrayLike],
    groups: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Float64Array:
    """Macro F1 of several predictions over the same draws of people, (M, draws); arguments as ``f1_draws``."""
    found = f1_draws(labels, predictions, groups, weights=weights, draws=draws, seed=seed)
    scores: Float64Array = found.mean(axis=2)
    return scores


def f1_draws(
    labels: ArrayLike,
    predictions: Sequence[ArrayLike],
    groups: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Float64Array:
    """F1 of each class by several predictions over the same draws of people, (M, draws, 18).

    The same people in each draw: the difference of two rows is the paired difference of two predictions,
    whose interval is far narrower than the two intervals let expect.

    Args:
        labels: (N,) true class.
        predictions: M times (N,) predicted class.
        groups: (N,) person_id of each photo.
        weights: (N,) how much each photo counts, one number a person, such as ``prior.mix_weights``.
    Raises:
        RunError: lengths differ, or a value is no class.

    Source: as ``macro_f1_interval``.
    """
    codes, people = pd.factorize(np.asarray(groups))
    n_people = len(people)
    counted = []
    for prediction in predictions:
        true, predicted = paired(labels, prediction)
        same_length(labels=true, groups=codes)
        counted += [count_by_person(codes[true == predicted], true[true == predicted], n_people),
                    count_by_person(codes, predicted, n_people)]  # fmt: skip
    counts = np.concatenate([count_by_person(codes, true, n_people), *counted], axis=1)  # (G, (1 + 2M) * 18)
    if weights is not None:
        counts *= _of_people(codes, weights, n_people)[:, None]
    summed = _drawn_sums(counts, draws=draws, seed=seed).reshape(draws, -1, NUM_CLASSES)
    return np.moveaxis(f1_from_counts(summed[:, 1::2], summed[:, :1], summed[:, 2::2]), 1, 0)


def _of_people(codes: np.ndarray, weights: ArrayLike, n_people: int) -> NDArray[np.float32]:
    """(G,) weight of each person, from (N,) of the photos."""
    given = np.asarray(weights, dtype=np.float32)
    same_length(weights=given, groups=codes)
    found = np.zeros(n_people, dtype=np.float32)
    found[codes] = given
    return found


def share_draws(is_so: ArrayLike, groups: ArrayLike, *, draws: int = 1000, seed: int = 0) -> Float64Array:
    """Share of the photos of which something is so, (S, draws), over the same draws of people as ``f1_draws``.

    Args:
        is_so: (S, N) of S statements about each photo.
        groups: (N,) person_id of each photo.
    Raises:
        RunError: lengths differ.

    Source: as ``macro_f1_interval``.
    """
    statements = np.asarray(is_so, dtype=bool)
    codes, people = pd.factorize(np.asarray(groups))
    same_length(is_so=statements.T, groups=codes)
    counts = [np.bincount(codes, minlength=len(people))]
    counts += [np.bincount(codes, weights=one, minlength=len(people)) for one in statements]
    summed = _drawn_sums(np.stack(counts, axis=1).astype(np.float32), draws=draws, seed=seed)  # (draws, 1 + S)
    shares: Float64Array = (summed[:, 1:] / summed[:, :1]).T.astype(np.float64)
    return shares


@on_one_thread
def _drawn_sums(counts: NDArray[np.float32], *, draws: int, seed: int) -> NDArray[np.float32]:
    """Sums of the people's counts (G, C) over people drawn with replacement, (draws, C); exact below 2**24."""
    n_people = len(counts)
    rng = np.random.default_rng(seed)
    summed = np.empty((draws, counts.shape[1]), dtype=np.float32)
    block = max(1, min(draws, _BLOCK // n_people))
    for start in range(0, draws, block):
        size = min(block, draws - start)
        drawn = rng.integers(n_people, size=(size, n_people))
        drawn += np.arange(size)[:, None] * n_people
        weights = np.bincount(drawn.ravel(), minlength=size * n_people).reshape(size, n_people)
        summed[start : start + size] = weights.astype(np.float32) @ counts
    return summed


def wilson_interval(successes: float, n: float, *, level: float = 0.95) -> tuple[float, float]:
    """Interval of a share counted as ``successes`` of ``n``; (0, 1) when n is 0.

    Raises:
        RunError: not 0 <= successes <= n.

    Source: Wilson, Probable inference, the law of succession, and statistical inference, JASA 1927.

    >>> low, high = wilson_interval(9, 10)
    >>> round(low, 3), round(high, 3)
    (0.596, 0.982)
    """
    if not 0 <= successes <= n:
        raise RunError(f"{successes} successes of {n} cannot be; give 0 <= successes <= n")
    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    return max(0.0, centre - half), min(1.0, centre + half)


def count_by_person(codes: np.ndarray, classes: np.ndarray, n_people: int) -> np.ndarray:
    """Photos of each class by person, (G, 18) float32.

    Args:
        codes: (N,) number of each photo's person, 0..n_people-1.
        classes: (N,) class of each photo.
    """
    flat = np.bincount(codes * NUM_CLASSES + classes, minlength=n_people * NUM_CLASSES)
    return flat.reshape(n_people, NUM_CLASSES).astype(np.float32)
