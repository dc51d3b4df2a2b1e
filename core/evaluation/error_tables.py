"""Where macro F1 is lost: by class, by axis, by exact age, by part of the photos; and the matrix seen coarser.

*Lost* has one meaning everywhere: what macro F1 would gain if these photos were predicted right, all else as it is.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.evaluation.metrics import (
    Float64Array,
    class_table,
    f1_per_class,
    grouped_confusion,
    macro_f1,
    paired,
    same_length,
)
from core.evaluation.prior import GROUP_NAMES, groups_of
from core.evaluation.uncertainty import macro_f1_interval, wilson_interval
from core.taxonomy import AXES, CLASS_NAMES, NUM_CLASSES, FloatArray, IntArray, decode, decode_axis, encode

_true_of_cell, _predicted_of_cell = np.divmod(np.arange(NUM_CLASSES**2), NUM_CLASSES)  # row by row


@dataclass(frozen=True)
class View:
    """A coarser matrix: classes taken together.

    Attributes:
        names: (k,) of its rows and columns.
        group: (18,) row of each class.
    """

    names: tuple[str, ...]
    group: IntArray

    def matrix(self, confusion: IntArray) -> IntArray:
        """(k, k) photos by true and predicted row, from the (18, 18) matrix."""
        return grouped_confusion(confusion, self.group)


_CLASSES = np.arange(NUM_CLASSES)
VIEWS = {
    "18 classes": View(CLASS_NAMES, _CLASSES),
    **{axis: View(names, decode_axis(_CLASSES, axis)) for axis, names in AXES.items()},
    "age × gender": View(GROUP_NAMES, groups_of(_CLASSES)),
}


def class_losses(confusion: IntArray) -> pd.DataFrame:
    """``metrics.class_table`` with ``f1_lost``: the gain if no photo of the class, and none taken for it, were wrong.

    Other classes gain too, as each confusion has two sides; so the column adds up to more than 1 - macro F1.
    """
    lost = [
        _gain(confusion, (_true_of_cell == label) | (_predicted_of_cell == label)) for label in range(NUM_CLASSES)
    ]
    return class_table(confusion).assign(f1_lost=lost)


def axis_losses(confusion: IntArray) -> pd.DataFrame:
    """One row an axis: accuracy, and ``f1_lost``: the gain if it were always right, the others as predicted."""
    right = dict(zip(AXES, decode(_true_of_cell), strict=True))
    said = dict(zip(AXES, decode(_predicted_of_cell), strict=True))
    rows = []
    for axis in AXES:
        mended = encode(*(right[one] if one == axis else said[one] for one in AXES))
        hits = confusion.ravel()[right[axis] == said[axis]].sum()
        rows.append((axis, hits / max(confusion.sum(), 1), _macro_of(confusion, mended) - _macro_of(confusion)))
    return pd.DataFrame(rows, columns=["axis", "accuracy", "f1_lost"])


def part_losses(labels: ArrayLike, predictions: ArrayLike, parts: ArrayLike, people: ArrayLike) -> pd.DataFrame:
    """Each part of the photos, such as a photo kind: how many are right, and what its wrong ones cost.

    Args:
        labels, predictions: (N,) classes.
        parts: (N,) name of each photo's part.
        people: (N,) person_id of each photo.
    Returns:
        part, photos, people, accuracy with its 95 % interval ``low`` and ``high`` by person, the accuracy of each
        axis, and ``f1_lost``: the gain in macro F1 of ALL photos if this part were right. Sorted by part.
    Raises:
        RunError: lengths differ, or a value is no class.
    """
    table = _judged(labels, predictions, parts=parts, people=people)
    rows = []
    for part, photos in table.groupby("parts", sort=True):
        mended = table.predicted.where(table.parts != part, table.true)
        n_people, share = photos.people.nunique(), photos.right.mean()
        rows.append(
            {
                "part": part, "photos": len(photos), "people": n_people, "accuracy": share,
                **dict(zip(("low", "high"), wilson_interval(share * n_people, n_people), strict=True)),
                **{axis: photos[axis].mean() for axis in AXES},
                "f1_lost": macro_f1(table.true, mended) - macro_f1(table.true, table.predicted),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def fold_scores(labels: ArrayLike, predictions: ArrayLike, folds: ArrayLike, people: ArrayLike) -> pd.DataFrame:
    """One row a fold: fold, photos, people, macro_f1 with its 95 % interval ``low`` and ``high`` by person, accuracy.

    Raises:
        RunError: lengths differ, or a value is no class.
    """
    table = _judged(labels, predictions, folds=folds, people=people)
    rows = []
    for fold, photos in table.groupby("folds", sort=True):
        low, high = macro_f1_interval(photos.true, photos.predicted, photos.people)
        score = macro_f1(photos.true, photos.predicted)
        rows.append((fold, len(photos), photos.people.nunique(), score, low, high, photos.right.mean()))
    return pd.DataFrame(rows, columns=["fold", "photos", "people", "macro_f1", "low", "high", "accuracy"])


def age_errors(labels: ArrayLike, predictions: ArrayLike, ages: ArrayLike, people: ArrayLike) -> pd.DataFrame:
    """One row an age in years: how often the photos of these people get the wrong age band, and to which side.

    Args:
        labels, predictions: (N,) classes.
        ages: (N,) years; photos below 0 (unknown) are left out.
        people: (N,) person_id of each photo.
    Returns:
        age, people, photos, too_young and too_old (shares), wrong (their sum) with its 95 % interval ``low`` and
        ``high`` by person. Wrong is what differs from the photo's label, whatever the years say.
    Raises:
        RunError: lengths differ, or a value is no class.
    """
    table = _judged(labels, predictions, ages=ages, people=people)
    table = table[table.ages >= 0]
    step = decode_axis(table.predicted, "age") - decode_axis(table.true, "age")
    table = table.assign(too_young=step < 0, too_old=step > 0)
    by_age = table.groupby("ages", sort=True)
    told = by_age[["too_young", "too_old"]].mean().assign(people=by_age.people.nunique(), photos=by_age.size())
    told["wrong"] = told.too_young + told.too_old
    shares = zip(told.wrong.tolist(), told.people.tolist(), strict=True)
    intervals = [wilson_interval(wrong * n_people, n_people) for wrong, n_people in shares]
    told["low"], told["high"] = np.array(intervals).reshape(-1, 2).T
    columns = ["age", "people", "photos", "too_young", "too_old", "wrong", "low", "high"]
    return told.rename_axis("age").reset_index()[columns]


def confidences(pred_probs: FloatArray, predictions: ArrayLike) -> Float64Array:
    """(N,) probability of each photo's predicted class, of (N, 18) calibrated ones."""
    chosen = np.asarray(predictions, dtype=np.int64)
    return np.asarray(pred_probs[np.arange(len(chosen)), chosen], dtype=np.float64)


def margins(pred_probs: FloatArray, predictions: ArrayLike) -> Float64Array:
    """(N,) probability of the predicted class less that of the likeliest other one.

    Below 0 where calibration prefers another class than the one predicted.
    """
    chosen = np.asarray(predictions, dtype=np.int64)
    others = np.array(pred_probs, dtype=np.float64)
    others[np.arange(len(chosen)), chosen] = -np.inf
    margin: Float64Array = confidences(pred_probs, chosen) - others.max(axis=1, initial=-np.inf)
    return margin


def _judged(labels: ArrayLike, predictions: ArrayLike, **columns: ArrayLike) -> pd.DataFrame:
    """One row a photo: true, predicted, right, right by axis, and the columns given."""
    true, predicted = paired(labels, predictions)
    given = {name: np.asarray(values) for name, values in columns.items()}
    same_length(labels=true, **given)
    axes = {axis: decode_axis(true, axis) == decode_axis(predicted, axis) for axis in AXES}
    return pd.DataFrame({"true": true, "predicted": predicted, "right": true == predicted, **axes, **given})


def _gain(confusion: IntArray, chosen: NDArray[np.bool_]) -> float:
    """What macro F1 gains if the photos of the chosen cells, (324,), were predicted right."""
    return _macro_of(confusion, np.where(chosen, _true_of_cell, _predicted_of_cell)) - _macro_of(confusion)


def _macro_of(confusion: IntArray, predicted: IntArray = _predicted_of_cell) -> float:
    """Macro F1 of the matrix, the photos of each cell predicted as ``predicted``, (324,), says."""
    counts = np.bincount(_true_of_cell * NUM_CLASSES + predicted, weights=confusion.ravel(), minlength=NUM_CLASSES**2)
    return float(f1_per_class(counts.reshape(NUM_CLASSES, NUM_CLASSES).astype(np.int64)).mean())
