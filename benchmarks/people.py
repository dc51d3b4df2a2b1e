"""Groups of evaluation photos against the true people, and what pooling over them brings.

    python -m benchmarks.people --data DIR --run R [--workspace DIR] [--metric best] [--simulate 1800]

Truth (``truth/eval.csv``) is read for scoring only. The groups are found anew, in a workspace of their own.
Prints one JSON object as its last line.
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.dataset.index import load_index
from core.evaluation.best_classes import best_classes
from core.evaluation.calibration import fit_temperature
from core.evaluation.metrics import macro_f1, probabilities
from core.evaluation.shift import estimate_shift
from core.evaluation.uncertainty import macro_f1_interval
from core.people.finding import find_people
from core.people.grouping import group_photos
from core.people.inference import Persons, infer, trusted
from core.people.joint import fit_pooling, joint_probs
from core.people.quality import group_quality
from core.people.ways import METRICS, ways_of
from core.storage.predictions import Predictions
from core.storage.runs import Run, open_run
from core.training.contrastive import train_head
from core.workspace import Workspace, workspace_from


def main() -> None:
    """Find, score, print."""
    options = _options()
    index = load_index(options.data, Workspace(options.workspace))
    run = open_run(Workspace(options.workspace), options.run)
    truth = pd.read_csv(options.data / "truth" / "eval.csv", dtype={"ImageID": object}).set_index("ImageID")
    with tempfile.TemporaryDirectory() as scratch:
        started = time.monotonic()
        ways = ways_of(options.metric, train_head=train_head)
        grouping = find_people(Workspace(Path(scratch)), index, run, name="benchmark", ways=ways)
        seconds = time.monotonic() - started
    evaluation = run.evaluation()
    true = truth.loc[evaluation.photo_ids.tolist()]
    groups, confidence = grouping.groups_of(evaluation.photo_ids.tolist())
    found = group_quality(groups, true.person.to_numpy())
    result = {
        "pair_precision": found.pair_precision,
        "pair_recall": found.pair_recall,
        "perfect_groups": found.perfect_groups,
        "metric": grouping.about["metric"],
        "held_out": grouping.about["tried"],
        "photos": len(true),
        "seconds": round(seconds, 1),
        "macro_f1": _scores(run, evaluation, true, groups, np.array(confidence)),
        "simulated": _simulated(options.simulate) if options.simulate else None,
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(json.dumps(result))


def _scores(
    run: Run, evaluation: Predictions, true: pd.DataFrame, groups: list[str], confidence: np.ndarray
) -> dict[str, Any]:
    """Macro F1 with its interval by person.

    raw: most probable classes of the run; prior: what is submitted with --prior em; pooled_*: most probable classes
    over groups, calibrated by a temperature alone and uncorrected; all: what is submitted with --prior em --grouping.
    """
    oof = run.oof()
    table = run.train_photos().set_index("photo_id").loc[oof.photo_ids.tolist()]
    labels, people = table.label.to_numpy(), table.person_id.to_numpy()
    temperature = fit_temperature(oof.logits, labels)
    pooling = fit_pooling(probabilities(oof.logits, temperature=temperature), labels, people)
    single = probabilities(evaluation.logits, temperature=temperature)

    folds = [fold.logits for fold in run.evaluations()]
    shift = estimate_shift(oof.logits, labels, folds, ages=table.age.to_numpy())
    codes = np.unique(groups, return_inverse=True)[1]
    submitted = fit_pooling(shift.calibration.probabilities(oof.logits), labels, people)
    persons = Persons(codes, trusted(groups, confidence), submitted)
    predictions = {
        "raw": single.argmax(axis=1),
        "prior": best_classes(shift.corrected(folds)),
        "pooled_found": joint_probs(single, groups, pooling, confidence=confidence).argmax(axis=1),
        "pooled_true": joint_probs(single, true.person.to_numpy(), pooling).argmax(axis=1),
        "all": best_classes(infer(shift, folds, prior="em", persons=persons)),
    }
    scores: dict[str, Any] = {}
    for name, chosen in predictions.items():
        low, high = macro_f1_interval(true.ans, chosen, true.person.to_numpy())
        scores[name] = {"score": macro_f1(true.ans, chosen), "low": low, "high": high}
    return scores


def _simulated(people: int) -> dict[str, float]:
    """Grouping alone, on vectors of simulated people about as far apart as real ones."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(people), 7)
    vectors = rng.normal(size=(people, 40))[person] + 0.35 * rng.normal(size=(7 * people, 40))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    started = time.monotonic()
    groups = group_photos(vectors, np.tile([0, 0, 0, 0, 0, 1, 2], people), threshold=0.5)
    quality = group_quality(groups.group, person)
    return {"photos": 7 * people, "seconds": round(time.monotonic() - started, 1), "pair_recall": quality.pair_recall}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--workspace", type=Path, default=workspace_from().root)
    parser.add_argument("--metric", choices=list(METRICS), default="whitened")
    parser.add_argument("--simulate", type=int, default=0, metavar="PEOPLE", help="time so many too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
