"""Verbs about runs and jobs, ``train`` to ``gradcam``, and what jobs run."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from core.cli.follow import finish_job, score_text
from core.cli.options import Settings, common_options, pass_settings
from core.config import PRESETS, load_config
from core.errors import ConfigError
from core.jobs.queue import JobQueue
from core.service import resume_run, start_features, start_gradcam, start_run
from core.storage.decisions import DecisionStore
from core.storage.revision_names import RevisionNames
from core.storage.runs import Run, list_runs, open_run


@click.command()
@click.option("--name", required=True, help="The run's name; becomes its run_id.")
@click.option("--preset", type=click.Choice(list(PRESETS)), default="default", show_default=True)
@click.option("--config", "file", type=click.Path(path_type=Path), help="TOML with the settings.")
@click.option(
    "--set", "settings_given", multiple=True, metavar="KEY=VALUE", help="Such as optim.lr=1e-3; repeatable."
)
@click.option("--folds", default="all", show_default=True, help="Which folds to train: 0,1 or all.")
@click.option("--revision", default="now", show_default=True, help="Labels to train on: a revision's number or name.")
@click.option("--detach", is_flag=True, help="Return at once; the job goes on.")
@common_options
@pass_settings
def train(
    settings: Settings,
    name: str,
    preset: str,
    file: Path | None,
    settings_given: tuple[str, ...],
    folds: str,
    revision: str,
    detach: bool,
) -> None:
    """Train a run as a job and follow it. Ctrl-C stops it; a closed terminal does not."""
    config, chosen = load_config(preset, file=file, settings=settings_given), _parse_folds(folds)
    workspace, index = settings.open_workspace(), settings.load_index()
    newest = DecisionStore(workspace, index.dataset_id).revision()
    labels = RevisionNames(workspace, index.dataset_id).resolve(revision, newest=newest)
    run, job = start_run(workspace, index, name, config, chosen, revision=labels)
    finish_job(settings, run, job, detach=detach, told=_trained)


@click.command()
@click.option("--run", "run_id", required=True)
@click.option("--detach", is_flag=True, help="Return at once; the job goes on.")
@common_options
@pass_settings
def resume(settings: Settings, run_id: str, detach: bool) -> None:
    """Go on with a stopped or killed run from its last whole epoch."""
    workspace = settings.open_workspace()
    run = open_run(workspace, run_id)
    finish_job(settings, run, resume_run(workspace, run), detach=detach, told=_trained)


@click.command()
@click.argument("job_id")
@common_options
@pass_settings
def stop(settings: Settings, job_id: str) -> None:
    """Ask a queued or running job to stop; its run can be resumed."""
    job = JobQueue(settings.open_workspace()).stop(job_id)
    settings.finish({"job_id": job.job_id, "state": job.state}, f"job {job.job_id} is {job.state}")


@click.command()
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
@common_options
@pass_settings
def jobs(settings: Settings, limit: int) -> None:
    """List the jobs, newest first."""
    found = JobQueue(settings.open_workspace()).list(limit)
    lines = [f"{job.job_id}  {job.state:9s} {job.title}{f'  ({job.error})' if job.error else ''}" for job in found]
    rows = [{key: _plain(value) for key, value in asdict(job).items()} for job in found]
    settings.finish(
        {"jobs": rows}, "\n".join(lines) or "No jobs yet. Start one with: python -m core train --name NAME"
    )


@click.command()
@common_options
@pass_settings
def runs(settings: Settings) -> None:
    """List the runs of the workspace, newest first."""
    rows = [
        {"run_id": run.run_id, "state": run.state(), **(run.result() or {})}
        for run in list_runs(settings.open_workspace())
    ]
    lines = [f"{row['run_id']:24s} {row['state']:11s} {score_text(row)}" for row in rows]
    settings.finish(
        {"runs": rows}, "\n".join(lines) or "No runs yet. Start one with: python -m core train --name NAME"
    )


@click.command("train-run", hidden=True)
@click.argument("run_id")
@common_options
@pass_settings
def train_run_here(settings: Settings, run_id: str) -> None:
    """Train, or go on with, a run in this process: what a job runs."""
    from core.jobs import stop_requested
    from core.training.train import train_run

    workspace = settings.open_workspace()
    run = open_run(workspace, run_id)
    if settings.data is None:
        settings.data = str(run.manifest["data_dir"])
    train_run(run, settings.load_index(), workspace, should_stop=stop_requested)
    settings.finish(*_trained(run))


@click.command()
@click.option("--run", "run_id", required=True)
@click.option("--detach", is_flag=True, help="Return at once; the job goes on.")
@common_options
@pass_settings
def features(settings: Settings, run_id: str, detach: bool) -> None:
    """Keep the vector before the classifier of every photo, by the first trained fold's network."""
    workspace = settings.open_workspace()
    run = open_run(workspace, run_id)
    finish_job(settings, run, start_features(workspace, run), detach=detach, told=_featured, again="features")


@click.command("features-run", hidden=True)
@click.argument("run_id")
@common_options
@pass_settings
def features_run_here(settings: Settings, run_id: str) -> None:
    """Extract the features of a run in this process: what a job runs."""
    run = open_run(settings.open_workspace(), run_id)
    make_features(settings, run)
    settings.finish(*_featured(run))


def make_features(settings: Settings, run: Run) -> None:
    """Extract the features of a run in this process."""
    from core.jobs import stop_requested
    from core.training.features import extract_features

    if settings.data is None:
        settings.data = str(run.manifest["data_dir"])
    extract_features(run, settings.load_index(), settings.open_workspace(), should_stop=stop_requested)


@click.command()
@click.option("--run", "run_id", required=True)
@click.option("--photo", "photo_ids", multiple=True, required=True, help="A photo_id; repeatable.")
@click.option("--detach", is_flag=True, help="Return at once; the job goes on.")
@common_options
@pass_settings
def gradcam(settings: Settings, run_id: str, photo_ids: tuple[str, ...], detach: bool) -> None:
    """Keep Grad-CAM maps of photos, by networks that have not seen the person; an opened photo shows them."""
    workspace = settings.open_workspace()
    run = open_run(workspace, run_id)
    job = start_gradcam(workspace, run, photo_ids)
    finish_job(settings, run, job, detach=detach, told=lambda _: _explained(run_id, len(photo_ids)), again="gradcam")


@click.command("gradcam-run", hidden=True)
@click.argument("run_id")
@click.option("--photo", "photo_ids", multiple=True, required=True)
@common_options
@pass_settings
def gradcam_run_here(settings: Settings, run_id: str, photo_ids: tuple[str, ...]) -> None:
    """Make Grad-CAM maps in this process: what a job runs."""
    from core.jobs import stop_requested
    from core.training.gradcam import explain_photos

    run = open_run(settings.open_workspace(), run_id)
    if settings.data is None:
        settings.data = str(run.manifest["data_dir"])
    made = explain_photos(run, settings.load_index(), photo_ids, should_stop=stop_requested)
    settings.finish(*_explained(run_id, made))


def _trained(run: Run) -> tuple[dict[str, Any], str]:
    result = run.result() or {}
    return {"run_id": run.run_id, **result}, f"run {run.run_id}: {score_text(result)}"


def _featured(run: Run) -> tuple[dict[str, Any], str]:
    found = run.features()
    photos, width = found.vectors.shape
    return (
        {"run_id": run.run_id, "photos": photos, "width": width, "fold": found.fold},
        f"run {run.run_id}: features of {photos:,} photos, {width:,} numbers each, by fold {found.fold}",
    )


def _explained(run_id: str, photos: int) -> tuple[dict[str, Any], str]:
    return {"run_id": run_id, "photos": photos}, f"run {run_id}: Grad-CAM of {photos:,} photos"


def _parse_folds(text: str) -> list[int] | None:
    if text.strip() == "all":
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise ConfigError(f"--folds {text!r} is not a list such as 0,1 and not the word all") from None


def _plain(value: Any) -> Any:
    return os.fspath(value) if isinstance(value, Path) else value


VERBS = (train, resume, stop, jobs, runs, features, gradcam, train_run_here, features_run_here, gradcam_run_here)
