"""What a run predicts for people it did not train on: read and checked once, kept while its files stay the same."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.evaluation.calibration import fit_temperature
from core.evaluation.metrics import Float64Array, confusion_matrix, probabilities
from core.storage.runs import Run
from core.taxonomy import IntArray

_KEPT = 4  # runs; about 4 MB each at 18,900 photos
_FILES = ("oof.json", "oof.npy", "photos.csv", "result.json")


@dataclass(frozen=True)
class Scored:
    """The out-of-fold predictions of a run; all arrays are read-only.

    Attributes:
        photo_ids, labels, predictions, ages: (N,) of each predicted photo; age in years.
        pred_probs: (N, 18) probabilities at the run's own best temperature.
        confusion: (18, 18) photos by true and predicted class.
    """

    photo_ids: NDArray[np.str_]
    labels: IntArray
    predictions: IntArray
    ages: IntArray
    pred_probs: Float64Array
    confusion: IntArray

    def cell(self, true: int, predicted: int) -> IntArray:
        """Rows of the photos in one cell of the matrix, the most confident first."""
        rows = np.flatnonzero((self.labels == true) & (self.predictions == predicted))
        return rows[np.argsort(-self.pred_probs[rows, predicted], kind="stable")]


def scored(run: Run) -> Scored:
    """The out-of-fold predictions of a finished run.

    Raises:
        RunError: a file of the run is missing or torn.
    """
    return _scored(str(run.path), tuple(_stamp(run.path / name) for name in _FILES))


@st.cache_resource(max_entries=_KEPT, show_spinner=False)
def _scored(path: str, stamps: tuple[tuple[int, int], ...]) -> Scored:  # noqa: ARG001  stamps are part of the key
    run = Run(Path(path))
    oof = run.oof()
    table = run.train_photos().set_index("photo_id").reindex(oof.photo_ids)
    labels = table.label.to_numpy(dtype=np.int64)
    predictions = oof.logits.argmax(axis=1)
    kept = Scored(
        photo_ids=oof.photo_ids,
        labels=labels,
        predictions=predictions,
        ages=table.age.to_numpy(dtype=np.int64),
        pred_probs=probabilities(oof.logits, temperature=fit_temperature(oof.logits, labels)),
        confusion=confusion_matrix(labels, predictions),
    )
    for array in vars(kept).values():
        array.flags.writeable = False
    return kept


def _stamp(path: Path) -> tuple[int, int]:
    """Size and time of a file; zeros when it is not there."""
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_size, stat.st_mtime_ns
