"""Two runs on the same people: which is better, how sure that is, and which photos it fixes and breaks."""

import numpy as np
import streamlit as st

from core.taxonomy import AXES, CLASS_NAMES, class_name, decode_axis
from ui.address import in_address
from ui.chosen import photo_pages
from ui.links import link_to, no_runs_yet
from ui.run_pairs import changes_in_words, difference_chart, pair_of, show_scores
from ui.run_picker import choose_run, finished_runs

_ANY = "any"

st.title("Compare")
st.caption("Is the second run better than the first, or only luckier? Both are scored on people neither had seen.")
runs = {run.run_id: run for run in finished_runs()}
if not runs:
    no_runs_yet()
    st.stop()
if len(runs) == 1:
    st.info(f"Only {next(iter(runs))} is finished. Train another run with other settings, then compare the two here.")
    link_to("train", "Go to Train")
    st.stop()

names = list(runs)
left, right = st.columns(2)
with left:
    first = choose_run("first run", names, key="run", default=names[1])
with right:
    others = [name for name in names if name != first]
    second = choose_run("second run", others, key="with", default=others[0])
pair = pair_of(runs[first], runs[second])
show_scores(pair, first, second)
left_out = f" {pair.left_out:,} people that only one of them predicted are left out." if pair.left_out else ""
st.caption(
    f"{pair.num_people:,} people, {len(pair.labels):,} photos that both predicted out-of-fold, with the labels as "
    f"decided now.{left_out}"
)

st.subheader("What it gains, by axis and class", anchor=False)
st.caption(
    "Second less first, with 95 % intervals by person: F1 of classes, accuracy of axes. Green is better, red worse, "
    "grey could be luck."
)
difference_chart(pair.scores, key=f"differences-{first}-{second}")
with st.expander("The same as numbers"):
    st.dataframe(pair.scores, hide_index=True, alt="Scores of both runs and their differences")

st.subheader("Photos it fixes and breaks", anchor=False)
words = {"fixed": f"fixed {len(pair.fixed):,}", "broken": f"broken {len(pair.broken):,}"}
with st.container(horizontal=True, vertical_alignment="bottom"):
    which = st.segmented_control(
        "which", list(words), required=True, key="which", format_func=words.get,
        on_change=in_address("which", list(words), default="fixed"),
    )  # fmt: skip
    axis = st.selectbox("they differ on", [_ANY, *AXES], key="axis", bind="query-params", width=160)
    label = st.selectbox("true class", [_ANY, *CLASS_NAMES], key="class", bind="query-params", width=240)
rows = pair.fixed if which == "fixed" else pair.broken
if axis != _ANY:
    rows = rows[decode_axis(pair.first[rows], axis) != decode_axis(pair.second[rows], axis)]
if label != _ANY:
    rows = rows[pair.labels[rows] == CLASS_NAMES.index(label)]
told = {"fixed": f"{first} has them wrong, {second} right", "broken": f"{first} has them right, {second} wrong"}
st.caption(f"{len(rows):,} photos: {told[which]}. The largest change first.")
if len(rows):
    link_to("disagreements", "Review them on Disagreements", run=first, unit="photo", which=which, **{"with": second})
    captions = [
        f"{changes} · {class_name(label)}"
        for changes, label in zip(changes_in_words(pair, rows.tolist()), pair.labels[rows], strict=True)
    ]
    photo_pages(
        pair.photo_ids[rows].tolist(), captions, run=runs[second], key=f"{first}-{second}-{which}-{axis}-{label}"
    )
else:
    st.info("No photo here. Choose another axis or class above." if np.size(pair.fixed) else "They say the same.")
