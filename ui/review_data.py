"""The review table of a run, kept between reruns: by run, grouping and label revision, never by arrays."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.curation.calibrated import calibrate_run
from core.curation.disagreements import run_votes
from core.curation.evidence import Evidence, run_evidence
from core.curation.neighbours import competing_classes, nearest_of_two_classes
from core.curation.review_effect import ReviewEffect, review_effect
from core.curation.review_table import ReviewTable, review_table, with_decisions
from core.evaluation.shift import Shift
from core.people.inference import Inference, Prior
from core.storage.decisions import DecisionStore
from core.storage.groupings import Grouping, open_grouping
from core.storage.runs import Run, open_run
from ui.session import Desk, current

_RECALIBRATED_AFTER = 200
"""Decisions after which a run is calibrated anew on the labels as decided; it takes a second."""

_PAUSE_S = 3.0
"""Whoever has decided nothing for so long sees a table that takes the last answers in."""


def table_of(
    run: Run, *, unit: str, inference: Inference, revision: int, disputed: tuple[str, ...] = ()
) -> ReviewTable:
    """The review table after the decisions up to a revision; ``disputed`` as in ``review_table.review_table``.

    While decisions follow each other quickly, only what is decided and gained is brought up to date: the table
    itself is made anew when the reviewer pauses, or after some hundred decisions.
    """
    desk = current()
    grouping = _grouping(desk, inference)
    name = f"table {_key(desk)} {run.run_id} {unit} {inference}"
    made_at, changed_at, seen = st.session_state.get(name, (revision, -_PAUSE_S, revision))
    now = time.monotonic()
    is_quick = now - changed_at < _PAUSE_S and 0 <= revision - made_at < _RECALIBRATED_AFTER
    if seen != revision:
        changed_at = now
    made_at = made_at if is_quick else revision
    st.session_state[name] = (made_at, changed_at, revision)
    table = _table(_key(desk), run.run_id, unit, grouping, inference.prior, made_at, disputed, desk)
    if made_at == revision:
        return table
    evidence = _evidence(_key(desk), run.run_id, unit, grouping, inference.prior, _calibrated_at(made_at), desk)
    decisions = DecisionStore(desk.workspace, desk.index.dataset_id).effective(at_revision=revision)
    return with_decisions(table, evidence, desk.index.photos, decisions, disputed=disputed)


def shift_of(run: Run, revision: int) -> Shift:
    """The run's calibration and the estimated class mix, some decisions old at most."""
    desk = current()
    return _shift(_key(desk), run.run_id, _calibrated_at(revision), desk)


def effect_of(run: Run, *, unit: str, inference: Inference, revision: int) -> ReviewEffect | None:
    """What the corrections change in what the run says of the evaluation photos."""
    desk = current()
    at = _calibrated_at(revision)
    return _effect(_key(desk), run.run_id, unit, _grouping(desk, inference), inference.prior, at, desk)


def votes(run: Run, other: str, photo_ids: list[str]) -> dict[str, Any]:
    """Class of each photo by each voter: run and other run, or the folds of the run where ``other`` is ``folds``."""
    desk = current()
    return _votes(_key(desk), run.run_id, other, desk, photo_ids)


def neighbours(
    run: Run, table: ReviewTable, photo_ids: Sequence[str], revision: int
) -> dict[str, list[dict[str, Any]]]:
    """Nearest train photos of the two classes that compete for each photo; empty for a run without features."""
    if not (run.path / "features.json").exists():
        return {}
    known = _known_neighbours(f"{_key(current())} {run.run_id} {_calibrated_at(revision)}")
    wanted = table.photos[table.photos.photo_id.isin(set(photo_ids) - known.keys())]
    if len(wanted):
        train = table.photos[table.photos.split == "train"]
        seen, labels = wanted[["proposal", "label"]].to_numpy(dtype=np.int64).T
        competing = competing_classes(seen, table.photo_probs[wanted.index], labels)
        known |= nearest_of_two_classes(run.features(), train, wanted.photo_id.tolist(), competing)
    return known


def _grouping(desk: Desk, inference: Inference) -> Grouping | None:
    named = inference.grouping
    return open_grouping(desk.workspace, named, dataset_id=desk.index.dataset_id) if named else None


def _calibrated_at(revision: int) -> int:
    return revision - revision % _RECALIBRATED_AFTER


def _key(desk: Desk) -> str:
    return f"{desk.workspace.root} {desk.index.fingerprint}"


_BY_IDENTITY = {Grouping: lambda grouping: grouping.identity}


@st.cache_resource(max_entries=4, hash_funcs=_BY_IDENTITY, show_spinner=False)
def _evidence(
    place: str, run_id: str, unit: str, grouping: Grouping | None, prior: Prior, calibrated_at: int, _desk: Desk
) -> Evidence:
    decisions = DecisionStore(_desk.workspace, _desk.index.dataset_id).effective(at_revision=calibrated_at)
    run = open_run(_desk.workspace, run_id)
    shift = _shift(place, run_id, calibrated_at, _desk)
    return run_evidence(run, _desk.index.photos, decisions, unit=unit, grouping=grouping, prior=prior, shift=shift)


@st.cache_resource(max_entries=4, show_spinner=False)
def _shift(place: str, run_id: str, calibrated_at: int, _desk: Desk) -> Shift:
    del place  # only the key
    decisions = DecisionStore(_desk.workspace, _desk.index.dataset_id).effective(at_revision=calibrated_at)
    return calibrate_run(open_run(_desk.workspace, run_id), _desk.index.photos, decisions).shift


@st.cache_resource(max_entries=8, hash_funcs=_BY_IDENTITY, show_spinner=False)
def _effect(
    place: str, run_id: str, unit: str, grouping: Grouping | None, prior: Prior, calibrated_at: int, _desk: Desk
) -> ReviewEffect | None:
    return review_effect(_evidence(place, run_id, unit, grouping, prior, calibrated_at, _desk))


@st.cache_resource(max_entries=4, show_spinner=False)
def _known_neighbours(place: str) -> dict[str, list[dict[str, Any]]]:
    """What was looked up already under this key; it grows card by card."""
    del place  # only the key
    return {}


@st.cache_resource(max_entries=6, hash_funcs=_BY_IDENTITY, show_spinner=False)
def _table(
    place: str, run_id: str, unit: str, grouping: Grouping | None, prior: Prior, revision: int,
    disputed: tuple[str, ...], _desk: Desk,
) -> ReviewTable:  # fmt: skip
    evidence = _evidence(place, run_id, unit, grouping, prior, _calibrated_at(revision), _desk)
    decisions = DecisionStore(_desk.workspace, _desk.index.dataset_id).effective(at_revision=revision)
    return review_table(evidence, _desk.index.photos, decisions, disputed=disputed)


@st.cache_resource(max_entries=6, show_spinner=False)
def _votes(place: str, run_id: str, other: str, _desk: Desk, _photo_ids: list[str]) -> dict[str, Any]:
    del place  # only the key
    run = open_run(_desk.workspace, run_id)
    return run_votes(run, None if other == "folds" else open_run(_desk.workspace, other), _photo_ids)
