"""A job that makes something of a finished run: the button that queues it, its progress, and what went wrong."""

from collections.abc import Callable

import streamlit as st

from core.errors import LabelingError
from core.jobs.queue import ALIVE, Job, JobQueue
from core.storage.events import COUNTED
from core.storage.runs import Run
from ui.session import current


def job_panel(run: Run, *, kind: str, button: str, start: Callable[[], Job]) -> None:
    """Offer the job, or show how far the run's job is; the page is drawn anew when it ends.

    Args:
        kind: of the job.
        button: what is offered.
        start: queues the job.
    """
    jobs = JobQueue(current().workspace).of_run(run.run_id)
    alive = [job for job in jobs if job.state in ALIVE]
    if alive and alive[0].kind != kind:
        st.caption(f"Waits: {alive[0].title} is {alive[0].state}.")
        return
    if alive:
        st.fragment(_watch, run_every=2.0)(run, alive[0].job_id)
        return
    newest = next((job for job in jobs if job.kind == kind), None)
    if newest is not None and newest.state == "failed":
        st.error(newest.error)
    if st.button(button, key=f"start-{kind}"):
        try:
            start()
        except LabelingError as problem:
            st.error(str(problem))
            return
        st.rerun()


def _watch(run: Run, job_id: str) -> None:
    """How far a living job is, by the run's newest event."""
    job = JobQueue(current().workspace).get(job_id)
    if job.state not in ALIVE:
        st.rerun()
    if job.state == "queued":
        st.progress(0.0, f"{job.title}: waits for its device")
        return
    since = job.started_at or 0
    events = [event for event in run.events()[0] if event["event"] in COUNTED and event["time"] >= since]
    done, total = (events[-1]["done"], events[-1]["total"]) if events else (0, 1)
    words = f"{COUNTED[events[-1]['event']]}, {done:,} of {total:,}" if events else "loading the network"
    st.progress(min(done / max(total, 1), 1.0), f"{job.title}: {words}")
