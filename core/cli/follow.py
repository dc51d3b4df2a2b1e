"""Following a run on the terminal: its events as lines, until its job ends."""

import sys
import time
from collections.abc import Callable
from typing import Any

import click

from core.cli.options import Settings
from core.errors import RunError
from core.jobs.queue import Job, JobQueue
from core.storage.events import COUNTED
from core.storage.runs import Run
from core.workspace import Workspace

_POLL_S = 0.3


def follow(workspace: Workspace, run: Run, job: Job, *, again: str = "resume") -> Job:
    """Print a run's events until its job ends; Ctrl-C asks the job to stop.

    Args:
        again: the verb that goes on with what was stopped.
    Raises:
        RunError: the job failed or was stopped; names the log and the next step.
    """
    queue = JobQueue(workspace)
    offset = 0
    while True:
        try:
            job = queue.get(job.job_id)
            events, offset = run.events(offset)
            for event in events:
                if event["time"] >= job.created_at:
                    _show_event(event)
            if job.state in ("finished", "failed", "stopped"):
                break
            time.sleep(_POLL_S)
        except KeyboardInterrupt:
            click.echo("stopping; every whole epoch is kept", err=True)
            queue.stop(job.job_id)
    if job.state != "finished":
        why = f": {job.error}" if job.error else ""
        raise RunError(
            f"job {job.job_id} {job.state}{why}; log {job.log_path}; go on with: {again} --run {run.run_id}"
        )
    return job


def finish_job(
    settings: Settings,
    run: Run,
    job: Job,
    *,
    detach: bool,
    told: Callable[[Run], tuple[dict[str, Any], str]],
    again: str = "resume",
) -> None:
    """Tell that a run's job is queued, or follow it to its end and tell what it made.

    Args:
        told: what the job made of the run, as an object and in words.
        again: as in ``follow``.
    Raises:
        RunError: as in ``follow``.
    """
    about = {"run_id": run.run_id, "job_id": job.job_id}
    if detach:
        settings.finish(about, f"run {run.run_id}: {job.kind} queued as job {job.job_id}")
        return
    follow(settings.open_workspace(), run, job, again=again)
    made, words = told(run)
    settings.finish({**about, **made}, words)


def score_text(result: dict[str, Any]) -> str:
    """A run's scores in one line; empty for an unfinished run."""
    if "macro_f1" not in result:
        return ""
    interval = f"95 % {result['macro_f1_low']:.3f} to {result['macro_f1_high']:.3f}"
    return (
        f"macro F1 {result['macro_f1']:.4f} ({interval})"
        f"  accuracy {result['accuracy']:.4f}  {result['device']}  {result['seconds']:.0f} s"
    )


def _show_event(event: dict[str, Any]) -> None:
    kind = event["event"]
    start = "\r" if sys.stderr.isatty() else ""
    if kind == "started":
        click.echo(f"{event['device_name']}, weights: {event['weights']}", err=True)
    elif kind == "progress" and sys.stderr.isatty():
        click.echo(
            f"\rfold {event['fold']} epoch {event['epoch']}/{event['epochs']}  {event['overall']:6.1%}"
            f"  {event['photos_per_second']:.0f} photos/s  {event['seconds_left']:.0f} s left   ",
            err=True, nl=False,
        )  # fmt: skip
    elif kind in COUNTED and sys.stderr.isatty():
        click.echo(f"\r{COUNTED[kind]}: {event['done']:,} of {event['total']:,}   ", err=True, nl=False)
    elif kind == "epoch":
        click.echo(
            f"{start}fold {event['fold']} epoch {event['epoch']}/{event['epochs']}"
            f"  train loss {event['train_loss']:.3f}  val loss {event['val_loss']:.3f}"
            f"  val macro F1 {event['val_macro_f1']:.4f}  {event['photos_per_second']:.0f} photos/s",
            err=True,
        )  # fmt: skip
