"""Ages near 30 and 60: who is near, and what another boundary would move, told without training."""

import streamlit as st

from core.curation.age_boundary import OLD_RANGE, QUEUE, YOUNG_RANGE, Boundary, preview_boundary, relabel_moved
from core.taxonomy import AGE_BANDS
from ui.links import link_to
from ui.queue_page import filtered, open_desk, show_cards, undo_button

st.title("Age boundary")
st.caption(
    "Most of the lost macro F1 lies between 30-59 and 60 and over. Try another boundary for training, "
    "and settle the people near it."
)
desk = open_desk()
if desk is None:
    st.stop()

told = []
with desk.head.tools, st.popover("Try a boundary"):
    first, second, third = st.columns(3)
    young = first.slider("30-59 begins at", *YOUNG_RANGE, 30, key="young", bind="query-params")
    old = second.slider("60 and over begins at", *OLD_RANGE, 60, key="old", bind="query-params")
    leaves_out = third.toggle("leave out a band", key="band", bind="query-params")
    ages = third.slider("ages left out", 18, 60, (57, 59), key="ages", bind="query-params", disabled=not leaves_out)
    boundary = Boundary(young, old, ages if leaves_out else None)
    photos = desk.table.photos[desk.table.photos.split == "train"]
    preview = preview_boundary(photos, photos.predicted.to_numpy(), boundary)
    if boundary != Boundary():
        told = [f"this boundary moves {len(preview.moved):,} people, out-of-fold macro F1 "
                f"{preview.macro_f1_before:.3f} → {preview.macro_f1_after:.3f}"]  # fmt: skip
    st.markdown(
        f"**{len(preview.moved):,} people**, {int(preview.moved.photos.sum()):,} photos change their band; "
        f"{preview.left_out_people:,} people, {preview.left_out_photos:,} photos are left out. Out-of-fold macro F1 "
        f"{preview.macro_f1_before:.4f} → **{preview.macro_f1_after:.4f}**, the run's predictions as they are "
        "against labels by this boundary."
    )
    if st.toggle("by class, and who moves", key="detail", bind="query-params"):
        st.dataframe(preview.classes, hide_index=True, width="stretch")
        names = dict(enumerate(AGE_BANDS))
        moved = preview.moved.assign(before=preview.moved.before.map(names), after=preview.moved.after.map(names))
        st.dataframe(moved, hide_index=True, width="stretch")
    settings = [f"{key}={value}" for key, value in boundary.settings().items()]
    with st.container(horizontal=True, vertical_alignment="center"):
        link_to("train", "Train with this boundary", set=settings, like=desk.run.run_id)
        if st.button(f"Relabel {len(preview.moved):,} people", disabled=preview.moved.empty):
            desk.store.append(relabel_moved(preview, boundary, who=desk.who, run_id=desk.run.run_id))
            st.rerun()
        undo_button(desk, QUEUE)
    st.caption("The training setting is the milder way: scores still compare with the bounds 30 and 60. Relabelling "
               "changes what scores compare with.")  # fmt: skip

with desk.head.more:
    near, share = st.columns(2)
years = near.slider("years from 30 or 60", 0, 5, 2, key="years", bind="query-params")
least = share.slider("or second age band as likely as", 0.2, 0.5, 0.4, 0.01, key="second", bind="query-params")
told.append(f"within {years} years of 30 or 60, or second age band at least {least:.0%}")
orders = ["gain", "margin", "entropy", "confidence", "wrong", "random"]
view = filtered(desk, QUEUE, orders, extra={"near_years": years, "near_share": least}, told=told)
show_cards(
    desk, view, QUEUE, gained="eval",
    empty="Nobody is this near to a boundary. Move the sliders, or train again with what you decided: Train.",
)  # fmt: skip
