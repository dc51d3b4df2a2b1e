"""What is there, what is odd, and the next step."""

import pandas as pd
import streamlit as st

from core.dataset.check import check_report
from core.storage.decisions import DecisionStore
from core.storage.runs import list_runs
from core.storage.submissions import SubmissionLedger
from core.taxonomy import CLASS_NAMES
from ui.links import link_to
from ui.session import current, forget

desk = current()
report = check_report(desk.index)
runs = list_runs(desk.workspace, desk.index.dataset_id)
finished = [run for run in runs if run.state() == "finished"]
decided = DecisionStore(desk.workspace, desk.index.dataset_id).effective()
submissions = SubmissionLedger(desk.workspace, desk.index.dataset_id).list()

st.title("Overview")
st.caption(f"What is in the data set, what is odd about it, and what to do next. Data: `{desk.data_dir}`")

if not finished:
    step, page = "Train a first run.", "train"
elif decided.empty:
    step, page = "Look where the run is wrong, then accept pseudo labels.", "errors"
elif submissions.empty:
    step, page = "Write a checked submission.", "submissions"
else:
    step, page = "Train again with the decisions (pseudo_labels = accepted).", "train"
with st.container(border=True):
    st.markdown(f"**Next step:** {step}")
    link_to(page, "Go there")

counts = {
    "train photos": report["train_photos"],
    "people": report["people"],
    "evaluation photos": report["eval_photos"],
    "finished runs": len(finished),
    "decisions": len(decided),
    "submissions": len(submissions),
}
for column, (name, value) in zip(st.columns(len(counts)), counts.items(), strict=True):
    column.metric(name, f"{value:,}")

left, right = st.columns(2)
with left:
    st.subheader("Train photos by class")
    st.dataframe(
        pd.DataFrame({"label": range(18), "class": CLASS_NAMES, "photos": report["classes"]}),
        hide_index=True,
        column_config={"photos": st.column_config.ProgressColumn(format="%d", max_value=max(report["classes"]))},
    )
with right:
    st.subheader("What is odd")
    if desk.index.anomalies.empty:
        st.success("Nothing odd was found.")
    for kind, found in report["anomalies"].items():
        with st.expander(f"{kind}: {found['count']:,}"):
            st.dataframe(
                pd.DataFrame({"path": found["files"], "detail": found["details"]}),
                hide_index=True,
                width="stretch",
            )
    if st.button("Read the data set again", help="After files were added or changed"):
        forget()
        st.rerun()
