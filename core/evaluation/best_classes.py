"""The classes to submit, given probabilities: not the most probable ones, since macro F1 is what counts."""

import numpy as np
from numpy.typing import ArrayLike

from core.evaluation.metrics import Float64Array, f1_from_counts, paired, same_length
from core.taxonomy import FloatArray, IntArray

_ROUNDS = 50


def expected_macro_f1(pred_probs: FloatArray, predictions: ArrayLike) -> float:
    """Macro F1 with expected numbers in the place of counts; close to the expected macro F1 of many photos.

    Args:
        pred_probs: (N, K) calibrated; one-hot where the answer is known already.
        predictions: (N,) classes.
    Raises:
        RunError: lengths differ, or a prediction is no class.
    """
    exact: Float64Array = np.asarray(pred_probs, dtype=np.float64)
    chosen, _ = paired(predictions, predictions, num_classes=exact.shape[1])
    same_length(predictions=chosen, pred_probs=exact)
    hits, support, predicted = _expected_counts(exact, chosen, np.ones(len(exact)))
    return float(f1_from_counts(hits, support, predicted).mean())


def best_classes(pred_probs: FloatArray, *, weights: ArrayLike | None = None) -> IntArray:
    """Classes with the highest expected macro F1 that turns of this rule find, (N,).

    F1 of class k is 2 T / (S + M). To predict one more photo as k changes it by about

        2 (p(k) - F1(k) / 2) / (S + M)

    so a class is worth predicting from p(k) = F1(k) / 2 on, and a rare class more than a common one. T, M and
    F1 follow from the predictions and those from T, M and F1: the rule is applied in turn, with half steps, and
    the best predictions on the way are returned. The most probable classes are where it starts, so in expected
    macro F1 the result is never below them.

    Args:
        pred_probs: (N, K) calibrated, and corrected to the mix of the photos.
        weights: (N,) how often each photo counts.

    Source: Ye, Chai, Lee, Chieu, Optimizing F-measure: a tale of two approaches, ICML 2012; the threshold
        F / 2: Lipton, Elkan, Naryanaswamy, Optimal thresholding of classifiers to maximize F1 measure, ECML 2014.
    """
    probs = np.asarray(pred_probs, dtype=np.float64)
    often = np.ones(len(probs)) if weights is None else np.asarray(weights, dtype=np.float64)
    chosen: IntArray = probs.argmax(axis=1)
    best, best_score = chosen, -1.0
    worth = score = np.zeros(0)
    for turn in range(_ROUNDS):
        hits, support, predicted = _expected_counts(probs, chosen, often)
        f1 = f1_from_counts(hits, support, predicted)
        if f1.mean() > best_score:
            best, best_score = chosen, float(f1.mean())
        size = 1 / np.maximum(support + predicted, 1e-9)
        worth, score = (size, f1) if turn == 0 else ((worth + size) / 2, (score + f1) / 2)
        chosen = (worth * (probs - score / 2)).argmax(axis=1)
    return best


def _expected_counts(
    probs: Float64Array, predictions: IntArray, often: Float64Array
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Expected T (hits) and S (photos) of each class, and M (photos predicted as it), (K,) each."""
    num_classes = probs.shape[1]
    of_chosen = probs[np.arange(len(probs)), predictions] * often
    hits: Float64Array = np.bincount(predictions, weights=of_chosen, minlength=num_classes).astype(np.float64)
    predicted: Float64Array = np.bincount(predictions, weights=often, minlength=num_classes).astype(np.float64)
    support: Float64Array = often @ probs
    return hits, support, predicted
