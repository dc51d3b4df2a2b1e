"""Does a run find the evaluation set's mix, and does correcting by it help? The truth is read last, for scoring.

    python -m benchmarks.shift --data DIR --run R [--workspace W] [--halves 200]

DIR/truth/eval.csv holds ImageID, ans and person. Prints one JSON object:
tv_train, tv_em, tv_bbse: total variation distance of train mix and estimates from the true gender x age mix
macro_f1: raw, calibrated, corrected, corrected_for_f1, true_mix (corrected by the true mix: the most that an
estimate could bring), each with score, low, high (95 % by person)
expected: for all but true_mix, mean, low, high, spread, and whether the true score lies inside
held_out: coverage, share of random halves of the train people whose true score lies in its interval;
coverage_of_draws,
the same without what widens it for people who look otherwise; widths, mean error; as they come, and drawn again to
other ages
"""

import json
import platform
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd

from core.curation.calibrated import CalibratedRun, calibrate_run
from core.dataset.index import load_index
from core.evaluation.best_classes import best_classes
from core.evaluation.calibration import expected_calibration_error
from core.evaluation.expected_score import expected_score
from core.evaluation.held_out import check_expected_scores, draw_evaluation_truth
from core.evaluation.metrics import accuracy, macro_f1, probabilities
from core.evaluation.prior import groups_of, mix_of, total_variation
from core.evaluation.shift import bootstrap_shift, mix_table
from core.evaluation.uncertainty import macro_f1_interval
from core.storage.decisions import DecisionStore
from core.storage.runs import open_run
from core.workspace import data_dir_from, workspace_from


@click.command()
@click.option("--data", required=True)
@click.option("--run", "run_id", required=True)
@click.option("--workspace", default=None)
@click.option(
    "--halves", default=200, show_default=True, help="Random halves of the train people; 0 leaves them out."
)
def main(data: str, run_id: str, workspace: str | None, halves: int) -> None:
    """Measure one run."""
    started = time.process_time()
    place = workspace_from(workspace)
    index = load_index(data_dir_from(data), place)
    decided = DecisionStore(place, index.dataset_id).effective()
    known = calibrate_run(open_run(place, run_id), index.photos, decided)
    train = known.oof_logits, known.labels, known.people
    table = mix_table(known.shift, list(bootstrap_shift(*train, known.eval_logits, ages=known.ages)))
    drawn = draw_evaluation_truth(*train, known.eval_logits, ages=known.ages)
    result: dict[str, Any] = {
        "run": run_id,
        "train_people": len(set(known.people)),
        "eval_photos": len(known.eval_ids),
    }
    if halves:
        result |= {"halves": halves, "held_out": _held_out(known, halves)}
    truth = pd.read_csv(Path(data) / "truth" / "eval.csv", dtype={"ImageID": str, "person": str}).set_index("ImageID")
    truth = truth.loc[known.eval_ids.tolist()]
    result |= _against_truth(known, table, drawn, truth.ans.to_numpy(), truth.person.to_numpy())
    result |= {"cpu_seconds": round(time.process_time() - started, 1), "machine": platform.machine()}
    result |= {"python": platform.python_version(), "numpy": np.__version__}
    click.echo(json.dumps(result, indent=1))


def _held_out(known: CalibratedRun, halves: int) -> dict[str, Any]:
    """How honest expected scores are on train people: as they come, and drawn again to other ages."""
    found = {}
    for name, other_ages in (("as they come", False), ("other ages", True)):
        check = check_expected_scores(
            known.oof_logits, known.labels, known.people, ages=known.ages, halves=halves, other_ages=other_ages
        )
        drawn = check.without_discrepancy
        found[name] = {
            "coverage": check.coverage, "width": float((check.high - check.low).mean()),
            "coverage_of_draws": drawn.coverage, "width_of_draws": float((drawn.high - drawn.low).mean()),
            "error": float((check.mean - check.truth).mean()), "discrepancy": check.discrepancy,
        }  # fmt: skip
    return found


def _against_truth(
    known: CalibratedRun, table: pd.DataFrame, drawn: Any, labels: np.ndarray, people: np.ndarray
) -> dict[str, Any]:
    shift = known.shift
    true_mix = mix_of(groups_of(labels))
    found = {
        "raw": known.raw.argmax(axis=1),
        "calibrated": known.calibrated.argmax(axis=1),
        "corrected": known.corrected.argmax(axis=1),
        "corrected_for_f1": best_classes(known.corrected),
        "true_mix": shift.corrected(known.eval_logits, mix=true_mix).argmax(axis=1),
    }
    scores = {}
    for name, classes in found.items():
        low, high = macro_f1_interval(labels, classes, people)
        scores[name] = {"score": macro_f1(labels, classes), "low": low, "high": high}
        scores[name]["accuracy"] = accuracy(labels, classes)
    expected = {}
    for name in ("raw", "calibrated", "corrected", "corrected_for_f1"):
        one = expected_score(drawn, found[name])
        inside = one.low <= scores[name]["score"] <= one.high
        expected[name] = vars(one) | {"true": scores[name]["score"], "inside": bool(inside)}
    probs = {"raw": known.raw, "calibrated": known.calibrated, "corrected": known.corrected}
    return {
        "tv_train": total_variation(shift.train_mix, true_mix),
        "tv_em": total_variation(shift.em_mix, true_mix),
        "tv_bbse": total_variation(shift.bbse_mix, true_mix),
        "tv_em_of_train": total_variation(shift.em_mix, true_mix) / total_variation(shift.train_mix, true_mix),
        "macro_f1": scores,
        "expected": expected,
        "ece_train": {
            "raw": expected_calibration_error(known.labels, probabilities(known.oof_logits)),
            "calibrated": expected_calibration_error(known.labels, known.oof_probabilities()),
        },
        "ece_evaluation": {name: expected_calibration_error(labels, one) for name, one in probs.items()},
        "groups": table.assign(true=true_mix).round(4).to_dict("records"),
    }


if __name__ == "__main__":
    main()
