"""From runs to a checked file, and the ledger of all files."""

from dataclasses import asdict

import pandas as pd
import streamlit as st

from core.errors import LabelingError
from core.storage.submissions import SubmissionLedger
from core.submission.checks import check_submission
from core.submission.export import Draft, draft_submission, write_submission
from core.submission.recipe import make_recipe
from ui.findings import class_counts, show_findings
from ui.links import no_runs_yet
from ui.run_picker import finished_runs, run_label
from ui.session import current
from ui.times import clock

_LARGEST_UPLOAD = 5  # MB; the organisers' file has 0.6
_LISTED = 10

desk = current()
st.title("Submissions")
st.caption("Make a checked file from one run or the vote of several, download it, and see all earlier ones.")
runs = {run.run_id: run for run in finished_runs()}
ledger = SubmissionLedger(desk.workspace, desk.index.dataset_id)


def file_from_runs() -> Draft | None:
    """The widgets that make a file: members, vote, the checks, then the button that writes."""
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    chosen = left.multiselect(
        "runs", list(runs), list(runs)[:1], format_func=lambda name: run_label(runs[name]), key="members",
        bind="query-params", help="One run, or several that vote.",
    )  # fmt: skip
    vote = right.segmented_control(
        "vote", ["soft", "hard"], default="soft", required=True, key="vote", bind="query-params",
        disabled=len(chosen) < 2, help="soft: mean probability. hard: the class most runs choose.",
    )  # fmt: skip
    if not chosen:
        st.info("Choose the runs that vote.")
        return None
    recipe = make_recipe(members=[f"run:{name}" for name in chosen], method=vote)
    draft = draft_submission(desk.workspace, desk.index, recipe)
    checks, counts = st.columns([3, 2])
    with checks:
        st.markdown("**Checks of the file to be**")
        show_findings([asdict(finding) for finding in draft.findings])
    with counts:
        st.markdown("**What it says**, photos by class")
        st.dataframe(class_counts(draft.class_counts), alt="Photos of each class in the file to be")
    number = st.session_state.setdefault("written", 0)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        comment = st.text_input("comment, kept with the file", key=f"comment-{number}", width=420, max_chars=500)
        pressed = st.button("Write", type="primary", disabled=draft.is_blocked, key=f"write-{number}")
    if draft.is_blocked:
        st.error("A red check stands in the way: nothing can be written from this choice.")
    if pressed:
        manifest = write_submission(desk.workspace, desk.index, draft, comment=comment)
        st.session_state["written"] = number + 1  # other keys: a second click finds no button
        st.session_state["just-written"] = manifest["file_name"]
        st.rerun()
    return draft


def listed(row: pd.Series) -> None:
    """One file of the ledger."""
    with st.container(border=True, key=f"submission-{row.number}"):
        vote = f"{row.origin['recipe']['method']} vote of {', '.join(row.origin['recipe']['members'])}"
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"`{row.file_name}`  \n{vote} · {row.rows:,} rows · {clock(row.created_at)}")
            try:
                st.download_button(
                    "Download", ledger.read(row.file_name, row.sha256), row.file_name.rpartition("/")[2], "text/csv",
                    key=f"get-{row.number}", on_click="ignore",
                )  # fmt: skip
            except LabelingError as problem:
                st.warning(str(problem))
        if row.comment:
            st.text(row.comment)
        odd = sum(finding["level"] != "ok" for finding in row.findings)
        with st.expander(f"{odd} of {len(row.findings)} checks found something" if odd else "All checks passed"):
            show_findings(row.findings)
            st.caption(f"sha256 `{row.sha256}` · code `{row.origin.get('code_version', 'unknown')}`")


draft = None
if not runs:
    no_runs_yet()
else:
    try:
        draft = file_from_runs()
    except LabelingError as problem:
        st.error(str(problem))
if name := st.session_state.pop("just-written", ""):
    st.success(f"Written: {name}. It is the first in the list below.")

st.subheader("Ledger", anchor=False)
files = ledger.list()
if files.empty:
    st.info("No submission yet. Written files are listed here with what they were made of.")
shown = files if len(files) <= _LISTED or st.toggle(f"all {len(files)}", key="all-files") else files[:_LISTED]
for _, row in shown.iterrows():
    listed(row)

st.subheader("Check a file made elsewhere", anchor=False)
uploaded = st.file_uploader("csv with ImageID and ans", type="csv", key="upload", max_upload_size=_LARGEST_UPLOAD)
if uploaded is not None and uploaded.size > _LARGEST_UPLOAD * 2**20:
    st.error(f"{uploaded.name} has {uploaded.size / 2**20:.1f} MB; a submission has under {_LARGEST_UPLOAD} MB.")
elif uploaded is not None:
    ids = desk.index.photos.photo_id[desk.index.photos.split == "eval"]
    info = pd.DataFrame({"ImageID": ids.tolist()})
    found = check_submission(uploaded.getvalue(), info, predictions=None if draft is None else draft.labels)
    show_findings([asdict(one) for one in found])
