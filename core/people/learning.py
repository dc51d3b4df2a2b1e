"""Learning the metric from the train people, and measuring on people it has not seen."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

from core.people.grouping import FloatArray, describe_groups, group_photos
from core.people.metric import require_people
from core.people.quality import GroupQuality, group_quality
from core.people.ways import Embedding, Fit
from core.taxonomy import IntArray

_HELD_OUT = 1 / 3
"""Share of the train people that the measured metric does not see."""

_THRESHOLDS = (0.2, 0.35, 0.5, 0.65)
"""Tried on the held-out people; of those with the same pair F1 the most cautious is taken."""


@dataclass(frozen=True)
class Trial:
    """What a way of fitting reached on the people held out.

    Attributes:
        threshold: least mean similarity of two groups that join.
        slope: of the log-odds that a photo stands right, by its margin in similarity.
        quality: at this threshold.
        seconds: that fitting on the other people took.
    """

    threshold: float
    slope: float
    quality: GroupQuality
    seconds: float


@dataclass(frozen=True)
class Learned:
    """A metric of all train people, and what each way of fitting that was tried reached on people held out.

    Attributes:
        way: how the metric was fitted.
        trials: way -> what it reached.
    """

    metric: Embedding
    way: str
    trials: dict[str, Trial]

    @property
    def used(self) -> Trial:
        """The trial of the way that was used."""
        return self.trials[self.way]


def learn(
    features: NDArray[np.floating], person_ids: ArrayLike, masks: IntArray, *, ways: Mapping[str, Fit], seed: int = 0
) -> Learned:
    """Fit each way on two thirds of the people, measure on the others, then fit the better one on all.

    Args:
        features: (N, D) of the train photos.
        person_ids: (N,) their people.
        masks: (N,) mask of each photo as predicted out-of-fold, 0..2: as sure as it is for other photos.
        ways: name -> how to fit; the highest pair F1 decides, of equals the first.
        seed: which people are held out.
    Raises:
        RunError: too few people.
    """
    person = np.asarray(person_ids)
    people = np.unique(person)
    held_out = np.random.default_rng(seed).permutation(people)[: max(2, round(len(people) * _HELD_OUT))]
    is_held_out = np.isin(person, held_out)
    require_people(person[~is_held_out])
    trials = {}
    for way, fit in ways.items():
        started = time.monotonic()
        metric = fit(features[~is_held_out], person[~is_held_out])
        seconds = time.monotonic() - started
        vectors = metric.embed(features[is_held_out])
        trials[way] = _measure(vectors, person[is_held_out], masks[is_held_out], seconds)
    way = max(trials, key=lambda each: trials[each].quality.pair_f1)
    return Learned(ways[way](features, person), way, trials)


def _measure(vectors: FloatArray, person: NDArray[Any], masks: IntArray, seconds: float) -> Trial:
    known = describe_groups(vectors, np.unique(person, return_inverse=True)[1])
    tried = {
        threshold: group_quality(group_photos(vectors, masks, threshold=threshold).group, person)
        for threshold in _THRESHOLDS
    }
    threshold = max(tried, key=lambda each: (round(tried[each].pair_f1, 3), each))
    return Trial(threshold, fit_slope(known.own - known.other), tried[threshold], round(seconds, 1))


def fit_slope(margins: NDArray[np.float64]) -> float:
    """The slope under which sigmoid(slope * margin) is most likely, where the true group has this margin.

    Logistic regression without intercept: of the two groups most alike to a photo one is its own, and
    exchanging them turns the margin round.
    """
    margins = margins[np.isfinite(margins)]

    def loss(log_slope: float) -> float:
        return float(np.logaddexp(0, -np.exp(log_slope) * margins).mean())

    best = minimize_scalar(loss, bounds=(-2.0, 6.0), method="bounded")  # type: ignore[no-untyped-call]
    return float(np.exp(best.x))
