"""Verbs about what comes out: ``evaluate``, ``accept``, ``undo``, ``decisions-restore``, ``score``."""

import getpass
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from core.cli.options import Settings, common_options, pass_settings
from core.curation.evidence import run_evidence
from core.curation.pseudo_labels import accept_chosen, bulk_choice, expected_wrong
from core.curation.review_table import ReviewTable, review_table
from core.evaluation.metrics import accuracy, axis_accuracy, class_table, confusion_matrix, macro_f1
from core.evaluation.uncertainty import macro_f1_interval
from core.people.inference import FORBIDDEN, PRIORS, Prior
from core.storage.decision_repair import Source
from core.storage.decisions import DecisionStore
from core.storage.groupings import open_grouping
from core.storage.runs import open_run
from core.submission.score import score_submission


@click.command()
@click.option("--run", "run_id", required=True)
@common_options
@pass_settings
def evaluate(settings: Settings, run_id: str) -> None:
    """A run's out-of-fold scores, by class and by axis."""
    run = open_run(settings.open_workspace(), run_id)
    oof = run.oof()
    table = run.train_photos().set_index("photo_id").loc[oof.photo_ids.tolist()]
    labels, predictions = table.label.to_numpy(), oof.logits.argmax(1)
    low, high = macro_f1_interval(labels, predictions, table.person_id)
    classes = class_table(confusion_matrix(labels, predictions))
    result: dict[str, Any] = {
        "run_id": run_id,
        "macro_f1": macro_f1(labels, predictions),
        "macro_f1_low": low,
        "macro_f1_high": high,
        "accuracy": accuracy(labels, predictions),
        "axis_accuracy": axis_accuracy(labels, predictions),
        "photos": len(labels),
        "classes": classes.to_dict("records"),
    }
    axes = "  ".join(f"{axis} {share:.4f}" for axis, share in result["axis_accuracy"].items())
    settings.finish(
        result,
        f"macro F1 {result['macro_f1']:.4f} (95 % {low:.3f} to {high:.3f}, by person)  accuracy "
        f"{result['accuracy']:.4f}  {axes}\n{classes.to_string(index=False, float_format=lambda v: f'{v:.3f}')}",
    )


@click.command()
@click.option("--run", "run_id", required=True)
@click.option("--threshold", type=float, required=True, help="Least confidence, 0..1.")
@click.option("--grouping", help=f"Named grouping of evaluation photos.  [default: none]  {FORBIDDEN}")
@click.option("--prior", type=click.Choice(list(PRIORS)), default="em", show_default=True, help="Evaluation mix.")
@click.option("--dry-run", is_flag=True, help="Say how many, and how many of them wrong; accept none.")
@click.option("--who", default=getpass.getuser, help="Whose decision it is.", show_default="your user name")
@common_options
@pass_settings
def accept(
    settings: Settings, run_id: str, threshold: float, grouping: str | None, prior: Prior, dry_run: bool, who: str
) -> None:
    """Accept a run's undecided pseudo labels at or above a confidence, as one batch."""
    workspace, index = settings.open_workspace(), settings.load_index()
    run, store = open_run(workspace, run_id), DecisionStore(workspace, index.dataset_id)
    decided = store.effective()
    groups = open_grouping(workspace, grouping, dataset_id=index.dataset_id) if grouping else None

    def table_for(mix: Prior) -> ReviewTable:
        evidence = run_evidence(run, index.photos, decided, unit="person", grouping=groups, prior=mix)
        return review_table(evidence, index.photos, decided)

    table = table_for(prior)
    chosen = bulk_choice(table, threshold)
    wrong = expected_wrong(chosen, table if prior == "em" else table_for("em"))
    decisions = [] if dry_run else accept_chosen(chosen, run_id=run_id, who=who)
    added = store.append(decisions) if decisions else 0
    batch = decisions[0].batch_id if decisions else None
    number = int((table.photos.split == "eval").sum())
    settings.finish(
        {"run_id": run_id, "chosen": len(chosen), "accepted": added, "expected_wrong": wrong, "batch_id": batch},
        f"{'would accept' if dry_run else 'accepted'} {len(chosen):,} of {number:,}; about {wrong:.0f} of them wrong"
        + (f"; take back with: undo --batch {batch}" if batch else ""),
    )


@click.command()
@click.option("--batch", "batch_id", required=True)
@click.option("--who", default=getpass.getuser, show_default="your user name")
@common_options
@pass_settings
def undo(settings: Settings, batch_id: str, who: str) -> None:
    """Take back all decisions of a batch; that is another row, nothing is deleted."""
    index = settings.load_index()
    count = DecisionStore(settings.open_workspace(), index.dataset_id).undo_batch(batch_id, who=who)
    settings.finish({"batch_id": batch_id, "undone": count}, f"took back {count:,} decisions")


@click.command("decisions-restore")
@click.option(
    "--from",
    "source",
    type=click.Choice(["both", "mirror", "database"]),
    default="both",
    show_default=True,
    help="What to trust: both keeps everything sound in either.",
)
@common_options
@pass_settings
def decisions_restore(settings: Settings, source: Source) -> None:
    """Make the decision database and its mirror anew from what is sound; the files of before are kept."""
    report = DecisionStore(settings.open_workspace(), "").restore(source)
    lines = [
        f"{report.rows:,} decisions in database and mirror",
        f"taken from the mirror alone {report.only_in_mirror:,}, from the database alone {report.only_in_database:,}",
    ]
    lines += [f"the database was damaged: {report.database_problem}"] * bool(report.database_problem)
    lines += [f"damaged lines of the mirror: {report.damaged_lines}"] * bool(report.damaged_lines)
    lines += [f"rows that neither could give: {report.lost}"] * bool(report.lost)
    settings.finish(asdict(report), "\n".join([*lines, f"kept: {', '.join(report.kept)}"]))


@click.command()
@click.option("--submission", type=click.Path(path_type=Path), required=True)
@click.option("--truth", type=click.Path(path_type=Path), required=True, help="csv with ImageID and ans.")
@common_options
@pass_settings
def score(settings: Settings, submission: Path, truth: Path) -> None:
    """Score a submission against the truth, where someone has it."""
    result = score_submission(submission, truth)
    settings.finish(result, f"macro F1 {result['macro_f1']:.4f}  accuracy {result['accuracy']:.4f}")


VERBS = (evaluate, accept, undo, decisions_restore, score)
