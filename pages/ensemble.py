"""The best of all runs: choose members, let them vote, see what each adds; scored on people no part has seen."""

import re

import pandas as pd
import streamlit as st

from core.errors import LabelingError
from core.submission import choosing
from core.submission.assemble import best_runs, member_names
from core.submission.combine import Ballot
from core.submission.ensemble import TIES
from core.submission.outside import add_outside, doubts_of
from core.submission.overview import compare_recipes
from core.submission.recipe import METHODS, Recipe, make_recipe, save_recipe
from core.taxonomy import AXES
from ui.ensembles import ballot_of, combined_of, decided_of, mix_of
from ui.links import link_to, no_runs_yet
from ui.members import show_members, show_scores
from ui.session import current
from ui.switches import pick_grouping, pick_prior, show_effect

_AT_FIRST = 6
_NUMBER = re.compile(r"\d{1,6}(\.\d{1,6})?")
_LARGEST_UPLOAD = 40  # MB: 12,600 x 18 probabilities as text

desk = current()
st.title("Ensemble")
st.caption(
    "Make the best of all runs. Every score here is of people that no part of the ensemble was trained or fitted on."
)


def settings_of(names: list[str]) -> Recipe:
    """The widgets that make a recipe of these members."""
    left, middle, right, last = st.columns([2, 1, 1, 1])
    method = left.selectbox(
        "method",
        list(METHODS),
        format_func=lambda name: f"{name}: {METHODS[name]}",
        key="method",
        bind="query-params",
    )
    calibration = middle.selectbox(
        "calibration of members", ["temperature", "axes", "bias", "none"], key="calibration", bind="query-params"
    )
    more: dict[str, object] = {"prior": pick_prior(right), "grouping": pick_grouping(last)}
    if method == "hard":
        more["ties"] = st.segmented_control("ties", list(TIES), format_func=TIES.get, default="mean_probability",
                                            required=True, key="ties", bind="query-params")  # fmt: skip
    if method == "axes":
        for column, axis in zip(st.columns(3), AXES, strict=True):
            chosen = column.multiselect(
                f"{axis} from", names, key=f"axis-{axis}", placeholder="all members", bind="query-params"
            )
            more.setdefault("axes", {}).update({axis: chosen} if chosen else {})
    if method in ("soft", "logits", "hard") and st.toggle("weights by hand", key="by-hand", bind="query-params"):
        more["weights"] = weights_by_hand(names)
    return make_recipe(members=names, method=method, calibration=calibration, **more)


def weights_by_hand(names: list[str]) -> list[float]:
    """A table to type into; the address keeps the weights, in the members' order."""
    key = f"weights-{'+'.join(names)}"
    given = [float(one) for one in st.query_params.get("weights", "").split(",") if _NUMBER.fullmatch(one)]
    start = st.session_state.setdefault(f"first-{key}", given if len(given) == len(names) else [1.0] * len(names))
    edited = st.data_editor(
        pd.DataFrame({"member": names, "weight": start}), hide_index=True, disabled=["member"], key=key,
        column_config={"weight": st.column_config.NumberColumn(min_value=0.0, required=True)},
    )  # fmt: skip
    weights: list[float] = edited.weight.tolist()
    st.query_params["weights"] = ",".join(f"{weight:g}" for weight in weights)
    return weights


def add_from_outside(ballot: Ballot) -> None:
    """Upload predictions that were made elsewhere."""
    file = st.file_uploader(
        "csv of classes or 18 probabilities, or npy", ["csv", "npy"], max_upload_size=_LARGEST_UPLOAD
    )
    ids = st.file_uploader("for an npy whose rows are not info.csv's: csv with ImageID", "csv") if file else None
    name = st.text_input("name", placeholder="friend-1", max_chars=60, key="outside-name")
    if file and name and st.button("Add", key="outside-add"):
        added = add_outside(desk.workspace, ballot.rows, name, file.getvalue(), file_name=file.name,
                            ids=ids.getvalue() if ids else None)  # fmt: skip
        st.success(f"outside:{name} can now be chosen above.")
        for doubt in doubts_of(desk.workspace, ballot.rows, added):
            st.warning(doubt.words)


names = member_names(desk.workspace, desk.index.dataset_id)
if not names:
    no_runs_yet()
    st.stop()
if picked := st.session_state.pop("suggested", None):
    st.session_state["members"] = picked
best = best_runs(desk.workspace, desk.index.dataset_id) or names
chosen = st.multiselect("members", names, best[:_AT_FIRST], key="members", bind="query-params")
if not chosen:
    st.info("Choose the members that vote.")
    st.stop()
try:
    recipe = settings_of(chosen)
    ballot = ballot_of(recipe)
    combined = combined_of(recipe, ballot)
    mix = mix_of(ballot)
    table = compare_recipes(ballot, [combined], mix=mix)
    show_scores(ballot, combined, table)
    decided = None if recipe.is_plain else decided_of(recipe)
    if decided and decided.effect and decided.inference:
        show_effect(decided.effect, decided.inference)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "keep it under a name", placeholder="best-four", max_chars=60, key="save-name", width=320
        )
        if st.button("Save", type="primary", disabled=not name):
            save_recipe(desk.workspace, name, recipe)
            st.session_state["saved"] = name
    if saved := st.session_state.get("saved"):
        link_to("submissions", f"Make a submission of {saved}", **{"made-from": f"ensemble:{saved}"})
    show_members(recipe, ballot, combined, table, mix)
    with st.expander("Suggest members", key="suggest", on_change="rerun") as box:
        if box.open:
            trade = st.slider("macro F1 to give up for unlike errors", 0.0, 0.1, choosing.TRADE, 0.005, key="trade")
            runs = [name for name in names if name.startswith("run:")]
            pool = ballot_of(make_recipe(members=runs, calibration=recipe.calibration))
            steps = choosing.suggest(pool, mix=mix_of(pool), trade=trade)
            st.dataframe(pd.DataFrame(steps, columns=["name", "score", "why"]), hide_index=True)
            if steps and st.button("Take these"):
                st.session_state["suggested"] = [step.name for step in steps]
                st.rerun()
    with st.expander("Add predictions made elsewhere"):
        add_from_outside(ballot)
except LabelingError as problem:
    st.error(str(problem))
