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
from core.evaluation.prior import NUM_GROUPS, group_probabilities, groups_of
from core.one_thread import on_one_thread
from core.people.grouping import QUOTA
from core.taxonomy import MASKS, FloatArray, IntArray, decode_axis, marginal

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
    sure = _sure(confidence, len(codes))
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
    return _normalized(sharpness * mean - (sharpness - 1) * np.log(pooling.prior))


def pool_groups(
    pred_probs: FloatArray,
    groups: IntArray,
    masks: IntArray,
    pooling: Pooling,
    *,
    confidence: ArrayLike | None = None,
) -> Float64Array:
    """(U, 6) probability of gender x age of each group: ``pool_people`` of a photo that surely belongs to it.

    Args:
        groups: (N,) group of each photo, 0..U-1, each with a photo.
        pred_probs, masks, pooling, confidence: as in ``pool_people``; photos of which none is sure count alike.
    """
    sure = _sure(confidence, len(masks))
    sure = np.where(np.bincount(groups, weights=sure)[groups] > 0, sure, 1.0)
    log_probs = np.log(np.maximum(group_probabilities(pred_probs), _LEAST))  # (N, 6)
    summed, counts = _by_mask(log_probs, groups, masks, sure)
    return _pooled(summed, counts, np.asarray(pooling.weights), pooling.independence, pooling.prior)


@on_one_thread
def fit_pooling(pred_probs: FloatArray, labels: ArrayLike, person_ids: ArrayLike) -> Pooling:
    """The pooling under which the train people's gender and age are most likely; people count, not photos.

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
    owner = np.unique(np.asarray(person_ids), return_inverse=True)[1]
    same_length(labels=true, pred_probs=np.asarray(pred_probs), person_ids=owner)
    log_probs = np.log(np.maximum(group_probabilities(pred_probs), _LEAST))  # (N, 6)
    summed, counts = _by_mask(log_probs, owner, decode_axis(true, "mask"), np.ones(len(true)))
    told = np.zeros((len(counts), NUM_GROUPS))
    np.add.at(told, (owner, groups_of(true)), 1.0)
    told /= told.sum(axis=1, keepdims=True)  # (U, 6) one-hot, but where a person's labels differ
    prior = (told.sum(axis=0) + 1) / (len(told) + NUM_GROUPS)

    def loss(parameters: Float64Array) -> float:
        weights, independence = np.exp([0.0, *parameters[:2]]), float(parameters[2])
        pooled = _pooled(summed, counts, weights, independence, prior)
        return float(-(told * np.log(np.maximum(pooled, _LEAST))).sum())

    best = minimize(  # type: ignore[no-untyped-call]
        loss, [0.0, 0.5, 0.3], method="L-BFGS-B", bounds=[(-3, 3), (-3, 3), (0, 1)]
    )
    weights = np.exp([0.0, *best.x[:2]])
    return Pooling(tuple(weights.tolist()), float(best.x[2]), tuple(prior.tolist()))


def _sure(confidence: ArrayLike | None, number: int) -> Float64Array:
    """(N,) 1 where nobody gives a confidence, 0 for photos that stand alone (nan)."""
    if confidence is None:
        return np.ones(number)
    sure: Float64Array = np.nan_to_num(np.asarray(confidence, dtype=np.float64), nan=0.0)
    return sure


def _by_mask(
    log_probs: Float64Array, groups: IntArray, masks: IntArray, sure: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Sums of a group's photos by their mask: of sure log p (U, 3, 6), and of sure (U, 3)."""
    place = groups * len(MASKS) + masks
    number = int(groups.max()) + 1
    size = number * len(MASKS)
    counts: Float64Array = np.bincount(place, weights=sure, minlength=size).astype(np.float64)
    summed: Float64Array = np.stack([np.bincount(place, sure * one, size) for one in log_probs.T], axis=1)
    return summed.reshape(number, len(MASKS), -1), counts.reshape(number, -1)


def _pooled(
    summed: Float64Array, counts: Float64Array, weights: Float64Array, independence: float, prior: ArrayLike
) -> Float64Array:
    """(U, 6) from sums by mask; see ``pool_people``."""
    mean = np.einsum("umc,m->uc", summed, weights) / (counts @ weights)[:, None]
    sharpness = (np.maximum(counts.sum(axis=1), 1.0) ** independence)[:, None]
    return _normalized(sharpness * mean - (sharpness - 1) * np.log(prior))


def _normalized(scores: Float64Array) -> Float64Array:
    """Softmax of each row."""
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    normalized: Float64Array = shares / shares.sum(axis=1, keepdims=True)
    return normalized


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


def quota_masks(
    pred_probs: FloatArray, groups: ArrayLike, *, confidence: ArrayLike | None = None
) -> tuple[Float64Array, IntArray]:
    """Mask probabilities (N, 3) as far as the quota changes them, and the masks it assigns (N,).

    A photo whose mask the quota changes gets that mask with the confidence of its group, and keeps its own
    probabilities with the rest.
    """
    shares = np.asarray(marginal(np.asarray(pred_probs, np.float64), "mask"))  # (N, 3)
    assigned = assign_masks(pred_probs, groups)
    changed = assigned != shares.argmax(axis=1)
    blend = np.where(changed, _sure(confidence, len(assigned)), 0.0)[:, None]
    return (1 - blend) * shares + blend * np.eye(len(MASKS))[assigned], assigned


def joint_probs(
    pred_probs: FloatArray, groups: ArrayLike, pooling: Pooling, *, confidence: ArrayLike | None = None
) -> Float64Array:
    """(N, 18) probabilities with gender and age pooled over each group, and masks by the quota.

    Args:
        pred_probs: (N, 18) calibrated probabilities of single photos.
        groups: (N,) equal values are one person.
        pooling: from ``fit_pooling``.
        confidence: as in ``pool_people``.
    """
    own = np.asarray(pred_probs, np.float64)
    mask_probs, assigned = quota_masks(own, groups, confidence=confidence)
    people = pool_people(own, groups, assigned, pooling, confidence=confidence)  # (N, 6)
    return np.asarray((mask_probs[:, :, None] * people[:, None, :]).reshape(len(own), -1))
