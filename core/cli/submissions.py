"""Verbs about files to submit: ``export``."""

from pathlib import Path

import click

from core.cli.options import Settings, common_options, pass_settings
from core.submission.export import draft_submission, write_submission
from core.submission.recipe import METHODS, Recipe, make_recipe, open_recipe
from core.workspace import Workspace


def recipe_from(
    workspace: Workspace,
    run_ids: tuple[str, ...],
    members: tuple[str, ...],
    ensemble: str | None,
    method: str,
    weights: tuple[float, ...],
) -> Recipe:
    """The recipe that the options of ``export`` and ``ensemble`` name."""
    if ensemble is not None:
        return open_recipe(workspace, ensemble)
    names = (*(f"run:{run_id}" for run_id in run_ids), *members)
    if not names:
        raise click.UsageError("give --run, --member or --ensemble")
    return make_recipe(members=names, method=method, weights=weights)


@click.command()
@click.option("--run", "run_ids", multiple=True, help="Repeat for several.")
@click.option("--member", "members", multiple=True, help="run:NAME, outside:NAME or ensemble:NAME.")
@click.option("--ensemble", help="A saved ensemble instead.")
@click.option("--vote", "method", type=click.Choice(list(METHODS)), default="soft", show_default=True)
@click.option("--weight", "weights", type=float, multiple=True, help="By hand, one a member, in their order.")
@click.option("--with-decisions", is_flag=True, help="Decided evaluation photos override the vote.")
@click.option("--out", type=click.Path(path_type=Path), help="The csv file.  [default: in the workspace]")
@click.option("--comment", default="", help="Kept with the file.")
@click.option("--override", default="", metavar="WORDS", help="Why it is written despite a red finding; kept.")
@common_options
@pass_settings
def export(
    settings: Settings,
    run_ids: tuple[str, ...],
    members: tuple[str, ...],
    ensemble: str | None,
    method: str,
    weights: tuple[float, ...],
    with_decisions: bool,
    out: Path | None,
    comment: str,
    override: str,
) -> None:
    """Write a checked submission file from one run or an ensemble."""
    workspace, index = settings.open_workspace(), settings.load_index()
    recipe = recipe_from(workspace, run_ids, members, ensemble, method, weights)
    draft = draft_submission(workspace, index, recipe, with_decisions=with_decisions)
    manifest = write_submission(workspace, index, draft, out=out, comment=comment, override=override)
    warned = [f"{one['level']}: {one['check']}: {one['saw']}" for one in manifest["findings"] if one["level"] != "ok"]
    settings.finish(manifest, "\n".join([f"{manifest['rows']:,} rows in {manifest['path']}", *warned]))


VERBS = (export,)
