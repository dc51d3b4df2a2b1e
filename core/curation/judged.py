"""A run's predictions of people it did not train on beside their labels, and the tables of where they differ."""

from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.evaluation.error_tables import age_errors, axis_losses, class_losses, fold_scores, part_losses
from core.evaluation.metrics import confusion_matrix
from core.storage.runs import Run
from core.taxonomy import PHOTO_KINDS, IntArray


@dataclass(frozen=True)
class Judged:
    """Out-of-fold predictions of a run with the labels of that time; all arrays are read-only.

    Attributes:
        photo_ids, people, kinds: (N,) of each predicted photo; a kind is one of ``PHOTO_KINDS``.
        labels, predictions, ages, folds: (N,); a prediction is the class with the largest logit, an age in years;
            -1 where nobody knows.
        logits: (N, 18).
    """

    photo_ids: NDArray[np.str_]
    people: NDArray[np.str_]
    kinds: NDArray[np.str_]
    labels: IntArray
    predictions: IntArray
    ages: IntArray
    folds: IntArray
    logits: NDArray[np.float32]

    @property
    def confusion(self) -> IntArray:
        """(18, 18) photos by true and predicted class."""
        return confusion_matrix(self.labels, self.predictions)

    def part(self, rows: NDArray[np.bool_] | IntArray) -> "Judged":
        """The same of some photos."""
        return Judged(*(array[rows] for array in vars(self).values()))


@dataclass(frozen=True)
class ErrorTables:
    """What ``error_tables`` makes; columns as in ``core.evaluation.error_tables``."""

    axes: pd.DataFrame
    classes: pd.DataFrame
    ages: pd.DataFrame
    kinds: pd.DataFrame
    folds: pd.DataFrame


def judge(run: Run) -> Judged:
    """What a finished run predicted for people it did not train on.

    Raises:
        RunError: a file of the run is missing or torn.
    """
    oof = run.oof()
    table = run.train_photos().set_index("photo_id").reindex(oof.photo_ids)
    judged = Judged(
        photo_ids=oof.photo_ids,
        people=table.person_id.to_numpy(dtype=str),
        kinds=np.array([PurePosixPath(path).stem for path in table.path], dtype=str),
        labels=table.label.to_numpy(dtype=np.int64),
        predictions=oof.logits.argmax(axis=1),
        ages=table.age.to_numpy(dtype=np.int64),
        folds=table.fold.to_numpy(dtype=np.int64),
        logits=np.asarray(oof.logits),
    )
    for array in vars(judged).values():
        array.flags.writeable = False
    return judged


def error_tables(judged: Judged) -> ErrorTables:
    """Where the macro F1 of these photos is lost: by axis, class, exact age, photo kind and fold."""
    photos = judged.labels, judged.predictions
    kinds = part_losses(*photos, judged.kinds, judged.people)
    known = [kind for kind in PHOTO_KINDS if kind in set(kinds.part)]
    return ErrorTables(
        axes=axis_losses(judged.confusion),
        classes=class_losses(judged.confusion),
        ages=age_errors(*photos, judged.ages, judged.people),
        kinds=kinds.set_index("part").loc[known].reset_index(),
        folds=fold_scores(*photos, judged.folds, judged.people),
    )
