"""What is there, what is odd, and the next step."""

import streamlit as st

from core.errors import LabelingError
from core.storage.decisions import DecisionStore
from core.storage.runs import list_runs
from core.storage.submissions import SubmissionLedger
from core.taxonomy import CLASS_NAMES
from ui.bars import count_bars
from ui.links import link_to
from ui.session import current, read_again

_SHOWN = 20

ABOUT = {
    "csv and folder disagree": "train.csv and the folder's name say different things; train.csv is used.",
    "duplicate file": "The same bytes lie in two places.",
    "extra file": "Not a photo of the set; it is passed over.",
    "hidden file": "Left behind by other programs; it is passed over.",
    "id used twice": "People are folders, so both are kept apart.",
    "label out of range": "info.csv holds an answer outside 0..17.",
    "listed twice": "train.csv names a folder in two lines; the last one counts.",
    "missing folder": "train.csv names a person without photos.",
    "missing photo": "A file that should be there is not.",
    "not in csv": "A person's folder that train.csv does not name; its own name is read.",
    "truncated": "The file ends too early; it is left out of training.",
    "unknown person": "A folder that neither train.csv nor its own name explains; it is passed over.",
    "unreadable": "The file is no photo; it is left out of training.",
    "wrong count": "A person has more or fewer than seven photos.",
    "wrong size": "Not 384 x 512 pixels; it is resized.",
}
"""What a kind of anomaly means, in a sentence."""

desk = current()
report = desk.report
runs = list_runs(desk.workspace, desk.index.dataset_id)
finished = [run for run in runs if run.state() == "finished"]
unfinished = [run for run in runs if run.state() == "unfinished"]
decisions = len(DecisionStore(desk.workspace, desk.index.dataset_id).effective())
submissions = SubmissionLedger(desk.workspace, desk.index.dataset_id).list()

st.title("Overview")
st.caption("What is in the data set, what is odd about it, and what to do next.")

if not finished and unfinished:
    step, page = f"Watch {unfinished[0].run_id}, or go on with it: it is not finished yet.", "train"
elif not finished:
    step, page = "Train a first run: its mistakes show what to look at.", "train"
elif not decisions:
    step, page = f"Look where {finished[0].run_id} is wrong, then accept pseudo labels.", "errors"
elif submissions.empty:
    step, page = "Write a checked submission.", "submissions"
else:
    step, page = "Train again with the decisions (setting data.pseudo_labels: accepted).", "train"
with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.markdown(f"**Next step:** {step}")
    link_to(page, "Go there")

counts = {
    "train photos": report["train_photos"],
    "people": report["people"],
    "evaluation photos": report["eval_photos"],
    "finished runs": len(finished),
    "decisions": decisions,
    "submissions": len(submissions),
}
with st.grid("auto", min_column_width=120):
    for name, value in counts.items():
        st.metric(name, f"{value:,}")

left, right = st.columns(2, gap="large")
with left:
    st.subheader("Train photos by class", anchor=False)
    count_bars(dict(zip(CLASS_NAMES, report["classes"], strict=True)), head=("class", "photos"))
with right:
    st.subheader("What is odd", anchor=False)
    if not report["anomalies"]:
        st.success("Nothing odd was found.")
    for kind, found in report["anomalies"].items():
        with st.expander(f"{kind}: {found['count']:,}"):
            lines = [f"{path}  {detail}" for path, detail in zip(found["files"], found["details"], strict=True)]
            st.caption(ABOUT.get(kind, "") + (f" The first {_SHOWN}:" if len(lines) > _SHOWN else ""))
            st.code("\n".join(lines[:_SHOWN]), language=None, wrap_lines=True)
    st.caption(f"Data set `{desk.data_dir}`")
    if st.button("Read the data set again", help="After files were added, changed or removed"):
        bar = st.empty()
        try:
            read_again(lambda done, total: bar.progress(done / max(total, 1), f"{done:,} of {total:,} photos"))
            st.rerun()
        except LabelingError as problem:
            bar.error(f"{problem}. The data set is shown as it was read before.")
