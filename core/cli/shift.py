"""The verb ``shift``: how the evaluation people differ from the train people, as a run sees it."""

from typing import Any

import click

from core.cli.options import Settings, common_options, pass_settings
from core.curation.calibrated import calibrate_run
from core.evaluation.calibration import expected_calibration_error
from core.evaluation.calibration_map import CalibrationMethod
from core.evaluation.expected_score import expected_score
from core.evaluation.held_out import draw_evaluation_truth
from core.evaluation.metrics import probabilities
from core.evaluation.shift import bootstrap_shift, mix_table
from core.storage.decisions import DecisionStore
from core.storage.runs import open_run


@click.command()
@click.option("--run", "run_id", required=True)
@click.option(
    "--calibration",
    "method",
    type=click.Choice(["bias", "axes", "temperature", "none"]),
    default="bias",
    show_default=True,
    help="bias: a temperature an axis and a bias a value.",
)
@click.option("--draws", type=click.IntRange(min=2), default=30, show_default=True, help="Bootstrap draws of people.")
@common_options
@pass_settings
def shift(settings: Settings, run_id: str, method: CalibrationMethod, draws: int) -> None:
    """Estimate the evaluation set's mix of gender and age, and what correcting by it changes."""
    workspace, index = settings.open_workspace(), settings.load_index()
    run = open_run(workspace, run_id)
    decided = DecisionStore(workspace, index.dataset_id).effective()
    known = calibrate_run(run, index.photos, decided, method=method)
    train = known.oof_logits, known.labels, known.people
    table = mix_table(
        known.shift, list(bootstrap_shift(*train, known.eval_logits, method=method, ages=known.ages, draws=draws))
    )
    truth = draw_evaluation_truth(*train, known.eval_logits, method=method, ages=known.ages)
    before, after = known.raw.argmax(axis=1), known.corrected.argmax(axis=1)
    expected = {name: expected_score(truth, found) for name, found in (("raw", before), ("corrected", after))}
    result: dict[str, Any] = {
        "run_id": run_id,
        "calibration": method,
        "groups": table.to_dict("records"),
        "gap": known.shift.gap,
        "is_steady": known.shift.is_steady,
        "ece_raw": expected_calibration_error(known.labels, probabilities(known.oof_logits)),
        "ece_calibrated": expected_calibration_error(known.labels, known.oof_probabilities()),
        "photos": len(before),
        "photos_changed": int((before != after).sum()),
        "expected": {name: vars(one) for name, one in expected.items()},
    }
    scores = "  ".join(f"{name} {one.mean:.3f} ({one.low:.3f} to {one.high:.3f})" for name, one in expected.items())
    doubt = "" if known.shift.is_steady else ": neither is to be trusted"
    settings.finish(
        result,
        f"{table.to_string(index=False, float_format=lambda share: f'{share:.3f}')}\n"
        f"EM and BBSE differ by {known.shift.gap:.2f}{doubt}\n"
        f"calibration error {result['ece_raw']:.3f} before, {result['ece_calibrated']:.3f} after\n"
        f"{result['photos_changed']:,} of {result['photos']:,} photos would change class\n"
        f"expected macro F1: {scores}",
    )


VERBS = (shift,)
