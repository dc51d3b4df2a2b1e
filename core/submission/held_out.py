"""Held-out train people in the place of the evaluation people: what would be submitted of them."""

import numpy as np

from core.evaluation.best_classes import best_classes
from core.evaluation.metrics import Float64Array
from core.evaluation.shift import estimate_shift
from core.one_thread import on_one_thread
from core.submission.combine import Ballot
from core.submission.expectation import as_logits
from core.taxonomy import FloatArray, IntArray

_FOLDS = 3


@on_one_thread
def corrected_classes(ballot: Ballot, pred_probs: FloatArray, mix: Float64Array) -> IntArray:
    """(S,) classes of the shared train people as they would be submitted, were their groups in this mix.

    Calibrated on other folds of people, corrected to the mix and decided for macro F1, as the evaluation photos are.

    Args:
        pred_probs: (S, 18) of the shared rows, out-of-fold.
        mix: (6,) shares of the groups, such as ``expectation.evaluation_mix``.
    """
    logits, folds = as_logits(pred_probs), ballot.folds(_FOLDS, seed=0)
    posterior = np.empty_like(logits)
    for fold in range(_FOLDS):
        others, own = folds != fold, folds == fold
        shift = estimate_shift(logits[others], ballot.labels[others], [logits[own]], ages=ballot.ages[others])
        posterior[own] = shift.corrected([logits[own]], mix=mix)
    return best_classes(posterior, weights=ballot.weights(mix))
