"""What pooling over a grouping changes in a run's predictions, before anybody relies on it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.evaluation.calibration import fit_temperature
from core.evaluation.metrics import Float64Array, macro_f1, probabilities
from core.people.joint import Pooling, fit_pooling, joint_probs
from core.storage.groupings import Grouping
from core.storage.runs import Run
from core.taxonomy import NUM_CLASSES, IntArray, class_name


@dataclass(frozen=True)
class PoolingEffect:
    """A run's evaluation predictions, photo by photo and pooled over a grouping.

    Attributes:
        photo_ids: (N,) in info.csv's order.
        single: (N, 18) calibrated probabilities of single photos.
        pooled: (N, 18) the same pooled.
        pooling: fitted on the run's train people.
        oof_single, oof_pooled: out-of-fold macro F1 over the train people's own folders. The pooling's three numbers
            were fitted on the same people.
    """

    photo_ids: list[str]
    single: Float64Array
    pooled: Float64Array
    pooling: Pooling
    oof_single: float
    oof_pooled: float

    @property
    def changed(self) -> int:
        """Photos whose most probable class is another one."""
        return int((self.single.argmax(axis=1) != self.pooled.argmax(axis=1)).sum())

    def captions(self, rows: list[int]) -> list[str]:
        """Class and confidence of some photos, pooled, and what they would be alone where that differs."""
        found = []
        for row in rows:
            own, together = int(self.single[row].argmax()), int(self.pooled[row].argmax())
            alone = "" if own == together else f", alone {class_name(own)}"
            found.append(f"{class_name(together)}  {self.pooled[row, together]:.0%}{alone}")
        return found

    def counts(self) -> tuple[IntArray, IntArray]:
        """Photos by class, (18,) each: single and pooled."""
        one, other = (np.bincount(each.argmax(axis=1), minlength=NUM_CLASSES) for each in (self.single, self.pooled))
        return one, other


def pooling_effect(run: Run, grouping: Grouping, labels: pd.Series) -> PoolingEffect:
    """Pool a run's evaluation predictions over a grouping.

    Args:
        labels: class by photo_id of the train photos as decided, -1 where unknown.
    Raises:
        RunError: the run has no out-of-fold predictions of labelled photos.
    """
    oof, evaluation = run.oof(), run.evaluation()
    people = run.train_photos().set_index("photo_id").person_id.reindex(oof.photo_ids).to_numpy(dtype=object)
    true = labels.reindex(oof.photo_ids, fill_value=-1).to_numpy(dtype=np.int64)
    known = true >= 0
    temperature = fit_temperature(oof.logits[known], true[known])
    train_probs = probabilities(oof.logits[known], temperature=temperature)
    pooling = fit_pooling(train_probs, true[known], people[known])
    single = probabilities(evaluation.logits, temperature=temperature)
    photo_ids = evaluation.photo_ids.tolist()
    groups, confidence = grouping.groups_of(photo_ids)
    return PoolingEffect(
        photo_ids,
        single,
        joint_probs(single, groups, pooling, confidence=confidence),
        pooling,
        macro_f1(true[known], train_probs.argmax(axis=1)),
        macro_f1(true[known], joint_probs(train_probs, people[known], pooling).argmax(axis=1)),
    )
