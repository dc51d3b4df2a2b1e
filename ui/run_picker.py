"""Choosing a run; the choice is in the URL and stays when the page changes."""

import streamlit as st

from core.storage.runs import Run, list_runs
from ui.links import no_runs_yet
from ui.session import current


def finished_runs() -> list[Run]:
    """The finished runs of the current data set, newest first."""
    desk = current()
    return [run for run in list_runs(desk.workspace, desk.index.dataset_id) if run.state() == "finished"]


def run_label(run: Run) -> str:
    """A run's name with its score."""
    result = run.result() or {}
    return f"{run.run_id} · macro F1 {result['macro_f1']:.3f}" if "macro_f1" in result else run.run_id


def pick_run(label: str = "run") -> Run | None:
    """A select box over the finished runs; shows the empty state and gives None when there is none."""
    runs = {run.run_id: run for run in finished_runs()}
    if not runs:
        no_runs_yet()
        return None
    chosen = st.selectbox(label, list(runs), key="run", bind="query-params", help="Finished runs, the newest first.")
    return runs[chosen]
