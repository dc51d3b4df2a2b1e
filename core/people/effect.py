"""What pooling over a grouping changes in a run's predictions, before anybody relies on it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from core.evaluation.metrics import Float64Array, macro_f1
from core.evaluation.shift import Shift, estimate_shift
from core.people.inference import Persons, infer
from core.people.joint import Pooling, fit_pooling, joint_probs
from core.storage.groupings import Grouping
from core.storage.runs import Run
from core.taxonomy import NUM_CLASSES, FloatArray, IntArray, class_name


@dataclass(frozen=True)
class Singles:
    """A run's evaluation predictions photo by photo, and how it would pool them.

    Attributes:
        photo_ids: (N,) in info.csv's order.
        shift: calibration and estimated evaluation mix, to which both ways are corrected.
        logits: one (N, 18) a network.
        pooling: fitted on the run's train people.
        oof_single, oof_pooled: out-of-fold macro F1 over the train people's own folders, photo by photo and pooled.
            The pooling's three numbers were fitted on the same people.
    """

    photo_ids: list[str]
    shift: Shift
    logits: tuple[FloatArray, ...]
    pooling: Pooling
    oof_single: float
    oof_pooled: float

    @cached_property
    def classes(self) -> IntArray:
        """(N,) most probable class of each photo alone."""
        return np.asarray(infer(self.shift, self.logits, prior="em").argmax(axis=1))

    def pooled_over(self, grouping: Grouping) -> "PoolingEffect":
        """The same predictions joined over a grouping's persons."""
        persons = Persons.of(grouping, self.photo_ids, self.pooling)
        return PoolingEffect(self, infer(self.shift, self.logits, prior="em", persons=persons))


@dataclass(frozen=True)
class PoolingEffect:
    """Predictions alone and pooled; ``pooled`` is (N, 18) in the order of ``single.photo_ids``."""

    single: Singles
    pooled: Float64Array

    @cached_property
    def classes(self) -> IntArray:
        """(N,) most probable class of each photo with its person's other photos."""
        return np.asarray(self.pooled.argmax(axis=1))

    @property
    def changed(self) -> int:
        """Photos whose most probable class is another one."""
        return int((self.single.classes != self.classes).sum())

    def captions(self) -> dict[str, str]:
        """Class and confidence of each photo, pooled, and what it would be alone where that differs."""
        names = [class_name(label) for label in range(NUM_CLASSES)]
        rows = zip(
            self.single.photo_ids, self.single.classes.tolist(), self.classes.tolist(),
            self.pooled.max(axis=1).tolist(), strict=True,
        )  # fmt: skip
        return {
            photo_id: f"{names[together]} {sure:.0%}" + ("" if own == together else f", alone {names[own]}")
            for photo_id, own, together, sure in rows
        }


def single_predictions(run: Run, labelled: pd.DataFrame) -> Singles:
    """Calibrate a run's evaluation predictions, and fit on its train people how those of one person are pooled.

    Args:
        labelled: photo_id, label (-1 where unknown) and age of the photos as decided.
    Raises:
        RunError: the run has no out-of-fold predictions of labelled photos.
    """
    oof, evaluations = run.oof(), run.evaluations()
    people = run.train_photos().set_index("photo_id").person_id.reindex(oof.photo_ids).to_numpy(dtype=object)
    table = labelled.set_index("photo_id").reindex(oof.photo_ids)
    true = table.label.fillna(-1).to_numpy(dtype=np.int64)
    known = true >= 0
    ages, logits = table.age.fillna(-1).to_numpy()[known], tuple(fold.logits for fold in evaluations)
    shift = estimate_shift(oof.logits[known], true[known], logits, ages=ages)
    train_probs = shift.calibration.probabilities(oof.logits[known])
    pooling = fit_pooling(train_probs, true[known], people[known])
    return Singles(
        evaluations[0].photo_ids.tolist(),
        shift,
        logits,
        pooling,
        macro_f1(true[known], train_probs.argmax(axis=1)),
        macro_f1(true[known], joint_probs(train_probs, people[known], pooling).argmax(axis=1)),
    )
