"""Fill in a config, start, watch, stop, resume."""

import streamlit as st

from core.errors import LabelingError
from core.jobs.queue import ALIVE, JobQueue
from core.service import start_run
from core.storage.runs import list_runs
from ui.config_form import command_line, config_form
from ui.job_status import show_job
from ui.session import current

desk = current()
st.title("Train")
st.caption("Start a training run. It goes on when this page is closed; jobs on one device wait for each other.")

name = st.text_input("name", placeholder="such as lite0-128", key="train-name")
try:
    config = config_form()
    chosen = st.multiselect("folds to train", range(config.data.folds), help="None chosen: all", key="train-folds")
    people = desk.index.photos[desk.index.photos.split == "train"].person_id.nunique()
    st.caption(f"{people:,} people, {len(chosen) or config.data.folds} of {config.data.folds} folds, by person.")
    st.code(command_line(name, config, st.session_state["train-preset"]), language="bash")
    if st.button("Start", type="primary", disabled=not name.strip()):
        run, _ = start_run(desk.workspace, desk.index, name, config, chosen or None)
        st.toast(f"Run {run.run_id} is queued")
except LabelingError as problem:
    st.error(str(problem))


def draw_jobs() -> bool:
    """The newest jobs; whether one is alive."""
    jobs = JobQueue(desk.workspace).list(6)
    runs = {run.run_id: run for run in list_runs(desk.workspace)}
    waiting = [job.job_id for job in JobQueue(desk.workspace).alive()]
    if not jobs:
        st.info("No jobs yet. Give a name and press Start.")
    for job in jobs:
        place = waiting.index(job.job_id) if job.job_id in waiting else 0
        show_job(desk.workspace, job, runs.get(job.run_id), place)
    return any(job.state in ALIVE for job in jobs)


@st.fragment(run_every=1.0)
def watch_jobs() -> None:
    """Draw the jobs each second while one is alive, then once more for good."""
    if not draw_jobs():
        st.rerun()


st.subheader("Jobs")
if JobQueue(desk.workspace).alive():
    watch_jobs()
else:
    draw_jobs()
