"""A run's calibrated probabilities and drawn truths, made once for each state of its files and of the decisions."""

import streamlit as st

from core.curation.calibrated import CalibratedRun, calibrate_run
from core.evaluation.calibration_map import CalibrationMethod
from core.evaluation.expected_score import DrawnTruth
from core.evaluation.held_out import draw_evaluation_truth
from core.evaluation.shift import Shift, bootstrap_shift
from core.storage.decisions import DecisionStore
from core.storage.runs import Run
from ui.session import current

_DRAWS = 20
_Key = tuple[str, int, str, CalibrationMethod]


def calibrated(run: Run, *, method: CalibrationMethod = "bias") -> CalibratedRun:
    """The run, calibrated on the labels as they are decided now."""
    return _calibrated(_key(run, method), run)


def shift_draws(run: Run, *, method: CalibrationMethod = "bias") -> list[Shift]:
    """The run's shift as other train people would have it."""
    return _shift_draws(_key(run, method), run)


def drawn_truth(run: Run, *, method: CalibrationMethod = "bias") -> DrawnTruth:
    """Possible truths of the evaluation photos, on which any prediction can be scored."""
    return _drawn_truth(_key(run, method), run)


def _key(run: Run, method: CalibrationMethod) -> _Key:
    """What the result depends on: the run's files, the decisions, the method. Arrays would be sampled as keys."""
    desk = current()
    states = [(run.path / name).stat() for name in ("oof.npy", "evaluation.npy")]
    files = f"{run.path} {[(state.st_mtime_ns, state.st_size) for state in states]}"
    return files, DecisionStore(desk.workspace, desk.index.dataset_id).revision(), desk.index.dataset_id, method


@st.cache_resource(max_entries=8, show_spinner="Calibrating the run ...")
def _calibrated(key: _Key, _run: Run) -> CalibratedRun:
    desk = current()
    decided = DecisionStore(desk.workspace, desk.index.dataset_id).effective()
    return calibrate_run(_run, desk.index.photos, decided, method=key[-1])


@st.cache_resource(max_entries=8, show_spinner="Estimating the mix with other train people ...")
def _shift_draws(key: _Key, _run: Run) -> list[Shift]:
    known = _calibrated(key, _run)
    return list(
        bootstrap_shift(
            known.oof_logits,
            known.labels,
            known.people,
            known.eval_logits,
            method=key[-1],
            ages=known.ages,
            draws=_DRAWS,
        )
    )


@st.cache_resource(max_entries=4, show_spinner="Drawing possible truths ...")
def _drawn_truth(key: _Key, _run: Run) -> DrawnTruth:
    known = _calibrated(key, _run)
    return draw_evaluation_truth(
        known.oof_logits, known.labels, known.people, known.eval_logits, method=key[-1], ages=known.ages
    )
