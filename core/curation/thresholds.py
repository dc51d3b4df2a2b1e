"""How sure a proposal of each class must be, so that a wanted share of the accepted ones is right."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.errors import RunError
from core.evaluation.metrics import Float64Array, paired, same_length
from core.evaluation.uncertainty import wilson_interval
from core.taxonomy import CLASS_NAMES, NUM_CLASSES, FloatArray

LEAST_EVIDENCE = 30
"""Out-of-fold proposals of a class below which no threshold is offered."""

NOT_ENOUGH = "not enough evidence"
UNREACHED = "not reached at any confidence"


def class_thresholds(labels: ArrayLike, pred_probs: FloatArray, *, precision: float) -> pd.DataFrame:
    """For each class the lowest confidence from which proposals are right as often as wanted.

    Right means: the lower end of Wilson's 95 % interval of the share of right ones, among the out-of-fold
    photos that are proposed as the class with at least that confidence, is not below ``precision``. At
    least ``LEAST_EVIDENCE`` of them must stand behind a threshold.

    Args:
        labels: (N,) class of the train photos.
        pred_probs: (N, 18) calibrated out-of-fold probabilities.
        precision: wanted share of right ones, 0..1.
    Returns:
        One row a class: label, name, threshold (NaN where there is none), n (proposals at or above it; all
        of the class where there is none), right (of those), low (Wilson's lower end), why ("" or the reason).
    Raises:
        RunError: lengths differ, or the precision is not within 0..1.

    Source: Wilson, Probable inference, the law of succession, and statistical inference, JASA 1927.
    """
    if not 0 < precision < 1:
        raise RunError(f"wanted precision {precision} is not between 0 and 1; give a share such as 0.9")
    predictions = pred_probs.argmax(axis=1)
    true, proposed = paired(labels, predictions)
    same_length(labels=true, pred_probs=pred_probs)
    confidence = pred_probs.max(axis=1)
    rows = []
    for label in range(NUM_CLASSES):
        chosen = proposed == label
        rows.append(
            {"label": label, "name": CLASS_NAMES[label]}
            | _lowest(confidence[chosen], true[chosen] == label, precision)
        )
    return pd.DataFrame(rows)


def above_thresholds(proposals: ArrayLike, confidence: ArrayLike, thresholds: pd.DataFrame) -> np.ndarray:
    """Which proposals reach the threshold of their class, (N,) bool; none of a class without one."""
    least = thresholds.threshold.to_numpy()[np.asarray(proposals, dtype=np.int64)]
    return np.asarray(confidence) >= np.where(np.isnan(least), np.inf, least)


def _lowest(confidence: Float64Array, is_right: np.ndarray, precision: float) -> dict[str, object]:
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence, right = confidence[order], np.cumsum(is_right[order])
    n = np.arange(1, len(order) + 1)
    # A threshold takes all proposals of equal confidence with it.
    ends = np.append(sorted_confidence[1:] < sorted_confidence[:-1], True) if len(order) else np.zeros(0, dtype=bool)
    usable = np.flatnonzero(ends & (n >= LEAST_EVIDENCE))
    for place in usable[::-1]:
        low, _ = wilson_interval(float(right[place]), float(n[place]))
        if low >= precision:
            return {
                "threshold": float(sorted_confidence[place]),
                "n": int(n[place]),
                "right": int(right[place]),
                "low": low,
                "why": "",
            }
    total = int(right[-1]) if len(order) else 0
    low = wilson_interval(total, len(order))[0]
    why = NOT_ENOUGH if len(order) < LEAST_EVIDENCE else UNREACHED
    return {"threshold": np.nan, "n": len(order), "right": total, "low": low, "why": why}
