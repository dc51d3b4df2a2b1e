"""Choosing a run; the choice is in the URL, the newest one named too, and stays when the page changes."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from core.storage.runs import Run, list_runs
from ui.address import in_address
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


def pick_run(label: str = "run", *, width: int | Literal["stretch"] = "stretch") -> Run | None:
    """A select box over the finished runs, the newest chosen; the empty state and None when there is none."""
    runs = {run.run_id: run for run in finished_runs()}
    if not runs:
        no_runs_yet()
        return None
    kept = st.session_state.get("chosen-run")
    chosen = choose_run(label, list(runs), key="run", default=kept if kept in runs else next(iter(runs)), width=width)
    st.session_state["chosen-run"] = chosen
    return runs[chosen]


def choose_run(
    label: str, names: Sequence[str], *, key: str, default: str, width: int | Literal["stretch"] = "stretch"
) -> str:
    """A select box over run_ids whose choice always stands in the address, as ``key``.

    A link must show the same run after a newer one is finished.
    """
    taken_over = in_address(key, names, default=default, always=True)
    return st.selectbox(label, names, key=key, on_change=taken_over, width=width, help="Finished runs, newest first.")
