"""One person, seven photos, one answer: gender and age are shared, masks are five, one and one.

Each photo's probabilities are pooled over its group. The photos of a person err together, so their
log-probabilities are not simply added: the pooled one is sharpened by ``photos ** independence``, and a photo
without a mask counts more than one with. Both are fitted on train people, whose groups are known.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment, minimize  # type: ignore[attr-defined]

from core.errors import RunError
from core.evaluation.metrics import Float64Array, paired, same_length
from core.evaluation.prior import group_probabilities, groups_of
from core.people.grouping import QUOTA
from core.taxonomy import AGE_BANDS, GENDERS, MASKS, FloatArray, IntArray, decode_axis, marginal

_LEAST = 1e-7
"""Probabilities are kept above it, so that one photo cannot forbid a class to a person."""


@dataclass(frozen=True)
class Pooling:
    """How photos of one person are put together.

    Attributes:
        weights: (3,) what a photo counts by its mask: worn (always 1), incorrect, normal.
        independence: 0: photos repeat each other, their mean is taken; 1: each tells something new.
        prior: (6,) share of gender x age among the people it was fitted on.
    """

    weights: tuple[float, ...]
    independence: float
    prior: tuple[float, ...]


def pool_people(
    pred_probs: FloatArray,
    groups: ArrayLike,
    masks: IntArray,
    pooling: Pooling,
    *,
    confidence: ArrayLike | None = None,
) -> Float64Array:
    """(N, 6) probability of gender x age of each photo, with what its group's other photos say.

    With u the weights and c the confidence, the other photos j of photo i add c_i c_j u_j log p_j to u_i log p_i.
    The weighted mean is sharpened by n ** independence, n the effective number of photos (1 + sum of c_i c_j),
    and the prior that each p_j contains is kept once.

    Args:
        pred_probs: (N, 18) calibrated probabilities of single photos.
        groups: (N,) equal values are one person.
        masks: (N,) mask of each photo, 0..2.
        pooling: from ``fit_pooling``.
        confidence: (N,) probability that a photo stands in its own person's group; 1 when None, and nan
            (a single photo) counts as 0.
    Raises:
        RunError: lengths differ.
    """
    codes = np.unique(np.asarray(groups), return_inverse=True)[1]
    same_length(pred_probs=np.asarray(pred_probs), groups=codes, masks=masks)
    sure = np.ones(len(codes)) if confidence is None else np.nan_to_num(np.asarray(confidence, np.float64), nan=0.0)
    log_probs = np.log(np.maximum(group_probabilities(pred_probs), _LEAST))  # (N, 6)
    weights = np.asarray(pooling.weights)[masks]  # (N,)

    def of_others(values: Float64Array) -> Float64Array:
        """c_i times the sum of c_j values_j over the other photos of the group."""
        mine = sure.reshape(-1, *[1] * (values.ndim - 1)) * values
        total = np.zeros((codes.max() + 1, *values.shape[1:]))
        np.add.at(total, codes, mine)
        others: Float64Array = sure.reshape(mine.shape[0], *[1] * (values.ndim - 1)) * (total[codes] - mine)
        return others

    summed = weights[:, None] * log_probs + of_others(weights[:, None] * log_probs)
    mean = summed / (weights + of_others(weights))[:, None]
    sharpness = ((1 + of_others(np.ones(len(codes)))) ** pooling.independence)[:, None]
    pooled = sharpness * mean - (sharpness - 1) * np.log(pooling.prior)
    pooled = np.exp(pooled - pooled.max(axis=1, keepdims=True))
    return np.asarray(pooled / pooled.sum(axis=1, keepdims=True))


def fit_pooling(pred_probs: FloatArray, labels: ArrayLike, person_ids: ArrayLike) -> Pooling:
    """The pooling under which the train people's gender and age are most likely.

    Args:
        pred_probs: (N, 18) calibrated, out-of-fold.
        labels: (N,) true class.
        person_ids: (N,) true person.
    Raises:
        RunError: lengths differ, or no photo.
    """
    true, _ = paired(labels, labels)
    if not len(true):
        raise RunError("there is no labelled photo to fit the pooling on; train a fold first")
    masks, person_class = decode_axis(true, "mask"), groups_of(true)
    first = np.unique(np.asarray(person_ids), return_index=True)[1]
    counts = np.bincount(person_class[first], minlength=len(GENDERS) * len(AGE_BANDS)) + 1.0
    prior = tuple((counts / counts.sum()).tolist())
    photos_each = np.bincount(np.unique(np.asarray(person_ids), return_inverse=True)[1])
    share = 1 / photos_each[np.unique(np.asarray(person_ids), return_inverse=True)[1]]  # people count, not photos

    def pooling_of(parameters: Float64Array) -> Pooling:
        incorrect, normal, independence = parameters
        return Pooling((1.0, float(np.exp(incorrect)), float(np.exp(normal))), float(independence), prior)

    def loss(parameters: Float64Array) -> float:
        pooled = pool_people(pred_probs, person_ids, masks, pooling_of(parameters))
        return float(-(share * np.log(np.maximum(pooled[np.arange(len(true)), person_class], _LEAST))).sum())

    best = minimize(  # type: ignore[no-untyped-call]
        loss, [0.0, 0.5, 0.3], method="L-BFGS-B", bounds=[(-3, 3), (-3, 3), (0, 1)]
    )
    return pooling_of(best.x)


def assign_masks(pred_probs: FloatArray, groups: ArrayLike) -> IntArray:
    """(N,) the most likely masks under which no group has more than five worn, one incorrect, one not worn.

    Args:
        pred_probs: (N, 18).
        groups: (N,) equal values are one person. A group of more photos than the quota keeps each photo's own
            most probable mask.

    Source: Crouse, On implementing 2D rectangular assignment algorithms, IEEE T-AES 2016 (scipy's solver).
    """
    shares = marginal(np.asarray(pred_probs, np.float64), "mask")  # (N, 3)
    masks: IntArray = shares.argmax(axis=1).astype(np.int64)
    codes = np.unique(np.asarray(groups), return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    slots = np.repeat(np.arange(len(MASKS)), QUOTA)  # 0 0 0 0 0 1 2
    for rows in np.split(order, np.cumsum(np.bincount(codes))[:-1]):
        over = (np.bincount(masks[rows], minlength=len(MASKS)) > QUOTA).any()
        if over and len(rows) <= len(slots):
            placed, slot = linear_sum_assignment(-np.log(np.maximum(shares[rows][:, slots], _LEAST)))
            masks[rows[placed]] = slots[slot]
    return masks


def joint_probs(
    pred_probs: FloatArray, groups: ArrayLike, pooling: Pooling, *, confidence: ArrayLike | None = None
) -> Float64Array:
    """(N, 18) probabilities with gender and age pooled over each group, and masks by the quota.

    A photo whose mask the quota changes gets that mask with the confidence of its group, and keeps its own
    probabilities with the rest.

    Args:
        pred_probs: (N, 18) calibrated probabilities of single photos.
        groups: (N,) equal values are one person.
        pooling: from ``fit_pooling``.
        confidence: as in ``pool_people``.
    """
    own = np.asarray(pred_probs, np.float64)
    mask_probs = marginal(own, "mask")  # (N, 3)
    assigned = assign_masks(own, groups)
    people = pool_people(own, groups, assigned, pooling, confidence=confidence)  # (N, 6)
    changed = assigned != mask_probs.argmax(axis=1)
    sure = np.ones(len(own)) if confidence is None else np.nan_to_num(np.asarray(confidence, np.float64), nan=0.0)
    blend = np.where(changed, sure, 0.0)[:, None]
    mask_probs = (1 - blend) * mask_probs + blend * np.eye(len(MASKS))[assigned]
    return np.asarray((mask_probs[:, :, None] * people[:, None, :]).reshape(len(own), -1))
