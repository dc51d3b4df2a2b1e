"""One prediction from several: votes of probabilities, of logits or of classes, whole or axis by axis.

Members are arrays of the same photos; nothing here is fitted (``fitting`` and ``stacking`` do that).
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import SubmissionError
from core.evaluation.metrics import Float64Array
from core.taxonomy import AXES, NUM_CLASSES, FloatArray, IntArray, encode, marginal

Ties = Literal["mean_probability", "best_member", "axis"]
TIES: dict[Ties, str] = {
    "mean_probability": "the higher mean probability",
    "best_member": "what the best member thinks likelier",
    "axis": "mask, gender and age voted on apart",
}

LEAST = 1e-7
"""Probabilities below it count as it where a logarithm is taken: no member can veto a class."""

Probs = NDArray[np.float32]


def soft_vote(pred_probs: Sequence[FloatArray], weights: ArrayLike | None = None) -> Probs:
    """Weighted mean probability of the members, (N, K); one pass over each, none is copied.

    Args:
        pred_probs: one (N, K) a member, rows in the same order of photos.
        weights: one a member, not negative; equal when None.
    Raises:
        SubmissionError: no member, shapes differ, or weights that cannot be.

    >>> soft_vote([np.array([[0.8, 0.2]]), np.array([[0.4, 0.6]])]).round(3).tolist()
    [[0.6000000238418579, 0.4000000059604645]]
    """
    shares = _shares(pred_probs, weights)
    total = np.zeros(pred_probs[0].shape, dtype=np.float32)
    part = np.empty_like(total)
    for share, member in zip(shares, pred_probs, strict=True):
        if share:
            total += np.multiply(member, np.float32(share), out=part)
    return total


def logit_vote(pred_probs: Sequence[FloatArray], weights: ArrayLike | None = None) -> Probs:
    """Weighted geometric mean of the members' probabilities, (N, K), rows made to sum to 1.

    The mean of logits, but for a constant a photo: a class that one member holds for impossible loses
    more than in ``soft_vote``. Args and errors as there.

    Source: Genest, Zidek, Combining probability distributions, Statistical Science 1986 (the logarithmic
        opinion pool).
    """
    shares = _shares(pred_probs, weights)
    total = np.zeros(pred_probs[0].shape, dtype=np.float32)
    part = np.empty_like(total)
    for share, member in zip(shares, pred_probs, strict=True):
        if share:
            np.log(np.maximum(member, np.float32(LEAST), out=part), out=part)
            total += np.multiply(part, np.float32(share), out=part)
    np.exp(np.subtract(total, total.max(axis=1, keepdims=True), out=total), out=total)
    total /= total.sum(axis=1, keepdims=True)
    return total


def vote_shares(classes: Sequence[IntArray], weights: ArrayLike | None = None) -> Probs:
    """Share of the members' weight behind each class, (N, 18).

    Args:
        classes: one (N,) a member: the class it chooses.
        weights: as in ``soft_vote``.
    """
    shares = _shares(classes, weights)
    count = len(classes[0])
    votes = np.zeros(count * NUM_CLASSES, dtype=np.float32)
    place = np.arange(count) * NUM_CLASSES
    for share, member in zip(shares, classes, strict=True):
        votes[place + member] += np.float32(share)
    return votes.reshape(count, NUM_CLASSES)


def hard_vote(
    classes: Sequence[IntArray],
    pred_probs: Sequence[FloatArray],
    weights: ArrayLike | None = None,
    *,
    ties: Ties = "mean_probability",
    best: int = 0,
) -> IntArray:
    """The class most members choose, (N,).

    Args:
        classes: one (N,) a member: the class it chooses.
        pred_probs: one (N, 18) a member; decides ties alone.
        weights: as in ``soft_vote``.
        ties: how tied classes are told apart. ``mean_probability``: the one with the higher mean
            probability. ``best_member``: the one that member ``best`` thinks likelier. ``axis``: mask, gender
            and age are voted on apart, each by most members, and by mean probability where still tied.
        best: the member that breaks ties for ``best_member``.
    """
    votes = vote_shares(classes, weights)
    tied = votes >= votes.max(axis=1, keepdims=True) - 1e-6
    chosen: IntArray = votes.argmax(axis=1)
    rows = np.flatnonzero(tied.sum(axis=1) > 1)
    if not len(rows):
        return chosen
    if ties == "axis":
        chosen[rows] = _vote_by_axis(votes[rows], soft_vote([member[rows] for member in pred_probs], weights))
        return chosen
    judge = pred_probs[best][rows] if ties == "best_member" else soft_vote([m[rows] for m in pred_probs], weights)
    chosen[rows] = np.where(tied[rows], judge, -1.0).argmax(axis=1)
    return chosen


def axis_vote(pred_probs: Sequence[FloatArray], axis_weights: ArrayLike) -> Probs:
    """Mask from some members, gender and age from others, (N, 18).

    Each axis is the weighted mean of the members' probabilities of that axis; a class gets the product of
    its three, as if the axes were independent.

    Args:
        pred_probs: one (N, 18) a member.
        axis_weights: (3, M) in the order mask, gender, age; see ``soft_vote``.
    """
    cube = np.ones((len(pred_probs[0]), *map(len, AXES.values())), dtype=np.float32)
    for place, (axis, weights) in enumerate(zip(AXES, np.atleast_2d(axis_weights), strict=True)):
        mean = marginal(soft_vote(pred_probs, weights), axis)  # a mean of marginals is the marginal of the mean
        cube *= np.expand_dims(mean, tuple(i for i in (1, 2, 3) if i != place + 1))
    cube = cube.reshape(len(cube), NUM_CLASSES)
    cube /= cube.sum(axis=1, keepdims=True)
    return cube


def _vote_by_axis(votes: FloatArray, mean: FloatArray) -> IntArray:
    chosen = []
    for axis in AXES:
        share = marginal(votes, axis)
        tied = share >= share.max(axis=1, keepdims=True) - 1e-6
        chosen.append(np.where(tied, marginal(mean, axis), -1.0).argmax(axis=1))
    return encode(*chosen)


def _shares(members: Sequence[NDArray[np.generic]], weights: ArrayLike | None) -> Float64Array:
    if not len(members):
        raise SubmissionError("there is no member to combine; choose at least one run")
    for place, member in enumerate(members):
        if member.shape != members[0].shape:
            raise SubmissionError(
                f"member 0 has shape {members[0].shape} but member {place} has {member.shape}; "
                "combine runs of the same data set"
            )
    given: Float64Array = np.ones(len(members)) if weights is None else np.asarray(weights, dtype=np.float64)
    if given.shape != (len(members),) or not np.isfinite(given).all() or given.min() < 0 or given.sum() <= 0:
        raise SubmissionError(
            f"weights {given.tolist()} do not fit {len(members)} members; "
            "give one number a member, none negative, not all 0"
        )
    shares: Float64Array = given / given.sum()
    return shares
