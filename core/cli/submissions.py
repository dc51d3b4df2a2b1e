"""Verbs about files to submit: ``export``, ``gate``, ``ledger``, ``diff``."""

import getpass
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import click
import pandas as pd

from core.cli.ensembles import effect_words, recipe_from, recipe_options
from core.cli.options import NewFile, Settings, common_options, pass_settings, read_bytes
from core.curation.limits import Limit
from core.errors import SubmissionError
from core.evaluation.comparison import signed
from core.storage.decisions import DecisionStore
from core.storage.submissions import BOARDS, SubmissionLedger
from core.submission.assemble import member_names, open_ballot, rows_of
from core.submission.combine import combine
from core.submission.deciding import vote
from core.submission.difference import difference
from core.submission.expectation import believe, evaluation_people
from core.submission.export import draft_submission, write_submission
from core.submission.finding import is_blocked
from core.submission.importing import belief_of_runs, expected_of, gate_file, import_submission
from core.submission.members import Rows
from core.submission.overview import common_recipe, ledger_table
from core.submission.recipe import make_recipe
from core.submission.references import answers_of, kept_answers
from core.taxonomy import IntArray
from core.workspace import Workspace


@click.command()
@recipe_options
@click.option("--with-decisions", is_flag=True, help="Decided evaluation photos override the vote.")
@click.option(
    "--limit",
    type=click.Choice(get_args(Limit)),
    default="all",
    show_default=True,
    help="Which decisions about evaluation photos may count, in the file and in the members' trainings.",
)
@click.option(
    "--train-limit",
    type=click.Choice(get_args(Limit)),
    default="all",
    show_default=True,
    help="Which decisions about train photos may count in the members' trainings.",
)
@click.option("--out", type=NewFile(), help="The csv file.  [default: in the workspace]")
@click.option("--comment", default="", help="Kept with the file.")
@click.option("--override", default="", metavar="WORDS", help="Why it is written despite a red finding; kept.")
@common_options
@pass_settings
def export(
    settings: Settings, /, with_decisions: bool, limit: Limit, train_limit: Limit, out: Path | None, comment: str,
    override: str, **given: Any,
) -> None:  # fmt: skip
    """Write a checked submission file from one run or an ensemble."""
    workspace, index = settings.open_workspace(), settings.load_index()
    draft = draft_submission(workspace, index, recipe_from(workspace, given), with_decisions=with_decisions,
                             limit=limit, train_limit=train_limit)  # fmt: skip
    manifest = write_submission(workspace, index, draft, out=out, comment=comment, override=override)
    warned = [f"{one.level}: {one.words}" for one in draft.findings if one.level != "ok"]
    score = manifest["expected"]
    told = [f"expected macro F1 {score['mean']:.3f} ({score['low']:.3f} to {score['high']:.3f})"] if score else []
    told += effect_words(draft.effect) if draft.effect else []
    settings.finish(manifest, "\n".join([f"{manifest['rows']:,} rows in {manifest['path']}", *told, *warned]))


@click.command()
@click.argument("submission", type=click.Path(path_type=Path))
@click.option("--import", "keep", is_flag=True, help="Keep the file and note it in the ledger.")
@click.option("--comment", default="", help="Kept with the file.")
@click.option("--override", default="", metavar="WORDS", help="Why it is kept despite a red finding; kept too.")
@common_options
@pass_settings
def gate(settings: Settings, submission: Path, keep: bool, comment: str, override: str) -> None:
    """Check a csv made anywhere; exit status 1 when a finding is red."""
    workspace, index = settings.open_workspace(), settings.load_index()
    belief = belief_of_runs(workspace, index)
    findings = gate_file(workspace, index, submission, belief=belief)
    lines = [f"{one.level:>6}  {one.words}" for one in findings]
    result: dict[str, Any] = {"blocked": is_blocked(findings), "findings": [asdict(one) for one in findings]}
    score = expected_of(index, submission, belief)
    result["expected"] = None if score is None else asdict(score)
    if score:
        lines.append(f"expected macro F1 {score.mean:.3f} ({score.low:.3f} to {score.high:.3f})")
    if keep:
        made = import_submission(workspace, index, read_bytes(submission), file_name=submission.name,
                                 comment=comment, override=override, belief=belief)  # fmt: skip
        result["path"] = made["path"]
    settings.finish(result, "\n".join(lines))
    if result["blocked"] and not keep:
        raise SubmissionError("a red finding stands in the way of this file")


@click.command()
@click.option("--report", type=(int, float), metavar="NUMBER SCORE", help="Enter the score a file got.")
@click.option("--board", type=click.Choice(BOARDS), default="public", show_default=True)
@click.option("--who", default=getpass.getuser, show_default="your user name")
@click.option("--comment", default="")
@common_options
@pass_settings
def ledger(settings: Settings, report: tuple[int, float] | None, board: str, who: str, comment: str) -> None:
    """All files with expected and reported scores; enter a score, or mend one by entering it again."""
    workspace, index = settings.open_workspace(), settings.load_index()
    if report is not None:
        number, score = report
        SubmissionLedger(workspace, index.dataset_id).report(number, score, who=who, board=board, comment=comment)
    scores = None
    if recipe := common_recipe(workspace, index):
        rows = rows_of(index, DecisionStore(workspace, index.dataset_id).effective())
        belief = vote(workspace, rows, recipe).belief
        scores = belief.drawn_scores if belief else None
    table = ledger_table(workspace, index, scores)
    lines = ["no file yet" if table.empty else _listing(table)]
    lines += [problem for problem in table.problem if problem]
    settings.finish({"submissions": table.to_dict("records")}, "\n".join(lines))


def _listing(table: pd.DataFrame) -> str:
    """The ledger as lines that a terminal has room for: minutes, four digits, nothing that is empty throughout."""
    shown = table.assign(created_at=[moment[:16] for moment in table.created_at],
                         file_name=[Path(name).name for name in table.file_name])  # fmt: skip
    shown = shown.drop(columns=["problem", "variant", "made_of"]).replace("", None).dropna(axis=1, how="all")
    last = [name for name in ("comment", "file_name") if name in shown]
    shown = shown[[*shown.columns.drop(last), *last]]
    return shown.to_string(index=False, na_rep="", float_format=lambda value: f"{value:z.4f}")


@click.command()
@click.argument("first")
@click.argument("second")
@common_options
@pass_settings
def diff(settings: Settings, first: str, second: str) -> None:
    """What changes from one file to another: csv paths, or numbers of the ledger."""
    workspace, index = settings.open_workspace(), settings.load_index()
    rows = rows_of(index, DecisionStore(workspace, index.dataset_id).effective())
    files = [_answers(workspace, rows, name) for name in (first, second)]
    names = [name for name in member_names(workspace, index.dataset_id) if name.startswith("run:")]
    belief, people = None, evaluation_people(workspace, index.dataset_id, rows.evaluation_ids)
    if names:
        recipe = make_recipe(members=names)
        ballot = open_ballot(workspace, rows, recipe)
        belief = believe(ballot, combine(ballot, recipe), people=people)
    found = difference(*files, people=people, belief=belief)
    worth = {name: getattr(found, name) for name in ("people", "by_axis", "gain", "low", "high", "wins")}
    result = {"photos": len(found.rows), **worth, "moves": found.moves.to_dict("records")}
    gain, low, high = map(signed, (found.gain, found.low, found.high))
    told = f"expected gain {gain} (95 % {low} to {high}), better in {found.wins:.0%}"
    head = f"{len(found.rows):,} photos change" + (
        f", of {found.people:,} people" if found.people is not None else ""
    )
    moves = [] if found.moves.empty else [found.moves.head(15).dropna(axis=1, how="all").to_string(index=False)]
    settings.finish(result, "\n".join([head, *([told] if belief and moves else []), *moves]))


def _answers(workspace: Workspace, rows: Rows, name: str) -> IntArray:
    """(E,) classes of a csv, or of a number of the ledger."""
    if not name.isdigit():
        try:
            return answers_of(read_bytes(Path(name)), rows.evaluation_ids)
        except SubmissionError as error:
            raise SubmissionError(f"{name}: {error}") from None
    ledger = SubmissionLedger(workspace, rows.dataset_id)
    table = ledger.list()
    mine = table[table.number == int(name)]
    if mine.empty:
        raise SubmissionError(f"submission {name} is not in the ledger; list what is with: ledger")
    return kept_answers(ledger, mine.iloc[0], rows.evaluation_ids)


VERBS = (export, gate, ledger, diff)
