"""Choosing a run; the choice is in the URL."""

import streamlit as st

from core.storage.runs import Run, list_runs
from ui.links import no_runs_yet
from ui.session import current


def finished_runs() -> list[Run]:
    """The finished runs of the current data set, newest first."""
    desk = current()
    return [run for run in list_runs(desk.workspace, desk.index.dataset_id) if run.state() == "finished"]


def run_label(run: Run) -> str:
    """A run's name with its score and interval."""
    result = run.result() or {}
    if "macro_f1" not in result:
        return run.run_id
    return f"{run.run_id} · macro F1 {result['macro_f1']:.3f}"


def pick_run(label: str = "Run") -> Run | None:
    """A select box over the finished runs; shows the empty state and gives None when there is none."""
    runs = {run.run_id: run for run in finished_runs()}
    if not runs:
        no_runs_yet()
        return None
    wanted = st.query_params.get("run", "")
    ids = list(runs)
    chosen = st.selectbox(
        label,
        ids,
        index=ids.index(wanted) if wanted in runs else 0,
        format_func=lambda run_id: run_label(runs[run_id]),
        key="run-picker",
    )
    st.query_params["run"] = chosen
    return runs[chosen]
