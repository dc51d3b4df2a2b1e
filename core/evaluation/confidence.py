"""How sure predictions are, as a histogram of right and wrong ones."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.errors import RunError
from core.evaluation.metrics import Float64Array, same_length
from core.taxonomy import AXES, FloatArray, IntArray, decode_axis, marginal

BINS = 50


def confidence_of(pred_probs: FloatArray, axis: str = "") -> tuple[Float64Array, IntArray]:
    """Probability of the most probable value, and that value, (N,) each.

    Args:
        pred_probs: (N, 18), rows sum to 1.
        axis: ``mask``, ``gender`` or ``age``; "" for the 18 classes.
    """
    probs = marginal(pred_probs, axis) if axis else pred_probs
    return probs.max(axis=1).astype(np.float64), probs.argmax(axis=1).astype(np.int64)


def values_on(labels: IntArray, axis: str = "") -> IntArray:
    """Labels as ``confidence_of`` names values: classes, or indices on the axis."""
    if axis and axis not in AXES:
        raise RunError(f"axis {axis!r} is not one of {', '.join(AXES)}")
    return decode_axis(labels, axis) if axis else labels


def confidence_histogram(confidence: ArrayLike, is_right: ArrayLike, *, n_bins: int = BINS) -> pd.DataFrame:
    """Right and wrong predictions by confidence, in bins of one width over 0..1.

    Args:
        confidence: (N,), 0..1.
        is_right: (N,) whether the prediction is right.
    Returns:
        low, high (of the bin, which holds low <= confidence < high, the last also 1), right, wrong.
    Raises:
        RunError: lengths differ, or a confidence lies outside 0..1.
    """
    values, right = np.asarray(confidence, dtype=np.float64), np.asarray(is_right, dtype=bool)
    same_length(confidence=values, is_right=right)
    if len(values) and (values.min() < 0 or values.max() > 1 + 1e-9):
        raise RunError(f"confidence goes from {values.min():.3f} to {values.max():.3f}; give probabilities, 0..1")
    edges = np.arange(n_bins + 1) / n_bins
    bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, n_bins - 1)
    counts = [np.bincount(bins[part], minlength=n_bins) for part in (right, ~right)]
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "right": counts[0], "wrong": counts[1]})


def in_range(confidence: ArrayLike, low: float, high: float) -> NDArray[np.bool_]:
    """Which lie in low <= confidence < high, (N,); 1 and above belongs to the end."""
    values = np.asarray(confidence, dtype=np.float64)
    found: NDArray[np.bool_] = (values >= low) & ((values < high) | (high >= 1))
    return found
