"""From runs to a checked file, and the ledger of all files."""

import pandas as pd
import streamlit as st

from core.storage.submissions import SubmissionLedger
from core.submission.checks import check_submission
from core.submission.export import write_submission
from ui.links import no_runs_yet
from ui.run_picker import finished_runs, run_label
from ui.session import current

desk = current()
st.title("Submissions")
st.caption(
    "Write the vote of some runs as a file that the checks have passed, download it, and see all earlier ones."
)
runs = {run.run_id: run for run in finished_runs()}
info = desk.index.photos.loc[desk.index.photos.split == "eval", ["photo_id"]].rename(columns={"photo_id": "ImageID"})
marks = {"red": "🟥", "yellow": "🟨", "ok": "🟩"}


def show_findings(findings: list[dict[str, str]]) -> None:
    """Each check with what it saw and the likely cause."""
    for one in findings:
        st.markdown(f"{marks[one['level']]} **{one['check']}**: {one['saw']} {one['cause']}")


if not runs:
    no_runs_yet()
else:
    chosen = st.multiselect("runs", list(runs), list(runs)[:1], format_func=lambda name: run_label(runs[name]))
    vote = st.segmented_control(
        "vote", ["soft", "hard"], default="soft", help="soft: mean probability; hard: most runs"
    )
    comment = st.text_input("comment, kept with the file")
    if st.button("Check and write", type="primary", disabled=not chosen):
        members = [runs[name] for name in chosen]
        manifest = write_submission(desk.workspace, desk.index, members, vote=vote or "soft", comment=comment)
        st.success(f"{manifest['rows']:,} rows in {manifest['file_name']}")
        show_findings(manifest["findings"])

st.subheader("Ledger")
ledger = SubmissionLedger(desk.workspace, desk.index.dataset_id).list()
if ledger.empty:
    st.info("No submission yet.")
for row in ledger.itertuples():
    path = desk.workspace.submissions / row.file_name
    with st.container(border=True):
        left, right = st.columns([4, 1])
        members = ", ".join(member["run_id"] for member in row.origin["runs"])
        left.markdown(f"**{row.file_name}** · {row.created_at[:19]} UTC · {row.origin['vote']} vote of {members}")
        left.caption(f"{row.rows:,} rows, sha256 {row.sha256[:12]}. {row.comment}")
        if path.exists():
            right.download_button("Download", path.read_bytes(), path.name, "text/csv", key=f"get-{row.number}")
        else:
            right.caption("not in the workspace any more" if path.parent == desk.workspace.submissions else str(path))

st.subheader("Check a file made elsewhere")
uploaded = st.file_uploader("csv with ImageID and ans", type="csv")
if uploaded is not None:
    found = check_submission(uploaded.getvalue(), pd.DataFrame(info))
    show_findings([vars(one) for one in found])
