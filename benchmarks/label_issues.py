"""How many planted label errors stand in the first 2 % of the label-issue queue, beside cleanlab's ranking.

    python -m benchmarks.label_issues --data DIR --run R [--workspace DIR]

By person; a person is wrong where ``truth/train_noise.csv`` names one of its photos, which scores and does nothing
else. cleanlab ranks the photos by the same out-of-fold probabilities, calibrated as the queue has them and as the
run says them; a person stands where its worst photo does, or where its mean does: the best of all is reported.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from cleanlab.rank import get_label_quality_scores

from core.curation.evidence import run_evidence
from core.curation.queues import Filters, queue_rows
from core.curation.review_table import review_table
from core.dataset.index import load_index
from core.evaluation.metrics import probabilities
from core.storage.decisions import DecisionStore
from core.storage.runs import open_run
from core.workspace import data_dir_from, workspace_from

METHODS = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")


def main() -> None:
    """Read the arguments, rank, print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.label_issues", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--data", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--workspace")
    parser.add_argument("--share", type=float, default=0.02)
    chosen = parser.parse_args()
    workspace, data_dir = workspace_from(chosen.workspace), data_dir_from(chosen.data)
    index, run = load_index(data_dir, workspace), open_run(workspace, chosen.run)
    wrong = set(pd.read_csv(Path(data_dir) / "truth" / "train_noise.csv").path)
    decided = DecisionStore(workspace, index.dataset_id).effective()
    table = review_table(run_evidence(run, index.photos, decided, unit="person"), index.photos, decided)
    queue = queue_rows(table, "label_issues", Filters(issue="all", state="all"), order="wrong").target.tolist()
    looked = int(np.ceil(chosen.share * len(queue)))

    def found(people: list[str]) -> float:
        return round(len(wrong & set(people[:looked])) / len(wrong), 4)

    oof, shown = run.oof(), table.photos[table.photos.split == "train"]
    told = {
        "calibrated": table.photo_probs[shown.index],
        "raw": probabilities(oof.logits[oof.rows_of(shown.photo_id)]),
    }
    theirs = {}
    for name, pred_probs in told.items():
        for method in METHODS:
            scores = pd.Series(get_label_quality_scores(shown.label.to_numpy(), pred_probs, method=method))
            by_person = scores.groupby(shown.person_id.to_numpy())
            for how in ("min", "mean"):
                theirs[f"{name} {method} {how}"] = found(by_person.agg(how).sort_values(kind="stable").index.tolist())
    result = {"run": run.run_id, "wrong_people": len(wrong), "looked_at": looked, "found": found(queue)}
    print(json.dumps(result | {"cleanlab_best": max(theirs.values()), "cleanlab": theirs}))


if __name__ == "__main__":
    main()
