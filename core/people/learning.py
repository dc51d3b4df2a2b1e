"""Learning the metric from the train people, and measuring on people it has not seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

from core.people.grouping import describe_groups, group_photos
from core.people.metric import Metric, fit_metric
from core.people.quality import GroupQuality, group_quality
from core.taxonomy import IntArray

_HELD_OUT = 1 / 3
"""Share of the train people that the measured metric does not see."""

_THRESHOLDS = (0.2, 0.35, 0.5, 0.65)
"""Tried on the held-out people; of those with the same pair F1 the most cautious is taken."""


@dataclass(frozen=True)
class Learned:
    """A metric of all train people, and what the same recipe reached on people held out.

    Attributes:
        threshold: least mean similarity of two groups that join.
        slope: of the log-odds that a photo stands right, by its margin in similarity.
        quality: on the held-out people.
    """

    metric: Metric
    threshold: float
    slope: float
    quality: GroupQuality


def learn(features: NDArray[np.floating], person_ids: ArrayLike, masks: IntArray, *, seed: int = 0) -> Learned:
    """Fit on two thirds of the people, measure on the others, then fit on all.

    Args:
        features: (N, D) of the train photos.
        person_ids: (N,) their people.
        masks: (N,) mask of each photo as predicted out-of-fold, 0..2: as sure as it is for other photos.
        seed: which people are held out.
    Raises:
        RunError: too few people.
    """
    person = np.asarray(person_ids)
    people = np.unique(person)
    held_out = np.random.default_rng(seed).permutation(people)[: max(2, round(len(people) * _HELD_OUT))]
    is_held_out = np.isin(person, held_out)
    trial = fit_metric(features[~is_held_out], person[~is_held_out])
    vectors, true = trial.embed(features[is_held_out]), person[is_held_out]
    codes = np.unique(true, return_inverse=True)[1]
    known = describe_groups(vectors, codes)
    tried = {
        threshold: group_quality(group_photos(vectors, masks[is_held_out], threshold=threshold).group, true)
        for threshold in _THRESHOLDS
    }
    threshold = max(tried, key=lambda each: (round(_pair_f1(tried[each]), 3), each))
    slope = fit_slope(known.own - known.other)
    return Learned(fit_metric(features, person), threshold, slope, tried[threshold])


def _pair_f1(quality: GroupQuality) -> float:
    total = quality.pair_precision + quality.pair_recall
    return 2 * quality.pair_precision * quality.pair_recall / total if total else 0.0


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
