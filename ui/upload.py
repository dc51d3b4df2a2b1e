"""A csv made elsewhere, on the page Submissions: checked, and kept in the ledger when wanted."""

from dataclasses import asdict

import streamlit as st

from core.submission.expectation import Belief
from core.submission.finding import is_blocked
from core.submission.importing import expected_of, gate_file, import_submission
from ui.findings import show_findings
from ui.session import current

_LARGEST_UPLOAD = 5  # MB; the organisers' file has 0.6


def check_upload(belief: Belief | None) -> None:
    """The field for the file, its findings, its expected score, and the button that keeps it.

    Args:
        belief: what the evaluation photos probably are, by what is chosen on the page.
    """
    desk, number = current(), st.session_state.setdefault("kept", 0)
    uploaded = st.file_uploader(
        "csv with ImageID and ans", type="csv", key=f"upload-{number}", max_upload_size=_LARGEST_UPLOAD
    )
    if uploaded is None:
        return
    content = uploaded.getvalue()
    found = gate_file(desk.workspace, desk.index, content, belief=belief)
    show_findings([asdict(one) for one in found])
    if score := expected_of(desk.index, content, belief):
        st.markdown(
            f"By what is chosen above, expected macro F1 **{score.mean:.3f}** ({score.low:.3f} to {score.high:.3f})."
        )
    blocked = is_blocked(found)
    override = st.text_input("why it is kept all the same", key=f"upload-override-{number}") if blocked else ""
    comment = st.text_input("comment, kept with it", key=f"upload-comment-{number}", max_chars=500)
    if st.button("Keep it in the ledger", disabled=blocked and not override.strip()):
        made = import_submission(
            desk.workspace, desk.index, content, file_name=uploaded.name, comment=comment, override=override,
            belief=belief,
        )  # fmt: skip
        st.session_state["kept"] = number + 1  # other keys: the field is empty, and a second click finds no button
        st.session_state["just-written"] = made["file_name"]
        st.rerun()
