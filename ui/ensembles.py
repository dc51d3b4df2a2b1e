"""Members, ensembles and drafts, kept in memory while what they are made of stands still."""

import hashlib
import json
import time
from pathlib import Path

import pandas as pd
import streamlit as st

from core.curation.limits import Limit
from core.dataset.index import Index
from core.evaluation.calibration_map import CalibrationMethod
from core.evaluation.metrics import Float64Array
from core.evaluation.rehearsal import Rehearsal
from core.storage.decisions import DecisionStore
from core.submission.assemble import open_members, rows_of
from core.submission.combine import Ballot, Combined, combine
from core.submission.deciding import Decided, Voted, decide, rehearse_votes, voted
from core.submission.expectation import Belief, evaluation_mix
from core.submission.export import Draft, draft_submission
from core.submission.members import Member, Rows
from core.submission.overview import common_recipe, compare_recipes, ledger_table
from core.submission.recipe import METHODS, Recipe
from core.taxonomy import IntArray
from core.workspace import Workspace
from ui.session import current

_FOLDERS = {"run": "runs", "outside": "outside", "ensemble": "ensembles"}
_SOON_S = 0.5
"""What takes longer shows how far it is."""


def ballot_of(recipe: Recipe) -> Ballot:
    """A recipe's members, each read once."""
    desk = current()
    place = (desk.index.fingerprint, str(desk.workspace.root), _revision())
    rows = _rows(place, desk.index, desk.workspace)
    bar, started, total = st.empty(), time.monotonic(), len(recipe.members)
    members = []
    for done, name in enumerate(recipe.members):
        if time.monotonic() - started > _SOON_S:
            bar.progress(done / total, f"reading and calibrating members: {done} of {total}")
        key = (*place, name, recipe.calibration, stamp_of(desk.workspace, name))
        members.append(_member(key, name, recipe.calibration, desk.workspace, rows))
    bar.empty()
    return Ballot(rows, tuple(members))


def combined_of(recipe: Recipe, ballot: Ballot) -> Combined:
    """The ensemble; methods that are fitted are fitted once."""
    desk = current()
    return _combined((_key(recipe, desk.workspace), ballot.rows.digest, _revision()), ballot, recipe)


def mix_of(ballot: Ballot) -> Float64Array | None:
    """The evaluation set's mix by a ballot's best member, estimated once a member."""
    best = ballot.best
    if best is None:
        return None
    made_of = (best.name, stamp_of(current().workspace, best.name), json.dumps(best.origin.get("calibration")))
    return _mix((*made_of, ballot.rows.digest, _revision()), ballot)


def methods_of(recipe: Recipe, ballot: Ballot) -> pd.DataFrame:
    """``compare_recipes`` of all methods over a recipe's members, as voted and corrected."""
    recipes = [recipe.model_copy(update={"method": method, "weights": (), "axes": {}}) for method in METHODS]
    key = (_key(recipes[0], current().workspace), ballot.rows.digest, _revision())
    return _methods(key, ballot, [combined_of(one, ballot) for one in recipes], mix_of(ballot))


def voted_of(recipe: Recipe) -> Voted:
    """The votes and what they let believe, whatever corrections are switched on."""
    votes = recipe.model_copy(update={"prior": "none", "grouping": "", "decide": "most_probable"})
    ballot = ballot_of(votes)
    place = current().workspace
    key = (_key(votes, place), ballot.rows.digest, _revision(), _groupings(place))
    return _voted(key, place, ballot, combined_of(votes, ballot))


def decided_of(recipe: Recipe) -> Decided:
    """What a recipe submits, and what its corrections change."""
    place = current().workspace
    return _decided((_key(recipe, place), _revision(), _groupings(place)), place, voted_of(recipe), recipe)


def rehearsal_of(recipe: Recipe) -> Rehearsal:
    """The leaderboard rehearsed with an ensemble and its best members, on people of the estimated mix."""
    place, votes = current().workspace, voted_of(recipe)
    return _rehearsal((_key(recipe, place), _revision(), _groupings(place)), votes)


def draft_of(recipe: Recipe, *, with_decisions: bool, limit: Limit = "all", train_limit: Limit = "all") -> Draft:
    """The file that a recipe gives, as ``draft_submission``; made anew when a decision or a file has come."""
    desk = current()
    files = [desk.workspace.submissions / name for name in ("ledger.sqlite", "ledger.sqlite-wal")]
    how = (with_decisions, limit, train_limit)
    stamp = (_revision(), how, _groupings(desk.workspace), *map(_time_of, [*files, desk.workspace.runs]))
    key = (_key(recipe, desk.workspace), *stamp)
    return _draft(key, desk.workspace, desk.index, recipe, voted_of(recipe), *how)


def ledger_of() -> pd.DataFrame:
    """The ledger's table, every file expected by one belief: that of all members its files name."""
    desk = current()
    recipe = common_recipe(desk.workspace, desk.index)
    belief = voted_of(recipe).belief if recipe else None
    if recipe is None or belief is None:
        return ledger_table(desk.workspace, desk.index)
    key = (_key(recipe, desk.workspace), _revision(), _groupings(desk.workspace))
    return ledger_table(
        desk.workspace,
        desk.index,
        lambda classes: _drawn_scores((*key, hashlib.sha256(classes.tobytes()).hexdigest()), belief, classes),
    )


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


def _groupings(workspace: Workspace) -> tuple[tuple[str, int], ...]:
    """Changes when a grouping comes or is changed."""
    folder = workspace.root / "groupings" / current().index.dataset_id
    return tuple((path.name, _time_of(path)) for path in sorted(folder.glob("*")))


def _time_of(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


# The first argument is the key of the cache; what it stands for is not hashed.


@st.cache_resource(max_entries=4, show_spinner=False)
def _rows(key: object, _index: Index, _workspace: Workspace) -> Rows:  # noqa: ARG001
    return rows_of(_index, DecisionStore(_workspace, _index.dataset_id).effective())


@st.cache_resource(max_entries=200, show_spinner=False)
def _member(key: object, _name: str, _calibration: CalibrationMethod, _workspace: Workspace, _rows: Rows) -> Member:  # noqa: ARG001
    return open_members(_workspace, _rows, [_name], calibration=_calibration)[0]


@st.cache_resource(max_entries=30, show_spinner="Combining")
def _combined(key: object, _ballot: Ballot, _recipe: Recipe) -> Combined:  # noqa: ARG001
    return combine(_ballot, _recipe)


@st.cache_resource(max_entries=10, show_spinner="Correcting and scoring all methods, about a second each")
def _methods(
    key: object,  # noqa: ARG001
    _ballot: Ballot,
    _combined: list[Combined],
    _mix: Float64Array | None,
) -> pd.DataFrame:
    return compare_recipes(_ballot, _combined, mix=_mix, corrected=True)


@st.cache_resource(max_entries=50, show_spinner="Estimating the evaluation set's mix")
def _mix(key: object, _ballot: Ballot) -> Float64Array | None:  # noqa: ARG001
    return evaluation_mix(_ballot)


@st.cache_resource(max_entries=20, show_spinner="Estimating the evaluation set's mix")
def _voted(key: object, _workspace: Workspace, _ballot: Ballot, _combined: Combined) -> Voted:  # noqa: ARG001
    return voted(_workspace, _ballot, _combined)


@st.cache_resource(max_entries=500, show_spinner=False)
def _drawn_scores(key: object, _belief: Belief, _classes: IntArray) -> Float64Array:  # noqa: ARG001
    return _belief.drawn_scores(_classes)


@st.cache_resource(max_entries=20, show_spinner="Rehearsing the leaderboard")
def _rehearsal(key: object, _votes: Voted) -> Rehearsal:  # noqa: ARG001
    return rehearse_votes(_votes)


@st.cache_resource(max_entries=20, show_spinner="Drawing truths for the expected score")
def _decided(key: object, _workspace: Workspace, _voted: Voted, _recipe: Recipe) -> Decided:  # noqa: ARG001
    return decide(_workspace, _voted, _recipe)


@st.cache_resource(max_entries=20, show_spinner="Drawing truths for the expected score")
def _draft(
    key: object,  # noqa: ARG001
    _workspace: Workspace,
    _index: Index,
    _recipe: Recipe,
    _voted: Voted,
    _with_decisions: bool,
    _limit: Limit,
    _train_limit: Limit,
) -> Draft:
    return draft_submission(
        _workspace, _index, _recipe,
        with_decisions=_with_decisions, limit=_limit, train_limit=_train_limit, voted=_voted,
    )  # fmt: skip
