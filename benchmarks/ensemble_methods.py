"""Members and every method over them: out-of-fold, expected, and true on the evaluation photos; see ``ensemble``."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.dataset.index import load_index
from core.errors import RunError
from core.evaluation.best_classes import best_classes
from core.evaluation.expected_score import ExpectedScore
from core.evaluation.metrics import axis_accuracy, macro_f1
from core.evaluation.uncertainty import macro_f1_draws, macro_f1_interval
from core.storage.decisions import DecisionStore
from core.storage.runs import list_runs
from core.submission.assemble import open_members, rows_of
from core.submission.combine import Ballot, Combined, combine
from core.submission.expectation import believe, evaluation_mix
from core.submission.overview import Way, best_way, compare_recipes
from core.submission.recipe import Recipe, make_recipe
from core.taxonomy import AXES, IntArray
from core.workspace import Workspace

_KINDS = ("plain", "corrected")
_METHODS = ("soft", "logits", "hard", "fitted", "greedy", "stacked", "axes")


def compare_methods(data: Path, workspace: Workspace, run_ids: tuple[str, ...] = ()) -> dict[str, Any]:
    """Each run alone and every method over all of them, as voted and corrected for macro F1.

    The chosen ensemble is the one, as voted or corrected, with the highest macro F1 of held-out train people weighed
    to the estimated evaluation mix (as they are, and as voted, where its two estimates disagree); the best member is
    chosen alike. The truth only scores.

    Args:
        run_ids: all finished runs with every fold when empty.
    """
    started = time.perf_counter()
    index = load_index(data, workspace)
    rows = rows_of(index, DecisionStore(workspace, index.dataset_id).effective())
    names = [f"run:{run_id}" for run_id in run_ids or _whole_runs(workspace, index.dataset_id)]
    if len(names) < 2:
        raise RunError(f"{len(names)} runs are finished on all folds; an ensemble needs two, train another")
    ballot = Ballot(rows, tuple(open_members(workspace, rows, names)))
    mix = evaluation_mix(ballot)
    truth = pd.read_csv(data / "truth" / "eval.csv", dtype={"ImageID": str, "person": str}).set_index("ImageID")
    truth = truth.loc[rows.evaluation_ids]
    found: dict[str, dict[str, Any]] = {}
    submitted: dict[str, dict[str, IntArray]] = {}
    ensembles = []
    for name, own, recipe in _recipes(ballot):
        combined = combine(own, recipe)
        ensembles += [combined] if own is ballot else []
        found[name], submitted[name] = _measured(own, combined, truth)
    table = compare_recipes(ballot, ensembles, mix=mix, corrected=True)
    for name, told in table.set_index("name").iterrows():
        found[str(name)]["held_out"] = told.dropna().round(4).to_dict()
    chosen, best = (best_way(part) or _best_as_voted(part) for part in (table[len(names) :], table[: len(names)]))
    kinds = [_KINDS[way.corrected] for way in (chosen, best)]
    alike = {kind: _gain(truth, submitted[chosen.name][kind], submitted[best.name][kind]) for kind in _KINDS}
    tried = [entry[kind]["inside"] for entry in found.values() for kind in _KINDS]
    return {
        "people": len(set(ballot.person_ids)),
        "mix": None if mix is None else mix.round(4).tolist(),
        "predictions": found,
        "inside": f"{sum(entry['plain']['inside'] for entry in found.values())} of {len(found)}",
        "inside_with_corrections": f"{sum(tried)} of {len(tried)}",
        "chosen": str(chosen),
        "best_member": str(best),
        "chosen_true": found[chosen.name][kinds[0]]["true"],
        "best_member_true": found[best.name][kinds[1]]["true"],
        "chosen_gain": _gain(truth, submitted[chosen.name][kinds[0]], submitted[best.name][kinds[1]]),
        "chosen_gain_alike": alike,
        "seconds": round(time.perf_counter() - started, 1),
    }


def _best_as_voted(table: pd.DataFrame) -> Way:
    row = table.loc[table.macro_f1.idxmax()]
    return Way(str(row["name"]), corrected=False, score=float(row.macro_f1))


def _whole_runs(workspace: Workspace, dataset_id: str) -> list[str]:
    runs = [run for run in list_runs(workspace, dataset_id) if run.state() == "finished"]
    return [run.run_id for run in runs if set(run.train_photos().fold) <= {-1, *run.manifest["folds_to_run"]}]


def _recipes(ballot: Ballot) -> Iterator[tuple[str, Ballot, Recipe]]:
    """Name, ballot and recipe of each member alone, then of each method."""
    names = [member.name for member in ballot.members]
    for member in ballot.members:
        yield member.name, Ballot(ballot.rows, (member,)), make_recipe(members=[member.name])
    shares = [axis_accuracy(ballot.labels, member.classes[ballot.shared]) for member in ballot.members]
    better = {axis: sorted(names, key=lambda name, axis=axis: -shares[names.index(name)][axis])[: -(-len(names) // 2)]
              for axis in AXES}  # fmt: skip
    for method in _METHODS:
        axes = {"axes": better} if method == "axes" else {}  # each axis from the half that knows it better
        yield method, ballot, make_recipe(members=names, method=method, **axes)


def _measured(ballot: Ballot, combined: Combined, truth: pd.DataFrame) -> tuple[dict[str, Any], dict[str, IntArray]]:
    """Expected and true score as voted and corrected to the mean of both mixes for macro F1; classes alike."""
    belief = believe(ballot, combined)
    if belief is None:
        raise RunError("the members share no person out-of-fold; train them on the same people")
    corrected = best_classes(belief.corrected("both"))
    submitted = {"plain": combined.labels, "corrected": corrected}
    told = {kind: _beside(belief.expected(classes), classes, truth) for kind, classes in submitted.items()}
    return told | {"weights": combined.weights.round(3).tolist()}, submitted


def _gain(truth: pd.DataFrame, chosen: IntArray, best: IntArray) -> dict[str, float]:
    """True macro F1 of the one less that of the other, with 95 % over the same draws of people."""
    draws = macro_f1_draws(truth.ans.to_numpy(), [chosen, best], truth.person.to_numpy())
    low, high = np.quantile(draws[0] - draws[1], [0.025, 0.975])
    gain = macro_f1(truth.ans, chosen) - macro_f1(truth.ans, best)
    return {name: round(float(value), 4) for name, value in (("gain", gain), ("low", low), ("high", high))}


def _beside(expected: ExpectedScore, classes: IntArray, truth: pd.DataFrame) -> dict[str, Any]:
    labels = truth.ans.to_numpy()
    true = macro_f1(labels, classes)
    low, high = macro_f1_interval(labels, classes, truth.person.to_numpy())
    told = {"expected": expected.mean, "low": expected.low, "high": expected.high, "spread": expected.spread}
    told |= {"true": true, "true_low": low, "true_high": high}
    return {name: round(value, 4) for name, value in told.items()} | {
        "inside": bool(expected.low <= true <= expected.high)
    }
