"""What an hour of clicking brings: macro F1 of a run's evaluation predictions after so many right answers, by order.

    python -m benchmarks.clicks --data DIR --run R [--grouping NAME] [--workspace DIR] [--step 25]

A reviewer who is always right answers the first cards of the pseudo-label queue, ``--step`` at a time; then the
table is made anew from the answers, as the page does. At 0 decisions stands what would be submitted under the same
corrections: the estimated mix, and photos pooled over the groups. Of a group that mixes people the reviewer gives the
answer of most of its photos. The truth (``truth/eval.csv``) gives the answers, the scores and the TRUE groups, which
show what found ones lose; nothing else sees it. Prints one JSON object: unit -> order -> decisions -> macro F1.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from core.curation.evidence import Evidence, run_evidence
from core.curation.queues import Filters, queue_rows
from core.curation.review_table import review_table
from core.dataset.index import Index, load_index
from core.evaluation.metrics import macro_f1
from core.storage.decision_record import FIELDS, Decision, values_of
from core.storage.decisions import DecisionStore
from core.storage.groupings import Grouping, open_grouping, save_grouping
from core.storage.runs import open_run
from core.workspace import Workspace, data_dir_from, workspace_from

ORDERS = ("gain", "margin", "confidence", "entropy", "random")
POINTS = (0, 25, 50, 100, 200, 300, 500, 1000)


def simulate(
    evidence: Evidence, index: Index, truth: pd.Series, *, order: str, step: int, seed: int
) -> dict[int, float]:
    """Macro F1 after each of ``POINTS`` decisions, or after all there are."""
    evaluated = np.flatnonzero(~evidence.is_train)
    true = truth.loc[evidence.photos.photo_id.to_numpy()[evaluated]].to_numpy()
    applied = evidence.predictions.copy()
    decisions = pd.DataFrame(columns=list(FIELDS)).astype({"kind": object, "unit": object, "target": object})
    scores: dict[int, float] = {}
    done = 0
    while True:
        if done in POINTS:
            scores[done] = round(macro_f1(true, applied[evaluated]), 4)
        following = next((point for point in POINTS if point > done), None)
        if following is None:
            return scores
        table = review_table(evidence, index.photos, decisions)
        rows = queue_rows(table, "pseudo_labels", Filters(), order=order, seed=seed).head(min(step, following - done))
        if rows.empty:
            return scores | {done: round(macro_f1(true, applied[evaluated]), 4)}
        asked = np.flatnonzero(np.isin(evidence.groups, rows.index))
        answers = truth.loc[evidence.photos.photo_id.to_numpy()[asked]].to_numpy()
        if evidence.unit == "person":  # a person's answer gives gender and age; each photo keeps its mask
            answers = applied[asked] // 6 * 6 + _of_most(answers % 6, evidence.groups[asked])
        applied[asked] = answers
        decisions = pd.concat([decisions, _as_decisions(evidence.photos.photo_id.to_numpy()[asked], answers)])
        done += len(rows)


def _of_most(cells: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The commonest cell of each photo's group."""
    counts = pd.crosstab(groups, cells)
    return counts.idxmax(axis=1).loc[groups].to_numpy()


def _as_decisions(photo_ids: np.ndarray, answers: np.ndarray) -> pd.DataFrame:
    made = [
        Decision(who="truth", kind="accept", target=photo_id, proposal=int(answer))
        for photo_id, answer in zip(photo_ids, answers, strict=True)
    ]
    return pd.DataFrame([values_of(one) for one in made], columns=list(FIELDS))


def main() -> None:
    """Read the arguments, simulate, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clicks", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--grouping", help="of evaluation photos, as found by `people`")
    parser.add_argument("--workspace")
    parser.add_argument("--step", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    workspace, data_dir = workspace_from(chosen.workspace), data_dir_from(chosen.data)
    index, run = load_index(data_dir, workspace), open_run(workspace, chosen.run)
    answers = pd.read_csv(Path(data_dir) / "truth" / "eval.csv", dtype={"person": str}).set_index("ImageID")
    decided = DecisionStore(workspace, index.dataset_id).effective()
    labels = decided[decided.queue != "pseudo_labels"]
    groupings: dict[str, Grouping | None] = {}
    if chosen.grouping:
        found = open_grouping(workspace, chosen.grouping, dataset_id=index.dataset_id)
        groupings["person, found groups"] = found
    groupings |= {"person, TRUE groups": _true_groups(answers), "photo": None}
    result: dict[str, object] = {"run": run.run_id, "grouping": chosen.grouping}
    for name, grouping in groupings.items():
        unit = name.partition(",")[0]
        evidence = run_evidence(run, index.photos, labels, unit=unit, grouping=grouping)
        curves = {}
        for order in ORDERS:
            curves[order] = simulate(evidence, index, answers.ans, order=order, step=chosen.step, seed=chosen.seed)
            print(name, order, curves[order], file=sys.stderr, flush=True)
        result[name] = curves
    print(json.dumps(result))


def _true_groups(answers: pd.DataFrame) -> Grouping:
    """The truth as a grouping, kept nowhere else."""
    table = pd.DataFrame({"photo_id": answers.index, "group": "person " + answers.person, "confidence": 1.0})
    with tempfile.TemporaryDirectory() as folder:
        return save_grouping(Workspace(Path(folder)), "true", table, dataset_id="truth", origin="truth", about={})


if __name__ == "__main__":
    main()
