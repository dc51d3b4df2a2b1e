"""Jobs as they run: progress, pace, time left, curves, log, and the buttons to stop and go on."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.jobs.queue import ALIVE, Job, JobQueue
from core.service import resume_run
from core.storage.runs import Run
from core.workspace import Workspace

_LOG_LINES = 15


def show_job(workspace: Workspace, job: Job, run: Run | None, place: int) -> None:
    """One job in a frame; ``place`` is how many jobs stand before it."""
    with st.container(border=True):
        left, right = st.columns([5, 1])
        waits = f", {place} before it" if job.state == "queued" and place else ""
        left.markdown(f"**{job.title}** · {job.state}{waits}")
        if job.state in ("queued", "running") and right.button("Stop", key=f"stop-{job.job_id}"):
            JobQueue(workspace).stop(job.job_id)
            st.rerun()
        if job.error:
            left.error(job.error)
        if run is None or run.damage():
            return
        if job.state in ALIVE:
            _progress(run)
        elif run.state() == "unfinished" and right.button("Resume", key=f"resume-{job.job_id}"):
            resume_run(workspace, run)
            st.rerun()
        show_curves(run, key=job.job_id)
        if job.log_path.exists():
            with st.expander("Log"):
                lines = job.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
                st.code("\n".join(lines[-_LOG_LINES:]) or "empty", language=None)


def _progress(run: Run) -> None:
    events = run.events()[0]
    last = next((event for event in reversed(events) if event["event"] in ("progress", "cache")), None)
    if last is None:
        st.progress(0.0, "starting")
    elif last["event"] == "cache":
        st.progress(last["done"] / max(last["total"], 1), f"decoding photos: {last['done']:,} of {last['total']:,}")
    else:
        minutes, seconds = divmod(int(last["seconds_left"]), 60)
        st.progress(
            last["overall"],
            f"fold {last['fold']}, epoch {last['epoch']} of {last['epochs']} · "
            f"{last['photos_per_second']:.0f} photos/s · {minutes} min {seconds:02d} s left",
        )


def show_curves(run: Run, *, key: str) -> None:
    """Loss and validation macro F1 by epoch, a line a fold."""
    epochs = pd.DataFrame([event for event in run.events()[0] if event["event"] == "epoch"])
    if epochs.empty:
        return
    for column, (name, title) in zip(
        st.columns(2), {"train_loss": "training loss", "val_macro_f1": "validation macro F1"}.items(), strict=True
    ):
        figure = go.Figure()
        for fold, rows in epochs.drop_duplicates(["fold", "epoch"], keep="last").groupby("fold"):
            figure.add_scatter(x=rows.epoch, y=rows[name], mode="lines+markers", name=f"fold {fold}")
        figure.update_layout(
            title=title, height=240, margin={"l": 40, "r": 10, "t": 40, "b": 30}, xaxis_title="epoch"
        )
        column.plotly_chart(figure, key=f"{key}-{name}")
