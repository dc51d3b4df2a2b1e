"""Verbs to look at runs with: ``compare`` two of them, and the ``map`` of one."""

import time
from typing import Any

import click

from core.cli.follow import finish_job
from core.cli.options import Settings, common_options, pass_settings
from core.cli.training import make_features
from core.curation.run_pair import pair_runs
from core.evaluation.comparison import signed
from core.jobs import stop_requested
from core.service import start_map
from core.storage.decisions import DecisionStore
from core.storage.events import append_event
from core.storage.maps import write_map
from core.storage.runs import Run, open_run

_TOLD_EVERY_S = 0.5


@click.command()
@click.option("--run", "run_id", required=True, help="The run to start from.")
@click.option("--with", "other", required=True, help="The run that may be better.")
@common_options
@pass_settings
def compare(settings: Settings, run_id: str, other: str) -> None:
    """Compare two runs on the people that both predicted out-of-fold."""
    workspace, index = settings.open_workspace(), settings.load_index()
    decisions = DecisionStore(workspace, index.dataset_id).effective()
    pair = pair_runs(open_run(workspace, run_id), open_run(workspace, other), index.photos, decisions)
    gain, test = pair.scores.iloc[0], pair.test
    shown = pair.scores.to_string(index=False, float_format=lambda value: f"{value:z.4f}")
    settings.finish(
        {
            "run_id": run_id, "with": other, "people": pair.num_people, "photos": len(pair.labels),
            "people_left_out": pair.left_out, "scores": pair.scores.to_dict("records"),
            "people_for_first": test.first, "people_for_second": test.second, "mcnemar_exact": test.exact,
            "mcnemar_mid_p": test.mid_p, "error_correlation": pair.correlation, "fixed": len(pair.fixed),
            "broken": len(pair.broken),
        },
        f"{pair.num_people:,} people ({len(pair.labels):,} photos) that both predicted; {pair.left_out:,} left out\n"
        f"macro F1 {gain['first']:.4f} to {gain.second:.4f}: {signed(gain.difference)} (95 % {signed(gain.low)} to "
        f"{signed(gain.high)}, by person)\n"
        f"McNemar by person: {test.first:,} for {run_id}, {test.second:,} for {other}, exact p {test.exact:.3g}, "
        f"mid-p {test.mid_p:.3g}\n"
        f"errors correlate {pair.correlation:.3f}; {len(pair.fixed):,} photos fixed, {len(pair.broken):,} broken\n"
        f"{shown}",
    )  # fmt: skip


@click.command("map")
@click.option("--run", "run_id", required=True)
@click.option("--detach", is_flag=True, help="Return at once; the job goes on.")
@common_options
@pass_settings
def photo_map(settings: Settings, run_id: str, detach: bool) -> None:
    """Lay out all photos in the plane, those that the run's network sees as alike together."""
    workspace = settings.open_workspace()
    run = open_run(workspace, run_id)
    finish_job(settings, run, start_map(workspace, run), detach=detach, told=_mapped, again="map")


@click.command("map-run", hidden=True)
@click.argument("run_id")
@common_options
@pass_settings
def photo_map_here(settings: Settings, run_id: str) -> None:
    """Lay out the map of a run in this process: what a job runs."""
    from core.evaluation.projection import METHOD, project

    run = open_run(settings.open_workspace(), run_id)
    if not (run.path / "features.json").exists():
        make_features(settings, run)
    features = run.features()
    started, told = time.monotonic(), [0.0]

    def tell(done: int, total: int) -> None:
        if time.monotonic() - told[0] > _TOLD_EVERY_S:
            told[0] = time.monotonic()
            append_event(run.path, "map", done=done, total=total)

    tell(0, 1)
    places = project(features.vectors, on_progress=tell, should_stop=stop_requested)
    seconds = round(time.monotonic() - started, 1)
    write_map(run.path / "map", features.photo_ids, places, fold=features.fold, method=METHOD, seconds=seconds)
    append_event(run.path, "map_finished", photos=len(places), seconds=seconds)
    settings.finish(*_mapped(run))


def _mapped(run: Run) -> tuple[dict[str, Any], str]:
    found = run.photo_map()
    return (
        {"run_id": run.run_id, "photos": len(found.photo_ids), "fold": found.fold, **found.about},
        f"run {run.run_id}: map of {len(found.photo_ids):,} photos in {found.about['seconds']:.0f} s",
    )


VERBS = (compare, photo_map, photo_map_here)
