"""How far a score could be off by chance: intervals over people, and over counted successes."""

from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.errors import RunError
from core.evaluation.metrics import f1_from_counts, paired, same_length
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
    true, predicted = paired(labels, predictions)
    codes, people = pd.factorize(np.asarray(groups))
    same_length(labels=true, groups=codes)
    n_people = len(people)
    if n_people < 2:
        return 0.0, 1.0
    counts = np.stack(
        [
            _count_by_person(codes[hits], classes[hits], n_people)
            for classes, hits in (
                (true, true == predicted),
                (true, np.ones_like(true, dtype=bool)),
                (predicted, np.ones_like(true, dtype=bool)),
            )
        ],
        axis=1,
    ).reshape(n_people, 3 * NUM_CLASSES)  # (G, 3 * 18): hits, support, predicted
    rng = np.random.default_rng(seed)
    scores: list[np.ndarray] = []
    block = max(1, min(draws, _BLOCK // n_people))
    for start in range(0, draws, block):
        size = min(block, draws - start)
        drawn = rng.integers(n_people, size=(size, n_people))
        drawn += np.arange(size)[:, None] * n_people
        weights = np.bincount(drawn.ravel(), minlength=size * n_people).reshape(size, n_people)
        summed = (weights @ counts).reshape(size, 3, NUM_CLASSES)
        scores.append(f1_from_counts(summed[:, 0], summed[:, 1], summed[:, 2]).mean(axis=1))
    tail = (1 - level) / 2
    low, high = np.quantile(np.concatenate(scores), [tail, 1 - tail])
    return float(low), float(high)


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


def _count_by_person(codes: np.ndarray, classes: np.ndarray, n_people: int) -> np.ndarray:
    flat = np.bincount(codes * NUM_CLASSES + classes, minlength=n_people * NUM_CLASSES)
    return flat.reshape(n_people, NUM_CLASSES).astype(np.float64)
