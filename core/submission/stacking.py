"""Stacking: a multinomial logistic regression over the members' out-of-fold logits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize  # type: ignore[attr-defined]

from core.evaluation.metrics import Float64Array
from core.one_thread import on_one_thread
from core.submission.ensemble import LEAST, Probs
from core.taxonomy import NUM_CLASSES, FloatArray, IntArray

PENALTY = 0.02
"""Strength of the pull towards the equal vote of logits; see docs/methods.md."""


@dataclass(frozen=True)
class Stacking:
    """A fitted stack.

    Attributes:
        weights: (M, 18, 18): what member m's logit of class j adds to class k.
        bias: (18,).
    """

    weights: Float64Array
    bias: Float64Array

    def apply(self, pred_probs: Sequence[FloatArray]) -> Probs:
        """Probabilities of the stack, (N, 18), from one (N, 18) a member."""
        total = np.tile(self.bias.astype(np.float32), (len(pred_probs[0]), 1))
        for weights, member in zip(self.weights, pred_probs, strict=True):
            total += _logits(member) @ weights.astype(np.float32)
        return _softmax(total)

    @property
    def shares(self) -> Float64Array:
        """(M,) how much of the stack's own-class weight is each member's."""
        own = np.abs(np.trace(self.weights, axis1=1, axis2=2))
        shares: Float64Array = own / max(own.sum(), 1e-12)
        return shares


@on_one_thread
def fit_stacking(
    pred_probs: Sequence[FloatArray], labels: IntArray, *, penalty: float = PENALTY, steps: int = 80
) -> Stacking:
    """The regression that makes the labels most likely, pulled towards the equal vote of logits.

    Minimises mean cross entropy + penalty / 2 * (squared distance to the equal vote), a convex problem,
    by L-BFGS from the equal vote. With few people the stack stays near that vote instead of near nothing.
    On one thread: the same sums on any machine, and no waiting for cores that a training holds (50 times
    as long was measured).

    Args:
        pred_probs: one (N, 18) a member, out-of-fold.
        labels: (N,) true class.
        penalty: 0 is the plain regression.
        steps: of L-BFGS, at most.
    Source: Wolpert, Stacked generalization, Neural Networks 1992; Ting, Witten, Issues in stacked
        generalization, JAIR 1999 (probabilities as inputs).
    """
    features = np.concatenate([_logits(member) for member in pred_probs], axis=1)  # (N, M * 18)
    count, width = features.shape
    start = np.zeros((width + 1, NUM_CLASSES))
    start[:-1] = np.tile(np.eye(NUM_CLASSES), (len(pred_probs), 1)) / len(pred_probs)
    rows = np.arange(count)

    def loss(flat: Float64Array) -> tuple[float, Float64Array]:
        matrix = flat.reshape(width + 1, NUM_CLASSES)
        probs = _softmax(features @ matrix[:-1].astype(np.float32) + matrix[-1].astype(np.float32))
        cross_entropy = -np.log(np.maximum(probs[rows, labels], 1e-30), dtype=np.float64).mean()
        probs[rows, labels] -= 1
        probs /= np.float32(count)
        slope = np.concatenate([features.T @ probs, probs.sum(axis=0, keepdims=True)]).astype(np.float64)
        away = matrix - start
        return float(cross_entropy + penalty / 2 * (away**2).sum()), (slope + penalty * away).ravel()

    found = minimize(  # type: ignore[no-untyped-call]
        loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": steps}
    )
    matrix = found.x.reshape(width + 1, NUM_CLASSES)
    return Stacking(matrix[:-1].reshape(len(pred_probs), NUM_CLASSES, NUM_CLASSES), matrix[-1])


def _logits(pred_probs: FloatArray) -> Probs:
    """Log-probabilities less their mean a photo, so that only differences between classes count."""
    logs = np.log(np.maximum(pred_probs, LEAST), dtype=np.float32)
    centred: Probs = logs - logs.mean(axis=1, keepdims=True)
    return centred


def _softmax(scores: Probs) -> Probs:
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    scores /= scores.sum(axis=1, keepdims=True)
    return scores
