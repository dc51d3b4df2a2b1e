"""Which evaluation photos show one person: groups to confirm or correct, and what pooling over them changes."""

import streamlit as st

from core.people.grouping import QUOTA
from core.storage.decisions import DecisionStore
from core.storage.group_decisions import group_counts
from core.storage.groupings import Grouping, list_groupings, open_grouping, to_csv
from ui.groupings import find_form, import_form, pooled
from ui.job_status import watch_jobs
from ui.photo_findings import show_duplicates, show_odd_photos
from ui.reviewer import reviewer
from ui.run_picker import pick_run
from ui.session import current
from ui.sorting import sort_groups

desk = current()
st.title("People")
st.caption(
    "Which evaluation photos show one person, so that seven photos give one answer. Some competitions forbid to use "
    "such groups of test photos: ensembles and files use them only where you choose so, queues unless you switch "
    "it off."
)
_SHOWN = {"groups": "evaluation photos", "duplicates": "near duplicates", "odd": "odd train photos"}
shown = st.segmented_control(
    "show", list(_SHOWN), default="groups", required=True, key="people-show", bind="query-params",
    format_func=_SHOWN.get, label_visibility="collapsed",
)  # fmt: skip
if shown != "groups":
    (show_duplicates if shown == "duplicates" else show_odd_photos)()
    st.stop()
names = list_groupings(desk.workspace, dataset_id=desk.index.dataset_id)
left, right = st.columns(2)
with left:
    run = pick_run("Run whose masks and classes are used")
if run is None:
    st.stop()
work, below = st.container(), st.container()


def _shares(quality: dict[str, float]) -> str:
    return (
        f"{quality['pair_precision']:.2%} of the pairs right, {quality['pair_recall']:.2%} of them found, "
        f"{quality['perfect_groups']:.1%} of the people whole"
    )


def quality_words(grouping: Grouping) -> str:
    """How many groups, where they come from, and how good the same recipe was on held-out train people."""
    counts = group_counts(grouping.table)
    whole = int((grouping.table.groupby("group").size() == QUOTA.sum()).sum())
    words = f"**{counts['groups']:,} groups**, {whole:,} of seven photos, {counts['single']:,} single photos"
    words += f"; {grouping.about['origin']}, {grouping.about['created_at'][:10]}."
    if quality := grouping.about.get("quality"):
        used, people = grouping.about.get("metric", "whitened"), quality["people"]
        words += f" The {used} metric, measured on {people:,} train people it had not seen: {_shares(quality)}."
        others = {way: other for way, other in grouping.about.get("tried", {}).items() if way != used}
        words += "".join(f" The {way} metric, tried as well: {_shares(other)}." for way, other in others.items())
    return words


with below, st.expander("Find or import groups", expanded=not names):
    find_form(run, names)
    import_form(names)
    watch_jobs(desk.workspace, kind="people")

with work:
    if not names:
        st.info("No groups yet. Find them with the form below (some minutes for 6,300 photos), or import a csv file.")
        st.stop()
    name = right.selectbox("grouping", names, key="grouping", bind="query-params")
    grouping = open_grouping(desk.workspace, name, dataset_id=desk.index.dataset_id)
    effect = pooled(run, grouping)
    st.markdown(quality_words(grouping))
    with below:
        st.markdown(
            f"Pooling over these groups changes **{effect.changed:,}** of {len(effect.classes):,} classes. Over the "
            f"train people's own folders it takes out-of-fold macro F1 from **{effect.single.oof_single:.3f}**, "
            f"calibrated photo by photo, to **{effect.single.oof_pooled:.3f}**. "
            f"As trained, the run itself has {run.result()['macro_f1']:.3f}."
        )
        csv = to_csv(grouping.table)
        st.download_button("Download as csv", csv, f"{name}.csv", "text/csv", on_click="ignore", key="get-grouping")
    store = DecisionStore(desk.workspace, desk.index.dataset_id)
    sort_groups(grouping, effect, run_id=run.run_id, who=reviewer(), store=store)
