"""All runs of the data set: scores, curves, settings, and what differs between two."""

import pandas as pd
import streamlit as st

from core.jobs.queue import ALIVE, JobQueue
from core.storage.runs import list_runs
from ui.links import no_runs_yet
from ui.run_details import AXES_SHOWN, row_of, show_comparison, show_run, state_of
from ui.session import current

desk = current()
st.title("Runs")
st.caption("Every training run of this data set with its out-of-fold scores. Choose one to look at, two to compare.")
runs = {run.run_id: run for run in list_runs(desk.workspace, desk.index.dataset_id)}
elsewhere = len(list_runs(desk.workspace)) - len(runs)
if elsewhere:
    st.caption(f"{elsewhere} more in this workspace are of another data set and not shown.")
if not runs:
    no_runs_yet()
    st.stop()

queue = JobQueue(desk.workspace)
jobs = {run_id: queue.of_run(run_id) for run_id in runs}
states = {run_id: state_of(runs[run_id], jobs[run_id]) for run_id in runs}
sound = [run_id for run_id in runs if states[run_id] != "damaged"]
table = pd.DataFrame([row_of(runs[run_id], states[run_id]) for run_id in runs])


def choose(ids: list[str]) -> None:
    """Name the runs in the address, which decides; an empty parameter stands for none."""
    st.query_params["runs"] = ids or ""


def choose_rows() -> None:
    """Take the table's selection over; of more than two rows the last two."""
    rows = st.session_state[table_key]["selection"]["rows"]
    ids = [run_id for row in rows if (run_id := table.run[row]) in sound]
    choose(ids[-2:])
    if len(rows) != len(ids[-2:]):
        renew_table()


def choose_in_box() -> None:
    """Take the box's runs over, and tick them in the table."""
    choose(st.session_state["runs"])
    renew_table()


def renew_table() -> None:
    """Draw the table anew, with the chosen runs ticked."""
    st.session_state["runs-table"] = st.session_state.get("runs-table", 0) + 1


def follow_states() -> None:
    """Draw the page anew once a run is in another state than it shows."""
    if {run_id: state_of(run, queue.of_run(run_id)) for run_id, run in runs.items()} != states:
        st.rerun()


if any(state in ALIVE for state in states.values()):
    st.fragment(follow_states, run_every=2.0)()
if "runs" not in st.query_params:
    choose(st.session_state.get("chosen-runs", sound[:1]))
st.session_state["runs"] = [run_id for run_id in st.query_params.get_all("runs") if run_id in sound][:2]
table_key = f"runs-table-{'+'.join(runs)}-{st.session_state.get('runs-table', 0)}"
ticked = [place for place, run_id in enumerate(runs) if run_id in st.session_state["runs"]]
st.dataframe(
    table,
    key=table_key,
    hide_index=True,
    on_select=choose_rows,
    selection_mode="multi-row",
    selection_default={"selection": {"rows": ticked}},
    placeholder="",
    alt="All runs with their scores",
    column_config={
        "run": st.column_config.TextColumn(pinned=True),
        **{
            name: st.column_config.NumberColumn(format="%.4f", help="accuracy" if name in AXES_SHOWN else None)
            for name in ("macro F1", "accuracy", *AXES_SHOWN)
        },
    },
)
for run_id in runs:
    if states[run_id] == "damaged":
        st.warning(f"**{run_id}** cannot be used: {runs[run_id].damage()}")
if not sound:
    st.stop()

chosen = st.multiselect(
    "look at one run, or compare two", sound, max_selections=2, key="runs", on_change=choose_in_box
)
st.session_state["chosen-runs"] = chosen
if len(chosen) == 2:
    show_comparison(runs[chosen[0]], runs[chosen[1]])
with st.grid(max(len(chosen), 1), min_column_width=420) as grid:
    for run_id in chosen:
        with grid.cell():
            show_run(desk.workspace, runs[run_id], jobs[run_id])
if not chosen:
    st.info("No run is chosen. Tick one in the table, or choose it above.")
