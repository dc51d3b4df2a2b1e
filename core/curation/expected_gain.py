"""What it is worth to know a photo's class: the expected rise of macro F1."""

import numpy as np
from numpy.typing import ArrayLike

from core.evaluation.metrics import Float64Array, f1_from_counts, paired, same_length
from core.taxonomy import FloatArray


def expected_gain(pred_probs: FloatArray, predictions: ArrayLike | None = None) -> Float64Array:
    """Expected rise of macro F1 when a photo's true class is learned and predicted, (N,).

    F1 of class c is 2 T / (S + M): T photos rightly predicted as c, S photos of c, M predicted as c.
    With probabilities for truth, T and S are expected numbers. When photo i, predicted as c, turns out to
    be k, only two classes change: c loses one wrong prediction, k wins a right one. The gain is their
    change in F1, weighted with the probability of each k, over K. So a photo is worth much where it is
    unsure AND where its classes are rare, and a photo without doubt is worth nothing.

    Taking expected numbers for T and S is exact up to terms of the order of 1 / photos a class. Photos
    count one by one: what an answer tells about the person's other photos is not in it.

    Args:
        pred_probs: (N, K) calibrated probabilities of all photos that are scored together; one-hot where
            the answer is known already.
        predictions: (N,) class that would be submitted; the most probable one when None.
    Raises:
        RunError: lengths differ, or a prediction is no class.

    Source: docs/methods.md; expected F from probabilities as in Ye, Chai, Lee, Chieu, Optimizing F-measure:
        a tale of two approaches, ICML 2012.
    """
    pred_probs = np.asarray(pred_probs, dtype=np.float64)
    num_classes = pred_probs.shape[1]
    chosen = pred_probs.argmax(axis=1) if predictions is None else predictions
    current, _ = paired(chosen, chosen, num_classes=num_classes)
    same_length(predictions=current, pred_probs=pred_probs)
    of_current = pred_probs[np.arange(len(current)), current]  # (N,)
    hits = np.bincount(current, weights=of_current, minlength=num_classes)  # (K,) expected T
    support = pred_probs.sum(axis=0)  # (K,) expected S
    predicted = np.bincount(current, minlength=num_classes)  # (K,) M
    # The class that the photo turns out to be: one photo more in S, before and after.
    support_if = support - pred_probs + 1  # (N, K)
    won = f1_from_counts(hits + 1, support_if, predicted + 1) - f1_from_counts(hits, support_if, predicted)
    # The class that was predicted: the photo is none of it.
    left_hits, left_support = hits[current] - of_current, support[current] - of_current  # (N,)
    left = f1_from_counts(left_hits, left_support, predicted[current] - 1)
    kept = f1_from_counts(left_hits, left_support, predicted[current])
    gains = won + (left - kept)[:, None]  # (N, K)
    gains[np.arange(len(current)), current] = 0
    expected: Float64Array = (pred_probs * gains).sum(axis=1) / num_classes
    return expected
