"""One prediction from several: the mean of their probabilities, or a vote of their classes."""

from collections.abc import Sequence

import numpy as np

from core.errors import SubmissionError
from core.evaluation.metrics import Float64Array, probabilities
from core.taxonomy import FloatArray, IntArray


def soft_vote(logits: Sequence[FloatArray], weights: Sequence[float] | None = None) -> Float64Array:
    """Mean probability of the members, (N, 18).

    Args:
        logits: one (N, 18) a member, rows in the same order of photos.
        weights: one a member, not negative; equal when None.
    Raises:
        SubmissionError: no member, shapes differ, or weights that cannot be.

    >>> soft_vote([np.log([[0.8, 0.2]]), np.log([[0.4, 0.6]])]).round(3).tolist()
    [[0.6, 0.4]]
    """
    shares = _shares(logits, weights)
    total = np.zeros(logits[0].shape)
    for share, member in zip(shares, logits, strict=True):
        total += share * probabilities(member)
    return total


def hard_vote(logits: Sequence[FloatArray], weights: Sequence[float] | None = None) -> IntArray:
    """The class most members choose, (N,); of tied classes the one with the higher mean probability.

    Args and errors as ``soft_vote``.
    """
    shares = _shares(logits, weights)
    votes = np.zeros(logits[0].shape)
    rows = np.arange(len(votes))
    for share, member in zip(shares, logits, strict=True):
        votes[rows, member.argmax(axis=1)] += share
    tied = votes >= votes.max(axis=1, keepdims=True) - 1e-9
    best: IntArray = np.where(tied, soft_vote(logits, weights), -1.0).argmax(axis=1)
    return best


def _shares(logits: Sequence[FloatArray], weights: Sequence[float] | None) -> Float64Array:
    if not len(logits):
        raise SubmissionError("there is no member to combine; choose at least one run")
    for place, member in enumerate(logits):
        if member.shape != logits[0].shape:
            raise SubmissionError(
                f"member 0 has shape {logits[0].shape} but member {place} has {member.shape}; "
                "combine runs of the same data set"
            )
    given: Float64Array = np.ones(len(logits)) if weights is None else np.asarray(weights, dtype=np.float64)
    if given.shape != (len(logits),) or not np.isfinite(given).all() or given.min() < 0 or given.sum() <= 0:
        raise SubmissionError(
            f"weights {given.tolist()} do not fit {len(logits)} members; "
            "give one number a member, none negative, not all 0"
        )
    shares: Float64Array = given / given.sum()
    return shares
