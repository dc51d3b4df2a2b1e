"""The verb ``ensemble``, and the options that name an ensemble."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import click

from core.cli.options import AnyFunction, Settings, common_options, pass_settings, read_bytes
from core.evaluation.calibration_map import CalibrationMethod
from core.people.inference import FORBIDDEN, PRIORS
from core.storage.decisions import DecisionStore
from core.submission.assemble import member_names, open_ballot, rows_of
from core.submission.choosing import suggest
from core.submission.combine import Combined, combine
from core.submission.deciding import Effect, decide, rehearse_votes, voted
from core.submission.ensemble import TIES
from core.submission.expectation import evaluation_mix
from core.submission.export import effect_told
from core.submission.outside import add_outside, doubts_of
from core.submission.overview import best_way, compare_recipes
from core.submission.recipe import DECIDE, METHODS, Recipe, make_recipe, open_recipe, save_recipe
from core.taxonomy import AXES
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
        click.option(
            "--calibration",
            type=click.Choice(get_args(CalibrationMethod)),
            help="Of each member, before the vote.  [default: temperature]",
        ),
        click.option("--ties", type=click.Choice(list(TIES)), help="Of a hard vote.  [default: mean_probability]"),
        click.option("--axis", "axes", multiple=True, metavar="AXIS=MEMBER", help="For axes: repeat."),
        click.option("--weight", "weights", type=float, multiple=True, help="By hand, one a member, in their order."),
        click.option("--vote", "method", type=click.Choice(list(METHODS)), help="[default: soft]"),
        click.option("--from", "saved", metavar="NAME", help="A saved ensemble, instead of members."),
        click.option("--member", "members", multiple=True, help="run:NAME, outside:NAME or ensemble:NAME; repeat."),
        click.option("--run", "run_ids", multiple=True, help="The same as --member run:NAME."),
    ):
        verb = option(verb)
    return verb


def recipe_from(workspace: Workspace, given: dict[str, Any]) -> Recipe:
    """The recipe that the options name."""
    switches = {name: given[name] for name in ("prior", "grouping", "decide") if given[name] is not None}
    own = {name: given[name] for name in ("method", "weights", "ties", "calibration") if given[name]}
    if given["saved"] is not None:
        others = {"--run": "run_ids", "--member": "members", "--axis": "axes", "--weight": "weights",
                  "--vote": "method", "--ties": "ties", "--calibration": "calibration"}  # fmt: skip
        if clash := [option for option, name in others.items() if given[name]]:
            raise click.UsageError(f"--from takes an ensemble as it was saved; leave out {', '.join(clash)}")
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
    return make_recipe(members=members, axes=axes, **own, **switches)


@click.command()
@recipe_options
@click.option("--save", metavar="NAME", help="Keep the recipe under a name.")
@click.option("--add", type=click.Path(path_type=Path), help="Add predictions from outside: csv or npy.")
@click.option(
    "--ids", type=click.Path(path_type=Path), help="With --add of an npy: csv with the ImageID of each row."
)
@click.option("--all-methods", is_flag=True, help="Compare every method over these members, as voted and corrected.")
@click.option("--suggest", "wants_members", is_flag=True, help="Name runs that are good together, and why.")
@click.option(
    "--rehearse", is_flag=True, help="Deal held-out people into public and private halves, again and again."
)
@common_options
@pass_settings
def ensemble(
    settings: Settings, /, save: str | None, add: Path | None, ids: Path | None, all_methods: bool,
    wants_members: bool, rehearse: bool, **given: Any,
) -> None:  # fmt: skip
    """Combine members; scores are of people that no part has seen. Without members: list what there is."""
    workspace, index = settings.open_workspace(), settings.load_index()
    rows = rows_of(index, DecisionStore(workspace, index.dataset_id).effective())
    if add is not None:
        id_bytes = None if ids is None else read_bytes(ids)
        added = add_outside(workspace, rows, save or add.stem, read_bytes(add), file_name=add.name, ids=id_bytes)
        doubts = doubts_of(workspace, rows, added)
        told = [f"added outside:{added.name}", *(f"{one.level:>6}  {one.words}" for one in doubts)]
        result = {"member": f"outside:{added.name}", **added.origin(), "doubts": [asdict(one) for one in doubts]}
        settings.finish(result, "\n".join(told))
        return
    names = member_names(workspace, index.dataset_id)
    if wants_members:
        runs = [name for name in names if name.startswith("run:")] or ["run:"]
        pool = open_ballot(workspace, rows, make_recipe(members=runs))
        steps = suggest(pool, mix=evaluation_mix(pool))
        told = [f"{step.name}: {step.score:.4f}, {step.why}" for step in steps]
        settings.finish({"steps": [asdict(step) for step in steps]}, "\n".join(told))
        return
    if not (given["run_ids"] or given["members"] or given["saved"]):
        settings.finish({"members": names}, "\n".join(names) or "no member yet; train a run first")
        return
    recipe = recipe_from(workspace, given)
    ballot = open_ballot(workspace, rows, recipe)
    methods = list(METHODS) if all_methods else [recipe.method]
    plain: dict[str, Any] = {"weights": (), "axes": {}}
    recipes = [recipe if method == recipe.method else recipe.model_copy(update={"method": method, **plain})
               for method in methods]  # fmt: skip
    found = [combine(ballot, one) for one in recipes]
    if save:
        save_recipe(workspace, save, recipe)
    table = compare_recipes(ballot, found, mix=evaluation_mix(ballot), corrected=all_methods)
    own = next(one for one in found if one.recipe == recipe)
    votes = None if recipe.is_plain and not rehearse else voted(workspace, ballot, own)
    effect = decide(workspace, votes, recipe).effect if votes else None
    size = len(ballot.members)
    best = {"member": best_way(table[:size]), "ensemble": best_way(table[size:])}
    result = {"recipe": recipe.model_dump(mode="json"), "people": len(set(ballot.person_ids)), "best": best,
              "scores": table.to_dict("records"), "weights": own.weights.round(4).tolist(),
              "effect": effect_told(effect)}  # fmt: skip
    lines = _weight_words(own) + (effect_words(effect) if effect else [])
    if rehearse and votes:
        rehearsal = rehearse_votes(votes)
        ranks = rehearsal.table()
        result["rehearsal"] = ranks.to_dict("records")
        first, *others = ranks.name
        lines += [rehearsal.says(first, name) for name in others]
        lines.append(ranks.to_string(index=False, float_format="%.4f"))
    shown = table.dropna(axis=1, how="all")
    listing = shown.to_string(index=False, na_rep="", float_format=lambda value: f"{value:z.4f}")
    ways = [f"best {kind} at the evaluation mix: {way}" for kind, way in best.items() if way and all_methods]
    settings.finish(result, "\n".join([listing, *ways, *lines]))


def _weight_words(found: Combined) -> list[str]:
    names, table = found.recipe.members, found.weights.reshape(-1, len(found.recipe.members))
    axes = list(AXES) if len(table) == len(AXES) else [found.recipe.method]
    return [f"weights, {axis}: " + ", ".join(f"{name} {weight:.3f}" for name, weight in zip(names, row, strict=True))
            for axis, row in zip(axes, table, strict=True)]  # fmt: skip


def effect_words(effect: Effect) -> list[str]:
    """What corrections change, a line each."""
    changes = effect.changes
    people = "" if changes.people is None else f" of {changes.people:,} people"
    first = f"corrections and rule change {len(changes.rows):,} photos{people}"
    moves = changes.moves.head(5).itertuples()
    listed = [f"  {move.photos:,} from {move.from_name} to {move.to_name}" for move in moves]
    return [f"{first}, expected macro F1 {effect.before.mean:.3f} before, {effect.after.mean:.3f} after", *listed]


VERBS = (ensemble,)
