"""Verbs about the data set: ``demo``, ``check``, and ``first-steps`` behind ``make run``."""

import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from core.cli.follow import follow
from core.cli.options import Settings, common_options, pass_settings, progress
from core.config import load_config
from core.dataset.check import check_report
from core.dataset.demo import write_demo
from core.errors import ConfigError, RunError
from core.jobs.queue import ALIVE, JobQueue
from core.service import resume_run, start_run
from core.storage.runs import Run, list_runs
from core.taxonomy import CLASS_NAMES
from core.workspace import DEFAULT_DATA, Workspace

FIRST_RUN = "first"
_SHOWN = 5
"""Files of each kind of anomaly that are printed for a person."""


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A folder that does not exist yet.")
@click.option("--people", type=click.IntRange(min=4), default=120, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@common_options
@pass_settings
def demo(settings: Settings, out: Path, people: int, seed: int) -> None:
    """Draw a demo data set: portraits of people who do not exist, in the competition's layout."""
    write_demo(out, people=people, seed=seed, on_progress=progress("drawing people"))
    settings.finish(
        {"out": str(out), "people": people, "photos": people * 7, "seed": seed},
        f"{people} people, {people * 7} photos in {out}",
    )


@click.command()
@common_options
@pass_settings
def check(settings: Settings) -> None:
    """Read all photos and csv files; report counts and everything odd. Changes nothing."""
    report = check_report(settings.load_index())
    settings.finish(report, _report_text(report))


def _report_text(report: dict[str, Any]) -> str:
    lines = [f"{name}: {value:,}" for name, value in report.items() if isinstance(value, int)]
    lines += ["", "train people"]
    lines += [f"  {group:14s} {count:6,}" for group, count in report["people_by_group"].items()]
    lines += [f"  with {number} photos  {count:6,}" for number, count in report["photos_per_person"].items()]
    lines += ["", "train photos"]
    lines += [f"  {label:2d}  {name:26s} {report['classes'][label]:6,}" for label, name in enumerate(CLASS_NAMES)]
    lines += ["", "what is odd" if report["anomalies"] else "nothing odd was found"]
    for kind, found in report["anomalies"].items():
        lines.append(f"  {kind}: {found['count']:,}")
        rows = list(zip(found["files"], found["details"], strict=True))
        lines += [f"    {path}  ({detail})" for path, detail in rows[:_SHOWN]]
        if len(rows) > _SHOWN:
            lines.append(f"    and {len(rows) - _SHOWN:,} more; --json names them all")
    return "\n".join(lines)


@click.command("first-steps", hidden=True)
@click.option("--port", type=int, help="Where the app is going to listen; refused when it is taken.")
@common_options
@pass_settings
def first_steps(settings: Settings, port: int | None) -> None:
    """The demo set when there is none, and a first run on it when there is none."""
    if port is not None:
        _refuse_taken(port)
    if settings.data_dir != DEFAULT_DATA:
        return
    if not all((DEFAULT_DATA / part).exists() for part in ("train/train.csv", "eval/info.csv")):
        click.echo("No data set yet: drawing the demo people.")
        write_demo(DEFAULT_DATA, on_progress=progress("drawing people"))
    workspace = settings.open_workspace()
    runs = list_runs(workspace)
    if any(run.state() == "finished" for run in runs):
        return
    click.echo("No finished run yet: training a first small one.")
    first = next((run for run in runs if run.run_id == FIRST_RUN), None)
    if first is None:
        follow(workspace, *start_run(workspace, settings.load_index(), FIRST_RUN, load_config("fast")))
        return
    _wait_for_earlier_jobs(workspace, first)
    if first.state() != "finished":
        follow(workspace, first, resume_run(workspace, first))


def _wait_for_earlier_jobs(workspace: Workspace, run: Run) -> None:
    """Follow what an ended ``make run`` left at work; a job that was killed is seen to have failed."""
    queue = JobQueue(workspace)
    queue.list()  # starts the dispatcher again
    for job in queue.of_run(run.run_id):
        if job.state in ALIVE:
            with suppress(RunError):
                follow(workspace, run, job)


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            raise ConfigError(
                f"port {port} cannot be had; MaskDesk may be there already (http://127.0.0.1:{port}), "
                f"else choose another: make run PORT={port + 1}"
            ) from None


VERBS = (demo, check, first_steps)
