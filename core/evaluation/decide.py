"""Which classes to submit, given calibrated probabilities: the most probable ones are best for accuracy alone."""

import numpy as np

from core.evaluation.metrics import Float64Array, f1_from_counts
from core.taxonomy import FloatArray, IntArray

_ROUNDS = 50


def decide_for_macro_f1(pred_probs: FloatArray) -> IntArray:
    """(N,) classes whose expected macro F1 is as high as single changes can make it.

    With expected hits T, expected size S and M photos given to a class, F1 is 2 T / (S + M). One photo more raises it
    by (p - F1 / 2) * 2 / (S + M), to first order: a class is worth giving where its probability exceeds half of
    its F1, and more so the rarer it is. Each round gives every photo its best class at the totals of the round
    before; the best round is kept, so the result is never worse in expectation than the most probable classes.

    Args:
        pred_probs: (N, K) calibrated for the photos that are scored (their own class mix, not the train people's).

    Source: Lipton, Elkan, Naryanaswamy, Optimal thresholding of classifiers to maximize F1 measure, ECML 2014
        (half of F1); Ye, Chai, Lee, Chieu, Optimizing F-measure, ICML 2012 (expected totals).
    """
    exact: Float64Array = np.asarray(pred_probs, dtype=np.float64)
    count, num_classes = exact.shape
    support = exact.sum(axis=0)
    chosen = exact.argmax(axis=1)
    best, best_score = chosen, -1.0
    for _ in range(_ROUNDS):
        given = np.bincount(chosen, minlength=num_classes)
        hits = np.bincount(chosen, weights=exact[np.arange(count), chosen], minlength=num_classes)
        f1 = f1_from_counts(hits, support, given)
        if f1.mean() > best_score + 1e-12:
            best, best_score = chosen, float(f1.mean())
        following = ((exact - f1 / 2) / np.maximum(support + given, 1e-12)).argmax(axis=1)
        if (following == chosen).all():
            break
        chosen = following
    decided: IntArray = best.astype(np.int64)
    return decided
