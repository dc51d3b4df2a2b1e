"""Scores of predictions: macro F1 as the competition counts it, accuracy, and the matrix behind both.

Everything follows from the confusion matrix, whose rows are true classes and whose columns are
predicted ones.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.errors import RunError
from core.taxonomy import AXES, CLASS_NAMES, NUM_CLASSES, FloatArray, IntArray, decode, decode_axis

Float64Array = NDArray[np.float64]


def paired(labels: ArrayLike, predictions: ArrayLike, *, num_classes: int = NUM_CLASSES) -> tuple[IntArray, IntArray]:
    """Both as (N,) int64, after a check that they are classes of the same photos.

    Raises:
        RunError: lengths differ, or a value is no class 0..num_classes-1.
    """
    true, predicted = (
        _classes("labels", labels, num_classes),
        _classes("predictions", predictions, num_classes),
    )
    same_length(labels=true, predictions=predicted)
    return true, predicted


def same_length(**arrays: NDArray[np.generic]) -> None:
    """Refuse arrays that cannot describe the same photos.

    Raises:
        RunError: names both arrays and their lengths.
    """
    (first, array), *others = arrays.items()
    for name, other in others:
        if len(array) != len(other):
            raise RunError(
                f"{first} has {len(array):,} rows but {name} has {len(other):,}; align both on photo_id first"
            )


def confusion_matrix(labels: ArrayLike, predictions: ArrayLike, num_classes: int = NUM_CLASSES) -> IntArray:
    """Photos by true class (row) and predicted class (column), (K, K).

    Args:
        labels: (N,) true class, 0..K-1.
        predictions: (N,) predicted class.
    Raises:
        RunError: lengths differ, or a value is no class.

    >>> confusion_matrix([0, 0, 1], [0, 1, 1], num_classes=2).tolist()
    [[1, 1], [0, 1]]
    """
    true, predicted = paired(labels, predictions, num_classes=num_classes)
    counts = np.bincount(true * num_classes + predicted, minlength=num_classes * num_classes)
    return counts.reshape(num_classes, num_classes).astype(np.int64)


def f1_from_counts(hits: ArrayLike, support: ArrayLike, predicted: ArrayLike) -> Float64Array:
    """F1 = 2 hits / (support + predicted); 0 where a class is neither true nor predicted.

    Args:
        hits: photos of the class predicted as such; any shape, as are the others.
        support: photos of the class.
        predicted: photos predicted as the class.
    """
    total = np.asarray(support, dtype=np.float64) + np.asarray(predicted, dtype=np.float64)
    return 2 * np.asarray(hits, dtype=np.float64) / np.where(total > 0, total, 1)


def f1_per_class(confusion: IntArray) -> Float64Array:
    """F1 of each class, (K,); an absent class counts 0.

    >>> f1_per_class(np.array([[1, 1], [0, 1]])).round(3).tolist()
    [0.667, 0.667]
    """
    return f1_from_counts(np.diagonal(confusion), confusion.sum(axis=1), confusion.sum(axis=0))


def macro_f1(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Mean F1 over all 18 classes, an absent class counting 0, as the competition scores.

    scikit-learn's default leaves absent classes out and gives another number; the oracle is
    ``f1_score(..., labels=range(18), average="macro", zero_division=0)``.

    Raises:
        RunError: lengths differ, a value is no class, or there is no photo.
    """
    return float(f1_per_class(_not_empty(confusion_matrix(labels, predictions))).mean())


def weighted_macro_f1(labels: ArrayLike, predictions: ArrayLike, weights: ArrayLike) -> float:
    """``macro_f1`` where photos count unequally; raises alike.

    Args:
        weights: (N,) how often each photo counts, such as ``prior.mix_weights``.

    >>> round(18 * weighted_macro_f1([0, 0, 1], [0, 1, 1], [1, 0, 2]), 3)
    2.0
    """
    true, predicted = paired(labels, predictions)
    _not_empty(true)
    often: Float64Array = np.asarray(weights, dtype=np.float64)
    same_length(labels=true, weights=often)
    parts = (true[true == predicted], often[true == predicted]), (true, often), (predicted, often)
    counts = [np.bincount(classes, weights=times, minlength=NUM_CLASSES) for classes, times in parts]
    return float(f1_from_counts(*counts).mean())


def accuracy(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Share of photos predicted right; raises as ``macro_f1``."""
    confusion = _not_empty(confusion_matrix(labels, predictions))
    return float(np.trace(confusion) / confusion.sum())


def class_table(confusion: IntArray) -> pd.DataFrame:
    """One row a class: label, name, precision, recall, f1, support (photos of that class).

    Precision of a class that is never predicted, and recall of one that never occurs, are 0.
    """
    hits, support, predicted = np.diagonal(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    return pd.DataFrame(
        {
            "label": np.arange(NUM_CLASSES),
            "name": pd.Series(CLASS_NAMES, dtype=object),
            "precision": hits / np.maximum(predicted, 1),
            "recall": hits / np.maximum(support, 1),
            "f1": f1_per_class(confusion),
            "support": support,
        }
    )


def axis_confusion(confusion: IntArray, axis: str) -> IntArray:
    """The matrix of one axis (``mask``, ``gender`` or ``age``), (k, k), from the (18, 18) one."""
    return grouped_confusion(confusion, decode_axis(np.arange(NUM_CLASSES), axis))


def grouped_confusion(confusion: IntArray, groups: IntArray) -> IntArray:
    """The matrix of classes taken together, (k, k), from the (K, K) one.

    Args:
        groups: (K,) group of each class, 0..k-1.
    """
    members = (groups[:, None] == np.arange(groups.max() + 1)).astype(np.int64)  # (K, k)
    return np.asarray(members.T @ confusion @ members, dtype=np.int64)


def axis_accuracy(labels: ArrayLike, predictions: ArrayLike) -> dict[str, float]:
    """Share of photos right on each axis; raises as ``macro_f1``."""
    true, predicted = paired(labels, predictions)
    _not_empty(true)
    pairs = zip(AXES, decode(true), decode(predicted), strict=True)
    return {axis: float((value == guess).mean()) for axis, value, guess in pairs}


def probabilities(logits: FloatArray, *, temperature: float = 1.0) -> Float64Array:
    """Softmax over classes in float64.

    Args:
        logits: (N, K).
        temperature: logits are divided by it first; see ``calibration.fit_temperature``.
    Raises:
        RunError: not (N, K), or a row without finite values.
    """
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    if scaled.ndim != 2:
        raise RunError(f"logits have shape {scaled.shape}; give (photos, classes)")
    if scaled.size:
        scaled = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        scaled /= scaled.sum(axis=1, keepdims=True)
    if not np.isfinite(scaled).all():
        row = int(np.argmax(~np.isfinite(scaled).all(axis=1)))
        raise RunError(f"logits of row {row} are not finite; the training diverged, try a lower optim.lr")
    return scaled


def _classes(name: str, values: ArrayLike, num_classes: int) -> IntArray:
    array = np.asarray(values)
    if array.ndim != 1:
        raise RunError(f"{name} has shape {array.shape}; give one class a photo, (N,)")
    if array.size and array.dtype.kind not in "iu":
        raise RunError(
            f"{name} holds {array.dtype} values such as {array[0]!r}; give whole numbers 0..{num_classes - 1}"
        )
    if array.size and (array.min() < 0 or array.max() >= num_classes):
        row = int(np.argmax((array < 0) | (array >= num_classes)))
        raise RunError(f"{name} holds {array[row]} in row {row}, outside 0..{num_classes - 1}; leave such photos out")
    return array.astype(np.int64)


def _not_empty(array: IntArray) -> IntArray:
    if array.sum() == 0 and (array.size == 0 or array.ndim == 2):
        raise RunError("there is no photo to score; give labels and predictions of at least one")
    return array
