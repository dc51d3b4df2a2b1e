"""What another age boundary would do, told from out-of-fold predictions without training anything."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import ConfigError, RunError
from core.evaluation.metrics import confusion_matrix, f1_per_class
from core.storage.decision_record import Decision, new_id
from core.taxonomy import AGE_BANDS, CLASS_NAMES, NUM_CLASSES, IntArray, age_band, decode, encode

QUEUE = "age_boundary"
YOUNG_RANGE = (27, 33)
"""First ages of the middle band to choose from, years."""
OLD_RANGE = (56, 62)
"""First ages of the oldest band to choose from, years."""


@dataclass(frozen=True)
class Boundary:
    """Age bands to train with: ages from ``young`` and ``old`` on begin a band; ``leave_out`` (first, last) are not
    trained on.

    Raises:
        ConfigError: the bands do not follow each other.
    """

    young: int = 30
    old: int = 60
    leave_out: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not self.young < self.old:
            raise ConfigError(
                f"the middle band begins at {self.young} and the oldest at {self.old}; choose old above young"
            )
        if self.leave_out is not None and self.leave_out[0] > self.leave_out[1]:
            raise ConfigError(f"leaving out ages {self.leave_out[0]} to {self.leave_out[1]} is no band; swap them")

    def settings(self) -> dict[str, int]:
        """The training settings that stand for it, by dotted key."""
        told = {"data.age_young": self.young, "data.age_old": self.old}
        if self.leave_out is not None:
            told |= {"data.leave_out_from": self.leave_out[0], "data.leave_out_to": self.leave_out[1]}
        return told


@dataclass(frozen=True)
class Preview:
    """What a boundary would change, beside the competition's own bounds.

    Attributes:
        moved: people who would be in another age band: person_id, age, before, after (bands), photos.
        left_out_people, left_out_photos: with an age that is left out.
        classes: one row a class: label, name, photos_before, photos_after, f1_before, f1_after.
        macro_f1_before, macro_f1_after: of the out-of-fold predictions.
    """

    moved: pd.DataFrame
    left_out_people: int
    left_out_photos: int
    classes: pd.DataFrame
    macro_f1_before: float
    macro_f1_after: float


def preview_boundary(photos: pd.DataFrame, predictions: IntArray, boundary: Boundary) -> Preview:
    """What trains and how the run's out-of-fold predictions would score with another boundary.

    F1 compares the predictions as they are with the labels of each boundary; the network was not trained for
    it, so this says which boundary the network already draws, and what is certain is the counts.

    Args:
        photos: train photos: person_id, label (-1 without one), age (years, -1 unknown).
        predictions: (N,) the run's out-of-fold classes.
    Raises:
        RunError: nothing is left to score.
    """
    label, age = photos.label.to_numpy(), photos.age.to_numpy()
    known = label >= 0
    target = moved_labels(label, age, boundary)
    out = _left_out(age, boundary)
    kept = known & ~out
    if not kept.any():
        raise RunError("leaving out these ages leaves no labelled photo; choose a narrower band")
    before = f1_per_class(confusion_matrix(label[known], predictions[known]))
    after = f1_per_class(confusion_matrix(target[kept], predictions[kept]))
    changed = known & (target != label)
    moved = photos[changed].assign(before=label[changed] % len(AGE_BANDS), after=target[changed] % len(AGE_BANDS))
    people = moved.groupby("person_id", sort=False).agg(
        age=("age", "first"), before=("before", "first"), after=("after", "first"), photos=("label", "size")
    )
    classes = pd.DataFrame(
        {
            "label": np.arange(NUM_CLASSES),
            "name": pd.Series(CLASS_NAMES, dtype=object),
            "photos_before": np.bincount(label[known], minlength=NUM_CLASSES),
            "photos_after": np.bincount(target[kept], minlength=NUM_CLASSES),
            "f1_before": before,
            "f1_after": after,
        }
    )
    return Preview(
        people.reset_index(),
        int(photos.person_id[known & out].nunique()),
        int((known & out).sum()),
        classes,
        float(before.mean()),
        float(after.mean()),
    )


def moved_labels(label: IntArray, age: IntArray, boundary: Boundary) -> IntArray:
    """Labels with the age band of another boundary, where the age in years is known, (N,)."""
    mask, gender, band = decode(np.maximum(label, 0))
    other = np.where(age >= 0, age_band(age, young=boundary.young, old=boundary.old), band)
    return np.where(label >= 0, encode(mask, gender, other), label)


def relabel_moved(preview: Preview, boundary: Boundary, *, who: str, run_id: str) -> list[Decision]:
    """One decision a moved person that gives the band of the new boundary; one batch, undone at once."""
    batch = new_id()
    words = f"boundaries {boundary.young} and {boundary.old}"
    return [
        Decision(kind="relabel", unit="person", target=person, age_band=int(after), queue=QUEUE, run_id=run_id,
                 who=who, why=words, batch_id=batch)
        for person, after in zip(preview.moved.person_id, preview.moved.after, strict=True)
    ]  # fmt: skip


def _left_out(age: IntArray, boundary: Boundary) -> NDArray[np.bool_]:
    if boundary.leave_out is None:
        return np.zeros(len(age), dtype=bool)
    first, last = boundary.leave_out
    return (age >= first) & (age <= last)
