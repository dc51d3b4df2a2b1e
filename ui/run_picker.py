"""Choosing a run; the choice is in the URL, the newest one named too, and stays when the page changes."""

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
    """A select box over the finished runs, the newest chosen; the empty state and None when there is none.

    The address always names the run, so that a link shows the same one after a newer one is finished. Streamlit's own
    binding leaves a default out; so the address is kept here: what it names wins, else what was chosen before.
    """
    runs = {run.run_id: run for run in finished_runs()}
    if not runs:
        no_runs_yet()
        return None
    wanted = [st.query_params.get("run"), st.session_state.get("chosen-run"), next(iter(runs))]
    st.session_state["run"] = next(name for name in wanted if name in runs)
    chosen = st.selectbox(
        label, list(runs), key="run", on_change=_name_in_address, help="Finished runs, newest first."
    )
    st.session_state["chosen-run"] = chosen
    if st.query_params.get("run") != chosen:
        st.query_params["run"] = chosen
    return runs[chosen]


def _name_in_address() -> None:
    """Take the box's choice over before the page runs again."""
    st.query_params["run"] = st.session_state["run"]
