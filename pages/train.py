"""Fill in a config, start, watch, stop, resume."""

import re

import streamlit as st

from core.config import PRESETS, load_config, with_settings
from core.errors import LabelingError
from core.jobs.slots import find_slots
from core.service import TrainingPlan, plan_training, start_run
from core.storage.decisions import DecisionStore
from core.storage.runs import list_runs
from core.workspace import DEFAULT_DATA, DEFAULT_WORKSPACE
from ui.config_form import Choice, command_line, config_form
from ui.job_status import watch_jobs
from ui.revisions import pick_trained_revision
from ui.session import current
from ui.times import duration

desk = current()
runs = list_runs(desk.workspace)
taken = {run.run_id for run in runs}

st.title("Train")
st.caption("Start a training run. It goes on when this page is closed; jobs on one device wait for each other.")


def free_name(choice: Choice) -> str:
    """A name that says what is trained and that no run has."""
    image = choice.config.image
    stem = re.sub(r"[^\w.-]+", "-", f"{choice.config.model.name}-{image.height}x{image.width}".lower())[:50]
    numbered = (stem if number == 1 else f"{stem}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in numbered if name not in taken)


def plan_words(plan: TrainingPlan, choice: Choice) -> str:
    """What Start would do, in one line."""
    parts = [f"{plan.people:,} people, {plan.photos:,} photos"]
    if plan.pseudo_labels:
        parts.append(f"{plan.pseudo_labels:,} of them pseudo labels")
    if plan.left_out:
        parts.append(f"{plan.left_out:,} more only score")
    if plan.label_revision:
        parts.append(f"labels of revision {plan.label_revision:,}")
    parts.append(f"{plan.folds} of {choice.config.data.folds} folds, by person")
    slots = st.session_state.setdefault("slots", find_slots())
    gpus = [f"GPU {slot}" for slot in slots if slot != "cpu"]
    parts.append((gpus or ["CPU"])[0] if choice.config.device == "auto" else choice.config.device)
    if plan.seconds is not None:
        parts.append(f"about {duration(plan.seconds)} (scaled from {plan.like})")
    return " · ".join(parts)


bases = {name: load_config(name) for name in PRESETS}
for run in runs:
    if not run.damage() and run.manifest["dataset_id"] == desk.index.dataset_id:
        bases[f"run {run.run_id}"] = run.config
asked = st.query_params.get_all("set")  # another page's link: settings to change, and the run to start from
if asked:
    start = bases.get(f"run {st.query_params.get('like', '')}", load_config("default"))
    bases = {"the link": with_settings(start, asked), **bases}
choice = config_form(bases, first="the link" if asked else "fast")

if choice is not None:
    try:
        revision = pick_trained_revision(DecisionStore(desk.workspace, desk.index.dataset_id))
        plan = plan_training(desk.workspace, desk.index, choice.config, choice.folds, revision=revision)
        started = st.session_state.setdefault("started", 0)
        suggestion = free_name(choice)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            given = st.text_input("name", placeholder=suggestion, key=f"train-name-{started}", width=420)
            is_started = st.button("Start", type="primary", key=f"train-start-{started}")
        name = given.strip() or suggestion
        st.markdown(f"**{name}**: {plan_words(plan, choice)}")
        if is_started:
            start_run(desk.workspace, desk.index, name, choice.config, choice.folds, revision=revision)
            st.session_state["started"] = started + 1  # other keys: a second click finds no button
            st.rerun()
        places = {"--data": (desk.data_dir, DEFAULT_DATA), "--workspace": (desk.workspace.root, DEFAULT_WORKSPACE)}
        common = [word for option, (used, usual) in places.items() if used != usual for word in (option, str(used))]
        with st.expander("The same on the command line"):
            words = command_line(name, choice, common, revision=revision)
            st.code(words, language="bash", wrap_lines=True)
    except LabelingError as problem:
        st.error(str(problem))

st.subheader("Jobs")
watch_jobs(desk.workspace)
