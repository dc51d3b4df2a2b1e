"""Evaluation photos with the class a run proposes: decide person by person, or accept all that are sure enough."""

import streamlit as st

from core.curation.pseudo_labels import EXPECTED_WRONG_ASSUMES, QUEUE, accept_chosen, bulk_choice, expected_wrong
from core.curation.thresholds import class_thresholds
from ui.queue_page import corrected_table, filtered, open_desk, show_cards, undo_button

st.title("Pseudo labels")
st.caption(
    "Accept or reject what a run proposes for evaluation photos; accepted ones can enter the next training.",
    help="They do when its setting data.pseudo_labels is accepted. Some competitions forbid labels made by hand on "
    "evaluation photos: data.pseudo_labels can be limited, and so can an export.",
)
desk = open_desk()
if desk is None:
    st.stop()

with desk.head.tools, st.popover("Accept many"):
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    by_class = left.segmented_control(
        "threshold", ["by class", "by confidence"], default="by class", key="bulk", bind="query-params"
    )
    table = desk.table.photos[desk.table.photos.split == "train"]
    if by_class == "by confidence":
        least = right.slider("confidence at least", 0.5, 1.0, 0.95, 0.005, key="threshold", bind="query-params")
        thresholds = None
    else:
        precision = right.slider(
            "share of right ones wanted, in each class", 0.5, 0.99, 0.9, 0.01, key="precision", bind="query-params"
        )
        labelled = table.label.to_numpy() >= 0
        thresholds = class_thresholds(
            table.label.to_numpy()[labelled], desk.table.photo_probs[table.index][labelled], precision=precision
        )
        least = 0.0
    chosen = bulk_choice(desk.table, least, thresholds)
    wrong = expected_wrong(chosen, corrected_table(desk))
    st.markdown(
        f"**{len(chosen):,} photos** undecided, about **{wrong:.0f}** of them wrong.", help=EXPECTED_WRONG_ASSUMES
    )
    with st.container(horizontal=True):
        if st.button(f"Accept {len(chosen):,}", type="primary", disabled=chosen.empty):
            desk.store.append(accept_chosen(chosen, run_id=desk.run.run_id, who=desk.who))
            st.rerun()
        undo_button(desk, QUEUE)
    if thresholds is not None:
        st.dataframe(
            thresholds, hide_index=True, width="stretch", height=250, placeholder="", alt="Thresholds by class",
            column_config={
                "label": None, "name": "class", "n": "photos above", "right": "right ones", "low": "right, at least",
                "threshold": "confidence from",
            },
        )  # fmt: skip

view = filtered(desk, QUEUE, ["gain", "margin", "entropy", "confidence", "random"], holds="eval")
show_cards(
    desk, view, QUEUE, gained="eval",
    empty="All is decided. Train again with what you accepted: Train.",
)  # fmt: skip
