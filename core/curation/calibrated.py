"""A run's probabilities that mean what they say: calibrated, and corrected to the evaluation set's mix."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.curation.labels import effective_labels
from core.evaluation.calibration_map import CalibrationMethod
from core.evaluation.metrics import Float64Array, probabilities
from core.evaluation.shift import Shift, estimate_shift
from core.storage.runs import Run
from core.taxonomy import FloatArray, IntArray


@dataclass(frozen=True)
class CalibratedRun:
    """What a screen or a queue shows instead of a run's own probabilities.

    Attributes:
        shift: the calibration map and the estimated mix.
        photo_ids, people, labels, ages: (N,) of the train photos that were predicted out-of-fold and have a label;
            years, -1 where unknown.
        oof_logits: (N, 18).
        eval_ids: (M,) evaluation photos, in info.csv's order.
        eval_logits: one (M, 18) a fold.
        raw: (M, 18) the folds' mean probability as the run says it.
        calibrated: (M, 18) the folds' calibrated probabilities taken together, for people like the train people.
        corrected: (M, 18) the same for the mix that EM found.
    """

    shift: Shift
    photo_ids: NDArray[np.str_]
    people: NDArray[np.str_]
    labels: IntArray
    ages: IntArray
    oof_logits: FloatArray
    eval_ids: NDArray[np.str_]
    eval_logits: tuple[FloatArray, ...]
    raw: Float64Array
    calibrated: Float64Array
    corrected: Float64Array

    def oof_probabilities(self) -> Float64Array:
        """(N, 18) calibrated probabilities of the train photos."""
        return self.shift.calibration.probabilities(self.oof_logits)

    def evaluation_probabilities(self) -> Float64Array:
        """(M, 18) of the evaluation photos: corrected where the estimated mix is to be trusted, else calibrated."""
        return self.corrected if self.shift.is_steady else self.calibrated


def calibrate_run(
    run: Run, photos: pd.DataFrame, decisions: pd.DataFrame, *, method: CalibrationMethod = "bias"
) -> CalibratedRun:
    """Calibrate a finished run on its out-of-fold logits, and estimate the evaluation set's mix.

    Args:
        photos: an index's photos; a train photo that has left the data set is passed over.
        decisions: as in ``labels.effective_labels``; labels count as decided.
        method: of the calibration, see ``calibration_map``.
    Raises:
        RunError: the run is unfinished or damaged, or no predicted photo has a label.
    """
    oof = run.oof()
    known = effective_labels(photos, decisions).set_index("photo_id").reindex(oof.photo_ids)
    labels = known.label.fillna(-1).to_numpy(dtype=np.int64)
    chosen = np.flatnonzero(labels >= 0)
    ages = known.age.fillna(-1).to_numpy(dtype=np.int64)[chosen]
    evaluations = run.evaluations()
    eval_logits = tuple(fold.logits for fold in evaluations)
    shift = estimate_shift(oof.logits[chosen], labels[chosen], eval_logits, method=method, ages=ages)
    return CalibratedRun(
        shift,
        oof.photo_ids[chosen],
        known.person_id.to_numpy(dtype=str)[chosen],
        labels[chosen],
        ages,
        oof.logits[chosen],
        evaluations[0].photo_ids,
        eval_logits,
        np.mean([probabilities(member) for member in eval_logits], axis=0, dtype=np.float64),
        shift.calibrated(eval_logits),
        shift.corrected(eval_logits),
    )
