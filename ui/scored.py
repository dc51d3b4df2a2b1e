"""What a run predicts for people it did not train on: read and checked once, kept while its files stay the same."""

from pathlib import Path

import numpy as np
import streamlit as st

from core.curation.judged import ErrorTables, Judged, error_tables, judge
from core.evaluation.calibration_map import Calibration
from core.evaluation.metrics import Float64Array
from core.storage.runs import Run
from core.submission.expectation import evaluation_people
from ui.calibrated import calibrated
from ui.session import current

_KEPT = 4  # runs; about 5 MB each at 18,900 photos
_FILES = ("oof.json", "oof.npy", "photos.csv", "result.json")
_Key = tuple[str, tuple[tuple[int, int], ...]]


def judged(run: Run) -> Judged:
    """The out-of-fold predictions of a finished run.

    Raises:
        RunError: a file of the run is missing or torn.
    """
    return _judged(_key(run))


def tables(run: Run) -> ErrorTables:
    """Where the run's macro F1 is lost; raises as ``judged``."""
    return _tables(_key(run))


def calibrated_probabilities(run: Run) -> Float64Array:
    """(N, 18) probabilities of the photos of ``judged``, calibrated on the labels as they are decided now.

    The same map as on every other page; see ``ui.calibrated``.
    """
    calibration = calibrated(run).shift.calibration
    return _probabilities(_key(run), calibration)


def foretold(run: Run) -> tuple[Judged, Float64Array]:
    """The evaluation photos, whose labels nobody knows, and their (M, 18) probabilities; people as last grouped."""
    desk, known = current(), calibrated(run)
    pred_probs = known.evaluation_probabilities()
    ids = known.eval_ids
    people = evaluation_people(desk.workspace, desk.index.dataset_id, ids.tolist()) or ids
    unknown = np.full(len(ids), -1)
    logits = np.log(np.maximum(known.raw, 1e-12)).astype(np.float32)
    kinds = np.full(len(ids), "")
    photos = Judged(
        ids, np.array(people, dtype=str), kinds, unknown, pred_probs.argmax(axis=1), unknown, unknown, logits
    )
    return photos, pred_probs


@st.cache_resource(max_entries=_KEPT, show_spinner=False)
def _judged(key: _Key) -> Judged:
    return judge(Run(Path(key[0])))


@st.cache_resource(max_entries=_KEPT, show_spinner=False)
def _tables(key: _Key) -> ErrorTables:
    return error_tables(_judged(key))


@st.cache_resource(max_entries=_KEPT, show_spinner=False)
def _probabilities(key: _Key, calibration: Calibration) -> Float64Array:
    pred_probs = calibration.probabilities(_judged(key).logits)
    pred_probs.flags.writeable = False
    return pred_probs


def _key(run: Run) -> _Key:
    """The run's files with their sizes and times."""
    return str(run.path), tuple(_stamp(run.path / name) for name in _FILES)


def _stamp(path: Path) -> tuple[int, int]:
    """Size and time of a file; zeros when it is not there."""
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_size, stat.st_mtime_ns
