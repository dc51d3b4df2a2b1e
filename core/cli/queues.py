"""The verb ``queue``: what is worth deciding next, without the browser."""

import click
import pandas as pd

from core.cli.options import Settings, common_options, pass_settings
from core.curation.cards import cards
from core.curation.evidence import run_evidence
from core.curation.queues import ISSUES, NAMES, ORDERS, STATES, Filters, counts, queue_rows
from core.curation.review_effect import review_effect
from core.curation.review_table import review_table
from core.people.inference import PRIORS, Prior
from core.storage.decisions import DecisionStore
from core.storage.groupings import open_grouping
from core.storage.runs import open_run
from core.taxonomy import AXES

_SHOWN = ["target", "unit", "axis", "confidence", "margin", "wrong", "gain", "decision"]


@click.command()
@click.option("--name", type=click.Choice([name for name in NAMES if name != "disagreements"]), required=True)
@click.option("--run", "run_id", required=True)
@click.option("--unit", type=click.Choice(["person", "photo"]), default="person", show_default=True)
@click.option("--grouping", help="Named grouping of evaluation photos.  [default: none, photo by photo]")
@click.option("--prior", type=click.Choice(list(PRIORS)), default="em", show_default=True, help="Evaluation mix.")
@click.option("--order", type=click.Choice([one for one in ORDERS if one != "disagreement"]), help="[default: gain; "
              "label_issues: wrong]")  # fmt: skip
@click.option("--state", type=click.Choice(STATES), default="undecided", show_default=True)
@click.option("--issue", type=click.Choice(ISSUES), default="likely", show_default=True, help="Label issues only.")
@click.option("--axis", type=click.Choice(list(AXES)), help="Only where this axis is most in doubt.")
@click.option("--text", default="", help="Parts of ids.")
@click.option("--count", type=click.IntRange(min=1), default=20, show_default=True)
@common_options
@pass_settings
def queue(
    settings: Settings, name: str, run_id: str, unit: str, grouping: str | None, prior: Prior, order: str | None,
    state: str, issue: str, axis: str | None, text: str, count: int,
) -> None:  # fmt: skip
    """List the top of a review queue, best first; --json prints whole cards."""
    workspace, index = settings.open_workspace(), settings.load_index()
    run = open_run(workspace, run_id)
    decisions = DecisionStore(workspace, index.dataset_id).effective()
    groups = open_grouping(workspace, grouping, dataset_id=index.dataset_id) if grouping else None
    evidence = run_evidence(run, index.photos, decisions, unit=unit, grouping=groups, prior=prior)
    table = review_table(evidence, index.photos, decisions)
    filters = Filters(state=state, issue=issue, axis=axis or "", text=text)
    rows = queue_rows(table, name, filters, order=order or ("wrong" if name == "label_issues" else "gain"))
    shown, told = rows.head(count), counts(table, name, filters)
    head = ", ".join(f"{state} {number:,}" for state, number in told.items())
    with pd.option_context("display.width", 200, "display.max_colwidth", 60):
        listing = shown[_SHOWN].to_string(index=False, float_format=lambda value: f"{value:.5f}")
    effect = review_effect(evidence)
    changed = {} if effect is None else {
        "photos": len(effect.changes.rows), "people": effect.changes.people, "before": effect.before,
        "after": effect.after, "moves": effect.changes.moves.to_dict("records"),
    }  # fmt: skip
    if effect is not None and changed["photos"]:
        words = f"the corrections change the run's class of {changed['photos']:,} evaluation photos"
        head += f"\n{words}; expected macro F1 {effect.before:.3f} before, {effect.after:.3f} after"
    settings.finish(
        {"queue": name, "run_id": run_id, "unit": unit, "counts": told, "gained": table.gained, "effect": changed,
         "cards": cards(table, shown, queue=name)},
        f"{head}\n{listing}" if len(shown) else f"{head}\nnothing is left under these filters",
    )  # fmt: skip


VERBS = (queue,)
