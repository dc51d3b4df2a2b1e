"""How sure a run is: right and wrong photos by calibrated confidence, and the photos of a range of it."""

import numpy as np
import streamlit as st

from core.evaluation.confidence import confidence_histogram, confidence_of, in_range, values_on
from core.taxonomy import AXES, CLASS_NAMES
from ui.calibrated import calibrated
from ui.chosen import photo_pages, send_to_queues
from ui.confidence_chart import confidence_chart
from ui.run_picker import pick_run

_ANY = "any"

st.title("Confidence")
st.caption(
    "How sure a run is of right and of wrong photos. Drag over the bars, or move the ends, to see a range's photos."
)
run = pick_run()
if run is None:
    st.stop()
known = calibrated(run)
with st.container(horizontal=True, vertical_alignment="bottom"):
    of = st.segmented_control(
        "of the", ["class", *AXES], default="class", required=True, key="of", bind="query-params"
    )
    split = st.segmented_control(
        "photos", ["train", "evaluation"], default="train", required=True, key="photos", bind="query-params"
    )
    axis = "" if of == "class" else of
    names = AXES[axis] if axis else CLASS_NAMES
    value = st.selectbox("predicted", [_ANY, *names], key=f"value-{of}", bind="query-params", width=240)
    shown = st.segmented_control("show", [_ANY, "right", "wrong"], default=_ANY, required=True, key="judged",
                                 bind="query-params", disabled=split != "train")  # fmt: skip
is_train = split == "train"
pred_probs = known.oof_probabilities() if is_train else known.evaluation_probabilities()
confidence, predicted = confidence_of(pred_probs, axis)
ids = known.photo_ids if is_train else known.eval_ids
true = values_on(known.labels, axis) if is_train else np.full(len(ids), -1)
rows = np.flatnonzero(predicted == names.index(value)) if value in names else np.arange(len(ids))
right = (predicted == true)[rows]
table = confidence_histogram(confidence[rows], right)

picture = st.container()
low, high = st.slider("range", 0.0, 1.0, (0.0, 1.0), 0.02, key="sure", bind="query-params", format="percent")
with picture:
    key = f"confidence-{run.run_id}-{of}-{split}-{value}-{low}-{high}"
    confidence_chart(table, (low, high), key=key, range_key="sure", has_truth=is_train)
words = "corrected to the estimated mix; " if known.shift.is_steady else ""
words += "nobody knows which are right"
if is_train and len(rows):
    words = f"{right.mean():.1%} right at a mean confidence of {confidence[rows].mean():.1%}"
st.caption(
    f"{len(rows):,} photos, each as the class most probable once calibrated, which may not be the run's own: {words}."
)

chosen = in_range(confidence[rows], low, high)
if is_train and shown != _ANY:
    chosen &= right == (shown == "right")
chosen_rows = rows[chosen]
if (low, high) == (0.0, 1.0) and shown == _ANY:
    st.info("No range is chosen. Wrong photos of which the run is sure are at the right: labels may be wrong there.")
    st.stop()
st.subheader(f"{len(chosen_rows):,} photos from {low:.0%} to {high:.0%}", anchor=False)
if len(chosen_rows):
    order = chosen_rows[np.argsort(-confidence[chosen_rows], kind="stable")]
    send_to_queues(ids[order].tolist(), run_id=run.run_id)
    captions = [f"{confidence[row]:.0%} {names[predicted[row]]}" for row in order]
    if is_train:
        labels = [f", label {names[true[row]]}" if true[row] != predicted[row] else "" for row in order]
        captions = [one + other for one, other in zip(captions, labels, strict=True)]
    photo_pages(ids[order].tolist(), captions, run=run, key=f"{of}-{split}-{value}-{shown}-{low}-{high}")
