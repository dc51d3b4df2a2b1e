"""A run on the screen: its row among others, its scores, settings, log, and what sets two runs apart."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.errors import LabelingError
from core.jobs.queue import ALIVE, Job, JobQueue
from core.service import resume_run
from core.storage.runs import Run
from core.workspace import Workspace
from ui.config_form import flatten
from ui.job_status import STATE_COLOURS, show_log
from ui.links import link_to
from ui.run_charts import draw_curves, story_of
from ui.times import clock, duration

AXES_SHOWN = ("mask", "gender", "age")


def state_of(run: Run, jobs: Sequence[Job]) -> str:
    """A run's state with what its newest job adds: queued, running, stopping, stopped or failed."""
    state = run.state()
    return jobs[0].state if state == "unfinished" and jobs and jobs[0].state != "finished" else state


def row_of(run: Run, state: str) -> dict[str, object]:
    """A run as a row of the table; a damaged one has no more than its name."""
    row: dict[str, object] = {"run": run.run_id, "state": state}
    if state == "damaged":
        return row
    result, config = run.result() or {}, run.config
    return row | {
        "macro F1": result.get("macro_f1"),
        "95 % by person": _interval(result),
        "accuracy": result.get("accuracy"),
        **{axis: result.get("axis_accuracy", {}).get(axis) for axis in AXES_SHOWN},
        "model": config.model.name,
        "pixels": f"{config.image.height} x {config.image.width}",
        "epochs": config.optim.epochs,
        "folds": f"{len(run.manifest['folds_to_run'])} of {config.data.folds}",
        "device": result.get("device_name") or run.environment().get("device_name"),
        "weights": result.get("weights") or config.model.weights,
        "time": duration(result["seconds"]) if result else None,
        "created": clock(str(run.manifest["created_at"])),
    }


def show_run(workspace: Workspace, run: Run, jobs: Sequence[Job]) -> None:
    """One run: scores, where to go from here, and its curves, folds, settings and log."""
    state, result = state_of(run, jobs), run.result() or {}
    st.subheader(run.run_id, anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(state, color=STATE_COLOURS.get(state, "gray"))
        _buttons(workspace, run, jobs, state)
    if result:
        scores = {"macro F1": result["macro_f1"], "accuracy": result["accuracy"], **result["axis_accuracy"]}
        with st.grid("auto", min_column_width=130):
            for name, value in scores.items():
                st.metric(name, f"{value:.4f}")
        st.caption(
            f"Out-of-fold over {result['photos']:,} photos of people the model had not seen. "
            f"Macro F1 95 % by person: {_interval(result)}."
        )
    if jobs and jobs[0].error and state != "finished":
        st.error(jobs[0].error)
    curves, folds, settings, environment, log = st.tabs(
        ["Curves", "Folds", "Settings", "Environment", "Log"], key=f"tabs-{run.run_id}"
    )
    with curves:
        story = story_of(run)
        draw_curves(story, key=f"runs-{run.run_id}")
        if not story["epochs"]:
            st.caption("No epoch is done yet.")
    with folds:
        if result:
            st.dataframe(pd.DataFrame(result["per_fold"]), hide_index=True)
        else:
            st.caption("Scores of the folds stand here once the run is finished.")
    with settings:
        st.dataframe(_two_columns(flatten(run.config)), hide_index=True, height=360)
    with environment:
        about = {name: run.manifest.get(name) for name in _ABOUT} | flat_json(run.environment())
        st.dataframe(_two_columns(about), hide_index=True)
    with log:
        if jobs:
            show_log(jobs[0])
        else:
            st.caption("Trained without the queue: no log.")


_ABOUT = (
    "created_at",
    "dataset_id",
    "data_dir",
    "label_revision",
    "train_people",
    "train_photos",
    "folds_to_run",
    "code_version",
)


def show_comparison(one: Run, other: Run) -> None:
    """The scores of two runs side by side, and everything that sets them apart."""
    st.subheader("Compared", anchor=False)
    results = {run.run_id: run.result() for run in (one, other)}
    if all(results.values()):
        rows = {
            "macro F1": [f"{r['macro_f1']:.4f} ({_interval(r)})" for r in results.values() if r],
            "accuracy": [f"{r['accuracy']:.4f}" for r in results.values() if r],
            **{axis: [f"{r['axis_accuracy'][axis]:.4f}" for r in results.values() if r] for axis in AXES_SHOWN},
        }
        st.dataframe(pd.DataFrame(rows, index=list(results)).T, width="content", alt="Scores of the two runs")
        if _scored_on(one) != _scored_on(other):
            st.warning("They were scored on other people (folds or seed differ): part of the difference is luck.")
    sides = [
        {**flatten(run.config), **{name: run.manifest.get(name) for name in _ABOUT}, **flat_json(run.environment())}
        for run in (one, other)
    ]
    names = [name for name in dict.fromkeys([*sides[0], *sides[1]]) if name not in ("created_at", "data_dir")]
    differing = {
        name: [str(side.get(name)) for side in sides] for name in names if sides[0].get(name) != sides[1].get(name)
    }
    if differing:
        table = pd.DataFrame(differing, index=[one.run_id, other.run_id]).T
        st.dataframe(table, width="content", alt="What differs between the two runs")
    else:
        st.caption("Same settings, same data, same code: what differs is chance alone.")


def flat_json(content: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested JSON by dotted keys.

    >>> flat_json({"weights": {"name": "imagenet"}})
    {'weights.name': 'imagenet'}
    """
    flat: dict[str, Any] = {}
    for key, value in content.items():
        flat |= flat_json(value, f"{above}{key}.") if isinstance(value, Mapping) else {f"{above}{key}": value}
    return flat


def _buttons(workspace: Workspace, run: Run, jobs: Sequence[Job], state: str) -> None:
    try:
        if state in ("queued", "running") and st.button("Stop", key=f"runs-stop-{run.run_id}"):
            JobQueue(workspace).stop(jobs[0].job_id)
            st.rerun()
        if state in ALIVE:
            link_to("train", "Watch it on Train")
        elif state != "finished" and st.button("Resume", key=f"runs-resume-{run.run_id}"):
            resume_run(workspace, run)
            st.rerun()
    except LabelingError as problem:
        st.error(str(problem))
    if state == "finished":
        link_to("errors", "Errors", run=run.run_id)
        link_to("pseudo_labels", "Pseudo labels", run=run.run_id)
        link_to("submissions", "Submit", **{"made-from": f"run:{run.run_id}"})
    link_to("train", "Train again", start=f"run {run.run_id}")


def _interval(result: Mapping[str, Any]) -> str:
    return f"{result['macro_f1_low']:.3f} to {result['macro_f1_high']:.3f}" if result else ""


def _scored_on(run: Run) -> tuple[object, ...]:
    return run.config.data.folds, run.config.seed, tuple(run.manifest["folds_to_run"])


def _two_columns(content: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame({"setting": list(content), "value": [str(value) for value in content.values()]})
