"""How far a photo's label can be trusted, from what a model that did not see the person says.

Arrays in, one number a photo out; all of them only mean something for out-of-fold probabilities.
"""

import numpy as np
from numpy.typing import ArrayLike

from core.evaluation.metrics import Float64Array, paired, same_length
from core.taxonomy import FloatArray, IntArray


def self_confidence(labels: ArrayLike, pred_probs: FloatArray) -> Float64Array:
    """Probability of the given label, (N,); low for a doubtful label.

    Args:
        labels: (N,) class, 0..K-1.
        pred_probs: (N, K), rows sum to 1; out-of-fold, so that no model scored a photo it trained on.
    Raises:
        RunError: lengths differ, or a label is no class.

    Source: Kuan, Mueller, Model-agnostic label quality scoring to detect real-world label errors, 2022.
    """
    given, pred_probs = _fitting(labels, pred_probs)
    return pred_probs[np.arange(len(given)), given]


def normalized_margin(labels: ArrayLike, pred_probs: FloatArray) -> Float64Array:
    """(p of the label - highest p of another class + 1) / 2, (N,); below 0.5 the model says otherwise.

    Args, errors and source as ``self_confidence``.
    """
    given, pred_probs = _fitting(labels, pred_probs)
    rows = np.arange(len(given))
    others = pred_probs.copy()
    others[rows, given] = -np.inf
    margin: Float64Array = (pred_probs[rows, given] - others.max(axis=1) + 1) / 2
    return margin


def mistakenness(labels: ArrayLike, pred_probs: FloatArray) -> Float64Array:
    """Near 1 where a sure model contradicts the label, near 0 where it confirms it, 0.5 where unsure, (N,).

    (1 + s * exp(-entropy)) / 2 with s = -1 where the most probable class is the label, else 1.

    Args and errors as ``self_confidence``.

    Source: FiftyOne Brain, ``compute_mistakenness`` with logits.
    """
    given, pred_probs = _fitting(labels, pred_probs)
    entropy = -(pred_probs * np.log(np.maximum(pred_probs, 1e-300))).sum(axis=1)
    sign = np.where(pred_probs.argmax(axis=1) == given, -1.0, 1.0)
    score: Float64Array = (1 + sign * np.exp(-entropy)) / 2
    return score


def _fitting(labels: ArrayLike, pred_probs: FloatArray) -> tuple[IntArray, Float64Array]:
    exact: Float64Array = np.asarray(pred_probs, dtype=np.float64)
    given, _ = paired(labels, labels, num_classes=exact.shape[1])
    same_length(labels=given, pred_probs=exact)
    return given, exact
