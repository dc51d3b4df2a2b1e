"""The review table of a run, kept between reruns: by run, grouping and label revision, never by arrays."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.curation.disagreements import together, votes_of
from core.curation.evidence import Evidence, run_evidence
from core.curation.neighbours import nearest_of_two_classes
from core.curation.review_table import ReviewTable, review_table
from core.storage.decisions import DecisionStore
from core.storage.groupings import list_groupings, open_grouping
from core.storage.predictions import read_predictions
from core.storage.runs import Run, open_run
from ui.session import Desk, current

_RECALIBRATED_AFTER = 200
"""Decisions after which a run is calibrated anew on the labels as decided; it takes a second."""


def table_of(run: Run, *, unit: str, grouping: str = "", revision: int) -> ReviewTable:
    """The review table after the decisions up to a revision."""
    desk = current()
    return _table(_key(desk), run.run_id, unit, grouping, revision, desk)


def groupings() -> list[str]:
    """Names of the groupings of evaluation photos, newest first."""
    desk = current()
    return list_groupings(desk.workspace, dataset_id=desk.index.dataset_id)


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
    calibrated_at = revision - revision % _RECALIBRATED_AFTER
    known = _known_neighbours(f"{_key(current())} {run.run_id} {calibrated_at}")
    wanted = table.photos[table.photos.photo_id.isin(set(photo_ids) - known.keys())]
    if len(wanted):
        train = table.photos[table.photos.split == "train"]
        competing = np.argsort(-table.photo_probs[wanted.index], axis=1)[:, :2]
        known |= nearest_of_two_classes(run.features(), train, wanted.photo_id.tolist(), competing)
    return known


def _key(desk: Desk) -> str:
    return f"{desk.workspace.root} {desk.index.fingerprint}"


@st.cache_resource(max_entries=4, show_spinner=False)
def _evidence(_place: str, run_id: str, unit: str, grouping: str, calibrated_at: int, _desk: Desk) -> Evidence:
    decisions = DecisionStore(_desk.workspace, _desk.index.dataset_id).effective(at_revision=calibrated_at)
    groups = None
    if grouping:
        found = open_grouping(_desk.workspace, grouping, dataset_id=_desk.index.dataset_id).table
        groups = dict(zip(found.photo_id, found.group, strict=True))
    return run_evidence(open_run(_desk.workspace, run_id), _desk.index.photos, decisions, unit=unit, grouping=groups)


@st.cache_resource(max_entries=4, show_spinner=False)
def _known_neighbours(place: str) -> dict[str, list[dict[str, Any]]]:
    """What was looked up already under this key; it grows card by card."""
    del place  # only the key
    return {}


@st.cache_resource(max_entries=6, show_spinner=False)
def _table(_place: str, run_id: str, unit: str, grouping: str, revision: int, _desk: Desk) -> ReviewTable:
    calibrated_at = revision - revision % _RECALIBRATED_AFTER
    evidence = _evidence(_place, run_id, unit, grouping, calibrated_at, _desk)
    decisions = DecisionStore(_desk.workspace, _desk.index.dataset_id).effective(at_revision=revision)
    return review_table(evidence, _desk.index.photos, decisions)


@st.cache_resource(max_entries=6, show_spinner=False)
def _votes(_place: str, run_id: str, other: str, _desk: Desk, _photo_ids: list[str]) -> dict[str, Any]:
    run = open_run(_desk.workspace, run_id)
    if other == "folds":
        folds = run.manifest["folds_to_run"]
        told = {f"fold {fold}": read_predictions(run.fold_path(fold) / "evaluation") for fold in folds}
    else:
        pair = (run, open_run(_desk.workspace, other))
        told = {one.run_id: together([one.oof(), one.evaluation()]) for one in pair}
    return votes_of(told, _photo_ids)
