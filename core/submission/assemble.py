"""From names to members: ``run:NAME``, ``outside:NAME``, ``ensemble:NAME``, and all of them as one ballot."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from core.curation.labels import effective_labels
from core.dataset.index import Index
from core.errors import SubmissionError
from core.evaluation.calibration_map import Calibration, CalibrationMethod, fit_calibration
from core.storage.outside import list_outside, open_outside
from core.storage.runs import list_runs, open_run
from core.submission.combine import Ballot, combine
from core.submission.ensemble import LEAST
from core.submission.members import Member, Rows, member_of_outside, member_of_run
from core.submission.recipe import Recipe, list_recipes, open_recipe
from core.taxonomy import FloatArray
from core.workspace import Workspace

KINDS = ("run", "outside", "ensemble")


def member_names(workspace: Workspace, dataset_id: str) -> list[str]:
    """Every name that can vote: finished runs, newest first, then predictions from outside, then ensembles."""
    runs = [run.run_id for run in list_runs(workspace, dataset_id) if run.state() == "finished"]
    outside = [one.name for one in list_outside(workspace, dataset_id)]
    found = {"run": runs, "outside": outside, "ensemble": list_recipes(workspace)}
    return [f"{kind}:{name}" for kind in KINDS for name in found[kind]]


def best_runs(workspace: Workspace, dataset_id: str) -> list[str]:
    """Finished runs as members, the one first whose out-of-fold macro F1 is surely high: its interval's lower end.

    So a run of one fold does not lead by the luck of its few people.
    """
    runs = [run for run in list_runs(workspace, dataset_id) if run.state() == "finished"]
    lowest = {f"run:{run.run_id}": (run.result() or {}).get("macro_f1_low", -1.0) for run in runs}
    return sorted(lowest, key=lambda name: -lowest[name])


def rows_of(index: Index, decisions: pd.DataFrame) -> Rows:
    """The data set's photos with the labels that stand after these decisions."""
    return Rows.of(index, effective_labels(index.photos, decisions).label.to_numpy(dtype=np.int64))


def open_ballot(workspace: Workspace, rows: Rows, recipe: Recipe) -> Ballot:
    """A recipe's members, read and calibrated as it says.

    Raises:
        SubmissionError: a name of no member, or an ensemble that holds itself.
        RunError: a member that does not fit the data set.
    """
    return Ballot(rows, tuple(open_members(workspace, rows, recipe.members, calibration=recipe.calibration)))


def open_members(
    workspace: Workspace,
    rows: Rows,
    names: Sequence[str],
    *,
    calibration: CalibrationMethod = "temperature",
    above: tuple[str, ...] = (),
) -> list[Member]:
    """Members by name, in the given order.

    Args:
        above: ensembles that are being opened; none of them may be a member.
    """
    return [_open(workspace, rows, name, calibration, above) for name in names]


def _open(
    workspace: Workspace, rows: Rows, full_name: str, calibration: CalibrationMethod, above: tuple[str, ...]
) -> Member:
    kind, colon, name = full_name.partition(":")
    if kind not in KINDS or not colon:
        raise SubmissionError(f"member {full_name!r}: write run:NAME, outside:NAME or ensemble:NAME")
    if kind == "run":
        return member_of_run(workspace, rows, open_run(workspace, name), calibration=calibration)
    if kind == "outside":
        return member_of_outside(workspace, rows, open_outside(workspace, name), calibration=calibration)
    if full_name in above:
        raise SubmissionError(f"{full_name} is a member of itself, by way of {above[-1]}; take it out there")
    recipe = open_recipe(workspace, name)
    inner = open_members(workspace, rows, recipe.members, calibration=recipe.calibration, above=(*above, full_name))
    return _member_of_ensemble(Ballot(rows, tuple(inner)), recipe, full_name, calibration=calibration)


def _member_of_ensemble(ballot: Ballot, recipe: Recipe, full_name: str, *, calibration: CalibrationMethod) -> Member:
    """An ensemble's votes as a member: out-of-fold ones where all its members had them."""
    combined = combine(ballot, recipe)
    pred_probs = np.zeros((len(ballot.rows.photo_ids), combined.pred_probs.shape[1]), dtype=np.float32)
    oof_logits, logits = _logits(combined.oof_probs), _logits(combined.pred_probs)
    fitted = Calibration("none")
    if len(oof_logits):
        fitted = fit_calibration(oof_logits, ballot.labels, method=calibration)
    pred_probs[ballot.shared] = fitted.probabilities(oof_logits)
    pred_probs[ballot.rows.evaluation] = fitted.probabilities(logits)
    pred_probs.flags.writeable = False
    origin = {
        "kind": "ensemble",
        "name": full_name.partition(":")[2],
        "recipe": recipe.model_dump(mode="json"),
        "weights": combined.weights.round(6).tolist(),
        "calibration": asdict(fitted),
        "members": [member.origin for member in ballot.members],
    }
    seconds = sum(member.seconds for member in ballot.members)
    if recipe.method == "hard":
        return Member(full_name, pred_probs, origin, seconds)
    networks = [fitted.probabilities(_logits(combined.apply(some))) for some in ballot.networks()]
    return Member(full_name, pred_probs, origin, seconds, np.array(networks, dtype=np.float32))


def _logits(pred_probs: FloatArray) -> FloatArray:
    logits: FloatArray = np.log(np.maximum(pred_probs, LEAST))
    return logits
