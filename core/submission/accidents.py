"""Known accidents that a file's form does not show: right answers in wrong rows, or under wrong numbers.

Found by comparing with a run's predictions: an accident agrees far better once it is taken back.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment  # type: ignore[attr-defined]

from core.evaluation.metrics import confusion_matrix
from core.taxonomy import NUM_CLASSES, IntArray

TEXT_ORDER = np.array(sorted(range(NUM_CLASSES), key=str))
"""Classes in the order in which a folder listing puts them: 0, 1, 10, 11, ..., 17, 2, ..., 9."""

_GAIN = 0.25
_LEAST = 0.5
"""An accident is told when its repair makes over half of the rows agree, and a quarter more than before."""


@dataclass(frozen=True)
class Agreement:
    """How well answers and predictions agree, as they are and with an accident taken back.

    Attributes:
        as_is: share of equal rows.
        mended: share of equal rows after the best repair that was tried.
        accident: what the repair takes back.
    """

    as_is: float
    mended: float
    accident: str

    @property
    def is_accident(self) -> bool:
        """The repair explains the file far better than no repair."""
        return self.mended > _LEAST and self.mended > self.as_is + _GAIN


def moved_rows(answers: IntArray, predictions: IntArray, photo_ids: list[str]) -> Agreement:
    """Answers that stand in the rows of other photos: shifted, reversed, or in the order of sorted ids.

    Args:
        answers: (N,) class in each row of the submission.
        predictions: (N,) class that a run predicts for the same photo.
        photo_ids: of the rows, in info.csv's order.
    """
    count = len(answers)
    # Equal rows at every shift at once: circular correlation of the one-hot columns.
    spectrum = np.fft.rfft(np.eye(NUM_CLASSES)[answers], axis=0) * np.conj(
        np.fft.rfft(np.eye(NUM_CLASSES)[predictions], axis=0)
    )
    equal = np.fft.irfft(spectrum.sum(axis=1), n=count) / count
    as_is = float((answers == predictions).mean())
    equal[0] = -1
    shift = int(equal.argmax())
    rows = shift if shift <= count // 2 else shift - count
    by_name = np.argsort(np.asarray(photo_ids, dtype=object), kind="stable")
    moved = f"answers stand {abs(rows):,} row{'s'[: abs(rows) != 1]} too {'low' if rows > 0 else 'high'}"
    repairs = [
        (float(equal[shift]), moved),
        (float((answers == predictions[::-1]).mean()), "answers stand in reverse order"),
        (float((answers == predictions[by_name]).mean()), "answers stand in the order of sorted ImageIDs"),
    ]
    return Agreement(as_is, *max(repairs))


def renamed_classes(answers: IntArray, predictions: IntArray) -> Agreement:
    """Answers under other numbers: classes in text order, or any other wrong class table.

    Args: as in ``moved_rows``.
    """
    confusion = confusion_matrix(predictions, answers)
    classes = np.arange(NUM_CLASSES)
    as_is = float(np.trace(confusion) / confusion.sum())
    for written in (np.argsort(TEXT_ORDER), TEXT_ORDER):
        mended = float(confusion[classes, written].sum() / confusion.sum())
        found = Agreement(as_is, mended, "classes are numbered in text order 0, 1, 10, 11, ..., 17, 2, ..., 9")
        if found.is_accident:
            return found
    _, written = linear_sum_assignment(confusion, maximize=True)
    used = (written != classes) & (confusion[classes, written] > 0)
    renamed = ", ".join(f"{old} as {written[old]}" for old in classes[used][:4])
    mended = float(confusion[classes, written].sum() / confusion.sum())
    return Agreement(as_is, mended, f"classes are renamed: {renamed}{', ...' * (int(used.sum()) > 4)}")
