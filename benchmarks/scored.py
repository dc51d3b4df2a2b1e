"""How well scores that were reported for some files tell the score of another.

``python -m benchmarks.scored [--data DIR --workspace DIR]``: 20 simulated files of runs and ensembles, the public
half of the truth as their leaderboard, and 20 more files that nobody has scored. Prints one JSON object:
loo_error (root mean square), new_error (of the files without a score), both also by agreement alone, and spread
(of the scores).
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.drawn_runs import draw_index, draw_run
from benchmarks.gate import good_files
from core.dataset.index import load_index
from core.evaluation.metrics import macro_f1
from core.storage.decisions import DecisionStore
from core.submission.assemble import member_names, open_ballot, rows_of
from core.submission.combine import combine
from core.submission.expectation import believe
from core.submission.recipe import make_recipe
from core.submission.scored import estimate_scores
from core.workspace import Workspace

_STRENGTHS = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0)


def main() -> None:
    """Make files, score them on the public half, estimate each from the others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--files", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.workspace is None:
            workspace = Workspace(Path(folder))
            index, labels = draw_index(Path(folder) / "data", people=200, evaluation=900)
            for seed, strength in enumerate(_STRENGTHS):
                draw_run(workspace, index, labels, f"strength-{strength}", strength=strength, seed=seed)
            truth = labels[(index.photos.split == "eval").to_numpy()]
            public = np.random.default_rng(0).random(len(truth)) < 0.5
        else:
            workspace = Workspace(given.workspace)
            index = load_index(given.data, workspace)
            ids = index.photos.photo_id[index.photos.split == "eval"]
            table = pd.read_csv(given.data / "truth" / "eval.csv").set_index("ImageID").loc[ids]
            truth, public = table.ans.to_numpy(), (table.split == "public").to_numpy()
        rows = rows_of(index, DecisionStore(workspace, index.dataset_id).effective())
        files = [classes for _, classes, _ in good_files(workspace, index, rows, 2 * given.files)]
        names = [name for name in member_names(workspace, index.dataset_id) if name.startswith("run:")]
        recipe = make_recipe(members=names)
        ballot = open_ballot(workspace, rows, recipe)
        belief = believe(ballot, combine(ballot, recipe))
    scores = [macro_f1(truth[public], classes[public]) for classes in files]
    known = given.files
    reported = [*scores[:known], *[np.nan] * (len(scores) - known)]
    result: dict[str, object] = {"files": known, "spread": round(float(np.std(scores[:known])), 5)}
    drawn = None if belief is None else np.stack([belief.drawn_scores(one) for one in files], axis=1)
    for name, given_drawn in (("", drawn), ("_by_agreement_alone", None)):
        found = estimate_scores(files, reported, drawn=given_drawn)
        errors = found.mean[known:] - scores[known:]
        result[f"loo_error{name}"] = round(found.loo_error, 5)
        result[f"new_error{name}"] = round(float(np.sqrt((errors**2).mean())), 5)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
