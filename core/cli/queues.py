"""The verb ``queue``: what is worth deciding next, without the browser."""

from typing import Any

import click
import pandas as pd

from core.cli.options import Settings, common_options, pass_settings
from core.curation.agreement import QUEUE, disagreements
from core.curation.cards import cards
from core.curation.disagreements import (
    by_unit,
    dispute_lines,
    disputes_of,
    fixed_and_broken,
    reviewers_apart,
    run_votes,
    train_labels,
    voters_apart,
)
from core.curation.evidence import run_evidence
from core.curation.queues import ISSUES, NAMES, ORDERS, STATES, Filters, counts, queue_rows
from core.curation.review_effect import ReviewEffect, review_effect
from core.curation.review_table import ReviewTable, review_table
from core.errors import DecisionError
from core.people.inference import PRIORS, Prior
from core.storage.decisions import DecisionStore
from core.storage.groupings import open_grouping
from core.storage.runs import Run, open_run
from core.taxonomy import AXES

_SHOWN = ["target", "unit", "axis", "confidence", "margin", "wrong", "gain", "decision"]
_SHOWN_APART = ["target", "unit", "disagreement", "gain", "decision"]
_FIRST_ORDER = {"label_issues": "wrong", QUEUE: "disagreement"}


@click.command()
@click.option("--name", type=click.Choice(NAMES), help=f"Which queue.  [with --with: {QUEUE}]")
@click.option("--run", "run_id", required=True)
@click.option("--with", "other", metavar="RUN|folds|reviewers", help="Disagreements of --run and another run, of its "
              "folds, or of reviewers (about whole people with --unit person).")  # fmt: skip
@click.option("--which", type=click.Choice(["all", "fixed", "broken"]), default="all", show_default=True,
              help="Disagreements: train photos that the other run fixes or breaks.")  # fmt: skip
@click.option("--unit", type=click.Choice(["person", "photo"]), default="person", show_default=True)
@click.option("--grouping", help="Named grouping of evaluation photos.  [default: none, photo by photo]")
@click.option("--prior", type=click.Choice(list(PRIORS)), default="em", show_default=True, help="Evaluation mix.")
@click.option("--order", type=click.Choice(ORDERS), help="[default: gain; label_issues: wrong; disagreements: "
              "disagreement]")  # fmt: skip
@click.option("--state", type=click.Choice(STATES), default="undecided", show_default=True)
@click.option("--issue", type=click.Choice(ISSUES), default="likely", show_default=True, help="Label issues only.")
@click.option("--axis", type=click.Choice(list(AXES)), help="Only where this axis is most in doubt.")
@click.option("--text", default="", help="Parts of ids.")
@click.option("--count", type=click.IntRange(min=1), default=20, show_default=True)
@common_options
@pass_settings
def queue(
    settings: Settings, name: str | None, run_id: str, other: str | None, which: str, unit: str, grouping: str | None,
    prior: Prior, order: str | None, state: str, issue: str, axis: str | None, text: str, count: int,
) -> None:  # fmt: skip
    """List the top of a review queue, best first; --json prints whole cards."""
    name = _queue_name(name, other, which)
    workspace, index = settings.open_workspace(), settings.load_index()
    run = open_run(workspace, run_id)
    decisions = DecisionStore(workspace, index.dataset_id).effective()
    groups = open_grouping(workspace, grouping, dataset_id=index.dataset_id) if grouping else None
    evidence = run_evidence(run, index.photos, decisions, unit=unit, grouping=groups, prior=prior)
    torn = disagreements(index.photos, decisions) if other == "reviewers" else None
    table = review_table(evidence, index.photos, decisions, disputed=() if torn is None else torn.target.tolist())
    picked = None
    if torn is not None:
        table = reviewers_apart(table, torn)
    elif other is not None:
        second = None if other == "folds" else open_run(workspace, other)
        table, torn, picked = _apart(table, run, second, which)
    filters = Filters(state=state, issue=issue, axis=axis or "", text=text, picked=picked)
    rows = queue_rows(table, name, filters, order=order or _FIRST_ORDER.get(name, "gain"))
    shown, told, effect = rows.head(count), counts(table, name, filters), review_effect(evidence)
    votes = {} if torn is None else by_unit(table, torn)
    made = cards(table, shown, queue=name)
    if torn is not None:
        made = [card | {"disputes": votes[card["target"]]} for card in made]
        lines = [" | ".join(dispute_lines(votes[target])) for target in shown.target]
        shown = shown[_SHOWN_APART].assign(votes=lines)
    settings.finish(
        {"queue": name, "run_id": run_id, "unit": unit, "counts": told, "gained": table.gained,
         "effect": _effect(effect), "cards": made},
        _words(told, effect, shown if torn is not None else shown[_SHOWN]),
    )  # fmt: skip


def _queue_name(name: str | None, other: str | None, which: str) -> str:
    """The queue that the options mean; raises where they contradict each other."""
    name = name or (QUEUE if other else None)
    if name is None:
        raise DecisionError(f"no queue is named; give --name, one of {', '.join(NAMES)}")
    if name == QUEUE and other is None:
        raise DecisionError(f"queue {QUEUE} compares two; give --with: another run, folds, or reviewers")
    if name != QUEUE and other is not None:
        raise DecisionError(f"--with {other} goes with --name {QUEUE}, not {name}; leave one of them out")
    if which != "all" and other in (None, "folds", "reviewers"):
        raise DecisionError(f"--which {which} compares two runs; give the second one with --with, not {other}")
    return name


def _apart(
    table: ReviewTable, run: Run, other: Run | None, which: str
) -> tuple[ReviewTable, pd.DataFrame, frozenset[str] | None]:
    """The table with its disagreements, the disputes, and the targets that ``--which`` leaves, None for all."""
    told = run_votes(run, other, table.photos.photo_id.tolist())
    picked = None
    if other is not None and which != "all":
        fixed, broken = fixed_and_broken(train_labels(table), told[run.run_id], told[other.run_id])
        groups = table.photos.group.to_numpy()[fixed if which == "fixed" else broken]
        picked = frozenset(table.units.target.to_numpy()[groups].tolist())
    return voters_apart(table, told), disputes_of(table, told), picked


def _effect(effect: ReviewEffect | None) -> dict[str, Any]:
    if effect is None:
        return {}
    moves = effect.changes.moves.to_dict("records")
    return {"photos": len(effect.changes.rows), "people": effect.changes.people, "before": effect.before,
            "after": effect.after, "moves": moves}  # fmt: skip


def _words(told: dict[str, int], effect: ReviewEffect | None, shown: pd.DataFrame) -> str:
    lines = [", ".join(f"{state} {number:,}" for state, number in told.items())]
    if effect is not None and len(effect.changes.rows):
        lines.append(
            f"the corrections change the run's class of {len(effect.changes.rows):,} evaluation photos; "
            f"expected macro F1 {effect.before:.3f} before, {effect.after:.3f} after"
        )
    if shown.empty:
        return "\n".join([*lines, "nothing is left under these filters"])
    with pd.option_context("display.max_colwidth", None):
        lines.append(shown.to_string(index=False, float_format=lambda value: f"{value:.5f}"))
    return "\n".join(lines)


VERBS = (queue,)
