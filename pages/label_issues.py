"""Train labels that the run doubts: look, mend or keep, the most doubtful person first."""

import streamlit as st

from core.curation.label_issues import QUEUE, changed_labels, hit_rate
from core.curation.queues import ISSUES
from core.people.odd_photos import odd_reasons
from core.storage.findings import open_finding
from ui.queue_page import filtered, open_desk, show_cards
from ui.session import current

_WORDS = {
    "likely": "likely wrong",
    "contradictions": "photos contradict each other",
    "together": "the person says otherwise",
    "confident": "confident learning",
    "all": "all train photos",
}

st.title("Label issues")
st.caption(
    "Train labels that a model which never saw the person doubts. A decision changes the label of the next training; "
    "the data set stays as it is."
)
desk = open_desk(evaluation=False)
if desk is None:
    st.stop()
issue = desk.head.own.selectbox(
    "which", ISSUES, key="issue", bind="query-params", format_func=lambda one: _WORDS[one], width=200,
    help="Likely wrong: each axis judged apart by its odds, gender and age from all photos of the person. "
    "The person says otherwise: all its photos, pooled out-of-fold, are most probably of another gender or age band. "
    "Confident learning: as in Northcutt et al. 2021, on the 18 classes.",
)  # fmt: skip
scores = ["self_confidence", "normalized_margin", "mistakenness"]
orders = ["wrong", "gain", *scores, "margin", "entropy", "confidence", "random"]
view = filtered(desk, QUEUE, orders, extra={"issue": issue}, holds="train")
looked = desk.reviewed[desk.reviewed.queue == QUEUE]
rate, hint = hit_rate(changed_labels(looked, current().index.photos))
odd = open_finding(current().workspace, current().index.dataset_id, "odd_photos")
photos = current().index.photos
reasons = odd_reasons(odd.table, photos.set_index("photo_id").kind) if odd else {}
show_cards(
    desk, view, QUEUE, gained="train", hit_rate=rate, hint=hint, reasons=reasons,
    empty="Nothing is left here. Look at “all train photos”, or train again with what you decided: Train.",
)  # fmt: skip
