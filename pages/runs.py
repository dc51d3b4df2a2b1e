"""All runs of the data set: scores, curves, settings, and what differs between two."""

import pandas as pd
import streamlit as st

from core.storage.runs import list_runs
from ui.job_status import show_curves
from ui.links import no_runs_yet
from ui.session import current

desk = current()
st.title("Runs")
st.caption("Every training run of this data set, its out-of-fold scores, and what differs between two runs.")
runs = {run.run_id: run for run in list_runs(desk.workspace, desk.index.dataset_id)}
if not runs:
    no_runs_yet()
    st.stop()


def row_of(run_id: str) -> dict[str, object]:
    """A run as a row of the table."""
    run = runs[run_id]
    if run.damage():
        return {"run": run_id, "state": "damaged", "note": run.damage()}
    result = run.result() or {}
    axes = result.get("axis_accuracy", {})
    interval = f"{result['macro_f1_low']:.3f} to {result['macro_f1_high']:.3f}" if result else ""
    config = run.config
    return {
        "run": run_id,
        "state": run.state(),
        "macro F1": result.get("macro_f1"),
        "95 % by person": interval,
        "accuracy": result.get("accuracy"),
        **{axis: axes.get(axis) for axis in ("mask", "gender", "age")},
        "model": config.model.name,
        "pixels": f"{config.image.height} x {config.image.width}",
        "folds": f"{len(run.manifest['folds_to_run'])} of {config.data.folds}",
        "device": result.get("device_name"),
        "weights": result.get("weights"),
        "seconds": result.get("seconds"),
        "created": run.manifest["created_at"][:19],
    }


table = pd.DataFrame([row_of(run_id) for run_id in runs])
scores = {
    name: st.column_config.NumberColumn(format="%.4f") for name in ("macro F1", "accuracy", "mask", "gender", "age")
}
st.dataframe(table, hide_index=True, column_config=scores, width="stretch")

sound = [run_id for run_id in runs if not runs[run_id].damage()]
chosen = st.multiselect("look at one run, or compare two", sound, sound[:1], max_selections=2, key="runs-chosen")
for run_id in chosen:
    st.subheader(run_id)
    show_curves(runs[run_id], key=f"runs-{run_id}")
    with st.expander("Settings and environment"):
        st.json({"config": runs[run_id].config.model_dump(), "environment": runs[run_id].environment()}, expanded=1)
if len(chosen) == 2:
    flat = pd.DataFrame({run_id: pd.json_normalize(runs[run_id].config.model_dump()).iloc[0] for run_id in chosen})
    differing = flat[flat[chosen[0]].astype(str) != flat[chosen[1]].astype(str)]
    st.subheader("What differs")
    st.dataframe(differing.astype(str), width="stretch")
