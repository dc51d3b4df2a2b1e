"""Members, ensembles and drafts, kept in memory while what they are made of stands still."""

import json
from pathlib import Path

import streamlit as st

from core.dataset.index import Index
from core.evaluation.calibration_map import CalibrationMethod
from core.storage.decisions import DecisionStore
from core.submission.assemble import open_members, rows_of
from core.submission.combine import Ballot, Combined, combine
from core.submission.export import Draft, draft_submission
from core.submission.members import Member, Rows
from core.submission.recipe import Recipe
from core.workspace import Workspace
from ui.session import current

_FOLDERS = {"run": "runs", "outside": "outside", "ensemble": "ensembles"}


def ballot_of(recipe: Recipe) -> Ballot:
    """A recipe's members, each read once."""
    desk = current()
    place = (desk.index.fingerprint, str(desk.workspace.root), _revision())
    rows = _rows(place, desk.index, desk.workspace)
    members = [
        _member((*place, name, recipe.calibration, stamp_of(desk.workspace, name)), name, recipe.calibration,
                desk.workspace, rows)
        for name in recipe.members
    ]  # fmt: skip
    return Ballot(rows, tuple(members))


def combined_of(recipe: Recipe, ballot: Ballot) -> Combined:
    """The ensemble; methods that are fitted are fitted once."""
    desk = current()
    return _combined((_key(recipe, desk.workspace), ballot.rows.digest, _revision()), ballot, recipe)


def draft_of(recipe: Recipe, *, with_decisions: bool) -> Draft:
    """The file that a recipe gives; made anew when a decision or a file has come."""
    desk = current()
    files = [desk.workspace.submissions / name for name in ("ledger.sqlite", "ledger.sqlite-wal")]
    stamp = (_revision(), with_decisions, *map(_time_of, [*files, desk.workspace.runs]))
    return _draft((_key(recipe, desk.workspace), *stamp), desk.workspace, desk.index, recipe, with_decisions)


def stamp_of(workspace: Workspace, name: str) -> int:
    """Changes when the files behind a member do."""
    kind, _, rest = name.partition(":")
    folder = getattr(workspace, _FOLDERS.get(kind, "runs"))
    paths = [
        folder / f"{rest}.json",
        *(folder / rest / f"{part}.npy" for part in ("oof", "evaluation", "predictions")),
    ]
    return max(_time_of(path) for path in paths)


def _revision() -> int:
    desk = current()
    return DecisionStore(desk.workspace, desk.index.dataset_id).revision()


def _key(recipe: Recipe, workspace: Workspace) -> str:
    return json.dumps([recipe.model_dump(mode="json"), [stamp_of(workspace, name) for name in recipe.members]])


def _time_of(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


# The first argument is the key of the cache; what it stands for is not hashed.


@st.cache_resource(max_entries=4, show_spinner=False)
def _rows(key: object, _index: Index, _workspace: Workspace) -> Rows:  # noqa: ARG001
    return rows_of(_index, DecisionStore(_workspace, _index.dataset_id).effective())


@st.cache_resource(max_entries=200, show_spinner="Reading members")
def _member(key: object, _name: str, _calibration: CalibrationMethod, _workspace: Workspace, _rows: Rows) -> Member:  # noqa: ARG001
    return open_members(_workspace, _rows, [_name], calibration=_calibration)[0]


@st.cache_resource(max_entries=30, show_spinner="Combining")
def _combined(key: object, _ballot: Ballot, _recipe: Recipe) -> Combined:  # noqa: ARG001
    return combine(_ballot, _recipe)


@st.cache_resource(max_entries=20, show_spinner="Drawing truths for the expected score")
def _draft(key: object, _workspace: Workspace, _index: Index, _recipe: Recipe, _with_decisions: bool) -> Draft:  # noqa: ARG001
    return draft_submission(_workspace, _index, _recipe, with_decisions=_with_decisions)
