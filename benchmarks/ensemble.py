"""How fast an ensemble of many members answers a change, and how fast a file is written.

``python -m benchmarks.ensemble [--members 50]``: drawn members over 18,900 train and 6,300 evaluation photos, each a
memory-mapped array; medians of five. Prints one JSON object, in seconds: one entry a method (the vote on both sets),
``scores`` (intervals and paired differences of all members), ``agreement``, ``errors``, ``adds`` (leave one out),
``change`` (soft vote, scores, agreement, errors, adds: all that the page computes anew), ``change_processor`` (its
processor time, which other work on the machine does not lengthen), ``export`` (12,600 rows: text, checks against one
run, csv and manifest on the disk), and ``copied_mb`` beside ``members_mb``.

``python -m benchmarks.ensemble --all-methods --data DIR --workspace W [--run R ...]``: each run alone and every
method over all of them: nested out-of-fold macro F1 with its interval by person, the expected score with its
interval, and the evaluation truth (DIR/truth/eval.csv, for scoring alone), as voted and corrected; the chosen
ensemble beside its best member. Without ``--run``: all finished runs with every fold.
"""

import argparse
import json
import platform
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from benchmarks.drawn_runs import draw_index
from benchmarks.ensemble_methods import compare_methods
from core.files import write_json, write_text
from core.submission import choosing
from core.submission.checks import check_submission
from core.submission.combine import Ballot, combine
from core.submission.export import submission_text
from core.submission.likeness import Reference
from core.submission.members import Member, Rows
from core.submission.overview import compare_recipes
from core.submission.recipe import METHODS, make_recipe
from core.workspace import Workspace

processor: list[float] = []
_FITTED_ONCE = ("fitted", "greedy", "stacked")


def main() -> None:
    """Draw members, time what the page does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=50)
    parser.add_argument("--people", type=int, default=2700)
    parser.add_argument(
        "--fitted", action="store_true", help="Time the fitted methods too; they are fitted once a choice."
    )
    parser.add_argument(
        "--all-methods", action="store_true", help="Compare all methods over the runs of a workspace."
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--run", action="append", default=[])
    given = parser.parse_args()
    if given.all_methods:
        if given.data is None or given.workspace is None:
            parser.error("--all-methods needs --data and --workspace")
        print(json.dumps(compare_methods(given.data, Workspace(given.workspace), tuple(given.run)), indent=1))
        return
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(Path(folder), given.members, given.people, fitted=given.fitted)))


def measure(folder: Path, count: int, people: int, *, fitted: bool) -> dict[str, object]:
    """Seconds of each step."""
    ballot = draw_ballot(folder, count, people)
    names = [member.name for member in ballot.members]
    found: dict[str, object] = {"machine": platform.machine(), "members": count, "photos": len(ballot.rows.photo_ids)}
    for member in ballot.members:
        _ = member.classes, member.predicted  # once, when members are opened
    for method in METHODS:
        if fitted or method not in _FITTED_ONCE:
            recipe = make_recipe(members=names, method=method)
            found[method] = _seconds(
                lambda recipe=recipe: combine(ballot, recipe), 1 if method in _FITTED_ONCE else 5
            )
    recipe = make_recipe(members=names)
    soft, mix = combine(ballot, recipe), np.full(6, 1 / 6)
    found["scores"] = _seconds(lambda: compare_recipes(ballot, [soft], mix=mix))
    found["agreement"] = _seconds(lambda: choosing.agreement(ballot))
    found["errors"] = _seconds(lambda: choosing.error_correlation(ballot))
    found["adds"] = _seconds(lambda: choosing.what_each_adds(ballot, mix=mix))
    found["change_processor"] = round(sum(processor[-4:]) + processor[0], 3)
    steps = ("soft", "scores", "agreement", "errors", "adds")
    found["change"] = round(sum(float(str(found[step])) for step in steps), 3)
    found["export"] = _seconds(lambda: _export(folder))
    tracemalloc.start()
    combine(ballot, recipe)
    found["copied_mb"] = round(tracemalloc.get_traced_memory()[1] / 2**20, 1)
    found["members_mb"] = round(sum(member.pred_probs.nbytes for member in ballot.members) / 2**20, 1)
    return found


def draw_ballot(folder: Path, count: int, people: int) -> Ballot:
    """Members that are memory-mapped arrays, right in about 70 % of the photos."""
    index, truth = draw_index(folder / "data", people=people, evaluation=people // 3)
    rows = Rows.of(index, index.photos.label.to_numpy())
    rng = np.random.default_rng(0)
    members = []
    for number in range(count):
        scores = 2.5 * np.eye(18, dtype=np.float32)[truth] + rng.normal(size=(len(truth), 18)).astype(np.float32)
        odds = np.exp(scores)
        np.save(folder / f"{number}.npy", odds / odds.sum(axis=1, keepdims=True))
        kept = np.load(folder / f"{number}.npy", mmap_mode="r")
        members.append(Member(f"run:{number}", kept, {"macro_f1": 0.7}))
    return Ballot(rows, tuple(members))


def _export(folder: Path, rows: int = 12_600) -> None:
    ids = [f"{number:040x}.jpg" for number in range(rows)]
    labels = np.random.default_rng(0).permutation(np.resize([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 6, 13, 4, 5], rows))
    text = submission_text(ids, labels)
    findings = check_submission(
        text.encode(), pd.DataFrame({"ImageID": ids}), references=[Reference("run", np.roll(labels, 0), "member")]
    )
    write_json(folder / "s.manifest.json", {"findings": [finding.saw for finding in findings]})
    write_text(folder / "s.csv", text)


def _seconds(step: Callable[[], object], times: int = 5) -> float:
    """Median wall time; processor time is gathered aside, since it does not grow when others use the machine."""
    taken = []
    for _ in range(times):
        started, worked = time.perf_counter(), time.process_time()
        step()
        taken.append((time.perf_counter() - started, time.process_time() - worked))
    processor.append(median(work for _, work in taken))
    return round(median(wall for wall, _ in taken), 3)


if __name__ == "__main__":
    main()
