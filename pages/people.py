"""Which evaluation photos show one person: found groups, how sure they are, and what pooling over them changes."""

import streamlit as st

from core.people.grouping import QUOTA
from core.storage.groupings import Grouping, list_groupings, open_grouping
from ui.gallery import photo_grid
from ui.groupings import find_form, import_form, pooled
from ui.job_status import watch_jobs
from ui.run_picker import pick_run
from ui.session import current

_PAGE = 10
_ORDERS = {"least sure first": True, "surest first": False}

desk = current()
st.title("People")
st.caption(
    "Which evaluation photos show one person, so that seven photos give one answer. Some competitions forbid to use "
    "such groups of test photos: nothing uses them unless you choose so."
)
run = pick_run("Run whose masks and classes are used")
if run is None:
    st.stop()
names = list_groupings(desk.workspace, dataset_id=desk.index.dataset_id)


def show_quality(grouping: Grouping) -> None:
    """How many groups, how sure, and how good the same recipe was on held-out train people."""
    sizes = grouping.table.groupby("group").size()
    whole = int((sizes == QUOTA.sum()).sum())
    numbers = {"groups": len(sizes), "of seven photos": whole, "single photos": int((sizes == 1).sum())}
    quality = grouping.about.get("quality")
    shares = {} if quality is None else {
        "pairs right": quality["pair_precision"],
        "pairs found": quality["pair_recall"],
        "people found whole": quality["perfect_groups"],
    }  # fmt: skip
    with st.grid("auto", min_column_width=130):
        for name, number in numbers.items():
            st.metric(name, f"{number:,}")
        for name, share in shares.items():
            st.metric(name, f"{share:.1%}")
    known = f" Shares: on {quality['people']:,} train people whom the metric had not seen." if quality else ""
    st.caption(f"{grouping.about['origin']}, {grouping.about['created_at'][:10]}.{known}")


if not names:
    st.info("No groups yet. Find them with the form below (about a minute for 6,300 photos), or import a csv file.")
else:
    name = st.selectbox("grouping", names, key="grouping", bind="query-params")
    grouping = open_grouping(desk.workspace, name, dataset_id=desk.index.dataset_id)
    show_quality(grouping)
    effect = pooled(run, grouping)
    st.markdown(
        f"Pooling over these groups changes **{effect.changed:,}** of {len(effect.photo_ids):,} classes. Over the "
        f"train people's own folders it takes out-of-fold macro F1 from **{effect.oof_single:.3f}** to "
        f"**{effect.oof_pooled:.3f}**."
    )
    table = grouping.table
    least = table.groupby("group").confidence.min().fillna(0.0)
    size = table.groupby("group").size()
    several = size.index[size > 1]
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    order = left.segmented_control(
        "order", list(_ORDERS), default="least sure first", required=True, key="people-order"
    )
    ordered = least[several].sort_values(ascending=_ORDERS[order], kind="stable").index
    pages = max(1, -(-len(ordered) // _PAGE))
    page = right.number_input(f"page of {pages:,}", 1, pages, 1, key=f"people-page-{name}-{order}")
    row_of = {photo_id: row for row, photo_id in enumerate(effect.photo_ids)}
    by_group = dict(list(table.groupby("group")))
    for group in ordered[(page - 1) * _PAGE : page * _PAGE]:
        members = by_group[group]
        with st.container(border=True, key=f"group-{group}"):
            st.markdown(f"{len(members)} photos, least confidence **{least[group]:.1%}**")
            photo_grid(members.photo_id.tolist(), effect.captions([row_of[photo] for photo in members.photo_id]))
    st.download_button(
        "Download as csv",
        grouping.path.read_bytes(),
        f"{name}.csv",
        "text/csv",
        on_click="ignore",
        key="get-grouping",
    )

with st.expander("Find or import groups", expanded=not names):
    find_form(run, names)
    import_form(names)
    watch_jobs(desk.workspace)
