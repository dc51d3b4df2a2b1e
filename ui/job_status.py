"""Jobs as they run: progress, pace, time left, curves, log, and the buttons to stop and go on."""

import time
from collections.abc import Mapping, Sequence

import streamlit as st

from core.errors import LabelingError
from core.jobs.queue import ALIVE, Job, JobQueue
from core.service import resume_run
from core.storage.events import COUNTED
from core.storage.runs import Run, list_runs
from core.workspace import Workspace
from ui.links import link_to
from ui.run_charts import Story, draw_curves, story_of
from ui.times import clock, duration

_ENDED_SHOWN = 5
_LOG_BYTES, _LOG_LINES = 20_000, 40
STATE_COLOURS = {
    "queued": "gray",
    "running": "blue",
    "stopping": "orange",
    "finished": "green",
    "failed": "red",
    "stopped": "orange",
}


def watch_jobs(workspace: Workspace, *, kind: str = "") -> None:
    """The jobs of a workspace, drawn every two seconds while one is alive, then once more for good.

    Each second, the page and its browser took a fifth of a core from a training on the same machine.

    Args:
        kind: only jobs of this kind, and nothing where there is none; "" for all.
    """

    def draw() -> None:
        try:
            if not _draw_jobs(workspace, kind) and alive:
                st.rerun()
        except LabelingError as problem:
            st.error(str(problem))

    alive = any(kind in ("", job.kind) for job in JobQueue(workspace).alive())
    st.fragment(draw, run_every=2.0 if alive else None)()


def _draw_jobs(workspace: Workspace, kind: str) -> bool:
    """All living jobs, then the newest ended ones; whether one is alive."""
    jobs = JobQueue(workspace).list()
    places = {job.job_id: place for place, job in enumerate(job for job in reversed(jobs) if job.state in ALIVE)}
    jobs = [job for job in jobs if kind in ("", job.kind)]
    runs = {run.run_id: run for run in list_runs(workspace) if not run.damage()}
    living = [job for job in jobs if job.state in ALIVE][::-1]
    ended = [job for job in jobs if job.state not in ALIVE]
    newest = {job.run_id: job.job_id for job in reversed(jobs)}
    if not jobs and not kind:
        st.info("No jobs yet. Press Start above; the job appears here and goes on when this page is closed.")
    for job in living:
        _living(workspace, job, runs.get(job.run_id), places[job.job_id])
    for place, job in enumerate(ended[:_ENDED_SHOWN]):
        run = runs.get(job.run_id) if newest[job.run_id] == job.job_id else None
        _ended(workspace, job, run, is_open=place == 0 and not living)
    return bool(living)


def _living(workspace: Workspace, job: Job, run: Run | None, place: int) -> None:
    with st.container(border=True, key=f"job-{job.job_id}"):
        since = f" · for {duration(time.time() - job.started_at)}" if job.started_at else ""
        _head(
            job,
            since,
            "Stop" if job.state in ("queued", "running") else "",
            lambda: JobQueue(workspace).stop(job.job_id),
        )
        if job.state == "queued":
            st.caption(f"Waits for its device, {place} before it." if place else "Starts at once.")
            return
        if job.state == "stopping":
            st.caption("Stops at the next step; the last whole epoch is kept.")
        if run is not None:
            story = story_of(run)
            _progress(job, run, story)
            if job.kind == "train":
                draw_curves(story, key=job.job_id)
        with st.expander("Log", key=f"log-{job.job_id}"):
            show_log(job)


def _ended(workspace: Workspace, job: Job, run: Run | None, *, is_open: bool) -> None:
    with st.container(border=True, key=f"job-{job.job_id}"):
        score = (run.result() or {}).get("macro_f1") if run else None
        is_scored = score is not None and job.state == "finished" and job.kind == "train"
        words = f" · macro F1 {score:.3f}" if is_scored else ""
        took = f" · {duration((job.finished_at or 0) - job.started_at)}" if job.started_at else ""
        resumable = run is not None and run.state() == "unfinished"
        _head(
            job,
            f"{words}{took} · {clock(job.finished_at or job.created_at)}",
            "Resume" if resumable else "",
            lambda: resume_run(workspace, run) if run else None,
        )
        if job.error:
            st.error(job.error)
        details = st.expander(
            "Curves and log" if job.kind == "train" else "Log", is_open, key=f"open-{job.job_id}", on_change="rerun"
        )
        if details.open:
            with details:
                if run is not None and job.kind == "train":
                    draw_curves(story_of(run), key=job.job_id)
                    link_to("runs", "All of this run", runs=run.run_id)
                show_log(job)


def _head(job: Job, words: str, button: str, action: object) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{job.title}** :{STATE_COLOURS[job.state]}-badge[{job.state}]{words}")
        if button and st.button(button, key=f"{button.lower()}-{job.job_id}"):
            action()  # type: ignore[operator]
            st.rerun()


def _progress(job: Job, run: Run, story: Story) -> None:
    last = story["last"]
    if not last or last["time"] < (job.started_at or 0):
        st.progress(0.0, "starting: loading the network and the table of photos")
    elif last["event"] in COUNTED:
        share = last["done"] / max(last["total"], 1)
        st.progress(min(share, 1.0), f"{COUNTED[last['event']]}: {last['done']:,} of {last['total']:,}")
    else:
        st.progress(min(story["overall"], 1.0), _words(last, run.manifest["folds_to_run"]))


def _words(last: Mapping[str, object], folds: Sequence[int]) -> str:
    """What a training does now, by its newest event."""
    if last["event"] == "progress":
        place = f"fold {last['fold']} ({folds.index(last['fold']) + 1} of {len(folds)})"  # type: ignore[arg-type]
        words = f"{place}, epoch {last['epoch']} of {last['epochs']}"
        if last["done"] == last["total"]:
            return f"{words} · scoring the held-out photos"
        pace = f"{last['photos_per_second']:,.0f} photos/s · loss {last['loss']:.3f}"
        return f"{words} · {pace} · {duration(float(str(last['seconds_left'])))} of training left"
    if last["event"] == "epoch" and last["epoch"] == last["epochs"]:
        return f"fold {last['fold']} · predicting the evaluation photos"
    if last["event"] == "epoch":
        return f"fold {last['fold']}, epoch {last['epoch']} of {last['epochs']} is done"
    return {"started": "starting", "fold_finished": "a fold is done", "finished": "finished"}.get(
        str(last["event"]), str(last["event"])
    )


def show_log(job: Job) -> None:
    """The last lines of a job's log."""
    try:
        with job.log_path.open("rb") as file:
            file.seek(max(0, job.log_path.stat().st_size - _LOG_BYTES))
            lines = file.read().decode("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        lines = []
    st.code("\n".join(lines[-_LOG_LINES:]) or "The log is empty.", language=None, wrap_lines=True)
