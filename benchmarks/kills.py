"""Kill a training at random moments, resume it, and compare its final logits with an undisturbed run's, bit by bit.

python -m benchmarks.kills [--kills 30] [--seed 0]

Each kill is a SIGKILL to a training job that the queue started, at a moment drawn from the whole time that such a job
takes; each third one kills the dispatcher in the same moment. After each the run must still be listed as sound. The
last line is one JSON object.
"""

import json
import os
import signal
import tempfile
import time
from pathlib import Path

import click
import numpy as np

from benchmarks.machine import machine
from core.config import load_config
from core.dataset.demo import write_demo
from core.dataset.index import Index, load_index
from core.jobs.processes import signal_job
from core.jobs.queue import ENDED, Job, JobQueue
from core.service import resume_run, start_run
from core.storage.runs import Run, open_run
from core.workspace import Workspace

SETTINGS = ("image.height=48", "image.width=36", "data.folds=2", "optim.epochs=4", "optim.batch_size=8", "device=cpu")


def train(workspace: Workspace, index: Index, name: str) -> tuple[Run, Job]:
    """Queue a small run of two folds."""
    return start_run(workspace, index, name, load_config("fast", settings=SETTINGS))


def wait_for_end(workspace: Workspace, job: Job) -> Job:
    """The job once it has ended; looking at the list brings a killed dispatcher back."""
    queue = JobQueue(workspace)
    while job.state not in ENDED:
        queue.list()
        time.sleep(0.1)
        job = queue.get(job.job_id)
    return job


def kill(workspace: Workspace, job: Job, delay: float, *, with_dispatcher: bool) -> bool:
    """SIGKILL ``delay`` seconds after the job began; whether it was still alive then."""
    queue = JobQueue(workspace)
    while not queue.get(job.job_id).started_at:
        time.sleep(0.01)
    time.sleep(delay)
    if with_dispatcher:
        for process in dispatchers(workspace):
            os.kill(process, signal.SIGKILL)
    return signal_job(job.log_path.parent, signal.SIGKILL) > 0


def dispatchers(workspace: Workspace) -> list[int]:
    """Process ids of this workspace's dispatcher."""
    wanted = ["-m", "core.jobs.dispatcher", str(workspace.root)]
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_text().rstrip("\0").split("\0")
        except OSError:
            continue
        if words[-3:] == wanted:
            found.append(int(entry.name))
    return found


def same_logits(run: Run, other: Run) -> bool:
    """Whether two runs' out-of-fold and evaluation logits are the same, bit by bit."""
    pairs = ((run.oof(), other.oof()), (run.evaluation(), other.evaluation()))
    return all(
        one.photo_ids.tolist() == two.photo_ids.tolist() and np.array_equal(one.logits, two.logits)
        for one, two in pairs
    )


def disturb(workspace: Workspace, index: Index, whole: Run, delays: list[float]) -> dict[str, int]:
    """Train, kill and resume once a delay; how many were killed, resumed, and identical to ``whole``."""
    found = {"kills": 0, "dispatcher_kills": 0, "before_an_epoch": 0, "readable": 0, "resumed": 0, "identical": 0}
    for number, delay in enumerate(delays):
        with_dispatcher = number % 3 == 2
        run, job = train(workspace, index, f"kill-{number}")
        if not kill(workspace, job, delay, with_dispatcher=with_dispatcher):
            click.echo(f"{run.run_id}: over before {delay:.1f} s; not counted", err=True)
            continue
        found["kills"] += 1
        found["dispatcher_kills"] += with_dispatcher
        epochs = sum(event["event"] == "epoch" for event in run.events()[0])
        found["before_an_epoch"] += epochs == 0
        found["readable"] += open_run(workspace, run.run_id).state() in ("unfinished", "finished")
        wait_for_end(workspace, job)
        if run.state() == "unfinished":
            job = wait_for_end(workspace, resume_run(workspace, run))
        found["resumed"] += run.state() == "finished"
        found["identical"] += run.state() == "finished" and same_logits(run, whole)
        click.echo(f"{run.run_id}: killed after {delay:.1f} s, {epochs} epochs; {found}", err=True)
    return found


@click.command()
@click.option("--kills", default=30, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(kills: int, seed: int) -> None:
    """Train a run undisturbed, then others that are killed and resumed."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder) / "workspace")
        write_demo(Path(folder) / "data", people=12, seed=3)
        index = load_index(Path(folder) / "data", workspace)
        whole, job = train(workspace, index, "undisturbed")
        job = wait_for_end(workspace, job)
        if job.state != "finished":
            raise click.ClickException(f"the undisturbed run {job.state}: {job.error}")
        seconds = (job.finished_at or 0) - (job.started_at or 0)
        delays = np.random.default_rng(seed).uniform(0, seconds, kills).tolist()
        found = disturb(workspace, index, whole, delays)
        for process in dispatchers(workspace):
            os.kill(process, signal.SIGTERM)
    seconds = {"seconds": round(time.monotonic() - started, 1), "seed": seed}
    print(json.dumps({"benchmark": "kills", **found, **seconds, **machine("torch")}))


if __name__ == "__main__":
    main()
