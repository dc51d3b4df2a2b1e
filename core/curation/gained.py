"""What the decisions so far have changed and gained: labels as they stand, and macro F1 with and without them."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.curation.evidence import Evidence
from core.curation.labels import effective_labels
from core.evaluation.best_classes import expected_macro_f1
from core.evaluation.metrics import Float64Array, macro_f1
from core.taxonomy import IntArray


def labels_now(
    evidence: Evidence, photos: pd.DataFrame, decisions: pd.DataFrame, kinds: NDArray[np.object_]
) -> tuple[IntArray, IntArray]:
    """Each photo's label as it stands, (N,), and of answered evaluation photos alone, (N,); -1 without one.

    Args:
        kinds: (N,) from ``review_table.decision_kinds``.
    Raises:
        DecisionError: as ``labels.effective_labels``.
    """
    place = pd.Index(photos.photo_id).get_indexer(pd.Index(evidence.photos.photo_id))
    labels = effective_labels(photos, decisions).label.to_numpy()[place]
    return labels, np.where(evidence.is_train | (kinds == ""), -1, labels)


def submitted(evidence: Evidence, answered: IntArray) -> IntArray:
    """Class of each photo as it would be submitted, (N,): the answer, or what the run predicts."""
    return np.where(answered >= 0, answered, evidence.predictions)


def gained_so_far(
    evidence: Evidence, labels: IntArray, answered: IntArray, photo_probs: Float64Array
) -> dict[str, float]:
    """``ReviewTable.gained``; ``photo_probs`` (N, 18) know the answers."""
    other, told = ~evidence.is_train, submitted(evidence, answered)
    return {
        "eval": _gained_by_answers(photo_probs[other], told[other], evidence.predictions[other]),
        "train": _gained_by_labels(evidence, labels),
    }


def _gained_by_answers(photo_probs: Float64Array, told: IntArray, predictions: IntArray) -> float:
    if not (told != predictions).any():
        return 0.0
    return expected_macro_f1(photo_probs, told) - expected_macro_f1(photo_probs, predictions)


def _gained_by_labels(evidence: Evidence, labels: IntArray) -> float:
    original, predictions = evidence.photos.label.to_numpy(), evidence.predictions
    rows = np.flatnonzero(evidence.is_train & (labels >= 0) & (original >= 0))
    if not (labels[rows] != original[rows]).any():
        return 0.0
    return macro_f1(labels[rows], predictions[rows]) - macro_f1(original[rows], predictions[rows])
