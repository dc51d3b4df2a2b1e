"""Verbs about ensembles and files to submit: ``ensemble``, ``export``, ``gate``, ``ledger``, ``diff``."""

import getpass
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import click

from core.cli.options import AnyFunction, NewFile, Settings, common_options, pass_settings
from core.curation.limits import Limit
from core.errors import SubmissionError
from core.evaluation.comparison import signed
from core.people.inference import FORBIDDEN, PRIORS
from core.storage.decisions import DecisionStore
from core.storage.submissions import BOARDS, SubmissionLedger
from core.submission.assemble import member_names, open_ballot, rows_of
from core.submission.combine import combine
from core.submission.deciding import Effect, decide, vote, voted
from core.submission.difference import difference
from core.submission.ensemble import TIES
from core.submission.expectation import believe, evaluation_mix, evaluation_people
from core.submission.export import draft_submission, effect_told, write_submission
from core.submission.finding import is_blocked
from core.submission.importing import belief_of_runs, expected_of, gate_file, import_submission
from core.submission.members import Rows
from core.submission.outside import add_outside, doubts_of
from core.submission.overview import best_way, common_recipe, compare_recipes, ledger_table
from core.submission.recipe import DECIDE, METHODS, Recipe, make_recipe, open_recipe, save_recipe
from core.submission.references import answers_of, kept_answers
from core.taxonomy import AXES, IntArray
from core.workspace import Workspace


def recipe_options(verb: AnyFunction) -> AnyFunction:
    """The options that name an ensemble."""
    for option in (
        click.option("--decide", type=click.Choice(list(DECIDE)), help="[default: auto, or as saved]"),
        click.option(
            "--grouping",
            metavar="NAME",
            help=f"Pool over its persons; '' to leave out.  [default: none, or as saved]  {FORBIDDEN}",
        ),
        click.option(
            "--prior", type=click.Choice(list(PRIORS)), help="Evaluation mix.  [default: none, or as saved]"
        ),
        click.option("--ties", type=click.Choice(list(TIES)), default="mean_probability", show_default=True),
        click.option("--axis", "axes", multiple=True, metavar="AXIS=MEMBER", help="For axes: repeat."),
        click.option("--weight", "weights", type=float, multiple=True, help="By hand, one a member, in their order."),
        click.option("--vote", "method", type=click.Choice(list(METHODS)), default="soft", show_default=True),
        click.option("--from", "saved", metavar="NAME", help="A saved ensemble, instead of members."),
        click.option("--member", "members", multiple=True, help="run:NAME, outside:NAME or ensemble:NAME; repeat."),
        click.option("--run", "run_ids", multiple=True, help="The same as --member run:NAME."),
    ):
        verb = option(verb)
    return verb


def _recipe(workspace: Workspace, given: dict[str, Any]) -> Recipe:
    switches = {name: given[name] for name in ("prior", "grouping", "decide") if given[name] is not None}
    if given["saved"] is not None:
        return open_recipe(workspace, given["saved"]).model_copy(update=switches)
    members = [f"run:{run_id}" for run_id in given["run_ids"]] + list(given["members"])
    if not members:
        raise click.UsageError("give --run, --member or --from")
    axes: dict[str, list[str]] = {}
    for pair in given["axes"]:
        axis, equals, member = pair.partition("=")
        if axis not in AXES or not equals:
            raise click.UsageError(f"--axis {pair}: write {'|'.join(AXES)}=MEMBER")
        axes.setdefault(axis, []).append(member)
    return make_recipe(members=members, axes=axes, **{k: given[k] for k in ("method", "weights", "ties")}, **switches)


@click.command()
@recipe_options
@click.option("--save", metavar="NAME", help="Keep the recipe under a name.")
@click.option("--add", type=click.Path(path_type=Path), help="Add predictions from outside: csv or npy.")
@click.option(
    "--ids", type=click.Path(path_type=Path), help="With --add of an npy: csv with the ImageID of each row."
)
@click.option("--all-methods", is_flag=True, help="Compare every method over these members, as voted and corrected.")
@common_options
@pass_settings
def ensemble(
    settings: Settings, /, save: str | None, add: Path | None, ids: Path | None, all_methods: bool, **given: Any
) -> None:
    """Combine members; scores are of people that no part has seen. Without members: list what there is."""
    workspace, index = settings.open_workspace(), settings.load_index()
    rows = rows_of(index, DecisionStore(workspace, index.dataset_id).effective())
    if add is not None:
        id_bytes = None if ids is None else ids.read_bytes()
        added = add_outside(workspace, rows, save or add.stem, _read(add), file_name=add.name, ids=id_bytes)
        doubts = doubts_of(workspace, rows, added)
        told = [f"added outside:{added.name}", *(f"{one.level:>6}  {one.words}" for one in doubts)]
        result = {"member": f"outside:{added.name}", **added.origin(), "doubts": [asdict(one) for one in doubts]}
        settings.finish(result, "\n".join(told))
        return
    if not (given["run_ids"] or given["members"] or given["saved"]):
        names = member_names(workspace, index.dataset_id)
        settings.finish({"members": names}, "\n".join(names) or "no member yet; train a run first")
        return
    recipe = _recipe(workspace, given)
    ballot = open_ballot(workspace, rows, recipe)
    methods = list(METHODS) if all_methods else [recipe.method]
    plain: dict[str, Any] = {"weights": (), "axes": {}}
    recipes = [recipe if method == recipe.method else recipe.model_copy(update={"method": method, **plain})
               for method in methods]  # fmt: skip
    found = [combine(ballot, one) for one in recipes]
    if save:
        save_recipe(workspace, save, recipe)
    mix = None if ballot.best is None else evaluation_mix(rows, ballot.best)
    table = compare_recipes(ballot, found, mix=mix, corrected=all_methods)
    own = next(one for one in found if one.recipe == recipe)
    effect = None if recipe.is_plain else decide(workspace, voted(workspace, ballot, own), recipe).effect
    size = len(ballot.members)
    best = {"member": best_way(table[:size]), "ensemble": best_way(table[size:])}
    result = {"recipe": recipe.model_dump(mode="json"), "people": len(set(ballot.person_ids)), "best": best,
              "scores": table.to_dict("records"), "weights": found[-1].weights.round(4).tolist(),
              "effect": effect_told(effect)}  # fmt: skip
    told = table.dropna(axis=1, how="all")
    listing = told.to_string(index=False, na_rep="", float_format=lambda value: f"{value:z.4f}")
    words = [f"best {kind} at the evaluation mix: {way}" for kind, way in best.items() if way and all_methods]
    settings.finish(result, "\n".join([listing, *words, *(_effect_words(effect) if effect else [])]))


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
    draft = draft_submission(workspace, index, _recipe(workspace, given), with_decisions=with_decisions,
                             limit=limit, train_limit=train_limit)  # fmt: skip
    manifest = write_submission(workspace, index, draft, out=out, comment=comment, override=override)
    warned = [f"{one.level}: {one.words}" for one in draft.findings if one.level != "ok"]
    score = manifest["expected"]
    told = [f"expected macro F1 {score['mean']:.3f} ({score['low']:.3f} to {score['high']:.3f})"] if score else []
    told += _effect_words(draft.effect) if draft.effect else []
    settings.finish(manifest, "\n".join([f"{manifest['rows']:,} rows in {manifest['path']}", *told, *warned]))


def _effect_words(effect: Effect) -> list[str]:
    changes = effect.changes
    people = "" if changes.people is None else f" of {changes.people:,} people"
    first = f"corrections and rule change {len(changes.rows):,} photos{people}"
    moves = changes.moves.head(5).itertuples()
    listed = [f"  {move.photos:,} from {move.from_name} to {move.to_name}" for move in moves]
    return [f"{first}, expected macro F1 {effect.before.mean:.3f} before, {effect.after.mean:.3f} after", *listed]


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
        made = import_submission(workspace, index, _read(submission), file_name=submission.name,
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
    lines = ["no file yet" if table.empty else table.drop(columns="problem").to_string(index=False)]
    lines += [problem for problem in table.problem if problem]
    settings.finish({"submissions": table.to_dict("records")}, "\n".join(lines))


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
    moves = [] if found.moves.empty else [found.moves.head(15).to_string(index=False)]
    settings.finish(result, "\n".join([head, *([told] if belief else []), *moves]))


def _answers(workspace: Workspace, rows: Rows, name: str) -> IntArray:
    """(E,) classes of a csv, or of a number of the ledger."""
    if not name.isdigit():
        try:
            return answers_of(_read(Path(name)), rows.evaluation_ids)
        except SubmissionError as error:
            raise SubmissionError(f"{name}: {error}") from None
    ledger = SubmissionLedger(workspace, rows.dataset_id)
    table = ledger.list()
    mine = table[table.number == int(name)]
    if mine.empty:
        raise SubmissionError(f"submission {name} is not in the ledger; list what is with: ledger")
    return kept_answers(ledger, mine.iloc[0], rows.evaluation_ids)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SubmissionError(f"{path} cannot be read: {error.strerror}; check the path") from None


VERBS = (ensemble, export, gate, ledger, diff)
