"""How far probabilities are from meaning what they say, and the one temperature that mends most of it.

``calibration_map`` has the finer maps: a temperature an axis, and a bias an axis value.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.errors import RunError
from core.evaluation.metrics import paired, probabilities, same_length
from core.taxonomy import FloatArray, IntArray

TEMPERATURES = (0.05, 20.0)
"""Least and greatest temperature that a fit returns."""


def fit_temperature(logits: FloatArray, labels: ArrayLike) -> float:
    """The temperature that makes ``softmax(logits / temperature)`` most likely for these labels.

    The likelihood is concave in 1 / temperature, so its slope has one zero: found by Newton steps
    inside a shrinking bracket. Logits that are always right want 0 and get the lower limit.

    Args:
        logits: (N, K); out-of-fold, so that no model scored a photo it trained on.
        labels: (N,) class, 0..K-1.
    Returns:
        Temperature, above 1 for an overconfident model, within ``TEMPERATURES``.
    Raises:
        RunError: lengths differ, no photo, or logits that are not finite.

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, section 4.2.
    """
    scores = np.asarray(logits, dtype=np.float64)
    scores = scores - scores.max(axis=1, keepdims=True) if scores.size else scores
    probabilities(scores)  # refuses what is not (N, K) or not finite
    true, _ = paired(labels, labels, num_classes=scores.shape[1])
    same_length(labels=true, logits=scores)
    if not len(true):
        raise RunError("there is no labelled photo to fit a temperature on; train a fold first")
    scores = np.maximum(scores, -1e4)  # -inf times a probability of 0 has no value
    observed = scores[np.arange(len(true)), true].mean()
    low, high = 1 / TEMPERATURES[1], 1 / TEMPERATURES[0]
    inverse = 1.0
    for _ in range(60):
        pred_probs = probabilities(scores, temperature=1 / inverse)
        expected = (pred_probs * scores).sum(axis=1)
        slope = observed - expected.mean()
        low, high = (inverse, high) if slope > 0 else (low, inverse)
        curvature = ((pred_probs * scores**2).sum(axis=1) - expected**2).mean()
        step = inverse + slope / curvature if curvature > 0 else np.inf
        following = step if low < step < high else (low * high) ** 0.5
        if abs(following - inverse) < 1e-9 * inverse:
            break
        inverse = following
    return float(np.clip(1 / inverse, *TEMPERATURES))


def expected_calibration_error(labels: ArrayLike, pred_probs: FloatArray, *, n_bins: int = 15) -> float:
    """Gap between confidence and accuracy, averaged over equal-width confidence bins by their photos.

    Args:
        labels: (N,) class, 0..K-1.
        pred_probs: (N, K), rows sum to 1; out-of-fold, so that no model scored a photo it trained on.
    Raises:
        RunError: lengths differ, or there is no photo.

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, section 2.
    """
    true, predicted = paired(labels, pred_probs.argmax(axis=1), num_classes=pred_probs.shape[1])
    if not len(true):
        raise RunError("there is no labelled photo to measure calibration on; train a fold first")
    confidence = pred_probs.max(axis=1)
    bins = _bins(confidence, n_bins)
    gap = np.bincount(bins, weights=(true == predicted) - confidence, minlength=n_bins)
    return float(np.abs(gap).sum() / len(true))


def reliability_table(labels: ArrayLike, pred_probs: FloatArray, *, n_bins: int = 15) -> pd.DataFrame:
    """Confidence against accuracy in equal-width bins: the rows of a reliability diagram.

    Returns:
        low, high (of the bin, which holds low < confidence <= high), confidence (mean), accuracy (share
        right), photos; bins without a photo are left out. ``expected_calibration_error`` is the mean of
        |accuracy - confidence| weighted with photos.
    Raises:
        RunError: lengths differ.

    Source: DeGroot, Fienberg, The comparison and evaluation of forecasters, The Statistician 1983; bins as
        in Guo et al., ICML 2017, section 2.
    """
    true, predicted = paired(labels, pred_probs.argmax(axis=1), num_classes=pred_probs.shape[1])
    confidence = pred_probs.max(axis=1)
    bins = _bins(confidence, n_bins)
    photos = np.bincount(bins, minlength=n_bins)
    table = pd.DataFrame(
        {
            "low": np.arange(n_bins) / n_bins,
            "high": np.arange(1, n_bins + 1) / n_bins,
            "confidence": np.bincount(bins, weights=confidence, minlength=n_bins) / np.maximum(photos, 1),
            "accuracy": np.bincount(bins, weights=true == predicted, minlength=n_bins) / np.maximum(photos, 1),
            "photos": photos,
        }
    )
    return table[table.photos > 0].reset_index(drop=True)


def _bins(confidence: FloatArray, n_bins: int) -> IntArray:
    return np.clip(np.ceil(confidence * n_bins).astype(np.int64) - 1, 0, n_bins - 1)  # (low, high]
